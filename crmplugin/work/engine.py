"""The durable engine (DBOS): its launch, its queues, its jobs, and its end. One per process.

Embedded, its rows are a SQLite file of their own beside the database; on PostgreSQL, a schema of the same database.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, SetWorkflowID
from dbos import run_dbos_database_migrations as migrate_engine
from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.exc import SQLAlchemyError

from crmplugin.errors import NotFound, StateConflict, StoreError
from crmplugin.journeys.desk import Desk, Job
from crmplugin.settings import Settings
from crmplugin.store.database import open_engine
from crmplugin.work import workflows
from crmplugin.work.jobs import STATUSES, attempt_id, base_id, job_of, payload_of, was_followed

log = logging.getLogger(__name__)

NAME = "crmplugin"
VERSION = "1"
"""Pinned: the default is a hash of the code, and jobs of yesterday's would wait for ever after a deploy."""
STOP_TIMEOUT_S = 8
CLICKS_AT_ONCE = 64


class Queues:
    """Queue names, and how often each is looked at in seconds; only a person's click is worth looking often.

    In a server that also takes the clicks they start at once, and its queue only holds what came all at the same time.
    """

    EMBEDDED_CLICK_S = 1.0
    POLL_S: Mapping[str, float] = {"click": 0.1, "event": 0.4, "campaign": 2.0}
    AT_ONCE: Mapping[str, int] = {"click": CLICKS_AT_ONCE, "event": 64, "campaign": 16}

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
    return engine


def _begin_immediate(connection: Any, _record: Any) -> None:
    # As DBOS does on connections of its own: a transaction that reads first must not fail to write afterwards.
    connection.isolation_level = "IMMEDIATE"


class JobEngine:
    """Jobs: added by anyone, done by the process that has launched. Implements `journeys.desk.JobBoard`."""

    def __init__(self, settings: Settings) -> None:
        self.database = open_engine_database(settings)
        self.executor_id = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._launched = False
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
        workflows.Workplace.desk = desk
        workflows.Workplace.again = self._again
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
            DBOS.register_queue(name, worker_concurrency=Queues.AT_ONCE[name], polling_interval_sec=polls[name])
        self._recover()

    def stop(self) -> None:
        """Lets running jobs come to an end for a few seconds; what does not is done again at the next start."""
        if self._launched:
            self._launched = False
            DBOS.destroy(workflow_completion_timeout_sec=STOP_TIMEOUT_S if workflows.Workplace.busy() else 0)
            workflows.Workplace.desk = None
        self._client.destroy()
        self.database.dispose()

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
            if self._launched and not_before is None and priority < 10 and workflows.Workplace.busy() < CLICKS_AT_ONCE:
                with SetWorkflowID(job_id):
                    DBOS.start_workflow(getattr(workflows, workflows.WORKFLOWS[kind]), asked)
            else:
                self._client.enqueue(_options(kind, job_id, priority, _seconds_until(not_before)), asked)
        return job_id

    def enqueue_in(self, connection: Connection, kind: str, payload: Mapping[str, Any], *, job_id: str) -> None:
        """Adds an event's job within the caller's transaction on the engine's database."""
        asked = {**payload, "kind": kind, "job": job_id, "priority": 10}
        self._client.enqueue_in_transaction(connection, _options(kind, job_id, 10, None), asked)

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
        offset = int(cursor) if cursor and cursor.isdigit() else 0
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
        payload = {**payload_of(status), "attempts": 1, "why": "retried by hand"}
        n = _attempt_number(status.workflow_id) + 1
        with _as_store_error():
            options = _options(payload["kind"], attempt_id(job.id, n), payload.get("priority", 10), None)
            self._client.enqueue(options, payload)
        found = self.find(job_id)
        assert found is not None
        return found

    def healthy(self) -> bool:
        """Whether the engine's database answers."""
        try:
            self._client.check_connection()
        except Exception:
            log.exception("the engine's database does not answer")
            return False
        return True

    def _again(self, payload: dict[str, Any], delay_s: float) -> str:
        """The next attempt of a running job, after some seconds."""
        current = DBOS.workflow_id or payload["job"]
        next_id = attempt_id(base_id(current), _attempt_number(current) + 1)
        self._client.enqueue(_options(payload["kind"], next_id, payload.get("priority", 10), delay_s), payload)
        return next_id

    def _schema(self) -> str | None:
        return None if self.database.dialect.name == "sqlite" else "dbos"

    def _latest(self, job_id: str) -> Any:
        """The row of a job's latest attempt."""
        with _as_store_error():
            rows = self._client.list_workflows(workflow_ids=[job_id])
            if rows and was_followed(rows[0]) or rows and job_of(rows[0]).state in ("dead", "cancelled"):
                rows += self._client.list_workflows(workflow_id_prefix=f"{job_id}/a")
        return max(rows, key=lambda r: _attempt_number(r.workflow_id), default=None)

    def _recover(self) -> None:
        """Takes over what processes that are gone left running.

        Embedded, the lock on `var/` says that no other process is alive. On PostgreSQL other machines may be at work:
        only processes of this one are known to be gone.
        """
        running = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        others = {r.executor_id for r in running if r.executor_id and r.executor_id != self.executor_id}
        dead = sorted(filter(_is_gone, others) if self.database.dialect.name != "sqlite" else others)
        if dead:
            DBOS._recover_pending_workflows(dead)


def _is_gone(executor_id: str) -> bool:
    """Whether a process (`host-pid-uuid`) ran on this machine and is no more."""
    host, _, pid = executor_id.rpartition("-")[0].rpartition("-")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    # A process of our own number is an earlier one: in a container every start may have the same.
    return int(pid) == os.getpid() or not _is_alive(int(pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _options(kind: str, job_id: str, priority: int, delay_s: float | None) -> EnqueueOptions:
    options: EnqueueOptions = {
        "workflow_name": workflows.WORKFLOWS[kind],
        "queue_name": Queues.of(priority),
        "workflow_id": job_id,
        "app_version": VERSION,
        "priority": priority,
    }
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
