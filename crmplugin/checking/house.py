"""The owner's voice and the law of the reader's country, over one text.

Terms to use and to avoid, marks, emoji, limits, and the elements that promotional mail needs. The rules come with the
brief, so a changed voice holds from the next brief on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

from crmplugin.checking.fold import bare, fold_text
from crmplugin.checking.lists import topic
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.stems import stem
from crmplugin.checking.voice import emoji, syllables, words_of
from crmplugin.domain.brief import Brief, is_promotional
from crmplugin.domain.crm import Voice
from crmplugin.domain.draft import Check, CheckedSentence

FEW_EMOJI = 2
"""Emoji in a whole text where the voice allows a few."""
_ENDINGLESS = 4
_WORD = re.compile(r"[^\W_]+")


def voice_of(brief: Brief | None) -> Voice:
    return brief.voice if brief else Voice()


def house_terms(scene: Scene, voice: Voice) -> Iterator[Finding]:
    """Words that the voice avoids (in any ending), and names that it wants written otherwise."""
    if voice.terms is None:
        return
    for term in voice.terms.avoid:
        for start, end in _places(scene, term):
            reason = f"“{scene.folded.text[start:end]}” is on the list of words to avoid."
            yield Finding(start, end, "term:avoid", "style", reason=reason)
    for wanted, others in voice.terms.use.items():
        for start, end in (place for other in others for place in _written(scene, other, wanted)):
            reason = f"“{scene.folded.text[start:end]}” is written {wanted} here."
            yield Finding(start, end, "term:use", "style", reason=reason, mend=wanted)


def _places(scene: Scene, term: str) -> Iterator[tuple[int, int]]:
    """Where a term stands: several words as they are, one word in any form of it."""
    folded = fold_text(term)
    if not _WORD.fullmatch(folded.lower):
        yield from _exact(scene.folded.lower, folded.lower)
        return
    wanted = stem(bare(folded.lower))
    for m in _WORD.finditer(scene.folded.lower):
        if m[0] == folded.lower or _same_word(stem(bare(m[0])), wanted):
            yield m.span()


def _same_word(a: str, b: str) -> bool:
    """Two stems of one word: equal, or one letter of an ending apart ("synergi", "synerg")."""
    short, long_ = sorted((a, b), key=len)
    return a == b or (len(short) > _ENDINGLESS and long_[:-1] == short)


def _written(scene: Scene, other: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Where the other way of writing stands and the wanted one does not."""
    for start, end in _exact(scene.folded.lower, fold_text(other).lower):
        if scene.folded.text[start:end] != wanted:
            yield start, end


def _exact(low: str, words: str) -> Iterator[tuple[int, int]]:
    if words.strip():
        yield from (m.span() for m in _bounded(words).finditer(low))


@lru_cache(maxsize=512)
def _bounded(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")


def house_marks(scene: Scene, voice: Voice) -> Iterator[Finding]:
    """Exclamation marks beyond what the voice states, and emoji where it states that there are none."""
    text = scene.folded.text
    if voice.max_exclaim is not None and text.count("!") > voice.max_exclaim:
        at = text.rindex("!")
        yield Finding(at, at + 1, "mark", "style", reason=f"At most {voice.max_exclaim} exclamation marks are wanted.")
    if voice.emoji == "none" and emoji(text):
        at = text.index(emoji(text)[0])
        yield Finding(at, at + 1, "mark", "style", reason="No emoji are wanted.")


def _verdict(good: bool, *, stated: bool) -> Literal["pass", "warn", "fail"]:
    return "pass" if good else "fail" if stated else "warn"


def tone_rows(body: Sequence[str], voice: Voice) -> Iterator[Check]:
    """Rows on the marks of the whole text; a rule that the voice states fails, a default only warns."""
    text = " ".join(body)
    most, marks = int(voice.max_exclaim or 0), text.count("!")
    yield Check(
        "exclamation",
        _verdict(marks <= most, stated=voice.max_exclaim is not None),
        f"{marks} exclamation marks; at most {most}.",
    )
    found = len(emoji(text))
    allowed = FEW_EMOJI if voice.emoji == "few" else 0
    words = "No emoji." if not found else f"{found} emoji; at most {allowed}."
    yield Check("emoji", _verdict(found <= allowed, stated=voice.emoji is not None), words)
    doubled = re.findall(r"[!?]{2,}|\.{4,}|,{2,}", text)
    yield Check("punctuation", "warn" if doubled else "pass", f"{len(doubled)} runs of repeated punctuation.")
    spam = [word for word in topic("voice")["spam"]["words"] if word in text.lower()]
    yield Check("spam_words", "warn" if spam else "pass", f"Filters dislike: {', '.join(spam)}." if spam else "None.")


def grade_row(body: Sequence[str], language: str, voice: Voice, *, enough: bool) -> Iterator[Check]:
    """The Flesch-Kincaid grade of an English text against the voice's `fk_max`; short texts are only warned about."""
    most = voice.limits.get("fk_max")
    words = [w for s in body for w in words_of(s)]
    if most is None or language != "en" or not words:
        return
    grade = 0.39 * len(words) / len(body) + 11.8 * sum(syllables(w, language) for w in words) / len(words) - 15.59
    yield Check("grade", _verdict(grade <= float(most), stated=enough), f"School grade {grade:.1f}; at most {most}.")


def law_row(brief: Brief | None, rows: Sequence[CheckedSentence]) -> Iterator[Check]:
    """Whether a promotional text holds what the regime of its reader asks for on its channel."""
    if brief is None or brief.plan is None or not is_promotional(brief.plan.kind, brief.plan.type):
        return
    needed = _needed(brief.regime, brief.plan.channel)
    text = fold_text(" ".join(c.sentence.text for c in rows)).lower
    missing = [element for element in needed if not _PRESENT[element](brief, text)]
    if needed:
        told = f"{brief.regime or 'The strictest rule'} needs {', '.join(needed)}"
        yield Check(
            "compliance",
            "fail" if missing else "pass",
            f"{told}; missing: {', '.join(missing)}.{_where_to_set(brief, missing)}" if missing else f"{told}.",
        )


def _where_to_set(brief: Brief, missing: Sequence[str]) -> str:
    """What to do when the text lacks an address because none is on record."""
    unset = "postal address" in missing and not brief.sender.postal_address
    return " Set postal_address in the seller's record." if unset else ""


def _needed(regime: str | None, channel: str) -> Sequence[str]:
    rules = topic("compliance")
    found: Sequence[str] = rules.get(regime or "", rules["otherwise"]).get(channel, ())
    return found


def _has_sender(brief: Brief, text: str) -> bool:
    names = (brief.sender.legal_name, brief.sender.company)
    return any(fold_text(name).lower in text for name in names if name)


def _has_address(brief: Brief, text: str) -> bool:
    """Every word of the postal address, in whatever layout."""
    words = _WORD.findall(fold_text(brief.sender.postal_address or "").lower)
    return bool(words) and all(word in text for word in words)


def _has_opt_out(brief: Brief, text: str) -> bool:
    url = brief.sender.unsubscribe_url
    return bool(url and url.lower() in text) or any(word in text for word in topic("compliance")["opt_out"]["words"])


def _has_contact(brief: Brief, text: str) -> bool:
    """One of phone, mail or web of the sender."""
    points = (brief.sender.phone, brief.sender.email, brief.sender.website, brief.sender.unsubscribe_url)
    return any(point.lower() in text for point in points if point)


_PRESENT = {
    "sender": _has_sender,
    "postal address": _has_address,
    "opt-out": _has_opt_out,
    "contact": _has_contact,
}
