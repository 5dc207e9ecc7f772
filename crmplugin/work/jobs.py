"""A job as people see it, read from the engine's rows. Attempts of one job are rows of their own, and shown as one.

A job's id: `{connection}/{event id}[/r{replay}]` for an event, `draft/{draft}/{n}`, `write/{draft}/{n}`. Its second
attempt and later ones add `/a{n}`. Event ids are percent-encoded, so that a slash in one cannot pretend to be a replay.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from crmplugin.journeys.desk import Job

ATTEMPT = re.compile(r"/a([0-9]+)\Z")
STATES = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "dead",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "dead",
    "CANCELLED": "cancelled",
}
STATUSES = {
    "waiting": ["ENQUEUED", "DELAYED"],
    "running": ["PENDING"],
    "done": ["SUCCESS"],
    "dead": ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
    "cancelled": ["CANCELLED"],
}
"""The engine's words behind each of ours."""


def base_id(workflow_id: str) -> str:
    """The job's id without the number of its attempt."""
    return ATTEMPT.sub("", workflow_id)


def attempt_id(job_id: str, attempt: int) -> str:
    """The id of the n-th attempt; the first is the job's own."""
    return job_id if attempt == 1 else f"{job_id}/a{attempt}"


def job_of(status: Any) -> Job:
    """A job from one row of the engine."""
    payload = payload_of(status)
    waiting_until = status.delay_until_epoch_ms if status.status == "DELAYED" else None
    return Job(
        id=base_id(status.workflow_id),
        kind=payload.get("kind", status.name.rpartition("_")[0]),
        state=STATES.get(status.status, "waiting"),
        connection=payload.get("connection"),
        event=payload.get("event"),
        draft=payload.get("draft"),
        wait_reason=_reason(status, payload),
        attempts=payload.get("attempts", 1) + payload.get("waits", 0),
        next_at=_instant(waiting_until),
        created_at=_instant(status.created_at),
    )


def payload_of(status: Any) -> dict[str, Any]:
    """What the job was asked to do."""
    given: dict[str, Any] = status.input or {}
    return dict(next(iter(given.get("args") or ()), {}))


def was_followed(status: Any) -> bool:
    """Whether a later attempt took over, so that this row is no longer the job."""
    return isinstance(status.output, dict) and "next" in status.output


def _reason(status: Any, payload: dict[str, Any]) -> str | None:
    if STATES.get(status.status) == "dead":
        return str(status.error) if status.error else "it began too often without coming to an end"
    return payload.get("why") if STATES.get(status.status) == "waiting" else None


def _instant(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)
