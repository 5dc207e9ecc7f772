"""The whole database as tables of plain rows, and back: the same on SQLite and PostgreSQL.

Reading sees one moment while others go on writing. Loading is one transaction into an empty database: the schema as it
was, the rows, a look whether they are the same, then the way to today's schema. Tables are found by running the
migrations, so that a new table needs nothing here.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, create_engine, func, inspect, select, text
from sqlalchemy import update as update_rows
from sqlalchemy.exc import DBAPIError, NoSuchTableError
from sqlalchemy.pool import StaticPool

from crmplugin.domain.draft import MOVES
from crmplugin.errors import StateConflict, StoreError, UsageError
from crmplugin.store.archive import Digest, digest_of
from crmplugin.store.database import APPLICATION, insert_into, open_engine, read_revision, revisions, upgrade
from crmplugin.store.guard import reading, reading_one_moment
from crmplugin.store.inbox import SCHEMA as INBOX_SCHEMA
from crmplugin.store.tables_work import drafts, events, ledger

PAGE = 1_000
OF_NO_WEIGHT = frozenset({"sign_in_links", "sessions", "leases", "limits"})
"""Tables that a server fills by merely starting: rows in them do not make a database one that is in use."""
WRITE = "write"
"""The ledger's action for putting a draft into its CRM."""


class Codec(NamedTuple):
    """How a value that JSON does not know is written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


CODECS: Mapping[type, Codec] = {
    bytes: Codec(lambda v: base64.b64encode(v).decode(), base64.b64decode),
    Decimal: Codec(str, Decimal),
    datetime: Codec(datetime.isoformat, datetime.fromisoformat),
    date: Codec(date.isoformat, date.fromisoformat),
}


class Snapshot:
    """One moment of a database. Rows come as lines of JSON, in no particular order."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        found = read_revision(db)
        if found is None:
            raise UsageError("this database has no tables of crmplugin: look at CRMPLUGIN_DATABASE_URL")
        self.revision: str = found
        check_revision(found, "this database")
        self._tables = _reflect(db, table_names(found))

    @property
    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of each table."""
        return {name: tuple(column.name for column in table.columns) for name, table in self._tables.items()}

    def lines(self, name: str) -> Iterator[bytes]:
        """Every row of a table."""
        return _lines(self._db, self._tables[name])

    def count(self, name: str) -> int:
        """How many rows the database says a table has."""
        return self._db.execute(select(func.count()).select_from(self._tables[name])).scalar_one()


@contextmanager
def open_snapshot(url: str) -> Iterator[Snapshot]:
    """The database as it is now, whatever is written meanwhile. Raises UsageError when it is none of ours."""
    engine = open_engine(url)
    try:
        with reading_one_moment(engine) as db:
            yield Snapshot(db)
    finally:
        engine.dispose()


class Loader:
    """An empty database that is being filled."""

    def __init__(self, db: Connection, tables: Mapping[str, Table]) -> None:
        self._db, self._tables = db, tables

    def load(self, name: str, columns: Sequence[str], lines: Iterable[bytes]) -> None:
        """Adds the rows of a table. Raises UsageError for a table or column that the schema does not have."""
        table = self._tables.get(name)
        if table is None or not set(columns) <= set(table.columns.keys()):
            raise UsageError(f"the backup has a table {name} ({', '.join(columns)}) that its schema does not know")
        readers = [_codec(table.columns[column]) for column in columns]
        rest = iter(lines)
        while page := [_row(columns, readers, line) for line in islice(rest, PAGE)]:
            self._db.execute(table.insert(), page)
        _set_sequence(self._db, table)

    def digest(self, name: str) -> Digest:
        """What stands in a table now."""
        return digest_of(_lines(self._db, self._tables[name]))


@contextmanager
def open_loader(url: str, revision: str) -> Iterator[Loader]:
    """A transaction on an empty database, at a revision of the schema; its end brings it to today's.

    Raises StateConflict when the database is not empty, or when somebody works with it.
    """
    engine = open_engine(url)
    try:
        with _as_sentence(), engine.begin() as db:
            _clear(db)
            upgrade(db, revision)
            yield Loader(db, _reflect(db, table_names(revision)))
            upgrade(db)
            _make_ready(db)
    finally:
        engine.dispose()


def check_revision(revision: str, what: str) -> None:
    """Raises UsageError for a revision of the schema that only a newer version knows."""
    known = revisions()
    if revision not in known:
        sentence = f"{what} has the schema {revision}, this version knows up to {known[-1]}: install the newer version"
        raise UsageError(sentence)


def table_names(revision: str) -> tuple[str, ...]:
    """The tables that a revision of the schema has, as its migrations make them."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.begin() as db:
            upgrade(db, revision)
            return tuple(sorted(set(inspect(db).get_table_names()) - {"alembic_version"}))
    finally:
        engine.dispose()


def _reflect(db: Connection, names: Sequence[str]) -> dict[str, Table]:
    found = MetaData()
    try:
        return {name: Table(name, found, autoload_with=db) for name in names}
    except NoSuchTableError as error:
        raise StoreError(f"the database has no table {error}: its schema was changed by hand") from error


def _lines(db: Connection, table: Table) -> Iterator[bytes]:
    writers = [_codec(column) for column in table.columns]
    coded = [n for n, codec in enumerate(writers) if codec]
    with db.execute(select(table).execution_options(yield_per=PAGE)) as rows:
        for row in rows:
            values = list(row)
            for n in coded:
                values[n] = None if values[n] is None else writers[n].write(values[n])  # type: ignore[union-attr]
            yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _row(columns: Sequence[str], codecs: Sequence[Codec | None], line: bytes) -> dict[str, Any]:
    values = json.loads(line)
    given = zip(columns, codecs, values, strict=True)
    return {name: value if codec is None or value is None else codec.read(value) for name, codec, value in given}


def _codec(column: Column[Any]) -> Codec | None:
    try:
        return CODECS.get(column.type.python_type)
    except NotImplementedError:
        return None


def _clear(db: Connection) -> None:
    """Makes sure that the database is empty and takes away its empty tables, which may have another schema."""
    revision = read_revision(db)
    if db.dialect.name == "postgresql":
        _check_alone(db)
    if revision is None:
        return
    check_revision(revision, "the database to restore into")
    tables = _reflect(db, table_names(revision))
    for name in tables.keys() - OF_NO_WEIGHT:
        if db.execute(select(tables[name]).limit(1)).first() is not None:
            raise StateConflict(f"the database is not empty (it has {name}): restore into a new one")
    for table in tables.values():
        table.drop(db)
    db.exec_driver_sql("DROP TABLE alembic_version")


def _check_alone(db: Connection) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
    others = db.execute(text(f"{query} AND pid <> pg_backend_pid()"), {"name": APPLICATION}).scalar_one()
    if others:
        raise StateConflict("crmplugin runs on this database: stop its servers and workers, then restore")
    jobs = "SELECT 1 FROM dbos.workflow_status LIMIT 1"
    if inspect(db).has_table("workflow_status", schema="dbos") and db.execute(text(jobs)).first():
        raise StateConflict("the database is not empty (it has jobs): restore into a new one")


def _set_sequence(db: Connection, table: Table) -> None:
    """Lets PostgreSQL go on counting behind the rows that came with their numbers."""
    key = table.autoincrement_column
    if db.dialect.name != "postgresql" or key is None or not isinstance(key.type, Integer):
        return
    name = func.pg_get_serial_sequence(table.name, key.name)
    highest = db.execute(select(func.max(key))).scalar()
    if highest is not None and db.execute(select(name)).scalar() is not None:
        db.execute(select(func.setval(name, highest)))


def _make_ready(db: Connection) -> None:
    """Says to the server that starts on a restored database what is still to be done, and to look before it writes.

    The engine's jobs are no part of a backup: a sweep at the start adds those that are missing. What was written to a
    CRM after the backup was made is not in its ledger; a claim without a result makes the server look there first.
    """
    db.execute(update_rows(events).where(events.c.state == "working").values(state="stored"))
    open_states = [state for state in MOVES if "written" in _reachable(state)]
    claim = select(drafts.c.connection, drafts.c.id).where(drafts.c.status.in_(open_states))
    claimed = [
        {"connection": name, "draft": id_, "action": WRITE, "claimed_at": datetime.now(UTC), "claims": 0}
        for name, id_ in db.execute(claim)
    ]
    if claimed:
        db.execute(insert_into(db, ledger).on_conflict_do_nothing(), claimed)


def _reachable(state: str) -> set[str]:
    """The states that a draft may come to from this one."""
    found: set[str] = set()
    ahead = [state]
    while ahead:
        new = set(MOVES.get(ahead.pop(), ())) - found
        found |= new
        ahead += sorted(new)
    return found


@contextmanager
def _as_sentence() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"the restore was given up, nothing was changed ({error.orig})") from error


def pending_lines(inbox: Path) -> list[bytes]:
    """The events that are safe in an inbox and were not handed on: the connection, id, time and document of each."""
    if not inbox.exists():
        return []
    sql = "SELECT connection, id, received_at, document FROM inbox WHERE document IS NOT NULL ORDER BY seq"
    with _open_inbox(inbox) as db:
        return [json.dumps(row, ensure_ascii=False).encode() for row in db.execute(sql)]


def make_inbox(path: Path, url: str, pending: Iterable[bytes]) -> None:
    """A new inbox for a restored database: all its events are known, and the pending ones are to be handed on."""
    engine = open_engine(url)
    try:
        with reading(engine) as source, _open_inbox(path) as db:
            db.executescript(INBOX_SCHEMA)
            known = source.execute(select(events.c.connection, events.c.id, events.c.received_at))
            rows = [(name, id_, at.isoformat(), None) for name, id_, at in known]
            waiting = [tuple(json.loads(line)) for line in pending]
            keys = {row[:2] for row in waiting}
            db.executemany(
                "INSERT INTO inbox (connection, id, received_at, document) VALUES (?, ?, ?, ?)",
                [*(row for row in rows if row[:2] not in keys), *waiting],
            )
            db.commit()
    finally:
        engine.dispose()


@contextmanager
def _open_inbox(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path, timeout=30)
    try:
        yield db
    except sqlite3.Error as error:
        raise StoreError(f"{path} does not answer ({error}): look at the disk") from error
    finally:
        db.close()


def is_in_use(database: Path) -> bool:
    """Whether somebody is writing into this SQLite file now; False when it is no database, or not there."""
    if not database.exists():
        return False
    db = sqlite3.connect(database, timeout=2, isolation_level=None)
    try:
        db.execute("BEGIN EXCLUSIVE")
        db.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.DatabaseError:
        return False
    finally:
        db.close()
    return False


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for any other."""
    engine: Engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name else None
