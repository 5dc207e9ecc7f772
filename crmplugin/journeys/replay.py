"""Working on an event once more: what a person asks for after mending what was wrong."""

from __future__ import annotations

from crmplugin.errors import StateConflict
from crmplugin.journeys.ask import event_job_id, start_event
from crmplugin.journeys.desk import Desk
from crmplugin.store.events import EventRow

MAX_REPLAYS = 1000


def replay_event(desk: Desk, row: EventRow) -> EventRow:
    """Adds the event's next job; drafts it made before stay. Raises StateConflict while it is being worked on."""
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
