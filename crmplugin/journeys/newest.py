"""One waiting draft for one thing: of what events made about a record, the newest waits and the others give way.

A draft that a person edited stays, so does one that was asked for by a person, and so do the drafts of one event (a
replay makes another and keeps the first). Drafts made at once agree on which is the newest, whoever is ready first.
"""

from __future__ import annotations

from datetime import datetime

from crmplugin.errors import StateConflict
from crmplugin.journeys.desk import Desk
from crmplugin.store.drafts import DraftRow

MOST = 50


def newest_only(desk: Desk, row: DraftRow) -> DraftRow:
    """Lets the older drafts of other events give way, or this one to a newer; the row as it stands then."""
    if row.status != "proposed" or not _gives_way(row):
        return row
    others = [other for other in _beside(desk, row) if other.event != row.event and _gives_way(other)]
    newer = max((other for other in others if _age(other) > _age(row)), key=_age, default=None)
    for other in (other for other in others if _age(other) < _age(row)):
        _supersede(desk, other, by=row)
    return _supersede(desk, row, by=newer) if newer else row


def _beside(desk: Desk, row: DraftRow) -> tuple[DraftRow, ...]:
    return desk.drafts.list(
        limit=MOST, connection=row.connection, kind=row.kind, status="proposed", origin="event",
        subject_type=row.subject_type, subject_id=row.subject_id,
    ).items  # fmt: skip


def _gives_way(row: DraftRow) -> bool:
    """Whether nobody has touched it: an event made it, it waits for a person, and it is as it was written."""
    return row.origin == "event" and row.version == 1 and row.write_back != "at_once"


def _age(row: DraftRow) -> tuple[datetime, str]:
    return row.created_at, row.id


def _supersede(desk: Desk, row: DraftRow, *, by: DraftRow) -> DraftRow:
    try:
        return desk.drafts.move(
            row.id, "superseded", at=desk.clock(), by="playbook", version=row.version, only_from=("proposed",),
            reason=f"a newer event made draft {by.id}",
        )  # fmt: skip
    except StateConflict:
        return desk.drafts.get(row.id)
