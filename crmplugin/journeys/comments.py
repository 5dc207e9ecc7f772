"""Public comments and reviews: in from a table of them, and a person alerted when one cannot wait."""

from __future__ import annotations

import csv
import hashlib
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from crmplugin.analysis.reputation import read_comment
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.records import check_record
from crmplugin.errors import RecordProblem, UsageError
from crmplugin.journeys.desk import Desk
from crmplugin.store.events import EventRow

log = logging.getLogger(__name__)

COLUMNS = ("id", "at", "text", "rating", "author", "company_id", "contact_id")
NEEDED = ("at", "text")
ALERT = "crmplugin:alert:"


def alert_person(desk: Desk, row: EventRow) -> None:
    """Puts a task for today into the local CRM when a comment cannot wait; of other CRMs the draft's warning says so.

    Doing it again changes nothing: the task has the event's id.
    """
    reference = row.document.get("object") or {}
    if row.type != "review.received" or reference.get("type") != "activity":
        return
    said = desk.records.read_one(row.connection, "activities", reference["id"])
    comment = read_comment(said.body or "", headline=said.subject) if said else None
    if said is None or comment is None or comment.urgency != "urgent":
        return
    log.warning("urgent comment", extra={"event": row.id, "reasons": ", ".join(topic for topic, _ in comment.reasons)})
    if row.connection != "local":
        return
    now = desk.clock()
    desk.records.add_activity(
        row.connection,
        {
            "id": f"alert-{row.id}"[:255], "type": "task", "direction": "internal", "at": now.isoformat(),
            "due_at": now.isoformat(), "owner_side": "us", "company_id": said.company_id, "user_id": said.user_id,
            "subject": "Public comment that cannot wait", "source": f"{ALERT}{row.id}",
        },
    )  # fmt: skip


def read_comments(desk: Desk, path: Path, *, connection: str = "local") -> dict[str, Any]:
    """Comments of a CSV file as events, each once. Gives back how many were new, known, and refused by line.

    Columns: id (else made of the row), at (RFC 3339 or a date), text, rating (1 to 5), author, company_id, contact_id.
    Raises UsageError for a file without `at` and `text`.
    """
    taken, refused = [], []
    for line, cells in _rows(path):
        try:
            activity = _activity(cells)
        except RecordProblem as problem:
            refused.append({"line": line, "reason": str(problem)})
            continue
        taken.append(_event(activity, connection, desk.clock()))
    new = desk.intake.take(taken) if taken else []
    return {"accepted": sum(new), "duplicates": len(new) - sum(new), "refused": refused}


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        text = path.read_text("utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {error}") from None
    reader = csv.DictReader(text.splitlines(keepends=True))
    headings = [str(name).strip().casefold() for name in reader.fieldnames or ()]
    if missing := [name for name in NEEDED if name not in headings]:
        raise UsageError(f"{path}: the column {missing[0]} is missing; known are {', '.join(COLUMNS)}")
    reader.fieldnames = headings
    for row in reader:
        yield reader.line_num, {name: (row.get(name) or "").strip() for name in COLUMNS}


def _activity(cells: Mapping[str, str]) -> dict[str, Any]:
    if not cells["text"]:
        raise RecordProblem("text", "what was said", "")
    if cells["rating"] and cells["rating"] not in "12345":
        raise RecordProblem("rating", "1 to 5", cells["rating"])
    key = cells["id"] or hashlib.sha256("\0".join(cells.values()).encode()).hexdigest()[:16]
    document = {
        "id": f"review-{key}", "type": "social", "direction": "inbound", "at": _instant(cells["at"]),
        "subject": f"{cells['rating']}/5" if cells["rating"] else None, "body": cells["text"],
        "company_id": cells["company_id"] or None, "contact_ids": [cells["contact_id"]] if cells["contact_id"] else [],
    }  # fmt: skip
    return check_record("activities", document)


def _instant(text: str) -> str:
    """An instant as it stands; a date is its noon in UTC."""
    try:
        return datetime.combine(date.fromisoformat(text), time(12), UTC).isoformat() if len(text) == 10 else text
    except ValueError:
        raise RecordProblem("at", "an RFC 3339 time or a date", text) from None


def _event(activity: Mapping[str, Any], connection: str, now: datetime) -> Event:
    return Event(
        id=f"{activity['id']}",
        connection=connection,
        type="review.received",
        at=datetime.fromisoformat(activity["at"]),
        object=ObjectRef("activity", activity["id"]),
        records={"activities": [dict(activity)]},
        raw=dict(activity),
        received_at=now,
    )
