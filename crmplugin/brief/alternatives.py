"""What may be done instead when a gate forbids a text. Each is a proposal for a person, with its honest condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from crmplugin.analysis.cadence import is_held, is_touch
from crmplugin.brief.calendar import day_in
from crmplugin.brief.consent import granted, same_address, withdrawn
from crmplugin.brief.recipient import has_left, mail_address, phone_number
from crmplugin.brief.signals import running_contracts
from crmplugin.brief.view import deal_contact_ids
from crmplugin.domain.crm import Contact, Context

MOST_CONTACTS = 5
NOTICE_DAYS = 180
"""A contract that ends later than this needs no notice now."""


class Asked(Protocol):
    """What alternatives are found for: gates.Case."""

    @property
    def context(self) -> Context: ...
    @property
    def contact(self) -> Contact | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def promotional(self) -> bool: ...
    @property
    def now(self) -> datetime: ...
    @property
    def zone(self) -> str: ...


def phone_script(case: Asked) -> Mapping[str, Any] | None:
    """A call, when it is recorded that the person may be called, the number is one, and nobody of it said no."""
    contact = case.contact
    if contact is None or case.channel == "phone" or has_left(contact, case.now) or contact.status == "inactive":
        return None
    allowed = granted(contact, "phone") and not withdrawn(case.context, contact, "phone")
    if not allowed or phone_number(contact, case.context) is None:
        return None
    return {"do": "phone_script", "contact_id": contact.id, "channel": "phone", "needs": "choice"}


def postal_letter(case: Asked) -> Mapping[str, Any] | None:
    """A letter, which needs no recorded permission, to somebody who is there, has an address and never said no."""
    contact, company = case.contact, case.context.company
    if contact is None or case.channel == "letter" or has_left(contact, case.now) or contact.status == "inactive":
        return None
    objected = any(withdrawn(case.context, contact, channel) for channel in ("email", "phone", "sms", "social"))
    if objected or not (contact.postal_address or (company and company.postal_address)):
        return None
    return {"do": "letter", "contact_id": contact.id, "channel": "letter", "needs": "choice"}


def contractual_notice(case: Asked) -> Mapping[str, Any] | None:
    """A plain notice about a contract that is about to end: no promotion, and only after a person has read it."""
    today = day_in(case.zone, case.now)
    for contract in running_contracts(case.context, today):
        if contract.ends_on and contract.ends_on <= today + timedelta(days=NOTICE_DAYS):
            return {
                "do": "contractual_notice",
                "contract_id": contract.id,
                "ends_on": contract.ends_on.isoformat(),
                "needs": "human review",
            }
    return None


def other_contacts(case: Asked) -> tuple[Mapping[str, Any], ...]:
    """Other people of the account who can be reached by the channel, those of the deal first, then the last spoken to.

    Records with the same address as the recipient are the recipient; who said no to the channel is left out.
    """
    same = {c.id for c in same_address(case.context, case.contact, "email")} if case.contact else set()
    able = [c for c in case.context.contacts if c.id not in same and _can_be_written_to(c, case)]
    in_deal = deal_contact_ids(case.context.deal) if case.context.deal else ()
    touched = {c.id: _last_touch(c, case) for c in able}
    able.sort(key=lambda c: (c.id not in in_deal, -_seconds(touched[c.id]), c.id))
    return tuple(_proposal(c, touched[c.id], case.zone) for c in able[:MOST_CONTACTS])


def _can_be_written_to(contact: Contact, case: Asked) -> bool:
    if has_left(contact, case.now) or contact.status in ("inactive", "bounced") or contact.legal_hold:
        return False
    by_phone = case.channel in ("phone", "sms")
    address = phone_number(contact, case.context) if by_phone else mail_address(contact)
    refused = case.promotional and withdrawn(case.context, contact, case.channel)
    return bool(address) and not refused


def _proposal(contact: Contact, touched: datetime | None, zone: str) -> Mapping[str, Any]:
    return {
        "do": "write_to",
        "contact_id": contact.id,
        "name": " ".join(p for p in (contact.first_name, contact.last_name) if p) or None,
        "role": contact.role or contact.title,
        "last_touch": day_in(zone, touched).isoformat() if touched else None,
        "needs": "choice",
    }


def _last_touch(contact: Contact, case: Asked) -> datetime | None:
    times: Sequence[datetime] = [
        a.at
        for a in case.context.activities
        if a.at and contact.id in a.contact_ids and (is_touch(a, case.now) or is_held(a, case.now))
    ]
    return max(times, default=None)


def _seconds(instant: datetime | None) -> float:
    return instant.timestamp() if instant else 0.0
