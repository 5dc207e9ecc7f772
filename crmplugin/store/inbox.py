"""The inbox of a single machine: events are safe here before the CRM hears 2xx, and move on from here.

It has a SQLite file of its own, because the jobs' checkpoints would otherwise make every acknowledgement wait for the
one writer of their file. One thread writes; whatever requests arrived while it wrote share the next commit. It is no
queue: order, retry and delay belong to the engine. A row stays for ever without its document, so that the same event
is a duplicate for ever.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crmplugin.errors import StoreError

SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,
    id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    document TEXT,
    UNIQUE (connection, id)
);
CREATE INDEX IF NOT EXISTS ix_inbox_pending ON inbox (seq) WHERE document IS NOT NULL;
"""
REQUESTS_PER_COMMIT = 256
COMMIT_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on its way in: `document` is what the forwarder turns into an event row."""

    connection: str
    id: str
    received_at: datetime
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry that was not handed on yet; `seq` is its place in the order of arrival."""

    seq: int
    entry: Entry


class _Put:
    """A request's entries on their way to the disk. A bare lock is what one thread can wait for at the least cost."""

    __slots__ = ("_done", "error", "new", "rows")

    def __init__(self, rows: list[tuple[str, str, str, str]]) -> None:
        self.rows = rows
        self.new: list[bool] = []
        self.error: Exception | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def finish(self, new: list[bool], error: Exception | None = None) -> None:
        self.new, self.error = new, error
        self._done.release()

    def wait(self) -> list[bool]:
        """Which were new, once they are on disk. Raises StoreError."""
        if not self._done.acquire(timeout=COMMIT_TIMEOUT_S):
            raise StoreError("the inbox did not answer in time: look at the disk under var/")
        if self.error is not None:
            raise self.error
        return self.new


@dataclass(frozen=True, slots=True)
class _Forwarded:
    seqs: Sequence[int]


class Inbox:
    """Safe keeping of events between acknowledgement and the engine. `arrived` is set whenever something was kept."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._wishes: queue.SimpleQueue[_Put | _Forwarded | None] = queue.SimpleQueue()
        self.arrived = threading.Event()
        with _open(path) as connection:
            connection.executescript(SCHEMA)
        connection.close()
        self._reader = _open(path)
        self._reading = threading.Lock()
        self._writer = threading.Thread(target=self._write, name="inbox-writer", daemon=True)
        self._writer.start()

    def put(self, entries: Iterable[Entry]) -> list[bool]:
        """Keeps entries; gives back, once they are on disk, which were new. Raises StoreError, and then kept none."""
        rows = [(e.connection, e.id, e.received_at.isoformat(), json.dumps(e.document)) for e in entries]
        if not rows:
            return []
        put = _Put(rows)
        self._wishes.put(put)
        return put.wait()

    def pending(self, limit: int = 100, *, after: int = 0) -> list[Pending]:
        """The oldest entries that were not handed on, behind a place in the order of arrival."""
        columns = "seq, connection, id, received_at, document"
        sql = f"SELECT {columns} FROM inbox WHERE document IS NOT NULL AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        with self._reading:
            rows = self._reader.execute(sql, (after, limit)).fetchall()
        return [Pending(r[0], Entry(r[1], r[2], datetime.fromisoformat(r[3]), json.loads(r[4]))) for r in rows]

    def find(self, connection_name: str, event_id: str) -> Entry | None:
        """An entry that was not handed on yet, by its key."""
        sql = "SELECT received_at, document FROM inbox WHERE connection = ? AND id = ? AND document IS NOT NULL"
        with self._reading:
            row = self._reader.execute(sql, (connection_name, event_id)).fetchone()
        return Entry(connection_name, event_id, datetime.fromisoformat(row[0]), json.loads(row[1])) if row else None

    def forwarded(self, seqs: Sequence[int]) -> None:
        """Says that these were handed on; kept with the next commit. Lost in a crash, they are handed on again."""
        self._wishes.put(_Forwarded(seqs))

    def tidy(self) -> None:
        """Overwrites what was forwarded and stands in the file no more."""
        connection = _open(self._path)
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StoreError(f"{self._path} cannot be tidied ({error}): look at the disk") from error
        finally:
            connection.close()

    def close(self) -> None:
        """Writes what was asked for so far and ends the thread."""
        self._wishes.put(None)
        self._writer.join(timeout=COMMIT_TIMEOUT_S)
        self._reader.close()

    def _write(self) -> None:
        connection = _open(self._path)
        while True:
            wishes, last = self._next_wishes()
            try:
                self._commit(connection, wishes)
            except (sqlite3.Error, ValueError) as error:  # ValueError: text that SQLite cannot keep
                _refuse(connection, wishes, error)
            if last:
                connection.close()
                return

    def _next_wishes(self) -> tuple[list[_Put | _Forwarded], bool]:
        """Waits for one wish, then takes all that are there; whether the end was among them."""
        wishes: list[_Put | _Forwarded] = []
        wish = self._wishes.get()
        while wish is not None:
            wishes.append(wish)
            if len(wishes) == REQUESTS_PER_COMMIT or self._wishes.empty():
                return wishes, False
            wish = self._wishes.get()
        return wishes, True

    def _commit(self, connection: sqlite3.Connection, wishes: Sequence[_Put | _Forwarded]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        answers: list[tuple[_Put, list[bool]]] = []
        for wish in wishes:
            if isinstance(wish, _Put):
                answers.append((wish, [_insert(connection, row) for row in wish.rows]))
            else:
                done = [(seq,) for seq in wish.seqs]
                connection.executemany("UPDATE inbox SET document = NULL WHERE seq = ?", done)
        connection.execute("COMMIT")
        for put, new in answers:
            put.finish(new)
        if any(any(new) for _, new in answers):
            self.arrived.set()


def _insert(connection: sqlite3.Connection, row: tuple[str, str, str, str]) -> bool:
    sql = "INSERT INTO inbox (connection, id, received_at, document) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    return connection.execute(sql, row).rowcount == 1


def _refuse(connection: sqlite3.Connection, wishes: Sequence[_Put | _Forwarded], error: Exception) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    for wish in wishes:
        if isinstance(wish, _Put):
            wish.finish([], StoreError(f"the inbox cannot be written ({error}): look at the disk under var/"))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection
