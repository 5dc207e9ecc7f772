"""Domain objects as JSON and back: one rule for drafts, facts and briefs, at the API, in the store and on stdout.

Decimals are strings, instants RFC 3339 in UTC, days ISO dates, tuples lists. `draft_json` and `brief_json` are the
forms of the contract; `to_json`/`from_json` keep everything and round-trip.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from crmplugin.domain.brief import Brief
from crmplugin.domain.draft import Draft
from crmplugin.domain.fact import Fact

T = TypeVar("T")


def show_instant(moment: datetime) -> str:
    """RFC 3339 in UTC with a `Z`, to the second unless it has a fraction."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_json(value: Any) -> Any:
    """Any domain object as JSON-able data; field metadata `key` gives the outside name."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return [to_json(v) for v in value]
    if names := _members(kind):
        return {key: to_json(getattr(value, name)) for name, key in names}
    if isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return show_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    return {} if is_dataclass(value) else [to_json(v) for v in value]


_PLAIN = frozenset({type(None), str, int, float, bool})


@cache
def _members(kind: Any) -> tuple[tuple[str, str], ...]:
    """The members of a dataclass and what they are called outside; empty for anything else."""
    if not is_dataclass(kind):
        return ()
    return tuple((f.name, f.metadata.get("key", f.name)) for f in fields(kind))


def from_json(cls: type[T], doc: Any) -> T:
    """The object that `to_json` turned into `doc`; keys that a newer version added are left out."""
    read: T = _reader(cls)(doc)  # type: ignore[arg-type]
    return read


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass_reader(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(a for a in args if a is not type(None)))
        return lambda v: None if v is None else inner(v)
    if origin is tuple:
        return _tuple_reader(args)
    if hasattr(hint, "__metadata__"):
        return _reader(hint.__origin__)
    if origin in (Literal, None) or not args:
        return lambda v: v
    if issubclass(origin, Mapping):
        value = _reader(args[1])
        return lambda v: {k: value(x) for k, x in v.items()}
    return lambda v: v


_SCALARS: dict[Any, Callable[[Any], Any]] = {
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Any: lambda v: v,
}


def _tuple_reader(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    if args[-1] is Ellipsis:
        item = _reader(args[0])
        return lambda v: tuple(item(x) for x in v)
    items = [_reader(a) for a in args]
    return lambda v: tuple(read(x) for read, x in zip(items, v, strict=True))


def _dataclass_reader(cls: type) -> Callable[[Any], Any]:
    hints = get_type_hints(cls, include_extras=True)
    readers = [(f.name, f.metadata.get("key", f.name), _reader(hints[f.name])) for f in fields(cls)]

    def read(doc: Any) -> Any:
        given = {name: reader(doc[key]) for name, key, reader in readers if key in doc and doc[key] is not None}
        return cls(**given)

    return read


def fact_json(fact: Fact) -> dict[str, Any]:
    """A fact as contract §5.2 shows it."""
    doc: dict[str, Any] = to_json(fact)
    return doc


def told_facts(draft: Draft) -> tuple[Fact, ...]:
    """The facts shown beside a draft: all of an internal one; else customer facts and internal ones warned of."""
    if draft.audience == "internal":
        return draft.facts
    named = {e for w in draft.warnings for e in w.evidence}
    return tuple(f for f in draft.facts if f.visibility == "customer" or f.id in named)


def draft_json(draft: Draft) -> dict[str, Any]:
    """A draft as contract §5.2 shows it."""
    to = draft.to
    return {
        "id": draft.id,
        "connection": draft.connection,
        "kind": draft.kind,
        "type": draft.type,
        "status": draft.status,
        "about": to_json(draft.subject_of),
        "decision": to_json(draft.decision),
        "audience": draft.audience,
        "to": {"contact_id": to.contact_id, "display_name": to.display_name, "address": to.address} if to else None,
        "channel": draft.channel,
        "language": draft.language,
        "subject": draft.subject,
        "body": draft.body,
        "html": draft.html,
        "sentences": to_json(draft.sentences),
        "facts": to_json(told_facts(draft)),
        "warnings": to_json(draft.warnings),
        "missing_info": list(draft.missing_info),
        "missing_questions": list(draft.missing_questions),
        "charts": to_json(draft.charts),
        "grounding": to_json(draft.grounding),
        "checks": to_json(draft.checks),
        "compliance": to_json(draft.compliance),
        "next_touch": to_json(draft.next_touch),
        "writer": draft.writer,
        "model": draft.model,
        "prompt": to_json(draft.prompt),
        "usage": to_json(draft.usage),
        "as_of": show_instant(draft.as_of),
        "created_at": show_instant(draft.created_at),
        "created_by": draft.created_by,
        "origin": draft.origin,
        "event": draft.event,
        "earliest": to_json(draft.earliest),
        "version": draft.version,
    }


def draft_from_json(doc: Mapping[str, Any]) -> Draft:
    """The draft that `to_json` stored."""
    return from_json(Draft, doc)


def brief_json(brief: Brief) -> dict[str, Any]:
    """A brief as contract §8 shows it, with what else a reader needs to understand it."""
    return {
        "connection": brief.connection,
        "subject": to_json(brief.subject),
        "as_of": show_instant(brief.as_of),
        "language": brief.language,
        "locale": brief.locale,
        "zone": brief.zone,
        "send_on": to_json(brief.send_on),
        "decision": to_json(brief.decision),
        "gates": to_json(brief.gates),
        "signals": to_json(brief.signals),
        "plan": to_json(brief.plan),
        "facts": to_json(brief.facts),
        "warnings": to_json(brief.warnings),
        "missing_info": list(brief.missing_info),
        "missing_questions": list(brief.missing_questions),
        "charts": to_json(brief.charts),
    }
