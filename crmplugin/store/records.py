"""The records of every connection: the local CRM itself, the mirror of others, and what their owner laid down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select, true

from crmplugin.domain.crm import Context, Order, Seller, Subject
from crmplugin.domain.records import Document, build, check_record
from crmplugin.ports import Name, Population
from crmplugin.store.account import fetch
from crmplugin.store.context import read_context
from crmplugin.store.fits import fitted_at, load_population, save_population
from crmplugin.store.guard import reading, writing
from crmplugin.store.owner import join_owner
from crmplugin.store.purchases import dealing_of, purchase_of
from crmplugin.store.record_keys import LOOSE_CONTACT, Normalise, instant_of, plain_address, sortable
from crmplugin.store.record_writes import (
    Counts,
    Key,
    bump_revisions,
    delete_record,
    existing_keys,
    lock_writers,
    write_batch,
)
from crmplugin.store.search import find_subjects
from crmplugin.store.shared import SHARED, Shared, read_products, read_shared
from crmplugin.store.tables_records import (
    addresses,
    contact_links,
    imports,
    names,
    record_revisions,
    record_versions,
    records,
)

POPULAR = 250
"""Products that most accounts bought: they come first into the bounded catalogue of a context."""
PAGE = 1_000
MANY = 1_000
"""Records of one import after which PostgreSQL counts its tables anew."""
GROWING = (records.name, contact_links.name, names.name, addresses.name)

REVISIONS = select(record_revisions.c.collection, record_revisions.c.revision).where(
    record_revisions.c.connection == bindparam("connection")
)


def utc_now() -> datetime:
    return datetime.now(UTC)


class RecordStore:
    """Implements `ports.Records`. Every method takes the connection first and sees nothing of another one.

    normalise_address: how two addresses are compared to be the same (`record_keys.Normalise`).
    """

    def __init__(
        self, engine: Engine, *, normalise_address: Normalise = plain_address, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._engine, self._normalise, self._clock = engine, normalise_address, clock
        self._shared: dict[str, tuple[Any, Shared]] = {}
        self._populations: dict[str, tuple[str | None, Population]] = {}

    def close(self) -> None:
        """Gives the database connections back."""
        self._engine.dispose()

    def read_context(self, connection: str, subject: Subject, *, crm: str = "local") -> Context:
        """Everything about one subject, of its account alone. Raises NotFound naming type, id and connection."""
        with self._snapshot() as db:
            shared = self._read_shared(db, connection)
            return read_context(db, connection, subject, shared=shared, crm=crm, now=self._clock())

    def names(self, connection: str) -> Iterable[Name]:
        """Names of companies (aliases too), contacts and products (aliases and sku too), in a stable order."""
        column = names.c
        statement = (
            select(column.kind, column.record_id, column.owner_id, column.text)
            .where(column.connection == connection)
            .order_by(column.kind, column.record_id, column.n)
        )
        with reading(self._engine) as db:
            return [Name(*row) for row in db.execute(statement)]

    def revision(self, connection: str) -> int:
        """A number that grows whenever a name or a fit may have changed: for whoever keeps something made of them."""
        with reading(self._engine) as db:
            found = _revisions(db, connection)
        return sum(found.get(name, 0) for name in ("companies", "contacts", "products", "fits"))

    def shared(self, connection: str) -> Shared:
        """Our company, its rules and its knowledge: what the owner laid down for any connection, and the catalogue."""
        with self._snapshot() as db:
            return self._read_shared(db, connection)

    def join_owner(self, connection: str, context: Context) -> Context:
        """A context read from a CRM, with what its owner laid down for the connection."""
        with self._snapshot() as db:
            shared = self._read_shared(db, connection)
            known = read_products(db, connection, [product.id for product in context.products])
        return join_owner(context, shared, known)

    def seller(self, connection: str) -> Seller:
        """Our own company; an empty one when nobody said."""
        return self.shared(connection).seller

    def population(self, connection: str) -> Population:
        """What was learned over all accounts; empty until `journeys.fit` has run."""
        with reading(self._engine) as db:
            return self._read_population(db, connection)

    def find_by_source(self, connection: str, source: str) -> str | None:
        """The id of the activity whose `source` is this marker, if one exists."""
        statement = select(records.c.id).where(records.c.connection == connection, records.c.source == source)
        with reading(self._engine) as db:
            found: str | None = db.execute(statement.order_by(records.c.id).limit(1)).scalar()
            return found

    def read_one(self, connection: str, collection: str, id_: str) -> Any:
        """One record, or None. Seller, policy and voice have the name of their collection as id."""
        doc = self.read_doc(connection, collection, id_)
        return None if doc is None else build(collection, doc)

    def read_doc(self, connection: str, collection: str, id_: str) -> Document | None:
        """One record as it was given, `x_` keys too, or None."""
        key = (collection, id_)
        with reading(self._engine) as db:
            row = fetch(db, connection, [key]).get(key)
        return row.doc if row else None

    def search(self, connection: str, text: str, *, limit: int = 20) -> list[tuple[str, Any]]:
        """(collection, record) of the deals, companies and contacts called so; deals first."""
        with reading(self._engine) as db:
            return find_subjects(db, connection, text, limit=limit)

    def existing_ids(self, connection: str, collection: str, ids: Iterable[str]) -> set[str]:
        """Which of these ids are stored."""
        return {id_ for _, id_ in self.existing_keys(connection, ((collection, id_) for id_ in ids))}

    def existing_keys(self, connection: str, keys: Iterable[Key]) -> set[Key]:
        """Which of these (collection, id) are stored."""
        with reading(self._engine) as db:
            return existing_keys(db, connection, keys)

    def iterate(self, connection: str, collection: str) -> Iterator[Any]:
        """Every record of a collection by id, without holding them all."""
        return (build(collection, doc) for doc in self.iterate_docs(connection, collection))

    def iterate_docs(self, connection: str, collection: str) -> Iterator[Document]:
        """Every document of a collection by id, as it was given."""
        statement = select(records.c.doc).where(records.c.connection == connection, records.c.collection == collection)
        statement = statement.order_by(records.c.id).execution_options(yield_per=PAGE)
        with reading(self._engine) as db, db.execute(statement) as rows:
            for (doc,) in rows:
                yield json.loads(doc)

    def iterate_purchases(self, connection: str) -> Iterator[tuple[str, list[Order]]]:
        """The orders of one account after the other, as far as what was bought and when: id, time, products, signs.

        The account is a company's id, or `contact:` and an id. A quantity is 1, or -1 where it is a return.
        """
        return self._by_account(connection, purchase_of)

    def iterate_dealings(self, connection: str) -> Iterator[tuple[str, list[Order]]]:
        """As `iterate_purchases`, with currency, sum and the quantities as they are."""
        return self._by_account(connection, dealing_of)

    def _by_account(self, connection: str, read: Callable[[Document], Order]) -> Iterator[tuple[str, list[Order]]]:
        statement = orders_by_account(connection).execution_options(yield_per=PAGE)
        with reading(self._engine) as db, db.execute(statement) as rows:
            for account, group in groupby(rows, key=lambda row: row.account):
                yield account, [read(json.loads(row.doc)) for row in group]

    def counts(self, connection: str) -> dict[str, int]:
        """How many records each collection holds."""
        statement = (
            select(records.c.collection, func.count())
            .where(records.c.connection == connection)
            .group_by(records.c.collection)
            .order_by(records.c.collection)
        )
        with reading(self._engine) as db:
            return {row[0]: row[1] for row in db.execute(statement)}

    def versions(self, connection: str, collection: str, id_: str) -> list[tuple[int, datetime, Document | None]]:
        """Every state of an owner's rule: number from 1, when it came, the document (None: removed)."""
        column = record_versions.c
        statement = select(column.version, column.changed_at, column.doc).where(
            column.connection == connection, column.collection == collection, column.id == id_
        )
        with reading(self._engine) as db:
            rows = db.execute(statement.order_by(column.version))
            return [(n, instant_of(at), None if doc is None else json.loads(doc)) for n, at, doc in rows]

    def upsert_many(self, connection: str, batch: Iterable[tuple[str, Document]]) -> Counts:
        """Lays checked documents (`domain.records.check_record`) over the stored ones, in one transaction."""
        entries = list(batch)
        now = sortable(self._clock())
        with writing(self._engine) as db:
            lock_writers(db, connection, now=now)
            return write_batch(db, connection, entries, now=now, normalise=self._normalise)

    def add_activity(self, connection: str, activity: Mapping[str, Any]) -> str:
        """Stores an activity of our own making by id; the same id again changes nothing. Raises RecordProblem."""
        doc = check_record("activities", dict(activity))
        now = sortable(self._clock())
        with writing(self._engine) as db:
            lock_writers(db, connection, now=now)
            if not existing_keys(db, connection, [("activities", doc["id"])]):
                write_batch(db, connection, [("activities", doc)], now=now, normalise=self._normalise)
        return str(doc["id"])

    def delete(self, connection: str, collection: str, id_: str) -> bool:
        """Removes a record; whether it was there. Records that name it stay."""
        now = sortable(self._clock())
        with writing(self._engine) as db:
            lock_writers(db, connection, now=now)
            return delete_record(db, connection, (collection, id_), now=now)

    def note_import(self, connection: str, counts: Counts, *, refused: int) -> None:
        """Remembers that an import ended now, with what came in."""
        row = {
            "connection": connection,
            "at": sortable(self._clock()),
            "taken": counts.taken,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
            "refused": refused,
        }
        with writing(self._engine) as db:
            db.execute(imports.insert(), row)
            if db.dialect.name == "postgresql" and counts.taken + counts.updated >= MANY:
                # PostgreSQL would look at its tables anew within minutes, and choose plans for empty ones until then.
                db.exec_driver_sql(f"ANALYZE {', '.join(GROWING)}")

    def save_population(self, connection: str, population: Population) -> None:
        """Replaces what was learned over all accounts."""
        now = self._clock()
        with writing(self._engine) as db:
            save_population(db, connection, population, now=now)
            bump_revisions(db, connection, {"fits"}, now=sortable(now))

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A connection whose queries all see the same moment."""
        with reading(self._engine) as db:
            if db.dialect.name == "postgresql":
                db.execution_options(isolation_level="REPEATABLE READ")
            else:
                db.exec_driver_sql("BEGIN")
            yield db

    def _read_shared(self, db: Connection, connection: str) -> Shared:
        revisions = _revisions(db, connection)
        stamp = {name: n for name, n in revisions.items() if name in SHARED or name == "fits"}
        kept = self._shared.get(connection)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        population = self._read_population(db, connection)
        popular = sorted(population.bought_by, key=lambda id_: (-population.bought_by[id_], id_))[:POPULAR]
        shared = read_shared(db, connection, popular=popular)
        self._shared[connection] = stamp, shared
        return shared

    def _read_population(self, db: Connection, connection: str) -> Population:
        stamp = fitted_at(db, connection)
        kept = self._populations.get(connection)
        if kept is None or kept[0] != stamp:
            kept = stamp, load_population(db, connection)
            self._populations[connection] = kept
        return kept[1]


def _revisions(db: Connection, connection: str) -> dict[str, int]:
    rows = db.execute(REVISIONS, {"connection": connection})
    return {row.collection: row.revision for row in rows}


def orders_by_account(connection: str, accounts: Sequence[str] | None = None) -> Any:
    """Orders with the account they belong to: their company, else their deal's or contact's, else the contact.

    All of the connection, or of these accounts.
    """
    deal, contact, link = records.alias("deal"), records.alias("contact"), contact_links
    account = func.coalesce(
        records.c.company_id, deal.c.company_id, contact.c.company_id, LOOSE_CONTACT + link.c.contact_id
    )
    return (
        select(account.label("account"), records.c.doc)
        .outerjoin(
            deal,
            (deal.c.connection == connection) & (deal.c.collection == "deals") & (deal.c.id == records.c.deal_id),
        )
        .outerjoin(
            link,
            (link.c.connection == connection) & (link.c.collection == "orders") & (link.c.id == records.c.id),
        )
        .outerjoin(
            contact,
            (contact.c.connection == connection)
            & (contact.c.collection == "contacts")
            & (contact.c.id == link.c.contact_id),
        )
        .where(records.c.connection == connection, records.c.collection == "orders", account.is_not(None))
        .where(account.in_(accounts) if accounts is not None else true())
        .order_by(account)
    )
