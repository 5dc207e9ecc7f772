"""Asking for drafts: the rows that say one is wanted, and the jobs that write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from crmplugin.domain.brief import INTERNAL_KINDS, Decision, Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.present import to_json
from crmplugin.store.drafts import DraftRow


@dataclass(frozen=True, slots=True)
class Ask:
    """A draft that somebody or something wants. `due`: the day it may be written, None for now.

    The id is the asker's: the same id again is the same draft. `keep_edits`: whether what a person changed in the
    draft that this one replaces goes into it.
    """

    draft_id: str
    request: Request
    origin: str
    at: datetime
    created_by: str | None = None
    event: str | None = None
    write_back: str = "on_approval"
    due: date | None = None
    replaces: str | None = None
    owner_id: str | None = None
    keep_edits: bool = True


def ask_for_drafts(desk: Desk, asks: Sequence[Ask]) -> tuple[str, ...]:
    """Keeps what is wanted, as `writing` or `scheduled`; those that are there already stay as they are."""
    desk.drafts.create_all([draft_row(ask) for ask in asks])
    return tuple(ask.draft_id for ask in asks)


def event_job_id(connection: str, event_id: str, replay: int = 0) -> str:
    """The id of an event's job: the same event again is the same job.

    Event ids are percent-encoded, so that a slash in one cannot pretend to be a replay.
    """
    base = f"{connection}/{quote(event_id, safe='')}"
    return f"{base}/r{replay}" if replay else base


def start_event(desk: Desk, connection: str, event_id: str, *, replay: int = 0) -> str:
    """Adds the job of an event; `replay` counts from 1, 0 is the first time. Gives back the job's id."""
    payload = {"connection": connection, "event": event_id, "replay": replay}
    return desk.jobs.enqueue("event", payload, job_id=event_job_id(connection, event_id, replay), priority=10)


def start_draft(
    desk: Desk, draft_id: str, *, connection: str, priority: int, event: str | None = None, attempt: int = 1
) -> str:
    """Adds the job that writes a draft; the same attempt again changes nothing. Gives back the job's id."""
    payload = {"draft": draft_id, "connection": connection, "event": event, "attempt": attempt}
    return desk.jobs.enqueue("draft", payload, job_id=f"draft/{draft_id}/{attempt}", priority=priority)


def start_write_back(desk: Desk, row: DraftRow, *, priority: int = 1) -> str | None:
    """Adds the job that puts an approved draft into the CRM; None when its playbook says never."""
    if row.write_back == "never":
        return None
    payload = {"draft": row.id, "connection": row.connection, "event": row.event}
    return desk.jobs.enqueue("write_back", payload, job_id=f"write/{row.id}/{row.attempt}", priority=priority)


def owner_of(desk: Desk, connection: str, subject: Subject) -> str | None:
    """The CRM user whose deal or account a subject is; None when the store does not say."""
    record = desk.records.read_one(connection, COLLECTIONS[subject.type], subject.id)
    for _ in range(3):
        if record is None or getattr(record, "owner_id", None):
            break
        record = _above(desk, connection, record)
    return getattr(record, "owner_id", None)


COLLECTIONS = {
    "deal": "deals", "company": "companies", "contact": "contacts", "ticket": "tickets", "activity": "activities",
}  # fmt: skip
"""The collection of each thing that a draft can be about."""


def _above(desk: Desk, connection: str, record: Any) -> Any:
    """The deal of a record, else its company."""
    for field, collection in (("deal_id", "deals"), ("company_id", "companies")):
        if id_ := getattr(record, field, None):
            return desk.records.read_one(connection, collection, id_)
    return None


def blank_draft(ask: Ask) -> Draft:
    """The draft before a word of it is written."""
    request = ask.request
    return Draft(
        id=ask.draft_id,
        connection=request.connection,
        kind=request.kind,
        type=request.type,
        subject_of=request.subject,
        status="scheduled" if ask.due else "writing",
        decision=Decision("draft"),
        as_of=request.as_of or ask.at,
        created_at=ask.at,
        audience="internal" if request.kind in INTERNAL_KINDS else "customer",
        channel=request.channel,
        language=request.language,
        created_by=ask.created_by,
        origin=ask.origin,  # type: ignore[arg-type]
        event=ask.event,
        earliest=ask.due,
    )


def draft_row(ask: Ask) -> DraftRow:
    """The row of a draft before a word of it is written."""
    draft = blank_draft(ask)
    document: dict[str, Any] = to_json(draft)
    return DraftRow(
        id=draft.id,
        connection=draft.connection,
        kind=draft.kind,
        status=draft.status,
        version=1,
        created_at=ask.at,
        updated_at=ask.at,
        origin=ask.origin,
        subject_type=draft.subject_of.type,
        subject_id=draft.subject_of.id,
        write_back=ask.write_back,
        request=to_json(ask.request) | ({} if ask.keep_edits else {"keep_edits": False}),
        document=document,
        due=ask.due.isoformat() if ask.due else None,
        event=ask.event,
        owner_id=ask.owner_id,
        created_by=ask.created_by,
        replaces=ask.replaces,
    )
