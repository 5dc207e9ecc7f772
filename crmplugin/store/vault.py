"""Credentials that change by themselves (access and refresh tokens), encrypted at rest. Implements `ports.Vault`.

A lock is held by the operating system (SQLite: a file beside the database) or by PostgreSQL, so that it ends with the
process that has it, however that ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, func, select, update

from crmplugin.errors import StoreError
from crmplugin.store.database import replace_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.sealing import Seal
from crmplugin.store.tables_access import vault

PATIENCE_S = 60.0
"""How long somebody waits for a lock; the one who has it makes a call or two to the CRM."""
LOOK_S = 0.02


class CredentialVault:
    """One installation's vault, over a database that other processes share."""

    def __init__(
        self,
        engine: Engine,
        seal: Seal,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._engine, self._seal, self._clock, self._patience_s = engine, seal, clock, patience_s

    def get(self, connection: str, name: str) -> tuple[str, datetime | None] | None:
        """The value and when it ends, or None. Raises SettingsError when no key of this machine opens it."""
        query = select(vault).where(vault.c.connection == connection, vault.c.name == name)
        with reading(self._engine) as db:
            row = db.execute(query).first()
        return None if row is None else (self._seal.open((connection, name), row.sealed), row.expires_at)

    def put(self, connection: str, name: str, value: str, *, expires_at: datetime | None = None) -> None:
        """Keeps a value, sealed; it replaces an earlier one."""
        row = {"connection": connection, "name": name, "sealed": self._seal.seal((connection, name), value)}
        with writing(self._engine) as db:
            db.execute(replace_into(db, vault).values(**row, expires_at=expires_at, changed_at=self._clock()))

    def forget(self, connection: str) -> int:
        """Deletes what is kept for a connection; gives back how many values that were."""
        with writing(self._engine) as db:
            return db.execute(vault.delete().where(vault.c.connection == connection)).rowcount

    def names(self) -> list[tuple[str, str, datetime | None]]:
        """Connection, name and end of everything that is kept; no value."""
        query = select(vault.c.connection, vault.c.name, vault.c.expires_at)
        with reading(self._engine) as db:
            return [(r.connection, r.name, r.expires_at) for r in db.execute(query.order_by(*query.selected_columns))]

    def reseal(self) -> int:
        """Seals everything under the newest key; gives back how many values that were. Whoever reads meanwhile can."""
        with writing(self._engine) as db:
            rows = db.execute(select(vault.c.connection, vault.c.name, vault.c.sealed).with_for_update()).all()
            for row in rows:
                key = (vault.c.connection == row.connection, vault.c.name == row.name)
                db.execute(update(vault).where(*key).values(sealed=self._seal.renewed(row.sealed)))
        return len(rows)

    def lock(self, connection: str, name: str) -> AbstractContextManager[None]:
        """While it is held no other process, and no other thread, has it. Raises StoreError after a minute of waiting.

        Not to be taken twice by one thread.
        """
        key = hashlib.sha256(f"vault\0{connection}\0{name}".encode()).digest()[:8]
        what = f"{name} of {connection}"
        if self._engine.dialect.name == "postgresql":
            return self._lock_in_database(int.from_bytes(key, "big", signed=True), what)
        return self._lock_file(key.hex(), what)

    @contextmanager
    def _lock_in_database(self, key: int, what: str) -> Iterator[None]:
        with reading(self._engine) as db:
            self._wait(lambda: bool(db.execute(select(func.pg_try_advisory_xact_lock(key))).scalar()), what)
            yield

    @contextmanager
    def _lock_file(self, name: str, what: str) -> Iterator[None]:
        folder = Path(self._engine.url.database or ".").absolute().parent / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{folder} cannot be written ({error.strerror}): give this user the right") from error
        try:
            self._wait(lambda: _take(handle), what)
            yield
        finally:
            os.close(handle)

    def _wait(self, take: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + self._patience_s
        while not take():
            if time.monotonic() > ends:
                raise StoreError(f"{what} is being renewed since {self._patience_s:.0f} s: try again later")
            time.sleep(LOOK_S)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
