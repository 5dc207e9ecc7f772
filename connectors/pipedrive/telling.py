"""What Pipedrive's webhooks would have said, from records that changed: for what was lost while nobody answered.

Pipedrive keeps the time of a deal's making, last move, winning, losing and last incoming mail, so each of these is told
once; a change of another field says neither when nor by whom it was made and is left to webhooks. Ids begin with
`poll-` and are the same whenever the change is told again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.pipedrive.events import MEETINGS, has_opted_out
from crmplugin.domain.event import Event, ObjectRef

Thing = Mapping[str, Any]
Happening = tuple[str, ObjectRef, datetime]
SAME_MOMENT = timedelta(seconds=2)
"""What a deal was made with is told with its making."""


def tell(
    kind: str, things: Sequence[Thing], since: datetime, *, connection: str, now: datetime, opt_out_field: str | None
) -> tuple[Event, ...]:
    """The events of these changed records since then."""
    about = TELLERS.get(kind)
    if about is None:
        return ()
    found = [(thing, one) for thing in things for one in about(thing, opt_out_field) if one[2] >= since]
    return tuple(_event(thing, one, connection, now) for thing, one in found)


def _event(thing: Thing, happening: Happening, connection: str, now: datetime) -> Event:
    type_, about, at = happening
    text = json.dumps([type_, about.type, about.id, at.isoformat()])
    name = f"poll-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
    return Event(name, connection, type_, at, about, raw=thing, received_at=now)


def _of_deal(deal: Thing, opt_out_field: str | None) -> Iterator[Happening]:
    about = ObjectRef("deal", str(deal.get("id")))
    made, status = _moment(deal.get("add_time")), deal.get("status")
    dated = {
        "deal.created": made,
        "deal.stage_changed": _moment(deal.get("stage_change_time")),
        "deal.won": _moment(deal.get("won_time")) if status == "won" else None,
        "deal.lost": _moment(deal.get("lost_time")) if status == "lost" else None,
        "message.received": _moment(deal.get("last_incoming_mail_time")),
    }
    for type_, at in dated.items():
        with_the_deal = (
            type_ == "deal.stage_changed" and at is not None and made is not None and at - made < SAME_MOMENT
        )
        if at is not None and not with_the_deal:
            yield type_, about, at


def _of_person(person: Thing, opt_out_field: str | None) -> Iterator[Happening]:
    at = _moment(person.get("update_time"))
    if at is not None:
        out = has_opted_out(person, opt_out_field)
        yield "contact.opted_out" if out else "contact.changed", ObjectRef("contact", str(person.get("id"))), at


def _of_activity(activity: Thing, opt_out_field: str | None) -> Iterator[Happening]:
    at = _moment(activity.get("marked_as_done_time"))
    if activity.get("done") is True and activity.get("type") in MEETINGS and at is not None:
        yield "meeting.ended", ObjectRef("activity", f"activities:{activity.get('id')}"), at


TELLERS: Mapping[str, Callable[[Thing, str | None], Iterator[Happening]]] = {
    "deals": _of_deal,
    "persons": _of_person,
    "activities": _of_activity,
}


def _moment(value: Any) -> datetime | None:
    text = instant_text(value)
    return datetime.fromisoformat(text) if text else None
