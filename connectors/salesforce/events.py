"""What a call of Salesforce says in our words: outbound messages in SOAP, and the JSON of a flow's or Apex's callout.

An outbound message carries the newest values, not those that triggered it, and may come twice or late: it is a hint
that says which record to read. What happened is told from its times where it has them (`LastStageChangeDate`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.documents import instant_text, truth
from connectors.salesforce import soap
from connectors.salesforce.soql import ID
from connectors.salesforce.verify import is_xml, same_org
from crmplugin.domain.event import EVENT_TYPES, Event, ObjectRef
from crmplugin.errors import TooLarge, Unreadable
from crmplugin.ports import Reading

KINDS: Mapping[str, str] = {
    "Opportunity": "deal", "Account": "company", "Contact": "contact", "Lead": "contact", "Case": "ticket",
    "Task": "activity", "Event": "activity", "EmailMessage": "activity", "Note": "activity",
    "Quote": "quote", "Order": "order", "Product2": "product", "Contract": "contract", "User": "user",
}  # fmt: skip
USUAL: Mapping[str, str] = {"Case": "ticket.updated", "Contact": "contact.changed", "Lead": "contact.changed",
                            "Order": "order.placed"}  # fmt: skip
SAME_SAVE = timedelta(seconds=2)
"""Times of one save: when the record was changed, and what was changed by it."""
MOST = 1000
SOAP = "soap"

Fields = Mapping[str, Any]


def read_events(
    body: bytes,
    *,
    connection: str,
    received_at: datetime,
    organization_id: str,
    our_user: str = "",
    messages: Mapping[str, str] | None = None,
) -> Reading:
    """The events of a body. `messages`: ActionId -> our event. Raises Unreadable or TooLarge."""
    given = {"connection": connection, "received_at": received_at, "our_user": our_user}
    if is_xml(body):
        return _from_soap(body, messages or {}, **given)
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the callout's body is not JSON ({type(error).__name__})") from error
    entries = document if isinstance(document, list) else [document]
    if len(entries) > MOST:
        raise TooLarge(f"the callout holds {len(entries)} records: send at most {MOST}")
    return _from_json(entries, organization_id, **given)


def is_soap(reading: Reading) -> bool:
    """Whether the call was an outbound message, which wants its acknowledgement in SOAP."""
    refused = any(one.get("format") == SOAP for one in reading.refused)
    return refused or any(_raw_is_soap(event.raw) for event in reading.events)


def _raw_is_soap(raw: Any) -> bool:
    if not isinstance(raw, Mapping):
        return False
    return raw.get("format") == SOAP or is_xml(str(raw.get("body") or "").encode("utf-8", "replace"))


def _from_soap(body: bytes, messages: Mapping[str, str], **given: Any) -> Reading:
    try:
        message = soap.read_message(body)
    except soap.SoapError as error:
        raise Unreadable(f"the body is no outbound message: {error}") from error
    said = {action[:15]: kind for action, kind in messages.items()}.get(message.action_id[:15])
    events, refused = [], []
    for one in message.notifications:
        id_ = str(one.fields.get("Id") or "")
        if not one.id or not one.kind or not ID.fullmatch(id_):
            reason = "the notification names no Id of its own, no sObject type or no record"
            refused.append({"id": one.id, "reason": reason, "format": SOAP})
            continue
        raw = {"format": SOAP, "action": message.action_id, "object": one.kind, "fields": dict(one.fields)}
        events.append(make_event(f"sf-{one.id}", one.kind, one.fields, raw, said=said, **given))
    if not events and not refused:
        refused.append({"id": message.action_id, "reason": "the message has no notifications", "format": SOAP})
    return Reading(tuple(events), tuple(refused), sum(event.type.startswith("salesforce.") for event in events))


def _from_json(entries: Sequence[Any], organization_id: str, **given: Any) -> Reading:
    events, refused = [], []
    for n, one in enumerate(entries):
        reason = _wrong(one, organization_id)
        if reason:
            refused.append({"id": str(n), "reason": reason})
            continue
        fields = {"Id": one["record_id"], **(one.get("fields") or {})}
        fields |= {"LastModifiedById": one.get("user_id"), "LastModifiedDate": one.get("occurred_at")}
        said = one.get("event") if one.get("event") in EVENT_TYPES else None
        events.append(make_event(_own_id(one), one["object"], fields, one, said=said, **given))
    if not events:
        raise Unreadable(f"no record of the callout can be read: {refused[0]['reason'] if refused else 'it is empty'}")
    return Reading(tuple(events), tuple(refused), sum(event.type.startswith("salesforce.") for event in events))


def _wrong(one: Any, organization_id: str) -> str | None:
    if not isinstance(one, Mapping):
        return "it is no object"
    if not isinstance(one.get("object"), str) or not one["object"]:
        return "it has no object, such as Opportunity"
    if not isinstance(one.get("record_id"), str) or not ID.fullmatch(one["record_id"]):
        return "record_id is no id of Salesforce"
    if not isinstance(one.get("fields") or {}, Mapping):
        return "fields is no object"
    org = one.get("organization_id")
    return None if org is None or same_org(organization_id, str(org)) else "organization_id is of another org"


def _own_id(one: Mapping[str, Any]) -> str:
    """The sender's own id (a flow's interview), else what the entry says: the same twice is one event."""
    own = one.get("event_id")
    named = [own, one["record_id"]] if own else dict(one)
    text = json.dumps(named, sort_keys=True, default=str)
    return f"sf-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def make_event(
    id_: str, kind: str, fields: Fields, raw: Any, *, connection: str, received_at: datetime, our_user: str,
    said: str | None = None,
) -> Event:  # fmt: skip
    """One event about one record; `said`: what the settings or the sender say that it is."""
    type_, at = what_happened(kind, fields)
    user = str(fields.get("LastModifiedById") or "")
    return Event(
        id=id_,
        connection=connection,
        type=said or type_,
        at=at or received_at,
        object=ObjectRef(KINDS[kind], str(fields["Id"])) if kind in KINDS else None,
        raw=raw,
        received_at=received_at,
        echo=bool(our_user) and user[:15] == our_user[:15],
    )


def what_happened(kind: str, fields: Fields) -> tuple[str, datetime | None]:
    """Our event and its time, from a record's newest values; `salesforce.<Object>` for what none of ours fits."""
    changed = _time(fields.get("LastModifiedDate") or fields.get("SystemModstamp"))
    created, moved = _time(fields.get("CreatedDate")), _time(fields.get("LastStageChangeDate"))
    if truth(fields.get("IsDeleted")):
        return "record.deleted", changed
    if kind == "Opportunity":
        return _deal_type(fields, created, moved, changed)
    if kind in ("Contact", "Lead") and truth(fields.get("HasOptedOutOfEmail")):
        return "contact.opted_out", changed
    if kind == "Case":
        closed = truth(fields.get("IsClosed"))
        return ("ticket.resolved" if closed else "ticket.opened" if _same_save(created, changed) else
                "ticket.updated"), changed  # fmt: skip
    if kind == "EmailMessage" and truth(fields.get("Incoming")):
        return "message.received", _time(fields.get("MessageDate")) or changed
    if kind == "Quote" and fields.get("Status") == "Presented":
        return "quote.sent", changed
    return USUAL.get(kind, f"salesforce.{kind}"[:64]), changed


def _deal_type(
    fields: Fields, created: datetime | None, moved: datetime | None, changed: datetime | None
) -> tuple[str, datetime | None]:
    """Created, moved, won or lost when its time says so; a closed deal without times is won or lost."""
    closed = truth(fields.get("IsClosed"))
    fresh = _same_save(moved, changed) or (moved is None and closed)
    if closed and fresh:
        return "deal.won" if truth(fields.get("IsWon")) else "deal.lost", moved or changed
    if _same_save(created, changed):
        return "deal.created", created
    return ("deal.stage_changed", moved) if fresh else ("deal.updated", changed)


def _same_save(one: datetime | None, changed: datetime | None) -> bool:
    return one is not None and changed is not None and abs(changed - one) <= SAME_SAVE


def _time(value: Any) -> datetime | None:
    text = instant_text(value)
    return datetime.fromisoformat(text) if text else None
