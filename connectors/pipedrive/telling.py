"""What Pipedrive's webhooks would have said, from records that changed: for what was lost while nobody answered.

A deal says when it was made, last moved, won, lost and last written to, so each of these is told from the deal itself.
What it does not say (another field, that it was opened again, a move before the last) stands in the changes of its
fields, which are asked for where the deal's own times do not explain its last change. Ids begin with `poll-` and are
the same whenever the change is told again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.pipedrive.events import MEETINGS, deal_type, has_opted_out
from crmplugin.domain.event import Event, ObjectRef

Thing = Mapping[str, Any]
Happening = tuple[str, ObjectRef, datetime]
SAME_MOMENT = timedelta(seconds=2)
"""What a deal was made with is told with its making."""
TIMES: Mapping[str, str] = {
    "deal.stage_changed": "stage_change_time", "deal.won": "won_time", "deal.lost": "lost_time",
    "message.received": "last_incoming_mail_time",
}  # fmt: skip
"""What a deal itself says the time of."""


def tell(
    kind: str, things: Sequence[Thing], since: datetime, *, connection: str, now: datetime, opt_out_field: str | None
) -> tuple[Event, ...]:
    """The events of these changed records since then."""
    about = TELLERS.get(kind)
    if about is None:
        return ()
    found = [(thing, one) for thing in things for one in about(thing, opt_out_field) if one[2] >= since]
    return tuple(_event(thing, one, connection, now) for thing, one in found)


def unexplained(deals: Sequence[Thing], since: datetime) -> list[Thing]:
    """Deals that changed since then and do not say by their own times what it was."""
    return [deal for deal in deals if _is_unexplained(deal, since)]


def _is_unexplained(deal: Thing, since: datetime) -> bool:
    changed = _moment(deal.get("update_time"))
    said = [_moment(deal.get(name)) for name in ("add_time", *TIMES.values())]
    return changed is not None and changed >= since and not any(_same(changed, at) for at in said)


def tell_changes(
    pasts: Sequence[tuple[Thing, Sequence[Thing]]],
    since: datetime,
    *,
    connection: str,
    now: datetime,
    opt_out_field: str | None,
    own_user: Callable[[], str],
) -> tuple[Event, ...]:
    """The events of these deals' changes since then, beside those that the deals themselves tell.

    `own_user`: asks whose token it is; what that user changed by the API is an echo.
    """
    told: list[Event] = []
    for deal, entries in pasts:
        about = ObjectRef("deal", str(deal.get("id")))
        known = [(type_, at) for type_, _, at in _of_deal(deal, opt_out_field)]
        for at, together in _moments(entries, since):
            type_ = deal_type("change", _values(together, "new_value"), _values(together, "old_value"))
            if not any(_same(at, when) and other in (type_, "deal.created") for other, when in known):
                ours = all(one.get("change_source") == "api" for one in together)
                echo = ours and {str(one.get("actor_user_id")) for one in together} == {own_user()}
                told.append(replace(_event(deal, (type_, about, at), connection, now), echo=echo))
    return tuple(told)


def _moments(entries: Sequence[Thing], since: datetime) -> list[tuple[datetime, list[Thing]]]:
    """Changes since then, those that were made at once together."""
    found: dict[datetime, list[Thing]] = {}
    for entry in entries:
        at = _moment(entry.get("time"))
        if at is not None and at >= since:
            found.setdefault(at, []).append(entry)
    return sorted(found.items())


def _values(entries: Sequence[Thing], name: str) -> dict[str, Any]:
    return {str(one.get("field_key")): one.get(name) for one in entries}


def _same(one: datetime, other: datetime | None) -> bool:
    return other is not None and abs(one - other) < SAME_MOMENT


def _event(thing: Thing, happening: Happening, connection: str, now: datetime) -> Event:
    type_, about, at = happening
    text = json.dumps([type_, about.type, about.id, at.isoformat()])
    name = f"poll-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
    return Event(name, connection, type_, at, about, raw=thing, received_at=now)


def _of_deal(deal: Thing, opt_out_field: str | None) -> Iterator[Happening]:
    about = ObjectRef("deal", str(deal.get("id")))
    made = _moment(deal.get("add_time"))
    dated = {type_: _moment(deal.get(name)) for type_, name in TIMES.items()}
    for type_ in ("deal.won", "deal.lost"):
        dated[type_] = dated[type_] if deal.get("status") == type_.removeprefix("deal.") else None
    for type_, at in {"deal.created": made, **dated}.items():
        with_the_deal = type_ == "deal.stage_changed" and at is not None and _same(at, made)
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
