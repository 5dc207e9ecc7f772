"""How an account's orders are spaced, and how long it has been against that (sales-craft §2.6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from crmplugin.domain.crm import Order

LEAST_ORDER_DAYS = 3
"""With fewer days of orders there are not two gaps, and one gap is no rhythm."""


def order_days(orders: Iterable[Order], *, now: datetime, zone: str) -> tuple[date, ...]:
    """The days of `zone` with a purchase up to `now`, oldest first; orders of returns only are none."""
    bought = (o.ordered_at for o in orders if o.ordered_at and o.ordered_at <= now and is_purchase(o))
    return tuple(sorted({at.astimezone(ZoneInfo(zone)).date() for at in bought}))


def account_rho(orders: Iterable[Order], *, now: datetime, zone: str) -> Decimal | None:
    """Days since the last order / the account's own median gap; None below three days of orders."""
    days = order_days(orders, now=now, zone=zone)
    if len(days) < LEAST_ORDER_DAYS:
        return None
    gap = median(Decimal((later - earlier).days) for earlier, later in pairwise(days))
    return Decimal((now.astimezone(ZoneInfo(zone)).date() - days[-1]).days) / gap


def is_purchase(order: Order) -> bool:
    """Whether something was bought: an order whose lines are all returns is none."""
    return not order.lines or any(line.quantity is None or line.quantity > 0 for line in order.lines)
