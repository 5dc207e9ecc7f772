"""What we write into the engine's own tables is what its library would have written."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from crmplugin.errors import StoreError
from crmplugin.store.database import open_engine
from crmplugin.store.guard import reading, writing
from tests.work.servers import wait_until

PASSING = {"created_at", "updated_at", "creator_xid", "retention_timestamp"}
"""Moments, and a token by which the library knows a row of its own again."""


@pytest.fixture
def jobs(open_office):
    return open_office(work=False).jobs


def row_of(jobs, job_id: str) -> dict[str, object]:
    at = "" if jobs.database.dialect.name == "sqlite" else "dbos."
    found = {}
    with reading(jobs.database) as db:
        for table in ("workflow_status", "workflow_input"):
            row = db.execute(text(f"SELECT * FROM {at}{table} WHERE workflow_uuid = :id"), {"id": job_id}).one()
            found |= dict(row._mapping)
    # JSON's null is what the library writes for no attributes, and reads as it reads none.
    return {name: None if value == "null" else value for name, value in found.items() if name not in PASSING}


def test_job_of_an_event_is_the_row_that_the_library_would_add(jobs):
    # A job for a moment goes through the library; this one's has come.
    asked = {"connection": "local", "event": "e 1"}
    jobs.enqueue("event", asked, job_id="local/e%201", not_before=datetime.now(UTC))
    library = row_of(jobs, "local/e%201")
    with writing(jobs.database) as db:
        db.execute(text(f"DELETE FROM {'' if db.dialect.name == 'sqlite' else 'dbos.'}workflow_status"))
        db.execute(text(f"DELETE FROM {'' if db.dialect.name == 'sqlite' else 'dbos.'}workflow_input"))
        jobs.enqueue_events(db, [("local", "e 1")])

    assert row_of(jobs, "local/e%201") == library


def test_job_that_is_wanted_now_is_the_row_that_the_library_would_add(jobs):
    asked = {"connection": "local", "draft": "d-1", "event": None}
    for job_id, moment in (("draft/d-1/1", datetime.now(UTC)), ("draft/d-1/2", None), ("draft/d-1/2", None)):
        jobs.enqueue("draft", asked, job_id=job_id, priority=30, not_before=moment)

    ours, library = row_of(jobs, "draft/d-1/2"), row_of(jobs, "draft/d-1/1")

    assert {name for name in ours if ours[name] != library[name]} == {"workflow_uuid", "inputs"}
    assert ours["inputs"] == library["inputs"].replace("draft/d-1/1", "draft/d-1/2")


def test_job_that_is_there_stays_as_it_is(jobs):
    for _ in range(2):
        with writing(jobs.database) as db:
            jobs.enqueue_events(db, [("local", "e-1"), ("local", "e-2")])
    jobs.cancel("local/e-1")

    with writing(jobs.database) as db:
        jobs.enqueue_events(db, [("local", "e-1")])

    assert {job.id: job.state for job in jobs.list()[0]} == {"local/e-1": "cancelled", "local/e-2": "waiting"}


@pytest.mark.embedded
def test_writers_of_one_process_stand_in_a_line_and_one_that_waits_too_long_says_so(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/a.sqlite")
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(engine):
            inside.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    with pytest.raises(StoreError, match="busy writing"), writing(engine, turn_timeout_s=0.05):
        pass
    with reading(engine) as db:  # who only reads waits for nobody
        assert db.execute(text("SELECT 1")).scalar() == 1
    leave.set()
    holder.join()

    with writing(engine) as db:
        db.execute(text("CREATE TABLE t (n INTEGER)"))
    engine.dispose()


@pytest.mark.embedded
def test_new_connection_that_the_disk_refuses_is_a_database_that_does_not_answer(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/a.sqlite")

    @event.listens_for(engine, "connect")
    def refuse(_connection, _record):
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreError, match="disk is full"), reading(engine):
        pass
    engine.dispose()


@pytest.mark.embedded
def test_nobody_has_the_turn_and_waits_for_the_connections_of_those_who_wait_for_it(jobs):
    many = 40  # more than the pool has connections

    def as_the_library() -> None:
        with jobs.database.begin() as db:
            db.execute(text("DELETE FROM workflow_status WHERE workflow_uuid = 'none'"))

    def as_we(n: int) -> None:
        with writing(jobs.database) as db:
            jobs.enqueue_events(db, [("local", f"e-{n}")])

    with ThreadPoolExecutor(2 * many) as pool:
        with jobs.database.begin() as db:
            db.execute(text("DELETE FROM workflow_status WHERE workflow_uuid = 'none'"))
            ours = [pool.submit(as_we, n) for n in range(many)]
            theirs = [pool.submit(as_the_library) for _ in range(many)]
            wait_until(lambda: jobs.database.pool.checkedout() >= 15, 10)
        began = time.monotonic()
        for one in (*ours, *theirs):
            one.result()

    assert time.monotonic() - began < 20  # a standstill ends after thirty
    assert len(jobs.list(limit=100)[0]) == many


@pytest.mark.embedded
def test_a_turn_ends_with_the_transaction_also_when_it_fails(jobs):
    with pytest.raises(IntegrityError), jobs.database.begin() as db:
        db.execute(text("INSERT INTO workflow_input (workflow_uuid) VALUES (NULL)"))

    with ThreadPoolExecutor(1) as other:
        payload = {"connection": "a", "event": "b"}
        assert other.submit(jobs.enqueue, "event", payload, job_id="a/b").result(10) == "a/b"
