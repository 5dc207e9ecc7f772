"""Rows of the store as the JSON of the contract's answers."""

from __future__ import annotations

from typing import Any

from crmplugin.journeys.desk import Job
from crmplugin.journeys.present import draft_json, show_instant
from crmplugin.journeys.run_draft import current_draft
from crmplugin.store.drafts import DraftRow, MoveRow, VersionRow
from crmplugin.store.events import EventRow


def draft_answer(row: DraftRow) -> dict[str, Any]:
    """A draft as contract §5.2 shows it, and what became of it."""
    more = {
        "write_back": row.write_back,
        "replaces": row.replaces,
        "written_id": row.written_id,
        "problem": row.problem,
    }
    return draft_json(current_draft(row)) | more


def version_answer(row: VersionRow) -> dict[str, Any]:
    return {
        "version": row.version,
        "at": show_instant(row.at),
        "by": row.by,
        "subject": row.subject,
        "body": row.body,
    }


def move_answer(row: MoveRow) -> dict[str, Any]:
    return {
        "old": row.old,
        "new": row.new,
        "version": row.version,
        "by": row.by,
        "reason": row.reason,
        "at": show_instant(row.at),
    }


def event_answer(row: EventRow, drafts: tuple[str, ...]) -> dict[str, Any]:
    """An event as contract §8 shows it."""
    return {
        "id": row.id,
        "connection": row.connection,
        "type": row.type,
        "received_at": show_instant(row.received_at),
        "state": row.state,
        "reason": row.reason,
        "drafts": list(drafts),
        "attempts": row.attempts,
    }


def job_answer(job: Job) -> dict[str, Any]:
    """A job as contract §8 shows it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "connection": job.connection,
        "event": job.event,
        "draft": job.draft,
        "state": job.state,
        "wait_reason": job.wait_reason,
        "attempts": job.attempts,
        "next_at": show_instant(job.next_at) if job.next_at else None,
    }
