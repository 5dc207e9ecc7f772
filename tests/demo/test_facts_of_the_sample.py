"""Every fact of every sample deal points at a field that exists and holds its value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crmplugin import demo
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_brief, make_draft
from crmplugin.wiring import Assistant, open_scratch
from tests.fact_walk import wrong_facts

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


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_of_every_deal_has_a_source_that_holds_it(sample: Assistant, kind: str):
    tools, document = sample.tools("local"), demo.load(TODAY)
    wrong: list[str] = []
    facts = 0
    for deal in sample.records.iterate("local", "deals"):
        brief = make_brief(Request("local", kind, Subject("deal", deal.id)), tools=tools, now=NOW)  # type: ignore[arg-type]
        facts += len(brief.facts)
        wrong += wrong_facts(brief, sample, document)

    assert facts > 2000
    assert not wrong, "\n".join(wrong)


def test_every_message_that_is_called_for_finds_its_words(sample: Assistant):
    tools = sample.tools("local")
    unsaid = []
    for deal in sample.records.iterate("local", "deals"):
        request = Request("local", "follow_up", Subject("deal", deal.id), writer="template")
        draft = make_draft(request, tools=tools, draft_id="x", now=NOW)
        if draft.decision.code == "missing_facts":
            unsaid.append(f"{deal.id}: {draft.decision.reason}")

    assert not unsaid, "\n".join(unsaid)
