"""Any table, written in any dialect and any form, comes back the same; random bytes never crash the importer."""

from __future__ import annotations

import io
from collections import defaultdict
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmplugin.domain.records import check_record
from crmplugin.errors import UsageError
from crmplugin.tables.mapping import read_mapping, write_mapping
from crmplugin.tables.reading import Source, read_table
from crmplugin.tables.take import Known, Unknown, take, understand
from tests.tables.dialect_tables import AMOUNT, DAY, FORMS, ID, NAME, Form, empty_world, records

TELLING = date(2026, 12, 31)
"""A day that can be read in one order alone, so that no column is in doubt."""
DEALS = {
    "hubspot": ("Record ID", "Deal Name", "Deal Stage", "Amount", "Close Date"),
    "salesforce": ("Opportunity ID", "Opportunity Name", "Stage", "Amount", "Close Date"),
    "zoho": ("Record Id", "Deal Name", "Stage", "Amount", "Closing Date", "Account Name"),
    "pipedrive": ("Deal - ID", "Deal - Title", "Deal - Status", "Deal - Value", "Deal - Expected close date"),
    "maven": ("opportunity_id", "sales_agent", "deal_stage", "close_value", "close_date", "product", "account"),
}
DEAL = st.tuples(NAME, AMOUNT, DAY)


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("dialect", DEALS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deals=st.dictionaries(ID, DEAL, min_size=1, max_size=6), form=FORMS)
def test_deals_of_any_dialect_and_form_come_back_the_same(
    dialect: str, deals: dict[str, tuple[str, Decimal, date]], form: Form
):
    headings = DEALS[dialect]
    told = {**deals, "ZZ-0": ("last", Decimal("1234.50"), TELLING)}
    spare = [""] * (len(headings) - 5)
    rows = [
        [id_, name, "open", form.amount(amount), form.day(day), *spare] for id_, (name, amount, day) in told.items()
    ]

    found = records(form.write(headings, rows))["deals"]

    assert {id_: (Decimal(str(d["amount"])), d["close_date"]) for id_, d in found.items()} == {
        id_: (amount, day.isoformat()) for id_, (_, amount, day) in told.items()
    }
    if dialect != "maven":
        assert {id_: d["name"] for id_, d in found.items()} == {id_: plain(name) for id_, (name, _, _) in told.items()}


@settings(max_examples=60)
@given(
    people=st.dictionaries(ID, st.tuples(NAME, NAME, NAME), min_size=1, max_size=6),
    form=FORMS,
    headings=st.sampled_from(
        [
            ("Record ID", "First Name", "Last Name", "Email"),
            ("Contact ID", "First Name", "Last Name", "Email"),
            ("Record Id", "First Name", "Last Name", "Email", "Contact Owner", "Account Name"),
            ("Person - ID", "Person - First name", "Person - Last name", "Person - Email - Work", "Person - Name"),
        ]
    ),
)
def test_contacts_of_any_dialect_and_form_come_back_the_same(
    people: dict[str, tuple[str, str, str]], form: Form, headings: tuple[str, ...]
):
    spare = [""] * (len(headings) - 4)
    rows = [[id_, *cells, *spare] for id_, cells in people.items()]

    found = records(form.write(headings, rows))["contacts"]

    assert {id_: (d["first_name"], d["last_name"], d["email"]) for id_, d in found.items()} == {
        id_: tuple(cell.strip() for cell in cells) for id_, cells in people.items()
    }


COMPANIES = {
    "hubspot": ("Record ID", "Company name", "Industry", "City"),
    "pipedrive": (
        "Organization - ID", "Organization - Name", "Organization - Industry",
        "Organization - City/town/village/locality of Address",
    ),
    "salesforce": ("Account ID", "Account Name", "Industry", "Billing City"),
    "zoho": ("Record Id", "Account Name", "Industry", "Billing City", "Account Owner"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", COMPANIES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(firms=st.dictionaries(ID, st.tuples(NAME, NAME, NAME), min_size=1, max_size=6), form=FORMS)
def test_companies_of_any_dialect_and_form_come_back_the_same(
    dialect: str, firms: dict[str, tuple[str, str, str]], form: Form
):
    headings = COMPANIES[dialect]
    spare = [""] * (len(headings) - 4)
    rows = [[id_, *cells, *spare] for id_, cells in firms.items()]

    found = records(form.write(headings, rows))["companies"]

    assert {id_: tuple(plain(d[key]) for key in ("name", "industry", "city")) for id_, d in found.items()} == {
        id_: tuple(plain(cell) for cell in cells) for id_, cells in firms.items()
    }


SIDE_TABLES = {
    "Northwind customers": (
        ("customer_id", "company_name", "city", "contact_name", "contact_title"), "companies", ("name", "city")),
    "Northwind products": (
        ("product_id", "product_name", "quantity_per_unit", "category_id", "unit_price", "discontinued"),
        "products", ("name", "unit")),
    "Northwind employees": (
        ("employee_id", "first_name", "title", "last_name", "hire_date"), "users", ("name", "title")),
}  # fmt: skip
"""Headings of which the first is the id and the next two are written; collection, and the fields they come back in."""


@pytest.mark.parametrize("table", SIDE_TABLES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(things=st.dictionaries(ID, st.tuples(NAME, NAME), min_size=1, max_size=6), form=FORMS)
def test_the_tables_beside_the_orders_come_back_the_same(table: str, things: dict[str, tuple[str, str]], form: Form):
    headings, collection, keys = SIDE_TABLES[table]
    rows = [[id_, *cells, *[""] * (len(headings) - 3)] for id_, cells in things.items()]

    found = records(form.write(headings, rows))[collection]

    assert {id_: tuple(plain(d[key]) for key in keys) for id_, d in found.items()} == {
        id_: tuple(plain(cell) for cell in cells) for id_, cells in things.items()
    }


@settings(max_examples=25)
@given(
    firms=st.dictionaries(NAME.map(plain), st.tuples(NAME, st.integers(1, 90_000)), min_size=1, max_size=6), form=FORMS
)
def test_accounts_known_by_their_name_alone_come_back_the_same(firms: dict[str, tuple[str, int]], form: Form):
    headings = ("account", "sector", "employees", "office_location")

    found = records(form.write(headings, [[name, sector, str(n), ""] for name, (sector, n) in firms.items()]))

    assert sorted((plain(d["name"]), plain(d["industry"]), d["employees"]) for d in found["companies"].values()) == (
        sorted((name, plain(sector), str(n)) for name, (sector, n) in firms.items())
    )


@settings(max_examples=25)
@given(goods=st.dictionaries(NAME.map(plain), AMOUNT, min_size=1, max_size=6), form=FORMS)
def test_products_known_by_their_name_alone_come_back_the_same(goods: dict[str, Decimal], form: Form):
    told = {**goods, "the one whose price tells the form": Decimal("1234.50")}
    rows = [[name, "GTX", form.amount(price)] for name, price in told.items()]

    found = records(form.write(("product", "series", "sales_price"), rows))["products"]

    assert {plain(d["name"]): Decimal(d["list_price"]) for d in found.values()} == told


LINE = st.tuples(
    st.sampled_from(["10001", "10002A", "10003"]),
    st.integers(-50, 500),
    st.decimals(Decimal("0.01"), Decimal("500"), places=2),
)
ORDERS = st.dictionaries(
    st.integers(500_000, 599_999).map(str),
    st.tuples(st.integers(10_000, 19_999).map(str), st.dates(date(2010, 1, 1), date(2020, 1, 1))),
    min_size=1, max_size=5,
)  # fmt: skip


@settings(max_examples=60)
@given(orders=ORDERS, lines=st.lists(st.tuples(st.integers(0, 4), LINE), min_size=1, max_size=20), form=FORMS)
def test_order_lines_in_any_form_and_sequence_come_back_the_same(orders, lines, form: Form):
    headings = (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )
    known = [*orders.items()]
    written, expected = [], defaultdict(list)
    last = ("600000", ("20000", date(2010, 12, 31)))
    for n, (code, quantity, price) in [*lines, (-1, ("10001", 1, Decimal("1234.50")))]:
        number, (customer, day) = last if n < 0 else known[n % len(known)]
        written.append(
            [
                number,
                code,
                "thing",
                str(quantity),
                f"{form.day(day)} 08:26:00",
                form.amount(price),
                customer,
                "France",
            ]
        )
        expected[number, customer].append((code, str(quantity), price))

    found = records(form.write(headings, written))["orders"]

    assert {
        (o["number"], o["company_id"]): [(n["product_id"], n["quantity"], Decimal(n["unit_price"])) for n in o["lines"]]
        for o in found.values()
    } == dict(expected)
    for doc in found.values():
        assert check_record("orders", doc) == doc


@settings(max_examples=30)
@given(st.lists(st.tuples(ID, DAY), min_size=1, max_size=5), st.sampled_from(["dmy", "mdy"]))
def test_dates_are_read_as_written_or_refused_but_never_turned(rows: list[tuple[str, date]], order: str):
    form = Form(order=order)
    data = form.write(
        ("Record ID", "Deal Name", "Deal Stage", "Close Date"),
        [[f"{id_}/{n}", "x", "open", form.day(day)] for n, (id_, day) in enumerate(rows)],
    )

    found = understand(Source("some.csv", lambda: io.BytesIO(data)), [])

    if isinstance(found, Known):
        docs = [item.docs[0][1] for _, item in take([found], empty_world())]
        assert [doc["close_date"] for doc in docs] == [day.isoformat() for _, day in rows]
    else:
        assert found.doubts[0].key == "order"
        assert any(day.day != day.month for _, day in rows)


def go_through(data: bytes) -> None:
    source = Source("some.csv", lambda: io.BytesIO(data))
    with suppress(UsageError):
        found = understand(source, [])
        if isinstance(found, Unknown):
            read_mapping(write_mapping(found.table, "some.toml", layout=found.layout, doubts=found.doubts), "some.toml")
        else:
            list(take([found], empty_world()))


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_random_bytes_never_crash_the_importer(data: bytes):
    go_through(data)


@settings(max_examples=100)
@given(st.sampled_from(sorted(DEALS)), st.binary(max_size=200))
def test_random_bytes_under_known_headings_never_crash_the_importer(dialect: str, data: bytes):
    go_through(",".join(DEALS[dialect]).encode() + b"\n" + data)


@settings(max_examples=100)
@given(st.lists(st.lists(st.text(max_size=12), min_size=8, max_size=8), min_size=1, max_size=4))
def test_random_cells_of_order_lines_never_crash_the_importer(rows: list[list[str]]):
    headings = (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )
    with suppress(UnicodeEncodeError):
        go_through(Form().write(headings, rows))


@settings(max_examples=100)
@given(st.lists(st.text(max_size=15), min_size=1, max_size=5), st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_the_mapping_file_of_any_table_can_be_read_again(headings: list[str], cells: list[str]):
    row = (cells * 5)[: len(headings)]
    with suppress(UnicodeEncodeError, UsageError):
        data = Form().write(headings, [row])
        table = read_table(Source("some.csv", lambda: io.BytesIO(data)))
        text = write_mapping(table, "some.toml")
        with suppress(UsageError):
            layout = read_mapping(text, "some.toml")
            assert [column.heading for column in layout.columns] == [h for h in table.headings if h]
