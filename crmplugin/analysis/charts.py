"""The figures behind three charts of a negotiation: discount against outcome, concession ladder, purchase rhythm.

Numbers only; `brief/facts_of/charts.py` puts the finding into words. A chart without enough to show is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

from crmplugin.analysis.negotiation import BandRate, Step, concession_ladder, win_rates
from crmplugin.analysis.negotiation_table import Table
from crmplugin.analysis.rhythm import is_purchase

LEAST_CASES = 3
LEAST_ORDERS = 3

Finding = Literal["more", "fewer", "unclear", "few"]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Closed similar deals by discount band. finding: whether deep discounts went with more or fewer wins."""

    bands: tuple[BandRate, ...]
    finding: Finding


@dataclass(frozen=True, slots=True)
class Ladder:
    """Prices from what is offered now down to the target, and the limit; in one currency."""

    currency: str | None
    start: Step
    steps: tuple[Step, ...]
    limit: Step | None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Orders of the account: day, amount and its currency, oldest first; the median gap and days since the last."""

    orders: tuple[tuple[date, Decimal | None, str | None, str], ...]
    gap_days: int
    days_since: int


def outcomes(t: Table) -> Outcomes | None:
    """None when no similar deal was closed with a discount on record."""
    bands = tuple(rate for rate in win_rates(t.similar) if rate.n)
    return Outcomes(bands, _finding(bands)) if bands else None


def ladder(t: Table) -> Ladder | None:
    """None without room between the offer and the target."""
    n = t.numbers
    if n.list_amount is None:
        return None
    listed, given = n.list_amount.value, max(n.given_pct or Decimal(0), Decimal(0))
    within = n.target_pct if n.limit.pct is None or n.target_pct is None else min(n.target_pct, n.limit.pct)
    steps = concession_ladder(listed, within, current_pct=given)
    limit = Step(n.limit.pct, n.limit_price) if n.limit.pct is not None and n.limit_price is not None else None
    return Ladder(n.currency, Step(given, listed * (1 - given / 100)), steps, limit) if steps else None


def rhythm(t: Table) -> Rhythm | None:
    """None with fewer than three days of orders: one gap is no rhythm."""
    zone = ZoneInfo(t.zone)
    rows = [(o.ordered_at.astimezone(zone).date(), o.total, o.currency, o.id) for o in t.orders
            if o.ordered_at and is_purchase(o)]  # fmt: skip
    days = sorted({row[0] for row in rows})
    if len(days) < LEAST_ORDERS:
        return None
    gap = int(median((later - earlier).days for earlier, later in pairwise(days)))
    return Rhythm(tuple(sorted(rows, key=lambda r: (r[0], r[3]))), gap, (t.now.astimezone(zone).date() - days[-1]).days)


def _finding(bands: tuple[BandRate, ...]) -> Finding:
    """By intervals that do not overlap; everything else is not clear, and below three cases there is nothing to see."""
    low, deep = bands[0], bands[-1]
    if len(bands) < 2 or low.n < LEAST_CASES or deep.n < LEAST_CASES:
        return "few"
    ends = (low.low or Decimal(0), low.high or Decimal(1)), (deep.low or Decimal(0), deep.high or Decimal(1))
    if ends[1][0] > ends[0][1]:
        return "more"
    return "fewer" if ends[1][1] < ends[0][0] else "unclear"
