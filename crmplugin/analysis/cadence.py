"""Touches and their rhythm: which activities are a person writing or speaking, who is awaited, when we may write again.

A touch is a message or call of a person. Auto-replies, bounces, bulk sends, system logs and read receipts are none;
notes and tasks are none; a held meeting is neither side's touch but ends a silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from crmplugin.analysis.business_days import Countries, add_business_days, business_days_between
from crmplugin.analysis.phrases import fold, gather
from crmplugin.domain.crm import Activity

TOUCH_TYPES = frozenset({"email", "call", "chat", "form", "sms", "social", "letter"})
WRITTEN_TYPES = TOUCH_TYPES - {"call"}
MEETING_TYPES = frozenset({"meeting", "visit"})
OURS = "crmplugin:"
"""How the `source` of what we wrote back begins."""

AUTOMATIC_MARKERS = frozenset(
    {"auto", "automatic", "automated", "automation", "autoreply", "autoresponder", "bounce", "bounced", "daemon", "dsn",
     "mdn", "notification", "ooo", "receipt", "robot", "system", "vacation"}
)  # fmt: skip
BULK_MARKERS = frozenset({"broadcast", "bulk", "campaign", "mailing", "marketing", "massmail", "newsletter", "promo"})
"""Words in the `source` of an activity; CRMs write `bulk`, `campaign:spring`, `auto_reply` and the like."""

GAPS_BD = (3, 5, 7, 10)
"""Business days to wait after the first, second, third and any later unanswered touch of ours (sales-craft §1.3)."""

_SEPARATORS = re.compile(r"[^a-z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Cadence:
    """Our unanswered touches: how many days had one, business days since the last, and when the next may follow."""

    count: int
    elapsed_bd: int | None = None
    reached: bool = False
    next_on: date | None = None


def is_touch(activity: Activity, now: datetime) -> bool:
    """Whether a person of either side wrote or called, not later than `now`."""
    timely = activity.at is not None and activity.at <= now
    two_sides = activity.direction in ("inbound", "outbound")
    return timely and two_sides and activity.type in TOUCH_TYPES and is_human(activity)


def is_human(activity: Activity) -> bool:
    """Whether a person made it: not automatic, not bounced, not bulk, by its flags, its source or its subject."""
    if activity.automatic or activity.bounced or _markers(activity.source) & (AUTOMATIC_MARKERS | BULK_MARKERS):
        return False
    return not _begins(activity.subject, "automatic")


def is_bulk(activity: Activity) -> bool:
    """Whether it was sent to many at once."""
    return bool(_markers(activity.source) & BULK_MARKERS)


def is_held(activity: Activity, now: datetime) -> bool:
    """Whether it is a meeting or visit that has ended at `now` and was not called off."""
    end = activity.ends_at or activity.at
    happened = activity.type in MEETING_TYPES and end is not None and end <= now
    return happened and not activity.automatic and not _begins(activity.subject, "cancelled")


def newest(activities: Iterable[Activity], direction: str, now: datetime) -> Activity | None:
    """The newest touch of one direction."""
    found = [a for a in activities if a.direction == direction and is_touch(a, now)]
    return max(found, key=_order, default=None)


def _order(activity: Activity) -> tuple[float, str]:
    return activity.at.timestamp() if activity.at else 0.0, activity.id


def silent_since(
    activities: Iterable[Activity], now: datetime, *, reopened_at: datetime | None = None
) -> datetime | None:
    """The moment the count of unanswered touches begins: the newest inbound touch, held meeting or reopening."""
    known = tuple(activities)
    inbound = [a.at for a in known if a.direction == "inbound" and is_touch(a, now)]
    meetings = [a.ends_at or a.at for a in known if is_held(a, now)]
    reopened = reopened_at if reopened_at and reopened_at <= now else None
    return max((t for t in (*inbound, *meetings, reopened) if t), default=None)


def read_cadence(
    activities: Iterable[Activity],
    *,
    now: datetime,
    zone: str,
    countries: Countries = (),
    reopened_at: datetime | None = None,
) -> Cadence:
    """Our touches since the last sign of life, at most one per day of `zone`, and the gap that follows them."""
    known = tuple(activities)
    since = silent_since(known, now, reopened_at=reopened_at)
    ours = [a.at for a in known if a.direction == "outbound" and is_touch(a, now) and a.at]
    days = sorted({_day(t, zone) for t in ours if since is None or t > since})
    if not days:
        return Cadence(0)
    today, sides = _day(now, zone), tuple(countries)
    elapsed = business_days_between(days[-1], today, sides)
    gap = gap_after(len(days))
    return Cadence(len(days), elapsed, elapsed >= gap, add_business_days(days[-1], gap, sides))


def gap_after(count: int) -> int:
    """Business days to wait after `count` unanswered touches."""
    return GAPS_BD[min(max(count, 1), len(GAPS_BD)) - 1]


def promotional_touches(
    activities: Iterable[Activity], contact_id: str, *, open_deal_ids: frozenset[str], now: datetime
) -> tuple[datetime, ...]:
    """When we wrote to a contact to promote something, oldest first: what the caps of sales-craft §6.5 count.

    Bulk sends always count. A message of a person counts when it belongs to no open deal and no ticket and follows no
    inbound message of its thread: nobody asked for it.
    """
    known = tuple(a for a in activities if a.at and a.at <= now and contact_id in a.contact_ids)
    asked = {a.thread_id for a in known if a.direction == "inbound" and a.thread_id}
    found = []
    for a in known:
        unasked = a.deal_id not in open_deal_ids and a.ticket_id is None and a.thread_id not in asked
        sent = a.direction == "outbound" and a.type in WRITTEN_TYPES and not a.bounced
        if sent and (is_bulk(a) or (unasked and is_human(a))):
            found.append(a.at)
    return tuple(sorted(t for t in found if t))


@lru_cache(maxsize=4096)
def _markers(source: str | None) -> frozenset[str]:
    if not source or source.startswith(OURS):
        return frozenset()
    return frozenset(part for part in _SEPARATORS.split(_CAMEL.sub("_", source).lower()) if part)


@lru_cache(maxsize=4096)
def _begins(subject: str | None, kind: str) -> bool:
    return bool(subject) and fold(subject or "").strip().startswith(_beginnings(kind))


@cache
def _beginnings(kind: str) -> tuple[str, ...]:
    return tuple(fold(line) for lines in gather("automatic_subjects", kind).values() for line in lines)


def _day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()
