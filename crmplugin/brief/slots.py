"""Which free slots may be promised or proposed to this person: our rep's own, in hours that suit both sides."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

from crmplugin.analysis.countries import country_code
from crmplugin.brief.calendar import both_sides, day_in, is_business_day, seller_zone
from crmplugin.brief.recipient import owner_of
from crmplugin.domain.crm import Contact, Context, Slot

FIRST_HOUR, LAST_HOUR = time(8), time(18)
"""A talk begins and ends between these on the recipient's clock."""


def own_slots(context: Context) -> tuple[Slot, ...]:
    """Slots of the rep who signs; without any, those of nobody in particular; all of them when no rep is known."""
    owner = owner_of(context)
    if owner is None:
        return context.slots
    mine = tuple(slot for slot in context.slots if slot.user_id == owner.id)
    return mine + tuple(slot for slot in context.slots if slot.user_id is None and not _has_kind(mine, slot))


def usable_slots(context: Context, contact: Contact | None, zone: str) -> tuple[Slot, ...]:
    """Own slots that this person can be offered: days to answer by, and talks at a reasonable hour of a working day."""
    countries = both_sides(context, contact)
    return tuple(s for s in own_slots(context) if s.starts_at is None or _suits(s, zone, context, countries))


def is_closed(slot: Slot, context: Context) -> bool:
    """Whether our side does not work on the slot's day."""
    ours = country_code(context.seller.country)
    day = slot.on or (day_in(seller_zone(context), slot.starts_at) if slot.starts_at else None)
    return bool(day and ours and not is_business_day(day, (ours,)))


def _has_kind(slots: tuple[Slot, ...], wanted: Slot) -> bool:
    return any((slot.starts_at is None) == (wanted.starts_at is None) for slot in slots)


def _suits(slot: Slot, zone: str, context: Context, countries: tuple[str, ...]) -> bool:
    """Whether a time lies between 8 and 18 on the recipient's clock, on a working day of both sides."""
    assert slot.starts_at is not None
    begins = slot.starts_at.astimezone(ZoneInfo(zone))
    ends = (slot.ends_at or slot.starts_at).astimezone(ZoneInfo(zone))
    in_hours = begins.time() >= FIRST_HOUR and ends.time() <= LAST_HOUR and begins.date() == ends.date()
    return in_hours and is_business_day(begins.date(), countries) and not is_closed(slot, context)
