"""The inbox: on disk before anybody hears 2xx, each event once for ever, handed on after a crash."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from crmplugin.errors import StoreError
from crmplugin.store.inbox import SCHEMA, Entry, Inbox

NOW = datetime(2026, 3, 10, 14, 5, tzinfo=UTC)


def entry(id_: str, connection: str = "local") -> Entry:
    return Entry(connection, id_, NOW, {"type": "deal.created"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "inbox.sqlite"


@pytest.fixture
def inbox(path):
    opened = Inbox(path)
    yield opened
    opened.close()


def test_same_event_is_new_once_also_within_one_call(inbox):
    assert inbox.put([entry("a"), entry("a"), entry("b")]) == [True, False, True]
    assert inbox.put([entry("b"), entry("c")]) == [False, True]


def test_same_id_on_two_connections_is_two_events(inbox):
    assert inbox.put([entry("a"), entry("a", "acme")]) == [True, True]


def test_fifty_at_once_are_one(inbox):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: inbox.put([entry("storm")]), range(50)))

    assert answers.count([True]) == 1


def test_what_was_put_is_on_disk_when_put_returns(inbox, path):
    inbox.put([entry("a")])

    with sqlite3.connect(path) as other:
        count = other.execute("SELECT count(*) FROM inbox").fetchone()[0]
    other.close()
    assert count == 1


def test_entries_come_out_in_order_until_they_are_handed_on(path):
    inbox = Inbox(path)
    inbox.put([entry(f"e{n}") for n in range(5)])
    first = inbox.pending(2)
    inbox.forwarded([p.seq for p in first])
    inbox.close()

    again = Inbox(path)
    assert [p.entry.id for p in first] == ["e0", "e1"]
    assert [p.entry.id for p in again.pending()] == ["e2", "e3", "e4"]
    assert again.put([entry("e0")]) == [False]
    again.close()


def test_entry_keeps_its_document_and_time(inbox):
    inbox.put([Entry("local", "ä/ü", NOW, {"raw": {"text": "Grüße \ud800", "n": 12.5}})])

    found = inbox.find("local", "ä/ü")
    assert (found.received_at, found.document) == (NOW, {"raw": {"text": "Grüße \ud800", "n": 12.5}})


def test_inbox_that_cannot_write_says_so_and_goes_on_later(inbox, path):
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("DROP TABLE inbox")

    with pytest.raises(StoreError):
        inbox.put([entry("a")])

    blocker.executescript(SCHEMA)
    blocker.close()
    assert inbox.put([entry("a")]) == [True]
