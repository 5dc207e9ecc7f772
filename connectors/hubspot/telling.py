"""What HubSpot's webhooks would have said, from records that changed: for what was lost while nobody answered.

A change is told as the entry of a webhook and read like one. Its id begins with `poll-` and is the same whenever it is
told again; that a webhook told the same change is seen by type, object and time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.hubspot.events import event_of
from crmplugin.domain.event import EVENT_TYPES, Event

Thing = Mapping[str, Any]
SAME_MOMENT = timedelta(seconds=2)
"""What a record was made with is told with its making."""
FRESH = timedelta(days=1)
"""Mails and meetings that lie further back were brought in from elsewhere: nobody waits for an answer to them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a kind of record.

    `name`: HubSpot's word in webhooks. `watched`: properties whose past is read. `made`: whether a new record is told
    too. `dated`: the property that says when it happened; a mail's or meeting's value is told without a past as well.
    """

    name: str
    watched: tuple[str, ...]
    made: bool = False
    dated: str | None = None


TOLD: Mapping[str, Told] = {
    "deals": Told("deal", ("dealstage", "amount", "closedate"), made=True),
    "contacts": Told("contact", ("hs_email_optout", "email"), made=True),
    "tickets": Told("ticket", ("hs_pipeline_stage",), made=True),
    "orders": Told("order", ("hs_fulfillment_status",), made=True),
    "quotes": Told("quote", ("hs_status",)),
    "emails": Told("email", ("hs_email_direction",), dated="hs_timestamp"),
    "meetings": Told("meeting", ("hs_meeting_outcome",), dated="hs_meeting_end_time"),
}


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells changes of one connection. `stages`: stage id -> our stage kind, as the account says now.

    `opt_outs`: properties of a person that say "no mail" beside `hs_email_optout`.
    """

    connection: str
    portal: str
    app: str
    stages: Callable[[], Mapping[str, str]]
    opt_outs: tuple[str, ...] = ()

    def watched(self, kind: str) -> tuple[str, ...]:
        """The properties of a kind whose past is told: each changed record must come with it."""
        own = self.opt_outs if kind == "contacts" else ()
        return (*TOLD[kind].watched, *own) if kind in TOLD else ()

    def tell(self, kind: str, things: Sequence[Thing], since: datetime, now: datetime) -> tuple[Event, ...]:
        """The events of these changed records since then, those that our events have a name for."""
        about = TOLD.get(kind)
        if about is None:
            return ()
        about = replace(about, watched=self.watched(kind))
        told = [self._event(entry, now) for thing in things for entry in _entries(about, thing, since)]
        return tuple(event for event in told if event.type in EVENT_TYPES)

    def _event(self, entry: Thing, now: datetime) -> Event:
        whole = {**entry, "portalId": self.portal, "appId": self.app}
        event = event_of(whole, self.connection, now, self.stages())
        return replace(event, id=f"poll-{event.id}")


def _entries(about: Told, thing: Thing, since: datetime) -> Iterator[dict[str, Any]]:
    """The webhook entries of one record."""
    made = _moment(thing.get("createdAt"))
    if about.made and made is not None and made >= since:
        yield _entry(f"{about.name}.creation", thing, made, {})
    for name in about.watched:
        history = (thing.get("propertiesWithHistory") or {}).get(name) or ()
        for one in history:
            at = _moment(one.get("timestamp"))
            with_the_record = about.made and made is not None and at is not None and at - made <= SAME_MOMENT
            if at is not None and at >= since and not with_the_record and _is_fresh(about, thing, since):
                more = {"changeSource": one.get("sourceType"), "sourceId": one.get("sourceId")}
                yield _changed(about, thing, name, one.get("value"), at, more)
        if not history and about.dated and _is_fresh(about, thing, since):
            value, at = _value(thing, name), _moment(_value(thing, about.dated))
            if value and at is not None:
                yield _changed(about, thing, name, value, at, {})


def _changed(about: Told, thing: Thing, name: str, value: Any, at: datetime, more: Thing) -> dict[str, Any]:
    return _entry(f"{about.name}.propertyChange", thing, at, {"propertyName": name, "propertyValue": value, **more})


def _entry(change: str, thing: Thing, at: datetime, more: Thing) -> dict[str, Any]:
    moment = round(at.timestamp() * 1000)
    return {"subscriptionType": change, "objectId": str(thing["id"]), "occurredAt": moment, **more}


def _is_fresh(about: Told, thing: Thing, since: datetime) -> bool:
    at = _moment(_value(thing, about.dated)) if about.dated else None
    return about.dated is None or (at is not None and at >= since - FRESH)


def _value(thing: Thing, name: str) -> Any:
    return (thing.get("properties") or {}).get(name)


def _moment(value: Any) -> datetime | None:
    text = instant_text(value)
    return datetime.fromisoformat(text) if text else None
