"""What a webhook call of HubSpot says in our words: an array of up to 100 changes, old names and new.

Ids are made of what HubSpot says is the same change in every delivery; `attemptNumber` is left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crmplugin.domain.event import Event, ObjectRef
from crmplugin.errors import TooLarge, Unreadable
from crmplugin.ports import Reading

MAX_EVENTS = 100
TYPE_IDS: Mapping[str, str] = {
    "0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket", "0-7": "product", "0-8": "line_item",
    "0-14": "quote", "0-18": "communication", "0-27": "task", "0-46": "note", "0-47": "meeting", "0-48": "call",
    "0-49": "email", "0-123": "order",
}  # fmt: skip
ACTIVITIES: Mapping[str, str] = {
    "email": "emails", "call": "calls", "meeting": "meetings", "note": "notes", "task": "tasks",
}  # fmt: skip
"""Kinds of activity -> the API's name, which begins the id that an activity has with us."""
STAGE_KINDS: Mapping[str, str] = {
    "appointmentscheduled": "new", "qualifiedtobuy": "qualified", "presentationscheduled": "proposal",
    "decisionmakerboughtin": "negotiation", "contractsent": "closing", "closedwon": "won", "closedlost": "lost",
}  # fmt: skip
"""Stages of the pipeline that every account begins with."""
CLOSED = {"won": "deal.won", "lost": "deal.lost"}
TICKET_CLOSED = "4"
SENT_QUOTES = frozenset({"APPROVED", "APPROVAL_NOT_NEEDED"})
KINDS: Mapping[tuple[str, str], str] = {
    ("deal", "creation"): "deal.created",
    ("deal", "restore"): "deal.updated",
    ("deal", "associationChange"): "deal.updated",
    ("contact", "creation"): "contact.changed",
    ("contact", "restore"): "contact.changed",
    ("ticket", "creation"): "ticket.opened",
    ("order", "creation"): "order.placed",
}
"""Object and change -> our event, where nothing else decides."""
RECORDS = frozenset({"contact", "company", "deal", "ticket", "product", "line_item", "quote", "order", *ACTIVITIES})


def read_events(
    body: bytes, *, connection: str, received_at: datetime, stages: Mapping[str, str] | None = None, portal: str = ""
) -> Reading:
    """The events of a body; entries that are none are refused by name. `stages`: stage id -> our stage kind.

    Raises Unreadable when the body is no array of changes, TooLarge above 100 entries.
    """
    entries = _entries(body)
    events: list[Event] = []
    refused: list[Mapping[str, str]] = []
    for number, entry in enumerate(entries):
        reason = _problem(entry, portal)
        if reason:
            refused.append({"id": f"[{number}]", "reason": reason})
        else:
            events.append(event_of(entry, connection, received_at, stages or {}))
    ignored = sum(event.type.startswith("hubspot.") for event in events)
    return Reading(tuple(events), tuple(refused), ignored)


def _entries(body: bytes) -> list[Any]:
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"HubSpot's body is not JSON ({type(error).__name__})") from error
    entries = [document] if isinstance(document, Mapping) else document
    if not isinstance(entries, list):
        raise Unreadable("HubSpot's body is neither a change nor an array of changes")
    if len(entries) > MAX_EVENTS:
        raise TooLarge(f"{len(entries)} changes in one call: HubSpot sends at most {MAX_EVENTS}")
    return entries


def _problem(entry: Any, portal: str) -> str | None:
    if not isinstance(entry, Mapping):
        return "an entry is no object"
    if not isinstance(_name(entry), str) or "." not in _name(entry):
        return "an entry has no subscriptionType such as deal.propertyChange"
    if portal and str(entry.get("portalId")) != portal:
        return f"portal {entry.get('portalId')} is not this connection's portal_id"
    if _object_id(entry) is None:
        return f"{_name(entry)} names no objectId"
    return None


def _name(entry: Mapping[str, Any]) -> Any:
    """Some older pages call it eventType."""
    return entry.get("subscriptionType") or entry.get("eventType")


def _object_id(entry: Mapping[str, Any]) -> str | None:
    for key in ("primaryObjectId", "objectId", "fromObjectId"):
        value = entry.get(key)
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:64]
    return None


def event_of(entry: Mapping[str, Any], connection: str, received_at: datetime, stages: Mapping[str, str]) -> Event:
    """The event of one change. `stages`: the account's own stage kinds, over those of a new account."""
    classic, _, change = str(_name(entry)).partition(".")
    kind = TYPE_IDS.get(str(entry.get("objectTypeId")), "") if classic == "object" else classic
    return Event(
        id=_id(entry),
        connection=connection,
        type=_type(kind, change, entry, {**STAGE_KINDS, **stages}),
        at=_occurred(entry.get("occurredAt"), received_at),
        object=_reference(kind, _object_id(entry) or ""),
        raw=entry,
        received_at=received_at,
        echo=_is_echo(entry),
    )


def _id(entry: Mapping[str, Any]) -> str:
    parts = [entry.get("portalId"), _name(entry), entry.get("objectTypeId"), _object_id(entry)]
    parts += [entry.get("toObjectId"), entry.get("propertyName"), entry.get("eventId"), entry.get("occurredAt")]
    text = json.dumps([None if part is None else str(part) for part in parts])
    return f"hs-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def _type(kind: str, change: str, entry: Mapping[str, Any], stages: Mapping[str, str]) -> str:
    """Our event, or a name that begins with `hubspot.` for what none of ours fits."""
    named = f"hubspot.{kind or entry.get('objectTypeId') or 'object'}.{change}"[:64]
    if change == "privacyDeletion":
        return "contact.erased"
    if change == "deletion":
        return "record.deleted" if kind in RECORDS else named
    if change == "merge":
        return "record.merged" if kind in RECORDS else named
    if change == "propertyChange":
        return _type_of_property(kind, entry, stages) or named
    return KINDS.get((kind, change), named)


def _type_of_property(kind: str, entry: Mapping[str, Any], stages: Mapping[str, str]) -> str | None:
    name, value = str(entry.get("propertyName")), str(entry.get("propertyValue"))
    if kind == "deal":
        moved = CLOSED.get(stages.get(value, ""), "deal.stage_changed")
        return moved if name == "dealstage" else "deal.updated"
    if kind == "contact":
        opted_out = name.startswith("hs_email_optout") and value.lower() == "true"
        return "contact.opted_out" if opted_out else "contact.changed"
    if kind == "ticket":
        closed = name == "hs_pipeline_stage" and stages.get(f"ticket:{value}", "") == "closed"
        return (
            "ticket.resolved" if closed or (name, value) == ("hs_pipeline_stage", TICKET_CLOSED) else "ticket.updated"
        )
    wanted = {
        ("quote", "hs_status"): ("quote.sent", SENT_QUOTES),
        ("email", "hs_email_direction"): ("message.received", frozenset({"INCOMING_EMAIL"})),
        ("meeting", "hs_meeting_outcome"): ("meeting.ended", frozenset({"COMPLETED"})),
        ("order", "hs_fulfillment_status"): ("order.delivered", frozenset({"DELIVERED"})),
    }.get((kind, name))
    return wanted[0] if wanted and value.upper() in wanted[1] else None


def _reference(kind: str, id_: str) -> ObjectRef | None:
    if kind in ACTIVITIES:
        return ObjectRef("activity", f"{ACTIVITIES[kind]}:{id_}")
    return ObjectRef(kind, id_) if kind in RECORDS else None


def _occurred(value: Any, received_at: datetime) -> datetime:
    """HubSpot's time in ms; what makes no sense happened when it came."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 32_503_680_000_000:
        return datetime.fromtimestamp(value / 1000, UTC)
    return received_at


def _is_echo(entry: Mapping[str, Any]) -> bool:
    """Whether the app that subscribed made this change: that is us."""
    app, source = str(entry.get("appId") or ""), str(entry.get("sourceId") or "")
    by_app = str(entry.get("changeSource") or "").upper() in ("INTEGRATION", "API", "INTEGRATIONS_PLATFORM")
    return bool(app) and by_app and source.rpartition(":")[2] == app
