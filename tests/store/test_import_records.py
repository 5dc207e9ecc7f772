"""Imports: each record on its own, references followed, the same file twice changing nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmplugin.domain.crm import Subject
from crmplugin.journeys.import_records import ImportReport, import_document, import_records
from crmplugin.store.records import RecordStore

Import = Callable[..., ImportReport]


@pytest.fixture
def take_in(store: RecordStore, tmp_path: Path) -> Import:
    """Imports one file made of a text or of collections: `take_in(deals=[{…}])`."""

    def run(text: str | None = None, *, connection: str = "local", **collections: Any) -> ImportReport:
        path = tmp_path / "records.json"
        path.write_text(json.dumps(collections, indent=1) if text is None else text, encoding="utf-8")
        return import_records([path], connection=connection, records=store)

    return run


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.taken, report.updated, report.unchanged, len(report.refused)


def refused(report: ImportReport) -> list[tuple[int | None, str]]:
    return [(row["line"], row["key"]) for row in report.refused]


def test_good_records_go_in_beside_bad_ones(store: RecordStore, take_in: Import) -> None:
    text = "\n".join(
        [
            '{"companies": [',
            '{"id": "CO-1", "name": "Orbis"},',
            '{"id": "CO-2", "nam": "Arla"},',
            '{"id": "CO-3", "customer_since": "1.3.2020"}',
            "]}",
        ]
    )

    report = take_in(text)

    assert counts(report) == (1, 0, 0, 2)
    assert report.refused[0]["file"].endswith("records.json")
    assert report.refused[0]["line"] == 3
    assert report.refused[0]["key"] == "nam"
    assert report.refused[0]["reason"] == "expected a key of companies (did you mean \"name\"?), got 'nam'"
    assert report.refused[1]["reason"] == "expected a date as YYYY-MM-DD, got '1.3.2020'"
    assert store.counts("local") == {"companies": 1}


def test_same_file_twice_changes_nothing(store: RecordStore, take_in: Import) -> None:
    collections = {
        "seller": {"name": "Halden"},
        "companies": [{"id": "CO-1", "name": "Orbis", "aliases": [], "city": None, "employees": 12.0}],
        "deals": [{"id": "D-1", "name": "A"}, {"id": "D-1", "name": "B"}, {"id": "D-1", "amount": "5.00"}],
    }

    first = take_in(**collections)
    second = take_in(**collections)

    assert counts(first) == (3, 2, 0, 0)
    assert counts(second) == (0, 0, 5, 0)


def test_later_row_of_the_same_id_is_an_upsert(store: RecordStore, take_in: Import) -> None:
    take_in(deals=[{"id": "D-1", "name": "A", "amount": "5.00", "currency": "EUR"}, {"id": "D-1", "amount": None}])

    assert store.read_doc("local", "deals", "D-1") == {"id": "D-1", "name": "A", "currency": "EUR"}


def test_references_may_point_forward_and_into_another_file(store: RecordStore, tmp_path: Path) -> None:
    deals, companies = tmp_path / "deals.jsonl", tmp_path / "companies.jsonl"
    deals.write_text('{"record": "deals", "id": "D-1", "company_id": "CO-1"}\n')
    companies.write_text('{"record": "companies", "id": "CO-1"}\n')

    report = import_records([deals, companies], connection="local", records=store)

    assert counts(report) == (2, 0, 0, 0)


def test_reference_to_what_is_stored_holds(take_in: Import) -> None:
    take_in(companies=[{"id": "CO-1"}])

    assert counts(take_in(deals=[{"id": "D-1", "company_id": "CO-1"}])) == (1, 0, 0, 0)


def test_dangling_reference_refuses_the_record_by_its_key(take_in: Import) -> None:
    report = take_in(orders=[{"id": "O-1", "lines": [{}, {"product_id": "P-9"}]}])

    assert report.refused[0]["key"] == "lines[1].product_id"
    assert report.refused[0]["reason"] == "expected an id among the products of the import or the store, got 'P-9'"


def test_what_points_at_a_refused_record_is_refused_in_its_turn(store: RecordStore, take_in: Import) -> None:
    report = take_in(
        quotes=[{"id": "Q-1", "deal_id": "D-1"}, {"id": "Q-2", "deal_id": "D-2"}],
        deals=[{"id": "D-1", "primary_contact_id": "C-1"}, {"id": "D-2"}],
        contacts=[{"id": "C-1", "company_id": "CO-1"}],
        companies=[{"id": "CO-1", "customer_since": "soon"}],
    )

    assert {row["key"] for row in report.refused} == {
        "deal_id",
        "primary_contact_id",
        "company_id",
        "customer_since",
    }
    assert store.counts("local") == {"deals": 1, "quotes": 1}


def test_refused_change_of_a_stored_record_leaves_those_pointing_at_it(take_in: Import) -> None:
    take_in(companies=[{"id": "CO-1"}])

    report = take_in(companies=[{"id": "CO-1", "name": 5}], deals=[{"id": "D-1", "company_id": "CO-1"}])

    assert counts(report) == (1, 0, 0, 1)


def test_record_stays_when_one_of_its_rows_is_good(take_in: Import) -> None:
    report = take_in(
        companies=[{"id": "CO-1"}, {"id": "CO-1", "owner_id": "U-9"}],
        deals=[{"id": "D-1", "company_id": "CO-1"}],
    )

    assert counts(report) == (2, 0, 0, 1)


def test_records_that_name_each_other_in_a_ring_go_in(take_in: Import) -> None:
    ring = [{"id": f"P-{n}", "compatible_with": [f"P-{(n + 1) % 5}"]} for n in range(5)]

    assert counts(take_in(products=ring)) == (5, 0, 0, 0)


def test_ring_with_one_bad_link_falls_together(take_in: Import) -> None:
    ring = [{"id": f"P-{n}", "compatible_with": [f"P-{(n + 1) % 5}"]} for n in range(5)]
    ring[3]["compatible_with"].append("P-none")

    assert counts(take_in(products=ring)) == (0, 0, 0, 5)


def test_long_chain_that_hangs_on_nothing_is_refused_quickly(take_in: Import) -> None:
    chain = [{"id": f"P-{n}", "substitutes": [f"P-{n + 1}"]} for n in range(5_000)]

    report = take_in(products=chain)

    assert counts(report) == (0, 0, 0, 5_000)


@pytest.mark.parametrize("text", ["Dear all,\nsee below", "", '{"deals": [{"id": "D-1"}', "id,name\n1,Orbis\n"])
def test_file_that_is_no_records_is_refused_whole(store: RecordStore, take_in: Import, text: str) -> None:
    report = take_in(text)

    assert refused(report) == [(1, "")]
    assert store.counts("local") == {}


def test_broken_document_takes_nothing_but_other_files_go_in(store: RecordStore, tmp_path: Path) -> None:
    broken, good = tmp_path / "broken.json", tmp_path / "good.json"
    broken.write_text('{"deals": [{"id": "D-1"},\n{"id": 5},\n{"id": "D-2"')
    good.write_text('{"quotes": [{"id": "Q-1"}, {"id": "Q-2", "deal_id": "D-1"}]}')

    report = import_records([broken, good], connection="local", records=store)

    assert [(Path(row["file"]).name, row["line"], row["key"]) for row in report.refused] == [
        ("broken.json", 3, ""),
        ("good.json", 1, "deal_id"),
    ]
    assert store.counts("local") == {"quotes": 1}


def test_bad_line_in_the_middle_leaves_the_others(store: RecordStore, take_in: Import) -> None:
    report = take_in('{"record": "users", "id": "U-1"}\nnonsense\n{"record": "users", "id": "U-2"}\n')

    assert counts(report) == (2, 0, 0, 1)
    assert refused(report) == [(2, "")]


def test_other_connection_takes_what_its_owner_lays_down(store: RecordStore, take_in: Import) -> None:
    report = take_in(
        connection="acme",
        claims=[{"id": "CL-1", "product_ids": ["P-of-the-crm"]}],
        policy={"stackable": True},
        products=[{"id": "P-1", "cost": "10.00"}, {"id": "P-2", "cost": "10.00", "name": "Pump"}],
        offers=[{"id": "OF-1", "segment_id": "SE-none"}],
        deals=[{"id": "D-1"}],
    )

    assert store.counts("acme") == {"claims": 1, "policy": 1, "products": 1}
    assert {(row["key"], row["reason"]) for row in report.refused} == {
        ("name", "expected only id and cost of a product (all else acme reads from its CRM), got 'name'"),
        ("segment_id", "expected an id among the segments of the import or the store, got 'SE-none'"),
        (
            "",
            "expected articles, claims, fx_rates, offers, policy, prices, segments, seller, slots, voice "
            "or product costs (all else acme reads from its CRM), got 'deals'",
        ),
    }


def test_import_is_remembered_as_the_age_of_the_records(store: RecordStore, take_in: Import) -> None:
    take_in(companies=[{"id": "CO-1"}])

    context = store.read_context("local", Subject("company", "CO-1"))

    assert context.imported_at == context.read_at


def test_import_learns_from_what_came(store: RecordStore, take_in: Import) -> None:
    order = {"company_id": "CO-1", "lines": [{"product_id": "P-1", "quantity": 1}]}
    take_in(
        companies=[{"id": "CO-1"}],
        products=[{"id": "P-1"}],
        orders=[
            {**order, "id": "O-1", "ordered_at": "2025-01-01T00:00:00Z"},
            {**order, "id": "O-2", "ordered_at": "2025-01-31T00:00:00Z"},
        ],
    )

    assert store.population("local").product_gap_days == {"P-1": (30, 1)}


def test_import_of_the_owner_s_rules_learns_nothing(store: RecordStore, take_in: Import) -> None:
    take_in(policy={"stackable": True})

    assert store.population("local").computed_at is None


def test_progress_goes_from_reading_to_learning(store: RecordStore, tmp_path: Path) -> None:
    path, seen = tmp_path / "records.json", []
    path.write_text(json.dumps({"companies": [{"id": f"CO-{n}"} for n in range(2_500)]}))

    import_records(
        [path],
        connection="local",
        records=store,
        on_progress=lambda step, done, total: seen.append((step, done, total)),
    )

    assert [step for step, _, _ in seen] == ["read"] * 3 + ["write"] * 3 + ["learn"] * 2
    assert seen[5] == ("write", 2_500, 2_500)


def test_parsed_document_is_imported_like_a_file(store: RecordStore) -> None:
    document = {"deals": [{"id": "D-1"}, {"id": "D-2", "company_id": "CO-9"}], "x_note": 1}

    report = import_document(document, connection="local", records=store)

    assert counts(report) == (1, 0, 0, 1)
    assert refused(report) == [(None, "company_id")]


def test_export_of_an_import_is_what_was_imported(store: RecordStore, take_in: Import) -> None:
    deal = {"id": "D-1", "amount": "48000.00", "discount_pct": "7.50", "probability": 0.4, "x_vendor": {"a": [1]}}
    take_in(deals=[deal])

    assert list(store.iterate_docs("local", "deals")) == [deal]


def test_a_hundred_thousand_records_go_in(store: RecordStore, tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    with path.open("w") as stream:
        for n in range(50_000):
            stream.write(f'{{"record": "companies", "id": "CO-{n}", "name": "Company {n}"}}\n')
            stream.write(
                f'{{"record": "contacts", "id": "C-{n}", "company_id": "CO-{n}", "email": "a{n}@b.example"}}\n'
            )

    report = import_records([path], connection="local", records=store)

    assert counts(report) == (100_000, 0, 0, 0)
    assert len(store.read_context("local", Subject("company", "CO-49999")).contacts) == 1
