"""What happened, in our words: of one webhook, and of a record that a poll found changed. Both give one id.

A webhook of Odoo has no delivery id, no word for what happened and no former value. The name of its action may say it
(`crmplugin record.deleted`); else the times in the record do: what has the time of the last change happened in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.odoo.mapping import ORDER_STATES, Thing, id_of, is_inbound, message_kind, status_of
from crmplugin.domain.event import EVENT_TYPES, Event, ObjectRef
from crmplugin.errors import Unreadable
from crmplugin.ports import Reading

KINDS = {"crm.lead": "deal", "res.partner": "contact", "sale.order": "order", "mail.message": "activity",
         "mail.activity": "activity", "calendar.event": "activity", "helpdesk.ticket": "ticket"}  # fmt: skip
"""Odoo's model -> our word."""
ID_PREFIX = {"mail.message": "message:", "mail.activity": "activity:", "calendar.event": "meeting:"}
TOGETHER = timedelta(seconds=2)
"""Two times of one save."""
NAMED = re.compile(r"\b[a-z]+\.[a-z_]+\b")


def read_events(
    body: bytes, *, connection: str, received_at: datetime, our_user: str = "", companies: frozenset[int] = frozenset()
) -> Reading:
    """The event of a body. Raises Unreadable for what is no webhook of an automation rule."""
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"Odoo's body is not JSON ({type(error).__name__})") from error
    if not isinstance(document, Mapping):
        raise Unreadable("Odoo's body is no object")
    model, id_ = document.get("_model"), document.get("_id")
    if not isinstance(model, str) or not isinstance(id_, int) or isinstance(id_, bool) or not 0 < id_ < 10**18:
        raise Unreadable("Odoo's body names no _model and _id: is it sent by an automation rule?")
    company = id_of(document.get("company_id"))
    if companies and company is not None and int(company) not in companies:
        return Reading(refused=({"id": f"{model}/{id_}", "reason": f"company {company} is not among company_ids"},))
    event = _of_webhook(document, model, connection, received_at, our_user)
    return Reading((event,), ignored=int(event.type.startswith("odoo.")))


def _of_webhook(document: Thing, model: str, connection: str, received_at: datetime, our_user: str) -> Event:
    record = {"id": document["_id"], **document}
    named = next((word for word in NAMED.findall(str(document.get("_action") or "")) if word in EVENT_TYPES), None)
    if named is None:
        last = _moment(record, "write_date")
        guess = [found for found in happened(model, record) if last is None or abs(found[1] - last) <= TOGETHER]
        type_, at, stamp = guess[0] if guess else (f"odoo.{model}"[:64], last or received_at, record.get("write_date"))
    else:
        at = _moment(record, "write_date") or received_at
        stamp = next((stamp for type_, _, stamp in happened(model, record) if type_ == named), str(at)[:19])
        type_ = named
    return make_event(
        connection, model, record, type_, at, stamp, received_at=received_at, our_user=our_user, raw=document
    )


def make_event(
    connection: str, model: str, record: Thing, type_: str, at: datetime, stamp: Any,
    *, received_at: datetime | None, our_user: str, raw: Any = None,
) -> Event:  # fmt: skip
    """An event whose id a webhook and a poll agree on."""
    text = json.dumps([model, record["id"], type_, str(stamp)])
    return Event(
        id=f"od-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}",
        connection=connection,
        type=type_,
        at=at,
        object=_reference(model, record, type_),
        raw=raw,
        received_at=received_at,
        echo=_is_echo(record, our_user),
    )


def happened(model: str, record: Thing) -> Iterator[tuple[str, datetime, Any]]:
    """What the record says happened to it, as (event, when, stamp), the most telling first."""
    reader = {
        "crm.lead": _deal, "res.partner": _partner, "sale.order": _order, "mail.message": _message,
        "calendar.event": _meeting, "helpdesk.ticket": _ticket,
    }.get(model)  # fmt: skip
    if reader is not None:
        yield from reader(record)


def _deal(lead: Thing) -> Iterator[tuple[str, datetime, Any]]:
    created, staged, closed = (_moment(lead, n) for n in ("create_date", "date_last_stage_update", "date_closed"))
    changed, status = _moment(lead, "write_date"), status_of(lead)
    if status != "open" and (ended := closed or changed):
        yield f"deal.{status}", ended, str(ended)[:19]
    if created:
        yield "deal.created", created, ""
    if staged and status == "open" and not (created and abs(staged - created) <= TOGETHER):
        yield "deal.stage_changed", staged, str(staged)[:19]
    if changed:
        yield "deal.updated", changed, str(changed)[:19]


def _partner(partner: Thing) -> Iterator[tuple[str, datetime, Any]]:
    if changed := _moment(partner, "write_date"):
        yield "contact.changed", changed, str(changed)[:19]


def _order(order: Thing) -> Iterator[tuple[str, datetime, Any]]:
    changed, delivered = _moment(order, "write_date"), _moment(order, "effective_date")
    if order.get("delivery_status") == "full" and delivered:
        yield "order.delivered", delivered, ""
    if order.get("state") in ORDER_STATES and (placed := _moment(order, "date_order") or changed):
        yield "order.placed", placed, ""
    if order.get("state") == "sent" and changed:
        yield "quote.sent", changed, ""


def _message(message: Thing) -> Iterator[tuple[str, datetime, Any]]:
    at = _moment(message, "date") or _moment(message, "create_date")
    if at and is_inbound(message) and message_kind(message) is not None:
        yield "message.received", at, ""


def _meeting(meeting: Thing) -> Iterator[tuple[str, datetime, Any]]:
    if (ends := _moment(meeting, "stop")) and meeting.get("active") is not False:
        yield "meeting.ended", ends, str(ends)[:19]


def _ticket(ticket: Thing) -> Iterator[tuple[str, datetime, Any]]:
    created, changed = _moment(ticket, "create_date"), _moment(ticket, "write_date")
    ended = _moment(ticket, "close_date") or _moment(ticket, "closed_date")
    if ended:
        yield "ticket.resolved", ended, str(ended)[:19]
    if created:
        yield "ticket.opened", created, ""
    if changed:
        yield "ticket.updated", changed, str(changed)[:19]


def _reference(model: str, record: Thing, type_: str) -> ObjectRef | None:
    """The record, or the deal of a quotation, which is what a quote is about."""
    deal = id_of(record.get("opportunity_id"))
    if type_ == "quote.sent" and deal is not None:
        return ObjectRef("deal", deal)
    kind = KINDS.get(model)
    if kind is None:
        return None
    if type_ == "quote.sent":
        return ObjectRef("quote", f"quote:{record['id']}")
    if kind == "order":
        return ObjectRef("order", f"order:{record['id']}")
    if model == "res.partner" and record.get("is_company") is True:
        return ObjectRef("company", str(record["id"]))
    return ObjectRef(kind, ID_PREFIX.get(model, "") + str(record["id"]))


def _moment(record: Thing, name: str) -> datetime | None:
    """Odoo's naive text is UTC."""
    text = instant_text(record.get(name) or None)
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _is_echo(record: Thing, our_user: str) -> bool:
    """Whether the bot itself made the last change."""
    return bool(our_user) and id_of(record.get("write_uid")) == our_user
