"""Putting an approved draft into the CRM, exactly once, whatever crashes.

The ledger row is claimed before the CRM is called. A claim that was there already and has no result means that a call
may have gone through: then the CRM is asked for our marker first.
"""

from __future__ import annotations

from crmplugin.errors import StateConflict
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.run_draft import current_draft
from crmplugin.store.drafts import DraftRow

ACTION = "write"
SOURCE = "crmplugin:"


def write_back(desk: Desk, draft_id: str) -> str:
    """Writes an approved draft and gives back its status. One that was withdrawn or is written is left alone.

    Raises what the connector raises; the draft then stays `writing_back`, and the next attempt looks before it writes.
    """
    row = _begin(desk, draft_id)
    if row.status != "writing_back":
        return row.status
    result = _write_once(desk, row)
    desk.drafts.move(draft_id, "written", at=desk.clock(), only_from=("writing_back",), written_id=result, problem=None)
    return "written"


def _begin(desk: Desk, draft_id: str) -> DraftRow:
    row = desk.drafts.get(draft_id)
    if row.status not in ("approved", "failed"):
        return row
    try:
        return desk.drafts.move(draft_id, "writing_back", at=desk.clock(), only_from=(row.status,))
    except StateConflict:
        return desk.drafts.get(draft_id)


def _write_once(desk: Desk, row: DraftRow) -> str:
    marker = SOURCE + row.id
    claim = desk.ledger.claim(row.connection, row.id, ACTION, at=desk.clock())
    if claim.result is not None:
        return claim.result
    connector = desk.connector(row.connection)
    draft = current_draft(row)
    found = None if claim.fresh else connector.find_written(marker, draft=draft)
    result = found or connector.write_back(draft, marker=marker, at=desk.clock())
    desk.ledger.finish(row.connection, row.id, ACTION, result=result, at=desk.clock())
    return result
