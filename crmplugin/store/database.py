"""Opens the database and brings its schema to today's. SQLite and PostgreSQL alike; tables stand in `tables_*.py`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Insert, MetaData, Table, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from crmplugin.errors import UsageError
from crmplugin.store.swap import refuse_unfinished_restore

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BUSY_TIMEOUT_MS = 30_000
APPLICATION = "crmplugin"
"""What PostgreSQL shows as the name of our sessions."""
KEPT_OPEN, AT_MOST = 8, 20
"""Connections of one pool. A process has two, and PostgreSQL takes 100 unless it is told otherwise."""
REVISION = re.compile(r'^revision = "(\w+)"\ndown_revision = (None|"\w+")$', re.MULTILINE)
"""The two lines of a migration that say its name and the one before it."""
IDLE_IN_TRANSACTION_S = 10
"""A process that stands still in the middle of a transaction would keep its locks for ever."""
SCHEMA_LOCK = 7_263_001
"""Key of PostgreSQL's advisory lock for migrations; any number that nobody else uses."""


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///var/crmplugin.sqlite` or `postgresql+psycopg://…`; makes the folder of a SQLite file.

    Its errors name the statement and never what stood in it: errors end in logs.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        arguments = {"application_name": APPLICATION}
        served = create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=KEPT_OPEN,
            max_overflow=AT_MOST - KEPT_OPEN,
            connect_args=arguments,
            hide_parameters=True,
        )
        event.listen(served, "connect", _set_idle_limit)
        return served
    if parsed.database and parsed.database != ":memory:":
        refuse_unfinished_restore(Path(parsed.database))
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, hide_parameters=True)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_idle_limit(connection: Any, _record: Any) -> None:
    # Not as an option of the connection: a pooler in between would refuse that.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_S}s'")
    connection.commit()


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def insert_into(db: Connection, table: Table) -> Any:
    """An insert that knows `on_conflict_do_update` and `on_conflict_do_nothing`, in the words of this database."""
    return insert_for(db.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Any:
    """The same, for a statement that is made before there is a connection."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def replace_into(db: Connection, table: Table) -> Insert:
    """An insert by primary key that overwrites all other columns of a row that is there."""
    statement = insert_into(db, table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    replacing: Insert = statement.on_conflict_do_update(index_elements=keys, set_=rest)
    return replacing


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the schema forward to `revision`; a no-op when it is there already. Two processes may start at once."""
    if revision == "head" and _is_at_head(engine):
        return
    with engine.begin() as connection:
        _lock_schema(connection)
        upgrade(connection, revision)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Brings the schema forward within the caller's transaction."""
    # Alembic is slow to import, and nearly every start finds nothing to do.
    from alembic import command

    command.upgrade(_alembic(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Takes the schema back to an earlier revision within the caller's transaction: what came later goes."""
    from alembic import command

    command.downgrade(_alembic(connection), revision)


def _alembic(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("crmplugin.store") / "migrations"))
    config.attributes["connection"] = connection
    return config


def move_back(engine: Engine, revision: str) -> None:
    """Takes the schema back to an earlier revision, for an older version of this program. Raises UsageError."""
    known = revisions()
    if revision not in known:
        raise UsageError(f"there is no revision {revision!r} of the schema: expected one of {', '.join(known)}")
    with engine.begin() as connection:
        _lock_schema(connection)
        downgrade(connection, revision)


def revisions() -> list[str]:
    """The schema's revisions that this version knows, oldest first, each after the one it builds on."""
    return list(_revisions())


@cache
def _revisions() -> tuple[str, ...]:
    # Read from the files as text: importing Alembic to ask it would cost more than the rest of a command's start.
    folder = files("crmplugin.store") / "migrations" / "versions"
    texts = [file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".py")]
    after: dict[str, str] = {found[2]: found[1] for text in texts if (found := REVISION.search(text))}
    chain: list[str] = []
    while (following := after.get(f'"{chain[-1]}"' if chain else "None")) is not None:
        chain.append(following)
    return tuple(chain)


def read_revision(connection: Connection) -> str | None:
    """The revision that a database is at; None when it has no schema of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _is_at_head(engine: Engine) -> bool:
    with engine.connect() as connection:
        return read_revision(connection) == revisions()[-1]


def _lock_schema(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
