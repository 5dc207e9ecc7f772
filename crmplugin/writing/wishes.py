"""What the template writer makes of a rep's wish: a day it has a slot for, a product it has facts about; the rest is
named to the rep, so that no wish is dropped in silence. Length and tone are part of the plan already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crmplugin.analysis.wishes import names_any, read_wish
from crmplugin.domain.brief import SERVICE_KINDS, SERVICE_TYPES, Beat, Brief, Warning
from crmplugin.domain.fact import Fact

TELLS = (("common.lead_time", "lead_time"), ("common.feature", "feature1"), ("pitch.described", "description"))
"""What may be said of a product that somebody wants mentioned: the key, and the field of the product it needs."""


def follow_wish(brief: Brief) -> tuple[Brief, tuple[Warning, ...]]:
    """The brief with what was wished for, and a warning that names the parts that nothing follows."""
    if brief.plan is None or not brief.request.instruction:
        return brief, ()
    wish = read_wish(brief.request.instruction, written_on=brief.as_of.date())
    facts = {fact.id: fact for fact in brief.writable_facts()}
    beats, left = brief.plan.beats, []
    for day, part in wish.days:
        slot = next((f.id for f in facts.values() if f.kind == "slot" and f.value[:10] == day.isoformat()), None)
        if slot is None or not any(_offers_slot(beat, facts) for beat in beats):
            left.append(part)
        else:
            beats = tuple(_with_slot(beat, slot, facts) for beat in beats)
    for part in wish.rest:
        beat = None if _serves(brief) else _about(part, beats, facts)
        if beat is None:
            left.append(part)
        elif beat not in beats:
            beats = _before_ask(beats, beat)
    return replace(brief, plan=replace(brief.plan, beats=beats)), _told(left)


def _offers_slot(beat: Beat, facts: Mapping[str, Fact]) -> bool:
    offered = facts.get(beat.facts.get("slot", ""))
    return offered is not None and offered.kind == "slot"


def _with_slot(beat: Beat, slot: str, facts: Mapping[str, Fact]) -> Beat:
    return replace(beat, facts={**beat.facts, "slot": slot}, must=True) if _offers_slot(beat, facts) else beat


def _serves(brief: Brief) -> bool:
    """Whether nothing may be added that sells: a service text, an internal one, or a sell hold."""
    plan = brief.plan
    assert plan is not None
    served = plan.kind in SERVICE_KINDS or plan.type in SERVICE_TYPES or brief.audience == "internal"
    return served or brief.signals.ticket.hold


def _about(part: str, beats: Sequence[Beat], facts: Mapping[str, Fact]) -> Beat | None:
    """The beat that mentions the product named in a part of a wish: one that is planned, else one its facts allow."""
    products = {f.display: f.id for f in facts.values() if f.kind == "product"}
    name = names_any(part, products)
    if name is None:
        return None
    id_ = products[name]
    planned = next((beat for beat in beats if id_ in beat.facts.values() and beat.role != "subject"), None)
    ways = ((key, field, f"{id_.rpartition('.')[0]}.{field}") for key, field in TELLS)
    known = ((key, {"product": id_, field.rstrip("1"): fact}) for key, field, fact in ways if fact in facts)
    return planned or next((Beat(key, "claim", told, must=True) for key, told in known), None)


def _before_ask(beats: Sequence[Beat], beat: Beat) -> tuple[Beat, ...]:
    at = next((i for i, other in enumerate(beats) if other.role == "ask"), len(beats))
    return (*beats[:at], beat, *beats[at:])


def _told(left: Sequence[str]) -> tuple[Warning, ...]:
    if not left:
        return ()
    words = "; ".join(f"“{part}”" for part in left)
    text = f"Add this to the text yourself, or set a model to write; the template writer has no words for it: {words}"
    return (Warning("wish_not_followed", text),)
