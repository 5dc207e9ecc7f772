"""What left through our own campaigns, as the outbound messages that caps count: the CRM may learn of it late or never.

An address is known here by a hash only, so that what was counted outlives the erasure of a contact.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from crmplugin.brief.addresses import normalise_email, normalise_phone
from crmplugin.domain.crm import Activity, Contact, Context

SOURCE = "campaign:"
TYPES: Mapping[str, Any] = {"sms": "sms", "social": "social", "letter": "letter", "chat": "chat"}
"""Channel -> type of the activity that stands for a message; a script for a call counts like a written one."""
BY_PHONE = frozenset({"phone", "sms"})


class Touch(Protocol):
    """A promotional message that left."""

    @property
    def address(self) -> str: ...
    @property
    def campaign(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def address_of(contact: Contact, channel: str) -> str | None:
    """The normalised address of a contact on a channel, as one text that says of which kind it is."""
    if channel == "email":
        mail = normalise_email(contact.email)
        return f"email:{mail}" if mail else None
    if channel in BY_PHONE:
        number = normalise_phone(contact.phone, contact.country)
        return f"phone:{number}" if number else None
    return None


def address_hash(contact: Contact, channel: str) -> str:
    """What is kept of an address; of the contact's id where the channel has none."""
    return sha256((address_of(contact, channel) or f"contact:{contact.id}").encode()).hexdigest()


def with_touches(context: Context, find: Callable[[Collection[str]], Iterable[Touch]]) -> Context:
    """The context with what left to its contacts through campaigns. `find` gives the touches of addresses (hashes)."""
    people: dict[str, list[str]] = {}
    for contact in context.contacts:
        for key in {address_hash(contact, channel) for channel in ("email", "sms", "social")}:
            people.setdefault(key, []).append(contact.id)
    found = [_activity(touch, tuple(people[touch.address])) for touch in find(list(people))] if people else []
    return replace(context, activities=(*context.activities, *found)) if found else context


def _activity(touch: Touch, contacts: tuple[str, ...]) -> Activity:
    return Activity(
        id=f"{SOURCE}{touch.campaign}/{contacts[0]}/{touch.channel}",
        type=TYPES.get(touch.channel, "email"),
        direction="outbound",
        at=touch.at,
        contact_ids=contacts,
        source=f"{SOURCE}{touch.campaign}",
    )
