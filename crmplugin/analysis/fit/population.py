"""What all accounts of a connection show together: how long stages last, how products are bought. Pure, one pass."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from sys import intern
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crmplugin.analysis.lookalikes import Groups
from crmplugin.domain.crm import Company, Deal, LineItem, Order, StageChange
from crmplugin.ports import Population

WINDOW_DAYS = 365
"""Products bought together are counted over the year before the newest order."""
MIN_TOGETHER, MIN_TOGETHER_FEW, FEW_ACCOUNTS = 5, 3, 200
"""Support that a pair of products needs to be kept: 5 accounts, 3 where there are fewer than 200 accounts."""
COMPANIONS_KEPT = 100
"""Products kept beside each product: those that most accounts bought with it."""
CLOSED_DEALS_KEPT = 20_000
SECONDS_OF_A_DAY = 86_400
FINAL_STAY = timedelta(days=1)
SLOW_STAY = Decimal("1.5")
HUNDREDTH, TEN_THOUSANDTH = Decimal("0.01"), Decimal("0.0001")

Outcome = Literal["won", "lost"]


def learn(
    *,
    deals: Iterable[Deal],
    stage_changes: Iterable[StageChange],
    line_items: Iterable[LineItem] = (),
    companies: Iterable[Company] = (),
    accounts: Iterable[tuple[str, Sequence[Order]]],
    now: datetime,
) -> Population:
    """The population fit: `accounts` gives the id and the orders of one account after the other, in any order.

    Deals closed and orders made after `now` do not count.
    """
    closed = {deal.id: deal for deal in deals if closed_outcome(deal) is not None and _by(deal.closed_at, now)}
    by_id = {company.id: company for company in companies}
    purchases = _Purchases()
    for account, orders in accounts:
        purchases.add(orders, company=by_id.get(account), now=now)
    stays = _stays_of_closed(closed, stage_changes)
    return Population(
        computed_at=now,
        stage_days={key: tuple(won) for key, (won, _) in stays.items() if won},
        stage_outcomes=_outcomes(stays),
        closed_deals=_closed_rows(closed, line_items, by_id.values()),
        **purchases.learned(),
    )


def closed_outcome(deal: Deal) -> Outcome | None:
    """Whether a deal is won or lost; None while it is open, which a later reopening makes it again."""
    if deal.reopened_at is not None and (deal.closed_at is None or deal.reopened_at >= deal.closed_at):
        return None
    found = deal.status if deal.status is not None else deal.stage_kind
    return found if found in ("won", "lost") else None


def _by(instant: datetime | None, now: datetime) -> bool:
    return instant is None or instant <= now


Stays = Mapping[tuple[str, str], tuple[list[Decimal], list[Decimal]]]
"""(pipeline, stage) -> days that won deals spent there in sum, one number a deal, and days that lost ones did."""


def _stays_of_closed(closed: Mapping[str, Deal], stage_changes: Iterable[StageChange]) -> Stays:
    changes: dict[str, list[StageChange]] = defaultdict(list)
    for change in stage_changes:
        if change.at is not None and (change.deal_id or "") in closed:
            changes[change.deal_id or ""].append(change)
    found: dict[tuple[str, str], tuple[list[Decimal], list[Decimal]]] = defaultdict(lambda: ([], []))
    for deal_id in sorted(changes):
        deal = closed[deal_id]
        for stage, days in days_by_stage(deal, changes[deal_id]).items():
            found[deal.pipeline or "", stage][closed_outcome(deal) == "lost"].append(days)
    return found


def _outcomes(stays: Stays) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """Won, lost, and of each those that stayed longer than 1.5 times the median of the won ones."""
    found = {}
    for key, (won, lost) in stays.items():
        limit = SLOW_STAY * _median(won) if won else None
        slow = [sum(limit is not None and days > limit for days in part) for part in (won, lost)]
        found[key] = (len(won), len(lost), slow[0], slow[1])
    return found


def days_by_stage(deal: Deal, changes: Iterable[StageChange]) -> dict[str, Decimal]:
    """Days that a closed deal spent in each stage since it was created, or reopened for the last time."""
    seconds: Counter[str] = Counter()
    for stage, entered, left in _stays(deal, sorted(changes, key=lambda c: (c.at, c.id))):
        begin = max(entered, deal.reopened_at) if deal.reopened_at else entered
        if left > begin:
            seconds[stage] += int((left - begin).total_seconds())
    return {stage: (Decimal(s) / SECONDS_OF_A_DAY).quantize(HUNDREDTH) for stage, s in seconds.items()}


def _stays(deal: Deal, changes: Sequence[StageChange]) -> Iterator[tuple[str, datetime, datetime]]:
    """Stage, entering and leaving, for every stay that has both."""
    first = changes[0] if changes else None
    if first and first.from_ and first.at and deal.created_at:
        yield first.from_, deal.created_at, first.at
    for entry, leaving in pairwise(changes):
        if entry.to and entry.at and leaving.at:
            yield entry.to, entry.at, leaving.at
    last = changes[-1] if changes else None
    if last and last.to and last.at and deal.closed_at and not _is_final_stage(deal, last):
        yield last.to, last.at, deal.closed_at


def _is_final_stage(deal: Deal, last: StageChange) -> bool:
    # Some CRMs move a closed deal into a stage of its own, others leave it where it was when it was won or lost.
    short = last.at is not None and deal.closed_at is not None and deal.closed_at - last.at < FINAL_STAY
    return deal.stage_kind in ("won", "lost") and last.to == deal.stage and short


def _closed_rows(
    closed: Mapping[str, Deal], line_items: Iterable[LineItem], companies: Iterable[Company]
) -> tuple[Mapping[str, Any], ...]:
    """Closed deals as small rows, oldest first; of very many the newest."""
    products: dict[str, dict[str, None]] = {id_: dict.fromkeys(deal.product_ids) for id_, deal in closed.items()}
    for item in line_items:
        if item.product_id is not None and item.deal_id in products:
            products[item.deal_id][item.product_id] = None
    industries = {company.id: company.industry for company in companies if company.industry is not None}
    newest = sorted(closed.values(), key=_closing)[-CLOSED_DEALS_KEPT:]
    return tuple(_closed_row(deal, products[deal.id], industries) for deal in newest)


def _closing(deal: Deal) -> tuple[float, str]:
    return deal.closed_at.timestamp() if deal.closed_at else 0.0, deal.id


def _closed_row(deal: Deal, product_ids: Iterable[str], industries: Mapping[str, str | None]) -> Mapping[str, Any]:
    return {
        "id": deal.id,
        "company_id": deal.company_id,
        "industry": industries.get(deal.company_id or ""),
        "product_ids": tuple(product_ids),
        "amount": deal.amount,
        "currency": deal.currency,
        "discount_pct": deal.discount_pct,
        "won": closed_outcome(deal) == "won",
        "closed_at": deal.closed_at,
    }


def purchase_days(orders: Iterable[Order], *, now: datetime) -> dict[str, list[date]]:
    """Product id -> the days it was bought, each once, oldest first; returns and orders after `now` left out."""
    found: dict[str, set[date]] = defaultdict(set)
    for order in orders:
        if order.ordered_at is None or order.ordered_at > now:
            continue
        day = order.ordered_at.date()
        for line in order.lines:
            if line.product_id is not None and (line.quantity is None or line.quantity > 0):
                # Interned, for the same few ids come in every order of every account.
                found[intern(line.product_id)].add(day)
    return {product_id: sorted(days) for product_id, days in found.items()}


@dataclass(slots=True)
class _Purchases:
    """Counts over accounts, one account at a time."""

    gaps: dict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(list))
    buyers: Counter[str] = field(default_factory=Counter)
    repeaters: Counter[str] = field(default_factory=Counter)
    baskets: list[tuple[tuple[str, ...], array[int]]] = field(default_factory=list)
    """Of each account its products and, as ordinals, the last day of each: small, for there may be millions."""
    later_lines: int = 0
    repeat_lines: int = 0
    accounts_with_gap: int = 0
    groups: Groups = field(default_factory=Groups)

    def add(self, orders: Sequence[Order], *, company: Company | None, now: datetime) -> None:
        bought = purchase_days(orders, now=now)
        if not bought:
            return
        first = min(days[0] for days in bought.values())
        for product_id, days in bought.items():
            self._add_product(product_id, days)
            self.later_lines += len(days) - (days[0] == first)
            self.repeat_lines += len(days) - 1
        self.accounts_with_gap += any(days[-1] > first for days in bought.values())
        self.groups.add(company, bought)
        self.baskets.append((tuple(bought), array("i", [days[-1].toordinal() for days in bought.values()])))

    def _add_product(self, product_id: str, days: Sequence[date]) -> None:
        self.buyers[product_id] += 1
        if len(days) > 1:
            self.repeaters[product_id] += 1
            self.gaps[product_id].append(Decimal(median([(b - a).days for a, b in pairwise(days)])))

    def learned(self) -> dict[str, Any]:
        """The parts of a Population that orders tell."""
        recent = self._recent_baskets()
        share = Decimal(self.repeat_lines) / self.later_lines if self.later_lines else None
        return {
            "product_gap_days": {id_: (_median(gaps), len(gaps)) for id_, gaps in sorted(self.gaps.items())},
            "product_repeat": {id_: (self.repeaters[id_], n) for id_, n in sorted(self.buyers.items())},
            "repeat_share": None if share is None else share.quantize(TEN_THOUSANDTH),
            "bought_with": _bought_with(recent),
            "bought_by": dict(sorted(Counter(id_ for basket in recent for id_ in basket).items())),
            "accounts": len(recent),
            "account_gap_n": self.accounts_with_gap,
            "bought_alike": self.groups.kept(),
        }

    def _recent_baskets(self) -> list[tuple[str, ...]]:
        """What each account bought within the window that ends with the newest order of all."""
        since = max((max(last) for _, last in self.baskets), default=0) - WINDOW_DAYS
        recent = (tuple(id_ for id_, day in zip(*basket, strict=True) if day > since) for basket in self.baskets)
        return [basket for basket in recent if basket]


def _median(values: Sequence[Decimal]) -> Decimal:
    return Decimal(median(values))


def _bought_with(baskets: Sequence[Sequence[str]]) -> dict[str, dict[str, int]]:
    """Product -> {other product: accounts that bought both}; one product at a time, so that memory stays small."""
    enough = MIN_TOGETHER if len(baskets) >= FEW_ACCOUNTS else MIN_TOGETHER_FEW
    ids = sorted({product_id for basket in baskets for product_id in basket})
    number = {product_id: n for n, product_id in enumerate(ids)}
    numbered = [np.array([number[id_] for id_ in basket], dtype=np.int32) for basket in baskets]
    holders: list[list[int]] = [[] for _ in ids]
    for n, basket in enumerate(numbered):
        for product in basket.tolist():
            holders[product].append(n)
    found = {}
    for product, held_by in enumerate(holders):
        if len(held_by) >= enough:
            counts = np.bincount(np.concatenate([numbered[n] for n in held_by]), minlength=len(ids))
            counts[product] = 0
            found[ids[product]] = _companions(counts, ids, enough)
    return {product_id: others for product_id, others in found.items() if others}


def _companions(counts: NDArray[np.int64], ids: Sequence[str], enough: int) -> dict[str, int]:
    """Those with enough accounts, the most first; products with equally many in the order of their ids."""
    enough_of = np.flatnonzero(counts >= enough)
    best = enough_of[np.argsort(-counts[enough_of], kind="stable")[:COMPANIONS_KEPT]]
    return {ids[n]: count for n, count in zip(best.tolist(), counts[best].tolist(), strict=True)}
