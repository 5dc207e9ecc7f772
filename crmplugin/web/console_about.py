"""What a draft is about, in names: company, deal and value, looked up once per page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from crmplugin.journeys.desk import Desk

COLLECTIONS = {
    "deal": "deals", "company": "companies", "contact": "contacts", "ticket": "tickets", "activity": "activities",
}  # fmt: skip
"""The collection of each thing that a draft can be about."""
SUBJECT_OF = {collection: subject for subject, collection in COLLECTIONS.items()}


@dataclass(frozen=True, slots=True)
class About:
    """The names around a record; whatever the store does not know is None."""

    company_id: str | None = None
    company: str | None = None
    deal_id: str | None = None
    deal: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    contact: str | None = None
    due: date | None = None
    """When the deal's next step is due, else when it should close; only of an open deal."""


class Names:
    """Looks records up, each one once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._kept: dict[tuple[str, str, str], Any] = {}

    def record(self, connection: str, collection: str, id_: str | None) -> Any:
        """A record, or None."""
        if not id_:
            return None
        key = (connection, collection, id_)
        if key not in self._kept:
            self._kept[key] = self._desk.records.read_one(*key)
        return self._kept[key]

    def about(self, connection: str, subject_type: str, subject_id: str) -> About:
        """What is known around a deal, company, contact, ticket or activity."""
        record = self.record(connection, COLLECTIONS[subject_type], subject_id)
        deal_id = subject_id if subject_type == "deal" else getattr(record, "deal_id", None)
        deal = self.record(connection, "deals", deal_id)
        contact = self.record(connection, "contacts", self._contact_id(subject_type, subject_id, record, deal))
        company_id = subject_id if subject_type == "company" else _first(record, deal, contact, field="company_id")
        company = self.record(connection, "companies", company_id)
        return About(
            company_id=company_id if company else None,
            company=getattr(company, "name", None),
            deal_id=deal_id if deal else None,
            deal=getattr(deal, "name", None),
            amount=getattr(deal, "amount", None),
            currency=getattr(deal, "currency", None),
            contact=name_of(contact),
            due=_due(deal),
        )

    def _contact_id(self, subject_type: str, subject_id: str, record: Any, deal: Any) -> str | None:
        if subject_type == "contact":
            return subject_id
        found = getattr(record, "contact_id", None) or next(iter(getattr(record, "contact_ids", None) or ()), None)
        return found or getattr(deal, "primary_contact_id", None)


def _due(deal: Any) -> date | None:
    if deal is None or deal.status in ("won", "lost"):
        return None
    found: date | None = deal.next_step_due or deal.close_date
    return found


def _first(*records: Any, field: str) -> str | None:
    return next((value for record in records if (value := getattr(record, field, None))), None)


def name_of(record: Any) -> str | None:
    """What people call a record: a person's name, else its name, number, subject or title."""
    if record is None:
        return None
    person = " ".join(n for n in (getattr(record, "first_name", None), getattr(record, "last_name", None)) if n)
    return person or next((v for f in ("name", "number", "subject", "title") if (v := getattr(record, f, None))), None)
