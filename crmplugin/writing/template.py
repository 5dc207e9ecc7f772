"""The template writer: a brief into words from the sentence bank, without any model.

It says what the plan's beats say and nothing else: a beat whose facts or words are missing is left out, and when that
beat must be said, nothing is written at all. The same brief gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate

from crmplugin.analysis.passages import sentences
from crmplugin.domain.brief import Beat, Brief, Plan, Warning
from crmplugin.domain.draft import PASSING, Report, Sentence, Written
from crmplugin.domain.fact import Fact
from crmplugin.ports import Emit, silent
from crmplugin.writing.bank import choose, fill, freshest, languages, load_bank
from crmplugin.writing.compose import compose, count_sms, plain_marks
from crmplugin.writing.habits import likes_it_short, skeleton_of_variant
from crmplugin.writing.headings import heading
from crmplugin.writing.limits import fits
from crmplugin.writing.tone import closest, sound_of
from crmplugin.writing.wishes import follow_wish

SUBJECT_CHARS = 45
SUBJECT_WORDS = range(2, 7)
NOTE_LINE = "note.line"
DIRECTION = "phone.no_time"
"""What the caller should do; it is read, not said, and states nothing."""
BRIEFER = {"answer.included_count": "answer.included_plain", "answer.included": "answer.included_plain"}
"""Keys for where there is no room, with fewer slots."""
PASSAGE = "passage."
"""Beats that show an approved text as it stands, sentence by sentence."""
PASSAGE_WORDS = 90
RECORDS = {"quote": "quotes", "order": "orders", "ticket": "tickets", "contract": "contracts"}
"""The records that a subject is about, by the last word of its key."""
BULLET = "- "
QUESTIONS = "questions"
"""The section of an internal note that asks; a line there is the question itself."""
COLONS = {"fr": " :"}
"""How a colon is set, where it is not set close."""
AGAIN = "_again"
"""Ending of a key that words a beat about the product that was just named, without naming it once more."""
HELP = Beat("common.help", "close")
"""What a friendly or a long letter may add: it is at their service and states nothing."""
HELPED_CHANNELS = frozenset({"email", "letter"})


@dataclass(frozen=True, slots=True)
class Manner:
    """How beats are worded. master: wordings approved for a campaign, by key. avoid: sentences not to say again."""

    master: Mapping[str, str] = field(default_factory=dict)
    avoid: frozenset[str] = frozenset()
    tersely: bool = False


class TemplateWriter:
    """Words a brief from the bank of its language.

    `master`: wordings by key of the bank that are used instead of the bank's own (the approved words of a campaign).
    """

    kind = "template"

    def __init__(self, master: Mapping[str, str] | None = None) -> None:
        self._master = master or {}

    def write(self, brief: Brief, *, emit: Emit = silent) -> Written:
        """The plan in words. Empty, with a warning that says why, when the bank cannot say what must be said."""
        return _written(brief, Manner(self._master), emit)

    def repair(self, brief: Brief, written: Written, report: Report, *, emit: Emit = silent) -> Written:
        """The plan with another wording for each sentence that was refused; the same text when none was."""
        refused = [c.sentence.text for c in report.sentences if c.sentence.verdict not in PASSING]
        return _written(brief, Manner(self._master, frozenset(map(_plain, refused))), emit) if refused else written


def _written(brief: Brief, manner: Manner, emit: Emit) -> Written:
    if (why := _cannot(brief, manner)) is not None:
        return Written((), "template", warnings=(Warning("no_words", why),))
    brief, told = follow_wish(brief)
    said = _fitting(brief, manner)
    for index, sentence in enumerate(said):
        emit("text", {"text": sentence.text, "role": sentence.role, "index": index, "unchecked": True})
        if sentence.verdict != "rendered":
            emit("line", _line(sentence, index))
    return Written(said, "template", warnings=told)


def _line(sentence: Sentence, index: int) -> dict[str, object]:
    return {"text": sentence.text, "role": sentence.role, "evidence": sentence.evidence, "index": index}


def _plain(text: str) -> str:
    """A sentence as it is compared: the first one of a text may have been given a small letter, French ones have
    spaces that do not break."""
    return text.casefold().replace("\u202f", " ").replace("\u00a0", " ")


def _cannot(brief: Brief, manner: Manner) -> str | None:
    """Why nothing can be written, or None when something can."""
    if brief.plan is None:
        return "Nothing is planned, so nothing is written."
    if brief.language not in languages():
        return f"Set a model to write in {brief.language!r}; the template writer knows {', '.join(languages())}."
    words = _Words(brief, brief.plan, manner)
    lost = [beat.key for beat in brief.plan.beats if beat.must and words.say(beat) is None]
    return f"Add the facts for {', '.join(lost)}; without them there is no message." if lost else None


def _fitting(brief: Brief, manner: Manner) -> tuple[Sentence, ...]:
    """The text within its words and its channel: as planned, else in fewer words, else only what must be said, else
    without the question before its answer."""
    assert brief.plan is not None
    carried = tuple(b for b in brief.plan.beats if b.must or b.role in ("subject", "ask") or b.section)
    core = replace(brief.plan, beats=carried)
    must = replace(core, beats=tuple(b for b in carried if b.must or b.role == "subject" or b.section))
    answers = replace(must, beats=tuple(b for b in must.beats if b.role != "context" or b.section))
    terse = replace(manner, tersely=True)
    said: tuple[Sentence, ...] = ()
    last = ((answers, terse),) if any(b.key.startswith("answer.") for b in answers.beats) else ()
    for plan, in_words in ((brief.plan, manner), (brief.plan, terse), (core, terse), (must, terse), *last):
        said = _within_limit(tuple(_sentences(replace(brief, plan=plan), in_words)), brief)
        if fits(plan.channel, compose(brief, Written(said, "template"))):
            break
    return said


def _sentences(brief: Brief, manner: Manner) -> Iterator[Sentence]:
    assert brief.plan is not None
    words, section = _Words(brief, brief.plan, manner), None
    for beat in _kept(brief, brief.plan):
        text = words.say(beat)
        if text is None:
            continue
        if beat.role != "subject":
            words.hear(text)
        if beat.section and beat.section != section:
            section = beat.section
            yield Sentence(heading(section, brief.language), "context", verdict="rendered")
        evidence = tuple(dict.fromkeys(beat.facts.values()))
        for piece in words.passages(beat) if beat.key.startswith(PASSAGE) else (text,):
            yield Sentence(piece, beat.role, evidence, verdict="rendered" if beat.key == DIRECTION else "supported")
    yield from _questions(brief)


def _questions(brief: Brief) -> Iterator[Sentence]:
    """What an internal note still has to find out, where its own sections do not ask it already."""
    asked = brief.plan is not None and any(beat.section == "questions" for beat in brief.plan.beats)
    if brief.audience == "internal" and brief.missing_questions and not asked:
        yield Sentence(heading("missing_questions", brief.language), "context", verdict="rendered")
        yield from (Sentence(question, "context") for question in brief.missing_questions)


def _is_short_hand(brief: Brief) -> bool:
    """Whether the rep who signs writes clearly less than planned, and no other length was asked for."""
    plan = brief.plan
    return plan is not None and plan.length is None and likes_it_short(brief.style, plan.words[0])


def _kept(brief: Brief, plan: Plan) -> Iterable[Beat]:
    """All beats, for a short text only those that carry it, for a friendly or long one with an offer of help."""
    sound = sound_of(brief)
    if plan.length == "short" or sound.brief or _is_short_hand(brief):
        return [beat for beat in plan.beats if beat.must or beat.role in ("subject", "ask") or beat.section]
    if (plan.length == "long" or sound.helps) and _wants_help(brief, plan):
        return [*plan.beats, HELP]
    if sound.energy > 0:
        return [beat for beat in plan.beats if beat.must or beat.facts or beat.role in ("subject", "ask")]
    return plan.beats


def _wants_help(brief: Brief, plan: Plan) -> bool:
    """Whether an offer of help belongs under this letter and none is planned."""
    offered = any(
        beat.role == "close" or beat.key.split(".")[-1].startswith(("help", "contact")) for beat in plan.beats
    )
    return brief.audience == "customer" and plan.channel in HELPED_CHANNELS and not offered


class _Words:
    """Finds the wording of one beat after another for one brief."""

    def __init__(self, brief: Brief, plan: Plan, manner: Manner) -> None:
        self._brief, self._plan, self._manner = brief, plan, manner
        self._bank = load_bank(brief.language)
        self._facts = {fact.id: fact for fact in brief.writable_facts()}
        names = {fact.display for fact in self._facts.values() if fact.kind == "product"}
        self._names = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))) or r"(?!)")
        self._topic: frozenset[str] = frozenset()

    def hear(self, text: str) -> None:
        """Keeps in mind which products the text named last."""
        self._topic = frozenset(self._names.findall(text)) or self._topic

    def say(self, beat: Beat) -> str | None:
        """The beat in words; None when a fact or a wording is missing."""
        facts = {slot: self._facts[id_] for slot, id_ in beat.facts.items() if id_ in self._facts}
        if len(facts) < len(beat.facts):
            return None
        if beat.key == NOTE_LINE:
            fact = next(iter(facts.values()))
            line = note_line(fact, colon=COLONS.get(self._brief.language, ":"))
            return fact.display if beat.section == QUESTIONS else line
        if beat.key.startswith(PASSAGE):
            return next(iter(self.passages(beat)), None)
        if beat.role == "subject":
            return self._subject(beat, facts)
        key = self._key(beat.key, facts)
        texts = self._texts(key, facts)
        return self._pick(key, texts) if texts else None

    def _key(self, key: str, facts: Mapping[str, Fact]) -> str:
        """The key, or the one that leaves the product out when only this product was named last."""
        key = BRIEFER.get(key, key) if self._manner.tersely else key
        entry, again = self._bank.get(key), key + AGAIN
        if entry is None or again not in self._bank or key in self._manner.master:
            return key
        shown = {facts[slot].display for slot in entry.slots if slot in facts and facts[slot].kind == "product"}
        return again if shown and shown == self._topic else key

    def passages(self, beat: Beat) -> tuple[str, ...]:
        """The sentences of the beat's text, as many as a message has room for."""
        shown = [self._facts[id_].display for id_ in beat.facts.values() if self._facts[id_].kind in ("text", "claim")]
        pieces = [text[a:b] for text in shown[:1] for a, b in sentences(text)]
        lengths = accumulate(len(piece.split()) for piece in pieces)
        return tuple(piece for piece, words in zip(pieces, lengths, strict=True) if words <= PASSAGE_WORDS)

    def _texts(self, key: str, facts: Mapping[str, Fact]) -> tuple[str, ...]:
        entry = self._bank.get(key)
        if entry is None or not set(entry.slots) <= set(facts):
            return ()
        if key in self._manner.master:
            return (fill(self._manner.master[key], facts),)
        variants = self._liked(entry.variants(self._plan.channel, formal=self._plan.formal))
        return tuple(fill(variant, facts) for variant in variants)

    def _liked(self, variants: tuple[str, ...]) -> tuple[str, ...]:
        """The wordings without those that the rep takes out; all of them when the rep takes out all."""
        removed = {_plain(phrase) for phrase in self._brief.style.phrases_removed} if self._brief.style else set()
        return tuple(v for v in variants if _plain(skeleton_of_variant(v)) not in removed) or variants

    def _pick(self, key: str, texts: tuple[str, ...]) -> str:
        """One of the wordings. The bullets of one list share their slot, so that they are worded alike."""
        plan = self._plan
        texts = tuple(text for text in texts if _plain(text) not in self._manner.avoid) or texts
        if self._manner.tersely:
            return min(texts, key=_sms_size)
        texts = closest(texts, sound_of(self._brief), self._brief.language)
        start = choose(
            len(texts),
            subject_id=self._brief.deal_id or self._brief.subject.id,
            type_=plan.type or plan.kind,
            touch=plan.touch,
            slot=key.split(".")[0] if texts[0].startswith(BULLET) else key,
        )
        return freshest(texts, start, self._brief.recent_texts)

    def _subject(self, beat: Beat, facts: Mapping[str, Fact]) -> str | None:
        """A subject within the limits; when no wording fits (a long name), one of the topic with fewer slots. Titles
        of internal notes have no limit."""
        for key in (beat.key, *self._shorter_subjects(beat.key, facts)):
            texts = self._texts(key, facts)
            fitting = tuple(t for t in texts if self._brief.audience == "internal" or fits_a_subject(t))
            if fitting:
                return self._pick(key, fitting)
        return None

    def _shorter_subjects(self, key: str, facts: Mapping[str, Fact]) -> list[str]:
        """Other subjects of the topic that these facts can fill, the fullest first; the plain one last."""
        topic, slots = key.split(".")[0], set(facts)
        named = [e for e in self._bank.values() if e.key.startswith(f"{topic}.subject") and _suits(e.key, facts)]
        others = [e for e in named if set(e.slots) < slots]
        return [entry.key for entry in sorted(others, key=lambda e: (-len(e.slots), e.key)) if entry.key != key]


def _sms_size(text: str) -> tuple[bool, int, int]:
    """How little of a text message a sentence takes: one that needs no wide letters before a shorter one that does."""
    encoding, _, parts = count_sms(plain_marks(text))
    return encoding != "GSM-7", parts, len(text)


def _suits(key: str, facts: Mapping[str, Fact]) -> bool:
    """Whether a subject that names a kind of record (`subject_order`) is about one: a quote is no order."""
    kind = RECORDS.get(key.rpartition("_")[2])
    return kind is None or any(source.object == kind for fact in facts.values() for source in fact.source)


def fits_a_subject(text: str) -> bool:
    """Two to six words and at most 45 characters."""
    return len(text) <= SUBJECT_CHARS and len(text.split()) in SUBJECT_WORDS


def note_line(fact: Fact, *, colon: str = ":") -> str:
    """One line of an internal note: `Label: display`."""
    label = fact.label[:1].upper() + fact.label[1:]
    return f"{label}{colon} {fact.display}"


def _within_limit(said: tuple[Sentence, ...], brief: Brief) -> tuple[Sentence, ...]:
    """Without the last optional sentences when the text is longer than its plan allows."""
    assert brief.plan is not None
    if brief.audience == "internal":
        return said
    must = {frozenset(beat.facts.values()) for beat in brief.plan.beats if beat.must}
    kept = list(said)
    for sentence in reversed(said):
        if count_words(kept) <= brief.plan.words[1]:
            break
        if sentence.role in ("context", "claim", "close") and frozenset(sentence.evidence) not in must:
            kept.remove(sentence)
    return tuple(kept)


def count_words(said: Iterable[Sentence]) -> int:
    """Words of the text itself: neither subject nor greeting, signature and legal parts."""
    return sum(len(s.text.split()) for s in said if s.role in ("context", "claim", "ask", "close"))
