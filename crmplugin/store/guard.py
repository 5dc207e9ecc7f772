"""Transactions of the store. A database that is full, locked or gone is one StoreError, whoever was asking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError

from crmplugin.errors import StoreError


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
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction: all of it or nothing.

    On SQLite it takes the write lock at its beginning: a transaction that reads first and writes later would fail at
    once, without waiting, when another wrote in between.
    """
    with _as_store_error(), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"the database does not answer ({cause}): look at its disk and its connection") from error
