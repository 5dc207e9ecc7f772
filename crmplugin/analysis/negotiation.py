"""The arithmetic of a negotiation (sales-craft §3.2, §3.3). Internal, all of it. Percentages are 0 to 100.

Absent is unknown: a function that lacks an input gives None, never a made-up point. No currency meets another here;
callers hand in amounts of one currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import mean, median
from typing import Any, Literal

from crmplugin.analysis.beta import beta_beats, beta_quantile
from crmplugin.analysis.pricing import HUNDRED
from crmplugin.analysis.wilson import SHRINK_M, shrunk, wilson
from crmplugin.domain.crm import Order, Policy

Confidence = Literal["high", "medium", "low", "cases"]
BANDS: tuple[tuple[Decimal, Decimal | None], ...] = (
    (Decimal(0), Decimal(10)),
    (Decimal(10), Decimal(20)),
    (Decimal(20), None),
)
"""Discount bands in percent: from (0 in, else out), to (in); the last is open."""
WEIGHTS = (Decimal(4), Decimal(2), Decimal(1))
TENTH = Decimal("0.1")
SIMILAR_LOW, SIMILAR_HIGH = Decimal("0.5"), Decimal(2)
SIMILAR_DAYS = 730
INDUSTRY_NEEDED = 12
PRICE_CASES = 3
USUAL_RATE = Decimal("0.45")
"""The win rate that is assumed of a seller with few closed deals (sales-craft §3.2)."""
PACKAGE_SPREAD, MOST_PACKAGES = Decimal("0.02"), 3


def confidence(n: int) -> Confidence:
    """How much n cases carry; under three they are cases, not a rate: list them, print no percentage."""
    if n >= 30:
        return "high"
    if n >= 10:
        return "medium"
    return "low" if n >= 3 else "cases"


def floor_price(cost: Decimal | None, floor_margin_pct: Decimal | None) -> Decimal | None:
    """The lowest price that keeps the floor margin: cost / (1 − margin). Unknown cost: unknown floor."""
    if cost is None or floor_margin_pct is None or floor_margin_pct >= HUNDRED:
        return None
    return cost / (1 - floor_margin_pct / HUNDRED)


def discount_of(list_amount: Decimal, price: Decimal) -> Decimal:
    """The discount in percent that brings a list amount to a price."""
    return (list_amount - price) / list_amount * HUNDRED


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest discount that may be given: the strictest of the parts that are known. None is unknown."""

    pct: Decimal | None
    band_pct: Decimal | None
    floor_pct: Decimal | None

    @property
    def by(self) -> Literal["band", "floor"] | None:
        if self.pct is None:
            return None
        return "floor" if self.floor_pct is not None and self.pct == self.floor_pct else "band"


def limit_for(policy: Policy | None, role: str | None, *, list_amount: Decimal | None, cost: Decimal | None) -> Limit:
    """The limit of a role: its band, capped by the floor margin. A role without a band falls under the smallest."""
    band = band_for(policy, role)
    floor = floor_price(cost, policy.floor_margin_pct if policy else None)
    floor_pct = max(Decimal(0), discount_of(list_amount, floor)) if floor is not None and list_amount else None
    known = [p for p in (band, floor_pct) if p is not None]
    return Limit(min(known) if known else None, band, floor_pct)


def band_for(policy: Policy | None, role: str | None) -> Decimal | None:
    bands = {b.role: b.max_pct for b in (policy.bands if policy else ()) if b.max_pct is not None}
    if role in bands:
        return bands[role]
    return min(bands.values()) if bands else None


def stacked(discounts: Iterable[Decimal | None]) -> Decimal:
    """Several discounts one after the other, as one percentage."""
    keep = Decimal(1)
    for pct in discounts:
        keep *= 1 - (pct or Decimal(0)) / HUNDRED
    return (1 - keep) * HUNDRED


def walk_away(floor: Decimal | None, our_alternative: Decimal = Decimal(0)) -> Decimal | None:
    """The price below which no deal is better: the floor or the value of our alternative, whichever is higher."""
    return None if floor is None else max(floor, our_alternative)


def zopa(walk_away_price: Decimal | None, ceiling: Decimal | None) -> tuple[Decimal, Decimal] | None:
    """The range in which both gain; None when an end is unknown or there is none."""
    if walk_away_price is None or ceiling is None or ceiling < walk_away_price:
        return None
    return walk_away_price, ceiling


def break_even_on_revenue(win_rate: Decimal, discount_pct: Decimal) -> Decimal:
    """The win rate a discount must reach to bring the same revenue: w / (1 − d)."""
    return win_rate / (1 - discount_pct / HUNDRED)


def break_even_on_margin(list_amount: Decimal, cost: Decimal, discount_pct: Decimal) -> Decimal | None:
    """By what factor the win rate must rise to bring the same margin; None when no margin is left."""
    left = list_amount * (1 - discount_pct / HUNDRED) - cost
    return (list_amount - cost) / left if left > 0 else None


@dataclass(frozen=True, slots=True)
class BandRate:
    """Wins among closed deals of one discount band; `low` and `high` the 95 % interval of the rate, 0 to 1."""

    from_pct: Decimal
    to_pct: Decimal | None
    k: int
    n: int
    rate: Decimal | None
    low: Decimal | None
    high: Decimal | None
    shrunk: Decimal
    confidence: Confidence


def win_rates(deals: Iterable[Mapping[str, Any]]) -> tuple[BandRate, ...]:
    """Win rate by discount band with Wilson interval, drawn towards `pooled_rate` by ten cases; empty without deals.

    Rows need `discount_pct` and `won`; rows without a discount on record are left out.
    """
    known = [(_decimal(d.get("discount_pct")), bool(d["won"])) for d in deals]
    cases = [(pct, won) for pct, won in known if pct is not None]
    if not cases:
        return ()
    pooled = pooled_rate(sum(won for _, won in cases), len(cases))
    return tuple(_band_rate(cases, low, high, pooled) for low, high in BANDS)


def pooled_rate(k: int, n: int) -> Decimal:
    """The win rate of all bands together; fewer than thirty cases are themselves drawn towards what is usual, so that
    three won of three are not called certain."""
    return Decimal(k) / n if confidence(n) == "high" else shrunk(k, n, USUAL_RATE)


def chance_of_beating(first: BandRate, second: BandRate, pooled: Decimal) -> Decimal:
    """P(first rate > second rate) under Beta posteriors with the pooled rate as prior of ten cases."""
    return Decimal(str(round(beta_beats(_posterior(first, pooled), _posterior(second, pooled)), 4)))


def small_sample(k: int, n: int, prior: Decimal, *, m: int = SHRINK_M) -> tuple[Decimal, Decimal, Decimal]:
    """Posterior mean of k out of n and its 90 % credible interval, for a prior rate worth m cases."""
    a, b = float(k + m * prior), float(n - k + m * (1 - prior))
    ends = (Decimal(str(round(beta_quantile(p, a, b), 6))) for p in (0.05, 0.95))
    return (shrunk(k, n, prior, m=m), *ends)  # type: ignore[return-value]


def similar_deals(
    deals: Iterable[Mapping[str, Any]], *, product_ids: Iterable[str], amount: Decimal | None, currency: str | None,
    industry: str | None, deal_id: str | None, now: datetime,
) -> tuple[Mapping[str, Any], ...]:  # fmt: skip
    """Closed deals with a common product, half to twice the amount, of two years; same industry if twelve remain."""
    wanted = set(product_ids)
    near = [d for d in deals if d.get("id") != deal_id and _is_similar(d, wanted, amount, currency, now)]
    same = [d for d in near if industry and d.get("industry") == industry]
    return tuple(same if len(same) >= INDUSTRY_NEEDED else near)


def closed_with_products(
    deals: Iterable[Mapping[str, Any]], *, product_ids: Iterable[str], deal_id: str | None, now: datetime
) -> tuple[Mapping[str, Any], ...]:
    """Closed deals of two years about exactly these products, whatever their amount: a lost deal often has none."""
    wanted = set(product_ids)
    return tuple(
        d for d in deals
        if wanted and set(d.get("product_ids") or ()) == wanted and d.get("id") != deal_id and _is_recent(d, now)
    )  # fmt: skip


def payment_delay(orders: Iterable[Order]) -> tuple[Decimal, int] | None:
    """Mean days between due day and payment (late is positive), and of how many orders."""
    delays = [Decimal((o.paid_at - o.due_at).days) for o in orders if o.paid_at and o.due_at]
    return (mean(delays), len(delays)) if delays else None


def trend(values: Sequence[Decimal]) -> Literal["rising", "falling", "level"] | None:
    """Whether values in time order went up or down: newest half against oldest half; None under three."""
    if len(values) < PRICE_CASES:
        return None
    half = len(values) // 2
    old, new = median(values[:half]), median(values[-half:])
    return "level" if new == old else ("rising" if new > old else "falling")


def price_by_volume(
    purchases: Iterable[tuple[Decimal, Decimal]], breaks: Sequence[Decimal]
) -> tuple[tuple[Decimal, Decimal, int], ...]:
    """Median net unit price by quantity band: (from quantity, median, n), only bands with three or more.

    purchases: (quantity, net unit price) of one item in one currency; breaks: where bands begin, ascending.
    """
    found: dict[Decimal, list[Decimal]] = {}
    for quantity, price in purchases:
        start = max((b for b in breaks if b <= quantity), default=None)
        if start is not None:
            found.setdefault(start, []).append(price)
    return tuple((b, median(p), len(p)) for b, p in sorted(found.items()) if len(p) >= PRICE_CASES)


@dataclass(frozen=True, slots=True)
class Step:
    """One concession: the discount reached in percent of list, and the price it gives."""

    discount_pct: Decimal
    price: Decimal


def concession_ladder(
    list_amount: Decimal | None, target_pct: Decimal | None, *, current_pct: Decimal = Decimal(0)
) -> tuple[Step, ...]:
    """Three shrinking steps (4/7, 2/7, 1/7 of the room) from the discount given so far to the target, in tenths of a
    point; the last step ends exactly on the target. No room, no steps."""
    if list_amount is None or target_pct is None or target_pct <= current_pct:
        return ()
    room, given, steps = target_pct - current_pct, current_pct, list[Step]()
    for index, weight in enumerate(WEIGHTS):
        last = index == len(WEIGHTS) - 1
        size = (room * weight / sum(WEIGHTS)).quantize(TENTH, ROUND_HALF_UP)
        given = target_pct if last else min(target_pct, given + size)
        steps.append(Step(given, list_amount * (1 - given / HUNDRED)))
    return tuple(dict.fromkeys(steps))


@dataclass(frozen=True, slots=True)
class Package:
    """One of several offers that are worth the same to us. get: what they give for the lower price, None for the plain
    one; worth: what that is worth to us."""

    price: Decimal
    get: str | None
    worth: Decimal


def equal_packages(
    price: Decimal, trades: Iterable[tuple[str, Decimal]], *, least: Decimal | None
) -> tuple[Package, ...]:
    """The plain price, and at most two with a trade and a price lower by its worth: each within 2 % of the first for
    us, and none below `least`. Fewer than two are no choice, and then there is none."""
    found = [Package(price, None, Decimal(0))]
    for text, worth in sorted(trades, key=lambda row: (-row[1], row[0])):
        lower = (price - worth).quantize(Decimal(1), ROUND_HALF_UP)
        within = abs(lower + worth - price) <= price * PACKAGE_SPREAD
        if worth > 0 and within and (least is None or lower >= least):
            found.append(Package(lower, text, worth))
    return tuple(found[:MOST_PACKAGES]) if len(found) > 1 else ()


def earlier_payment_value(price: Decimal, capital_cost_pct: Decimal | None, days: Decimal) -> Decimal | None:
    """What payment `days` earlier is worth to us."""
    return None if capital_cost_pct is None else price * capital_cost_pct / HUNDRED * days / 365


def second_year_value(
    yearly_margin: Decimal, base_renewal_pct: Decimal | None, capital_cost_pct: Decimal | None
) -> Decimal | None:
    """What a two-year term adds: a year's margin we would not have had anyway, a year from now."""
    if base_renewal_pct is None or capital_cost_pct is None:
        return None
    return yearly_margin * (1 - base_renewal_pct / HUNDRED) / (1 + capital_cost_pct / HUNDRED)


def _band_rate(cases: Sequence[tuple[Decimal, bool]], low: Decimal, high: Decimal | None, pooled: Decimal) -> BandRate:
    inside = [won for pct, won in cases if _in_band(pct, low, high)]
    k, n = sum(inside), len(inside)
    bounds = wilson(k, n) if n else (None, None)
    rate = Decimal(k) / n if n else None
    return BandRate(low, high, k, n, rate, bounds[0], bounds[1], shrunk(k, n, pooled), confidence(n))


def _in_band(pct: Decimal, low: Decimal, high: Decimal | None) -> bool:
    above = pct >= low if low == 0 else pct > low
    return above and (high is None or pct <= high)


def _posterior(band: BandRate, pooled: Decimal) -> tuple[float, float]:
    return float(band.k + SHRINK_M * pooled), float(band.n - band.k + SHRINK_M * (1 - pooled))


def _is_similar(
    deal: Mapping[str, Any], product_ids: set[str], amount: Decimal | None, currency: str | None, now: datetime
) -> bool:
    value = _decimal(deal.get("amount"))
    if product_ids and not product_ids & set(deal.get("product_ids") or ()):
        return False
    if not _is_recent(deal, now):
        return False
    if amount is None or value is None or deal.get("currency") != currency:
        return False
    return SIMILAR_LOW * amount <= value <= SIMILAR_HIGH * amount


def _is_recent(deal: Mapping[str, Any], now: datetime) -> bool:
    """Whether it was closed in the last two years; what has no day counts."""
    closed = deal.get("closed_at")
    return not isinstance(closed, datetime) or timedelta(0) <= now - closed <= timedelta(days=SIMILAR_DAYS)


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
