"""Sealed credentials: nothing readable at rest, keys that change with overlap, one renewer at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from crmplugin.errors import SettingsError, StoreError
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.sealing import Seal, split_keys
from crmplugin.store.tables_access import vault as vault_table
from crmplugin.store.vault import CredentialVault

OLD, NEW = "1" * 64, "2" * 64
ENDS = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def vault(engine: Engine) -> CredentialVault:
    return CredentialVault(engine, Seal(lambda: [OLD]))


def sealed_rows(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(vault_table.c.sealed)).scalars())


def test_value_comes_back_with_its_end(vault):
    vault.put("acme", "access_token", "marker-of-a-token", expires_at=ENDS)

    assert vault.get("acme", "access_token") == ("marker-of-a-token", ENDS)
    assert vault.get("acme", "refresh_token") is None
    assert vault.get("other", "access_token") is None


def test_put_again_replaces(vault):
    vault.put("acme", "access_token", "first", expires_at=ENDS)
    vault.put("acme", "access_token", "second")

    assert vault.get("acme", "access_token") == ("second", None)


def test_nothing_readable_stands_in_the_database(vault, engine):
    vault.put("acme", "access_token", "marker-of-a-token")

    assert "marker" not in sealed_rows(engine)[0]


@pytest.mark.embedded
def test_nothing_readable_stands_in_the_files(vault, engine, tmp_path):
    vault.put("acme", "access_token", "marker-of-a-token")

    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"access_token" in held
    assert b"marker-of-a-token" not in held


def test_row_moved_to_another_connection_does_not_open(vault, engine):
    vault.put("acme", "access_token", "a")
    with engine.begin() as connection:
        connection.execute(update(vault_table).values(connection="other"))

    with pytest.raises(SettingsError, match="was sealed for acme/access_token"):
        vault.get("other", "access_token")


def test_another_key_does_not_open_it(vault, engine):
    vault.put("acme", "access_token", "a")

    with pytest.raises(SettingsError, match=r"copy var/vault\.key"):
        CredentialVault(engine, Seal(lambda: [NEW])).get("acme", "access_token")


def test_key_changes_with_overlap(vault, engine):
    vault.put("acme", "access_token", "a")
    both = CredentialVault(engine, Seal(lambda: [NEW, OLD]))

    assert both.get("acme", "access_token") == ("a", None)
    assert both.reseal() == 1

    assert CredentialVault(engine, Seal(lambda: [NEW])).get("acme", "access_token") == ("a", None)


def test_running_process_finds_a_changed_key(engine):
    keys = [OLD]
    running = CredentialVault(engine, Seal(lambda: list(keys)))
    running.put("acme", "access_token", "a")
    CredentialVault(engine, Seal(lambda: [NEW, OLD])).reseal()
    keys.insert(0, NEW)

    assert running.get("acme", "access_token") == ("a", None)


@pytest.mark.parametrize("text", ["", "short", f"{OLD} short"])
def test_weak_key_is_refused(text):
    with pytest.raises(SettingsError, match="at least 32 characters"):
        split_keys(text)


def test_several_keys_may_stand_in_lines_or_with_commas():
    assert split_keys(f"{NEW}\n{OLD}\n") == split_keys(f"{NEW},{OLD}") == (NEW, OLD)


def test_lock_lets_one_thread_in_at_a_time(vault):
    inside, most = [0], [0]

    def renew() -> None:
        with vault.lock("acme", "access_token"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            inside[0] -= 1

    threads = [threading.Thread(target=renew) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert (inside[0], most[0]) == (0, 1)


def test_locks_of_two_connections_do_not_wait_for_each_other(engine):
    vault = CredentialVault(engine, Seal(lambda: [OLD]), patience_s=0.1)

    with vault.lock("acme", "access_token"), vault.lock("other", "access_token"):
        pass


HOLDER = """
import sys, time
from crmplugin.store.database import open_engine
from crmplugin.store.sealing import Seal
from crmplugin.store.vault import CredentialVault
with CredentialVault(open_engine(sys.argv[1]), Seal(lambda: ["1" * 64])).lock("acme", "access_token"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_lock_holds_between_processes_and_ends_with_a_killed_one(engine, database_url):
    other = subprocess.Popen([sys.executable, "-c", HOLDER, database_url], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreError, match="is being renewed"),
            CredentialVault(engine, Seal(lambda: [OLD]), patience_s=0.2).lock("acme", "access_token"),
        ):
            pass
    finally:
        other.kill()
        other.wait(10)
        other.stdout.close()

    with CredentialVault(engine, Seal(lambda: [OLD]), patience_s=10).lock("acme", "access_token"):
        pass


def test_wiring_gives_a_vault_whose_key_is_private(tmp_path, monkeypatch):
    from crmplugin.settings import load_settings
    from crmplugin.wiring import Assistant

    assistant = Assistant(load_settings(os.environ))
    try:
        assistant.vault.put("acme", "access_token", "a")
        assert assistant.vault.get("acme", "access_token") == ("a", None)
    finally:
        assistant.close()

    key: Path = tmp_path / "var" / "vault.key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_rotate_command_seals_under_a_new_key_and_forgets_the_old(crmplugin, tmp_path):
    from crmplugin.settings import load_settings
    from crmplugin.wiring import Assistant

    assistant = Assistant(load_settings(os.environ))
    try:
        assistant.vault.put("acme", "access_token", "a")
        file = tmp_path / "var" / "vault.key"
        old = file.read_text().strip()

        assert crmplugin("vault", "rotate", "--json").json == {"sealed": 1, "old_key_kept": True}
        assert file.read_text().split()[1:] == [old]
        assert crmplugin("vault", "rotate", "--forget-old").code == 0

        assert len(file.read_text().split()) == 1
        assert old not in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        assert assistant.vault.get("acme", "access_token") == ("a", None)
        assert crmplugin("vault", "list").out == "acme  access_token  no end\n"
    finally:
        assistant.close()


def test_keys_of_a_setting_are_not_changed_by_command(crmplugin, monkeypatch):
    monkeypatch.setenv("CRMPLUGIN_VAULT_KEY", OLD)

    answer = crmplugin("vault", "rotate")

    assert answer.code == 1
    assert "put the new key in front of the old one there" in answer.err
