"""Exports: what goes out is what comes in again, and about one person it is all of theirs and nobody else's."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crmplugin import demo
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import COLLECTIONS, SINGLES, Subject
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.journeys.approve import approve
from crmplugin.journeys.ask import Ask, ask_for_drafts, blank_draft
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.import_records import import_records
from crmplugin.journeys.present import brief_json, to_json
from crmplugin.settings import Settings, load_settings
from crmplugin.store.access import Principal
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.web.conftest import RECORDS, wait_until

NOW = datetime(2026, 3, 11, 11, 0, tzinfo=UTC)
ADMIN = Principal("Ann", "admin")


READ_TIME = re.compile(r'"as_of": "[0-9T:-]+\.[0-9]+Z"')
"""When a fact was read or computed; the instants of the sample company have no fraction."""


def briefs_of(settings: Settings, every: int) -> dict[str, str]:
    """The brief of every nth deal as its JSON, without the times at which it was read."""
    assistant = Assistant(settings)
    tools = assistant.tools("local")
    deals = [doc["id"] for doc in assistant.records.iterate_docs("local", "deals")][::every]
    asked = {id_: Request("local", "follow_up", Subject("deal", id_)) for id_ in deals}
    found = {id_: json.dumps(brief_json(make_brief(r, tools=tools, now=NOW))) for id_, r in asked.items()}
    assistant.close()
    return {id_: READ_TIME.sub("", text) for id_, text in found.items()}


def records_of(settings: Settings) -> dict[str, list[Any]]:
    assistant = Assistant(settings)
    found = {name: list(assistant.records.iterate_docs("local", name)) for name in (*SINGLES, *COLLECTIONS)}
    assistant.close()
    return found


def take(settings: Settings, path: Path) -> None:
    assistant = Assistant(settings)
    report = import_records([path], connection="local", records=assistant.records)
    assistant.close()
    assert report.refused == ()


@pytest.fixture
def use(monkeypatch):
    """Makes the commands of this test work on an installation."""

    def _use(settings: Settings) -> Settings:
        monkeypatch.setenv("CRMPLUGIN_VAR", str(settings.var))
        monkeypatch.setenv("CRMPLUGIN_DATABASE_URL", settings.database_url)
        assert load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(settings.var)}).var == settings.var
        return settings

    return _use


@pytest.fixture
def filled(make_home, use, tmp_path) -> Settings:
    """A small company with one person who wrote and was written to, and a deal of somebody else."""
    settings = use(make_home())
    more = {
        "contacts": [*RECORDS["contacts"], {"id": "C-2", "company_id": "CO-1", "last_name": "Other"}],
        "activities": [
            {"id": "A-1", "type": "email", "contact_ids": ["C-1"], "body": "Grüße", "x_thread": {"n": 7}},
            {"id": "A-2", "type": "email", "contact_ids": ["C-2"], "body": "not theirs"},
        ],
    }
    (tmp_path / "in.json").write_text(json.dumps({"format": "crmplugin-records/1", **RECORDS, **more}))
    take(settings, tmp_path / "in.json")
    office = Office(Assistant(settings), work=False)
    event = Event("evt-1", "local", "deal.created", NOW, ObjectRef("contact", "C-1"), received_at=NOW)
    office.desk.intake.take([event])
    wait_until(lambda: office.desk.events.find("local", "evt-1"))
    for draft_id, contact in (("draft-1", "C-1"), ("draft-2", "C-2")):
        propose(office, draft_id, contact)
    approve(office.desk, "draft-1", ADMIN)
    office.close()
    return settings


def propose(office: Office, draft_id: str, contact: str) -> None:
    request = Request("local", "follow_up", Subject("deal", "D-1"), channel="email")
    asked = Ask(draft_id, request, "api", NOW)
    ask_for_drafts(office.desk, [asked])
    to = {"contact_id": contact, "display_name": contact, "address": "x@y.example"}
    document = to_json(blank_draft(asked)) | {"body": f"Dear {contact}", "to": to}
    office.desk.drafts.move(draft_id, "proposed", at=NOW, document=document)


@pytest.mark.parametrize(("name", "every"), [("all.json", 2), ("all.jsonl", 5)])
def test_the_sample_company_comes_back_with_the_same_records_and_briefs(
    make_home, use, crmplugin, tmp_path, name, every
):
    first, second = use(make_home("first")), make_home("second")
    (tmp_path / "in.json").write_text(json.dumps(demo.load(date(2026, 3, 11))))
    take(first, tmp_path / "in.json")

    assert crmplugin("export", "--all", tmp_path / name).code == 0
    take(second, tmp_path / name)

    assert records_of(second) == records_of(first)
    briefs = briefs_of(first, every)
    assert len(briefs) > 10
    assert briefs_of(second, every) == briefs


def test_drafts_decisions_and_events_stand_under_x_keys(crmplugin, filled):
    document = crmplugin("export", "--all").json

    assert [d["id"] for d in document["x_drafts"]] == ["draft-1", "draft-2"]
    assert [(d["draft"], d["to"], d["by"]) for d in document["x_decisions"] if d["to"] == "approved"] == [
        ("draft-1", "approved", "Ann")
    ]
    assert [(e["id"], e["state"]) for e in document["x_events"]] == [("evt-1", "stored")]
    assert document["activities"][0] == {
        "id": "A-1",
        "type": "email",
        "contact_ids": ["C-1"],
        "body": "Grüße",
        "x_thread": {"n": 7},
    }


@pytest.mark.parametrize("name", ["all.json", "all.jsonl"])
def test_import_leaves_x_keys_alone(crmplugin, filled, make_home, tmp_path, name):
    crmplugin("export", "--all", tmp_path / name)
    other = make_home("other")

    take(other, tmp_path / name)

    assert records_of(other) == records_of(filled)


def test_lines_say_what_each_is(crmplugin, filled, tmp_path):
    crmplugin("export", "--all", tmp_path / "all.jsonl")

    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]

    assert lines[0] == {"format": "crmplugin-records/1"}
    assert {line["record"] for line in lines[1:]} >= {"companies", "seller", "x_drafts", "x_decisions", "x_events"}


def test_one_person_gets_all_of_theirs_and_nothing_of_others(crmplugin, filled):
    answer = crmplugin("export", "--contact", "C-1")

    document = answer.json
    assert [c["email"] for c in document["contacts"]] == ["amir@kestrel.example"]
    assert [a["id"] for a in document["activities"]] == ["A-1"]
    assert document["x_deals"] == [{"id": "D-1", "name": "Flow meters"}]
    assert [d["body"] for d in document["x_drafts"]] == ["Dear C-1"]
    assert {d["draft"] for d in document["x_decisions"]} == {"draft-1"}
    assert [e["id"] for e in document["x_events"]] == ["evt-1"]
    assert "not theirs" not in answer.out
    assert "26505" not in answer.out


def test_unknown_person_is_named(crmplugin, filled):
    answer = crmplugin("export", "--contact", "C-9")

    assert (answer.code, "there is no contact C-9" in answer.err) == (1, True)


def test_unknown_connection_is_named(crmplugin):
    assert "no connection 'acme'" in crmplugin("export", "--all", "--connection", "acme").err


@pytest.mark.parametrize("options", [(), ("--all", "--contact", "C-1")], ids=["neither", "both"])
def test_what_to_export_must_be_said(crmplugin, options):
    assert crmplugin("export", *options).err == "give either --all or --contact ID"


def test_file_is_for_its_owner_alone_and_whole_or_not_there(crmplugin, filled, tmp_path):
    crmplugin("export", "--all", tmp_path / "all.json")

    assert (tmp_path / "all.json").stat().st_mode & 0o777 == 0o600
    assert "cannot be written" in crmplugin("export", "--all", tmp_path / "nowhere" / "all.json").err
    assert [p.name for p in tmp_path.glob(".all*")] == []


def test_empty_store_gives_an_empty_document(crmplugin):
    assert crmplugin("export", "--all").json == {"format": "crmplugin-records/1"}
