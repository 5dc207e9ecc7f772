"""The webhook body of the local CRM: one event or an array of at most 100, and our answer to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crmplugin.domain.crm import COLLECTIONS, SINGLES
from crmplugin.domain.event import EVENT_TYPES, Event, ObjectRef
from crmplugin.domain.records import FORMAT, check_record
from crmplugin.errors import RecordProblem, TooLarge, Unreadable
from crmplugin.ports import Reading

MAX_EVENTS = 100
MAX_ID = 255
OUR_SOURCE = "crmplugin:"
KEYS = frozenset({"id", "type", "at", "object", "records"})
OBJECT_TYPES = (
    "deal", "company", "contact", "ticket", "activity", "quote", "order", "contract", "product", "line_item", "user",
    "price", "offer", "stage_change", "article", "claim", "slot", "segment",
)  # fmt: skip


def read_events(body: bytes, *, connection: str, received_at: datetime) -> Reading:
    """The events of a body; bad entries are refused by name.

    Raises Unreadable when the body is neither an event nor an array, TooLarge above 100 entries.
    """
    entries = _entries(body)
    events: list[Event] = []
    refused: list[Mapping[str, str]] = []
    for number, entry in enumerate(entries):
        try:
            events.append(_event(entry, connection, received_at))
        except RecordProblem as problem:
            refused.append({"id": _name(entry, number), "reason": str(problem)})
    ignored = sum(event.type not in EVENT_TYPES for event in events)
    return Reading(tuple(events), tuple(refused), ignored)


def _entries(body: bytes) -> list[Any]:
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the body is not JSON ({error}): send one event or an array of events") from error
    if isinstance(document, Mapping):
        return [document]
    if not isinstance(document, list):
        raise Unreadable("the body is neither an event nor an array of events")
    if len(document) > MAX_EVENTS:
        raise TooLarge(f"{len(document)} events in one call: send at most {MAX_EVENTS}")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _name(entry: Any, number: int) -> str:
    id_ = entry.get("id") if isinstance(entry, Mapping) else None
    return id_[:MAX_ID] if isinstance(id_, str) and id_ else f"[{number}]"


def _event(entry: Any, connection: str, received_at: datetime) -> Event:
    if not isinstance(entry, Mapping):
        raise RecordProblem("", "an event (an object)", entry)
    for key in entry:
        if key not in KEYS and not key.startswith("x_"):
            raise RecordProblem(key, f"no such key (known: {', '.join(sorted(KEYS))})", entry[key])
    type_ = _text(entry, "type", 64)
    records = _records(entry.get("records"))
    reference = _object(entry.get("object"), known=type_ in EVENT_TYPES)
    return Event(
        id=_text(entry, "id", MAX_ID),
        connection=connection,
        type=type_,
        at=_instant(entry.get("at"), received_at),
        object=reference,
        records=records,
        raw=entry,
        received_at=received_at,
        echo=_is_echo(reference, records),
    )


def _text(entry: Mapping[str, Any], key: str, limit: int) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > limit or not value.isprintable():
        raise RecordProblem(key, f"a text of 1 to {limit} printable characters", value)
    return value


def _instant(value: Any, received_at: datetime) -> datetime:
    """When it happened; an event without a time happened when it came."""
    if value is None:
        return received_at
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RecordProblem("at", "an RFC 3339 time with zone such as 2026-03-10T14:05:00Z", value)
    return moment


def _object(value: Any, *, known: bool) -> ObjectRef | None:
    """What a known event is about; an event that we will ignore may be about anything or nothing."""
    if not known:
        return None
    if not isinstance(value, Mapping) or set(value) - {"type", "id"}:
        raise RecordProblem("object", 'an object such as {"type": "deal", "id": "D-1"}', value)
    if value.get("type") not in OBJECT_TYPES:
        raise RecordProblem("object.type", f"one of {', '.join(OBJECT_TYPES)}", value.get("type"))
    try:
        return ObjectRef(value["type"], _text(value, "id", MAX_ID))
    except RecordProblem as problem:
        raise RecordProblem("object.id", "the id of a record (a text)", value.get("id")) from problem


def _records(value: Any) -> Mapping[str, Any]:
    """The records that came along, checked as an import checks them. Raises RecordProblem with the whole path."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RecordProblem("records", "an object of collections", value)
    checked: dict[str, Any] = {}
    for name, part in value.items():
        if name == "format":
            if part != FORMAT:
                raise RecordProblem("records.format", FORMAT, part)
        elif name in SINGLES:
            checked[name] = _checked(name, part, f"records.{name}")
        elif name in COLLECTIONS:
            checked[name] = _collection(name, part)
        elif not name.startswith("x_"):
            raise RecordProblem(f"records.{name}", "a collection of crmplugin-records/1", part)
    return checked


def _collection(name: str, part: Any) -> list[Any]:
    if not isinstance(part, list):
        raise RecordProblem(f"records.{name}", "a list", part)
    return [_checked(name, item, f"records.{name}[{n}]") for n, item in enumerate(part)]


def _checked(name: str, item: Any, path: str) -> Any:
    try:
        return check_record(name, item)
    except RecordProblem as problem:
        raise RecordProblem(f"{path}.{problem.key}".rstrip("."), problem.expected, problem.got) from problem


def _is_echo(reference: ObjectRef | None, records: Mapping[str, Any]) -> bool:
    """Whether the event is about an activity that our own write-back made."""
    if reference is None or reference.type != "activity":
        return False
    mine = [a for a in records.get("activities", ()) if a.get("id") == reference.id]
    return any(str(a.get("source") or "").startswith(OUR_SOURCE) for a in mine)


def acknowledge(reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of the answer; `new` says of each event whether it was kept just now."""
    kept = [event for event, is_new in zip(reading.events, new, strict=True) if is_new]
    ignored = sum(event.type not in EVENT_TYPES for event in kept)
    answer = {
        "accepted": len(kept) - ignored,
        "duplicates": len(new) - len(kept),
        "ignored": ignored,
        "refused": list(reading.refused),
        "events": [event.id for event in kept],
    }
    return 202, {"Content-Type": "application/json"}, json.dumps(answer, ensure_ascii=False).encode("utf-8")
