"""Transactions of the store. A database that is full, locked or gone is one StoreError, whoever was asking; a value
that it does not take is a UsageError.

SQLite has one writer, and who finds it busy sleeps and looks again, up to a tenth of a second each time and holding a
connection of the pool meanwhile. So the threads of one process stand in a line of our own before they ask it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, TimeoutError

from crmplugin.errors import StoreError, UsageError

TURN_TIMEOUT_S = 30.0
"""As long as SQLite itself waits for another process."""
CHANGES = ("INSERT", "UPDATE", "DELETE")
_turns: WeakKeyDictionary[Engine, threading.RLock] = WeakKeyDictionary()
_connection_first: WeakSet[Engine] = WeakSet()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading."""
    with _as_store_error(), engine.connect() as connection:
        yield connection


@contextmanager
def reading_one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection whose queries all see the same moment, whatever is written meanwhile."""
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


@contextmanager
def writing(engine: Engine, turn_timeout_s: float = TURN_TIMEOUT_S) -> Iterator[Connection]:
    """One transaction: all of it or nothing. Raises StoreError when its turn does not come in time.

    On SQLite it takes the write lock at its beginning: a transaction that reads first and writes later would fail at
    once, without waiting, when another wrote in between.
    """
    with _as_store_error(), _turn(engine, turn_timeout_s), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def take_turns(engine: Engine) -> None:
    """Lets statements of others that change something over this SQLite engine stand in the same line.

    From the first such statement of a transaction until its connection goes back to the pool. `writing` over such an
    engine takes its turn there too: a connection first, then the turn. Were it the other way round for some, who has
    the turn could wait for a connection, and all who hold one for the turn.
    """

    def take(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lstrip()[:6].upper() in (*CHANGES, "BEGIN ") and not connection.info.get("turn"):
            _take(line)
            connection.info["turn"] = True

    def give(_connection: Any, record: Any) -> None:
        if record.info.pop("turn", False):
            line.release()

    line = _line(engine)
    _connection_first.add(engine)
    event.listen(engine, "before_cursor_execute", take)
    event.listen(engine, "checkin", give)


@contextmanager
def _turn(engine: Engine, timeout_s: float) -> Iterator[None]:
    if engine.dialect.name != "sqlite" or engine in _connection_first:
        yield
        return
    line = _line(engine)
    _take(line, timeout_s)
    try:
        yield
    finally:
        line.release()


def _line(engine: Engine) -> Any:
    return _turns.setdefault(engine, threading.RLock())


def _take(line: Any, timeout_s: float = TURN_TIMEOUT_S) -> None:
    if not line.acquire(timeout=timeout_s):
        raise StoreError("the database is busy writing for too long: look at its disk, then try again")


@contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DataError as error:  # PostgreSQL alone looks at how long a text and how large a number is
        why = str(error.orig).partition("\n")[0]
        raise UsageError(f"a value cannot be kept ({why}): shorten or correct it") from error
    except (DBAPIError, TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"the database does not answer ({cause}): look at its disk and its connection") from error
