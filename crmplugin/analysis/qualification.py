"""What is known of a deal (sales-craft §4): ten elements, each with its state and evidence, and what to ask next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

State = Literal["confirmed", "partial", "missing", "contradicted"]
Source = Literal["customer", "document", "rep"]
POINTS: Mapping[State, int] = MappingProxyType({"confirmed": 2, "partial": 1, "missing": 0, "contradicted": -1})
FRESH_DAYS = 90
TOP_QUESTIONS = 3

WEIGHTS: Mapping[str, Decimal] = MappingProxyType(
    {
        "pain": Decimal(2),
        "metrics": Decimal(1),
        "economic_buyer": Decimal(2),
        "decision_criteria": Decimal(1),
        "decision_process": Decimal(1),
        "paper_process": Decimal(1),
        "champion": Decimal(1),
        "competition": Decimal(1),
        "budget": Decimal("1.5"),
        "timeline": Decimal("1.5"),
    }
)
"""BANT and MEDDICC merged, in the order they are shown."""

_EARLY = {"pain": Decimal("1.5"), "metrics": Decimal("1.2"), "champion": Decimal("1.2")}
_LATE = {
    "economic_buyer": Decimal("1.5"),
    "decision_process": Decimal("1.3"),
    "paper_process": Decimal("1.5"),
    "timeline": Decimal("1.3"),
    "budget": Decimal("1.2"),
}
RELEVANCE: Mapping[str, Mapping[str, Decimal]] = MappingProxyType(
    {"new": _EARLY, "qualified": _EARLY, "proposal": _LATE, "negotiation": _LATE, "closing": _LATE}
)
"""How much more a question matters in a stage; 1 where nothing is said."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement about an element: who made it, when, what it says. `value` is compared to find contradictions."""

    element: str
    source: Source
    at: datetime | None
    ref: str
    text: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    name: str
    state: State
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Qualification:
    """All ten elements in order; score 0 to 1; the elements to ask about next, most useful first."""

    elements: tuple[Element, ...]
    score: Decimal
    ask: tuple[str, ...] = ()
    counts: Mapping[State, int] = field(default_factory=dict)


def qualify(
    evidence: Iterable[Evidence], *, now: datetime, stage_kind: str | None, not_before: datetime | None = None
) -> Qualification:
    """States, score and questions. `not_before`: a loss of the deal; what was known before it counts as partial."""
    by_element: dict[str, list[Evidence]] = {name: [] for name in WEIGHTS}
    for item in evidence:
        if item.element in by_element:
            by_element[item.element].append(item)
    elements = tuple(Element(name, _state(found, now, not_before), tuple(found)) for name, found in by_element.items())
    counts = {state: sum(e.state == state for e in elements) for state in POINTS}
    return Qualification(elements, _score(elements), _questions(elements, stage_kind), counts)


def _state(found: list[Evidence], now: datetime, not_before: datetime | None) -> State:
    if not found:
        return "missing"
    if len({item.value for item in found if item.value is not None}) > 1:
        return "contradicted"
    return "confirmed" if any(_confirms(item, now, not_before) for item in found) else "partial"


def _confirms(item: Evidence, now: datetime, not_before: datetime | None) -> bool:
    """Stated by the customer or in a document, at most ninety days ago, and after the last loss."""
    if item.source == "rep" or item.at is None or (not_before is not None and item.at < not_before):
        return False
    return now - item.at <= timedelta(days=FRESH_DAYS)


def _score(elements: Iterable[Element]) -> Decimal:
    reached = sum((WEIGHTS[e.name] * max(POINTS[e.state], 0) for e in elements), Decimal(0))
    return reached / (2 * sum(WEIGHTS.values(), Decimal(0)))


def _questions(elements: Iterable[Element], stage_kind: str | None) -> tuple[str, ...]:
    relevance = RELEVANCE.get(stage_kind or "", {})
    worth = {e.name: WEIGHTS[e.name] * (2 - POINTS[e.state]) * relevance.get(e.name, Decimal(1)) for e in elements}
    ranked = sorted((name for name in worth if worth[name] > 0), key=lambda name: -worth[name])
    return tuple(ranked[:TOP_QUESTIONS])
