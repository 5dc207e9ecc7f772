"""Working on an event once more: what a person asks for after mending what was wrong."""

from __future__ import annotations

from collections.abc import Collection

from crmplugin.errors import NotFound, StateConflict
from crmplugin.journeys.ask import event_job_id, start_event
from crmplugin.journeys.desk import Desk, Job
from crmplugin.store.events import EventRow

MAX_REPLAYS = 1000
PAGE = 200


def replay_event(desk: Desk, row: EventRow) -> EventRow:
    """Adds the event's next job; drafts it made before stay. Raises StateConflict while it is being worked on.

    One that failed goes on where it failed: a draft that it had asked for before is not asked for again.
    """
    if row.state == "dead" and (failed := _failed_job(desk, row)) is not None:
        desk.jobs.retry(failed.id)
        return desk.events.get(row.connection, row.id)
    if row.state in ("stored", "working"):
        job = desk.jobs.find(event_job_id(row.connection, row.id))
        if job is not None and job.state in ("waiting", "running"):
            raise StateConflict(f"event {row.id} is {row.state}: it can be replayed when it is done, ignored or dead")
    # Each run was counted: a number that was used before a restore, whose jobs are gone, is not used again.
    for n in range(max(1, row.attempts), row.attempts + MAX_REPLAYS):
        if desk.jobs.find(event_job_id(row.connection, row.id, n)) is None:
            start_event(desk, row.connection, row.id, replay=n)
            return desk.events.get(row.connection, row.id)
    raise StateConflict(f"event {row.id} was replayed {MAX_REPLAYS} times: something else is wrong")


def _failed_job(desk: Desk, row: EventRow) -> Job | None:
    """The latest job of an event, if that is what failed."""
    latest = latest_job(desk, row)
    return latest if latest is not None and latest.state == "dead" else None


def latest_job(desk: Desk, row: EventRow) -> Job | None:
    """The job of an event's last replay, else its first one."""
    numbers = range(row.attempts, -1, -1)  # each run was counted, and the number of what has run is no larger
    jobs = (desk.jobs.find(event_job_id(row.connection, row.id, n)) for n in numbers)
    return next((job for job in jobs if job is not None), None)


def replay_dead(
    desk: Desk, connection: str | None = None, *, connections: Collection[str] | None = None
) -> list[EventRow]:
    """Works once more on every dead event (of one connection, of those that somebody sees); gives them back."""
    dead: list[EventRow] = []
    cursor = None
    while True:
        page = desk.events.list(limit=PAGE, cursor=cursor, connection=connection, connections=connections, state="dead")
        dead += page.items
        cursor = page.next
        if cursor is None:
            return [replay_event(desk, row) for row in dead]


def retry_dead(desk: Desk) -> list[Job]:
    """Runs every dead job again; gives them back."""
    dead: list[Job] = []
    cursor = None
    while True:
        jobs, cursor = desk.jobs.list(limit=PAGE, cursor=cursor, state="dead")
        dead += jobs
        if cursor is None:
            return [job for job in (_retry(desk, job.id) for job in dead) if job is not None]


def _retry(desk: Desk, job_id: str) -> Job | None:
    try:
        return desk.jobs.retry(job_id)
    except (StateConflict, NotFound):  # somebody else was faster, or its latest attempt is no longer dead
        return None
