"""Gathers everything that belongs to the account of one subject, in a handful of indexed queries.

The account is a company with all that names it; without a company it is the leading contact with all that names them.
A record that names no company belongs to the account of its deal, its ticket or its leading contact, in this order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, select

from crmplugin.domain.crm import Subject
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound
from crmplugin.store.record_keys import contacts_of
from crmplugin.store.record_writes import Key, chunks, group_ids
from crmplugin.store.tables_records import addresses, contact_links, records

SUBJECT_COLLECTIONS: Mapping[str, str] = {
    "deal": "deals",
    "company": "companies",
    "contact": "contacts",
    "ticket": "tickets",
    "activity": "activities",
}
ACTIVITY_BOUND = 2_000
"""Newest activities read of an account; a company that collects every unassigned mail must not stop a brief."""
NAMESAKE_BOUND = 200

COLUMNS = (records.c.collection, records.c.id, records.c.doc, records.c.at, records.c.changed_at)

# The statements are built once: building them anew took longer than SQLite took to answer them.

_IDS: Any = bindparam("ids", expanding=True)
_OF_CONNECTION = select(*COLUMNS).where(records.c.connection == bindparam("connection"))
_IS_ACTIVITY = records.c.collection == "activities"

BY_KEY = _OF_CONNECTION.where(records.c.collection == bindparam("collection"), records.c.id.in_(_IDS))


def _all_with(column: Column[Any]) -> tuple[Select[Any], Select[Any]]:
    found = _OF_CONNECTION.where(column.in_(_IDS))
    newest = found.where(_IS_ACTIVITY).order_by(records.c.at.desc(), records.c.id).limit(ACTIVITY_BOUND)
    return found.where(~_IS_ACTIVITY), newest


ALL_WITH = {column.name: _all_with(column) for column in (records.c.company_id, records.c.deal_id, records.c.ticket_id)}


def _linked(statement: Select[Any]) -> Select[Any]:
    link = contact_links.c
    same = (
        (records.c.connection == link.connection)
        & (records.c.collection == link.collection)
        & (records.c.id == link.id)
    )
    linked = statement.join_from(contact_links, records, same)
    return linked.where(link.connection == bindparam("connection"), link.contact_id.in_(_IDS))


COMPANIES_NAMING = _linked(select(contact_links.c.contact_id, records.c.company_id).distinct()).where(
    records.c.company_id.is_not(None)
)
LED_BY_CONTACT = _linked(select(*COLUMNS)).where(contact_links.c.place == 0, records.c.company_id.is_(None))
"""What names no company, but one of these contacts first."""


def _sharing_an_address() -> Select[Any]:
    ours, theirs = addresses.alias("ours"), addresses.alias("theirs")
    same = (
        (theirs.c.connection == ours.c.connection)
        & (theirs.c.kind == ours.c.kind)
        & (theirs.c.normalised == ours.c.normalised)
        & (theirs.c.contact_id != ours.c.contact_id)
    )
    contact = (
        (records.c.connection == ours.c.connection)
        & (records.c.collection == "contacts")
        & (records.c.id == theirs.c.contact_id)
    )
    found = select(records.c.id, records.c.doc).distinct().join_from(ours, theirs, same).join(records, contact)
    asked = found.where(ours.c.connection == bindparam("connection"), ours.c.contact_id.in_(_IDS))
    return asked.order_by(records.c.id).limit(NAMESAKE_BOUND)


NAMESAKES = _sharing_an_address()


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored record: its document, when it happened (sortable, "" if unknown) and when it was last written."""

    doc: Document
    at: str
    changed_at: str


@dataclass(slots=True)
class Account:
    """The rows of one account, by collection and id, as they are gathered."""

    subject: Key
    company_id: str | None = None
    rows: dict[Key, Stored] = field(default_factory=dict)
    namesakes: tuple[Document, ...] = ()

    def ids(self, collection: str) -> list[str]:
        return [id_ for name, id_ in self.rows if name == collection]

    def docs(self, collection: str) -> Iterator[Document]:
        return (stored.doc for (name, _), stored in self.rows.items() if name == collection)

    def owns_deal(self, doc: Document) -> bool:
        """Whether the record names no deal, or one of ours."""
        return doc.get("deal_id") is None or ("deals", doc["deal_id"]) in self.rows

    def owns_company(self, doc: Document) -> bool:
        return doc.get("company_id") in (None, self.company_id)

    def owns_ticket(self, doc: Document) -> bool:
        return doc.get("ticket_id") is None or ("tickets", doc["ticket_id"]) in self.rows


def read_account(db: Connection, connection: str, subject: Subject) -> Account:
    """The account of a subject. Raises NotFound naming type, id and connection."""
    return _Gathering(db, connection).gather(subject)


def fetch(db: Connection, connection: str, keys: Iterable[Key]) -> dict[Key, Stored]:
    """The stored records among these keys."""
    found: dict[Key, Stored] = {}
    for collection, ids in group_ids(keys).items():
        for chunk in chunks(ids):
            values = {"connection": connection, "collection": collection, "ids": chunk}
            found.update(_stored(db.execute(BY_KEY, values)))
    return found


def _stored(rows: Iterable[Row[Any]]) -> Iterator[tuple[Key, Stored]]:
    for row in rows:
        yield (row.collection, row.id), Stored(json.loads(row.doc), row.at, row.changed_at)


class _Gathering:
    """The steps of one reading; each adds to the account what is reached from what is there."""

    def __init__(self, db: Connection, connection: str) -> None:
        self._db, self._connection = db, connection

    def gather(self, subject: Subject) -> Account:
        account = self._start(subject)
        if account.company_id is not None:
            self._add_of_company(account)
        own_contacts = self._add_loose_contacts(account)
        self._add_of_contacts(account, own_contacts)
        self._add_of_deals(account)
        self._add_of_tickets(account)
        self._drop_foreign_activities(account)
        self._add_guests(account)
        account.namesakes = self._namesakes(account.ids("contacts"))
        return account

    def _start(self, subject: Subject) -> Account:
        key = (SUBJECT_COLLECTIONS[subject.type], subject.id)
        found = fetch(self._db, self._connection, [key])
        if key not in found:
            raise NotFound(
                f"The connection {self._connection} has no {subject.type} with the id {subject.id}; "
                "look the id up in the CRM, or import the record first."
            )
        return Account(key, self._company_of(key[0], found[key].doc), found)

    def _company_of(self, collection: str, doc: Document) -> str | None:
        if collection == "companies":
            return str(doc["id"])
        if collection == "activities" and doc.get("deal_id"):
            return self._company_of_parent(("deals", doc["deal_id"]))
        if doc.get("company_id"):
            return str(doc["company_id"])
        if collection == "activities" and doc.get("ticket_id"):
            return self._company_of_parent(("tickets", doc["ticket_id"]))
        if collection == "contacts":
            return _only(self._companies_naming([doc["id"]]).get(doc["id"], set()))
        leading = contacts_of(collection, doc)[:1]
        return self._company_of_parent(("contacts", leading[0])) if leading else None

    def _company_of_parent(self, key: Key) -> str | None:
        parent = fetch(self._db, self._connection, [key]).get(key)
        return self._company_of(key[0], parent.doc) if parent else None

    def _companies_naming(self, contact_ids: Iterable[str]) -> dict[str, set[str]]:
        """For each contact the companies whose records name them."""
        found: dict[str, set[str]] = {}
        for row in self._run(COMPANIES_NAMING, contact_ids):
            found.setdefault(row.contact_id, set()).add(row.company_id)
        return found

    def _run(self, statement: Select[Any], ids: Iterable[str]) -> Iterator[Row[Any]]:
        for chunk in chunks(ids):
            yield from self._db.execute(statement, {"connection": self._connection, "ids": chunk})

    def _all_with(self, column: Column[Any], ids: Iterable[str]) -> Iterator[tuple[Key, Stored]]:
        """All records that have one of these ids in a column, of activities the newest up to the bound."""
        for statement in ALL_WITH[column.name]:
            yield from _stored(self._run(statement, ids))

    def _add_of_company(self, account: Account) -> None:
        account.rows.update(self._all_with(records.c.company_id, [account.company_id or ""]))

    def _add_loose_contacts(self, account: Account) -> list[str]:
        """Ids of the account's own contacts, with those who have no company but stand in its records alone."""
        named = _contacts_named(account, ("deals", "orders", "tickets", "activities"))
        candidates = fetch(self._db, self._connection, [key for key in named if key not in account.rows])
        candidates.update({key: account.rows[key] for key in account.rows if key == account.subject})
        loose = [id_ for (name, id_), row in candidates.items() if name == "contacts" and not row.doc.get("company_id")]
        companies = self._companies_naming(loose) if loose else {}
        ours = set() if account.company_id is None else {account.company_id}
        own = [id_ for id_ in loose if companies.get(id_, set()) == ours]
        account.rows.update({("contacts", id_): candidates["contacts", id_] for id_ in own})
        return account.ids("contacts")

    def _add_of_contacts(self, account: Account, contact_ids: Sequence[str]) -> None:
        """What names no company but one of these contacts first: deals before what may hang on them."""
        found = dict(_stored(self._run(LED_BY_CONTACT, contact_ids)))
        account.rows.update({key: row for key, row in found.items() if key[0] == "deals"})
        account.rows.update({key: row for key, row in found.items() if account.owns_deal(row.doc)})

    def _add_of_deals(self, account: Account) -> None:
        for key, row in self._all_with(records.c.deal_id, account.ids("deals")):
            if key[0] == "activities" or account.owns_company(row.doc):
                account.rows[key] = row

    def _add_of_tickets(self, account: Account) -> None:
        for key, row in self._all_with(records.c.ticket_id, account.ids("tickets")):
            if account.owns_company(row.doc):
                account.rows[key] = row

    def _drop_foreign_activities(self, account: Account) -> None:
        """An activity of another account's deal or ticket is theirs, whatever else it names."""
        for key, row in list(account.rows.items()):
            ours = account.owns_deal(row.doc) and (row.doc.get("deal_id") or account.owns_ticket(row.doc))
            if key[0] == "activities" and key != account.subject and not ours:
                del account.rows[key]

    def _add_guests(self, account: Account) -> None:
        """Contacts of elsewhere whom a deal, an order or a ticket names, and those without company in an activity."""
        invited = _contacts_named(account, ("deals", "orders", "tickets"))
        named = {**invited, **_contacts_named(account, ("activities",))}
        for key, row in fetch(self._db, self._connection, [key for key in named if key not in account.rows]).items():
            if key in invited or not row.doc.get("company_id"):
                account.rows[key] = row

    def _namesakes(self, contact_ids: Sequence[str]) -> tuple[Document, ...]:
        found = {row.id: row.doc for row in self._run(NAMESAKES, contact_ids)}
        return tuple(json.loads(doc) for doc in found.values())


def _only(values: set[str]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None


def _contacts_named(account: Account, collections: Sequence[str]) -> dict[Key, None]:
    return {
        ("contacts", contact_id): None
        for collection in collections
        for doc in account.docs(collection)
        for contact_id in contacts_of(collection, doc)
    }
