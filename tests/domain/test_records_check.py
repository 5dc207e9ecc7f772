"""What one record may hold, and how a bad one is refused: by the key, what was expected, and what came."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.domain.crm import Consent, Order, OrderLine
from crmplugin.domain.records import build, check_record, dump, merge, references, targets
from crmplugin.errors import RecordProblem


def problem_of(collection: str, raw: Any) -> RecordProblem:
    with pytest.raises(RecordProblem) as caught:
        check_record(collection, raw)
    return caught.value


REFUSED = {
    "unknown key": ("contacts", {"id": "C-1", "emial": "a@b.example"}, "emial"),
    "unknown key in a line": ("orders", {"id": "O-1", "lines": [{}, {"quantty": 1}]}, "lines[1].quantty"),
    "unknown consent channel": ("contacts", {"id": "C-1", "consent": {"fax": {}}}, "consent.fax"),
    "consent state": ("contacts", {"id": "C-1", "consent": {"email": {"state": "yes"}}}, "consent.email.state"),
    "no id": ("deals", {"name": "A"}, "id"),
    "null id": ("deals", {"id": None}, "id"),
    "empty id": ("deals", {"id": " "}, "id"),
    "id as a number": ("deals", {"id": 17}, "id"),
    "id with a line break": ("deals", {"id": "D\n1"}, "id"),
    "very long id": ("deals", {"id": "D" * 256}, "id"),
    "reference as a number": ("deals", {"id": "D-1", "company_id": 4}, "company_id"),
    "money as a number": ("deals", {"id": "D-1", "amount": 26505.0}, "amount"),
    "money as a bool": ("deals", {"id": "D-1", "amount": True}, "amount"),
    "money with a comma": ("deals", {"id": "D-1", "amount": "26,505.00"}, "amount"),
    "money with an exponent": ("deals", {"id": "D-1", "amount": "1e5"}, "amount"),
    "money not a number": ("deals", {"id": "D-1", "amount": "NaN"}, "amount"),
    "money infinite": ("deals", {"id": "D-1", "amount": "Infinity"}, "amount"),
    "money in Arabic digits": ("deals", {"id": "D-1", "amount": "١٢"}, "amount"),
    "money with a line break": ("deals", {"id": "D-1", "amount": "12\n"}, "amount"),
    "empty money": ("deals", {"id": "D-1", "amount": ""}, "amount"),
    "number as a bool": ("companies", {"id": "CO-1", "employees": True}, "employees"),
    "number not a number": ("companies", {"id": "CO-1", "employees": float("nan")}, "employees"),
    "number infinite": ("companies", {"id": "CO-1", "employees": float("inf")}, "employees"),
    "number beyond sense": ("companies", {"id": "CO-1", "employees": 10**400}, "employees"),
    "number in words": ("companies", {"id": "CO-1", "employees": "many"}, "employees"),
    "date with a time": ("deals", {"id": "D-1", "close_date": "2026-03-10T00:00:00Z"}, "close_date"),
    "date that does not exist": ("deals", {"id": "D-1", "close_date": "2026-02-30"}, "close_date"),
    "date the other way round": ("deals", {"id": "D-1", "close_date": "10.03.2026"}, "close_date"),
    "time without zone": ("deals", {"id": "D-1", "created_at": "2026-03-10T14:05:00"}, "created_at"),
    "time that is a date": ("deals", {"id": "D-1", "created_at": "2026-03-10"}, "created_at"),
    "time as a number": ("deals", {"id": "D-1", "created_at": 1773151500}, "created_at"),
    "hour that does not exist": ("deals", {"id": "D-1", "created_at": "2026-03-10T25:00:00Z"}, "created_at"),
    "time no zone can show": ("deals", {"id": "D-1", "created_at": "9999-12-31T23:59:59Z"}, "created_at"),
    "closed list": ("deals", {"id": "D-1", "stage_kind": "Proposal"}, "stage_kind"),
    "closed list with a list": ("deals", {"id": "D-1", "stage_kind": ["won"]}, "stage_kind"),
    "closed list of days": ("tickets", {"id": "T-1", "priority": "P5"}, "priority"),
    "bool as text": ("products", {"id": "P-1", "active": "true"}, "active"),
    "bool as a number": ("products", {"id": "P-1", "active": 1}, "active"),
    "text as a number": ("companies", {"id": "CO-1", "name": 5}, "name"),
    "text with NUL": ("companies", {"id": "CO-1", "name": "A\0B"}, "name"),
    "text with a lone surrogate": ("companies", {"id": "CO-1", "name": "A\ud800"}, "name"),
    "text beyond a megabyte": ("activities", {"id": "A-1", "body": "é" * 500_001}, "body"),
    "list as text": ("companies", {"id": "CO-1", "aliases": "Orbis"}, "aliases"),
    "null in a list": ("companies", {"id": "CO-1", "aliases": ["A", None]}, "aliases[1]"),
    "line as text": ("orders", {"id": "O-1", "lines": ["10 x GK-12"]}, "lines[0]"),
    "very many lines": ("orders", {"id": "O-1", "lines": [{}] * 20_001}, "lines"),
    "object as a list": ("contacts", {"id": "C-1", "consent": []}, "consent"),
    "zone with a space": ("companies", {"id": "CO-1", "timezone": "Europe / Berlin"}, "timezone"),
    "zone as an offset": ("companies", {"id": "CO-1", "timezone": "+01:00"}, "timezone"),
    "currency in small letters": ("companies", {"id": "CO-1", "currency": "eur"}, "currency"),
    "currency as a sign": ("deals", {"id": "D-1", "base_currency": "€"}, "base_currency"),
    "currency pair": ("fx_rates", {"id": "FX-1", "from": "Euro"}, "from"),
    "unknown key of a segment": ("segments", {"id": "S-1", "where": {"exclude": {"vip": True}}}, "where.exclude.vip"),
    "stage of a segment": (
        "segments",
        {"id": "S-1", "where": {"exclude": {"open_deal_stage": ["late"]}}},
        "where.exclude.open_deal_stage[0]",
    ),
    "form of address": ("voice", {"address": {"de": "friendly"}}, "address.de"),
    "private value that is no JSON": ("deals", {"id": "D-1", "x_score": float("nan")}, "x_score"),
    "a list for a record": ("deals", [], ""),
    "unknown collection": ("contactz", {"id": "C-1"}, "contactz"),
}


@pytest.mark.parametrize(("collection", "raw", "key"), REFUSED.values(), ids=REFUSED)
def test_bad_record_is_refused_by_its_key(collection: str, raw: Any, key: str) -> None:
    assert problem_of(collection, raw).key == key


def test_refusal_of_an_unknown_key_names_the_nearest_one() -> None:
    problem = problem_of("contacts", {"id": "C-1", "emial": "a@b.example"})

    assert str(problem) == "emial: expected a key of contacts (did you mean \"email\"?), got 'emial'"


def test_refusal_says_what_was_expected_and_what_came() -> None:
    problem = problem_of("deals", {"id": "D-1", "amount": 5})

    assert str(problem) == 'amount: expected money as a decimal string such as "26505.00", got 5'


def test_single_object_needs_no_id() -> None:
    assert check_record("seller", {"name": "Halden Controls"}) == {"name": "Halden Controls"}


def test_line_of_a_quote_needs_no_id() -> None:
    assert check_record("quotes", {"id": "Q-1", "lines": [{"quantity": 2}]}) == {
        "id": "Q-1",
        "lines": [{"quantity": 2}],
    }


def test_private_keys_are_kept_at_every_level() -> None:
    raw = {
        "id": "C-1",
        "x_score": {"a": [1, None]},
        "consent": {"x_seen": 1, "email": {"state": "granted", "x_form": "web"}},
    }

    doc = check_record("contacts", raw)

    assert doc == raw
    assert build("contacts", doc).consent == {"email": Consent(state="granted")}


def test_open_list_keeps_a_word_it_does_not_know() -> None:
    assert check_record("contacts", {"id": "C-1", "role": "gatekeeper"})["role"] == "gatekeeper"


def test_null_stays_so_that_it_can_empty_a_key() -> None:
    assert check_record("deals", {"id": "D-1", "amount": None}) == {"id": "D-1", "amount": None}


def test_null_inside_a_nested_object_is_an_absent_key() -> None:
    assert check_record("orders", {"id": "O-1", "lines": [{"quantity": None}]}) == {"id": "O-1", "lines": [{}]}


@pytest.mark.parametrize("value", [12, 7.5, "12", "7.50", -3, "-0.25"])
def test_number_stays_as_it_was_given(value: object) -> None:
    assert check_record("companies", {"id": "CO-1", "employees": value})["employees"] == value


def test_times_keep_their_zone_and_fraction() -> None:
    doc = check_record("deals", {"id": "D-1", "created_at": "2026-03-10t14:05:00.1234567+01:00"})

    created_at = build("deals", doc).created_at
    assert doc["created_at"] == "2026-03-10T14:05:00.1234567+01:00"
    assert created_at.astimezone(UTC) == datetime(2026, 3, 10, 13, 5, 0, 123456, tzinfo=UTC)


def test_build_gives_decimals_dates_and_defaults() -> None:
    doc = check_record(
        "orders",
        {
            "id": "O-1",
            "ordered_at": "2026-03-10T14:05:00Z",
            "total": "105.50",
            "company_id": None,
            "lines": [{"product_id": "P-1", "quantity": -2, "unit_price": "3.10", "discount_pct": 7.1}],
        },
    )

    assert build("orders", doc) == Order(
        id="O-1",
        ordered_at=datetime(2026, 3, 10, 14, 5, tzinfo=UTC),
        total=Decimal("105.50"),
        lines=(OrderLine(None, "P-1", Decimal("-2"), Decimal("3.10"), Decimal("7.1")),),
    )


def test_key_that_is_a_word_of_python_is_read_and_written() -> None:
    doc = check_record("stage_changes", {"id": "S-1", "from": "New", "to": "Proposal"})

    record = build("stage_changes", doc)

    assert (record.from_, record.to) == ("New", "Proposal")
    assert dump(record) == doc


def test_dump_leaves_out_what_is_absent_or_empty() -> None:
    record = build("contracts", {"id": "K-1", "ends_on": "2026-12-31", "notice_days": 90})

    assert record.ends_on == date(2026, 12, 31)
    assert dump(record) == {"id": "K-1", "ends_on": "2026-12-31", "notice_days": 90}


def test_present_key_replaces_null_empties_absent_stays_lists_replace_whole() -> None:
    old = {"id": "CO-1", "name": "Orbis", "city": "Leeds", "aliases": ["A", "B"], "x_tier": 1}

    new = merge(old, {"id": "CO-1", "name": "Orbis Dairy", "city": None, "aliases": ["C"]})

    assert new == {"id": "CO-1", "name": "Orbis Dairy", "aliases": ["C"], "x_tier": 1}


def test_empty_list_empties_like_null() -> None:
    assert merge({"id": "CO-1", "aliases": ["A"]}, {"id": "CO-1", "aliases": []}) == {"id": "CO-1"}


def test_references_say_where_they_stand() -> None:
    doc = {"id": "O-1", "company_id": "CO-1", "lines": [{"product_id": "P-1"}, {"quantity": 1}, {"product_id": "P-2"}]}

    assert references("orders", doc) == [
        ("company_id", "companies", "CO-1"),
        ("lines[0].product_id", "products", "P-1"),
        ("lines[2].product_id", "products", "P-2"),
    ]
    assert targets("orders", doc) == {("companies", "CO-1"), ("products", "P-1"), ("products", "P-2")}


def test_references_of_nested_objects_and_lists_are_found() -> None:
    doc = {"id": "S-1", "where": {"owns": ["P-1"], "lacks_complement_of": "P-2"}}

    assert references("segments", doc) == [
        ("where.owns[0]", "products", "P-1"),
        ("where.lacks_complement_of", "products", "P-2"),
    ]
