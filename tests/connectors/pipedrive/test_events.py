"""What Pipedrive's webhooks mean in our words; written by hand from the vendor's guide, and recorded old ones."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.pipedrive.events import read_events
from crmplugin.domain.event import ObjectRef
from crmplugin.errors import Unreadable

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def read(data: Any = None, previous: Any = None, *, more: dict[str, str] | None = None, **meta: Any) -> Any:
    base = {
        "action": "change", "entity": "deal", "version": "2.0", "company_id": 7654321, "entity_id": "9001", "id": "u-1",
        "timestamp": "2026-11-21T09:30:00.123Z", "user_id": "11", "webhook_owner_id": "12", "change_source": "app",
    }  # fmt: skip
    body = {"meta": {**base, **meta}, "data": data, "previous": previous}
    return read_events(json.dumps(body).encode(), connection="acme", received_at=NOW, **(more or {}))


MEANINGS = {
    "made": (({"id": 9001}, None), {"action": "create"}, "deal.created"),
    "moved": (({"stage_id": 4}, {"stage_id": 3}), {}, "deal.stage_changed"),
    "won": (({"status": "won", "stage_id": 4}, {"status": "open", "stage_id": 3}), {}, "deal.won"),
    "lost": (({"status": "lost"}, {"status": "open"}), {}, "deal.lost"),
    "opened again": (({"status": "open"}, {"status": "lost"}), {}, "deal.reopened"),
    "changed": (({"value": 5}, {"value": 4}), {}, "deal.updated"),
    "deleted": ((None, {"id": 9001}), {"action": "delete"}, "record.deleted"),
    "person": (({"id": 1}, {}), {"entity": "person"}, "contact.changed"),
    "opt-out": (
        ({"marketing_status": "unsubscribed"}, {"marketing_status": "subscribed"}),
        {"entity": "person"},
        "contact.opted_out",
    ),
    "meeting": (({"done": True, "type": "meeting"}, {"done": False}), {"entity": "activity"}, "meeting.ended"),
    "call": (({"done": True, "type": "call"}, {"done": False}), {"entity": "activity"}, "pipedrive.activity.change"),
    "note": (({"content": "x"}, None), {"entity": "note", "action": "create"}, "pipedrive.note.create"),
}


@pytest.mark.parametrize(("parts", "meta", "type_"), MEANINGS.values(), ids=MEANINGS)
def test_change_becomes_our_event(parts, meta, type_):
    assert read(*parts, **meta).events[0].type == type_


def test_merge_names_the_survivor():
    event = read(None, {"id": 9002}, action="delete", entity_id=9002, merged_to_id=9001).events[0]

    assert (event.type, event.object) == ("record.merged", ObjectRef("deal", "9001"))


def test_attempts_have_one_id_and_other_changes_another():
    assert len({read({}, {}, attempt=n).events[0].id for n in range(4)}) == 1
    assert read({}, {}).events[0].id != read({}, {}, id="u-2").events[0].id


def test_own_change_is_an_echo():
    assert read({}, {}, change_source="api", user_id="12").events[0].echo
    assert not read({}, {}, change_source="api", user_id="11").events[0].echo
    assert read({}, {}, change_source="api", user_id=11, more={"our_user": "11"}).events[0].echo


def test_other_company_is_refused_by_name():
    assert "company_id" in read({}, {}, more={"company_id": "1"}).refused[0]["reason"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"meta": 5}', b'{"meta": {}}', b"\xff", b"[" * 100_000])
def test_body_that_is_no_webhook_is_unreadable(body):
    with pytest.raises(Unreadable):
        read_events(body, connection="acme", received_at=NOW)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda s: st.lists(s, max_size=2))
NAMES = st.sampled_from(["action", "entity", "entity_id", "id", "timestamp", "user_id", "object", "merged_to_id"])
PART = st.none() | st.dictionaries(st.sampled_from(["status", "stage_id", "done", "type"]), JSON)


@given(st.dictionaries(NAMES, JSON), PART, PART)
def test_no_payload_crashes_the_reading(meta, data, previous):
    body = json.dumps({"meta": meta, "data": data, "previous": previous}).encode()
    try:
        reading = read_events(body, connection="acme", received_at=NOW)
    except Unreadable:
        return
    assert len(reading.events) == 1
    assert reading.events[0].id.isprintable()


def test_recorded_old_webhooks_are_understood_or_ignored_by_name():
    named = os.environ.get("PUBLIC_DATA_DIR")
    if not named or not Path(named).is_dir():
        pytest.skip("PUBLIC_DATA_DIR is unset or not a folder: recorded payloads are not part of the project")
    lines = (Path(named) / "webhooks" / "pipedrive_v1_webhooks.jsonl").read_text("utf-8").splitlines()
    bodies = [json.dumps(json.loads(line)["payload"]).encode() for line in lines]

    events = [read_events(body, connection="acme", received_at=NOW).events[0] for body in bodies]

    # Three of the ten were recorded twice.
    assert (len(events), len({event.id for event in events})) == (10, 7)
    assert {event.at.year for event in events} == {2017}
    assert {event.type for event in events} <= {
        "contact.changed", "record.deleted", "record.merged", "pipedrive.activity.change", "pipedrive.activity.create",
        "pipedrive.activity.delete", "pipedrive.note.create", "pipedrive.note.change", "pipedrive.note.delete",
        "pipedrive.organization.create", "pipedrive.organization.change", "pipedrive.pipeline.create",
        "pipedrive.pipeline.change", "pipedrive.pipeline.delete", "meeting.ended",
    }  # fmt: skip


FIELDS = st.dictionaries(
    st.sampled_from(["id", "stage_id", "status", "done", "type", "custom_fields", "new_one"]), JSON
)
VALID = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["create", "change", "delete"]),
        "entity": st.sampled_from([
            "activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user",
            "deal_product", "deal_installment", "board", "phase", "project", "task"]),
        "version": st.just("2.0"), "company_id": st.integers(1), "entity_id": st.integers(1) | st.uuids().map(str),
        "id": st.uuids().map(str), "correlation_id": st.uuids().map(str), "is_bulk_edit": st.booleans(),
        "timestamp": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
        "type": st.just("general"), "user_id": st.integers(1), "webhook_id": st.integers(1),
        "webhook_owner_id": st.integers(1), "change_source": st.sampled_from(["app", "api"]),
        "permitted_user_ids": st.lists(st.integers(1), max_size=3), "attempt": st.integers(1, 4),
        "host": st.text(max_size=9),
    },
    optional={"merged_to_id": st.none() | st.integers(1), "new_in_meta": JSON},
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(VALID, FIELDS | st.none(), FIELDS | st.none(), JSON)
def test_any_valid_webhook_is_one_event_that_keeps_every_field(meta, data, previous, unknown):
    document = {"meta": meta, "data": data, "previous": previous, "unknown": unknown}

    reading = read_events(json.dumps(document).encode(), connection="acme", received_at=NOW)

    assert (len(reading.events), reading.refused) == (1, ())
    assert reading.events[0].raw == document
