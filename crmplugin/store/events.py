"""Events in the database: kept for ever, one row per (connection, id), with what became of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, func, select, text

from crmplugin.domain.event import Event
from crmplugin.errors import NotFound, StateConflict
from crmplugin.store.guard import reading, writing
from crmplugin.store.paging import Page, after, page_of
from crmplugin.store.statements import change_where, keyed, new_row_once, renewed, row_where
from crmplugin.store.tables_work import events, stored_instant

KEYS = ("connection", "id")
POLLED = "poll-"
"""Begins the id of an event that a read of the CRM told and not the CRM's own call."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as stored; `document` is the event in our words with the CRM's own payload under `raw`."""

    connection: str
    id: str
    type: str
    state: str
    received_at: datetime
    document: Mapping[str, Any]
    reason: str | None = None
    at: datetime | None = None
    attempts: int = 0


class EventStore:
    """Reading and writing of events. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, rows: Sequence[EventRow]) -> list[bool]:
        """Adds events, each (connection, id) once in `rows`; for each whether it was new."""
        if not rows:
            return []
        values = [{name: getattr(row, name) for name in EventRow.__slots__} for row in rows]
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                added = connection.execute(_ADD, {"rows": json.dumps([_plain(row) for row in values])}).all()
            else:
                added = connection.execute(new_row_once("sqlite", events, *KEYS), values).all()
        new = {(row.connection, row.id) for row in added}
        return [(row.connection, row.id) in new for row in rows]

    def get(self, connection_name: str | None, event_id: str) -> EventRow:
        """One event. Without a connection: NotFound, or StateConflict when two connections have that id."""
        query = select(events).where(events.c.id == event_id)
        if connection_name is not None:
            query = query.where(events.c.connection == connection_name)
        with reading(self._engine) as connection:
            rows = connection.execute(query.limit(2)).all()
        if not rows:
            raise NotFound(f"there is no event {event_id}; list them with GET /api/v1/events")
        if len(rows) > 1:
            names = " and ".join(sorted(r.connection for r in rows))
            raise StateConflict(f"event {event_id} came from {names}: say which with ?connection=")
        return _row(rows[0])

    def find(self, connection_name: str, event_id: str) -> EventRow | None:
        with reading(self._engine) as connection:
            row = connection.execute(row_where(events, *KEYS), _key(connection_name, event_id)).first()
        return _row(row) if row else None

    def known(self, connection_name: str, ids: Collection[str]) -> dict[str, str]:
        """The states of those ids that are there already."""
        query = select(events.c.id, events.c.state).where(events.c.connection == connection_name, events.c.id.in_(ids))
        with reading(self._engine) as connection:
            return {row.id: row.state for row in connection.execute(query)}

    def told(self, connection_name: str, asked: Sequence[Event], *, within: timedelta) -> set[str]:
        """The ids of those events whose change another event has told: same type and object, and not earlier.

        `within`: how much earlier the other may say that it happened and still mean the same change.
        """
        if not asked:
            return set()
        earliest = min(event.at for event in asked) - within
        key = events.c.document["object"]
        query = select(events.c.id, events.c.type, key["type"].as_string(), key["id"].as_string(), events.c.at).where(
            events.c.connection == connection_name, events.c.at >= earliest
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        newest: dict[tuple[str, str, str], list[tuple[str, datetime]]] = {}
        for id_, *about, at in rows:
            newest.setdefault((about[0], about[1], about[2]), []).append((id_, at))
        return {event.id for event in asked if _is_told(event, newest, within)}

    def polled(self, row: EventRow, *, within: timedelta) -> str | None:
        """The id of the event by which a read of the CRM has told what this event of a webhook tells."""
        about = row.document.get("object") or {}
        if row.at is None or not about or row.id.startswith(POLLED):
            return None
        key = events.c.document["object"]
        query = select(events.c.id).where(
            events.c.connection == row.connection,
            events.c.type == row.type,
            events.c.at.between(row.at - within, row.at + within),
            events.c.id.startswith(POLLED, autoescape=True),
            key["type"].as_string() == about.get("type"),
            key["id"].as_string() == about.get("id"),
        )
        with reading(self._engine) as connection:
            found: str | None = connection.scalar(query.limit(1))
        return found

    def start(self, connection_name: str, event_id: str) -> EventRow:
        """Marks an event as being worked on and counts the attempt."""
        with writing(self._engine) as connection:
            row = connection.execute(_START, _key(connection_name, event_id)).first()
        if row is None:
            raise NotFound(f"there is no event {event_id} of {connection_name}")
        return _row(row)

    def settle(self, connection_name: str, event_id: str, state: str, reason: str | None = None) -> None:
        """Says what became of an event: done, ignored or dead, with the reason in words."""
        values = _key(connection_name, event_id) | renewed(state=state, reason=reason)
        with writing(self._engine) as connection:
            connection.execute(change_where(events, KEYS, ("state", "reason")), values)

    def waiting(self, *, before: datetime, state: str = "stored", limit: int = 500) -> tuple[EventRow, ...]:
        """Events that came before a moment and have not been worked on, or (`working`) not to the end; oldest first."""
        query = select(events).where(events.c.state == state, events.c.received_at < before)
        with reading(self._engine) as connection:
            return tuple(_row(r) for r in connection.execute(query.order_by(events.c.received_at).limit(limit)))

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        connections: Collection[str] | None = None,
        connection: str | None = None,
        type: str | None = None,
        state: str | None = None,
    ) -> Page[EventRow]:
        """Events, newest first."""
        conditions: list[Any] = [] if connections is None else [events.c.connection.in_(connections)]
        for column, value in ((events.c.connection, connection), (events.c.type, type), (events.c.state, state)):
            conditions += [] if value is None else [column == value]
        query = select(events).where(*conditions, *after(cursor, events.c.received_at, events.c.id))
        query = query.order_by(events.c.received_at.desc(), events.c.id.desc()).limit(limit + 1)
        with reading(self._engine) as opened:
            rows = [_row(r) for r in opened.execute(query)]
        return page_of(rows, limit, lambda r: (r.received_at, r.id))

    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many events there are by (connection, type, state)."""
        keys = (events.c.connection, events.c.type, events.c.state)
        with reading(self._engine) as connection:
            rows = connection.execute(select(*keys, func.count()).group_by(*keys)).all()
        return {(r[0], r[1], r[2]): r[3] for r in rows}


def _is_told(
    event: Event, newest: Mapping[tuple[str, str, str], Sequence[tuple[str, datetime]]], within: timedelta
) -> bool:
    assert event.object is not None
    others = newest.get((event.type, event.object.type, event.object.id), ())
    return any(id_ != event.id and at >= event.at - within for id_, at in others)


def _key(connection_name: str, event_id: str) -> dict[str, Any]:
    return keyed(connection=connection_name, id=event_id)


_ADD = text(
    "INSERT INTO events (connection, id, type, state, reason, at, received_at, attempts, document)"
    " SELECT connection, id, type, state, reason, at, received_at, attempts, document"
    " FROM json_to_recordset(CAST(:rows AS json)) AS new (connection text, id text, type text, state text,"
    " reason text, at text, received_at text, attempts integer, document json)"
    " ON CONFLICT DO NOTHING RETURNING connection, id"
)
"""All rows as one value: a statement for each number of rows is put together anew by SQLAlchemy, and by PostgreSQL."""


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's values as the database keeps them."""
    return {name: stored_instant(value) if isinstance(value, datetime) else value for name, value in row.items()}


_START = (
    change_where(events, KEYS, ())
    .values(state="working", attempts=events.c.attempts + 1, reason=None)
    .returning(*events.c)
)


def _row(row: Row[Any]) -> EventRow:
    return EventRow(**row._mapping)
