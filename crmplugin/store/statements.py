"""Statements that are made once and run with their values: putting one together takes longer than running it."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Select, Table, Update, bindparam, select, update

from crmplugin.store.database import insert_for

KEY, NEW = "key_", "new_"


@cache
def new_row(table: Table) -> Any:
    """An insert; its values are given by the names of the columns."""
    return table.insert()


@cache
def new_row_once(dialect: str, table: Table, *returning: str) -> Any:
    """An insert that leaves a row which is there as it is, and gives these columns back of one that was not."""
    statement = insert_for(dialect, table).on_conflict_do_nothing()
    return statement.returning(*(table.c[name] for name in returning)) if returning else statement


@cache
def row_where(table: Table, *keys: str) -> Select[Any]:
    """The rows whose columns `keys` are what `keyed` gives."""
    return select(table).where(*(table.c[name] == bindparam(KEY + name) for name in keys))


@cache
def change_where(table: Table, keys: tuple[str, ...], changed: tuple[str, ...]) -> Update:
    """Changes columns of the rows whose columns `keys` are what `keyed` gives; the new values are `renewed`'s."""
    statement = update(table).where(*(table.c[name] == bindparam(KEY + name) for name in keys))
    return statement.values({name: bindparam(NEW + name, type_=table.c[name].type) for name in changed})


def keyed(**values: Any) -> dict[str, Any]:
    """Values to look for."""
    return {KEY + name: value for name, value in values.items()}


def renewed(**values: Any) -> dict[str, Any]:
    """Values to keep."""
    return {NEW + name: value for name, value in values.items()}
