"""What is kept no longer than the owner said: it goes, the chain still verifies, and that something happened stays."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.retention import Retention
from crmplugin.errors import SettingsError
from crmplugin.journeys import approve as decisions
from crmplugin.journeys.ask import Ask, ask_for_drafts
from crmplugin.journeys.erase import keep_no_longer
from crmplugin.journeys.run_draft import run_draft
from crmplugin.settings import load_settings
from crmplugin.store.access import Principal
from crmplugin.store.events import EventRow
from crmplugin.store.guard import reading
from crmplugin.store.retention import Keeper
from crmplugin.store.tables_work import draft_versions, drafts, events, pieces
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.access.test_erase import held
from tests.web.conftest import RECORDS, documents

BOSS = Principal("user:U-9", "manager")


@pytest.fixture
def office():
    opened = Office(Assistant(load_settings(os.environ)), work=False, take=False)
    opened.desk.records.upsert_many("local", documents({k: v for k, v in RECORDS.items() if k != "tickets"}))
    yield opened
    opened.close()


def written(desk, draft_id: str, kind: str) -> None:
    ask = Ask(draft_id, Request("local", kind, Subject("deal", "D-1")), "api", desk.clock(), created_by="user:U-1")
    ask_for_drafts(desk, [ask])
    run_draft(desk, draft_id)


def after(office, days: int, **rules: Any):
    """The desk so many days later, with these rules."""
    desk = office.desk
    later = desk.clock() + timedelta(days=days)
    keeper = Keeper(office._house.engine, desk.audit, Retention(**rules))
    return replace(desk, clock=lambda: later, keeper=keeper)


def rows(office, table, *conditions: Any) -> list[Any]:
    with reading(office._house.engine) as db:
        return list(db.execute(select(table).where(*conditions)).mappings())


def test_text_of_an_ended_draft_goes_after_its_days_and_a_waiting_one_stays(office):
    for draft_id in ("ended", "waits"):
        written(office.desk, draft_id, "meeting_brief")
    decisions.reject(office.desk, "ended", BOSS, version=None, reason="she said no")
    rules = {"drafts": {"meeting_brief": 30}}

    assert keep_no_longer(after(office, 29, **rules), "local") == {}
    gone = keep_no_longer(after(office, 31, **rules), "local")

    assert gone["drafts"] == 1
    assert rows(office, draft_versions, draft_versions.c.draft == "ended") == []
    (ended,) = rows(office, drafts, drafts.c.id == "ended")
    assert (ended["status"], ended["document"]["body"], ended["document"]["facts"]) == ("rejected", None, [])
    assert "Kestrel" not in json.dumps(ended["document"])
    assert office.desk.drafts.get("waits").document["body"]
    assert keep_no_longer(after(office, 32, **rules), "local") == {}
    assert office.desk.audit.verify().problems == ()


def test_text_that_was_kept_no_longer_is_in_no_page_of_the_files(office):
    desk, marks = office.desk, [f"PLANTED-{word}-77aa" for word in ("EDIT", "LATER", "EVENT", "WISH")]
    request = Request("local", "meeting_brief", Subject("deal", "D-1"), instruction=marks[3])
    ask_for_drafts(desk, [Ask("ended", request, "api", desk.clock(), created_by="user:U-1")])
    run_draft(desk, "ended")
    for version, mark in enumerate(marks[:2], start=1):
        decisions.edit(desk, "ended", BOSS, version=version, subject="Hello", body=f"{mark} " * 400)
    decisions.reject(desk, "ended", BOSS, version=None, reason=marks[0])
    said = {"raw": {"text": f"{marks[2]} " * 400}, "records": {}, "object": {"type": "deal", "id": "D-1"}}
    desk.events.add([EventRow("local", "evt-old", "deal.updated", "stored", desk.clock(), said)])
    desk.events.settle("local", "evt-old", "done", None)
    assert all(held(office, mark) for mark in marks)

    keep_no_longer(after(office, 31, drafts={"*": 30}, events=30, streams=30, audit={"*": 30}), "local")

    assert [(mark, held(office, mark)) for mark in marks if held(office, mark)] == []
    assert office.desk.audit.verify().problems == ()


def test_each_kind_has_its_own_days(office):
    for draft_id, kind in (("a", "meeting_brief"), ("b", "summary")):
        written(office.desk, draft_id, kind)
        decisions.reject(office.desk, draft_id, BOSS, version=None, reason=None)

    keep_no_longer(after(office, 50, drafts={"summary": 100, "*": 30}), "local")

    assert office.desk.drafts.get("a").document["body"] is None
    assert office.desk.drafts.get("b").document["body"]


def test_audits_personal_parts_go_by_kind_and_the_chain_verifies(office):
    written(office.desk, "a", "meeting_brief")
    rules = {"audit": {"draft.proposed": 90, "*": 365}}

    gone = keep_no_longer(after(office, 91, **rules), "local")

    assert gone == {"audit": 1}
    kept = {row.kind: row.personal is not None for row in office.desk.audit.rows(draft="a")}
    assert kept == {"draft.asked": True, "draft.proposed": False}
    assert keep_no_longer(after(office, 366, **rules), "local") == {"audit": 1}
    assert office.desk.audit.verify().problems == ()


def test_what_was_taken_out_stands_in_the_audit(office):
    written(office.desk, "a", "meeting_brief")
    decisions.reject(office.desk, "a", BOSS, version=None, reason=None)

    keep_no_longer(after(office, 31, drafts={"*": 30}, audit={"*": 30}), "local")

    told = [row for row in office.desk.audit.rows() if row.kind.startswith("retention.")]
    assert [row.kind for row in told][0] == "retention.applied"
    assert told[0].body["counts"]["drafts"] == 1
    assert {row.body["of"] for row in told[1:]} == {"draft.asked", "draft.proposed"}


def test_settled_event_keeps_that_it_came_and_stays_a_duplicate(office):
    desk = office.desk
    said = {"raw": {"name": "Marked Foods"}, "records": {}, "object": {"type": "deal", "id": "D-1"}}
    event = EventRow("local", "evt-old", "deal.updated", "stored", desk.clock(), said)
    assert desk.events.add([event]) == [True]
    desk.events.settle("local", "evt-old", "done", None)

    gone = keep_no_longer(after(office, 31, events=30), "local")

    (row,) = rows(office, events, events.c.id == "evt-old")
    assert gone == {"events": 1}
    assert row["document"]["object"] == {"type": "deal", "id": "D-1"}
    assert "Marked Foods" not in json.dumps(row["document"])
    assert desk.events.add([event]) == [False]
    assert keep_no_longer(after(office, 32, events=30), "local") == {}


def test_streams_go_and_other_connections_are_left_alone(office):
    written(office.desk, "a", "meeting_brief")
    assert rows(office, pieces)

    keep_no_longer(after(office, 8, streams=7), "acme")
    assert rows(office, pieces)
    keep_no_longer(after(office, 8, streams=7), "local")

    assert rows(office, pieces) == []


def test_without_rules_everything_stays(office):
    written(office.desk, "a", "meeting_brief")

    assert keep_no_longer(after(office, 9999), "local") == {}


def test_table_is_read_from_the_settings(tmp_path):
    (tmp_path / "crmplugin.toml").write_text(
        '[retention]\nevents = 90\ndrafts = 730\n[retention.audit]\n"draft.edited" = 365\n"*" = 1095\n'
    )
    environ = {"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml"), "CRMPLUGIN_VAR": str(tmp_path)}

    rules = load_settings(environ).retention

    assert (rules.events, rules.streams, dict(rules.drafts)) == (90, None, {"*": 730})
    assert dict(rules.audit) == {"draft.edited": 365, "*": 1095}


@pytest.mark.parametrize(
    ("row", "sentence"),
    [("events = 0", "expected days"), ("mails = 5", "is no setting"), ('drafts = "soon"', "expected a whole number")],
)
def test_wrong_row_is_named(tmp_path, row, sentence):
    (tmp_path / "crmplugin.toml").write_text(f"[retention]\n{row}\n")

    with pytest.raises(SettingsError, match=sentence):
        load_settings({"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml"), "CRMPLUGIN_VAR": str(tmp_path)})
