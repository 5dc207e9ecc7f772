"""Days of an account: its business days are those when both sides work, its today is the recipient's.

The counting itself is `analysis.business_days`; here stands whose calendars and whose clock count.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmplugin.analysis.business_days import (
    add_business_days,
    business_days_between,
    is_business_day,
    next_business_day,
)
from crmplugin.analysis.countries import country_code, country_zone
from crmplugin.domain.crm import Contact, Context, Quote

__all__ = [
    "add_business_days",
    "both_sides",
    "business_days_between",
    "country_code",
    "country_zone",
    "day_in",
    "is_business_day",
    "known_zone",
    "next_business_day",
    "seller_zone",
]


def both_sides(context: Context, contact: Contact | None) -> tuple[str, ...]:
    """Country codes of the customer's side and of ours; a side whose country is not recorded is left out."""
    theirs = country_code(contact.country if contact else None) or country_code(
        context.company.country if context.company else None
    )
    ours = country_code(context.seller.country)
    return tuple(dict.fromkeys(code for code in (theirs, ours) if code))


def known_zone(name: str | None) -> str | None:
    """The IANA zone name if it is one, else None."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def seller_zone(context: Context, quote: Quote | None = None) -> str | None:
    """The zone that our documents' days belong to: the quote's own, else the seller's."""
    named = known_zone(quote.timezone if quote else None) or known_zone(context.seller.timezone)
    return named or country_zone(context.seller.country)


def day_in(zone: str | None, instant: datetime) -> date:
    """The calendar day of an instant in a zone (UTC when none is known)."""
    return instant.astimezone(ZoneInfo(zone or "UTC")).date()
