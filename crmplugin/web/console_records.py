"""Records for people: find one to write about, read one with what happened around it.

The local CRM has no pages of its own; these are where its records, and what was written back into it, can be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from flask import Response, request

from crmplugin.domain.crm import Activity, Context, Subject
from crmplugin.errors import NotFound
from crmplugin.journeys.ask import owner_of
from crmplugin.journeys.present import to_json
from crmplugin.journeys.visibility import check_connection, check_subject, may_see, owners_seen
from crmplugin.web.auth import desk, who
from crmplugin.web.console_about import COLLECTIONS, SUBJECT_OF, Names, name_of
from crmplugin.web.console_customer import OUR_SOURCE, customer_values
from crmplugin.web.console_drafts import choices, recipients
from crmplugin.web.console_frame import blueprint, page, reader
from crmplugin.web.console_waiting import rows_of

SHOWN = frozenset(
    {*COLLECTIONS.values(), "quotes", "orders", "products", "contracts", "claims", "articles", "slots", "seller"}
)
"""Collections with a page: what a fact can come from and everybody in sales may read."""
INTERNAL_FIELDS: Mapping[str, frozenset[str]] = {
    "products": frozenset({"cost"}),
    "deals": frozenset({"cost_amount"}),
}
"""Fields that only leaders see."""
MONEY_FIELDS = frozenset(
    {"amount", "list_amount", "cost_amount", "total", "list_price", "unit_price", "freight", "yearly_amount", "cost"}
)
LEADERS = frozenset({"manager", "director", "admin"})
FOUND = 20
RECENT = 100
MOST_IDS = 500
"""Ids in one query; SQLite takes more, but an account with more recent records than that has other drafts to show."""
DRAFTS = 10
ONE_CLICK = ("follow_up", "pitch", "negotiation_note", "meeting_brief", "summary", "handoff_note")


@blueprint.get("/console/new")
def new_draft() -> Response:
    """Pick a record, then say what is wanted."""
    connection = request.args.get("connection", "local")
    check_connection(desk(), who(), connection)
    picked = _picked(connection)
    values: dict[str, Any] = {"found": [], "text": request.args.get("q", "").strip()[:200]}
    if picked is None:
        values["found"] = _found(connection, values["text"])
    model = desk().settings.model.name
    return page(
        "new.html", connection=connection, of=connection, picked=picked, choices=choices(), model=model, **values
    )


def _picked(connection: str) -> dict[str, Any] | None:
    """The record that `?about=deal:D-1` names. Raises NotFound for one that is not there or not theirs."""
    subject_type, _, subject_id = request.args.get("about", "").partition(":")
    if not subject_id:
        return None
    if subject_type not in COLLECTIONS:
        raise NotFound(f"nothing can be written about a {subject_type}")
    _check_owner(connection, Subject(subject_type, subject_id))  # type: ignore[arg-type]
    names = Names(desk())
    record = names.record(connection, COLLECTIONS[subject_type], subject_id)
    about = names.about(connection, subject_type, subject_id)
    people = recipients(desk().tools(connection).read_context(Subject(subject_type, subject_id)))  # type: ignore[arg-type]
    named = name_of(record) or subject_id
    return {"type": subject_type, "id": subject_id, "name": named, "about": about, "people": people}


def _check_owner(connection: str, subject: Subject) -> None:
    check_subject(desk(), who(), connection, subject)


def _found(connection: str, text: str) -> list[dict[str, Any]]:
    names = Names(desk())
    rows = []
    for collection, record in desk().records.search(connection, text, limit=FOUND):
        subject = Subject(SUBJECT_OF[collection], record.id)  # type: ignore[arg-type]
        if who().bound and not may_see(desk(), who(), connection, subject, owner_of(desk(), connection, subject)):
            continue
        rows.append(_found_row(connection, subject, record, names))
    return rows


def _found_row(connection: str, subject: Subject, record: Any, names: Names) -> dict[str, Any]:
    about = names.about(connection, subject.type, subject.id)
    value = reader(connection).money(about.amount, about.currency) if subject.type == "deal" else ""
    stage = getattr(record, "stage", None) or getattr(record, "title", None) or getattr(record, "industry", None)
    named = name_of(record) or record.id
    return {"type": subject.type, "id": record.id, "name": named, "about": about, "value": value, "stage": stage}


@blueprint.get("/console/records/<connection>/<collection>/<path:record_id>")
def one_record(connection: str, collection: str, record_id: str) -> Response:
    """One record: its fields, and for what drafts are about also what happened and the drafts."""
    check_connection(desk(), who(), connection)
    document = desk().records.read_doc(connection, collection, record_id) if collection in SHOWN else None
    if document is None:
        raise NotFound(f"no {collection} {record_id} on {connection}")
    record = desk().records.read_one(connection, collection, record_id)
    _check_record_owner(connection, collection, record)
    names = Names(desk())
    values: dict[str, Any] = {"drafts": (), "about": None, "subject": SUBJECT_OF.get(collection)}
    if collection in SUBJECT_OF:
        values |= _around(connection, SUBJECT_OF[collection], record_id, names)
    return page(
        "record.html",
        connection=connection,
        of=connection,
        collection=collection,
        record_id=record_id,
        name=name_of(record) or record_id,
        ours=_our_draft(record),
        fields=_fields(collection, record, document, connection, names),
        one_click=ONE_CLICK,
        **values,
    )


def _check_record_owner(connection: str, collection: str, record: Any) -> None:
    """Raises NotFound for a rep's colleague's record; what belongs to no account is for everybody."""
    if collection in SUBJECT_OF:
        _check_owner(connection, Subject(SUBJECT_OF[collection], record.id))  # type: ignore[arg-type]
        return
    for field, subject_type in (("deal_id", "deal"), ("company_id", "company"), ("contact_id", "contact")):
        if id_ := getattr(record, field, None):
            _check_owner(connection, Subject(subject_type, id_))  # type: ignore[arg-type]
            return


def _our_draft(record: Any) -> str | None:
    """The draft that an activity was made of."""
    source = getattr(record, "source", None) or ""
    return source.removeprefix(OUR_SOURCE) if source.startswith(OUR_SOURCE) else None


def _fields(
    collection: str, record: Any, document: Mapping[str, Any], connection: str, names: Names
) -> list[dict[str, Any]]:
    """The fields of a record in words, in the order of our own form of it."""
    hidden = frozenset() if who().role in LEADERS else INTERNAL_FIELDS.get(collection, frozenset())
    ours = [f.metadata.get("key", f.name) for f in fields(record)]
    keys = [*(k for k in ours if k in document), *(k for k in document if k not in ours)]
    filled = [k for k in keys if k not in hidden and document[k] not in (None, [], {}, "")]
    return [{"name": key, **_value(key, document, connection, names)} for key in filled]


def _value(key: str, document: Mapping[str, Any], connection: str, names: Names) -> dict[str, Any]:
    """A value as the reader writes it; an id of another record leads to it."""
    value = document[key]
    target = _LINKED.get(key)
    if target and isinstance(value, str):
        named = name_of(names.record(connection, target, value))
        return {"text": named or value, "link": f"/console/records/{connection}/{target}/{value}" if named else None}
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return {"text": ", ".join(value)}
    if isinstance(value, str):
        return {"text": _shown(key, value, document.get("currency"), connection)}
    return {"text": value if isinstance(value, (int, float)) else None, "nested": to_json(value)}


def _shown(key: str, value: str, currency: str | None, connection: str) -> str:
    """Times, days and money in the reader's form; anything else as it stands."""
    shown = reader(connection)
    try:
        if key == "at" or key.endswith("_at"):
            return shown.moment(datetime.fromisoformat(value))
        if len(value) == 10 and value[4] == value[7] == "-":
            return shown.day(date.fromisoformat(value))
    except ValueError:
        return value
    return shown.money(value, currency) if key in MONEY_FIELDS and currency else value


_LINKED = {"company_id": "companies", "deal_id": "deals", "contact_id": "contacts", "ticket_id": "tickets",
           "primary_contact_id": "contacts", "product_id": "products"}  # fmt: skip


def _around(connection: str, type_: str, record_id: str, names: Names) -> dict[str, Any]:
    """What happened around a record, how its customer buys, and the drafts about it."""
    subject = Subject(type_, record_id)  # type: ignore[arg-type]
    context = desk().tools(connection).read_context(subject)
    around = {
        "about": names.about(connection, type_, record_id),
        "drafts": drafts_of(context, type_, record_id),
    }
    return around if type_ == "activity" else {**around, **customer_values(connection, subject)}


def drafts_of(context: Context, subject: str, record_id: str) -> list[dict[str, Any]]:
    """The newest drafts about a record, or about what belongs to it (a mail of the deal, a deal of the company)."""
    belonging = [a.id for a in _timeline(context, subject, record_id)[:RECENT]]
    if subject == "company":
        for part in (context.deals, context.contacts, context.tickets):
            belonging += [record.id for record in part]
    ids = [record_id, *belonging][:MOST_IDS]
    found = desk().drafts.summaries(
        limit=DRAFTS, connection=context.connection, subject_id=ids, owners=owners_seen(desk(), who())
    )
    return rows_of(found.items)


def _timeline(context: Context, subject: str, record_id: str) -> list[Activity]:
    """The activities of one deal when the record is one, else of the whole account, newest first."""
    mine = [a for a in context.activities if subject != "deal" or a.deal_id == record_id]
    return sorted(mine, key=lambda a: (a.at is not None, a.at), reverse=True)
