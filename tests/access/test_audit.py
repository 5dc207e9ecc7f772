"""The audit: every change to the chain is found, and a draft comes out again as it was."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update

from crmplugin.llm.scripted import replies, scripted_model
from crmplugin.store.audit import AuditLog, Entry
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.guard import writing
from crmplugin.store.persons import PersonSeals
from crmplugin.store.sealing import Seal
from crmplugin.store.tables_access import audit as table
from crmplugin.store.tables_access import audit_head
from tests.scenarios import world

NOW = datetime(2026, 3, 11, 11, 0, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


def log_over(engine: Engine) -> AuditLog:
    return AuditLog(engine, PersonSeals(Seal(lambda: ["1" * 64]), "pepper"), "signing key")


@pytest.fixture
def audit(engine: Engine) -> AuditLog:
    return log_over(engine)


def fill(audit: AuditLog, n: int = 6, **changes: Any) -> None:
    for i in range(n):
        given = {"personal": {"body": f"text {i}"}, "persons": ["C-1"]} | changes
        audit.add(Entry("draft.edited", NOW + timedelta(minutes=i), "user:U-1", "local", f"d{i}", {"n": i}, **given))
    audit.seal_chain()


def test_untouched_chain_is_good_and_says_its_head(audit):
    fill(audit)

    verdict = audit.verify()

    assert (verdict.rows, verdict.problems) == (6, ())
    assert verdict.head.startswith("6:")
    assert audit.verify(verdict.head).problems == ()


def change(engine: Engine, *statements: Any) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


SWAP = [
    "UPDATE audit SET seq = 100 WHERE seq = 3",
    "UPDATE audit SET seq = 3 WHERE seq = 4",
    "UPDATE audit SET seq = 4 WHERE seq = 100",
]
TAMPERING: dict[str, list[Any]] = {
    "a body": [update(table).where(table.c.seq == 3).values(body='{"n":99}')],
    "who": [update(table).where(table.c.seq == 3).values(by="user:U-9")],
    "when": [update(table).where(table.c.seq == 3).values(at=NOW + timedelta(days=1))],
    "kind": [update(table).where(table.c.seq == 3).values(kind="draft.rejected")],
    "connection": [update(table).where(table.c.seq == 3).values(connection="acme")],
    "draft": [update(table).where(table.c.seq == 3).values(draft="other")],
    "whose keys": [update(table).where(table.c.seq == 3).values(key_ids="[7]")],
    "personal part": [update(table).where(table.c.seq == 3).values(sealed="gAAAA")],
    "personal part taken out": [update(table).where(table.c.seq == 3).values(sealed=None)],
    "its hash": [update(table).where(table.c.seq == 3).values(hash="0" * 64)],
    "a row removed": [table.delete().where(table.c.seq == 3)],
    "the first removed": [table.delete().where(table.c.seq == 1)],
    "the last removed": [table.delete().where(table.c.seq == 6)],
    "the last three removed": [table.delete().where(table.c.seq > 3)],
    "two rows swapped": [text(line) for line in SWAP],
    "all removed": [table.delete()],
    "the head removed": [audit_head.delete()],
    "the head moved back": [table.delete().where(table.c.seq == 6), update(audit_head).values(seq=5)],
    "the head signed by hand": [update(audit_head).values(signature="0" * 64)],
}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_found(audit, engine, what):
    fill(audit)

    change(engine, *TAMPERING[what])

    assert audit.verify().problems != ()


def test_row_that_was_put_in_by_hand_is_found(audit, engine):
    fill(audit)
    values = {"at": NOW, "kind": "draft.approved", "by": "user:U-1", "body": "{}", "key_ids": "[]", "mac": "0" * 64}

    change(engine, table.insert().values(**values))

    assert "row 7 (draft.approved" in audit.verify().problems[0]


def test_chain_that_was_written_anew_is_found(audit, engine):
    fill(audit)
    forger = AuditLog(engine, PersonSeals(Seal(lambda: ["2" * 64]), "x"), "another key")
    change(engine, table.delete(), audit_head.delete())
    fill(forger, 6)

    assert any("not signed with this installation's key" in problem for problem in audit.verify().problems)


def test_head_that_was_noted_down_shows_a_chain_put_back(audit, engine):
    fill(audit, 3)
    with engine.connect() as connection:
        old = connection.execute(select(audit_head)).one()
    fill(audit, 3)
    noted = audit.verify().head

    change(engine, table.delete().where(table.c.seq > 3), update(audit_head).values(**old._mapping))

    assert audit.verify().problems == ()  # the old end was genuine once
    assert "that was noted is not in the chain" in audit.verify(noted).problems[0]


def test_many_threads_and_two_logs_make_one_chain(engine):
    logs = [log_over(engine), log_over(engine)]

    def work(n: int) -> None:
        for i in range(10):
            logs[n % 2].add(
                Entry("draft.edited", NOW, f"user:{n}", "local", f"{n}-{i}", {"i": i}, {"t": 1}, [f"C-{i % 3}"])
            )
            logs[n % 2].seal_chain()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (logs[0].verify().rows, logs[0].verify().problems) == (60, ())
    mine = [row.body["i"] for row in logs[0].rows() if row.by == "user:3"]
    assert mine == list(range(10))


def test_row_of_a_change_that_was_not_made_is_not_there(audit, engine):
    def fail_halfway() -> None:
        with writing(engine) as connection:
            audit.add_in(connection, Entry("draft.edited", NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()

    assert audit.verify().rows == 0


def test_erased_person_cannot_be_read_and_the_chain_holds(audit, engine):
    fill(audit, 2, persons=["C-1", "C-2"])
    fill(audit, 2, persons=["C-2"])
    with writing(engine) as connection:
        rows = audit.forget_person(connection, "local", "C-1", [])
        audit.add_in(connection, Entry("person.erased", NOW, body={"rows": [[rows[0], rows[-1]]]}))

    assert audit.verify().problems == ()
    assert [row.personal for row in audit.rows() if row.kind == "draft.edited"] == [
        None, None, {"body": "text 0"}, {"body": "text 1"}
    ]  # fmt: skip


def test_key_alone_destroyed_makes_it_unreadable(audit, engine):
    fill(audit, 1)
    change(engine, text("DELETE FROM person_keys"))

    (row,) = audit.rows()
    assert (row.personal, row.gone) == (None, True)


def test_personal_parts_are_kept_as_long_as_was_said(audit):
    fill(audit, 6)

    dropped = audit.drop_older("draft.edited", NOW + timedelta(minutes=3), at=NOW + timedelta(days=1))

    assert dropped == 3
    assert audit.verify().problems == ()
    assert [row.personal is not None for row in audit.rows()] == [False, False, False, True, True, True, False]


def test_personal_parts_are_not_readable_in_the_database(audit, engine):
    fill(audit, 1, personal={"body": "marker of a text"})

    with engine.connect() as connection:
        row = connection.execute(select(table)).one()

    assert "marker" not in str(row._mapping)


@pytest.fixture
def drafted(crmplugin: Callable[..., Any], tmp_path, monkeypatch) -> Iterator[Any]:
    """A server's desk with one proposed draft by the template writer, and its id."""
    from crmplugin.domain.brief import Request
    from crmplugin.domain.crm import Subject
    from crmplugin.journeys.ask import Ask, ask_for_drafts
    from crmplugin.journeys.run_draft import run_draft
    from crmplugin.settings import load_settings
    from crmplugin.wiring import Assistant
    from crmplugin.work.office import Office
    from tests.web.conftest import RECORDS, documents

    office = Office(Assistant(load_settings(os.environ)), work=False, take=False)
    office.desk.records.upsert_many("local", documents({k: v for k, v in RECORDS.items() if k != "tickets"}))
    request = Request("local", "meeting_brief", Subject("deal", "D-1"))
    ask = Ask("draft-1", request, "api", office.desk.clock(), created_by="user:U-1", owner_id="U-1")
    ask_for_drafts(office.desk, [ask])
    run_draft(office.desk, "draft-1")
    yield office.desk
    office.close()


def test_draft_comes_out_again_to_the_byte(drafted, crmplugin):
    kept = drafted.drafts.get("draft-1")

    answer = crmplugin("audit", "replay", "draft-1", "--json")

    assert answer.code == 0
    assert answer.json["same"] is True
    assert (answer.json["subject"], answer.json["body"]) == (kept.document["subject"], kept.document["body"])


def test_draft_comes_out_again_after_its_records_changed(drafted, crmplugin):
    from tests.web.conftest import documents

    drafted.records.upsert_many(
        "local", documents({"deals": [{"id": "D-1", "name": "Something else", "amount": "1.00"}]})
    )

    assert crmplugin("audit", "replay", "draft-1").code == 0


def test_audit_tells_the_whole_story_of_a_draft(drafted, crmplugin):
    from crmplugin.journeys import approve as decisions
    from crmplugin.store.access import Principal

    boss = Principal("user:U-9", "manager")
    row = drafted.drafts.get("draft-1")
    assert row.status == "proposed", row.document["decision"]
    decisions.edit(drafted, "draft-1", boss, version=1, subject="Quick check", body="Hello.\nA wild 77 % claim.")
    decisions.approve(drafted, "draft-1", boss, override_reason="the customer told me on the phone")

    rows = crmplugin("audit", "show", "draft-1", "--personal", "--json").json["items"]

    assert [row["kind"] for row in rows] == ["draft.asked", "draft.proposed", "draft.edited", "draft.approved"]
    proposed, edited, approved = rows[1:]
    assert proposed["body"]["writer"] == "template"
    assert set(proposed["body"]["versions"]) == {"program", "words"}
    assert proposed["personal"]["kept"]["answers"]["brief"][0]["value"]["facts"]
    assert "wild 77 %" in edited["personal"]["body"]
    assert (approved["by"], approved["body"]["override"]) == ("user:U-9", True)
    assert approved["personal"] == {"reason": "the customer told me on the phone"}
    assert crmplugin("audit", "verify").code == 0
    assert "wild" not in crmplugin("audit", "show", "draft-1", "--json").out
    assert len(crmplugin("audit", "export").out.splitlines()) == 4


def test_verify_command_says_what_is_wrong(drafted, crmplugin):
    assert crmplugin("audit", "verify", "--json").json["good"] is True
    engine = open_engine(drafted.settings.database_url)
    change(engine, update(table).where(table.c.seq == 1).values(by="user:U-2"))
    engine.dispose()

    answer = crmplugin("audit", "verify")

    assert answer.code == 1
    assert "MEND row 1 (draft.asked" in answer.out


SCENARIOS = {
    "conflicting amounts": (world.CONFLICTING_AMOUNTS, ["follow_up", "--deal", "D-1"]),
    "expired quote": (world.EXPIRED_QUOTE, ["follow_up", "--deal", "D-2"]),
    "severe ticket": (world.SEVERE_TICKET, ["pitch", "--deal", "D-4", "--to", "C-5", "--channel", "email"]),
    "note": (world.CONFLICTING_AMOUNTS, ["negotiation_note", "--deal", "D-1"]),
    "qualification": (world.CONFLICTING_AMOUNTS, ["qualification", "--deal", "D-1"]),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_template_writers_draft_is_replayed_to_the_byte(crmplugin, tmp_path, scenario):
    made = made_by_command(crmplugin, tmp_path, *SCENARIOS[scenario])

    answer = crmplugin("audit", "replay", made["id"], "--json").json

    assert answer["same"], answer
    assert (answer["body"], answer["changed"]) == (made["body"], [])


@pytest.mark.parametrize(
    "lines",
    [
        ["subject\tQ-118.number\tQ-118: calibration certificates",
         "context\tA-31.question1\tYou asked whether the price includes calibration certificates.",
         "claim\t\tBergmann Anlagen uses the same meters.", "ask\t\tDoes that settle your question?"],
        ["I am sorry, I cannot help with that."],
    ],
    ids=["a name that is not theirs", "unusable"],
)  # fmt: skip
def test_models_draft_is_replayed_without_the_model(crmplugin, tmp_path, monkeypatch, lines):
    with scripted_model(replies("\n".join(lines))) as model:
        for name, value in model.environment.items():
            monkeypatch.setenv(name, value)
        made = made_by_command(crmplugin, tmp_path, *SCENARIOS["conflicting amounts"])
        asked = len(model.requests)

        answer = crmplugin("audit", "replay", made["id"], "--json").json

        assert len(model.requests) == asked
    assert answer["same"], answer
    assert answer["body"] == made["body"]


def made_by_command(crmplugin, tmp_path, records, args) -> dict[str, Any]:
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records), "utf-8")
    assert crmplugin("import", str(path)).code == 0
    made: dict[str, Any] = crmplugin("draft", *args, "--as-of", world.TODAY, "--json").json
    return made
