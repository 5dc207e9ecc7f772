"""One timeline per customer: every channel, the right order, each talk once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmplugin.analysis.timeline import timeline
from crmplugin.domain.crm import Activity
from tests.builders import (
    NOW,
    at,
    make_account_context,
    make_activity,
    make_order,
    make_quote,
    make_task,
    make_ticket,
)

SAID = "The pump on line two is loud."


def talk(id_: str, type_: str, hour: str = "09:00", **changes: Any) -> Activity:
    return make_activity(id_, **({"type": type_, "at": at("2026-03-02", hour), "body": f"{type_}: {SAID}"} | changes))


def ids(*activities: Activity, **changes: Any) -> list[tuple[str, ...]]:
    return [e.ids for e in timeline(make_account_context(*activities, **changes), now=NOW)]


def test_all_channels_stand_in_one_order_of_time():
    kinds = ["email", "call", "chat", "social", "form", "visit", "sms", "letter"]
    talks = [talk(f"A-{n}", kind, f"{9 + n:02}:00") for n, kind in enumerate(kinds)]
    changes: dict[str, Any] = {
        "tickets": (make_ticket(opened_at=at("2026-03-01"), resolved_at=at("2026-03-05")),),
        "orders": (make_order(ordered_at=at("2026-01-15"), delivered_at=at("2026-01-20")),),
        "quotes": (make_quote(sent_at=at("2026-03-04")),),
    }

    found = timeline(make_account_context(*reversed(talks), **changes), now=NOW)

    assert [e.kind for e in found] == ["order", "delivery", "ticket_opened", *kinds, "quote", "ticket_resolved"]
    assert [e.channel for e in found if e.collection == "activities"] == [
        "email", "phone", "chat", "social", "self_service", "visit", "sms", "letter",
    ]  # fmt: skip


def test_a_talk_that_two_systems_recorded_stands_once_with_both_ids():
    first = talk("A-1", "email", body="Hello,\n\nthe pump is LOUD.", source="crm")
    second = talk("Z-9", "email", "09:04", body="Hello, the pump is loud.", source="helpdesk", direction="inbound")

    assert ids(first, second) == [("A-1", "Z-9")]


@pytest.mark.parametrize(
    "changes",
    [{"hour": "09:11"}, {"body": "Another matter."}, {"direction": "outbound"}, {"contact_ids": ("C-2",)},
     {"type_": "chat"}],
    ids=["later", "other words", "other direction", "other person", "other channel"],
)  # fmt: skip
def test_what_differs_is_told_twice(changes: dict[str, Any]):
    other = talk("A-2", **({"type_": "email", "body": f"email: {SAID}"} | changes))

    assert len(ids(talk("A-1", "email"), other)) == 2


def test_two_records_without_words_are_two_entries():
    silent = {"body": None, "subject": None}

    assert len(ids(talk("A-1", "call", **silent), talk("A-2", "call", **silent))) == 2


def test_the_subject_tells_where_there_is_no_body():
    one, other = talk("A-1", "email", body=None, subject="RE: Pump"), talk("A-2", "email", body=" ", subject="Aw: pump")

    assert ids(one, other) == [("A-1", "A-2")]


def test_what_has_not_happened_is_not_told():
    open_task, done = make_task("A-1"), make_task("A-2", done_at=at("2026-03-05"))
    later = talk("A-3", "email", at=NOW + timedelta(days=1))

    assert ids(open_task, done, later) == [("A-2",)]


@settings(max_examples=25)
@given(st.permutations(range(6)))
def test_neither_order_nor_repeated_rows_change_it(order):
    rows = [talk(f"A-{n}", "email" if n % 2 else "chat", f"{9 + n:02}:00") for n in range(6)]
    plain = ids(*rows)

    assert ids(*(rows[n] for n in order)) == plain
