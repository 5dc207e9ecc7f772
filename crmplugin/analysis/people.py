"""Who of the account takes part in a deal: role, last two-way touch, and what is missing among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmplugin.analysis import sheet
from crmplugin.analysis.cadence import is_held, is_touch
from crmplugin.analysis.sheet import Val
from crmplugin.domain.crm import Activity, Contact, Deal

TWO_WAY_DAYS = 60
THREADS_WANTED = 2
KNOWN_ROLES = frozenset(
    {"economic_buyer", "champion", "user", "influencer", "blocker", "technical_buyer", "decision_maker"}
)
"""Roles of a contact that have words; another one is shown as it stands."""


@dataclass(frozen=True, slots=True)
class Person:
    """A contact of the deal; `last_in` their newest word to us, `last_touch` the newest of either side."""

    contact: Contact
    last_in: datetime | None
    last_touch: datetime | None

    def is_gone(self, now: datetime) -> bool:
        """Whether they had left the company; a date of leaving goes before the status."""
        left = self.contact.left_at
        return left <= now if left else self.contact.status == "left"

    def answers(self, now: datetime) -> bool:
        """Whether they wrote, called or met us in the last sixty days."""
        return self.last_in is not None and now - self.last_in <= timedelta(days=TWO_WAY_DAYS)


def people_of(
    contacts: Iterable[Contact], deal: Deal | None, activities: Sequence[Activity], now: datetime
) -> tuple[Person, ...]:
    """The deal's contacts (the account's without one) in order, the primary first."""
    wanted = _wanted(deal)
    chosen = [c for c in contacts if not wanted or c.id in wanted]
    chosen.sort(key=lambda c: wanted.index(c.id) if c.id in wanted else 0)
    return tuple(_person(c, activities, now) for c in chosen)


def gaps_among(people: Sequence[Person], now: datetime) -> tuple[str, ...]:
    """What is missing among the people: no_economic_buyer, single_thread, champion_left."""
    active = [p for p in people if p.contact.status in (None, "active")]
    found = []
    if not any(p.contact.role == "economic_buyer" and p.answers(now) for p in active):
        found.append("no_economic_buyer")
    if sum(p.answers(now) for p in active) < THREADS_WANTED:
        found.append("single_thread")
    if any(p.contact.role == "champion" and p.contact.status == "left" for p in people):
        found.append("champion_left")
    return tuple(found)


def _wanted(deal: Deal | None) -> list[str]:
    if deal is None:
        return []
    first = [deal.primary_contact_id] if deal.primary_contact_id else []
    return list(dict.fromkeys([*first, *deal.contact_ids]))


def _person(contact: Contact, activities: Iterable[Activity], now: datetime) -> Person:
    own = [a for a in activities if contact.id in a.contact_ids and a.at and a.at <= now]
    said = [a.at for a in own if a.at and ((a.direction == "inbound" and is_touch(a, now)) or is_held(a, now))]
    touched = [a.at for a in own if a.at and (is_touch(a, now) or is_held(a, now))]
    return Person(contact, max(said, default=None), max(touched, default=None))


def role_of(contact: Contact) -> Val:
    """What the person is to the deal, in words where we have some."""
    if contact.role in KNOWN_ROLES:
        return sheet.word(f"role.{contact.role}")
    stated = contact.role or contact.title
    return sheet.text(stated) if stated else sheet.word("role_unknown")
