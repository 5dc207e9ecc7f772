"""The engine's own rows, where its library has no call for what we need: many jobs at once, who holds jobs, and jobs of
earlier versions.

A job is done only by processes of the version that it was added under. Where none of that version is at work any more,
the next one adopts its jobs: it still has their workflows under their old names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, bindparam, text

from crmplugin.store.guard import reading, writing

OPEN = ("ENQUEUED", "DELAYED", "PENDING")
STATUS = {
    "workflow_uuid": "workflow_uuid",
    "status": "status",
    "name": "name",
    "application_version": "app_version",
    "application_name": "application_name",
    "queue_name": "queue_name",
    "queue_partition_key": "queue_partition_key",
    "priority": "priority",
    "serialization": "serialization",
}
"""The columns of a job that waits in a queue, and where the library's description of it has them; others are empty."""


class EngineRows:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        table = "workflow_status" if engine.dialect.name == "sqlite" else "dbos.workflow_status"
        self._holders = text(f"SELECT DISTINCT executor_id FROM {table} WHERE status = 'PENDING'")  # noqa: S608
        among = "status IN :open AND application_version IN :versions"
        self._held = text(
            f"SELECT workflow_uuid FROM {table} WHERE status = 'PENDING' AND executor_id = :me"  # noqa: S608
        )
        self._count = text(f"SELECT count(*) FROM {table} WHERE {among}")  # noqa: S608
        self._adopt = text(
            f"UPDATE {table} SET application_version = :mine,"  # noqa: S608
            " queue_partition_key = CASE WHEN queue_name IN ('event', 'campaign')"
            f" THEN coalesce(queue_partition_key, :partition) ELSE queue_partition_key END WHERE {among}"
        ).bindparams(bindparam("open", expanding=True), bindparam("versions", expanding=True))
        self._count = self._count.bindparams(bindparam("open", expanding=True), bindparam("versions", expanding=True))
        self._outputs = text(
            f"SELECT output FROM {table.replace('workflow_status', 'operation_outputs')}"  # noqa: S608
            " WHERE workflow_uuid IN :jobs AND function_name = :step AND output IS NOT NULL"
            " ORDER BY completed_at_epoch_ms DESC"
        ).bindparams(bindparam("jobs", expanding=True))
        self._add = _insert(table, (*STATUS, "recovery_attempts"))
        self._add_input = _insert(table.replace("_status", "_input"), ("workflow_uuid", "inputs"))
        waiting = "SELECT min(created_at) FROM {} WHERE status = 'ENQUEUED'"
        self._oldest = text(waiting.format(table))
        self._states = text(f"SELECT status, count(*) FROM {table} WHERE status IN :open GROUP BY status")  # noqa: S608
        self._states = self._states.bindparams(bindparam("open", expanding=True))

    def holders(self) -> set[str]:
        """The processes that jobs say are doing them."""
        with reading(self._engine) as connection:
            return {row.executor_id for row in connection.execute(self._holders) if row.executor_id}

    def add(self, connection: Connection, described: Sequence[Mapping[str, Any]]) -> None:
        """Adds waiting jobs within the caller's transaction; those that are there already stay as they are.

        One statement for all: the library's own way takes two for each job, which cost more than the acknowledgement.
        """
        if not described:
            return
        connection.execute(
            self._add,
            [{"recovery_attempts": 0} | {name: one[key] for name, key in STATUS.items()} for one in described],
        )
        connection.execute(
            self._add_input, [{name: one[name] for name in ("workflow_uuid", "inputs")} for one in described]
        )

    def held_by(self, executor: str) -> set[str]:
        """The jobs that say that this process is doing them."""
        with reading(self._engine) as connection:
            return {row.workflow_uuid for row in connection.execute(self._held, {"me": executor})}

    def outputs(self, jobs: Collection[str], step: str) -> list[str]:
        """What these jobs kept as results of a step of this name, as JSON, newest first."""
        with reading(self._engine) as connection:
            return list(connection.execute(self._outputs, {"jobs": list(jobs), "step": step}).scalars())

    def adopt(self, versions: Collection[str], *, mine: str, partition: str) -> int:
        """Makes open jobs of these versions ours, and gives back how many there were.

        In a queue whose jobs have a partition, those from before that get this one.
        """
        asked = {"open": OPEN, "versions": list(versions)}
        with reading(self._engine) as connection:
            if not versions or not connection.execute(self._count, asked).scalar_one():
                return 0
        with writing(self._engine) as connection:
            return connection.execute(self._adopt, {**asked, "mine": mine, "partition": partition}).rowcount

    def oldest_waiting_ms(self) -> int | None:
        """When the oldest job that waits for nothing but its turn was added, in milliseconds of Unix time."""
        with reading(self._engine) as connection:
            found: int | None = connection.execute(self._oldest).scalar()
        return found

    def counts(self) -> dict[str, int]:
        """Jobs that are not at their end, by the engine's word for their state."""
        with reading(self._engine) as connection:
            rows = connection.execute(self._states, {"open": OPEN}).all()
        return {row[0]: row[1] for row in rows}


def _insert(table: str, columns: Sequence[str]) -> TextClause:
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    return text(f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING")  # noqa: S608
