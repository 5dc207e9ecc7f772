"""Every fact of every sample deal points at a field that exists and holds its value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crmplugin import demo
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.fact import Fact, Source
from crmplugin.journeys.draft import make_brief
from crmplugin.wiring import Assistant, open_scratch

TODAY = date(2026, 3, 11)
NOW = datetime(2026, 3, 11, 10, tzinfo=UTC)
KINDS = ("follow_up", "negotiation_note")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    path: Path = tmp_path_factory.mktemp("sample") / "sample.json"
    path.write_text(json.dumps(demo.load(TODAY)), "utf-8")
    with open_scratch([str(path)]) as (assistant, report):
        assert not report.refused
        yield assistant


def value_at(assistant: Assistant, source: Source) -> Any:
    """What the stored record holds at the field of a source; None when it is not there."""
    if source.object in ("seller", "policy", "voice"):
        value: Any = demo.load(TODAY)[source.object]
    else:
        value = assistant.records.read_doc("local", source.object, source.id)
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


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_of_every_deal_has_a_source_that_holds_it(sample: Assistant, kind: str):
    tools = sample.tools("local")
    wrong: list[str] = []
    facts = 0
    for deal in sample.records.iterate("local", "deals"):
        brief = make_brief(Request("local", kind, Subject("deal", deal.id)), tools=tools, now=NOW)  # type: ignore[arg-type]
        ids = {f.id for f in brief.facts}
        for fact in brief.facts:
            facts += 1
            values = [value_at(sample, s) for s in fact.source]
            if any(v is None for v in values):
                wrong.append(f"{deal.id} {fact.id}: {fact.source} does not exist")
            elif fact.basis.type == "observed" and not any(
                holds(v, fact) for v in [*values, " ".join(map(str, values))]
            ):
                wrong.append(f"{deal.id} {fact.id}: {fact.value!r} is not in {values}")
            elif fact.basis.type == "computed" and not (fact.basis.formula and set(fact.basis.inputs) <= ids):
                wrong.append(f"{deal.id} {fact.id}: computed without formula or from unknown facts")

    assert facts > 2000
    assert not wrong, "\n".join(wrong)
