"""The job of a draft: from the row that says one is wanted to the row that has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from crmplugin.domain.brief import INTERNAL_KINDS, Request
from crmplugin.domain.draft import PASSING, Draft
from crmplugin.errors import StateConflict
from crmplugin.journeys.ask import start_write_back
from crmplugin.journeys.broadcast import Stopped
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.draft import make_draft
from crmplugin.journeys.keep_edits import keep_edits
from crmplugin.journeys.newest import newest_only
from crmplugin.journeys.present import draft_from_json, from_json, to_json
from crmplugin.journeys.recording import Recording
from crmplugin.ports import Step, plain_step
from crmplugin.store.drafts import DraftRow
from crmplugin.store.drafts_told import Kept

PLAYBOOK = "playbook"


def run_draft(desk: Desk, draft_id: str, *, step: Step = plain_step) -> str:
    """Writes one draft and gives back its status. A draft that is written, stopped or gone further is left alone.

    Errors that may pass are raised and the draft stays `writing`; others end in `failed` with the reason.
    """
    row = _begin(desk, draft_id)
    if row.status != "writing":
        return _go_alone(desk, newest_only(desk, keep_edits(desk, row)))  # an earlier run may have ended before it
    channel = desk.broadcast.open(draft_id)
    try:
        recording = Recording(desk.tools(row.connection), step)
        draft = _make(desk, row, recording, channel.emit)
        return _finish(desk, row, draft, recording.kept(draft))
    except Stopped:
        return "stopped"
    finally:
        desk.broadcast.close(draft_id)


def fail_draft(desk: Desk, draft_id: str, problem: str) -> None:
    """Marks a draft as failed, with the reason and what to do, unless it has moved on meanwhile."""
    row = desk.drafts.find(draft_id)
    if row is not None and row.status in ("writing", "writing_back"):
        try:
            desk.drafts.move(draft_id, "failed", at=desk.clock(), reason=problem, problem=problem)
        except StateConflict:
            return


def _begin(desk: Desk, draft_id: str) -> DraftRow:
    """The draft, made `writing` when it was scheduled or failed and is tried again."""
    row = desk.drafts.get(draft_id)
    if row.status not in ("scheduled", "failed"):
        return row
    try:
        return desk.drafts.move(draft_id, "writing", at=desk.clock(), only_from=(row.status,), problem=None)
    except StateConflict:
        return desk.drafts.get(draft_id)


def _make(desk: Desk, row: DraftRow, recording: Recording, emit: Any) -> Draft:
    request = from_json(Request, row.request)
    made = make_draft(
        request,
        tools=recording.tools,
        step=recording.step,
        emit=emit,
        draft_id=row.id,
        now=desk.clock(),
        origin=row.origin,
        created_by=row.created_by,
        event=row.event,
        owner_id=row.owner_id,
    )
    return replace(made, created_at=row.created_at)


def _finish(desk: Desk, row: DraftRow, draft: Draft, made_of: Kept) -> str:
    """Keeps the result, unless somebody stopped the draft meanwhile."""
    now = desk.clock()
    try:
        kept = keep_edits(desk, _keep(desk, row, draft, made_of, now))
    except StateConflict:
        return desk.drafts.get(row.id).status
    return _go_alone(desk, newest_only(desk, kept))


def _go_alone(desk: Desk, row: DraftRow) -> str:
    """Approves a draft that its playbook writes at once; the status that it has then."""
    if row.status != "proposed" or row.write_back != "at_once" or not _may_go_alone(current_draft(row)):
        return row.status
    try:
        row = desk.drafts.move(
            row.id, "approved", at=desk.clock(), by=PLAYBOOK, only_from=("proposed",), attempt=row.attempt + 1
        )
    except StateConflict:
        return desk.drafts.get(row.id).status
    start_write_back(desk, row, priority=10)
    return row.status


def _keep(desk: Desk, row: DraftRow, draft: Draft, made_of: Kept, now: datetime) -> DraftRow:
    return desk.drafts.move(
        row.id,
        draft.status,
        at=now,
        by=draft.writer,
        only_from=("writing",),
        document=to_json(draft),
        problem=None,
        kept=made_of,
    )


def _may_go_alone(draft: Draft) -> bool:
    """Only an internal text, of which every sentence passed, is written without a person."""
    kept = [s for s in draft.sentences if s.action != "removed"]
    return draft.kind in INTERNAL_KINDS and bool(kept) and all(s.verdict in PASSING for s in kept)


def current_draft(row: DraftRow) -> Draft:
    """The draft of a row, with the status and version that the row has now."""
    draft = draft_from_json(row.document)
    return replace(draft, status=row.status, version=row.version)  # type: ignore[arg-type]
