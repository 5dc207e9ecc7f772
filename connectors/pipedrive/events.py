"""What one webhook of Pipedrive says in our words; today's form (v2) and the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.documents import truth
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.errors import Unreadable
from crmplugin.ports import Reading

KINDS = {"deal": "deal", "person": "contact", "organization": "company", "product": "product", "activity": "activity",
         "note": "activity", "user": "user"}  # fmt: skip
"""Pipedrive's entity -> our word."""
ID_PREFIX = {"activity": "activities:", "note": "notes:"}
OLD_ACTIONS = {"added": "create", "updated": "change", "deleted": "delete", "merged": "delete"}
STATUSES = {"won": "deal.won", "lost": "deal.lost", "open": "deal.reopened"}
MEETINGS = frozenset({"meeting", "lunch"})


def read_events(
    body: bytes,
    *,
    connection: str,
    received_at: datetime,
    our_user: str = "",
    company_id: str = "",
    opt_out_field: str | None = None,
) -> Reading:
    """The event of a body. `opt_out_field`: a person's own field for "no mail". Raises Unreadable for another form."""
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"Pipedrive's body is not JSON ({type(error).__name__})") from error
    meta = document.get("meta") if isinstance(document, Mapping) else None
    if not isinstance(meta, Mapping):
        raise Unreadable("Pipedrive's body has no meta: is the webhook made with version 2.0?")
    entity = str(meta.get("entity") or meta.get("object") or "")
    action = OLD_ACTIONS.get(str(meta.get("action")), str(meta.get("action") or ""))
    id_ = meta.get("entity_id", meta.get("id") if "object" in meta else None)
    if not entity or not action or not _is_id(id_):
        raise Unreadable("Pipedrive's meta names no entity, action or id")
    if company_id and str(meta.get("company_id")) != company_id:
        return Reading(refused=({"id": str(id_), "reason": f"company {meta.get('company_id')} is not company_id"},))
    event = Event(
        id=_event_id(meta, entity, str(id_), action),
        connection=connection,
        type=_type(entity, action, meta, document, opt_out_field),
        at=_at(meta, received_at),
        object=_reference(entity, action, meta, str(id_)),
        raw=document,
        received_at=received_at,
        echo=_is_echo(meta, our_user),
    )
    return Reading((event,), ignored=int(event.type.startswith("pipedrive.")))


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and 0 < len(str(value).strip()) <= 64


def _event_id(meta: Mapping[str, Any], entity: str, id_: str, action: str) -> str:
    """The same in every attempt: `meta.id` where there is one (in the old form that is the record's)."""
    own = meta.get("id") if "entity" in meta else None
    named = [own] if own else [meta.get("webhook_id"), meta.get("correlation_id"), meta.get("timestamp_milli")]
    text = json.dumps([str(part) for part in (*named, entity, id_, action)])
    return f"pd-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def _type(
    entity: str, action: str, meta: Mapping[str, Any], document: Mapping[str, Any], opt_out_field: str | None
) -> str:
    """Our event, or a name that begins with `pipedrive.` for what none of ours fits."""
    data, before = _part(document, "data", "current"), _part(document, "previous")
    if action == "delete" and entity in KINDS and entity not in ID_PREFIX:
        return "record.merged" if meta.get("merged_to_id") else "record.deleted"
    if entity == "deal":
        return deal_type(action, data, before)
    if entity == "person" and action in ("create", "change"):
        out = has_opted_out(data, opt_out_field) and not has_opted_out(before, opt_out_field)
        return "contact.opted_out" if out else "contact.changed"
    ended = entity == "activity" and data.get("done") is True and before.get("done") is False
    if ended and data.get("type") in MEETINGS:
        return "meeting.ended"
    return f"pipedrive.{entity}.{action}"[:64]


def deal_type(action: str, data: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Our event for a change of a deal: its fields after and, of those that changed, before."""
    if action == "create":
        return "deal.created"
    if before.get("status") not in (None, data.get("status")):
        return STATUSES.get(str(data.get("status")), "deal.updated")
    if before.get("stage_id") not in (None, data.get("stage_id")):
        return "deal.stage_changed"
    mail = data.get("last_incoming_mail_time")
    # There are no webhooks for mails; where a deal says that one came, that is the news.
    new_mail = mail is not None and "last_incoming_mail_time" in before and before["last_incoming_mail_time"] != mail
    return "message.received" if new_mail else "deal.updated"


def has_opted_out(person: Mapping[str, Any], opt_out_field: str | None) -> bool:
    """Whether a person, as a webhook or an answer gives one, is to get no mail."""
    custom = person.get("custom_fields")
    own = (
        custom.get(opt_out_field) if isinstance(custom, Mapping) and opt_out_field else person.get(opt_out_field or "")
    )
    value = own.get("value") if isinstance(own, Mapping) else own
    return person.get("marketing_status") == "unsubscribed" or (opt_out_field is not None and truth(value) is True)


def _part(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((document[name] for name in names if isinstance(document.get(name), Mapping)), {})


def _reference(entity: str, action: str, meta: Mapping[str, Any], id_: str) -> ObjectRef | None:
    if entity not in KINDS:
        return None
    survivor = meta.get("merged_to_id") if action == "delete" else None
    return ObjectRef(KINDS[entity], ID_PREFIX.get(entity, "") + str(survivor or id_))


def _at(meta: Mapping[str, Any], received_at: datetime) -> datetime:
    """When it happened: an instant as text today, seconds since 1970 in the old form."""
    value = meta.get("timestamp")
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(str(value))
        return moment if moment.tzinfo else received_at
    except (ValueError, OverflowError, OSError):
        return received_at


def _is_echo(meta: Mapping[str, Any], our_user: str) -> bool:
    """Whether our own token made the change."""
    user = our_user or str(meta.get("webhook_owner_id") or "")
    return meta.get("change_source") == "api" and bool(user) and str(meta.get("user_id")) == user
