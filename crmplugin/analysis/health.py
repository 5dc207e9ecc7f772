"""How a deal stands (sales-craft §4): prior odds of its stage times one likelihood ratio per family of signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from crmplugin.analysis.wilson import shrunk

Family = Literal["engagement", "people", "time", "commercial"]
CLIP_LOW, CLIP_HIGH = Decimal(1) / 3, Decimal(3)
OWN_DATA_FROM = 50
"""Closed deals of their own that a company needs before its ratios replace the defaults."""
PERCENT_FROM = 10
"""Closed deals behind the prior before a percentage is printed; below, deals are only ranked."""


@dataclass(frozen=True, slots=True)
class HealthSignal:
    """A sign with its family and likelihood ratio: above 1 speaks for winning."""

    key: str
    family: Family
    ratio: Decimal


DEFAULTS: Mapping[str, HealthSignal] = MappingProxyType(
    {
        s.key: s
        for s in (
            HealthSignal("no_next_step", "engagement", Decimal("0.6")),
            HealthSignal("many_contacts", "people", Decimal("1.5")),
            HealthSignal("slow_stage", "time", Decimal("0.55")),
            HealthSignal("close_date_moved", "time", Decimal("0.6")),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Health:
    """Probability 0 to 1 (None with too few closed deals), and the signs that count, strongest first."""

    score: Decimal
    probability: Decimal | None
    reasons: tuple[HealthSignal, ...]


def learned_ratio(won_with: int, lost_with: int, won: int, lost: int) -> Decimal:
    """The ratio of a sign from closed deals: how much more often the won ones had it; clipped to [1/3, 3]."""
    ratio = (Decimal(won_with + 1) / (won + 2)) / (Decimal(lost_with + 1) / (lost + 2))
    return min(CLIP_HIGH, max(CLIP_LOW, ratio))


def stage_prior(won: int, lost: int, everywhere: Decimal) -> Decimal:
    """The win rate of deals that stood in a stage, drawn by ten cases towards the rate of all closed deals."""
    return shrunk(won, won + lost, everywhere)


def slow_stage(won: int, lost: int, won_slow: int, lost_slow: int) -> HealthSignal | None:
    """The sign that a stage lasts long: by the closed deals that stood in it once there are fifty, else as assumed.
    None where own deals show that those which stayed long were not lost more often."""
    if won + lost < OWN_DATA_FROM:
        return DEFAULTS["slow_stage"]
    ratio = learned_ratio(won_slow, lost_slow, won, lost)
    return HealthSignal("slow_stage", "time", ratio) if ratio < 1 else None


def health(prior: Decimal, signals: Iterable[HealthSignal], *, n: int) -> Health:
    """Prior win rate of the stage (0 to 1, from n closed deals) and the signs seen; the strongest of each family."""
    strongest: dict[Family, HealthSignal] = {}
    for signal in signals:
        held = strongest.get(signal.family)
        if held is None or _strength(signal) > _strength(held):
            strongest[signal.family] = signal
    reasons = tuple(sorted(strongest.values(), key=lambda s: (-_strength(s), s.key)))
    odds = prior / (1 - prior)
    for reason in reasons:
        odds *= reason.ratio
    score = odds / (1 + odds)
    return Health(score, score if n >= PERCENT_FROM else None, reasons)


def _strength(signal: HealthSignal) -> Decimal:
    return max(signal.ratio, 1 / signal.ratio)
