"""From an event to the drafts it asks for. Running it again changes nothing: the ids of drafts come from the event."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.analysis.business_days import add_business_days
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.event import EVENT_TYPES
from crmplugin.domain.playbook import PlaybookRow
from crmplugin.errors import NotFound, StateConflict
from crmplugin.journeys.ask import Ask, ask_for_drafts, owner_of, start_draft
from crmplugin.journeys.calling_off import call_off
from crmplugin.journeys.comments import alert_person
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.erase import erase_person
from crmplugin.journeys.playbooks import asks_for_fields, choose_row, write_back_of
from crmplugin.store.events import EventRow

OUR_SOURCE = "crmplugin:"
SAME_CHANGE = timedelta(seconds=2)
"""A CRM's late call and what was read of the same change meanwhile."""
FIRST_WEEKS = timedelta(days=21)
"""No offer in the first weeks after an order, when nothing else says when one is due."""

PARENTS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "quote": (("quotes", "deal_id", "deal"),),
    "order": (("orders", "deal_id", "deal"), ("orders", "company_id", "company"), ("orders", "contact_id", "contact")),
    "contract": (("contracts", "company_id", "company"),),
    "line_item": (("line_items", "deal_id", "deal"),),
    "stage_change": (("stage_changes", "deal_id", "deal"),),
}
"""Objects that no draft can be about: collection, field and type of what stands for them, the first that is there."""
SUBJECTS = {
    "deal": "deals", "company": "companies", "contact": "contacts", "ticket": "tickets", "activity": "activities",
}  # fmt: skip


class Ignored(Exception):
    """Nothing is done with this event; the message is the reason that is kept with it."""


def accept_event(desk: Desk, connection: str, event_id: str, *, replay: int = 0) -> tuple[str, ...]:
    """Makes the drafts of an event and settles it; gives back their ids. `replay` counts from 1, 0 is the first time.

    Errors that may pass (database, CRM) leave the event `working` and are raised.
    """
    row = desk.events.start(connection, event_id)
    call_off(desk, row)
    if row.type == "contact.erased":
        return _erase(desk, row)
    try:
        asks = _asks(desk, row, replay)
    except Ignored as ignored:
        desk.events.settle(connection, event_id, "ignored", str(ignored))
        return ()
    ids = ask_for_drafts(desk, asks)
    for ask in asks:
        if ask.due is None:
            start_draft(desk, ask.draft_id, connection=connection, event=event_id, priority=10)
    alert_person(desk, row)
    desk.events.settle(connection, event_id, "done")
    return ids


def _erase(desk: Desk, row: EventRow) -> tuple[str, ...]:
    """The CRM says that a person was deleted for privacy: they are erased here too, and the event itself is blanked."""
    reference = row.document.get("object") or {}
    try:
        if reference.get("type") == "contact":
            erase_person(desk, row.connection, reference["id"], by=f"event:{row.id}")
            desk.events.settle(row.connection, row.id, "done")
        else:
            desk.events.settle(row.connection, row.id, "ignored", "no_subject: only a contact can be erased")
    except StateConflict as held:
        desk.events.settle(row.connection, row.id, "ignored", f"legal_hold: {held}")
    return ()


def _asks(desk: Desk, row: EventRow, replay: int) -> tuple[Ask, ...]:
    """The drafts that an event asks for, none of them made yet. Raises Ignored."""
    reference = row.document.get("object") or {}
    if row.document.get("echo") or _is_ours(desk, row.connection, reference):
        raise Ignored("echo: our own write-back made it")
    if row.type not in EVENT_TYPES:
        raise Ignored(f"unknown_event: {row.type}")
    if polled := desk.events.polled(row, within=SAME_CHANGE):
        raise Ignored(f"duplicate: event {polled} has told this change")
    own = desk.settings.playbooks
    fields = _fields(desk, row.connection, reference) if asks_for_fields(row.type, own) else {}
    chosen = choose_row(row.type, fields, own)
    if chosen is None or not chosen.draft:
        raise Ignored(f"no_playbook: no row asks for a draft on {row.type}")
    subject = _subject(desk, row.connection, reference)
    due = _due(desk, row, chosen, subject)
    owner = owner_of(desk, row.connection, subject)
    asks = [_ask(row, chosen, kind, subject, replay, due, desk.clock()) for kind in chosen.draft]
    return tuple(replace(ask, owner_id=owner) for ask in asks)


def _ask(
    row: EventRow, chosen: PlaybookRow, kind: str, subject: Subject, replay: int, due: date | None, now: datetime
) -> Ask:
    key = "\0".join((row.connection, row.id, kind, str(replay)))
    return Ask(
        draft_id=hashlib.sha256(key.encode()).hexdigest()[:32],
        request=Request(row.connection, kind, subject, channel=chosen.channel),  # type: ignore[arg-type]
        origin="event",
        at=now,
        created_by="playbook",
        event=row.id,
        write_back=write_back_of(chosen, kind),
        due=due,
    )


def _is_ours(desk: Desk, connection: str, reference: Mapping[str, Any]) -> bool:
    if reference.get("type") != "activity":
        return False
    activity = desk.records.read_one(connection, "activities", reference["id"])
    return activity is not None and str(activity.source or "").startswith(OUR_SOURCE)


def _fields(desk: Desk, connection: str, reference: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the event's object that rows may ask for; empty when the CRM does not know it."""
    record = _record(desk, connection, reference)
    if record is None:
        return {}
    return {name: getattr(record, name) for name in getattr(record, "__slots__", ())}


def _record(desk: Desk, connection: str, reference: Mapping[str, Any]) -> Any:
    """The object itself: from the store for the local CRM, read from any other."""
    kind, id_ = reference.get("type", ""), reference.get("id", "")
    collection = SUBJECTS.get(kind) or (PARENTS[kind][0][0] if kind in PARENTS else None)
    if collection is None:
        return None
    if connection == "local" or kind not in SUBJECTS:
        return desk.records.read_one(connection, collection, id_)
    try:
        context = desk.tools(connection).read_context(Subject(kind, id_))
    except NotFound:
        return None
    return getattr(context, kind)


def _subject(desk: Desk, connection: str, reference: Mapping[str, Any]) -> Subject:
    """What a draft on this event is about. Raises Ignored when nobody knows it."""
    kind, id_ = reference.get("type", ""), reference.get("id", "")
    if kind in PARENTS:
        return _parent(desk, connection, kind, id_)
    if kind not in SUBJECTS:
        raise Ignored(f"no_subject: no draft can be about {kind or 'nothing'}")
    if connection == "local" and desk.records.read_one(connection, SUBJECTS[kind], id_) is None:
        raise Ignored(f"unknown_{kind}: the CRM has no {kind} {id_}")
    return Subject(kind, id_)


def _parent(desk: Desk, connection: str, kind: str, id_: str) -> Subject:
    record = desk.records.read_one(connection, PARENTS[kind][0][0], id_)
    if record is None:
        raise Ignored(f"unknown_{kind}: the CRM has no {kind} {id_}")
    for _, field, type_ in PARENTS[kind]:
        if parent := getattr(record, field):
            return Subject(type_, parent)  # type: ignore[arg-type]
    raise Ignored(f"no_subject: {kind} {id_} belongs to no deal and no company")


def _due(desk: Desk, row: EventRow, chosen: PlaybookRow, subject: Subject) -> date | None:
    """The day a draft is written that is not wanted now."""
    if chosen.after_business_days is not None:
        seller = desk.records.seller(row.connection)
        happened = (row.at or desk.clock()).astimezone(ZoneInfo(seller.timezone or "UTC")).date()
        return add_business_days(happened, chosen.after_business_days, [seller.country])
    return _right_moment(desk, row, subject) if chosen.scheduled else None


def _right_moment(desk: Desk, row: EventRow, subject: Subject) -> date:
    """What the brief says is the earliest, else after the first weeks."""
    now = desk.clock()
    request = Request(row.connection, "pitch", subject)
    try:
        brief = make_brief(request, tools=desk.tools(row.connection), now=now)
    except NotFound as error:
        raise Ignored(f"unknown_{subject.type}: {error}") from error
    earliest = brief.decision.earliest if brief.decision.outcome != "draft" else None
    return earliest or ((row.at or now) + FIRST_WEEKS).date()
