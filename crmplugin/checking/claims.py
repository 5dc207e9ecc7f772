"""Judges phrases that need a fact of their own: praise, promises, offers, validity, comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from crmplugin.checking.lists import table
from crmplugin.checking.phrase import Phrase, foreign_words, kinds_in, other_way_round
from crmplugin.checking.sayings import attribution, is_promise
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.shelf import record_of
from crmplugin.checking.stems import overlap
from crmplugin.domain.fact import Fact

APPROVED = ("guarantee", "certification", "free", "unlimited", "award", "best", "scarcity", "stock", "better", "social")
_PART = re.compile(r"(.*\.(?:item|promise)[0-9]+)(?:\.|$)")
_FEW = 2
"""Words about which a value that a text states may be said in other words: "each panel weighs 21 kg"."""
_TYPED = frozenset({"money", "quantity", "count", "percent", "date", "datetime", "duration"})
_VALID = re.compile(r"\.(?:valid_until|ends_on|valid_to|expires_on)$")


def judge_claims(scene: Scene) -> list[Finding]:
    """Findings on all phrases of a sentence that need a fact; what is carried by one is not listed."""
    found = []
    for kind, start, end in scene.triggers:
        rule = _RULES.get(kind)
        reason = rule(Phrase(scene, kind, start, end, scene.clause_at(start))) if rule else None
        if reason:
            found.append(Finding(start, end, f"claim:{kind}", "unsupported", reason=reason))
    return found


def _approved(p: Phrase) -> str | None:
    """Praise and the like stand only where an approved claim or a product's own words say the same."""
    carrier = _carrier(p)
    if carrier:
        p.carry(carrier)
        return None
    if _customers_words(p) or (p.scene.is_question and p.kind in ("better", "stock", "certification")):
        return None
    if p.kind == "stock" and any(f.id.endswith(".stock") for f in p.scene.shelf.usable):
        return None
    if p.kind == "better" and any(f.basis.type in ("computed", "estimated") for f in p.stated):
        return None
    return f"{p.shown}: no approved claim or product text says so."


def _property(p: Phrase) -> str | None:
    """A property of goods stands only where a trusted text has that very word, or has it in another language."""
    for fact in p.scene.shelf.usable:
        same = (
            overlap(p.own, p.scene.shelf.stems[fact.id]) or p.scene.folded.lower[p.start : p.end] in fact.value.lower()
        )
        foreign = foreign_words(fact.value, p.scene.reader.words) and p.kind in kinds_in(fact.value)
        if fact.kind in ("claim", "text", "status") and (same or (foreign and fact.id in p.scene.cited_ids)):
            p.carry(fact)
            return other_way_round(p, [fact])
    return None if p.scene.is_question or _customers_words(p) else f"{p.shown}: no fact says so."


def _carrier(p: Phrase) -> Fact | None:
    """A trusted text that holds a phrase of the same kind, in any language, and is about what the clause is about."""
    scene = p.scene
    rows = [f for f in scene.shelf.usable if f.kind in ("claim", "text", "status") and p.kind in kinds_in(f.value)]
    for fact in rows:
        if p.shares(fact) or (overlap(p.own, scene.shelf.stems[fact.id]) and not p.bare):
            return fact
        foreign = foreign_words(fact.value, scene.reader.words)
        if fact.id in scene.cited_ids and (foreign or p.clause == scene.clauses[0]):
            return fact
        if fact in p.stated:
            return fact
    return None


def _customers_words(p: Phrase) -> bool:
    """Whether the clause repeats words of the customer that hold the phrase."""
    return p.clause.reported and any(p.kind in kinds_in(f.value) for f in p.scene.shelf.quotes)


def _direction(p: Phrase) -> str | None:
    if p.scene.is_question or _customers_words(p):
        return None
    for fact in p.stated:
        if p.kind in kinds_in(f"{fact.label}. {fact.value}"):
            return None
        if fact.basis.type == "computed" and fact.kind in ("percent", "money") and ".usual" not in fact.id:
            return None if _sign_fits(fact, p.kind) else f"{p.shown}: the fact goes the other way."
    if _carrier(p):
        return None
    return f"{p.shown}: no computed fact says which way it went."


def _sign_fits(fact: Fact, kind: str) -> bool:
    label = kinds_in(fact.label)
    if {"up", "down"} & label:
        return kind in label
    return fact.value.startswith("-") == (kind == "down")


def _urgency(p: Phrase) -> str | None:
    if any(f.kind in ("date", "datetime", "slot") for f in p.stated) or _customers_words(p):
        return None
    if _carrier(p):
        return None
    return f"{p.shown}: urgency needs a date that a fact states."


def _valid(p: Phrase) -> str | None:
    """A document is called valid only until its day, and over only after it."""
    scene = p.scene
    if scene.is_question or "whether" in p.clause.kinds or p.clause.reported:
        return None
    meant = _documents_meant(scene)
    days = [_day(f) for f in meant]
    stated = [f for f in p.stated if f.kind in ("date", "datetime", "slot")]
    if meant and stated and not any(_VALID.search(f.id) for f in stated):
        return f"{p.shown}: the day it ends is {meant[0].display}."
    known = [d for d in days if d is not None]
    if not known:
        return None if _carrier(p) else f"{p.shown}: no fact says how long it is valid."
    over = [d < scene.reader.send_on for d in known]
    if p.kind == "valid" and all(over):
        return f"{p.shown}: it ended on {max(known).isoformat()}."
    if p.kind == "expired" and not any(over):
        return f"{p.shown}: it runs until {max(known).isoformat()}."
    return None


def _documents_meant(scene: Scene) -> list[Fact]:
    """Dates of validity of the documents that the sentence names or whose date it states; else all of the brief."""
    rows = [f for f in scene.shelf.usable if _VALID.search(f.id)]
    ids = {*scene.cited_ids, *scene.used}
    hand = {i.split(".")[0] for i in ids}
    return [f for f in rows if f.id in ids] or [f for f in rows if f.id.split(".")[0] in hand] or rows


def _day(fact: Fact) -> date | None:
    try:
        return date.fromisoformat(fact.value[:10])
    except ValueError:
        return None


def _absence(p: Phrase) -> str | None:
    if p.scene.is_question or _carrier(p) or _customers_words(p):
        return None
    return f"{p.shown}: no fact says so without exception."


def _cause(p: Phrase) -> str | None:
    """A cause needs a fact on its own side, in the clause that it opens."""
    if p.scene.is_question or _carrier(p) or _customers_words(p) or p.stated:
        return None
    cited = [f for f in p.scene.cited if overlap(p.bare, p.scene.shelf.stems[f.id])]
    return None if cited else f"{p.shown}: both the cause and its effect need a fact."


def _promise(p: Phrase) -> str | None:
    """A commitment stands only on a recorded promise, step, slot or lead time that its clause states or is about."""
    if _stands_in_their_words(p):
        return None
    days = [f for f in p.stated if f.kind in ("date", "datetime", "slot")]
    if any(is_promise(f) and _same_matter(p, f) for f in days or p.stated):
        return None
    if p.kind == "receive" and _carrier_of_words(p):
        return None
    for fact in p.scene.shelf.usable:
        if is_promise(fact) and _is_about(p, fact):
            p.carry(fact)
            return None
    return f"{p.shown}: no recorded promise, step or slot carries this commitment."


def _stands_in_their_words(p: Phrase) -> bool:
    """What they said they would do, in their words and quotation marks, commits them and not us."""
    return any(start <= p.start and p.end <= end for start, end in p.scene.their_words)


def _same_matter(p: Phrase, fact: Fact) -> bool:
    """Whether a due date or quantity of a promise belongs to what the clause promises; slots belong to anything."""
    part = _PART.match(fact.id)
    if part is None or fact.id in p.scene.cited_ids:
        return True
    told = [f for f in p.scene.shelf.usable if f.id.startswith(part[1])]
    if any(foreign_words(f.value, p.scene.reader.words) for f in told if f.id in p.scene.cited_ids):
        return True
    return any(overlap(p.bare | p.own, p.scene.shelf.stems[f.id]) for f in told)


def _is_about(p: Phrase, fact: Fact) -> bool:
    """Whether a promise is what the clause says: two shared words, or a citation that only its language keeps apart."""
    cited = fact.id in p.scene.cited_ids
    if fact.kind in ("slot", "date", "datetime"):
        return cited and p.clause == p.scene.clauses[0]
    if cited and foreign_words(fact.value, p.scene.reader.words):
        return True
    shared = overlap(p.bare | p.own, p.scene.shelf.stems[fact.id])
    return shared >= (1 if cited or len(p.bare) < 2 else 2) and overlap(p.bare, p.scene.shelf.stems[fact.id]) > 0


def _carrier_of_words(p: Phrase) -> bool:
    rows = [f for f in p.scene.shelf.usable if f.kind in ("text", "claim")]
    foreign = p.scene.reader.words
    return any(p.shares(f) >= 2 or (f.id in p.scene.cited_ids and (p.shares(f) or foreign_words(f.value, foreign)))
               for f in rows)  # fmt: skip


def _offer(p: Phrase) -> str | None:
    stated = {f.id for f in p.stated}
    for fact in p.scene.shelf.usable:
        grants = (
            p.kind in kinds_in(f"{fact.label}. {fact.value}") or "discount" in fact.id or fact.id.startswith("OFFER")
        )
        words = fact.kind in ("claim", "text") and p.shares(fact) >= (1 if fact.id in p.scene.cited_ids else 2)
        if grants and (fact.id in stated or words):
            p.carry(fact)
            return None
    return None if _repeats_question(p) else f"{p.shown}: no fact grants it."


def _repeats_question(p: Phrase) -> bool:
    """Whether the phrase only repeats what the customer asked ("you asked whether a discount is possible")."""
    return _customers_words(p)


def _concession(p: Phrase) -> str | None:
    if _carrier(p) or _repeats_question(p):
        return None
    if p.kind == "extend" and ("commit" not in p.clause.kinds or p.scene.is_question):
        return None
    if "whether" in p.clause.kinds and any(is_promise(f) for f in _at_hand(p.scene)):
        return None
    if p.kind == "concession" and p.scene.is_question and p.scene.sentence.role == "ask":
        return None
    return f"{p.shown}: no fact grants it."


def _at_hand(scene: Scene) -> list[Fact]:
    ids = {*scene.cited_ids, *scene.used}
    return [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if f.id in ids]


def _assertion(p: Phrase) -> str | None:
    """A statement about goods or events needs a fact that shares its words, and says it the same way round."""
    scene = p.scene
    if scene.is_question or _customers_words(p) or _is_asked(p):
        return None
    wanted = p.bare or (p.own if not p.stated else frozenset())
    if not wanted:
        return other_way_round(p, p.stated)
    near = [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if overlap(wanted, _told(scene, f))]
    near = [f for f in near if f.trust == "trusted" or p.clause.reported]
    if near:
        best = max(
            near, key=lambda f: (overlap(wanted, _told(scene, f)), f.kind in ("text", "claim"), f.id in scene.cited_ids)
        )
        p.carry(best)
        return other_way_round(p, [best])
    if any(foreign_words(f.value, scene.reader.words) for f in scene.cited):
        return None
    typed = [f for f in p.stated if f.kind in _TYPED]
    if typed and (len(wanted) <= 1 or _tells_a_line(typed)):
        return None
    measured = [f for f in p.stated if f.kind in ("text", "claim") and f.trust == "trusted"]
    if measured and len(wanted) <= _FEW:
        return other_way_round(p, measured)
    return f"{p.shown}: no fact says so."


def _tells_a_line(typed: Sequence[Fact]) -> bool:
    """Two values of one document in one clause tell what stands in it, whatever the goods are called there."""
    records = [record_of(f.id).split(".line")[0] for f in typed]
    return any(records.count(r) > 1 for r in records) and any(f.kind in ("quantity", "count", "product") for f in typed)


def _is_asked(p: Phrase) -> bool:
    """ "You asked what the price includes" states a question, not an answer."""
    opening = tuple(w for w in table("clauses", p.scene.reader.words)["asks"])
    text = p.scene.folded.lower[p.clause.start : p.clause.end].lstrip(" ,:\"'")
    asked = "asked" in p.scene.trigger_kinds and p.clause.reported
    return asked and (text.startswith(opening) or any(f" {w}" in text[: p.start - p.clause.start] for w in opening))


def _told(scene: Scene, fact: Fact) -> frozenset[str]:
    return scene.shelf.stems[fact.id]


Rule = Callable[[Phrase], str | None]
_RULES: dict[str, Rule] = {
    **dict.fromkeys(APPROVED, _approved),
    "property": _property,
    "attribution": attribution,
    "asked": attribution,
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
        overlap(scene.stems, scene.shelf.stems[f.id]) or foreign_words(f.value, scene.reader.words) for f in scene.cited
    ):
        return []
    if not scene.stems or not scene.cited and not _unknown(scene.sentence.evidence, scene):
        return []
    end = len(scene.folded.text)
    return [Finding(0, end, "claim", "unsupported", reason="The facts it cites say something else.")]


def _unknown(ids: Iterable[str], scene: Scene) -> list[str]:
    return [i for i in ids if i not in scene.shelf.by_id]
