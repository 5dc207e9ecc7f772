"""Judges who is said to have said what, and when: an interaction on record must tell it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crmplugin.checking.fold import fold_text
from crmplugin.checking.phrase import Phrase, foreign_words, other_way_round
from crmplugin.checking.scene import Scene
from crmplugin.checking.spans import Token
from crmplugin.checking.stems import courtesy_stems, overlap, things_in
from crmplugin.domain.fact import Fact

_PROMISE = re.compile(
    r"\.(?:promise\d*|item\d+|next_step\w*|next_update_at|lead_time|due|notice_on|starts_at|delivery\w*|text)"
    r"(?:\.|$)"
)
_SAID = re.compile(r"\.(?:question\d*|item\d+|promise\d*|next_step\w*|mood)(?:\.|$)")
_BESIDE = 6
"""Characters between a phrase and the day beside it: " on ", " vom "."""
_SENTENCE_BREAK = re.compile(r"[;,:.]")


def _is_said(fact: Fact) -> bool:
    """Whether a fact comes from a talk or message with the customer."""
    from_talk = any(s.object in ("activities", "activity", "tickets", "ticket") for s in fact.source)
    stated = fact.basis.type in ("stated_by_customer", "stated_by_rep")
    return fact.kind == "quote_text" or stated or from_talk or _SAID.search(fact.id) is not None


def attribution(p: Phrase) -> str | None:
    scene = p.scene
    said = [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if _is_said(f)]
    if not said:
        return f"{p.shown}: no talk or message with this person is known."
    if p.kind == "asked" and p.scene.is_question:
        return None
    if "whether" in p.clause.kinds and _is_supposed(p):
        return None
    if any(_stands_quoted(scene, f) and _right_day(p, f) for f in said):
        return None
    rest = p.rest - courtesy_stems(scene.reader.words) - _people_named(scene)
    if p.kind == "asked" and not rest and any(f.kind == "quote_text" or f.trust == "untrusted" for f in said):
        return None if any(_right_day(p, f) for f in said) else f"{p.shown}: that was on another day."
    carrier = _telling(p, _of_that_day(p, said), rest) or _telling(p, said, rest)
    if carrier is None:
        return f"{p.shown}: no talk or message with this person says so."
    if not _right_day(p, carrier):
        return f"{p.shown}: that was on another day."
    p.carry(carrier)
    return other_way_round(p, [carrier])


def _stands_quoted(scene: Scene, fact: Fact) -> bool:
    """Whether the sentence cites a fact of a talk and shows its words in quotation marks; what our side has to do is
    no word of theirs."""
    if fact.id not in scene.sentence.evidence or fact.kind not in ("text", "quote_text"):
        return False
    side = scene.shelf.by_id.get(f"{fact.id}.side")
    if side is not None and side.value == "us":
        return False
    words, low = fold_text(fact.display).lower.strip(" ."), scene.folded.lower
    return bool(words) and any(low[a + 1 : b - 1].strip(" .") == words for a, b in scene.quoted_places)


def _people_named(scene: Scene) -> frozenset[str]:
    """Words of the names that the sentence cites: who answers a question is not what it was about."""
    cited = (scene.shelf.by_id[i] for i in scene.cited_ids if i in scene.shelf.by_id)
    return frozenset().union(*(scene.shelf.stems[f.id] for f in cited if f.kind == "person"))


def _is_supposed(p: Phrase) -> bool:
    """ "Tell me if you wanted something else" supposes; it does not report."""
    places = [(a, b) for kind, a, b in p.scene.triggers if kind == "whether" and p.clause.holds(a)]
    return any(0 <= p.start - b <= _BESIDE for _, b in places)


def _right_day(p: Phrase, carrier: Fact) -> bool:
    """A day right beside the phrase is the day of the talk: "you asked on 6 March"."""
    text = p.scene.folded.text
    for token in p.scene.tokens:
        beside = token.when is not None and (0 <= token.start - p.end <= _BESIDE or 0 <= p.start - token.end <= _BESIDE)
        if (
            beside
            and not _is_due(p.scene, token)
            and not _SENTENCE_BREAK.search(text[min(p.end, token.end) : max(p.start, token.start)])
        ):
            records = {f.id.split(".")[0] for f in _said_on(p.scene, token)}
            dated = any(d.fact.id.split(".")[0] == carrier.id.split(".")[0] for d in p.scene.shelf.dated)
            known = any(start == token.start for start, _ in p.scene.used_at)
            return not known or (carrier.id.split(".")[0] in records if dated else bool(records))
    return True


def _is_due(scene: Scene, token: Token) -> bool:
    """Whether a day is one that we promised, not one of a talk: "your other question by Friday"."""
    return any(is_promise(scene.shelf.by_id[i]) for i in scene.stated_at.get(token.start, ()))


def _of_that_day(p: Phrase, said: Sequence[Fact]) -> list[Fact]:
    """Facts of the talks on the day that the clause names, if it names one that is known."""
    named = [f for t in p.scene.tokens if t.when and p.clause.holds(t.start) for f in _said_on(p.scene, t)]
    records = {f.id.split(".")[0] for f in named}
    return [f for f in said if f.id.split(".")[0] in records]


def _said_on(scene: Scene, token: Token) -> list[Fact]:
    """Facts of talks on the day that a token names."""
    days = token.when.days if token.when else ()
    return [d.fact for d in scene.shelf.dated if d.day in days and _is_said(d.fact)]


def _telling(p: Phrase, said: Sequence[Fact], rest: frozenset[str]) -> Fact | None:
    """The fact of a talk that is about what the clause says; across languages words cannot tell, a citation must."""
    scene, hand = p.scene, {f.id for f in p.stated}
    hand |= {f.id for t in scene.tokens if t.when and p.clause.holds(t.start) for f in _said_on(scene, t)}
    need = 1 if len(rest) < 4 else 2
    if not said:
        return None
    best = max(said, key=lambda f: (_shared(rest, scene, f), f.id in scene.cited_ids))
    if _shared(rest, scene, best) >= need:
        return best
    if not p.clause.stems - p.own and hand & {f.id for f in said}:
        return next(f for f in said if f.id in hand)
    if p.kind == "asked" and not scene.sentence.evidence:
        records = {i.split(".")[0] for i in hand}
        quotes = [f for f in said if f.kind == "quote_text"]
        asked = [f for f in quotes if f.id.split(".")[0] in records or foreign_words(f.value, scene.reader.words)]
        if asked:
            return asked[0]
    if not rest:
        first = sorted(said, key=lambda f: (f.id not in hand, f.id not in scene.cited_ids))[0]
        return first if first.id in hand | scene.cited_ids or p.kind == "asked" else None
    for fact in said:
        if fact.id in scene.cited_ids and (
            foreign_words(fact.value, scene.reader.words) or _is_dated_question(p, fact)
        ):
            return fact
        if fact.id in hand and fact.kind not in ("date", "datetime"):
            return fact
    return None


def _shared(rest: frozenset[str], scene: Scene, fact: Fact) -> int:
    """Words that a clause shares with a fact; across languages the things that both name."""
    stems = scene.shelf.stems[fact.id]
    return max(overlap(rest, stems), len(things_in(rest) & things_in(stems)))


def _is_dated_question(p: Phrase, fact: Fact) -> bool:
    """A cited question, told in other words together with the day it was asked."""
    days = [f for t in p.scene.tokens for f in _said_on(p.scene, t)]
    same = any(f.id.split(".")[0] == fact.id.split(".")[0] for f in days)
    return p.kind == "asked" and fact.kind == "quote_text" and same


def is_promise(fact: Fact) -> bool:
    """Whether a fact is something our side has promised, planned or offered as a time; what they stated is theirs."""
    if fact.trust == "untrusted" or fact.kind == "quote_text" or fact.basis.type == "stated_by_customer":
        return False
    if fact.kind == "slot" or fact.id.startswith("SLOT"):
        return True
    if fact.id.endswith(".text"):
        return fact.kind in ("claim", "text") and fact.basis.type == "approved_copy"
    return _PROMISE.search(fact.id) is not None
