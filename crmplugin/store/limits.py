"""Token buckets for calls to CRMs and models, shared by every process on one database.

A bucket is one row and a call is one statement: the row says when the bucket would be full again, and a caller moves
that on. On PostgreSQL the row lies in an unlogged table and the clock is the database's. Embedded, it lies in a file of
its own that nobody waits for: a power cut may forget who called in its last moments, and an import does not hold it up.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, Float, case, create_engine, event, func, literal

from crmplugin.ports import LONGEST_WAIT_S
from crmplugin.store.database import BUSY_TIMEOUT_MS, insert_into
from crmplugin.store.guard import writing
from crmplugin.store.tables_live import limits


class SharedLimiter:
    """Implements `ports.Limiter` over one table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._postgresql = engine.dialect.name == "postgresql"
        # Each call is one statement, so on PostgreSQL it commits itself and saves two ways to the server.
        self._calling = engine.execution_options(isolation_level="AUTOCOMMIT") if self._postgresql else engine

    def reserve(self, key: str, *, per_second: float, burst: int) -> float:
        """Takes one call out of the bucket and gives back the seconds to wait before making it (0.0: now).

        A wait above LONGEST_WAIT_S takes nothing: come again then. Raises StoreError.
        """
        now, latest = self._now(), self._latest
        gap = 1.0 / per_second
        depth = gap * (max(1, burst) - 1)
        full = latest(limits.c.full_at, limits.c.held_until, now)
        turn = latest(limits.c.held_until, full - depth, now)
        near = turn - now <= LONGEST_WAIT_S
        changes = {"full_at": case((near, full + gap), else_=limits.c.full_at), "turn_at": turn}
        row = {"key": key, "full_at": now + gap, "held_until": literal(0.0), "turn_at": now}
        return max(0.0, self._upsert(row, changes, limits.c.turn_at - self._now()))

    def hold(self, key: str, seconds: float) -> None:
        """Nobody calls for this long; a shorter hold does not end a longer one."""
        until = self._now() + seconds
        row = {"key": key, "full_at": literal(0.0), "held_until": until, "turn_at": literal(0.0)}
        self._upsert(row, {"held_until": self._latest(limits.c.held_until, until)}, limits.c.held_until)

    def close(self) -> None:
        self._engine.dispose()

    def _upsert(self, row: dict[str, Any], changes: dict[str, Any], answer: ColumnElement[float]) -> float:
        with writing(self._calling) as connection:
            insert = insert_into(connection, limits).values(**row)
            insert = insert.on_conflict_do_update(index_elements=["key"], set_=changes)
            return float(connection.execute(insert.returning(answer)).scalar_one())

    def _now(self) -> ColumnElement[float]:
        if self._postgresql:
            return func.extract("epoch", func.clock_timestamp()).cast(Float)
        return literal(time.time())

    @property
    def _latest(self) -> Any:
        return func.greatest if self._postgresql else func.max


def open_limiter(engine: Engine, folder: Path) -> SharedLimiter:
    """The limiter of a database; embedded, over `limits.sqlite` in this folder."""
    if engine.dialect.name == "postgresql":
        return SharedLimiter(engine)
    folder.mkdir(parents=True, exist_ok=True)
    own = create_engine(f"sqlite:///{folder}/limits.sqlite", connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(own, "connect", _without_waiting)
    limits.create(own, checkfirst=True)
    return SharedLimiter(own)


def _without_waiting(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
