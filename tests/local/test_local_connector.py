"""The local CRM's verbs for reading and writing back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.local.connector import LocalConnector
from connectors.local.mapping import activity_id
from crmplugin.domain.brief import Decision, Recipient
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft, Sentence
from crmplugin.domain.fact import Fact, Source
from crmplugin.errors import CrmRefused, NotFound, SettingsError
from crmplugin.store.records import RecordStore
from tests.store.filled import NOW, open_store, take

AT = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
MARKER = "crmplugin:dr-7"


@pytest.fixture
def records(database_url: str) -> Iterator[RecordStore]:
    store = open_store(database_url)
    take(
        store,
        users=[{"id": "U-1"}, {"id": "U-2"}],
        companies=[{"id": "CO-1", "name": "Orbis", "owner_id": "U-2"}],
        contacts=[{"id": "C-1", "company_id": "CO-1"}],
        deals=[{"id": "D-1", "company_id": "CO-1", "owner_id": "U-1"}],
        tickets=[{"id": "T-1", "company_id": "CO-1", "contact_id": "C-1"}],
        activities=[{"id": "A-31", "deal_id": "D-1", "thread_id": "TH-4", "contact_ids": ["C-1"]}],
    )
    yield store
    store.close()


@pytest.fixture
def connector(records: RecordStore) -> LocalConnector:
    return LocalConnector("local", {"webhook_secret": "s" * 32}, records=records)


def make_draft(**changes: Any) -> Draft:
    given: dict[str, Any] = {
        "id": "dr-7",
        "connection": "local",
        "kind": "follow_up",
        "subject_of": Subject("deal", "D-1"),
        "status": "writing_back",
        "decision": Decision("draft"),
        "as_of": NOW,
        "created_at": NOW,
        "to": Recipient("C-1", "Dana Reyes", "dana@orbis.example"),
        "channel": "email",
        "subject": "Your quote",
        "body": "Hello Dana,\n\nthe quote is valid until 25 March.",
    }
    return Draft(**(given | changes))


def written(records: RecordStore) -> dict[str, Any]:
    return records.read_doc("local", "activities", activity_id(MARKER)) or {}


def test_draft_appears_as_an_activity_with_our_marker(connector: LocalConnector, records: RecordStore) -> None:
    id_ = connector.write_back(make_draft(), marker=MARKER, at=AT)

    assert id_ == activity_id(MARKER)
    assert written(records) == {
        "id": id_,
        "type": "email",
        "direction": "outbound",
        "at": "2026-03-12T09:30:00Z",
        "deal_id": "D-1",
        "company_id": "CO-1",
        "contact_ids": ["C-1"],
        "user_id": "U-1",
        "subject": "Your quote",
        "body": "Hello Dana,\n\nthe quote is valid until 25 March.",
        "source": "crmplugin:dr-7",
    }


def test_second_write_changes_nothing(connector: LocalConnector, records: RecordStore) -> None:
    connector.write_back(make_draft(), marker=MARKER, at=AT)
    connector.write_back(make_draft(body="Another"), marker=MARKER, at=AT)

    assert records.counts("local")["activities"] == 2
    assert written(records)["body"].startswith("Hello Dana")


def test_what_was_written_is_found_by_its_marker(connector: LocalConnector) -> None:
    before = connector.find_written(MARKER)
    id_ = connector.write_back(make_draft(), marker=MARKER, at=AT)

    assert (before, connector.find_written(MARKER)) == (None, id_)


def test_written_activity_stands_in_the_context(connector: LocalConnector) -> None:
    connector.write_back(make_draft(), marker=MARKER, at=AT)

    activities = connector.read_context(Subject("deal", "D-1")).activities

    assert activities[-1].source == "crmplugin:dr-7"


@pytest.mark.parametrize(
    ("channel", "type_"),
    [("phone", "call"), ("chat", "chat"), ("sms", "sms"), ("social", "social"), ("letter", "letter"), (None, "note")],
)
def test_channel_decides_the_type(
    connector: LocalConnector, records: RecordStore, channel: str | None, type_: str
) -> None:
    connector.write_back(make_draft(channel=channel), marker=MARKER, at=AT)

    assert written(records)["type"] == type_


def test_internal_text_is_an_internal_note(connector: LocalConnector, records: RecordStore) -> None:
    draft = make_draft(kind="negotiation_note", audience="internal", to=None, channel="note", subject=None)

    connector.write_back(draft, marker=MARKER, at=AT)

    found = written(records)
    assert (found["type"], found["direction"], "contact_ids" in found) == ("note", "internal", False)


def test_text_about_a_ticket_is_tied_to_it(connector: LocalConnector, records: RecordStore) -> None:
    connector.write_back(make_draft(subject_of=Subject("ticket", "T-1")), marker=MARKER, at=AT)

    found = written(records)
    assert (found["ticket_id"], found["company_id"], found["user_id"]) == ("T-1", "CO-1", "U-2")


def test_answer_stands_in_the_thread_of_its_question(connector: LocalConnector, records: RecordStore) -> None:
    fact = Fact("A-31.question1", "quote_text", "question", "x", "x", source=(Source("activities", "A-31", "body"),))
    draft = replace(
        make_draft(), facts=(fact,), sentences=(Sentence("You asked.", "context", evidence=("A-31.question1",)),)
    )

    connector.write_back(draft, marker=MARKER, at=AT)

    assert written(records)["thread_id"] == "TH-4"


def test_draft_whose_subject_is_gone_is_refused(connector: LocalConnector, records: RecordStore) -> None:
    records.delete("local", "deals", "D-1")

    with pytest.raises(CrmRefused, match="Draft dr-7 cannot be written back: .* Reject the draft"):
        connector.write_back(make_draft(), marker=MARKER, at=AT)


def test_unknown_subject_is_not_found(connector: LocalConnector) -> None:
    with pytest.raises(NotFound):
        connector.read_context(Subject("deal", "D-9"))


def test_connection_without_a_secret_is_refused(records: RecordStore) -> None:
    with pytest.raises(SettingsError, match="webhook_secret"):
        LocalConnector("local", {"webhook_secret": ""}, records=records)


def test_diagnosis_of_an_empty_store_says_what_to_do(records: RecordStore, connector: LocalConnector) -> None:
    empty = LocalConnector("branch", {"webhook_secret": "s"}, records=records)

    assert {name: good for name, good, _ in connector.diagnose()} == {"webhook secret": True, "records": True}
    assert empty.diagnose()[1] == ("records", False, "Import records: crmplugin import FILE --connection branch")
