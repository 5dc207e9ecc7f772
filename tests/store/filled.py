"""A store with records for the tests of this folder: `take(store, deals=[{...}])`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from crmplugin.domain.crm import SINGLES, Subject
from crmplugin.domain.records import check_record
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.record_writes import Counts
from crmplugin.store.records import RecordStore

NOW = datetime(2026, 3, 11, 11, 0, tzinfo=UTC)


def open_store(url: str) -> RecordStore:
    """A store over a new database, whose clock stands at NOW."""
    engine = open_engine(url)
    migrate(engine)
    return RecordStore(engine, clock=lambda: NOW)


def take(store: RecordStore, connection: str = "local", **collections: Any) -> Counts:
    """Upserts documents given by collection; seller, policy and voice are single documents."""
    parts: Iterable[tuple[str, Mapping[str, Any]]] = [
        (name, doc) for name, docs in collections.items() for doc in ([docs] if name in SINGLES else docs)
    ]
    return store.upsert_many(connection, [(name, check_record(name, doc)) for name, doc in parts])


def ids_in(store: RecordStore, type_: Any, id_: str, *collections: str) -> dict[str, list[str]]:
    """The ids that the context of a subject has in these collections."""
    context = store.read_context("local", Subject(type_, id_))
    return {name: [record.id for record in getattr(context, name)] for name in collections}
