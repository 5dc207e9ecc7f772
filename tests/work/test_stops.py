"""A polite end: what runs comes to its end, or is handed back within the deadline and done by another."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import text

from crmplugin.store.database import open_engine
from crmplugin.store.drafts import DraftStore
from tests.fakes.crm import Trouble
from tests.torture import harness
from tests.torture.harness import Plan
from tests.work.servers import wait_until

DEADLINE_S = 6.0
"""One second for jobs (in haste), the rest for a slow machine; the model would take longer."""
PLAN = Plan(events=2, kills=0, pause_s=(1, 1), settle_s=60, model_s=20)


def statuses(world: harness.World) -> list[str]:
    engine = open_engine(world.database_url)
    try:
        return [row.status for row in DraftStore(engine).list().items]
    finally:
        engine.dispose()


PENDING = "dbos.workflow_status WHERE status = 'PENDING'"
BUSY = Plan(events=12, kills=0, pause_s=(1, 1), settle_s=60, model_s=0.5)
"""A model that is quicker than the deadline."""
SIZES = [12, pytest.param(50, marks=pytest.mark.long)]
"""How many drafts are under way at once."""
GRACE_S = 20
"""What a supervisor is told to give."""
TAKEN_OVER_S = 4.5
"""Before a lease would end by itself."""


def executors(world: harness.World, where: str, column: str) -> set[str]:
    engine = open_engine(world.database_url)
    try:
        with engine.connect() as connection:
            return set(connection.execute(text(f"SELECT {column} FROM {where}")).scalars())
    finally:
        engine.dispose()


def end_in_the_middle(world: harness.World, begun_by: harness.Process) -> None:
    """Tells a process to end while some drafts wait for the model, and others have not asked it yet."""
    sender = threading.Thread(target=harness.post_all, args=(world, threading.Event()), daemon=True)
    sender.start()
    wait_until(lambda: len(world.calls) >= world.plan.events // 3, 30)
    told = time.monotonic()
    begun_by.process.send_signal(signal.SIGTERM)
    assert begun_by.process.wait(GRACE_S) == 0
    world.blows += [(told, begun_by.model), (time.monotonic(), begun_by.model)]


def assert_each_once(world: harness.World) -> None:
    """One note for each event, and a second answer only for what was in flight at the end."""
    unfinished = harness.settle(world)
    found = harness.count(world, 0, unfinished)
    assert (unfinished, found.lost, found.doubled, found.paid_twice) == ({}, [], [], [])
    assert found.kept_and_paid_again == []


@pytest.mark.embedded
@pytest.mark.parametrize("events", SIZES)
def test_server_that_is_told_to_end_under_load_goes_on_at_its_next_start(tmp_path, events):
    plan = replace(BUSY, events=events)
    with harness.open_world(tmp_path, f"sqlite:///{tmp_path}/var/crmplugin.sqlite", plan) as world:
        world.crm.trouble = Trouble()
        server = world.serve()
        harness.wait_for_server(world)

        end_in_the_middle(world, server)
        server.start()
        assert_each_once(world)


@pytest.mark.parametrize("events", SIZES)
def test_worker_that_is_told_to_end_under_load_is_followed_at_once(tmp_path, postgres_url, events):
    with harness.open_world(tmp_path, postgres_url, replace(BUSY, events=events)) as world:
        world.crm.trouble = Trouble()
        world.serve("--no-worker")
        harness.wait_for_server(world)
        first, _ = world.launch("first", "worker"), world.launch("second", "worker")
        wait_until(lambda: len(executors(world, "leases", "executor")) == 2, 30)

        end_in_the_middle(world, first)

        (left,) = executors(world, "leases", "executor")
        wait_until(lambda: executors(world, PENDING, "executor_id") <= {left}, TAKEN_OVER_S)
        assert_each_once(world)


@pytest.mark.embedded
def test_worker_that_is_told_to_end_hands_back_what_hangs(tmp_path):
    with harness.open_world(tmp_path, f"sqlite:///{tmp_path}/var/crmplugin.sqlite", PLAN) as world:
        world.crm.trouble = Trouble()
        world.serve("--no-worker")
        harness.wait_for_server(world)
        worker = world.launch("worker", "worker")
        harness.post_all(world, threading.Event())
        wait_until(lambda: len(world.calls) == PLAN.events, 30)

        worker.process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        code = worker.process.wait(30)
        took_s = time.monotonic() - told
        left = statuses(world)
        world.pace["model_s"] = 0.1
        worker.start()

        assert (code, took_s < DEADLINE_S) == (0, True)
        assert left == ["writing", "writing"]
        assert harness.settle(world) == {}
        assert len(world.crm.notes) == len({note["marker"] for note in world.crm.notes}) == PLAN.events


def test_running_job_comes_to_its_end_before_the_process_does(open_office, crm, make_approved):
    office = open_office()
    inside, go = threading.Event(), threading.Event()
    write_back = crm.write_back

    def slowly(draft, **more):
        inside.set()
        assert go.wait(20)
        return write_back(draft, **more)

    crm.write_back = slowly
    draft_id = make_approved(office.desk)
    inside.wait(20)
    threading.Timer(0.2, go.set).start()

    assert office.close() is True

    assert open_office(work=False).desk.drafts.get(draft_id).status == "written"
    assert crm.written == [f"crmplugin:{draft_id}"]
