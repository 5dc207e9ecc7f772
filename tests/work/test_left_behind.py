"""No event is `working` for ever: not when its job's end could not be kept, nor when its job is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from crmplugin.domain.event import Event, ObjectRef
from crmplugin.journeys.ask import start_event
from crmplugin.journeys.desk import Desk
from crmplugin.store.guard import writing
from crmplugin.work.sweeps import sweep
from tests.work.servers import wait_until

LONG_AGO = datetime.now(UTC) - timedelta(minutes=5)


def begun(desk: Desk) -> None:
    """An event that somebody began to work on."""
    desk.intake.take([Event("e-1", "local", "deal.created", LONG_AGO, ObjectRef("deal", "D-9"), received_at=LONG_AGO)])
    wait_until(lambda: desk.events.find("local", "e-1"))


def state(desk: Desk) -> str:
    return desk.events.get("local", "e-1").state


def test_job_whose_end_could_not_be_kept_is_begun_anew(open_office):
    office = open_office()
    begun(office.desk)
    wait_until(lambda: (job := office.jobs.find("local/e-1")) and job.state == "done")
    office.desk.events.start("local", "e-1")
    table = "workflow_status" if office.jobs.database.dialect.name == "sqlite" else "dbos.workflow_status"
    with writing(office.jobs.database) as db:  # as it stands when the disk was full at the end of the job
        held = "status = 'PENDING', executor_id = :me, recovery_attempts = 21"  # as often as the engine bears it
        db.execute(text(f"UPDATE {table} SET {held}"), {"me": office.jobs.executor_id})

    # A job that was handed out a moment ago looks the same, so it takes two looks.
    assert (office.jobs.take_up_dropped(), office.jobs.take_up_dropped()) == (0, 1)

    wait_until(lambda: state(office.desk) == "ignored")  # there is no D-9
    assert office.jobs.take_up_dropped() == 0


def test_begun_event_without_a_job_gets_one(open_office):
    desk = open_office(work=False).desk
    begun(desk)
    desk.events.start("local", "e-1")
    wait_until(lambda: desk.jobs.find("local/e-1"))
    table = "workflow_status" if desk.jobs.database.dialect.name == "sqlite" else "dbos.workflow_status"
    with writing(desk.jobs.database) as db:
        db.execute(text(f"DELETE FROM {table}"))

    sweep(desk)

    assert desk.jobs.find("local/e-1").state == "waiting"
    assert state(desk) == "working"


def test_begun_event_whose_job_was_cancelled_is_dead_and_says_so(open_office):
    desk = open_office(work=False).desk
    begun(desk)
    desk.events.start("local", "e-1")
    wait_until(lambda: desk.jobs.cancel("local/e-1"))

    sweep(desk)

    assert state(desk) == "dead"
    assert desk.events.get("local", "e-1").reason == "its job was cancelled: replay the event"


@pytest.mark.parametrize("tries", [1, 3])
def test_event_that_is_replayed_is_not_judged_by_its_first_job(open_office, tries):
    desk = open_office(work=False).desk
    begun(desk)
    wait_until(lambda: desk.jobs.cancel("local/e-1"))
    for _ in range(tries):
        desk.events.start("local", "e-1")
    start_event(desk, "local", "e-1", replay=tries)  # a replay's number is above that of every run
    desk.events.start("local", "e-1")

    sweep(desk)

    assert state(desk) == "working"


def test_next_attempt_is_one_that_has_not_ended(open_office):
    jobs = open_office(work=False).jobs
    asked = {"connection": "local", "event": "e-1", "kind": "event", "job": "local/e-1", "priority": 10}

    first = [jobs._again(asked, 60), jobs._again(asked, 60)]
    jobs.enqueue("event", asked, job_id="local/e-1")
    jobs._client.cancel_workflow("local/e-1/a2")

    assert first == ["local/e-1/a2", "local/e-1/a2"]  # one that still waits is enough
    assert jobs._again(asked, 60) == "local/e-1/a3"
