"""Databases of every revision of the schema, as they were stored when it was the newest: `schemas/<revision>.sql`.

`python -m tests.store.stored_schemas` stores those that are missing. One that is there is never made anew: it stands
for the installations that have it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, Table, create_engine, inspect

from crmplugin.store.database import revisions, upgrade

FOLDER = Path(__file__).parent / "schemas"
ROWS = 2


def value_of(column: Column[Any], n: int) -> Any:
    """A value that fits a column, another one in each row."""
    if isinstance(column.type, JSON):
        return {"n": n, "text": f'{column.name} "{n}" ü'}
    if isinstance(column.type, Boolean):
        return bool(n % 2)
    if isinstance(column.type, (Integer, Float)):
        return n
    if column.name == "at" or column.name.endswith(("_at", "since", "_until", "up_to")):
        return f"2026-03-1{n}T14:05:00.000000Z"
    if column.nullable and n % 2:
        return None
    return f"{column.name}-{n}-ü"[: getattr(column.type, "length", None) or 99]


def store(revision: str) -> Path:
    """Makes a database of a revision with rows in every table, and writes it down as SQL."""
    path = FOLDER / f"{revision}.sql"
    with TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/old.sqlite")
        with engine.begin() as db:
            upgrade(db, revision)
            tables = MetaData()
            for name in sorted(set(inspect(db).get_table_names()) - {"alembic_version"}):
                table = Table(name, tables, autoload_with=db)
                for n in range(1, ROWS + 1):
                    db.execute(table.insert().values({c.name: value_of(c, n) for c in table.columns}))
        engine.dispose()
        with closing(sqlite3.connect(f"{folder}/old.sqlite")) as raw:
            path.write_text("\n".join(raw.iterdump()) + "\n", "utf-8")
    return path


def stored() -> list[str]:
    """The revisions that have a stored database, oldest first."""
    return [revision for revision in revisions() if (FOLDER / f"{revision}.sql").exists()]


def rebuild(revision: str, target: Path) -> None:
    """The stored database as a file."""
    with closing(sqlite3.connect(target)) as raw:
        raw.executescript((FOLDER / f"{revision}.sql").read_text("utf-8"))


def rows_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of a database by table, as plain values."""
    with closing(sqlite3.connect(path)) as raw:
        raw.row_factory = sqlite3.Row
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        names = {r[0] for r in raw.execute(query)} - {"alembic_version"}
        return {n: [dict(row) for row in raw.execute(f'SELECT * FROM "{n}" ORDER BY 1, 2')] for n in sorted(names)}


if __name__ == "__main__":
    for missing in [revision for revision in revisions() if revision not in stored()]:
        print(store(missing))
