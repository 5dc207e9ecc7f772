"""Each account of the readme's table calls for its type of follow-up, whatever the day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crmplugin.brief.decision import Choice, decide
from crmplugin.brief.recipient import choose_channel, choose_recipient, zone_of
from crmplugin.brief.signals import read_signals
from crmplugin.demo import load
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.import_records import import_document
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.records import RecordStore

DAYS = [date(2026, 3, 9), date(2026, 3, 14), date(2028, 2, 29), date(2026, 12, 31)]
TYPES = {"D": "deal", "CO": "company"}


def read_table() -> dict[str, str]:
    """Subject id -> type of follow-up: the first id of each English and German cell, and all named before a comma."""
    text = files("crmplugin.demo").joinpath("README.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z_]+) \| (.*) \| (.*) \|$", text, re.MULTILINE)
    cells = [(type_, re.sub(r"\(.*?\)", "", cell)) for type_, *both in rows for cell in both]
    return {subject: type_ for type_, cell in cells for subject in re.findall(r"\b(?:D|CO)-\d+", cell)}


@pytest.fixture(scope="module", params=DAYS, ids=str)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordStore]:
    """The sample company in a store whose clock stands at ten in the morning of that day."""
    path: Path = tmp_path_factory.mktemp("demo") / "crm.db"
    engine: Engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    now = datetime.combine(request.param, time(9), UTC)
    records = RecordStore(engine, clock=lambda: now)
    import_document(load(request.param), connection="local", records=records)
    yield records
    engine.dispose()


def choose(store: RecordStore, subject_id: str) -> Choice:
    subject = Subject(TYPES[subject_id.split("-")[0]], subject_id)  # type: ignore[arg-type]
    context = store.read_context("local", subject)
    now, request = context.read_at, Request("local", "follow_up", subject)
    contact = choose_recipient(context, request)
    zone = zone_of(context, contact)
    signals = read_signals(
        context, store.population("local"), now=now, zone=zone, recipient_id=contact.id if contact else None
    )
    channel = choose_channel(context, contact, request)
    return decide(context, signals, request, contact=contact, channel=channel, now=now, zone=zone)


def test_each_account_of_the_table_calls_for_its_type(store: RecordStore) -> None:
    table = read_table()

    chosen = {subject: choose(store, subject).type for subject in table}

    assert len(table) >= 32
    assert chosen == table


def test_none_of_them_is_blocked(store: RecordStore) -> None:
    blocked = {
        subject: choice.code for subject in read_table() if (choice := choose(store, subject)).outcome != "draft"
    }

    assert blocked == {}


def test_an_opt_out_on_another_record_of_the_address_blocks(store: RecordStore) -> None:
    assert choose(store, "D-134").code == "opted_out:email"
