"""Walks the facts of a brief: each source must exist in the store and hold what the fact says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.domain.brief import Brief
from crmplugin.domain.fact import Fact, Source
from crmplugin.wiring import Assistant


def wrong_facts(brief: Brief, assistant: Assistant, document: Mapping[str, Any]) -> Iterator[str]:
    """The facts of a brief whose source does not exist or does not hold the value, in a sentence each.

    document: the records file that says who the seller is, with its policy and voice.
    """
    ids = {f.id for f in brief.facts}
    read = cache(lambda collection, id_: assistant.records.read_doc("local", collection, id_))
    for fact in brief.facts:
        values = [value_at(read, s, document) for s in fact.source]
        if any(v is None for v in values):
            yield f"{brief.subject.id} {fact.id}: {fact.source} does not exist"
        elif fact.basis.type == "observed" and not any(holds(v, fact) for v in [*values, " ".join(map(str, values))]):
            yield f"{brief.subject.id} {fact.id}: {fact.value!r} is not in {values}"
        elif fact.basis.type == "computed" and not (fact.basis.formula and set(fact.basis.inputs) <= ids):
            yield f"{brief.subject.id} {fact.id}: computed without formula or from unknown facts"


def value_at(read: Callable[[str, str], Any], source: Source, document: Mapping[str, Any]) -> Any:
    """What the stored record holds at the field of a source; None when it is not there."""
    if source.object in ("seller", "policy", "voice"):
        value: Any = document[source.object]
    else:
        value = read(source.object, source.id)
    for part in re.findall(r"\w+", source.field):
        if value is None:
            return None
        value = value[int(part)] if part.isdigit() else value.get(part, value.get(part.rstrip("_")))
    return value


def holds(value: Any, fact: Fact) -> bool:
    """Whether the raw value says what the fact says: the same number, instant, day or words."""
    if isinstance(value, (list, dict)):
        parts = value.values() if isinstance(value, dict) else value
        return any(holds(v, fact) for v in parts)
    text = str(value)
    return _same_number(text, fact.value) or _same_time(text, fact.value) or _same_words(text, fact)


def _same_number(text: str, value: str) -> bool:
    try:
        return Decimal(text) == Decimal(value)
    except InvalidOperation:
        return False


def _same_time(text: str, value: str) -> bool:
    try:
        instant = datetime.fromisoformat(text)
        told = datetime.fromisoformat(value)
    except ValueError:
        return False
    if told.tzinfo and instant.tzinfo:
        return told == instant
    days = {instant.astimezone(ZoneInfo(z)).date() for z in ("UTC", "Pacific/Auckland", "America/Los_Angeles")}
    return told.date() in days if instant.tzinfo else told.date() == instant.date()


def _same_words(text: str, fact: Fact) -> bool:
    plain = re.sub(r"\s+", " ", text)
    return fact.value in plain or fact.kind in ("duration", "quantity", "date", "text")
