"""The durable engine (DBOS): its launch, its queues, its jobs, and its end. One per process.

Embedded, its rows are a SQLite file of their own beside the database; on PostgreSQL, a schema of the same database.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, SetWorkflowID
from dbos import run_dbos_database_migrations as migrate_engine
from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.exc import SQLAlchemyError

from crmplugin.errors import NotFound, StateConflict, StoreError
from crmplugin.journeys.ask import event_job_id
from crmplugin.journeys.desk import Desk, Job, Load
from crmplugin.settings import Settings
from crmplugin.store.database import open_engine
from crmplugin.store.guard import take_turns, writing
from crmplugin.store.leases import LeaseStore
from crmplugin.work import running, workflows
from crmplugin.work.forget import forget_in_jobs, tidy_jobs
from crmplugin.work.jobs import STATES, STATUSES, attempt_id, base_id, job_of, payload_of, was_followed
from crmplugin.work.leases import LeaseKeeper, LeaseLost, NoLease
from crmplugin.work.steps import Answers
from crmplugin.work.takeover import EngineRows

log = logging.getLogger(__name__)

NAME = "crmplugin"
VERSION = "2"
"""Which workflows this code knows, and how a job is put into a queue. Raised when either changes; a process does jobs
of its own version only, so that during a deploy the old ones are not handed what they do not know."""
EARLIER = ("1",)
"""Versions whose workflows are all still here under their names. Their jobs are adopted when nobody does them."""
ADOPTED = "earlier"
"""The partition of jobs that were added before queues had any."""
STOP_TIMEOUT_S = 8
CLICKS_AT_ONCE = 64
SHARE = 0.75
"""How much of a worker the jobs of one connection may take; the rest is for others, however many jobs the one has."""


class Queues:
    """Queue names, and how often each is looked at in seconds; only a person's click is worth looking often.

    In a server that also takes the clicks they start at once, and its queue only holds what came all at the same time.
    """

    EMBEDDED_CLICK_S = 1.0
    POLL_S: Mapping[str, float] = {"click": 0.1, "event": 0.4, "campaign": 2.0}
    SHARED_OUT = frozenset({"event", "campaign"})
    """Queues with a partition for each connection."""

    @staticmethod
    def at_once(name: str, most: int) -> int:
        """How many jobs of a queue one process does at once; campaigns leave room for others."""
        return max(1, most // 4) if name == "campaign" else most

    @staticmethod
    def of(priority: int) -> str:
        """The queue for a priority: 1 to 9 clicks, 10 to 29 events, above that campaigns."""
        return "click" if priority < 10 else "event" if priority < 30 else "campaign"


def open_engine_database(settings: Settings) -> Engine:
    """The database of the engine's own rows."""
    if not settings.database_url.startswith("sqlite"):
        return open_engine(settings.database_url)
    engine = open_engine(f"sqlite:///{settings.var}/jobs.sqlite")
    event.listen(engine, "connect", _begin_immediate)
    take_turns(engine)
    return engine


def _begin_immediate(connection: Any, _record: Any) -> None:
    # As DBOS does on connections of its own: a transaction that reads first must not fail to write afterwards.
    connection.isolation_level = "IMMEDIATE"


class JobEngine:
    """Jobs: added by anyone, done by the process that has launched. Implements `journeys.desk.JobBoard`."""

    def __init__(self, settings: Settings) -> None:
        self.database = open_engine_database(settings)
        self.executor_id = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
        self.rows = EngineRows(self.database)
        self._at_once = settings.jobs_at_once
        self._launched = self._handed_back = False
        self._idle: set[str] = set()
        self._lease = self._open_lease()
        if not inspect(self.database).has_table("dbos_migrations", schema=self._schema()):
            migrate_engine(system_database_url=_url(self.database))  # later versions are the launch's
        self._client = DBOSClient(
            system_database_engine=self.database,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            retry_connection_errors=False,
        )

    def launch(self, desk: Desk, *, queues: Sequence[str] = tuple(Queues.POLL_S), takes_clicks: bool = False) -> None:
        """Starts doing jobs in this process, those first that a killed one left unfinished."""
        self._lease.renew()  # before there can be a job that names us
        running.open_doors()
        workflows.Workplace.desk = desk
        workflows.Workplace.again = self._again
        Answers.earlier = self._answered_earlier
        config: DBOSConfig = {
            "name": NAME,
            "system_database_engine": self.database,
            "system_database_url": _url(self.database),
            "application_version": VERSION,
            "executor_id": self.executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
            "sys_db_idle_transaction_timeout_sec": 10,
        }
        DBOS(config=config)
        DBOS.listen_queues(list(queues))
        DBOS.launch()
        self._launched = True
        polls = {**Queues.POLL_S, **({"click": Queues.EMBEDDED_CLICK_S} if takes_clicks else {})}
        for name in queues:
            self._open_queue(name, polls[name])
        if isinstance(self._lease, NoLease):
            self._take_over(self.rows.holders() - {self.executor_id}, {VERSION})
        self._lease.start()

    def ask_no_more(self) -> None:
        """Jobs that are about to ask a model leave: this process ends, and the answer would be cut off and paid."""
        if self._launched:
            running.close_doors()

    def stop(self) -> bool:
        """Lets running jobs come to an end for a few seconds; False when some did not.

        Those are done anew: at the next start, or by another process at once. Whoever gets False ends the process
        without waiting for its threads.
        """
        left = 0
        if self._launched:
            self._launched = False
            DBOS.destroy(workflow_completion_timeout_sec=STOP_TIMEOUT_S if workflows.Workplace.busy() else 0)
            left = workflows.Workplace.busy()
            self._handed_back = left > 0 or running.some_left()
            # After this others take over what did not come to its end.
            self._lease.stop()
            workflows.Workplace.desk = None
        if left:
            log.warning("jobs did not end in time and are handed back", extra={"jobs": left})
        self._client.destroy()
        self.database.dispose()
        return not self._handed_back

    def enqueue(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        job_id: str,
        priority: int = 10,
        not_before: datetime | None = None,
    ) -> str:
        """Adds a job once: the same job_id again changes nothing. A click starts at once when this process works."""
        asked = {**payload, "kind": kind, "job": job_id, "priority": priority}
        with _as_store_error():
            if (
                self._launched
                and not_before is None
                and priority < 10
                and workflows.Workplace.clicks() < CLICKS_AT_ONCE
            ):
                with SetWorkflowID(job_id):
                    DBOS.start_workflow(getattr(workflows, workflows.WORKFLOWS[kind]), asked)
            elif not_before is None:
                with writing(self.database) as connection:
                    self.rows.add(connection, [self._describe(asked, job_id)])
            else:
                self._client.enqueue(_options(asked, job_id, _seconds_until(not_before)), asked)
        return job_id

    def enqueue_events(self, connection: Connection, events: Iterable[tuple[str, str]]) -> None:
        """Adds the jobs of events, each (connection, event id), within a transaction on the engine's database."""
        self.rows.add(connection, [self._describe_event(name, event) for name, event in events])

    def _describe_event(self, name: str, event: str) -> Mapping[str, Any]:
        """An event's waiting job."""
        job_id = event_job_id(name, event)
        asked = {"connection": name, "event": event, "kind": "event", "job": job_id, "priority": 10}
        return self._describe(asked, job_id)

    def _describe(self, asked: Mapping[str, Any], job_id: str) -> Mapping[str, Any]:
        """A waiting job, as the engine's library would add it."""
        return self._client._build_enqueue_status(_options(asked, job_id, None), asked)[1]

    def cancel(self, job_id: str) -> bool:
        """Ends a job that has not ended; False when there is none or it has."""
        status = self._latest(job_id)
        if status is None or job_of(status).state not in ("waiting", "running"):
            return False
        self._client.cancel_workflow(status.workflow_id)
        return True

    def find(self, job_id: str) -> Job | None:
        status = self._latest(job_id)
        return None if status is None else job_of(status)

    def list(
        self, *, limit: int = 50, cursor: str | None = None, state: str | None = None
    ) -> tuple[Sequence[Job], str | None]:
        """Jobs, newest first. The cursor is how many rows were seen."""
        offset = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0
        with _as_store_error():
            rows = self._client.list_workflows(
                status=STATUSES[state] if state else None, sort_desc=True, limit=limit + 1, offset=offset
            )
        jobs = [job_of(row) for row in rows[:limit] if not was_followed(row)]
        return jobs, str(offset + limit) if len(rows) > limit else None

    def retry(self, job_id: str) -> Job:
        """Runs a dead or cancelled job again, as its next attempt with all tries before it."""
        status = self._latest(job_id)
        if status is None:
            raise NotFound(f"there is no job {job_id}; see `crmplugin jobs list`")
        job = job_of(status)
        if job.state not in ("dead", "cancelled"):
            raise StateConflict(f"job {job_id} is {job.state}: only a dead or cancelled one can be retried")
        payload = {**payload_of(status), "attempts": 1, "waits": 0, "why": "retried by hand"}
        n = _attempt_number(status.workflow_id) + 1
        with _as_store_error():
            self._client.enqueue(_options(payload, attempt_id(job.id, n), None), payload)
        found = self.find(job_id)
        assert found is not None
        return found

    def forget(self, drafts: Collection[str], clean: Callable[[str], str], marks: Collection[str]) -> int:
        """Takes what names a person out of what is remembered of jobs; gives back how many values changed."""
        with _as_store_error():
            return forget_in_jobs(self.database, drafts, clean, marks)

    def tidy(self) -> None:
        """Overwrites what deleted rows left in the engine's file."""
        with _as_store_error():
            tidy_jobs(self.database)

    def healthy(self) -> bool:
        """Whether the engine's database answers."""
        try:
            self._client.check_connection()
        except Exception:
            log.exception("the engine's database does not answer")
            return False
        return True

    def load(self) -> Load:
        """How much there is to do, over all processes."""
        oldest, counts = self.rows.oldest_waiting_ms(), self.rows.counts()
        age = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1000)
        states: dict[str, int] = {}
        for word, n in counts.items():
            states[STATES.get(word, "waiting")] = states.get(STATES.get(word, "waiting"), 0) + n
        leases = (0, 0) if isinstance(self._lease, NoLease) else LeaseStore(self.database).count()
        return Load(states, age, *leases)

    def _again(self, payload: dict[str, Any], delay_s: float) -> str:
        """The next attempt of a running job, after some seconds."""
        current = DBOS.workflow_id or payload["job"]
        n = _attempt_number(current) + 1
        # An attempt that is begun anew, because its end could not be kept, may have had its next one already.
        while self._has_ended(attempt_id(base_id(current), n)):
            n += 1
        next_id = attempt_id(base_id(current), n)
        self._client.enqueue(_options(payload, next_id, delay_s), payload)
        return next_id

    def _answered_earlier(self, workflow_id: str, step: str) -> dict[str, Any] | None:
        """What an earlier attempt of a job kept as the answer of a step."""
        job = base_id(workflow_id)
        attempts = [attempt_id(job, n) for n in range(1, _attempt_number(workflow_id))]
        found = (json.loads(output) for output in self.rows.outputs(attempts, step))
        return next((answer for answer in found if "value" in answer), None)

    def _has_ended(self, workflow_id: str) -> bool:
        """Whether there is such an attempt and it neither waits nor runs."""
        rows = self._client.list_workflows(workflow_ids=[workflow_id])
        return any(job_of(row).state not in ("waiting", "running") for row in rows)

    def _schema(self) -> str | None:
        return None if self.database.dialect.name == "sqlite" else "dbos"

    def _latest(self, job_id: str) -> Any:
        """The row of a job's latest attempt."""
        with _as_store_error():
            rows = self._client.list_workflows(workflow_ids=[job_id])
            if rows and was_followed(rows[0]) or rows and job_of(rows[0]).state in ("dead", "cancelled"):
                rows += self._client.list_workflows(workflow_id_prefix=f"{job_id}/a")
        return max(rows, key=lambda r: _attempt_number(r.workflow_id), default=None)

    def take_up_dropped(self) -> int:
        """Begins anew what this process holds and does not do: its end could not be kept, because a disk was full.

        Only jobs that looked so the last time too: one that was handed out just now has not begun. Gives back how many.
        """
        if not self._launched:
            return 0
        idle = self.rows.held_by(self.executor_id) - running.in_progress()
        dropped, self._idle = idle & self._idle, idle
        for workflow_id in dropped:
            running.hand_back(workflow_id, self.executor_id)
        if dropped:
            log.warning("jobs whose end could not be kept are begun anew", extra={"jobs": len(dropped)})
        return len(dropped)

    def check_lease(self) -> None:
        """Raises LeaseLost when others may have taken over the jobs of this process."""
        if self._handed_back:
            raise LeaseLost("this process ends and has handed its jobs back: they are done by another")
        if self._launched:
            self._lease.check()
            # The lease may have been renewed since others took the jobs over.
            running.leave_if_lost()

    def _open_lease(self) -> LeaseKeeper | NoLease:
        if self.database.dialect.name == "sqlite":
            return NoLease()
        return LeaseKeeper(
            LeaseStore(self.database),
            self.executor_id,
            version=VERSION,
            holders=self.rows.holders,
            take_over=self._take_over,
        )

    def _open_queue(self, name: str, poll_s: float) -> None:
        at_once = Queues.at_once(name, self._at_once)
        share = max(1, int(at_once * SHARE)) if name in Queues.SHARED_OUT else None
        DBOS.register_queue(
            name,
            worker_concurrency=at_once,
            partition_worker_concurrency=share,
            polling_interval_sec=poll_s,
            on_conflict="always_update",
        )

    def _take_over(self, gone: Collection[str], versions_at_work: Collection[str]) -> None:
        """Adopts jobs of versions that are at work nowhere, and those that processes left which are gone."""
        over = [version for version in EARLIER if version not in versions_at_work]
        adopted = self.rows.adopt(over, mine=VERSION, partition=ADOPTED)
        if adopted:
            log.info("jobs of an earlier version go on here", extra={"jobs": adopted})
        if gone:
            DBOS._recover_pending_workflows(sorted(gone))


def _options(payload: Mapping[str, Any], job_id: str, delay_s: float | None) -> EnqueueOptions:
    priority = payload.get("priority", 10)
    queue = Queues.of(priority)
    options: EnqueueOptions = {
        "workflow_name": workflows.WORKFLOWS[payload["kind"]],
        "queue_name": queue,
        "workflow_id": job_id,
        "app_version": VERSION,
        "priority": priority,
    }
    if queue in Queues.SHARED_OUT:
        options["queue_partition_key"] = payload.get("connection") or NAME
    if delay_s:
        options["delay_seconds"] = delay_s
    return options


@contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"the engine's database does not answer ({error}): look at its disk and connection") from error


def _attempt_number(workflow_id: str) -> int:
    tail = workflow_id.rpartition("/a")[2]
    return int(tail) if base_id(workflow_id) != workflow_id else 1


def _seconds_until(moment: datetime | None) -> float | None:
    return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)
