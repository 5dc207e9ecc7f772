"""When an offer would come at the wrong time although nothing forbids it: an open issue, first weeks, money trouble."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crmplugin.analysis.objections import find_money_problem
from crmplugin.analysis.passages import own_text
from crmplugin.analysis.phrases import book, tokens
from crmplugin.analysis.rhythm import is_purchase
from crmplugin.brief.calendar import add_business_days, both_sides, day_in
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Activity, Context

FIRST_WEEKS_DAYS = 21
"""Days after the first delivery in which a new customer gets no further offer."""
DELIVERY_DAYS = 60
"""An order without a delivery date is taken to be on its way for this long."""
MONEY_DAYS = 90
"""How long a stated money problem keeps offers away."""
ISSUE_BD = 3
_SAID_IN = frozenset({"email", "chat", "form", "sms", "social", "letter", "call", "meeting", "visit", "note"})


@dataclass(frozen=True, slots=True)
class Wait:
    """Why an offer waits, and the first day it may come. `code` is open_issue, first_weeks or money_problem."""

    code: str
    reason: str
    until: date
    evidence: str


def right_moment(context: Context, signals: Signals, *, now: datetime, zone: str) -> Wait | None:
    """The rule that tells an offer to wait longest; None when the moment is right."""
    waits = [
        _open_issue(context, signals, now, zone),
        _first_weeks(context, now, zone),
        _first_win(context, now, zone),
        _money(context, now, zone),
    ]
    return max((w for w in waits if w), key=lambda w: w.until, default=None)


def _open_issue(context: Context, signals: Signals, now: datetime, zone: str) -> Wait | None:
    """Any open ticket; the earliest day is when it could end: three business days from today."""
    ids = signals.ticket.open_ticket_ids
    if not ids:
        return None
    until = add_business_days(day_in(zone, now), ISSUE_BD, both_sides(context, None))
    return Wait("open_issue", f"ticket {ids[0]} is open: no offer before it is solved", until, ids[0])


def _first_weeks(context: Context, now: datetime, zone: str) -> Wait | None:
    """The account's first order is on its way or was delivered less than three weeks ago."""
    orders = [o for o in context.orders if o.ordered_at and o.ordered_at <= now and is_purchase(o)]
    orders.sort(key=lambda o: o.ordered_at or now)
    if not orders or orders[0].ordered_at is None or any(_delivered(o.delivered_at, now) for o in orders[1:]):
        return None
    first, today = orders[0], day_in(zone, now)
    if first.delivered_at and _delivered(first.delivered_at, now):
        until = day_in(zone, first.delivered_at) + timedelta(days=FIRST_WEEKS_DAYS)
        reason = f"order {first.number or first.id} is the first one and was delivered lately"
    elif len(orders) > 1 or (today - day_in(zone, first.ordered_at or now)).days > DELIVERY_DAYS:
        return None
    else:
        expected = max(today, day_in(zone, first.delivered_at) if first.delivered_at else today)
        until = expected + timedelta(days=FIRST_WEEKS_DAYS)
        reason = f"order {first.number or first.id} is the first one and not delivered yet"
    return Wait("first_weeks", reason, until, first.id) if until > today else None


def _first_win(context: Context, now: datetime, zone: str) -> Wait | None:
    """The account's first deal was won less than three weeks ago, and no order of it is on record yet."""
    won = [d for d in context.deals if d.status == "won" and d.closed_at and d.closed_at <= now]
    first = min(won, key=lambda d: d.closed_at or now, default=None)
    if context.orders or first is None or first.closed_at is None:
        return None
    until = day_in(zone, first.closed_at) + timedelta(days=FIRST_WEEKS_DAYS)
    if until <= day_in(zone, now):
        return None
    return Wait("first_weeks", f"deal {first.id} is the first one and was won lately", until, first.id)


def _money(context: Context, now: datetime, zone: str) -> Wait | None:
    """Somebody of the account, or a note about it, said in the last 90 days that there is no money."""
    since = now - timedelta(days=MONEY_DAYS)
    said = [a for a in context.activities if a.at and since <= a.at <= now and _speaks_of_money(a)]
    last = max(said, key=lambda a: a.at or now, default=None)
    if last is None or last.at is None:
        return None
    until = day_in(zone, last.at) + timedelta(days=MONEY_DAYS)
    return Wait("money_problem", f"{last.id} tells of a money problem", until, last.id)


def _speaks_of_money(activity: Activity) -> bool:
    if activity.direction == "outbound" or activity.type not in _SAID_IN or activity.automatic:
        return False
    text = activity.body or ""
    return bool(find_money_problem(text) or book("money_problem", "problem").find(tokens(own_text(text))))


def _delivered(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
