"""The sample company as a document: valid on any day, whole in its references, of the promised size."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any

import pytest

from crmplugin.demo import events, load
from crmplugin.domain.crm import COLLECTIONS, SINGLES
from crmplugin.domain.records import check_record, references

MONDAY = date(2026, 3, 9)
DAYS = [MONDAY, date(2026, 3, 14), date(2028, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2027, 4, 5)]


@cache
def company_on(day: date) -> dict[str, Any]:
    return load(day)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_record_is_valid_on_any_day(day: date) -> None:
    document = company_on(day)

    assert document["format"] == "crmplugin-records/1"
    for name in COLLECTIONS:
        for record in document[name]:
            check_record(name, record)
    for name in SINGLES:
        check_record(name, document[name])
    assert set(document) == {"format", *COLLECTIONS, *SINGLES}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_reference_names_a_record(day: date) -> None:
    document = company_on(day)
    ids = {name: {record["id"] for record in document[name]} for name in COLLECTIONS}

    missing = [
        (name, record["id"], where, target)
        for name in COLLECTIONS
        for record in document[name]
        for where, collection, target in references(name, record)
        if target not in ids[collection]
    ]

    assert missing == []


def test_ids_are_unique_in_each_collection() -> None:
    document = company_on(MONDAY)

    for name in COLLECTIONS:
        ids = [record["id"] for record in document[name]]
        assert len(ids) == len(set(ids)), name


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_nobody_writes_calls_or_meets_on_a_weekend(day: date) -> None:
    moments = [datetime.fromisoformat(activity["at"]) for activity in company_on(day)["activities"]]

    assert [moment for moment in moments if moment.weekday() > 4] == []


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_what_happened_lies_before_today(day: date) -> None:
    document = company_on(day)
    happened = [activity["at"] for activity in document["activities"]]
    happened += [order[key] for order in document["orders"] for key in ("ordered_at", "delivered_at") if order.get(key)]
    happened += [ticket["opened_at"] for ticket in document["tickets"]]
    happened += [change["at"] for change in document["stage_changes"]]

    assert [at for at in happened if at[:10] >= day.isoformat()] == []


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_what_may_be_promised_lies_ahead(day: date) -> None:
    for slot in company_on(day)["slots"]:
        assert (slot.get("on") or slot["starts_at"])[:10] > day.isoformat()


def test_the_same_day_gives_the_same_document() -> None:
    assert load(MONDAY) == load(MONDAY)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_events_bring_valid_records_about_known_things(day: date) -> None:
    document = company_on(day)
    for event in events(day):
        brought = event.get("records", {})
        for name, records in brought.items():
            for record in records:
                check_record(name, record)
        known = {record["id"] for name in COLLECTIONS for record in [*document[name], *brought.get(name, [])]}
        assert event["object"]["id"] in known
