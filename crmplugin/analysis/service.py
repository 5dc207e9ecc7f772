"""What the tickets of an account forbid today: the sell hold of sales-craft §5.2, and when it ends.

A hold begins with a severe open ticket and ends some business days after the last of its causes is resolved: three
when the customer confirmed or rated it 4 or better, else ten. An open ticket of lesser weight is a soft hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

from crmplugin.analysis.business_days import Countries, add_business_days
from crmplugin.analysis.phrases import fold, words
from crmplugin.domain.brief import TicketState
from crmplugin.domain.crm import Ticket

MANY_TICKETS = 3
MANY_TICKETS_DAYS = 30
BAD_CSAT = Decimal(2)
GOOD_CSAT = Decimal(4)
BAD_NPS = 6
BAD_RATING_DAYS = 14
CONFIRMED_RELEASE_BD = 3
SILENT_RELEASE_BD = 10
_RANK: Mapping[str | None, int] = MappingProxyType({"P1": 0, "P2": 1, "P3": 2, "P4": 3})
_NPS = re.compile(r"nps\D{0,3}(\d{1,2})")
_SPACES = re.compile(r"[\s_\-/.:]+")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one ticket starts a hold; `until` is set when it ends on a day of its own."""

    ticket: Ticket
    why: str
    until: date | None = None


def ticket_state(tickets: Iterable[Ticket], *, now: datetime, zone: str, countries: Countries = ()) -> TicketState:
    """The hold that the account's tickets start, at `now`; days in `zone`, business days by `countries`.

    Tickets opened later than `now` do not exist yet; one resolved later is still open.
    """
    known = tuple(t for t in tickets if t.opened_at is None or t.opened_at <= now)
    today = now.astimezone(ZoneInfo(zone)).date()
    open_ones = tuple(t for t in known if is_open(t, now))
    ends = tuple(
        _End(c, release_day(c, now=now, zone=zone, countries=countries)) for c in _causes(known, now=now, zone=zone)
    )
    holding = tuple(e for e in ends if e.on is None or e.on > today)
    ids = tuple(t.id for t in open_ones)
    if not holding:
        return TicketState(soft_hold=bool(open_ones), open_ticket_ids=ids)
    worst = min(holding, key=_weight)
    days = [e.on for e in holding if e.on is not None]
    return TicketState(
        hold=True,
        reason=worst.cause.why,
        severe_ticket_id=worst.cause.ticket.id,
        open_ticket_ids=ids,
        release_on=max(days) if len(days) == len(holding) else None,
        release_rule=RELEASE_RULE,
    )


RELEASE_RULE = (
    f"{CONFIRMED_RELEASE_BD} business days after all is resolved and the customer confirmed it or rated it "
    f"{GOOD_CSAT} or better, else {SILENT_RELEASE_BD} business days after it is resolved"
)


def is_open(ticket: Ticket, now: datetime) -> bool:
    """Whether a ticket waits for its solution at `now`; one without status and without a resolving time does."""
    if ticket.status in ("resolved", "closed"):
        return bool(ticket.resolved_at and ticket.resolved_at > now)
    return ticket.status in ("open", "pending") or ticket.resolved_at is None or ticket.resolved_at > now


def release_day(cause: Cause, *, now: datetime, zone: str, countries: Countries = ()) -> date | None:
    """The first day without the hold of this cause; None while its ticket is open."""
    ticket = cause.ticket
    if cause.until is not None:
        return cause.until
    if is_open(ticket, now):
        return None
    resolved = _day(ticket.resolved_at or ticket.confirmed_at or ticket.opened_at or now, zone)
    silent = add_business_days(resolved, SILENT_RELEASE_BD, countries)
    if ticket.confirmed_at and ticket.confirmed_at <= now:
        confirmed = max(resolved, _day(ticket.confirmed_at, zone))
        return min(silent, add_business_days(confirmed, CONFIRMED_RELEASE_BD, countries))
    if ticket.csat is not None and ticket.csat >= GOOD_CSAT:
        return add_business_days(resolved, CONFIRMED_RELEASE_BD, countries)
    return silent


@dataclass(frozen=True, slots=True)
class _End:
    cause: Cause
    on: date | None


def _weight(end: _End) -> tuple[bool, int, float]:
    """Open before resolved, then by priority, then the newest."""
    ticket = end.cause.ticket
    opened = ticket.opened_at.timestamp() if ticket.opened_at else 0.0
    return end.on is not None, _RANK.get(ticket.priority, 4), -opened


def _causes(tickets: tuple[Ticket, ...], *, now: datetime, zone: str) -> Iterable[Cause]:
    for ticket in tickets:
        for why, rule in _RULES:
            if rule(ticket, now):
                yield Cause(ticket, f"ticket {ticket.number or ticket.id}: {why}")
        if rated := _bad_rating(ticket, now=now, zone=zone):
            yield rated
    yield from _too_many(tickets, now=now)


def _bad_rating(ticket: Ticket, *, now: datetime, zone: str) -> Cause | None:
    """A CSAT of 2 or less or an NPS of 6 or less holds for 14 days from the day the ticket was resolved."""
    nps = next((int(m.group(1)) for tag in ticket.tags if (m := _NPS.search(fold(tag)))), None)
    bad = (ticket.csat is not None and ticket.csat <= BAD_CSAT) or (nps is not None and nps <= BAD_NPS)
    rated_at = ticket.resolved_at or ticket.confirmed_at or ticket.opened_at
    if not bad or rated_at is None or rated_at > now:
        return None
    until = _day(rated_at, zone) + timedelta(days=BAD_RATING_DAYS + 1)
    return Cause(ticket, f"ticket {ticket.number or ticket.id}: the customer rated it badly", until)


def _too_many(tickets: tuple[Ticket, ...], *, now: datetime) -> Iterable[Cause]:
    """Three tickets in 30 days of which one is open: the open ones are the cause."""
    since = now - timedelta(days=MANY_TICKETS_DAYS)
    recent = [t for t in tickets if t.opened_at and t.opened_at >= since]
    if len(recent) >= MANY_TICKETS:
        why = f"{len(recent)} tickets in {MANY_TICKETS_DAYS} days"
        yield from (Cause(t, f"ticket {t.number or t.id}: {why}") for t in recent if is_open(t, now))


def _has(kind: str) -> Callable[[Ticket, datetime], bool]:
    def rule(ticket: Ticket, now: datetime) -> bool:
        return any(_plain(tag) in _tags(kind) for tag in ticket.tags)

    return rule


def _tags(kind: str) -> frozenset[str]:
    return frozenset(_plain(word) for word in words("ticket_tags", kind))


def _plain(tag: str) -> str:
    return _SPACES.sub(" ", fold(tag)).strip()


def _day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


_RULES: tuple[tuple[str, Callable[[Ticket, datetime], bool]], ...] = (
    ("priority P1", lambda t, now: t.priority == "P1"),
    ("priority P2", lambda t, now: t.priority == "P2"),
    ("a severe problem", _has("severe")),
    ("its agreed time is breached", lambda t, now: t.sla_breached is True),
    ("escalated", _has("escalated")),
    ("a refund, return or dispute", _has("disputed")),
)
"""What makes a ticket start a hold: the reason in words, and the rule."""
