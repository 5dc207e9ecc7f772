"""Looks after drafts whose job was never added: a process died between keeping a decision and asking for the work.

Adding a job is idempotent by its id, so looking twice, or in two processes, does no harm.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from crmplugin.errors import StateConflict
from crmplugin.journeys.approval_waits import see_to_waiting
from crmplugin.journeys.ask import start_draft, start_event, start_write_back
from crmplugin.journeys.campaign_rows import campaign_of
from crmplugin.journeys.campaign_run import start_lanes
from crmplugin.journeys.desk import PRIORITIES, Desk
from crmplugin.journeys.replay import latest_job
from crmplugin.journeys.run_draft import fail_draft
from crmplugin.store.drafts import DraftRow
from crmplugin.store.events import EventRow
from crmplugin.work.upkeep import Upkeep

log = logging.getLogger(__name__)

EVERY_S = 30.0
FIRST_LOOK_S = 2.0
PATIENCE = timedelta(seconds=10)
"""How long a draft may stand without a job before a sweep adds one."""


class Sweeper:
    """A thread that sweeps at the start and then every half minute."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._upkeep = desk, Upkeep(desk)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Sweeps what an earlier process left, then goes on in a thread of its own."""
        sweep(self._desk, patience=timedelta(0))
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        wait_s = FIRST_LOOK_S
        while not self._stopping.wait(wait_s):
            wait_s = EVERY_S
            try:
                self._desk.jobs.take_up_dropped()
                self._upkeep.tick()
                sweep(self._desk)
            except Exception:
                log.exception("a sweep failed; the next one comes in %s s", EVERY_S)


def sweep(desk: Desk, *, patience: timedelta = PATIENCE) -> None:
    """Adds the jobs that are missing: for events not worked on, and drafts to be written, approved or due."""
    now = desk.clock()
    for event in desk.events.waiting(before=now - patience):
        start_event(desk, event.connection, event.id)
    for event in desk.events.waiting(before=now - patience, state="working"):
        _see_to_event(desk, event)
    for row in desk.drafts.scheduled(now.date()):
        _start_scheduled(desk, row)
    for row in desk.drafts.waiting(["writing"], before=now - patience):
        _see_to_draft(desk, row)
    for row in desk.drafts.waiting(["approved", "writing_back"], before=now - patience):
        _see_to_write_back(desk, row)
    see_to_waiting(desk)
    for campaign in desk.campaigns.running(before=now - patience):
        start_lanes(desk, campaign_of(campaign))


def _see_to_event(desk: Desk, event: EventRow) -> None:
    """An event that was begun has a job that goes on, or is told to be dead: no event is `working` for ever."""
    job = latest_job(desk, event)
    if job is None:
        start_event(desk, event.connection, event.id)
    elif job.state in ("dead", "cancelled"):
        reason = job.wait_reason or f"its job was {job.state}: replay the event"
        desk.events.settle(event.connection, event.id, "dead", reason)


def _start_scheduled(desk: Desk, row: DraftRow) -> None:
    try:
        desk.drafts.move(row.id, "writing", at=desk.clock(), by="playbook", only_from=("scheduled",))
    except StateConflict:
        return
    start_draft(desk, row.id, connection=row.connection, event=row.event, priority=PRIORITIES["event"])


def _see_to_draft(desk: Desk, row: DraftRow) -> None:
    job = desk.jobs.find(f"draft/{row.id}/{row.attempt}")
    if job is None:
        priority = PRIORITIES.get(row.origin, 10)
        start_draft(desk, row.id, connection=row.connection, event=row.event, priority=priority, attempt=row.attempt)
    elif job.state in ("dead", "cancelled"):
        fail_draft(desk, row.id, job.wait_reason or f"its job was {job.state}: retry it")


def _see_to_write_back(desk: Desk, row: DraftRow) -> None:
    if row.write_back == "never":
        return
    job = desk.jobs.find(f"write/{row.id}/{row.attempt}")
    if job is None:
        start_write_back(desk, row)
    elif job.state in ("dead", "cancelled") and row.status == "writing_back":
        fail_draft(desk, row.id, job.wait_reason or f"its job was {job.state}: retry it")
