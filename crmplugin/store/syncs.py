"""How far each CRM was read: one row a connection, moved on with every page, so that a read goes on after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Column, Engine, Integer, String, Table, Text, or_, select, update

from crmplugin.store.database import insert_into, metadata
from crmplugin.store.guard import reading, writing
from crmplugin.store.tables_work import Instant

syncs = Table(
    "syncs",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("up_to", Instant),
    Column("since", Instant),
    Column("cursor", Text),
    Column("whole", Boolean, nullable=False, default=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("pages", Integer, nullable=False, default=0),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer),
    Column("problem", Text),
    Column("held_by", String(64)),
    Column("held_until", Instant),
    Column("renew_at", Instant),
    Column("mirrored_at", Instant),
)

HELD_FOR = timedelta(seconds=20)
"""A reader that is not heard of for so long has lost its place to the next one."""


@dataclass(frozen=True, slots=True)
class SyncRow:
    """How far one connection was read.

    `up_to`: the CRM's time up to which everything is here. `since`, `cursor`, `pages`: the read that is under way or
    was interrupted (`started_at` later than `finished_at`); `whole`: it reads everything, and
    raises no events. `mirrored_at`: when everything was last read.
    """

    connection: str
    up_to: datetime | None = None
    since: datetime | None = None
    cursor: str | None = None
    whole: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pages: int = 0
    done: int = 0
    total: int | None = None
    problem: str | None = None
    renew_at: datetime | None = None
    mirrored_at: datetime | None = None

    @property
    def under_way(self) -> bool:
        """Whether a read was begun and has not come to its end."""
        return self.started_at is not None and (self.finished_at is None or self.finished_at < self.started_at)


class SyncStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, connection_name: str) -> SyncRow:
        """The row of a connection; a blank one when it was never read."""
        with reading(self._engine) as connection:
            row = connection.execute(select(*_COLUMNS).where(syncs.c.connection == connection_name)).first()
        return SyncRow(**row._mapping) if row else SyncRow(connection_name)

    def list(self) -> list[SyncRow]:
        with reading(self._engine) as connection:
            return [SyncRow(**row._mapping) for row in connection.execute(select(*_COLUMNS))]

    def hold(self, connection_name: str, holder: str, *, now: datetime) -> bool:
        """Takes the one place for a reader of this connection, or keeps it; False while somebody else has it."""
        free = or_(syncs.c.held_by.is_(None), syncs.c.held_by == holder, syncs.c.held_until < now)
        take = update(syncs).where(syncs.c.connection == connection_name, free)
        with writing(self._engine) as connection:
            blank = insert_into(connection, syncs).values(connection=connection_name, pages=0, done=0, whole=False)
            connection.execute(blank.on_conflict_do_nothing())
            return connection.execute(take.values(held_by=holder, held_until=now + HELD_FOR)).rowcount == 1

    def held_until(self, connection_name: str) -> datetime | None:
        """Until when somebody reads this connection; None while nobody does."""
        query = select(syncs.c.held_until).where(syncs.c.connection == connection_name)
        with reading(self._engine) as connection:
            found: datetime | None = connection.scalar(query)
        return found

    def leave(self, connection_name: str, holder: str) -> None:
        """Gives the place back."""
        with writing(self._engine) as connection:
            mine = (syncs.c.connection == connection_name, syncs.c.held_by == holder)
            connection.execute(update(syncs).where(*mine).values(held_by=None, held_until=None))

    def note(self, connection_name: str, **changes: Any) -> None:
        """Keeps what has changed in a row; makes it when there is none."""
        values: Mapping[str, Any] = {"connection": connection_name, "pages": 0, "done": 0, "whole": False} | changes
        with writing(self._engine) as connection:
            insert = insert_into(connection, syncs).values(**values)
            connection.execute(insert.on_conflict_do_update(index_elements=["connection"], set_=changes))


_COLUMNS = [syncs.c[field.name] for field in fields(SyncRow)]
