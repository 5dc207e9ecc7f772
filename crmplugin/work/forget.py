"""Takes what names a person out of what the engine remembers of its jobs: answers of steps, results, reasons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from sqlalchemy import Connection, Engine, MetaData, Table, Text, cast, inspect, or_, select, update

REMEMBERED = {
    "workflow_status": ("output", "error", "inputs", "attributes", "request"),
    "operation_outputs": ("output", "error"),
    "workflow_input": ("inputs",),
    "workflow_output": ("output", "error"),
    "workflow_events": ("value",),
    "workflow_events_history": ("value",),
    "streams": ("value",),
    "notifications": ("message",),
}
"""The engine's tables and those of their columns that hold what our code gave; versions of it have not all of them."""
PAGE = 500


def forget_in_jobs(engine: Engine, drafts: Collection[str], clean: Callable[[str], str], marks: Collection[str]) -> int:
    """Deletes what the steps of these drafts gave, and the marks everywhere else; gives back how many values."""
    with engine.begin() as db:
        tables = list(_tables(db))
        return sum(_forget_steps(db, table, drafts) for table in tables) + sum(
            _clean(db, table, clean, marks) for table in tables
        )


def tidy_jobs(engine: Engine) -> None:
    """Overwrites what deleted rows left in the file; on PostgreSQL the main database's own tidying covers it."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as db:
        raw = db.connection.dbapi_connection
        assert raw is not None
        raw.commit()
        level, raw.isolation_level = raw.isolation_level, None
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.isolation_level = level


def _tables(db: Connection) -> Iterator[Table]:
    schema = None if db.dialect.name == "sqlite" else "dbos"
    there = set(inspect(db).get_table_names(schema=schema))
    found = MetaData(schema=schema)
    for name in REMEMBERED:
        if name in there:
            yield Table(name, found, autoload_with=db)


def _forget_steps(db: Connection, table: Table, drafts: Collection[str]) -> int:
    """Steps of a draft's job gave texts: they go whole. A job that still runs has found its draft at its end."""
    if table.name != "operation_outputs":
        return 0
    ids = [table.c.workflow_uuid.like(f"draft/{draft}/%") for draft in drafts]
    return sum(db.execute(table.delete().where(or_(*ids[n : n + PAGE]))).rowcount for n in range(0, len(ids), PAGE))


def _clean(db: Connection, table: Table, clean: Callable[[str], str], marks: Collection[str]) -> int:
    changed = 0
    for name in REMEMBERED[table.name]:
        if name not in table.c or not marks:
            continue
        column, key = cast(table.c[name], Text), list(table.primary_key)
        holds = or_(*(column.icontains(mark, autoescape=True) for mark in marks))
        for row in db.execute(select(*key, column.label("_text")).where(holds)).all():
            where = [one == value for one, value in zip(key, row, strict=False)]
            db.execute(update(table).where(*where).values({name: clean(row._mapping["_text"])}))
            changed += 1
    return changed
