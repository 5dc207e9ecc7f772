"""Judges phrases that need a fact of their own: who said what, praise, promises, offers, validity, comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache

from crmplugin.checking.language import other_language
from crmplugin.checking.lists import LANGUAGES, phrase_book
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.spans import triggers
from crmplugin.checking.stems import overlap, stems_of
from crmplugin.domain.fact import Fact

APPROVED = ("guarantee", "certification", "free", "unlimited", "award", "best", "scarcity", "stock", "better", "social")
_PROMISE = re.compile(
    r"\.(?:promise\d*|item\d+|next_step|next_update_at|lead_time|due|notice_on|starts_at|on|delivered_on|delivery\w*|text)"
    r"(?:\.|$)"
)
_SAID = re.compile(r"\.(?:question\d*|item\d+|promise\d*|next_step\w*|mood)(?:\.|$)")
_VALID = re.compile(r"\.(?:valid_until|ends_on|valid_to|expires_on)$")


def judge_claims(scene: Scene) -> list[Finding]:
    """Findings on all phrases of a sentence that need a fact; what is carried by one is not listed."""
    found = []
    for kind, start, end in scene.triggers:
        rule = _RULES.get(kind)
        reason = rule(scene, kind, start, end) if rule else None
        if reason:
            found.append(Finding(start, end, f"claim:{kind}", "unsupported", reason=reason))
    return found


def _phrase(scene: Scene, start: int, end: int) -> str:
    return f"“{scene.folded.text[start:end].strip()}”"


def _at_hand(scene: Scene) -> list[Fact]:
    ids = {*scene.cited_ids, *scene.used}
    return [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if f.id in ids]


def _is_said(fact: Fact) -> bool:
    """Whether a fact comes from a talk or message with the customer."""
    from_talk = any(s.object in ("activities", "activity", "tickets", "ticket") for s in fact.source)
    stated = fact.basis.type in ("stated_by_customer", "stated_by_rep")
    return fact.kind == "quote_text" or stated or from_talk or _SAID.search(fact.id) is not None


def _attribution(scene: Scene, kind: str, start: int, end: int) -> str | None:
    rest = frozenset(scene.stems - stems_of(scene.folded.lower[start:end], scene.reader.words))
    hand = [f for f in _at_hand(scene) if _is_said(f)]
    if any(_tells(scene, f, rest) for f in hand):
        return None
    stems = scene.shelf.stems
    others = [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if _is_said(f) and f not in hand]
    if kind == "asked" and not rest and (hand or others):
        return None
    for fact in others:
        if overlap(rest, stems[fact.id]) >= (1 if len(rest) < 4 or fact.kind == "quote_text" else 2):
            scene.used.append(fact.id)
            return None
    if kind == "asked" and any(f.kind == "quote_text" for f in others) and len(rest) <= 2:
        return None
    return f"{_phrase(scene, start, end)}: no talk or message with this person says so."


def _tells(scene: Scene, fact: Fact, rest: frozenset[str]) -> bool:
    """Whether a cited fact of a talk is about what the sentence says; across languages words cannot tell."""
    if not rest or overlap(rest, scene.shelf.stems[fact.id]):
        return True
    return fact.kind != "quote_text" and fact.id in scene.used or _foreign_words(fact.value, scene.reader.words)


@lru_cache(maxsize=2048)
def _foreign_words(text: str, language: str) -> bool:
    return other_language(text, language) is not None


def _approved(scene: Scene, kind: str, start: int, end: int) -> str | None:
    """Praise and the like stand only where an approved claim or a product's own words say the same."""
    carrier = _carrier(scene, kind)
    if carrier:
        scene.used.append(carrier.id)
        return None
    if _customers_words(scene, kind) or (scene.is_question and kind in ("better", "stock", "certification")):
        return None
    if kind == "stock" and any(f.id.endswith(".stock") for f in scene.shelf.usable):
        return None
    if kind == "better" and _own_numbers(scene):
        return None
    return f"{_phrase(scene, start, end)}: no approved claim or product text says so."


def _carrier(scene: Scene, kind: str) -> Fact | None:
    """A trusted text that holds a phrase of the same kind, in any language, and is about what the sentence is about."""
    hand = {*scene.cited_ids, *scene.used}
    rows = [f for f in scene.shelf.usable if f.kind in ("claim", "text", "status") and kind in kinds_in(f.value)]
    rows.sort(key=lambda f: f.id not in hand)
    for fact in rows:
        if fact.id in hand or overlap(scene.stems, scene.shelf.stems[fact.id]):
            return fact
    return None


@lru_cache(maxsize=2048)
def kinds_in(text: str) -> frozenset[str]:
    """Kinds of trigger phrases that a fact's words hold, in any of our languages."""
    low = text.lower()
    return frozenset(kind for lang in LANGUAGES for kind, _, _ in triggers(low, lang))


def _customers_words(scene: Scene, kind: str) -> bool:
    """Whether the sentence repeats a question of the customer that holds the phrase."""
    return scene.quotes_customer and any(kind in kinds_in(f.value) for f in scene.shelf.quotes)


def _own_numbers(scene: Scene) -> bool:
    """A comparison is carried by a computed number that the sentence states."""
    return any(f.basis.type in ("computed", "estimated") and f.id in scene.used for f in _at_hand(scene))


def _direction(scene: Scene, kind: str, start: int, end: int) -> str | None:
    if scene.is_question or _customers_words(scene, kind):
        return None
    for fact in _at_hand(scene):
        if kind in kinds_in(f"{fact.label}. {fact.value}"):
            return None
        if fact.basis.type == "computed" and fact.kind in ("percent", "money", "count") and fact.id in scene.used:
            return None if _sign_fits(fact, kind) else _says_other_way(scene, start, end)
    if _carrier(scene, kind):
        return None
    return f"{_phrase(scene, start, end)}: no computed fact says which way it went."


def _sign_fits(fact: Fact, kind: str) -> bool:
    label = kinds_in(fact.label)
    if {"up", "down"} & label:
        return kind in label
    return fact.value.startswith("-") == (kind == "down")


def _says_other_way(scene: Scene, start: int, end: int) -> str:
    return f"{_phrase(scene, start, end)}: the fact goes the other way."


def _urgency(scene: Scene, kind: str, start: int, end: int) -> str | None:
    if any(f.kind in ("date", "datetime", "slot") for f in _at_hand(scene)) or _customers_words(scene, kind):
        return None
    if _carrier(scene, kind):
        return None
    return f"{_phrase(scene, start, end)}: urgency needs a date that a fact states."


def _valid(scene: Scene, kind: str, start: int, end: int) -> str | None:
    """A document is called valid only until its day, and over only after it."""
    if scene.is_question or "whether" in scene.trigger_kinds or _customers_words(scene, kind):
        return None
    days = [_day(f) for f in _documents_meant(scene)]
    known = [d for d in days if d is not None]
    if not known:
        return None if _carrier(scene, kind) else f"{_phrase(scene, start, end)}: no fact says how long it is valid."
    over = [d < scene.reader.send_on for d in known]
    if kind == "valid" and all(over):
        return f"{_phrase(scene, start, end)}: it ended on {max(known).isoformat()}."
    if kind == "expired" and not any(over):
        return f"{_phrase(scene, start, end)}: it runs until {max(known).isoformat()}."
    return None


def _documents_meant(scene: Scene) -> list[Fact]:
    """Dates of validity of the documents that the sentence names or whose date it states; else all of the brief."""
    rows = [f for f in scene.shelf.usable if _VALID.search(f.id)]
    hand = {f.id.split(".")[0] for f in _at_hand(scene)}
    meant = [f for f in rows if f.id in scene.used or f.id.split(".")[0] in hand]
    return meant or rows


def _day(fact: Fact) -> date | None:
    try:
        return date.fromisoformat(fact.value[:10])
    except ValueError:
        return None


def _absence(scene: Scene, kind: str, start: int, end: int) -> str | None:
    if scene.is_question or _carrier(scene, kind) or _customers_words(scene, kind):
        return None
    return f"{_phrase(scene, start, end)}: no fact says so without exception."


def _cause(scene: Scene, kind: str, start: int, end: int) -> str | None:
    if scene.is_question or _carrier(scene, kind) or _customers_words(scene, kind):
        return None
    records = {f.id.split(".")[0] for f in _at_hand(scene)}
    if len(records) >= 2 or len({*scene.cited_ids}) >= 2:
        return None
    return f"{_phrase(scene, start, end)}: both the cause and its effect need a fact."


def _promise(scene: Scene, kind: str, start: int, end: int) -> str | None:
    """A commitment stands only on a recorded promise, step, slot or lead time that the sentence states or is about."""
    hand = [f for f in _at_hand(scene) if is_promise(f)]
    if hand:
        return None
    if kind == "receive" and _carrier_of_words(scene):
        return None
    for fact in scene.shelf.usable:
        if (
            is_promise(fact)
            and fact.kind in ("text", "status")
            and overlap(scene.stems, scene.shelf.stems[fact.id]) >= 2
        ):
            scene.used.append(fact.id)
            return None
    return f"{_phrase(scene, start, end)}: no recorded promise, step or slot carries this commitment."


def is_promise(fact: Fact) -> bool:
    """Whether a fact is something our side has promised, planned or offered as a time."""
    if fact.trust == "untrusted" or fact.kind == "quote_text":
        return False
    if fact.kind == "slot" or fact.id.startswith("SLOT"):
        return True
    if fact.id.endswith(".text"):
        return fact.kind in ("claim", "text") and fact.basis.type == "approved_copy"
    return not fact.id.endswith((".ordered_on", ".sent_on")) and _PROMISE.search(fact.id) is not None


def _carrier_of_words(scene: Scene) -> bool:
    rows = [f for f in scene.shelf.usable if f.kind in ("text", "claim")]
    return any(
        f.id in scene.cited_ids or overlap(scene.stems, scene.shelf.stems[f.id]) >= 2
        for f in rows
        if overlap(scene.stems, scene.shelf.stems[f.id]) or _foreign_words(f.value, scene.reader.words)
    )


def _offer(scene: Scene, kind: str, start: int, end: int) -> str | None:
    for fact in scene.shelf.usable:
        hit = kind in kinds_in(f"{fact.label}. {fact.value}") or "discount" in fact.id or fact.id.startswith("OFFER")
        if hit and (fact.id in scene.used or fact.id in scene.cited_ids or _about(scene, fact)):
            scene.used.append(fact.id)
            return None
    if _repeats_question(scene, kind):
        return None
    return f"{_phrase(scene, start, end)}: no fact grants it."


def _about(scene: Scene, fact: Fact) -> bool:
    return fact.kind in ("claim", "text") and overlap(scene.stems, scene.shelf.stems[fact.id]) >= 2


def _repeats_question(scene: Scene, kind: str) -> bool:
    """Whether the phrase only repeats what the customer asked ("you asked whether a discount is possible")."""
    asked = "asked" in scene.trigger_kinds or "whether" in scene.trigger_kinds
    return asked and _customers_words(scene, kind)


def _concession(scene: Scene, kind: str, start: int, end: int) -> str | None:
    if _carrier(scene, kind) or _repeats_question(scene, kind):
        return None
    if kind == "extend" and ("commit" not in scene.trigger_kinds or scene.is_question):
        return None
    if "whether" in scene.trigger_kinds and any(is_promise(f) for f in _at_hand(scene)):
        return None
    if kind == "concession" and scene.is_question and scene.sentence.role == "ask":
        return None
    return f"{_phrase(scene, start, end)}: no fact grants it."


def _assertion(scene: Scene, kind: str, start: int, end: int) -> str | None:
    """A statement about goods or events needs a fact that shares its words, and says it the same way round."""
    if scene.is_question or scene.quotes_customer and _customers_words(scene, kind):
        return None
    rest = frozenset(scene.stems - stems_of(scene.folded.lower[start:end], scene.reader.words))
    hand = _at_hand(scene)
    for fact in hand:
        if overlap(rest, scene.shelf.stems[fact.id]) or _foreign_words(fact.value, scene.reader.words):
            return _other_way_round(scene, [fact], start, end)
    near = [f for f in scene.shelf.usable if overlap(rest, scene.shelf.stems[f.id]) >= min(2, max(1, len(rest)))]
    if near:
        best = max(near, key=lambda f: overlap(rest, scene.shelf.stems[f.id]))
        scene.used.append(best.id)
        return _other_way_round(scene, [best], start, end)
    return f"{_phrase(scene, start, end)}: no fact says so."


def _other_way_round(scene: Scene, facts: Sequence[Fact], start: int, end: int) -> str | None:
    """Refuses "does not include" where the fact includes, and the reverse."""
    texts = [f for f in facts if f.kind in ("text", "claim") and not _foreign_words(f.value, scene.reader.words)]
    if not texts or "assertion" not in kinds_in(texts[0].value):
        return None
    here = _denies(scene.folded.lower, scene.reader.words)
    there = _denies(texts[0].value.lower(), scene.reader.words)
    return f"{_phrase(scene, start, end)}: the fact says it the other way round." if here != there else None


def _denies(low: str, language: str) -> bool:
    return sum(kind == "negation" for kind, _, _ in phrase_book("claims", language).find(low)) % 2 == 1


Rule = Callable[[Scene, str, int, int], str | None]
_RULES: dict[str, Rule] = {
    **dict.fromkeys(APPROVED, _approved),
    "attribution": _attribution,
    "asked": _attribution,
    "up": _direction,
    "down": _direction,
    "urgency": _urgency,
    "valid": _valid,
    "expired": _valid,
    "absence": _absence,
    "cause": _cause,
    "promise": _promise,
    "receive": _promise,
    "offer": _offer,
    "concession": _concession,
    "extend": _concession,
    "assertion": _assertion,
}


def judge_bare_claim(scene: Scene) -> list[Finding]:
    """A claim sentence that cites facts but shares nothing with any of them is not carried by them."""
    if scene.sentence.role != "claim" or not scene.sentence.evidence or scene.used or scene.is_question:
        return []
    if any(
        overlap(scene.stems, scene.shelf.stems[f.id]) or _foreign_words(f.value, scene.reader.words)
        for f in scene.cited
    ):
        return []
    if not scene.stems or not scene.cited and not _unknown(scene.sentence.evidence, scene):
        return []
    end = len(scene.folded.text)
    return [Finding(0, end, "claim", "unsupported", reason="The facts it cites say something else.")]


def _unknown(ids: Iterable[str], scene: Scene) -> list[str]:
    return [i for i in ids if i not in scene.shelf.by_id]
