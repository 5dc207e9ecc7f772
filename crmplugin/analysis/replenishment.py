"""Which repeat items are due (sales-craft §2.2): days since the last purchase against the expected gap or cover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

from crmplugin.domain.brief import DueItem
from crmplugin.domain.crm import Order, Product
from crmplugin.ports import Population

MIN_REPEAT_SHARE = Decimal("0.2")
"""Customers who bought the item again / customers who bought it (Bhagat et al., KDD 2018)."""
MIN_ACCOUNTS = 5
POPULATION_WEIGHT = 2
VARYING_QUANTITY_CV = Decimal("0.3")
CLAIMABLE_GAP_CV = Decimal("0.5")
CLAIMABLE_PURCHASES = 3

State = Literal["early", "due", "overdue", "lapsed"]
_STATES: tuple[tuple[Decimal, State], ...] = ((Decimal("1.25"), "due"), (Decimal("2.5"), "overdue"))
_EARLY_BELOW = Decimal("0.75")
_ORDER: Mapping[str, int] = {"due": 0, "overdue": 1, "lapsed": 2, "early": 3}
_GROUP: Mapping[str, int] = {"due": 0, "overdue": 0, "lapsed": 1, "early": 2}


@dataclass(slots=True)
class Purchases:
    """One account's purchases of one product: quantity by day (None when a line has none) and the orders behind."""

    product_id: str
    by_day: dict[date, Decimal | None] = field(default_factory=dict)
    order_ids: list[str] = field(default_factory=list)

    def add(self, day: date, quantity: Decimal | None, order_id: str) -> None:
        before = self.by_day.get(day, Decimal(0))
        self.by_day[day] = None if quantity is None or before is None else before + quantity
        if self.order_ids[-1:] != [order_id]:
            self.order_ids.append(order_id)

    @property
    def days(self) -> list[date]:
        return sorted(self.by_day)

    @property
    def gaps(self) -> list[int]:
        days = self.days
        return [(later - earlier).days for earlier, later in zip(days, days[1:], strict=False)]

    @property
    def quantities(self) -> list[Decimal] | None:
        """Quantities in order of days; None when one is not recorded."""
        found = [self.by_day[day] for day in self.days]
        known = [q for q in found if q is not None]
        return known if len(known) == len(found) else None


def due_items(
    orders: Iterable[Order], products: Iterable[Product], population: Population, *, now: datetime, zone: str
) -> tuple[DueItem, ...]:
    """Items that are due, overdue or lapsed today; early ones and what was sent back last are left out. `orders` are
    one account's."""
    orders = tuple(orders)
    sent_back = returned_products(orders, now=now)
    found = rhythms(orders, products, population, now=now, zone=zone)
    return tuple(item for item in found if item.state != "early" and item.product_id not in sent_back)


def returned_products(orders: Iterable[Order], *, now: datetime) -> frozenset[str]:
    """Products whose newest line so far is a return."""
    newest: dict[str, Decimal | None] = {}
    for order in sorted(orders, key=lambda o: (o.ordered_at or now, o.id)):
        if order.ordered_at is None or order.ordered_at <= now:
            newest |= {line.product_id: line.quantity for line in order.lines if line.product_id}
    return frozenset(id_ for id_, quantity in newest.items() if quantity is not None and quantity < 0)


def rhythms(
    orders: Iterable[Order], products: Iterable[Product], population: Population, *, now: datetime, zone: str
) -> tuple[DueItem, ...]:
    """Every repeatable item of an account with its state: what is due or overdue, then what has lapsed, then what is
    early; in each what they bought again themselves before what only others do; then by state and count."""
    by_id = {p.id: p for p in products}
    today = now.astimezone(ZoneInfo(zone)).date()
    found = []
    for purchases in purchases_by_product(orders, zone=zone, until=today):
        product = by_id.get(purchases.product_id)
        if _is_repeatable(purchases, product, population):
            gap = population_gap(purchases.product_id, by_id, population)
            if item := _due_item(purchases, gap, today):
                found.append(item)
    return tuple(sorted(found, key=_urgency))


def _urgency(item: DueItem) -> tuple[int, bool, int, int, str]:
    return _GROUP[item.state], item.count < 2, _ORDER[item.state], -item.count, item.product_id


def purchases_by_product(orders: Iterable[Order], *, zone: str, until: date) -> tuple[Purchases, ...]:
    """Purchases by product, lines of one day merged, returns left out, days in `zone`; orders after `until` ignored."""
    found: dict[str, Purchases] = {}
    dated = sorted((o.ordered_at, o.id, o) for o in orders if o.ordered_at)
    for ordered_at, order_id, order in dated:
        day = ordered_at.astimezone(ZoneInfo(zone)).date()
        for line in order.lines if day <= until else ():
            if line.product_id and (line.quantity is None or line.quantity > 0):
                found.setdefault(line.product_id, Purchases(line.product_id)).add(day, line.quantity, order_id)
    return tuple(found.values())


def population_gap(product_id: str, products: Mapping[str, Product], population: Population) -> Decimal | None:
    """The item's median gap over at least five accounts, else its category's, else None."""
    gap, accounts = population.product_gap_days.get(product_id, (None, 0))
    if gap is not None and accounts >= MIN_ACCOUNTS:
        return gap
    category = products[product_id].category if product_id in products else None
    same = [
        population.product_gap_days[p.id]
        for p in products.values()
        if category and p.category == category and p.id in population.product_gap_days
    ]
    if sum(n for _, n in same) < MIN_ACCOUNTS:
        return None
    return Decimal(median([g for g, n in same for _ in range(n)]))


def expected_gap(gaps: Sequence[int], population_median: Decimal | None) -> Decimal | None:
    """(k·own median + 2·population median) / (k + 2); the part that is known when the other is not."""
    if not gaps:
        return population_median
    own = Decimal(median(gaps))
    if population_median is None:
        return own
    return (len(gaps) * own + POPULATION_WEIGHT * population_median) / (len(gaps) + POPULATION_WEIGHT)


def cover_days(purchases: Purchases) -> Decimal | None:
    """Days the last quantity lasts at the rate used before it; None unless quantities vary and are all known."""
    quantities, days = purchases.quantities, purchases.days
    if quantities is None or len(days) < 2 or variation(quantities) <= VARYING_QUANTITY_CV:
        return None
    rate = sum(quantities[:-1], Decimal(0)) / (days[-1] - days[0]).days
    return quantities[-1] / rate if rate > 0 else None


def variation(values: Sequence[Decimal] | Sequence[int]) -> Decimal:
    """Sample standard deviation over mean; 0 for fewer than two values."""
    exact = [Decimal(v) for v in values]
    total = sum(exact, Decimal(0))
    if len(exact) < 2 or not total:
        return Decimal(0)
    centre = total / len(exact)
    spread = sum(((v - centre) ** 2 for v in exact), Decimal(0)) / (len(exact) - 1)
    return spread.sqrt() / centre


def state_of(rho: Decimal) -> State:
    if rho < _EARLY_BELOW:
        return "early"
    return next((state for limit, state in _STATES if rho <= limit), "lapsed")


def _is_repeatable(purchases: Purchases, product: Product | None, population: Population) -> bool:
    if product and (product.durable or product.active is False):
        return False
    again, buyers = population.product_repeat.get(purchases.product_id, (0, 0))
    if not buyers:
        return len(purchases.days) >= 2
    return Decimal(again) / buyers >= MIN_REPEAT_SHARE


def _due_item(purchases: Purchases, population_median: Decimal | None, today: date) -> DueItem | None:
    days, gaps = purchases.days, purchases.gaps
    cover = cover_days(purchases)
    expected = cover or expected_gap(gaps, population_median)
    if not expected:
        return None
    since = (today - days[-1]).days
    rho = since / expected
    return DueItem(
        product_id=purchases.product_id,
        count=len(days),
        first_on=days[0],
        last_on=days[-1],
        days_since=since,
        usual_gap_days=Decimal(median(gaps)) if gaps else expected,
        expected_gap_days=expected,
        rho=rho,
        state=state_of(rho),
        gap_claimable=len(days) >= CLAIMABLE_PURCHASES and variation(gaps) <= CLAIMABLE_GAP_CV,
        method="cover" if cover else "gap",
        evidence=tuple(purchases.order_ids),
    )
