"""A person who was erased is nowhere: not in the database's files, not in the jobs, not in the audit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Text, cast, select

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotFound, StateConflict
from crmplugin.journeys import approve as decisions
from crmplugin.journeys.ask import Ask, ask_for_drafts, start_draft
from crmplugin.journeys.audit import replay_draft
from crmplugin.journeys.erase import erase_person
from crmplugin.llm.scripted import replies, scripted_model
from crmplugin.settings import load_settings
from crmplugin.store.access import Principal
from crmplugin.store.database import metadata
from crmplugin.store.scrub import LEFT_ALONE, VIA, Marks, scrubbed_tables
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.scenarios import world
from tests.web.conftest import documents, make_event, wait_until

BOSS = Principal("user:U-9", "manager")
EMAIL, PHONE, LAST, STREET = "quill.vanterpool@lotus.example", "+49 30 5557731", "Vanterpool", "Zypressenweg 4711"
SECRET_WISH, SECRET_REASON = "mention her Heron tattoo", "she told me about the Heron"
MARKERS = [EMAIL, "5557731", LAST, STREET, "Heron"]
PERSON = {
    "id": "C-77", "company_id": "CO-1", "first_name": "Quill", "last_name": LAST, "email": EMAIL, "phone": PHONE,
    "postal_address": STREET, "language": "en", "status": "active",
    "consent": {"email": {"state": "granted", "basis": "consent", "at": "2026-01-01T09:00:00Z"}},
}  # fmt: skip
RECORDS: dict[str, Any] = {
    **world.CONFLICTING_AMOUNTS,
    "contacts": [*world.CONFLICTING_AMOUNTS["contacts"], PERSON],
    "activities": [
        *world.CONFLICTING_AMOUNTS["activities"],
        {"id": "A-90", "type": "email", "direction": "inbound", "at": "2026-03-09T09:00:00Z", "deal_id": "D-1",
         "company_id": "CO-1", "contact_ids": ["C-77"], "subject": "About the Heron", "body": "Is the kit in stock?"},
        {"id": "A-91", "type": "note", "direction": "internal", "at": "2026-03-09T10:00:00Z", "deal_id": "D-1",
         "company_id": "CO-1", "user_id": "U-1", "body": f"Quill {LAST} ({EMAIL}) wants a call."},
        {"id": "A-92", "type": "meeting", "direction": "outbound", "at": "2026-03-08T10:00:00Z", "deal_id": "D-1",
         "company_id": "CO-1", "contact_ids": ["C-77", "C-1"], "body": "Both were there."},
    ],
}  # fmt: skip


def documents_of(records: dict[str, Any]) -> list[tuple[str, Any]]:
    return documents({name: part for name, part in records.items() if name != "format"})


@pytest.fixture
def office(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A server with a model, whose answers the jobs remember."""
    with scripted_model(replies(f"subject\t\tHello\ncontext\t\tDear Quill {LAST}, the Heron asks.")) as model:
        for name, value in model.environment.items():
            monkeypatch.setenv(name, value)
        opened = Office(Assistant(load_settings(os.environ)))
        opened.desk.records.upsert_many("local", documents_of(RECORDS))
        yield opened
        opened.close()


@pytest.fixture
def busy(office: Office) -> Office:
    """A server at which all that can happen to somebody has happened: events, drafts, edits, decisions, a model."""
    desk = office.desk
    about_her = {"type": "contact", "id": "C-77"}
    take(office, make_event("evt-1", object=about_her, type="contact.changed", records={"contacts": [PERSON]}))
    take(office, make_event("evt-2", object={"type": "activity", "id": "A-90"}, type="message.received"))
    wait_until(lambda: {state_of(office, "evt-1"), state_of(office, "evt-2")} <= {"done", "ignored"}, 60)
    her, deal = Subject("contact", "C-77"), Subject("deal", "D-1")
    wishes = {
        "to-her": Request("local", "follow_up", deal, to_contact_id="C-77", instruction=SECRET_WISH),
        "other": Request("local", "follow_up", deal, instruction=SECRET_WISH),
        "note": Request("local", "meeting_brief", her),
    }
    for draft_id, request in wishes.items():
        ask_for_drafts(desk, [Ask(draft_id, request, "api", desk.clock(), created_by="user:U-1")])
        start_draft(desk, draft_id, connection="local", priority=1)
    wait_until(lambda: not desk.drafts.waiting(["writing"], before=desk.clock()), 60)
    proposed = [row for row in desk.drafts.list().items if row.status == "proposed"]
    assert proposed
    for row in proposed:
        decisions.edit(desk, row.id, BOSS, version=1, subject="Hello", body=f"Dear Quill {LAST}.\nThe Heron is here.")
    decisions.reject(desk, proposed[0].id, BOSS, version=None, reason=SECRET_REASON)
    return office


def take(office: Office, event: dict[str, Any]) -> None:
    reading = office.desk.connector("local").read_events(json.dumps(event).encode(), received_at=datetime.now(UTC))
    office.desk.intake.take(reading.events)


def state_of(office: Office, event_id: str) -> str | None:
    row = office.desk.events.find("local", event_id)
    return row.state if row else None


def held(office: Office, marker: str) -> list[str]:
    """Where a text stands: files of the installation, or columns of PostgreSQL."""
    if office._house.engine.dialect.name == "sqlite":
        files = [p for p in office.desk.settings.var.rglob("*") if p.is_file()]
        return [p.name for p in files if marker.encode() in p.read_bytes()]
    found = []
    with office._house.engine.connect() as db:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if db.execute(select(table).where(cast(column, Text).contains(marker)).limit(1)).first():
                    found.append(f"{table.name}.{column.name}")
        for name in ("workflow_status", "operation_outputs"):
            rows = db.exec_driver_sql(f"SELECT CAST(t AS text) FROM dbos.{name} t").scalars()
            found += [name for row in rows if marker in row]
    return found


def test_before_it_is_erased_it_is_there(busy):
    """The test below could not fail otherwise."""
    assert all(held(busy, marker) for marker in MARKERS)


def test_erased_person_is_nowhere(busy):
    done = erase_person(busy.desk, "local", "C-77", by="admin")

    assert done.known
    assert all(done.counts.get(name) for name in ("records", "drafts", "events", "jobs", "audit", "suppressions"))
    assert [(marker, held(busy, marker)) for marker in MARKERS if held(busy, marker)] == []


def test_what_is_not_theirs_stays(busy):
    erase_person(busy.desk, "local", "C-77", by="admin")

    records = busy.desk.records
    assert records.read_one("local", "contacts", "C-77") is None
    assert records.read_doc("local", "activities", "A-90") is None
    assert records.read_doc("local", "activities", "A-91")["body"] == "[erased] ([erased]) wants a call."
    assert records.read_doc("local", "activities", "A-92")["contact_ids"] == ["C-1"]
    assert records.read_one("local", "contacts", "C-1").email == "dana.reyes@orbis.example"
    assert records.read_one("local", "deals", "D-1") is not None


def test_drafts_about_them_come_to_their_end(busy):
    erase_person(busy.desk, "local", "C-77", by="admin")

    row = busy.desk.drafts.get("note")
    assert row.status not in ("proposed", "writing", "approved", "scheduled")
    assert (row.document["body"], row.document["facts"], row.request.get("instruction")) == (None, [], None)
    assert busy.desk.drafts.versions("note") == ()


def test_audit_still_verifies_and_says_that_somebody_was_erased(busy, crmplugin):
    erase_person(busy.desk, "local", "C-77", by="admin")

    audit = busy._house.audit
    assert audit.verify().problems == ()
    (row,) = audit.rows(kinds=["person.erased"])
    assert row.by == "admin"
    assert "C-77" not in json.dumps(dict(row.body))
    with pytest.raises(StateConflict, match="a person was erased"):
        replay_draft("note", audit=audit, tools=busy.desk.tools)


def test_erasing_again_changes_nothing(busy):
    erase_person(busy.desk, "local", "C-77", by="admin")

    before = busy.desk.drafts.get("note").document
    again = erase_person(busy.desk, "local", "C-77", by="admin")

    assert not again.known
    assert set(again.counts) <= {"drafts", "events"}  # they are found by the id, and blank already
    assert busy.desk.drafts.get("note").document == before


def test_address_stays_suppressed_when_the_person_comes_back(busy):
    from crmplugin.journeys.draft import make_brief

    erase_person(busy.desk, "local", "C-77", by="admin")
    busy.desk.records.upsert_many("local", documents({"contacts": [PERSON | {"id": "C-78", "email": EMAIL.upper()}]}))

    request = Request("local", "pitch", Subject("deal", "D-1"), to_contact_id="C-78", channel="email")
    brief = make_brief(request, tools=busy.desk.tools("local"), now=datetime(2026, 3, 11, 11, tzinfo=UTC))

    assert "opted_out:email" in [gate.code for gate in brief.gates]


def test_same_id_on_another_connection_is_left_alone(office):
    other = {"contacts": [PERSON | {"last_name": "Elsewhere", "email": "x@y.example"}]}
    office.desk.records.upsert_many("acme", documents(other))

    erase_person(office.desk, "local", "C-77", by="admin")

    assert office.desk.records.read_one("acme", "contacts", "C-77").last_name == "Elsewhere"


def test_person_under_legal_hold_is_not_erased(office):
    office.desk.records.upsert_many("local", documents({"contacts": [{"id": "C-77", "legal_hold": "lawsuit 12/26"}]}))

    with pytest.raises(StateConflict, match="legal hold"):
        erase_person(office.desk, "local", "C-77", by="admin")

    assert office.desk.records.read_one("local", "contacts", "C-77") is not None
    assert erase_person(office.desk, "local", "C-77", by="admin", despite_hold=True).known


def test_privacy_event_of_the_crm_erases(office):
    take(office, make_event("evt-gone", type="contact.erased", object={"type": "contact", "id": "C-77"}))

    wait_until(lambda: state_of(office, "evt-gone") == "done", 60)

    assert office.desk.records.read_one("local", "contacts", "C-77") is None
    assert held(office, EMAIL) == []


def test_erase_command(office, crmplugin):
    office.close()

    answer = crmplugin("erase", "--contact", "C-77", "--json")

    assert (answer.code, answer.json["known"]) == (0, True)
    assert crmplugin("erase", "--connection", "nobody", "--contact", "C-77").code == 1
    assert crmplugin("export", "--contact", "C-77").code == 1


def test_every_table_is_looked_through_or_named_with_a_reason():
    looked = {table.name for table in scrubbed_tables()}

    assert looked | set(LEFT_ALONE) == set(metadata.tables)
    for table in scrubbed_tables():
        assert "connection" in table.c or set(VIA) & set(table.c.keys()), f"{table.name}: say in VIA whose its rows are"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Quill Vanterpool called", "[erased] called"),
        ("VANTERPOOL called", "[erased] called"),
        ("Vanterpoolstraße 1", "Vanterpoolstraße 1"),
        ('{"a": "M\\u00fcller"}', '{"a": "[erased]"}'),
    ],
)
def test_marks_are_words_of_their_own(text, clean):
    assert Marks(["Quill Vanterpool", "Vanterpool", "Müller"]).out_of(text) == clean


def test_export_of_a_person_is_complete(busy, crmplugin):
    document = crmplugin("export", "--contact", "C-77").json

    assert [contact["id"] for contact in document["contacts"]] == ["C-77"]
    assert {"A-90", "A-92"} <= {activity["id"] for activity in document["activities"]}
    assert "note" in {draft["id"] for draft in document["x_drafts"]}
    assert any(version["body"] and "Heron" in version["body"] for version in document["x_versions"])
    assert {piece["draft"] for piece in document["x_streams"]} >= {"note"}
    told = [row for row in document["x_audit"] if row["kind"] == "draft.edited"]
    assert any("Heron" in row["personal"]["body"] for row in told)
    assert {row["draft"] for row in document["x_audit"]} >= {"note"}


def test_unknown_contact_is_not_found_by_export(office, crmplugin):
    with pytest.raises(NotFound):
        office.desk.records.read_context("local", Subject("contact", "C-404"))
