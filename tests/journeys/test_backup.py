"""Backups: what cannot be trusted is refused, what comes back is what was there, nothing is lost or doubled."""

from __future__ import annotations

import json
import random
import resource
import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crmplugin.cli.serve import hold_locks
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.records import check_record
from crmplugin.errors import CrmPluginError, StateConflict, StoreError, UsageError
from crmplugin.journeys.approve import approve
from crmplugin.journeys.ask import Ask, ask_for_drafts, blank_draft
from crmplugin.journeys.backup import back_up, check_backup, look_at, restore
from crmplugin.journeys.present import to_json
from crmplugin.settings import Settings
from crmplugin.store.archive import ArchiveReader, ArchiveWriter
from crmplugin.store.backup import open_loader, open_snapshot
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.inbox import Entry, Inbox
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.web.conftest import RECORDS, documents, wait_until
from tests.work.conftest import ADMIN, FakeCrm, HouseWithFakeCrm

NOW = datetime(2026, 3, 11, 11, 0, tzinfo=UTC)


def fill(settings: Settings) -> None:
    assistant = Assistant(settings)
    assistant.records.upsert_many("local", documents(RECORDS))
    assistant.close()


def lines_of(settings: Settings) -> dict[str, list[bytes]]:
    """All rows of all tables."""
    with open_snapshot(settings.database_url) as snapshot:
        return {name: sorted(snapshot.lines(name)) for name in snapshot.tables}


@contextmanager
def office_of(settings: Settings, crm: Any = None, **options: Any) -> Iterator[Office]:
    house = Assistant(settings) if crm is None else HouseWithFakeCrm(settings)
    if crm is not None:
        house.crm = crm
    office = Office(house, **options)
    try:
        yield office
    finally:
        office.close()


def rewrite(path: Path, target: Path, **changes: Any) -> Path:
    """The same backup with another manifest, sealed again."""
    with ArchiveReader(path) as old, ArchiveWriter(target) as new:
        for entry in (*old.manifest["tables"], old.manifest["inbox"]):
            new.add_lines(entry["file"], old.lines(entry["file"]))
        for entry in old.manifest["secrets"]:
            new.add(f"secrets/{entry['name']}", old.read(f"secrets/{entry['name']}"))
        new.seal(old.manifest | changes)
    return target


@pytest.fixture
def home(make_home) -> Settings:
    settings = make_home()
    fill(settings)
    return settings


@pytest.fixture
def backup(home, tmp_path) -> Path:
    back_up(home, tmp_path / "b.zip")
    return tmp_path / "b.zip"


def test_target_in_a_folder_that_is_not_there_is_refused(home, tmp_path):
    with pytest.raises(UsageError, match="no backup was made"):
        back_up(home, tmp_path / "nowhere" / "b.zip")


def test_full_disk_leaves_the_earlier_backup_and_nothing_else(home, tmp_path, backup):
    before = backup.read_bytes()
    assistant = Assistant(home)
    noise = random.Random(1).randbytes(200_000).hex()
    assistant.records.upsert_many("local", [("companies", {"id": "CO-9", "name": "Noise", "x_noise": noise})])
    assistant.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(UsageError, match="cannot be written"):
            back_up(home, backup)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert backup.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".b.zip")] == []


def test_file_that_is_no_backup_is_not_overwritten(home, tmp_path):
    (tmp_path / "crmplugin.toml").write_text("port = 1")

    with pytest.raises(UsageError, match="give another name"):
        back_up(home, tmp_path / "crmplugin.toml")

    assert (tmp_path / "crmplugin.toml").read_text() == "port = 1"


def test_earlier_backup_of_that_name_is_replaced(home, backup):
    fill(home)

    assert back_up(home, backup).tables["records"] == 7


def test_nothing_to_back_up_is_said(make_home, tmp_path):
    with pytest.raises(UsageError, match="does not exist|has no tables"):
        back_up(make_home("empty"), tmp_path / "b.zip")


@pytest.mark.parametrize(
    "content", [b"", b"not a zip at all", b"PK\x05\x06" + b"\0" * 18], ids=["empty", "text", "zip"]
)
def test_wrong_file_is_refused(make_home, tmp_path, content):
    (tmp_path / "wrong.zip").write_bytes(content)

    with pytest.raises(UsageError, match="is no backup of crmplugin"):
        restore(make_home("other"), tmp_path / "wrong.zip", now=NOW)


def test_missing_file_is_refused(make_home, tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        restore(make_home("other"), tmp_path / "none.zip", now=NOW)


@pytest.mark.parametrize("place", [0.0, 0.01, 0.3, 0.5, 0.7, 0.95, 0.99999])
def test_altered_byte_is_refused(make_home, backup, place):
    data = bytearray(backup.read_bytes())
    data[int(len(data) * place)] ^= 1
    backup.write_bytes(data)

    with pytest.raises(UsageError):
        restore(make_home("other"), backup, now=NOW)


@pytest.mark.parametrize("kept", [0.1, 0.9, 0.999])
def test_truncated_file_is_refused(make_home, backup, kept):
    backup.write_bytes(backup.read_bytes()[: int(backup.stat().st_size * kept)])
    other = make_home("other")

    with pytest.raises(UsageError, match="its end is missing"):
        restore(other, backup, now=NOW)

    assert not (other.var / "crmplugin.sqlite").exists()


def test_backup_of_a_newer_schema_is_refused_with_a_sentence(make_home, backup, tmp_path):
    newer = rewrite(backup, tmp_path / "newer.zip", revision="9999", version="7.0.0")

    with pytest.raises(UsageError, match=r"made by crmplugin 7.0.0.*schema 9999.*install the newer version"):
        restore(make_home("other"), newer, now=NOW)


def test_table_that_differs_from_its_hash_is_refused_and_nothing_changed(make_home, backup, tmp_path):
    with ArchiveReader(backup) as archive:
        tables = [{**t, "sha256": "0" * 64} if t["name"] == "names" else t for t in archive.manifest["tables"]]
    wrong = rewrite(backup, tmp_path / "wrong.zip", tables=tables)

    with pytest.raises(StoreError, match="names.jsonl differs"):
        check_backup(wrong)


def test_running_server_is_not_restored_over(crmplugin, backup, tmp_path, monkeypatch, home, postgres_folder):
    monkeypatch.setenv("CRMPLUGIN_VAR", str(home.var))
    monkeypatch.setenv("CRMPLUGIN_DATABASE_URL", home.database_url)
    engine = open_engine(home.database_url)

    with hold_locks(home, ["serve", "work"]), engine.connect():
        answer = crmplugin("restore", backup)
    engine.dispose()

    assert answer.code == 1
    assert "crmplugin already runs on the files" in answer.err or "crmplugin runs on this database" in answer.err


def test_somebody_who_writes_keeps_a_restore_away(make_home, backup):
    other = make_home("other", database="sqlite")
    fill(other)
    engine = open_engine(other.database_url)

    with engine.connect() as db:
        db.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StateConflict, match="somebody is writing into"):
            restore(other, backup, now=NOW)
    engine.dispose()


def test_postgresql_that_is_not_empty_is_refused_and_stays(make_home, backup):
    other = make_home("other", database="postgresql")
    fill(other)
    before = lines_of(other)

    with pytest.raises(StateConflict, match=r"not empty .*restore into a new one"):
        restore(other, backup, now=NOW)

    assert lines_of(other) == before


def test_files_of_before_are_moved_aside(make_home, backup):
    other = make_home("other", database="sqlite")
    fill(other)
    before = lines_of(other)

    report = restore(other, backup, now=NOW)

    assert report.aside == other.var / "before-restore-20260311T110000Z"
    shutil.copytree(report.aside, other.var.parent / "again")
    assert lines_of(make_home("again", database="sqlite")) == before


def test_restore_that_is_cut_off_is_refused_to_everybody_until_done_again(make_home, backup, monkeypatch):
    other = make_home("other", database="sqlite")
    fill(other)
    calls, move = count(), shutil.move

    def move_twice(source, target):
        if next(calls) == 2:
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(shutil, "move", move_twice)
    with pytest.raises(KeyboardInterrupt):
        restore(other, backup, now=NOW)
    monkeypatch.undo()

    with pytest.raises(StoreError, match="was cut off: run the same `crmplugin restore FILE` again"):
        Assistant(other)
    report = restore(other, backup, now=datetime(2026, 3, 12, tzinfo=UTC))
    assert report.aside == other.var / "before-restore-20260311T110000Z"
    assert len(lines_of(other)["records"]) == 7


def test_everything_comes_back(make_home, home, backup):
    other = make_home("other")

    report = restore(other, backup, now=NOW)

    assert lines_of(other) == lines_of(home)
    assert report.aside is None
    assert report.backup.tables["records"] == 7


@pytest.mark.parametrize(("old", "new"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_backup_of_one_database_restores_on_the_other(make_home, tmp_path, old, new):
    source, target = make_home("old", database=old), make_home("new", database=new)
    fill(source)

    back_up(source, tmp_path / "move.zip")
    restore(target, tmp_path / "move.zip", now=NOW)

    assert lines_of(target) == lines_of(source)


def test_restored_postgresql_goes_on_counting(make_home, home, backup):
    other = make_home("other", database="postgresql")
    with office_of(home, work=False) as office:
        draft_id = propose(office)
    back_up(home, backup)
    restore(other, backup, now=NOW)

    with office_of(other, work=False) as office:
        approve(office.desk, draft_id, ADMIN)

        assert [m.new for m in office.desk.drafts.moves(draft_id)] == ["writing", "proposed", "approved"]


def test_secrets_come_back_for_their_owner_alone(make_home, home, backup):
    other = make_home("other")
    made = (other.var / "signing.key").read_text()

    report = restore(other, backup, now=NOW)

    assert report.backup.secrets == ("local-webhook.secret", "signing.key")
    assert (other.var / "signing.key").read_text() == (home.var / "signing.key").read_text() != made
    assert (other.var / "signing.key").stat().st_mode & 0o777 == 0o600
    assert backup.stat().st_mode & 0o777 == 0o600


def test_backup_opens_with_any_zip_tool(backup):
    with zipfile.ZipFile(backup) as archive:
        assert json.loads(archive.read("manifest.json"))["format"] == "crmplugin-backup/1"
        assert archive.testzip() is None


def test_backup_of_an_older_schema_is_migrated_forward(make_home, tmp_path):
    old, other = make_home("old"), make_home("other")
    engine = open_engine(old.database_url)
    migrate(engine, "0001")
    engine.dispose()
    row = b'["local","deals","D-1","{\\"id\\":\\"D-1\\"}",null,"D-1",null,null,null,"","2026-03-01T00:00:00.000000Z"]'
    columns = ("connection", "collection", "id", "doc", "company_id", "deal_id", "ticket_id", "product_id", "source")
    add_row(old.database_url, "records", (*columns, "at", "changed_at"), row)

    assert back_up(old, tmp_path / "old.zip").revision == "0001"
    restore(other, tmp_path / "old.zip", now=NOW)

    with office_of(other, work=False) as office:
        assert office.desk.records.read_doc("local", "deals", "D-1") == {"id": "D-1"}
        assert office.desk.events.list().items == ()


def add_row(url: str, table: str, columns: tuple[str, ...], line: bytes) -> None:
    engine = open_engine(url)
    names = ", ".join(columns)
    values = ", ".join(f":{c}" for c in columns)
    with engine.begin() as db:
        db.execute(
            text(f"INSERT INTO {table} ({names}) VALUES ({values})"), dict(zip(columns, json.loads(line), strict=True))
        )
    engine.dispose()


def test_loader_refuses_a_column_that_the_schema_does_not_have(make_home):
    with (
        pytest.raises(UsageError, match="does not know"),
        open_loader(make_home("other").database_url, "0001") as loader,
    ):
        loader.load("records", ("connection", "colour"), [])


def test_backup_while_others_write_sees_one_moment(make_home, home, tmp_path):
    assistant = Assistant(home)
    ended = threading.Event()

    def write() -> None:
        n = 0
        while not ended.is_set():
            pair = [("companies", {"id": f"X-{n}-{side}", "name": "Pair"}) for side in "ab"]
            assistant.records.upsert_many("local", [(c, check_record(c, doc)) for c, doc in pair])
            n += 1

    thread = threading.Thread(target=write)
    thread.start()
    reports = [back_up(home, tmp_path / "b.zip") for _ in range(5)]
    ended.set()
    thread.join()
    assistant.close()

    assert [r.tables["records"] % 2 for r in reports] == [1] * 5
    assert reports[0].tables["records"] < reports[-1].tables["records"]
    other = make_home("other")
    restore(other, tmp_path / "b.zip", now=NOW)
    assert len(lines_of(other)["records"]) == reports[-1].tables["records"]


def event(id_: str = "evt-1") -> Event:
    object_ = ObjectRef("deal", "D-1")
    return Event(connection="local", id=id_, type="deal.created", at=NOW, object=object_, received_at=NOW)


def propose(office: Office) -> str:
    """A draft that waits for a person; gives back its id."""
    asked = Ask("draft-1", Request("local", "follow_up", Subject("deal", "D-1"), channel="email"), "api", NOW)
    ask_for_drafts(office.desk, [asked])
    sentence = {"text": "Your quote is ready.", "role": "claim", "evidence": [], "verdict": "supported"}
    document = to_json(blank_draft(asked)) | {"body": "Your quote is ready.", "sentences": [sentence]}
    office.desk.drafts.move("draft-1", "proposed", at=NOW, document=document)
    return "draft-1"


def test_event_that_was_being_worked_on_is_done_after_the_restore_and_known_for_ever(make_home, home, tmp_path):
    with office_of(home, work=False) as office:
        office.desk.intake.take([event()])
        wait_until(lambda: office.desk.events.find("local", "evt-1"))
        office.desk.events.start("local", "evt-1")
    back_up(home, tmp_path / "b.zip")
    other = make_home("other")
    restore(other, tmp_path / "b.zip", now=NOW)

    with office_of(other) as office:
        row = wait_until(lambda: next((e for e in office.desk.events.list().items if e.state == "done"), None))
        made = office.desk.drafts.of_event("local", "evt-1")

        assert (row.id, len(made)) == ("evt-1", 2)
        assert office.desk.intake.take([event()]) == [False]


def test_event_that_was_only_in_the_inbox_is_not_lost(make_home, tmp_path):
    home, other = make_home(database="sqlite"), make_home("other", database="sqlite")
    fill(home)
    inbox = Inbox(home.var / "inbox.sqlite")
    document = {"type": "deal.created", "at": NOW.isoformat(), "object": {"type": "deal", "id": "D-1"}}
    inbox.put([Entry("local", "evt-1", NOW, document)])
    inbox.close()

    assert back_up(home, tmp_path / "b.zip").waiting == 1
    restore(other, tmp_path / "b.zip", now=NOW)

    with office_of(other) as office:
        assert wait_until(lambda: [e for e in office.desk.events.list().items if e.state == "done"])


def test_events_in_an_inbox_are_not_left_behind_for_postgresql(make_home, tmp_path):
    home = make_home(database="sqlite")
    fill(home)
    inbox = Inbox(home.var / "inbox.sqlite")
    inbox.put([Entry("local", "evt-1", NOW, {"type": "deal.created"})])
    inbox.close()
    back_up(home, tmp_path / "b.zip")

    with pytest.raises(StateConflict, match="1 events of this backup were not handed on yet"):
        restore(make_home("other", database="postgresql"), tmp_path / "b.zip", now=NOW)


def test_approved_draft_is_written_after_the_restore(make_home, home, tmp_path):
    crm = FakeCrm()
    with office_of(home, crm, work=False) as office:
        draft_id = propose(office)
        approve(office.desk, draft_id, ADMIN)
    back_up(home, tmp_path / "b.zip")
    other = make_home("other")
    restore(other, tmp_path / "b.zip", now=NOW)

    # What may have been written before is only written after a last look for it, some time later.
    with office_of(other, crm, clock=lambda: datetime.now(UTC) + timedelta(minutes=1)) as office:
        wait_until(lambda: office.desk.drafts.get(draft_id).status == "written", 45.0)

    assert crm.written == ["crmplugin:" + draft_id]


def test_what_was_written_after_the_backup_is_found_in_the_crm_and_not_written_again(make_home, home, tmp_path):
    crm = FakeCrm()
    with office_of(home, crm) as office:
        draft_id = propose(office)
        back_up(home, tmp_path / "b.zip")
        approve(office.desk, draft_id, ADMIN)
        wait_until(lambda: office.desk.drafts.get(draft_id).status == "written")
    other = make_home("other")
    restore(other, tmp_path / "b.zip", now=NOW)

    with office_of(other, crm) as office:
        approve(office.desk, draft_id, ADMIN)
        wait_until(lambda: office.desk.drafts.get(draft_id).status == "written")

    assert crm.written == ["crmplugin:" + draft_id]


def test_commands_say_what_they_did(crmplugin, home, tmp_path, monkeypatch):
    monkeypatch.setenv("CRMPLUGIN_VAR", str(home.var))
    monkeypatch.setenv("CRMPLUGIN_DATABASE_URL", home.database_url)
    path = tmp_path / "b.zip"

    made = crmplugin("backup", path, "--json")
    looked = crmplugin("restore", "--check", path)

    assert (made.code, made.json["tables"]["records"], made.json["secrets"]) == (
        0,
        7,
        ["local-webhook.secret", "signing.key"],
    )
    assert looked.out.startswith(f"whole: {path}, ")
    assert look_at(path).size == path.stat().st_size
    assert "keep it like a password" in " ".join(crmplugin("backup", "--help").out.split())


def test_refusal_is_one_sentence(crmplugin, tmp_path):
    answer = crmplugin("restore", tmp_path / "none.zip")

    assert answer.code == 1
    assert isinstance(UsageError("x"), CrmPluginError)
    assert "cannot be read (No such file or directory)" in answer.err
