"""Dates worth a message although nobody waits: an announced price, an anniversary, first use, a long quiet time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from crmplugin.analysis.cadence import is_held, is_touch
from crmplugin.analysis.rhythm import is_purchase, order_days
from crmplugin.analysis.stages import is_open
from crmplugin.brief.calendar import day_in, seller_zone
from crmplugin.domain.crm import Context, Price

ANNOUNCED_DAYS = 30
OWNED_DAYS = 730
ANNIVERSARY_DAYS = 3
FIRST_USE_DAYS = (15, 35)
QUIET_DAYS = (90, 730)
GOOD_CSAT = 4


def read_event(context: Context, *, now: datetime) -> Mapping[str, Any] | None:
    """A price of something the account buys that changes in the next 30 days: name, product_id, price_id, on.

    Only announced days count: a price that already changed is no news, and one without an earlier price no change.
    """
    today = day_in(seller_zone(context), now)
    bought = _bought_ids(context, now)
    coming = [p for p in context.prices if p.product_id in bought and _is_coming(p, context, today)]
    for price in sorted(coming, key=lambda p: (p.valid_from or today, p.id)):
        if price.valid_from:
            return {
                "name": "price_change",
                "product_id": price.product_id,
                "price_id": price.id,
                "on": price.valid_from.isoformat(),
            }
    return None


def read_relationship(context: Context, *, now: datetime, zone: str) -> Mapping[str, Any] | None:
    """The occasion to stay in touch without an offer: anniversary, first use, or a long quiet time after a good end."""
    today = day_in(zone, now)
    quiet_since = _last_touch_day(context, now, zone)
    for read in (_anniversary, _first_use, _long_quiet):
        if found := read(context, today=today, now=now, zone=zone, quiet_since=quiet_since):
            return found
    return None


def next_anniversary(context: Context, today: date) -> date | None:
    """The account's next day as a customer of whole years, today included."""
    since = context.company.customer_since if context.company else None
    if since is None:
        return None
    this_year = _same_day(since, today.year)
    return this_year if this_year >= today else _same_day(since, today.year + 1)


def _anniversary(
    context: Context, *, today: date, now: datetime, zone: str, quiet_since: date | None
) -> Mapping[str, Any] | None:
    since = context.company.customer_since if context.company else None
    for year in (today.year - 1, today.year, today.year + 1) if since else ():
        day = _same_day(since, year) if since else today
        near = abs((day - today).days) <= ANNIVERSARY_DAYS
        told = quiet_since is not None and quiet_since >= day - timedelta(days=ANNIVERSARY_DAYS)
        if since and near and year > since.year and not told:
            return {"name": "anniversary", "on": day.isoformat(), "years": year - since.year}
    return None


def _first_use(
    context: Context, *, today: date, now: datetime, zone: str, quiet_since: date | None
) -> Mapping[str, Any] | None:
    orders = [o for o in context.orders if o.ordered_at and o.ordered_at <= now and is_purchase(o)]
    if len(orders) != 1 or orders[0].delivered_at is None or orders[0].delivered_at > now:
        return None
    delivered = day_in(zone, orders[0].delivered_at)
    first, last = FIRST_USE_DAYS
    told = quiet_since is not None and quiet_since > delivered
    if told or not first <= (today - delivered).days <= last:
        return None
    return {"name": "first_use", "order_id": orders[0].id, "on": delivered.isoformat()}


def _long_quiet(
    context: Context, *, today: date, now: datetime, zone: str, quiet_since: date | None
) -> Mapping[str, Any] | None:
    """Nothing said or ordered for 90 days after a deal was won or a ticket ended well; never with an open deal."""
    if quiet_since is None or any(is_open(d, now) for d in context.deals):
        return None
    ordered = order_days(context.orders, now=now, zone=zone)
    since = max(quiet_since, *ordered[-1:], quiet_since)
    ended, record = max(_good_ends(context, now), default=(None, None))
    lost = [d.closed_at for d in context.deals if d.status == "lost" and d.closed_at and d.closed_at <= now]
    least, most = QUIET_DAYS
    if ended is None or any(at > ended for at in lost) or not least <= (today - since).days <= most:
        return None
    return {"name": "quiet", "on": since.isoformat(), "after": record, "ended_on": day_in(zone, ended).isoformat()}


def _good_ends(context: Context, now: datetime) -> Iterable[tuple[datetime, str]]:
    for deal in context.deals:
        if deal.status == "won" and deal.closed_at and deal.closed_at <= now:
            yield deal.closed_at, f"deals/{deal.id}"
    for ticket in context.tickets:
        pleased = ticket.confirmed_at is not None or (ticket.csat is not None and ticket.csat >= GOOD_CSAT)
        if pleased and ticket.resolved_at and ticket.resolved_at <= now:
            yield ticket.resolved_at, f"tickets/{ticket.id}"


def _last_touch_day(context: Context, now: datetime, zone: str) -> date | None:
    times = [a.at for a in context.activities if a.at and (is_touch(a, now) or is_held(a, now))]
    return day_in(zone, max(times)) if times else None


def _bought_ids(context: Context, now: datetime) -> frozenset[str]:
    since = now - timedelta(days=OWNED_DAYS)
    recent = [o for o in context.orders if o.ordered_at and since <= o.ordered_at <= now and is_purchase(o)]
    return frozenset(line.product_id for o in recent for line in o.lines if line.product_id)


def _is_coming(price: Price, context: Context, today: date) -> bool:
    own = price.company_id is None or (context.company is not None and price.company_id == context.company.id)
    soon = price.valid_from is not None and today < price.valid_from <= today + timedelta(days=ANNOUNCED_DAYS)
    return own and soon and any(_is_earlier(other, price) for other in context.prices)


def _is_earlier(other: Price, price: Price) -> bool:
    same = (other.product_id, other.currency, other.company_id) == (price.product_id, price.currency, price.company_id)
    before = (other.valid_from or date.min) < (price.valid_from or date.min)
    return same and before and other.unit_price != price.unit_price and other.min_quantity == price.min_quantity


def _same_day(day: date, year: int) -> date:
    """The anniversary of a day; 29 February is kept on 28 February in other years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
