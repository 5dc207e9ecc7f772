"""What nobody tells us, found once a day: deals that went quiet and quotes about to end, each as an event, once.

An occasion's event has an id made of what it is about, so that the next day, another process or a restart adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from crmplugin.analysis.business_days import business_days_between
from crmplugin.domain.crm import Deal, Quote
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.journeys.desk import Desk

IDLE_DAYS = 10
"""Business days without a touch after which a deal is quiet."""
NOTICED_FOR = 5
"""Business days in which a deal that went quiet is still news: an import of old deals is none."""
EXPIRING_DAYS = 5
"""Days before its end at which a quote is about to end."""
AT_MOST = 500
"""Events of one kind in one sweep."""
SWEEP_HOUR = 6


def local_day(now: datetime, zone: str | None) -> date | None:
    """The day whose sweep is due in a zone: today from six o'clock on by the wall clock, None before."""
    local = now.astimezone(ZoneInfo(zone or "UTC"))
    return local.date() if local.hour >= SWEEP_HOUR else None


def find_occasions(desk: Desk, connection: str, day: date) -> int:
    """Takes in the occasions of a day; gives back how many were new."""
    seller = desk.records.seller(connection)
    zone = ZoneInfo(seller.timezone or "UTC")
    idle = islice(_idle(desk, connection, day, zone, seller.country), AT_MOST)
    ending = islice(_expiring(desk, connection, day, zone), AT_MOST)
    found = [*idle, *ending]
    return sum(desk.intake.take(found[n : n + 100]).count(True) for n in range(0, len(found), 100))


def _idle(desk: Desk, connection: str, day: date, zone: ZoneInfo, country: str | None) -> Iterator[Event]:
    touched = desk.related.last_touches(connection)
    for deal in desk.records.iterate(connection, "deals"):
        last = _last_touch(deal, touched)
        if not _is_open(deal) or last is None:
            continue
        quiet = business_days_between(last.astimezone(zone).date(), day, [country])
        if IDLE_DAYS <= quiet < IDLE_DAYS + NOTICED_FOR:
            name = f"idle:{deal.id}:{last.astimezone(zone).date().isoformat()}"
            yield _event(desk, connection, name, "deal.idle", ObjectRef("deal", deal.id))


def _is_open(deal: Deal) -> bool:
    reopened = deal.reopened_at is not None and (deal.closed_at is None or deal.reopened_at > deal.closed_at)
    return deal.status == "open" or reopened or (deal.status is None and deal.closed_at is None)


def _last_touch(deal: Deal, touched: dict[str, datetime]) -> datetime | None:
    moments = (touched.get(deal.id), deal.created_at, deal.reopened_at)
    return max((moment for moment in moments if moment is not None), default=None)


def _expiring(desk: Desk, connection: str, day: date, zone: ZoneInfo) -> Iterator[Event]:
    for quote in desk.records.iterate(connection, "quotes"):
        ends = _end_of(quote, zone)
        if quote.status == "sent" and ends is not None and day <= ends <= day + timedelta(days=EXPIRING_DAYS):
            name = f"expiring:{quote.id}:{ends.isoformat()}"
            yield _event(desk, connection, name, "quote.expiring", ObjectRef("quote", quote.id))


def _end_of(quote: Quote, zone: ZoneInfo) -> date | None:
    """The last day of a quote where it was made, else where the seller is."""
    ends = quote.valid_until
    if isinstance(ends, datetime):
        return ends.astimezone(ZoneInfo(quote.timezone) if quote.timezone else zone).date()
    return ends


def _event(desk: Desk, connection: str, name: str, type_: str, about: ObjectRef) -> Event:
    now = desk.clock()
    return Event(name, connection, type_, now, about, received_at=now)
