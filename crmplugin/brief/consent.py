"""Permission to promote: who said no, on which address; who said yes; and which law asks for it (sales-craft §6.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from crmplugin.analysis.rhythm import is_purchase
from crmplugin.analysis.stages import is_open
from crmplugin.brief.addresses import normalise_email
from crmplugin.brief.calendar import country_code
from crmplugin.brief.recipient import phone_number
from crmplugin.brief.view import deal_contact_ids
from crmplugin.domain.crm import Channel, Consent, Contact, Context

CONSENT_KEYS: Mapping[str, Channel] = MappingProxyType(
    {"email": "email", "phone": "phone", "sms": "sms", "social": "social"}
)
CUSTOMER_YEARS = 2
EEA = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
     "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
)  # fmt: skip
OWN_LAW: Mapping[str, str] = MappingProxyType({"US": "US CAN-SPAM", "CA": "Canada CASL", "GB": "UK PECR + UK GDPR"})
STRICTEST = "strictest rule"


def regime_of(context: Context, contact: Contact | None, channel: str) -> str:
    """The law of the recipient's country; the strictest rule when the country is not known or not in the table."""
    company = context.company.country if context.company else None
    code = country_code(contact.country if contact else None) or country_code(company) or ""
    if code in EEA:
        return "EU GDPR + ePrivacy"
    if code == "US" and channel in ("phone", "sms"):
        return "US TCPA"
    return OWN_LAW.get(code, STRICTEST)


def same_address(context: Context, contact: Contact, channel: str) -> tuple[Contact, ...]:
    """The contact and every record, of any account, that has the same address for the channel."""
    mine = _address(contact, context, channel)
    others = {c.id: c for c in (*context.namesakes, *context.contacts) if c.id != contact.id}
    return (contact, *(c for c in others.values() if mine and _address(c, context, channel) == mine))


def withdrawn(context: Context, contact: Contact, channel: str) -> tuple[Contact, ...]:
    """The records on which the address said no to the channel; not empty means nobody may promote to it."""
    key = CONSENT_KEYS.get(channel)
    if key is None:
        return ()
    records = same_address(context, contact, channel)
    return tuple(c for c in records if (found := c.consent.get(key)) and found.state == "withdrawn")


def reads_mail(context: Context, contact: Contact) -> bool:
    """Whether a mail may be written to them: there is an address, it works, and it never said no."""
    return (
        bool(normalise_email(contact.email))
        and contact.status != "bounced"
        and not withdrawn(context, contact, "email")
    )


def said_no_since(context: Context, contact: Contact, channel: str, moment: datetime | None) -> bool:
    """Whether the address said no to the channel at or after a moment (or nobody knows when)."""
    key = CONSENT_KEYS.get(channel)
    times = [c.consent[key].at for c in withdrawn(context, contact, channel)] if key else []
    return bool(times) and (moment is None or any(t is None or t >= moment for t in times))


def granted(contact: Contact, channel: str) -> bool:
    """Whether the contact's own record says yes to the channel."""
    key = CONSENT_KEYS.get(channel)
    found: Consent | None = contact.consent.get(key) if key else None
    return found is not None and found.state == "granted"


def is_customer(context: Context, now: datetime) -> bool:
    """Whether the account bought in the last 24 months (an order or a won deal), or has a running contract."""
    since = _years_before(now, CUSTOMER_YEARS)
    ordered = any(o.ordered_at and since <= o.ordered_at <= now and is_purchase(o) for o in context.orders)
    won = any(d.status == "won" and d.closed_at and since <= d.closed_at <= now for d in context.deals)
    today = now.date()
    runs = any(c.ends_on and c.ends_on >= today and (c.starts_on or today) <= today for c in context.contracts)
    return ordered or won or runs


def in_open_deal(context: Context, contact: Contact, now: datetime) -> bool:
    """Whether the draft is about an open deal, or the contact takes part in one of the account."""
    if context.deal is not None and is_open(context.deal, now):
        return True
    return any(is_open(d, now) and contact.id in deal_contact_ids(d) for d in context.deals)


def _address(contact: Contact, context: Context, channel: str) -> str | None:
    if channel in ("phone", "sms"):
        return phone_number(contact, context)
    return normalise_email(contact.email)


def _years_before(now: datetime, years: int) -> datetime:
    try:
        return now.replace(year=now.year - years)
    except ValueError:
        return now.replace(year=now.year - years, day=28)
