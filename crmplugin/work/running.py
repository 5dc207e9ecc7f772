"""The runs of jobs in this process, as the engine's library knows them: its private names stand here alone."""

from __future__ import annotations

import threading

from dbos._context import get_local_dbos_context
from dbos._dbos import _get_dbos_instance
from dbos._error import DBOSWorkflowConflictIDError
from dbos._utils import INTERNAL_QUEUE_NAME
from sqlalchemy import text

from crmplugin.store.guard import reading

_SCHEMAS = {"sqlite": "", "postgresql": "dbos."}
_OWNER = {
    name: text(f"SELECT owner_xid FROM {schema}workflow_status WHERE workflow_uuid = :job")  # noqa: S608
    for name, schema in _SCHEMAS.items()
}
_UNCOUNTED = {
    name: text(
        f"UPDATE {schema}workflow_status SET recovery_attempts = 0"  # noqa: S608
        " WHERE workflow_uuid = :job AND executor_id = :executor AND status = 'PENDING'"
    )
    for name, schema in _SCHEMAS.items()
}
_ending, _left = threading.Event(), threading.Event()


class HandedBack(BaseException):
    """Ends a run without an end of its job, which stays as it is for whoever takes it over.

    No `Exception`, for which the engine would keep that the job failed.
    """


def open_doors() -> None:
    """This process begins to do jobs."""
    _ending.clear()
    _left.clear()


def close_doors() -> None:
    """This process is about to end: its jobs begin nothing more that costs money."""
    _ending.set()


def leave_if_ending() -> None:
    """Ends this thread's run of a job when the process is about to end: what is begun now would be cut off and paid."""
    if _ending.is_set():
        _left.set()
        raise HandedBack


def some_left() -> bool:
    """Whether a job left because the process ends."""
    return _left.is_set()


def in_progress() -> set[str]:
    """The ids of the engine's rows that threads of this process are at work on."""
    return set(_get_dbos_instance()._active_workflows_set.activeList())


def hand_back(workflow_id: str, executor: str) -> None:
    """Puts a row that this process holds back into its queue.

    The engine counts every new beginning as a crash and gives a job up after some. Handing back is none: while a disk
    is full the same job may be begun anew every few seconds.
    """
    with _get_dbos_instance()._sys_db.engine.begin() as connection:
        connection.execute(_UNCOUNTED[connection.dialect.name], {"job": workflow_id, "executor": executor})
    _get_dbos_instance()._sys_db.reenqueue_for_recovery(workflow_id, [executor], INTERNAL_QUEUE_NAME)


def leave_if_lost() -> None:
    """Ends this thread's run of a job that is another's by now; outside a job it does nothing.

    A process that stood still wakes up in the middle of jobs that were given to others meanwhile. The engine refuses to
    keep what it then says of them; whatever costs money or reaches a CRM asks here first. The engine catches what is
    raised, which is no `Exception`, and waits for the result of whoever does the job now.
    """
    run = get_local_dbos_context()
    if run is None or not run.workflow_id:
        return
    with reading(_get_dbos_instance()._sys_db.engine) as connection:
        owner = connection.execute(_OWNER[connection.dialect.name], {"job": run.workflow_id}).scalar()
    if owner != run.owner_xid:
        raise DBOSWorkflowConflictIDError(run.workflow_id)
