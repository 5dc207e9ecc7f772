"""When a message may go out: hours of the channel on the recipient's clock, business days of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from crmplugin.brief.calendar import next_business_day

HOURS: Mapping[str, tuple[time, time]] = MappingProxyType(
    {"phone": (time(8), time(18)), "sms": (time(9), time(20)), "social": (time(9), time(20))}
)
"""Opening and closing time by channel on the recipient's clock; mail, chat and letters have none (sales-craft §0.2)."""


def in_quiet_hours(now: datetime, *, zone: str, channel: str) -> bool:
    """Whether the recipient's clock forbids the channel now; the closing time itself is too late."""
    hours = HOURS.get(channel)
    local = now.astimezone(ZoneInfo(zone)).time()
    return hours is not None and not hours[0] <= local < hours[1]


def next_allowed(now: datetime, *, zone: str, channel: str) -> datetime:
    """The first moment from `now` on inside the channel's hours, as wall time of `zone`."""
    local = now.astimezone(ZoneInfo(zone))
    hours = HOURS.get(channel)
    if hours is None or hours[0] <= local.time() < hours[1]:
        return local
    day = local.date() if local.time() < hours[0] else local.date() + timedelta(days=1)
    return datetime.combine(day, hours[0], tzinfo=ZoneInfo(zone))


def send_time(
    now: datetime, *, zone: str, channel: str, countries: tuple[str, ...], any_day: bool, not_after: date | None = None
) -> datetime:
    """The planned moment of sending, in `zone`.

    `any_day`: service texts do not wait for a business day. `not_after`: a day that must not pass; when the next
    business day lies behind it, the message goes out now rather than late.
    """
    moment = next_allowed(now, zone=zone, channel=channel)
    day = next_business_day(moment.date(), countries)
    late = not_after is not None and moment.date() <= not_after < day
    if any_day or late or day == moment.date():
        return moment
    opening = HOURS.get(channel, (time(9), time(17)))[0]
    return datetime.combine(day, opening, tzinfo=ZoneInfo(zone))
