"""The schema forward and back, with data, from a stored database of every revision that ever was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from crmplugin.errors import UsageError
from crmplugin.store.backup import open_loader, open_snapshot
from crmplugin.store.database import migrate, move_back, open_engine, read_revision, revisions
from tests.store.stored_schemas import rebuild, rows_of, stored


def kept(
    before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """The rows of tables of before as they are after, without columns that came since."""
    return {
        name: [{key: row[key] for key in rows[0]} for row in after[name]] if rows else after[name]
        for name, rows in before.items()
    }


def test_every_revision_has_a_stored_database():
    missing = set(revisions()) - set(stored())

    assert not missing, "store them: python -m tests.store.stored_schemas"


@pytest.mark.embedded
@pytest.mark.parametrize("revision", stored())
def test_forward_from_a_stored_database_and_back_again(tmp_path: Path, revision: str):
    path = tmp_path / "old.sqlite"
    rebuild(revision, path)
    before = rows_of(path)
    engine = open_engine(f"sqlite:///{path}")

    migrate(engine)
    after = rows_of(path)
    with engine.connect() as connection:
        at_head = read_revision(connection)
    move_back(engine, revision)
    engine.dispose()

    assert all(before.values())
    assert at_head == revisions()[-1]
    assert kept(before, after) == before
    assert rows_of(path) == before


@pytest.mark.parametrize("revision", stored())
def test_forward_and_back_on_postgresql(tmp_path: Path, postgres_url: str, revision: str):
    path = tmp_path / "old.sqlite"
    rebuild(revision, path)
    with open_snapshot(f"sqlite:///{path}") as old, open_loader(postgres_url, revision) as loader:
        counts = {name: old.count(name) for name in old.tables}
        for name, columns in old.tables.items():
            loader.load(name, columns, old.lines(name))
            assert loader.digest(name).sha256 == _digest(old, name)
    engine = open_engine(postgres_url)

    with engine.connect() as connection:
        assert read_revision(connection) == revisions()[-1]
        now = {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar() for name in counts}
    move_back(engine, revision)
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
    engine.dispose()
    with open_snapshot(f"sqlite:///{path}") as old, open_snapshot(postgres_url) as back:
        differ = [name for name in sorted(counts) if _digest(back, name) != _digest(old, name)]

    assert differ == []
    assert now | {"ledger": counts.get("ledger")} == counts | {"ledger": counts.get("ledger")}
    assert tables == set(counts)


def _digest(snapshot: Any, name: str) -> str:
    from crmplugin.store.archive import digest_of

    return digest_of(snapshot.lines(name)).sha256


def test_unknown_revision_is_refused(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path}/new.sqlite")
    migrate(engine)

    with pytest.raises(UsageError, match="no revision '0042'"):
        move_back(engine, "0042")
    engine.dispose()


def test_command_goes_back_and_the_next_goes_forward(crmplugin):
    assert crmplugin("migrate").code == 0

    assert crmplugin("migrate", "--back-to", "0100").out.startswith("the schema is at 0100")
    assert crmplugin("migrate").code == 0
    assert "schema up to date" in crmplugin("doctor").out
