"""Records in and out: upserts, names, markers, versions; nothing crosses from one connection to another."""

from __future__ import annotations

import gc
import threading
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import crmplugin.store
from crmplugin.errors import RecordProblem
from crmplugin.ports import Name, Population
from crmplugin.store.database import metadata, migrate, open_engine
from crmplugin.store.record_writes import Counts
from crmplugin.store.records import RecordStore
from tests.store.filled import NOW, open_store, take


def test_new_changed_and_equal_records_are_counted_apart(store: RecordStore) -> None:
    take(store, companies=[{"id": "CO-1", "name": "Orbis"}, {"id": "CO-2", "name": "Arla"}])

    counts = take(
        store,
        companies=[{"id": "CO-1", "name": "Orbis"}, {"id": "CO-2", "city": "Leeds"}, {"id": "CO-3"}],
    )

    assert counts == Counts(taken=1, updated=1, unchanged=1)


def test_absent_key_stays_and_null_empties(store: RecordStore) -> None:
    take(store, deals=[{"id": "D-1", "name": "Meters", "amount": "48000.00", "currency": "EUR"}])

    take(store, deals=[{"id": "D-1", "amount": None, "next_step": "Call"}])

    deal = store.read_one("local", "deals", "D-1")
    assert (deal.name, deal.amount, deal.currency, deal.next_step) == ("Meters", None, "EUR", "Call")


def test_rows_of_one_batch_that_undo_each_other_change_nothing(store: RecordStore) -> None:
    take(store, deals=[{"id": "D-1", "name": "B"}])

    counts = take(store, deals=[{"id": "D-1", "name": "A"}, {"id": "D-1", "name": "B"}])

    assert counts == Counts(unchanged=2)


def test_single_is_kept_under_its_name(store: RecordStore) -> None:
    take(store, seller={"name": "Halden", "country": "DE"})
    take(store, seller={"country": None})

    assert store.seller("local").name == "Halden"
    assert store.read_doc("local", "seller", "seller") == {"name": "Halden"}


def test_connections_do_not_see_each_other(store: RecordStore) -> None:
    take(store, companies=[{"id": "CO-1", "name": "Orbis"}])
    take(store, "acme", companies=[{"id": "CO-1", "name": "Arla"}])

    assert store.read_one("local", "companies", "CO-1").name == "Orbis"
    assert [name.text for name in store.names("acme")] == ["Arla"]
    assert store.counts("third") == {}


def test_names_are_those_of_companies_contacts_and_products(store: RecordStore) -> None:
    take(
        store,
        companies=[{"id": "CO-1", "name": " Orbis  Dairy", "aliases": ["Orbis", "Orbis"]}],
        contacts=[{"id": "C-1", "company_id": "CO-1", "first_name": "Dana", "last_name": "Reyes"}, {"id": "C-2"}],
        products=[{"id": "P-1", "name": "FlowMeter 300", "aliases": ["FM300"], "sku": "FM-300"}],
        deals=[{"id": "D-1", "name": "Renewal"}],
    )

    assert list(store.names("local")) == [
        Name("company", "CO-1", "CO-1", "Orbis Dairy"),
        Name("company", "CO-1", "CO-1", "Orbis"),
        Name("contact", "C-1", "CO-1", "Dana Reyes"),
        Name("product", "P-1", None, "FlowMeter 300"),
        Name("product", "P-1", None, "FM300"),
        Name("product", "P-1", None, "FM-300"),
    ]


def test_renamed_record_leaves_no_old_name(store: RecordStore) -> None:
    take(store, companies=[{"id": "CO-1", "name": "Orbis", "aliases": ["Orb"]}])

    take(store, companies=[{"id": "CO-1", "name": "Arla", "aliases": []}])

    assert [name.text for name in store.names("local")] == ["Arla"]


def test_revision_grows_with_names_and_fits_alone(store: RecordStore) -> None:
    take(store, companies=[{"id": "CO-1", "name": "Orbis"}])
    before = store.revision("local")

    take(store, deals=[{"id": "D-1"}])
    same = store.revision("local")
    store.save_population("local", Population())

    assert (same, store.revision("local")) == (before, before + 1)


def test_activity_of_our_making_is_stored_once(store: RecordStore) -> None:
    activity = {"id": "A-9", "type": "email", "source": "crmplugin:7", "body": "Hello"}

    first = store.add_activity("local", activity)
    second = store.add_activity("local", {**activity, "body": "Another"})

    assert (first, second) == ("A-9", "A-9")
    assert store.find_by_source("local", "crmplugin:7") == "A-9"
    assert store.read_one("local", "activities", "A-9").body == "Hello"


def test_marker_of_another_connection_is_not_found(store: RecordStore) -> None:
    store.add_activity("acme", {"id": "A-9", "source": "crmplugin:7"})

    assert store.find_by_source("local", "crmplugin:7") is None


def test_bad_activity_of_our_making_is_refused(store: RecordStore) -> None:
    with pytest.raises(RecordProblem, match="^type: "):
        store.add_activity("local", {"id": "A-9", "type": "fax"})


def test_every_state_of_an_owner_s_rule_is_kept(store: RecordStore) -> None:
    take(store, policy={"floor_margin_pct": 25})
    take(store, policy={"floor_margin_pct": 25})
    take(store, policy={"floor_margin_pct": 30})
    store.delete("local", "policy", "policy")

    assert store.versions("local", "policy", "policy") == [
        (1, NOW, {"floor_margin_pct": 25}),
        (2, NOW, {"floor_margin_pct": 30}),
        (3, NOW, None),
    ]


def test_versions_of_a_product_are_those_of_its_cost(store: RecordStore) -> None:
    take(store, products=[{"id": "P-1", "name": "Pump", "cost": "10.00"}])
    take(store, products=[{"id": "P-1", "name": "Pump S"}])
    take(store, products=[{"id": "P-1", "cost": "11.00"}])

    assert [doc["cost"] for _, _, doc in store.versions("local", "products", "P-1") if doc] == ["10.00", "11.00"]


def test_deleted_record_is_gone_with_its_names(store: RecordStore) -> None:
    take(store, contacts=[{"id": "C-1", "first_name": "Dana", "email": "d@orbis.example"}])

    assert store.delete("local", "contacts", "C-1")
    assert not store.delete("local", "contacts", "C-1")
    assert list(store.names("local")) == []
    assert store.counts("local") == {}


def test_records_are_iterated_by_id(store: RecordStore) -> None:
    take(store, orders=[{"id": f"O-{n:04}", "total": "1.50"} for n in range(1_500, 0, -1)])

    orders = list(store.iterate("local", "orders"))

    assert (len(orders), orders[0].id, orders[-1].id) == (1_500, "O-0001", "O-1500")
    assert orders[0].total == Decimal("1.50")


def test_who_reads_only_the_first_record_leaves_nothing_open(store: RecordStore) -> None:
    take(store, orders=[{"id": f"O-{n:04}"} for n in range(1_500)])

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        first = next(store.iterate("local", "orders"))
        gc.collect()

    assert (first.id, told) == ("O-0000", [])


def test_ids_that_exist_are_told_from_those_that_do_not(store: RecordStore) -> None:
    take(store, deals=[{"id": f"D-{n}"} for n in range(600)])

    found = store.existing_ids("local", "deals", [f"D-{n}" for n in range(500, 1_200)])

    assert len(found) == 100


def test_orders_come_account_by_account(store: RecordStore) -> None:
    take(
        store,
        contacts=[{"id": "C-1", "company_id": "CO-1"}, {"id": "CO-2"}],
        deals=[{"id": "D-1", "company_id": "CO-1"}],
        orders=[
            {"id": "O-1", "company_id": "CO-1"},
            {"id": "O-2", "company_id": "CO-2"},
            {"id": "O-3", "deal_id": "D-1"},
            {"id": "O-4", "contact_id": "C-1"},
            {"id": "O-5", "contact_id": "CO-2"},
            {"id": "O-6"},
        ],
    )

    found = {account: {o.id for o in orders} for account, orders in store.iterate_purchases("local")}

    assert found == {"CO-1": {"O-1", "O-3", "O-4"}, "CO-2": {"O-2"}, "contact:CO-2": {"O-5"}}


def test_long_texts_do_not_reach_an_index(store: RecordStore) -> None:
    take(
        store,
        companies=[{"id": "CO-1", "name": "x" * 5_000}],
        contacts=[{"id": "C-1", "email": "y" * 5_000 + "@orbis.example"}],
        activities=[{"id": "A-1", "source": "z" * 5_000}],
    )

    assert list(store.names("local")) == []
    assert store.find_by_source("local", "z" * 5_000) is None


def test_writers_at_the_same_time_lose_nothing(database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(3)]

    def write(number: int) -> None:
        for n in range(10):
            take(stores[number], companies=[{"id": "CO-1", f"x_{number}_{n}": n}])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stores[0].read_doc("local", "companies", "CO-1") or {}) == 31
    for opened in stores:
        opened.close()


def test_saved_fit_comes_back_as_it_was(store: RecordStore) -> None:
    population = Population(
        computed_at=NOW,
        stage_outcomes={("sales", "Proposal"): (30, 20, 7, 10)},
        stage_days={("sales", "Proposal"): (Decimal("14.00"), Decimal("2.50"))},
        product_gap_days={"P-1": (Decimal("30.5"), 4)},
        product_repeat={"P-1": (4, 9)},
        repeat_share=Decimal("0.4203"),
        closed_deals=(
            {
                "id": "D-1",
                "company_id": None,
                "industry": "dairy",
                "product_ids": ("P-1",),
                "amount": Decimal("48000.00"),
                "currency": "EUR",
                "discount_pct": None,
                "won": True,
                "closed_at": datetime(2026, 1, 2, tzinfo=UTC),
            },
        ),
        bought_with={"P-1": {"P-2": 5}},
        bought_by={"P-1": 9},
        accounts=9,
        account_gap_n=4,
    )

    store.save_population("local", population)

    assert store.population("local") == population
    assert store.population("acme") == Population()


def test_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    for module in iter_modules(crmplugin.store.__path__):
        import_module(f"crmplugin.store.{module.name}")
    engine = open_engine(database_url)
    migrate(engine)
    migrate(engine)

    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    engine.dispose()
    assert {"records", "drafts"} <= set(metadata.tables)
    assert differences == []


def test_purchases_tell_what_was_bought_and_what_came_back(store: RecordStore):
    lines = [{"product_id": "P", "quantity": q} for q in ("6", "0.5", -2, 0, "-1", None)]
    store.upsert_many(
        "local", [("orders", {"id": "O", "company_id": "C", "ordered_at": "2026-01-02T10:00:00Z", "lines": lines})]
    )

    ((account, (found,)),) = store.iterate_purchases("local")

    assert account == "C"
    assert found.ordered_at == datetime(2026, 1, 2, 10, tzinfo=UTC)
    assert [line.quantity for line in found.lines] == [1, 1, -1, 0, -1, None]
