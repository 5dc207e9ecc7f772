"""Two public data sets that nobody here wrote go in whole, and what briefs say of them stands in the records."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.import_records import ImportReport, import_records
from crmplugin.journeys.import_tables import import_files
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from tests.fact_walk import wrong_facts

SELLER = {"format": "crmplugin-records/1", "seller": {"name": "Northfield", "country": "US", "currency": "USD",
          "timezone": "America/New_York"}}  # fmt: skip
Taken = tuple[Assistant, ImportReport]


def import_set(folder: Path, name: str) -> Taken:
    """An installation that holds one public set; skips where the public data are not at hand."""
    tables = sorted((Path(os.environ.get("PUBLIC_DATA_DIR", "")) / "crm" / name).glob("*.csv"))
    if not tables or not os.environ.get("PUBLIC_DATA_DIR"):
        pytest.skip("PUBLIC_DATA_DIR is unset or not a folder")
    assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(folder)}))
    (folder / "seller.json").write_text(json.dumps(SELLER), "utf-8")
    import_records([folder / "seller.json"], connection="local", records=assistant.records)
    return assistant, import_files(tables, connection="local", records=assistant.records, folder=folder)


@pytest.fixture(scope="module")
def maven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    taken = import_set(tmp_path_factory.mktemp("maven"), "maven_crm")
    yield taken
    taken[0].close()


@pytest.fixture(scope="module")
def northwind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    taken = import_set(tmp_path_factory.mktemp("northwind"), "northwind")
    yield taken
    taken[0].close()


def wrong_in(assistant: Assistant, kind: str, subjects: list[Subject], now: datetime) -> list[str]:
    tools = assistant.tools("local")
    asked = [Request("local", kind, about) for about in subjects]  # type: ignore[arg-type]
    briefs = [make_brief(request, tools=tools, now=now) for request in asked]
    return [sentence for brief in briefs for sentence in wrong_facts(brief, assistant, SELLER)]


def test_the_whole_pipeline_goes_in_with_what_is_missing_said(maven: Taken):
    assistant, report = maven
    deals = list(assistant.records.iterate_docs("local", "deals"))

    assert (report.refused_rows, len(deals)) == (0, 8800)
    assert Counter(d["status"] for d in deals) == {"won": 4238, "lost": 2473, "open": 2089}
    assert sum("company_id" not in d for d in deals) == 1425
    assert sum(d.get("product_ids") == ["GTX Pro"] for d in deals) == 1480
    assert not any("amount" in d for d in deals if d["status"] != "won")
    told = " ".join(report.notes)
    assert '(1,480 times) is "GTX Pro" but for spaces' in told
    assert "no company is named in 1,425 rows" in told
    assert 'did you mean "technology"?' in told
    assert "are taken as USD, the seller's" in told


@pytest.mark.parametrize("kind", ["negotiation_note", "qualification", "summary"])
def test_ten_deals_of_the_pipeline_are_told_from_their_records(maven: Taken, kind: str):
    assistant, _ = maven
    ids = sorted(d["id"] for d in assistant.records.iterate_docs("local", "deals"))[40::880]

    assert len(ids) == 10
    assert wrong_in(assistant, kind, [Subject("deal", id_) for id_ in ids], datetime(2018, 1, 5, 15, tzinfo=UTC)) == []


def test_stage_ages_are_held_against_the_deals_that_were_won(maven: Taken):
    assistant, _ = maven
    request = Request("local", "summary", Subject("deal", "L6223VHA"))

    signals = make_brief(request, tools=assistant.tools("local"), now=datetime(2018, 1, 5, 15, tzinfo=UTC)).signals

    assert (signals.stage_age_days, signals.stage_age_n, signals.stage_state) == (163, 4238, "stalled")


def test_all_orders_go_in_with_their_lines(northwind: Taken):
    assistant, report = northwind
    orders = list(assistant.records.iterate_docs("local", "orders"))

    assert (report.refused_rows, len(orders)) == (0, 830)
    assert sum(len(order["lines"]) for order in orders) == 2155
    assert assistant.records.counts("local")["companies"] == 91
    assert {order["currency"] for order in orders} == {"USD"}


@pytest.mark.parametrize("kind", ["meeting_brief", "insight_digest", "follow_up"])
def test_ten_accounts_are_told_from_their_orders(northwind: Taken, kind: str):
    assistant, _ = northwind
    ids = sorted(d["id"] for d in assistant.records.iterate_docs("local", "companies"))[::9][:10]

    assert len(ids) == 10
    assert (
        wrong_in(assistant, kind, [Subject("company", id_) for id_ in ids], datetime(1998, 5, 8, 9, tzinfo=UTC)) == []
    )
