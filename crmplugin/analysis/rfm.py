"""RFM classes of accounts (sales-craft §2.6): recency, frequency and money in quintiles, money per currency."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from crmplugin.analysis.rhythm import is_purchase
from crmplugin.domain.crm import Order

MONTHS = 24
NEW_DAYS = 60
QUINTILES, TERTILES, FEW_ACCOUNTS = 5, 3, 50

Class = Literal["champions", "loyal", "promising", "at risk", "lost", "new", "other"]


@dataclass(frozen=True, slots=True)
class Habit:
    """One account's dealings at a day: first and last purchase day, orders and net spend in 24 months."""

    account: str
    first_on: date
    last_on: date
    orders: int
    spend: Mapping[str, Decimal] = field(default_factory=dict)
    """Currency -> net sum; returns reduce it. Orders without a currency or total add nothing."""


@dataclass(frozen=True, slots=True)
class Rfm:
    """Scores from 1 to 5; `money` holds one for each currency the account spent in, never a sum over them."""

    recency: int
    frequency: int
    money: Mapping[str, int]
    label: Class


def read_habit(account: str, orders: Iterable[Order], *, now: datetime) -> Habit | None:
    """What an account's orders up to `now` show; None without a purchase. Days are of `now`'s zone."""
    known = [(o.ordered_at.astimezone(now.tzinfo).date(), o) for o in orders if o.ordered_at and o.ordered_at <= now]
    days = sorted(day for day, order in known if is_purchase(order))
    if not days:
        return None
    since = months_before(now.date(), MONTHS)
    spend: dict[str, Decimal] = {}
    for day, order in known:
        if day > since and order.currency and order.total is not None:
            spend[order.currency] = spend.get(order.currency, Decimal(0)) + order.total
    return Habit(account, days[0], days[-1], sum(day > since for day in days), spend)


def months_before(day: date, months: int) -> date:
    """The same day some months earlier, or the last day of that month."""
    month = day.year * 12 + day.month - 1 - months
    for last in (day.day, 30, 29, 28):
        try:
            return date(month // 12, month % 12 + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def classify(habits: Sequence[Habit], *, today: date) -> dict[str, Rfm]:
    """Account -> scores and class. Quintiles by rank, tertiles below 50 accounts; ties share the better score."""
    parts = QUINTILES if len(habits) >= FEW_ACCOUNTS else TERTILES
    recency = _scores({h.account: Decimal(h.last_on.toordinal()) for h in habits}, parts)
    frequency = _scores({h.account: Decimal(h.orders) for h in habits}, parts)
    money: dict[str, dict[str, int]] = {h.account: {} for h in habits}
    for currency in sorted({c for h in habits for c in h.spend}):
        spent = {h.account: h.spend[currency] for h in habits if currency in h.spend}
        for account, score in _scores(spent, parts).items():
            money[account][currency] = score
    return {
        h.account: Rfm(
            recency[h.account],
            frequency[h.account],
            MappingProxyType(money[h.account]),
            label_of(recency[h.account], frequency[h.account], is_new=(today - h.first_on).days < NEW_DAYS),
        )
        for h in habits
    }


def label_of(recency: int, frequency: int, *, is_new: bool = False) -> Class:
    """The class of two scores; a first order within 60 days comes before all."""
    rules: tuple[tuple[Class, bool], ...] = (
        ("new", is_new),
        ("champions", recency >= 4 and frequency >= 4),
        ("at risk", recency <= 2 and frequency >= 3),
        ("loyal", frequency >= 4),
        ("promising", recency >= 4 and frequency <= 2),
        ("lost", recency == 1 and frequency <= 2),
    )
    return next((label for label, true in rules if true), "other")


def _scores(values: Mapping[str, Decimal], parts: int) -> dict[str, int]:
    """1 to 5 by rank: the share of accounts that are strictly better decides; with tertiles 1, 3 and 5."""
    ordered, step = sorted(-v for v in values.values()), (QUINTILES - 1) // (parts - 1)
    return {
        account: QUINTILES - step * min(parts - 1, bisect_left(ordered, -v) * parts // len(ordered))
        for account, v in values.items()
    }
