"""Writes a batch of records and all that is repeated beside them, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, func, select, tuple_

from crmplugin.domain.crm import OWNER_KNOWLEDGE, SINGLES
from crmplugin.domain.records import Document, merge
from crmplugin.store.database import insert_into, replace_into
from crmplugin.store.record_keys import Normalise, addresses_of, contacts_of, keys_of, names_of
from crmplugin.store.tables_records import addresses, contact_links, names, record_revisions, record_versions, records

Key = tuple[str, str]
"""Collection and id."""
T = TypeVar("T")

CHUNK = 500
"""Ids in one statement; SQLite before 3.32 took 999 values."""
LOCK = ""
NAME_KINDS: Mapping[str, str] = {"companies": "company", "contacts": "contact", "products": "product"}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the entries of a batch: new, changed, as they were."""

    taken: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def total(self) -> int:
        return self.taken + self.updated + self.unchanged

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.taken + other.taken, self.updated + other.updated, self.unchanged + other.unchanged)


@dataclass(slots=True)
class Batch:
    """Documents as they were and as they are to be, while entries are laid over each other."""

    before: dict[Key, Document]
    after: dict[Key, Document] = field(default_factory=dict)
    entries: dict[Key, Counts] = field(default_factory=dict)

    def take(self, key: Key, change: Document) -> None:
        old = self.after.get(key, self.before.get(key))
        new = merge(old or {}, change)
        counted = Counts(unchanged=1) if new == old else Counts(taken=1) if old is None else Counts(updated=1)
        self.after[key] = new
        self.entries[key] = self.entries.get(key, Counts()) + counted

    def changed(self) -> list[tuple[Key, Document]]:
        """What differs from the store."""
        return [(key, doc) for key, doc in self.after.items() if doc != self.before.get(key)]

    def counts(self) -> Counts:
        """What became of the entries; those that undid each other left their record unchanged."""
        counts = Counts()
        for key, counted in self.entries.items():
            undone = self.after[key] == self.before.get(key)
            counts += Counts(unchanged=counted.total) if undone else counted
        return counts


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def encode(doc: Mapping[str, Any]) -> str:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"))


def id_of(collection: str, doc: Mapping[str, Any]) -> str:
    """The id a record is stored under; seller, policy and voice have the name of their collection."""
    return collection if collection in SINGLES else doc["id"]


def lock_writers(db: Connection, connection: str, *, now: str) -> None:
    """Makes other writers of this connection wait until this transaction ends.

    It must be the first statement: two writers that both read before they write would lose one's change, and SQLite
    refuses a transaction that read before another one wrote.
    """
    statement = insert_into(db, record_revisions).values(
        connection=connection, collection=LOCK, revision=1, changed_at=now
    )
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["connection", "collection"], set_={"revision": record_revisions.c.revision + 1}
        )
    )


def write_batch(
    db: Connection, connection: str, entries: Sequence[tuple[str, Document]], *, now: str, normalise: Normalise
) -> Counts:
    """Lays checked documents over the stored ones, in order; the caller holds the lock of `lock_writers`."""
    keys = [(collection, id_of(collection, doc)) for collection, doc in entries]
    batch = Batch(read_docs(db, connection, keys))
    for key, (_, doc) in zip(keys, entries, strict=True):
        batch.take(key, doc)
    changed = batch.changed()
    if changed:
        _write_records(db, connection, changed, now=now)
        _write_versions(db, connection, _versioned(changed, batch.before), now=now)
        _write_lookups(db, connection, changed, batch.before, normalise=normalise)
        bump_revisions(db, connection, {collection for (collection, _), _ in changed}, now=now)
    return batch.counts()


def read_docs(db: Connection, connection: str, keys: Iterable[Key]) -> dict[Key, Document]:
    """The stored documents among these keys."""
    return {(row.collection, row.id): json.loads(row.doc) for row in _rows(db, connection, keys, records.c.doc)}


def existing_keys(db: Connection, connection: str, keys: Iterable[Key]) -> set[Key]:
    """Which of these records are stored."""
    return {(row.collection, row.id) for row in _rows(db, connection, keys)}


def _rows(db: Connection, connection: str, keys: Iterable[Key], *columns: Any) -> Iterator[Any]:
    for collection, ids in group_ids(keys).items():
        statement = select(records.c.collection, records.c.id, *columns).where(
            records.c.connection == connection, records.c.collection == collection
        )
        for chunk in chunks(ids):
            yield from db.execute(statement.where(records.c.id.in_(chunk)))


def group_ids(keys: Iterable[Key]) -> dict[str, dict[str, None]]:
    """The ids of each collection, each once, in the order they came."""
    grouped: dict[str, dict[str, None]] = {}
    for collection, id_ in keys:
        grouped.setdefault(collection, {})[id_] = None
    return grouped


def _write_records(db: Connection, connection: str, changed: Sequence[tuple[Key, Document]], *, now: str) -> None:
    rows = [
        {
            "connection": connection,
            "collection": collection,
            "id": id_,
            "doc": encode(doc),
            "changed_at": now,
            **keys_of(collection, doc),
        }
        for (collection, id_), doc in changed
    ]
    db.execute(replace_into(db, records), rows)


def _versioned(
    changed: Sequence[tuple[Key, Document]], before: Mapping[Key, Document]
) -> list[tuple[Key, Document | None]]:
    return [
        (key, doc)
        for key, doc in changed
        if key[0] in OWNER_KNOWLEDGE or (key[0] == "products" and doc.get("cost") != before.get(key, {}).get("cost"))
    ]


def _write_versions(
    db: Connection, connection: str, states: Sequence[tuple[Key, Document | None]], *, now: str
) -> None:
    last = _last_versions(db, connection, [key for key, _ in states])
    rows = [
        {
            "connection": connection,
            "collection": key[0],
            "id": key[1],
            "version": last.get(key, 0) + 1,
            "doc": None if doc is None else encode(doc),
            "changed_at": now,
        }
        for key, doc in states
    ]
    if rows:
        db.execute(record_versions.insert(), rows)


def _last_versions(db: Connection, connection: str, keys: Iterable[Key]) -> dict[Key, int]:
    table, last = record_versions.c, {}
    for collection, ids in group_ids(keys).items():
        statement = select(table.id, func.max(table.version)).where(
            table.connection == connection, table.collection == collection
        )
        for chunk in chunks(ids):
            for id_, version in db.execute(statement.where(table.id.in_(chunk)).group_by(table.id)):
                last[collection, id_] = version
    return last


def _write_lookups(
    db: Connection,
    connection: str,
    changed: Sequence[tuple[Key, Document]],
    before: Mapping[Key, Document],
    *,
    normalise: Normalise,
) -> None:
    forget_lookups(db, connection, [key for key, _ in changed if key in before])
    _insert(db, contact_links, [row for key, doc in changed for row in _link_rows(connection, key, doc)])
    _insert(db, names, [row for (collection, _), doc in changed for row in _name_rows(connection, collection, doc)])
    contacts = [doc for (collection, _), doc in changed if collection == "contacts"]
    countries = _countries(db, connection, contacts)
    _insert(db, addresses, [row for doc in contacts for row in _address_rows(connection, doc, countries, normalise)])


def forget_lookups(db: Connection, connection: str, keys: Iterable[Key]) -> None:
    """Removes links, names and addresses of these records."""
    for collection, ids in group_ids(keys).items():
        for chunk in chunks(ids):
            link, name, address = contact_links.c, names.c, addresses.c
            of_record = (link.connection == connection, link.collection == collection, link.id.in_(chunk))
            db.execute(delete(contact_links).where(*of_record))
            if collection in NAME_KINDS:
                kind = name.kind == NAME_KINDS[collection]
                db.execute(delete(names).where(name.connection == connection, kind, name.record_id.in_(chunk)))
            if collection == "contacts":
                db.execute(delete(addresses).where(address.connection == connection, address.contact_id.in_(chunk)))


def _insert(db: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.execute(table.insert(), rows)


def _link_rows(connection: str, key: Key, doc: Document) -> Iterator[dict[str, Any]]:
    for place, contact_id in enumerate(contacts_of(key[0], doc)):
        yield {
            "connection": connection,
            "contact_id": contact_id,
            "collection": key[0],
            "id": key[1],
            "place": place,
        }


def _name_rows(connection: str, collection: str, doc: Document) -> Iterator[dict[str, Any]]:
    kind, owner_id, texts = names_of(collection, doc) or ("", None, ())
    for n, text in enumerate(texts):
        yield {
            "connection": connection,
            "kind": kind,
            "record_id": doc["id"],
            "n": n,
            "owner_id": owner_id,
            "text": text,
        }


def _countries(db: Connection, connection: str, contacts: Iterable[Document]) -> dict[str, str | None]:
    """The country of each company whose contact has a number but no country of its own, and of our own company."""
    unclear = [doc["company_id"] for doc in contacts if _needs_country(doc) and doc.get("company_id")]
    keys = [("companies", id_) for id_ in unclear] + [("seller", "seller")]
    return {id_: doc.get("country") for (_, id_), doc in read_docs(db, connection, keys).items()}


def _needs_country(doc: Document) -> bool:
    return bool(doc.get("phone")) and not doc.get("country")


def _address_rows(
    connection: str, doc: Document, countries: Mapping[str, str | None], normalise: Normalise
) -> Iterator[dict[str, Any]]:
    country = doc.get("country") or countries.get(doc.get("company_id") or "") or countries.get("seller")
    for kind, normalised in addresses_of(doc, country=country, normalise=normalise):
        yield {"connection": connection, "kind": kind, "normalised": normalised, "contact_id": doc["id"]}


def bump_revisions(db: Connection, connection: str, collections: Iterable[str], *, now: str) -> None:
    """Tells caches that these collections changed."""
    rows = [
        {"connection": connection, "collection": name, "revision": 1, "changed_at": now} for name in sorted(collections)
    ]
    statement = insert_into(db, record_revisions)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["connection", "collection"],
            set_={"revision": record_revisions.c.revision + 1, "changed_at": statement.excluded.changed_at},
        ),
        rows,
    )


def delete_record(db: Connection, connection: str, key: Key, *, now: str) -> bool:
    """Removes one record and what is repeated of it; whether it was there. Records that name it stay as they are."""
    table = records.c
    gone = db.execute(
        delete(records).where(table.connection == connection, tuple_(table.collection, table.id) == key)
    ).rowcount
    if not gone:
        return False
    forget_lookups(db, connection, [key])
    if key[0] in OWNER_KNOWLEDGE:
        _write_versions(db, connection, [(key, None)], now=now)
    bump_revisions(db, connection, {key[0]}, now=now)
    return True
