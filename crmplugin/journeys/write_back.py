"""Putting an approved draft into the CRM, exactly once, whatever crashes.

The ledger row is claimed before the CRM is called. A claim that was there already and has no result means that a call
may have gone through: then the CRM is asked for our marker first.
"""

from __future__ import annotations

from datetime import timedelta

from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmError, CrmRefused, CrmUnavailable, StateConflict
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.run_draft import current_draft
from crmplugin.ports import Connector
from crmplugin.store.drafts import DraftRow
from crmplugin.store.ledger import Claim

ACTION = "write"
SOURCE = "crmplugin:"
UNSURE = timedelta(seconds=15)
"""How long after a call whose answer is not known the CRM may still take it, or show it to who looks for it."""


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
    if found is None:
        if not claim.fresh:
            _claim_again(desk, row, claim, sure=getattr(connector, "writes_once", False))
        found = _call(desk, connector, draft, marker)
    desk.ledger.finish(row.connection, row.id, ACTION, result=found, at=desk.clock())
    return found


def _claim_again(desk: Desk, row: DraftRow, claim: Claim, *, sure: bool) -> None:
    """Lets a second call be made, once the first can no longer arrive. Raises CrmUnavailable until then."""
    wait_s = (claim.at + UNSURE - desk.clock()).total_seconds()
    if wait_s > 0 and not sure:
        sentence = f"whether {row.connection} took draft {row.id} is not known yet: looking again before it is written"
        raise CrmUnavailable(sentence, min(wait_s, UNSURE.total_seconds()))
    if not desk.ledger.claim_again(row.connection, row.id, ACTION, seen=claim, at=desk.clock()):
        raise CrmUnavailable(f"draft {row.id} is being written by another process: looking again", 1.0)


def _call(desk: Desk, connector: Connector, draft: Draft, marker: str) -> str:
    # As late as can be: whoever stood still before this line calls nobody.
    desk.check_lease()
    try:
        return connector.write_back(draft, marker=marker, at=desk.clock())
    except CrmError as error:
        if isinstance(error, CrmRefused) or getattr(error, "retry_after_s", None):
            # The CRM has answered, and not with a yes.
            desk.ledger.give_back(draft.connection, draft.id, ACTION, at=desk.clock() - UNSURE)
        raise
