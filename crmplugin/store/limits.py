"""Token buckets for calls to CRMs and models, shared by every process on one database.

A bucket is one row and a call is one statement: the row says when the bucket would be full again, and a caller moves
that on. On PostgreSQL the row lies in an unlogged table and the clock is the database's. Embedded, it lies in a file of
its own that nobody waits for: a power cut may forget who called in its last moments, and an import does not hold it up.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import BindParameter, Engine, Executable, Float, bindparam, case, create_engine, event, func

from crmplugin.ports import LONGEST_WAIT_S
from crmplugin.store.database import BUSY_TIMEOUT_MS, insert_for
from crmplugin.store.guard import writing
from crmplugin.store.tables_live import limits


class SharedLimiter:
    """Implements `ports.Limiter` over one table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        postgresql = engine.dialect.name == "postgresql"
        # Each call is one statement, so on PostgreSQL it commits itself and saves two ways to the server.
        self._calling = engine.execution_options(isolation_level="AUTOCOMMIT") if postgresql else engine
        # Made once: putting a statement together takes longer than its execution.
        self._take, self._hold = _statements(engine)

    def reserve(self, key: str, *, per_second: float, burst: int) -> float:
        """Takes one call out of the bucket and gives back the seconds to wait before making it (0.0: now).

        A wait above LONGEST_WAIT_S takes nothing: come again then. Raises StoreError.
        """
        gap = 1.0 / per_second
        return self._run(self._take, {"of": key, "gap": gap, "depth": gap * (max(1, burst) - 1)})

    def hold(self, key: str, seconds: float) -> None:
        """Nobody calls for this long; a shorter hold does not end a longer one."""
        self._run(self._hold, {"of": key, "hold_s": seconds})

    def close(self) -> None:
        self._engine.dispose()

    def _run(self, statement: Executable, values: dict[str, Any]) -> float:
        with writing(self._calling) as connection:
            answer = connection.execute(statement, {**values, "clock": time.time()}).scalar_one()
        return max(0.0, float(answer))


def _statements(engine: Engine) -> tuple[Executable, Executable]:
    """Taking a call out of a bucket, and holding one; both give back seconds to wait."""
    postgresql = engine.dialect.name == "postgresql"
    now = func.extract("epoch", func.clock_timestamp()).cast(Float) if postgresql else _number("clock")
    latest = func.greatest if postgresql else func.max
    gap = _number("gap")
    full = latest(limits.c.full_at, limits.c.held_until, now)
    turn = latest(limits.c.held_until, full - _number("depth"), now)
    later = case((turn - now <= LONGEST_WAIT_S, full + gap), else_=limits.c.full_at)
    until = now + _number("hold_s")
    take = _upsert(engine, {"full_at": now + gap, "turn_at": now}, {"full_at": later, "turn_at": turn})
    hold = _upsert(engine, {"held_until": until}, {"held_until": latest(limits.c.held_until, until)})
    return take.returning(limits.c.turn_at - now), hold.returning(limits.c.held_until - now)


def _upsert(engine: Engine, first: dict[str, Any], later: dict[str, Any]) -> Any:
    nothing = dict.fromkeys(("full_at", "held_until", "turn_at"), 0.0)
    insert = insert_for(engine.dialect.name, limits).values(**{"key": bindparam("of"), **nothing, **first})
    return insert.on_conflict_do_update(index_elements=["key"], set_=later)


def _number(name: str) -> BindParameter[float]:
    return bindparam(name, type_=Float)


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
