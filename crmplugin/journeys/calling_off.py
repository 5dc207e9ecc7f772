"""Calling off what was to be written later, when what happened meanwhile has taken its reason away."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from crmplugin.domain.crm import Subject
from crmplugin.errors import StateConflict
from crmplugin.journeys.desk import Desk
from crmplugin.store.events import EventRow

FOLLOW_UPS = frozenset({"follow_up"})

REASONS: Mapping[str, tuple[str, frozenset[str] | None]] = {
    "message.received": ("they wrote meanwhile", FOLLOW_UPS),
    "meeting.ended": ("there was a meeting meanwhile", FOLLOW_UPS),
    "deal.lost": ("the deal was lost meanwhile", None),
    "contact.opted_out": ("the contact has opted out", None),
    "contact.erased": ("the contact was erased", None),
    "record.deleted": ("the record was deleted in the CRM", None),
}
"""What happened -> why drafts that wait are called off, and which kinds (None: all)."""
BOUNCED = ("a message to them bounced", None)


def calls_off(event_type: str) -> bool:
    """Whether an event of this type may call something off, so that it is worked on without a playbook row too."""
    return event_type in REASONS


def call_off(desk: Desk, row: EventRow) -> tuple[str, ...]:
    """Cancels the scheduled drafts that an event takes the reason from; gives back their ids."""
    reference = row.document.get("object") or {}
    found = _reason(desk, row, reference)
    if found is None:
        return ()
    reason, kinds = found
    called_off = []
    for draft in desk.drafts.scheduled_about(row.connection, _subjects(desk, row.connection, reference)):
        if (kinds is None or draft.kind in kinds) and draft.event != row.id and _cancel(desk, draft.id, reason):
            called_off.append(draft.id)
    return tuple(called_off)


def _cancel(desk: Desk, draft_id: str, reason: str) -> bool:
    try:
        desk.drafts.move(draft_id, "cancelled", at=desk.clock(), by="event", reason=reason, only_from=("scheduled",))
    except StateConflict:
        return False
    return True


def _reason(desk: Desk, row: EventRow, reference: Mapping[str, Any]) -> tuple[str, frozenset[str] | None] | None:
    found = REASONS.get(row.type)
    if row.type != "message.received" or reference.get("type") != "activity":
        return found
    activity = desk.records.read_one(row.connection, "activities", reference["id"])
    if activity is not None and activity.bounced:
        return BOUNCED
    return None if activity is not None and (activity.direction == "outbound" or activity.automatic) else found


def _subjects(desk: Desk, connection: str, reference: Mapping[str, Any]) -> Set[Subject]:
    """The object, and what drafts may be about instead of it: an activity's deal, or whom it was with; their deals."""
    kind, id_ = str(reference.get("type", "")), str(reference.get("id", ""))
    subjects = {Subject(kind, id_)}  # type: ignore[arg-type]
    contacts = {id_} if kind == "contact" else set()
    if kind == "activity":
        activity = desk.records.read_one(connection, "activities", id_)
        if activity is not None and activity.deal_id:
            subjects.add(Subject("deal", activity.deal_id))
        elif activity is not None:
            subjects |= {Subject("company", activity.company_id)} if activity.company_id else set()
            contacts |= set(activity.contact_ids)
    for contact_id in contacts:
        subjects.add(Subject("contact", contact_id))
        subjects |= {Subject("deal", deal) for deal in desk.related.deals_of(connection, contact_id)}
    return subjects
