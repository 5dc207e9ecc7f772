"""Which products to offer an account (sales-craft §2): a repeat list and a new list, never one blended score.

Eligibility comes first and is counted; every pick has its reason, its evidence and the number of cases behind it. This
is the choice from one account's records and the population; rankings over all baskets live in `fit/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from statistics import median
from typing import Literal

from crmplugin.analysis.association import associate
from crmplugin.analysis.replenishment import Purchases, purchases_by_product
from crmplugin.domain.brief import DueItem, Signals
from crmplugin.domain.crm import Context, Product
from crmplugin.ports import Population

SLOTS = 3
PRIOR_LINES = 5
UNKNOWN_REPEAT_SHARE = Decimal("0.5")
"""Share of repeat lines taken where no population is known."""
RANK_OFFSET = 60
LEAST_SIGMA = Decimal("0.5")
MAD_TO_SIGMA = Decimal("1.4826")
FAR_ABOVE = 3
UNKNOWN_DELIVERY = Decimal("0.6")
"""Weight of a product of which neither lead time nor stock is known: we could not say when it comes."""

Reason = Literal["inactive", "not sold in region", "already owned", "out of stock", "open complaint", "returned",
                 "fits nothing they own", "far above their prices"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pick:
    """One product to offer. evidence: record ids; n: cases behind the method; claimable: a customer may hear of it."""

    product_id: str
    list: Literal["repeat", "new"]
    score: Decimal
    reason: str
    evidence: tuple[str, ...]
    method: str
    n: int
    claimable: bool = False


@dataclass(frozen=True, slots=True)
class Picks:
    """Picks of both lists, best first in each; what was left out and why; `fallback` says when no history decided."""

    items: tuple[Pick, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    fallback: str | None = None
    runners_up: tuple[Pick, ...] = ()


@dataclass(frozen=True)
class Account:
    """One account's purchases and catalogue."""

    context: Context
    population: Population
    now: datetime
    zone: str

    @cached_property
    def products(self) -> Mapping[str, Product]:
        return {p.id: p for p in self.context.products}

    @cached_property
    def bought(self) -> Mapping[str, Purchases]:
        today = self.now
        found = purchases_by_product(self.context.orders, zone=self.zone, until=today.date())
        return {p.product_id: p for p in found}

    @cached_property
    def prices(self) -> Sequence[Decimal]:
        """Unit prices the account paid, ascending."""
        lines = [x for o in self.context.orders for x in o.lines if x.unit_price and (x.quantity or 1) > 0]
        return sorted(x.unit_price for x in lines if x.unit_price)

    @cached_property
    def returned(self) -> set[str]:
        """Products given back more than bought lately: the newest line of the product is a return."""
        newest: dict[str, Decimal | None] = {}
        for order in sorted(self.context.orders, key=lambda o: (o.ordered_at or self.now, o.id)):
            newest |= {line.product_id: line.quantity for line in order.lines if line.product_id}
        return {pid for pid, quantity in newest.items() if quantity is not None and quantity < 0}


@dataclass
class _Tally:
    left: Counter[str] = field(default_factory=Counter)

    def keep(self, products: Iterable[Product], account: Account) -> list[Product]:
        kept = []
        for product in products:
            reason = why_not(product, account)
            if reason:
                self.left[reason] += 1
            else:
                kept.append(product)
        return kept


def pick_products(
    context: Context, population: Population, signals: Signals, *, now: datetime, zone: str, top: int = SLOTS
) -> Picks:
    """At most `top` products: the share of repeat purchases decides how many come from each list."""
    account, tally = Account(context, population, now, zone), _Tally()
    allowed = {p.id for p in tally.keep(context.products, account)}
    repeat = [
        _repeat_pick(i) for i in signals.due_items if i.product_id in allowed or i.product_id not in account.products
    ]
    fresh, fallback = _new_picks(account, allowed)
    slots = repeat_slots(account, top)
    from_repeat = repeat[: max(slots, top - len(fresh))]
    from_new = _without_substitutes(fresh, account)[: top - len(from_repeat)]
    rest = [p for p in (*repeat, *fresh) if p not in from_repeat and p not in from_new]
    left = tuple(sorted(tally.left.items()))
    return Picks((*from_repeat, *from_new), left, fallback, tuple(rest[:2]))


def repeat_slots(account: Account, top: int) -> int:
    """How many of the slots the repeat list gets: its shrunk share of the account's lines after the first order."""
    prior = account.population.repeat_share
    prior = UNKNOWN_REPEAT_SHARE if prior is None else prior
    seen: set[str] = set()
    again = total = 0
    dated = sorted((o.ordered_at, o.id, o) for o in account.context.orders if o.ordered_at)
    for number, (_, _, order) in enumerate(dated):
        ids = {line.product_id for line in order.lines if line.product_id and (line.quantity or 1) > 0}
        if number:
            again, total = again + len(ids & seen), total + len(ids)
        seen |= ids
    share = (again + PRIOR_LINES * prior) / (total + PRIOR_LINES)
    return int((top * share).quantize(Decimal(1), ROUND_HALF_UP))


def why_not(product: Product, account: Account) -> Reason | None:
    """Why a product must not be offered to this account; None when it may."""
    checks: tuple[tuple[Reason, bool], ...] = (
        ("inactive", product.active is False),
        ("not sold in region", not _sold_here(product, account)),
        ("already owned", bool(product.durable) and product.id in account.bought),
        ("out of stock", product.stock is not None and product.stock <= 0),
        ("open complaint", _complained(product, account)),
        ("returned", product.id in account.returned),
        ("fits nothing they own", not _fits(product, account)),
        ("far above their prices", _far_above(product, account)),
    )
    return next((reason for reason, true in checks if true), None)


def price_fit(price: Decimal, paid: Sequence[Decimal]) -> Decimal:
    """How near a price is to what the account pays: 1 at its median, falling with the logarithm of the ratio."""
    if not paid or price <= 0:
        return Decimal(1)
    logs = [p.ln() for p in paid]
    centre = median(logs)
    sigma = max(LEAST_SIGMA, MAD_TO_SIGMA * median([abs(x - centre) for x in logs]))
    return (-((price.ln() - centre) ** 2) / (2 * sigma * sigma)).exp()


def fuse(rankings: Iterable[Sequence[str]]) -> dict[str, Decimal]:
    """Reciprocal rank fusion: the sum of 1 / (60 + rank) over the rankings."""
    scores: dict[str, Decimal] = {}
    for ranking in rankings:
        for rank, product_id in enumerate(ranking, start=1):
            scores[product_id] = scores.get(product_id, Decimal(0)) + Decimal(1) / (RANK_OFFSET + rank)
    return scores


def _repeat_pick(item: DueItem) -> Pick:
    reason = f"bought {item.count} times, last on {item.last_on}, {item.days_since} days ago: {item.state}"
    return Pick(item.product_id, "repeat", round(item.rho, 4), reason, item.evidence, item.method, item.count)


def _new_picks(account: Account, allowed: set[str]) -> tuple[list[Pick], str | None]:
    """New products by what goes with what was bought; without purchases, what everybody buys, and that is said."""
    if not account.bought:
        return _popular(account, allowed), "no purchases on record: what most accounts buy, not what this one needs"
    found = {**_fitting_picks(account, allowed), **_associated_picks(account, allowed)}
    by_lift = sorted((p for p in found.values() if p.method == "association"), key=lambda p: (-p.score, p.product_id))
    by_fit = [pid for pid in account.products if pid in found and _complements(account, pid)]
    scores = fuse([[p.product_id for p in by_lift], by_fit])
    picks = [_weighed(found[pid], score, account) for pid, score in scores.items()]
    return sorted(picks, key=lambda p: (-p.score, p.product_id)), None


def _weighed(pick: Pick, score: Decimal, account: Account) -> Pick:
    product = account.products[pick.product_id]
    if product.list_price and product.currency == account.context.seller.currency:
        score *= price_fit(product.list_price, account.prices)
    if not product.lead_time and product.stock is None:
        score *= UNKNOWN_DELIVERY
    return Pick(pick.product_id, "new", score, pick.reason, pick.evidence, pick.method, pick.n, pick.claimable)


def _associated_picks(account: Account, allowed: set[str]) -> dict[str, Pick]:
    """For each new product, the owned one it goes with best."""
    best: dict[str, Pick] = {}
    for owned, purchases in account.bought.items():
        for other in account.population.bought_with.get(owned, {}):
            pair = associate(account.population, owned, other)
            if other in account.bought or other not in allowed or pair is None or not pair.supported or pair.lift <= 1:
                continue
            reason = f"{pair.n_ij} of {pair.n_i} accounts that bought {owned} also bought it"
            evidence = tuple(purchases.order_ids[-3:])
            pick = Pick(other, "new", pair.shrunk_lift, reason, evidence, "association", pair.n_i, pair.claimable)
            if other not in best or best[other].score < pick.score:
                best[other] = pick
    return best


def _fitting_picks(account: Account, allowed: set[str]) -> dict[str, Pick]:
    picks = {}
    for product_id in allowed - set(account.bought):
        owned = _complements(account, product_id)
        if owned:
            orders = tuple(account.bought[owned[0]].order_ids[-3:])
            picks[product_id] = Pick(
                product_id, "new", Decimal(0), f"fits {owned[0]}, which they own", orders, "compatible", len(owned)
            )
    return picks


def _complements(account: Account, product_id: str) -> list[str]:
    """Products the account owns that this one is recorded to fit."""
    product = account.products.get(product_id)
    if product is None:
        return []
    named = set(product.compatible_with)
    named |= {o for o in account.bought if o in account.products and product_id in account.products[o].compatible_with}
    return sorted(named & set(account.bought))


def _popular(account: Account, allowed: set[str]) -> list[Pick]:
    counts = account.population.bought_by
    known = sorted((pid for pid in allowed if counts.get(pid)), key=lambda pid: (-counts[pid], pid))
    total = account.population.accounts
    return [
        Pick(pid, "new", Decimal(counts[pid]) / max(total, 1), f"bought by {counts[pid]} of {total} accounts", (),
             "popularity", total)
        for pid in known
    ]  # fmt: skip


def _without_substitutes(picks: Iterable[Pick], account: Account) -> list[Pick]:
    """Of products that stand for each other, only the best."""
    kept: list[Pick] = []
    for pick in picks:
        others = {s for k in kept for s in account.products[k.product_id].substitutes}
        own = set(account.products[pick.product_id].substitutes)
        if pick.product_id not in others and not own & {k.product_id for k in kept}:
            kept.append(pick)
    return kept


def _sold_here(product: Product, account: Account) -> bool:
    company = account.context.company
    places = {p for p in (company.country, company.region) if p} if company else set()
    return not product.regions or bool(places & set(product.regions))


def _complained(product: Product, account: Account) -> bool:
    return any(t.product_id == product.id and t.status in ("open", "pending") for t in account.context.tickets)


def _fits(product: Product, account: Account) -> bool:
    """An accessory must fit something owned; a durable thing stands on its own, and so does what was bought before."""
    if product.durable or not product.compatible_with or not account.bought or product.id in account.bought:
        return True
    return bool(_complements(account, product.id))


def _far_above(product: Product, account: Account) -> bool:
    paid, price = account.prices, product.list_price
    if not paid or price is None or product.currency != account.context.seller.currency or product.id in account.bought:
        return False
    p90 = paid[min(len(paid) - 1, int(len(paid) * 0.9))]
    return price > FAR_ABOVE * p90
