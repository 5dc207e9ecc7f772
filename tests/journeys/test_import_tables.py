"""Tables go into the store as what their headings say, and what cannot go in says why."""

from __future__ import annotations

import csv
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmplugin.domain.records import check_record
from crmplugin.errors import UsageError
from crmplugin.journeys.import_records import ImportReport
from crmplugin.journeys.import_tables import harmless, import_files
from crmplugin.store.records import RecordStore
from tests.store.filled import open_store

HUBSPOT = """\
Record ID,Deal Name,Amount,Deal Stage,Close Date,Deal Owner,Company Name,Pipeline,Create Date
HS-001,Pump line,$125000,Proposal Sent,2026-04-15,Nora Falk,Acme Corp,Enterprise,2026-01-10
HS-002,Spare parts,$250.50,Closed Won,2026-02-15,Nora Falk,AcmeCorp,Enterprise,2026-01-10
HS-003,Loose end,,Odd stage,2026-04-15,,,Enterprise,2026-01-10
"""
LINES = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,POST,POSTAGE,1,2010-12-01 08:26:00,18.0,17850,United Kingdom
536365,71053,LANTERN,2,2010-12-01 08:27:00,0.0,17850,United Kingdom
536366,85123A,WHITE HANGING HOLDER,6,2010-12-02 08:28:00,2.55,13047,EIRE
C53637,85123A,WHITE HANGING HOLDER,-1,2010-12-03 08:28:00,2.55,13047,Unspecified
536368,85123A,damaged,-10,2010-12-03 09:00:00,0.0,,United Kingdom
A56303,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,13047,EIRE
"""
ACCOUNTS = "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n"
PRODUCTS = "product,series,sales_price\nGTX Pro,GTX,4821\nMG Special,MG,55\n"
TEAMS = "sales_agent,manager,regional_office\nMoses Frase,Dustin Brinkmann,Central\n"
PIPELINE = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"


@pytest.fixture
def store(database_url: str):
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def take(store: RecordStore, tmp_path: Path) -> Callable[..., ImportReport]:
    """Imports texts as files: `take(deals=HUBSPOT)`."""

    def run(mappings: tuple[str, ...] = (), connection: str = "local", **texts: str | bytes) -> ImportReport:
        paths = []
        for name, text in texts.items():
            path = tmp_path / f"{name}.csv"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        given = [tmp_path / name for name in mappings]
        return import_files(paths, connection=connection, records=store, folder=tmp_path / "var", mappings=given)

    return run


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.taken, report.updated, report.unchanged


def reasons(report: ImportReport) -> list[tuple[int, str]]:
    return [(row["line"], row["reason"]) for row in report.refused]


def docs(store: RecordStore, collection: str) -> list[dict[str, Any]]:
    return list(store.iterate_docs("local", collection))


# What cannot go in


def test_unknown_headings_write_a_mapping_file_and_nothing_goes_in(take, store: RecordStore, tmp_path: Path):
    with pytest.raises(UsageError, match=r"no known table has these headings; look over .*odd\.mapping\.toml"):
        take(odd="Foo,Bar\n1,2\n")

    assert 'row = ""' in (tmp_path / "odd.mapping.toml").read_text()
    assert store.counts("local") == {}


def test_one_unknown_table_keeps_all_of_them_out(take, store: RecordStore):
    with pytest.raises(UsageError):
        take(deals=HUBSPOT, odd="Foo,Bar\n1,2\n")

    assert store.counts("local") == {}


def test_a_mapping_file_that_waits_to_be_filled_is_not_written_over(take, tmp_path: Path):
    (tmp_path / "odd.mapping.toml").write_text("# mine")

    with pytest.raises(UsageError, match="is there: fill it in"):
        take(odd="Foo,Bar\n1,2\n")

    assert (tmp_path / "odd.mapping.toml").read_text() == "# mine"


def test_dates_in_doubt_ask_for_their_order_and_the_filled_file_settles_it(take, store: RecordStore, tmp_path: Path):
    doubtful = HUBSPOT.replace("2026-04-15", "03/04/2026").replace("2026-02-15", "05/06/2026")
    with pytest.raises(UsageError, match='order of the column "Close Date": "03/04/2026" can be dmy or mdy'):
        take(deals=doubtful)
    path = tmp_path / "deals.mapping.toml"

    path.write_text(path.read_text().replace('order = ""', 'order = "mdy"'))
    report = take(deals=doubtful, mappings=("deals.mapping.toml",))

    assert report.refused_rows == 0
    assert {d["id"]: d.get("close_date") for d in docs(store, "deals")} == {
        "HS-001": "2026-03-04", "HS-002": None, "HS-003": "2026-03-04",
    }  # fmt: skip


def test_a_mapping_file_given_back_with_its_question_open_asks_again(take, tmp_path: Path):
    doubtful = HUBSPOT.replace("2026-04-15", "03/04/2026").replace("2026-02-15", "05/06/2026")
    with pytest.raises(UsageError):
        take(deals=doubtful)

    with pytest.raises(UsageError, match='fill in the order of the column "Close Date"'):
        take(deals=doubtful, mappings=("deals.mapping.toml",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row = ", "this is no TOML: "),
        ('row = "dealz"', "line 1: row must say what one row is"),
        ('row = "deals"\nfoo = 1', "line 2: foo is no key of a mapping file"),
        ('row = "deals"\n[columns.Foo]\nto = "deals.amuont"', 'Foo goes to "deals.amuont".*did you mean "amount"'),
        ('row = "deals"\n[columns.Foo]\nto = "nowhere"', 'Foo goes to "nowhere", which is no place'),
        ('row = "deals"\n[columns.Foo]\nto = "deals.amount"\nnumber = "1.2"', "number must be one of"),
        ('row = "deals"\n[columns.Foo]\nto = "deals.close_date"\norder = "xyz"', "order must be one of"),
        ('row = "deals"\ncurrency = "euro"', "currency must be a currency"),
        ('row = "deals"\n[columns.Foo]\nwidth = 3', 'width of column "Foo" is unknown'),
        ('row = "deals"\ntimezone = "Nowhere/Town"', "timezone must be"),
        ('row = "deals"\n[columns.Baz]\nto = "deals.id"', 'no file has all columns of this mapping; missing: "Baz"'),
        ("columns = 3", "row must say"),
    ],
)
def test_a_broken_mapping_file_is_an_error_with_its_key(take, tmp_path: Path, text: str, message: str):
    (tmp_path / "m.toml").write_text(text)

    with pytest.raises(UsageError, match=message):
        take(odd="Foo,Bar\n1,2\n", mappings=("m.toml",))


def test_a_row_that_cannot_be_read_is_refused_with_its_reason_and_goes_to_a_file(take, tmp_path: Path):
    report = take(deals=HUBSPOT + "HS-004,=cmd(),twelve,Won,2026-04-15,,,,2026-01-10\n")

    assert reasons(report) == [(5, "Amount: expected a number written as in 1,234.50, got 'twelve'")]
    assert report.refused_rows == 1
    with (tmp_path / "var" / "deals.refused.csv").open(newline="") as stream:
        heading, row = csv.reader(stream)
    assert heading[:4] == ["line", "reason", "Record ID", "Deal Name"]
    assert row[0] == "5"
    assert row[2:5] == ["HS-004", "'=cmd()", "twelve"]


def test_a_refused_row_leaves_nothing_behind(take, store: RecordStore):
    take(deals=HUBSPOT + "HS-004,New,twelve,Won,2026-04-15,Somebody Else,New Corp,,2026-01-10\n")

    assert [c["name"] for c in docs(store, "companies")] == ["Acme Corp"]
    assert [u["name"] for u in docs(store, "users")] == ["Nora Falk"]


def test_an_id_that_stands_twice_with_other_values_is_refused(take):
    report = take(deals=HUBSPOT + HUBSPOT.splitlines()[1].replace("Pump", "Valve") + "\n")

    assert reasons(report) == [(5, "'HS-001' stands already in line 2, with other values")]


@pytest.mark.parametrize(
    ("cell", "safe"),
    [("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("@me", "'@me"), ("-5", "-5"), ("-1,5", "-1,5"), ("plain", "plain")],
)
def test_cells_of_the_refused_file_are_no_formulas(cell: str, safe: str):
    assert harmless(cell) == safe


def test_records_of_a_crm_that_is_elsewhere_are_refused(take, store: RecordStore):
    report = take(deals=HUBSPOT, connection="acme")

    assert report.taken == 0
    assert "reads from its CRM" in report.refused[0]["reason"]


# Dialects


def test_hubspot_deals_name_their_company_owner_and_state(take, store: RecordStore):
    take(deals=HUBSPOT)

    first, second, third = docs(store, "deals")
    assert (first["amount"], first["status"], first["stage_kind"]) == ("125000", "open", "proposal")
    assert (first["company_id"], first["owner_id"]) == ("Acme Corp", "Nora Falk")
    assert "currency" not in first
    assert second["closed_at"] == "2026-02-15T12:00:00Z"
    assert "close_date" not in second
    assert not {"amount", "company_id", "status", "stage_kind", "owner_id"} & third.keys()


def test_a_blank_company_and_an_unknown_stage_are_said(take):
    notes = " ".join(take(deals=HUBSPOT).notes)

    assert "no company is named in 1 row: kept without one" in notes
    assert 'what the stage "Odd stage" means for a deal is not known (once)' in notes
    assert 'which currency "$" means stands nowhere (2 times)' in notes


def test_the_seller_says_which_dollar_and_which_zone(take, store: RecordStore):
    store.upsert_many("local", [("seller", {"currency": "CAD", "timezone": "America/Toronto"})])

    take(deals=HUBSPOT)

    assert docs(store, "deals")[0]["currency"] == "CAD"
    assert docs(store, "deals")[0]["created_at"] == "2026-01-10T12:00:00-05:00"


def test_the_same_file_twice_changes_nothing(take):
    assert counts(take(deals=HUBSPOT)) == (5, 0, 0)
    assert counts(take(deals=HUBSPOT)) == (0, 0, 5)


def test_deals_join_the_companies_beside_them_by_name(take, store: RecordStore):
    companies = "Record ID,Company name,Domain,Company owner,Industry,Create Date,Last Activity Date\n"

    take(deals=HUBSPOT, firms=companies + "77,Acme Corp,acme.example,Nora Falk,retail,2026-01-01,\n")

    assert [d.get("company_id") for d in docs(store, "deals")] == ["77", "77", None]
    assert docs(store, "companies")[0]["owner_id"] == "Nora Falk"


def test_two_companies_of_one_name_are_never_guessed_between(take, store: RecordStore):
    companies = "Record ID,Company name,Domain\n77,Acme Corp,acme.example\n78,Acme Corp,acme.test\n"

    report = take(deals=HUBSPOT, firms=companies)

    assert [d.get("company_id") for d in docs(store, "deals")] == [None, None, None]
    assert docs(store, "deals")[0]["x_company"] == "Acme Corp"
    assert any('several company records are called "Acme Corp"' in note for note in report.notes)


def test_the_sample_sheet_of_pipedrive_is_a_deal_with_all_that_hangs_on_it(take, store: RecordStore):
    take(
        sheet="Person - Name*,Person - First name,Person - Last name,Person - Phone,Person - Email (Work),"
        "Person - Email (Home),Organization - Name*,Organization - Address,Deal - Title,Deal - Value,"
        "Activity - Subject*,Activity - Due date,Note - Content*\n"
        'Tia Moor,Tia,Moor,570-809,tia@moveer.example,t@home.example,Moveer Ltd,"5, Fincham Road, US",Moveer Deal,'
        "100.0,First pitch,45631.0,Likes blue\n"
    )

    (deal,) = docs(store, "deals")
    assert (deal["name"], deal["amount"], deal["company_id"]) == ("Moveer Deal", "100", "Moveer Ltd")
    assert deal["contact_ids"] == ["tia@moveer.example"]
    assert {(a["type"], a.get("subject"), a.get("due_on"), a.get("body")) for a in docs(store, "activities")} == {
        ("task", "First pitch", "2024-12-05", None), ("note", None, None, "Likes blue"),
    }  # fmt: skip
    assert docs(store, "companies")[0]["postal_address"] == "5, Fincham Road, US"


def test_pipedrive_list_exports_are_read_and_custom_columns_kept(take, store: RecordStore):
    take(
        persons="Person - ID,Person - Name,Person - Email - Work,Person - Organization\n9,Tia Moor,t@m.test,Moveer\n",
        deals="Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Status,Deal - Organization,"
        "Deal - Contact person,Deal - Won time,Deal - Territory\n"
        "4,Big,1000,EUR,Won,Moveer,Tia Moor,2026-02-01 10:00:00,North\n",
    )

    (deal,) = docs(store, "deals")
    assert (deal["status"], deal["currency"], deal["primary_contact_id"]) == ("won", "EUR", "9")
    assert deal["x_deal_territory"] == "North"


@pytest.mark.parametrize(
    ("headings", "name"),
    [
        ("Opportunity Name,Account Name,Stage,Close Date,Amount", "Salesforce opportunities"),
        ("Account ID,Account Name,Billing City", "Salesforce accounts"),
        ("Contact ID,First Name,Last Name,Email,Account Name", "Salesforce contacts"),
        ("Record Id,Deal Name,Account Name,Stage,Closing Date,Amount", "Zoho deals"),
        ("Record Id,First Name,Last Name,Email,Account Name,Contact Owner", "Zoho contacts"),
        ("Account Name,Account Owner,Billing City,Website", "Zoho accounts"),
        ("Record ID,First Name,Last Name,Email,Contact owner,Lifecycle Stage", "HubSpot contacts"),
        ("Organization - Name,Organization - Address", "Pipedrive organisations"),
    ],
)
def test_dialects_are_told_apart_by_their_headings(take, headings: str, name: str):
    values = {"Close Date": "2026-03-13", "Closing Date": "2026-03-13", "Amount": "5", "Email": "a@b.example"}
    row = ",".join(values.get(heading, "Thing") for heading in headings.split(","))

    report = take(some=f"{headings.upper()}\n{row}\n")

    assert reasons(report) == []
    assert f"read as {name} (" in report.notes[0]


def test_dialects_that_no_export_was_seen_of_say_so(take):
    report = take(some="Opportunity Name,Stage,Close Date\nBig,Prospecting,2026-03-13\n")

    assert "from documentation, not from an export" in report.notes[0]


# Order lines


def test_lines_become_orders_with_returns_services_and_free_gifts(take, store: RecordStore):
    report = take(lines=LINES)

    orders = {o["id"]: o for o in docs(store, "orders")}
    assert orders["536365"] == {
        "id": "536365", "number": "536365", "company_id": "17850", "ordered_at": "2010-12-01T08:26:00Z",
        "lines": [
            {"product_id": "85123A", "quantity": "6", "unit_price": "2.55"},
            {"quantity": "1", "unit_price": "18"},
            {"product_id": "71053", "quantity": "2", "unit_price": "0"},
        ],
    }  # fmt: skip
    assert orders["C53637"]["lines"] == [{"product_id": "85123A", "quantity": "-1", "unit_price": "2.55"}]
    assert {p["id"]: p["name"] for p in docs(store, "products")} == {
        "85123A": "WHITE HANGING HOLDER",
        "71053": "LANTERN",
    }
    assert {c["id"]: c.get("country") for c in docs(store, "companies")} == {"17850": "GB", "13047": "IE"}
    assert reasons(report) == [
        (7, "no customer: an order that is nobody's cannot be used for anyone"),
        (8, "a price below zero: a correction and no sale"),
    ]


def test_a_number_that_two_customers_have_is_two_orders(take, store: RecordStore):
    take(lines=LINES + "536365,71053,LANTERN,1,2010-12-01 09:00:00,3.39,13047,EIRE\n")

    assert {o["id"] for o in docs(store, "orders")} == {
        "536365/17850/2010-12-01", "536365/13047/2010-12-01", "536366", "C53637",
    }  # fmt: skip


def test_ids_that_a_program_took_for_numbers_lose_their_point(take, store: RecordStore):
    take(lines=LINES.replace(",17850,", ",17850.0,").replace(",13047,", ",13047.0,"))

    assert {c["id"] for c in docs(store, "companies")} == {"17850", "13047"}


def test_orders_are_valid_records_and_the_same_file_changes_nothing(take, store: RecordStore):
    assert counts(take(lines=LINES)) == (7, 0, 0)
    assert counts(take(lines=LINES)) == (0, 0, 7)
    for order in docs(store, "orders"):
        assert check_record("orders", order) == order


def test_lines_join_the_orders_beside_them(take, store: RecordStore):
    report = take(
        orders="order_id,customer_id,employee_id,order_date,shipped_date,freight\n"
        "10248,VINET,5,1996-07-04,1996-07-16,32.3800011\n10249,NOONE,5,1996-07-05,,1\n",
        details="order_id,product_id,unit_price,quantity,discount\n"
        "10248,11,14,12,0\n10248,42,9.80000019,10,0.150000006\n10248,99,1,1,0\n10250,11,14,1,0\n",
        customers="customer_id,company_name,contact_name,contact_title,country\nVINET,Vins,Paul Henriot,Owner,France\n",
        products="product_id,product_name,category_id,quantity_per_unit,unit_price,discontinued\n"
        "11,Queso,4,1 kg,21,0\n42,Mee,4,32 x 1,14,1\n",
        categories="category_id,category_name,description\n4,Dairy Products,Cheeses\n",
    )

    (contact,) = docs(store, "contacts")
    assert (contact["company_id"], contact["last_name"], contact["title"]) == ("VINET", "Paul Henriot", "Owner")
    (order,) = docs(store, "orders")
    assert (order["company_id"], order["freight"], order["x_shipped_date"]) == ("VINET", "32.38", "1996-07-16")
    assert order["lines"] == [
        {"product_id": "11", "unit_price": "14", "quantity": "12", "discount_pct": "0"},
        {"product_id": "42", "unit_price": "9.8", "quantity": "10", "discount_pct": "15"},
    ]
    assert [(p["category"], p["active"]) for p in docs(store, "products")] == [("Dairy Products", True)] + [
        ("Dairy Products", False)
    ]
    assert sorted(reason for _, reason in reasons(report)) == [
        "names '10250', which is neither in these files nor in the store (orders)",
        "names '99', which is neither in these files nor in the store (products)",
        "names 'NOONE', which is neither in these files nor in the store (companies)",
    ]


def test_orders_without_customer_can_be_kept_on_request(take, store: RecordStore, tmp_path: Path):
    (tmp_path / "m.toml").write_text(
        'row = "order_lines"\nkeep_without_company = true\ncurrency = "GBP"\n[columns]\n"InvoiceNo" = "orders.id"\n'
        '"StockCode" = "products.id"\n"Quantity" = "lines.quantity"\n"CustomerID" = "companies.id"\n'
    )

    take(lines=LINES, mappings=("m.toml",))

    assert {o["id"]: o.get("company_id") for o in docs(store, "orders")}["536368"] is None


# Dirty names


def test_names_that_are_equal_but_for_spaces_are_joined_and_said(take, store: RecordStore):
    report = take(
        accounts=ACCOUNTS + "Isdom,technolgy,2002,3178.24,4540,United States,\n",
        products=PRODUCTS, teams=TEAMS,
        pipeline=PIPELINE + "A1,Moses Frase,GTXPro,Isdom,Won,2016-10-25,2017-03-11,4514\n"
        "A2,Moses Frase,GTX Pros,,Engaging,2016-10-25,,\n"
        "A3,Moses Frase,MG Special,Isdom,Lost,2016-10-25,2017-03-11,0\n",
    )  # fmt: skip

    won, blank, lost = docs(store, "deals")
    assert (won["product_ids"], won["company_id"], won["amount"]) == (["GTX Pro"], "Isdom", "4514")
    assert won["closed_at"] == "2017-03-11T12:00:00Z"
    assert not {"product_ids", "company_id", "amount", "closed_at"} & blank.keys()
    assert (blank["status"], blank["stage_kind"], blank["x_product"]) == ("open", "qualified", "GTX Pros")
    assert "amount" not in lost
    notes = " ".join(report.notes)
    assert 'the product "GTXPro" (once) is "GTX Pro" but for spaces, hyphens or case' in notes
    assert 'no product is called "GTX Pros" (once), so none was joined; did you mean "GTX Pro"?' in notes
    assert '"technolgy" under sector (once) is kept as it is; did you mean "technology"?' in notes
    assert docs(store, "companies")[0]["industry"] == "technolgy"


# Mapping files


def test_the_guesses_of_a_mapping_file_import_as_they_are(take, store: RecordStore, tmp_path: Path):
    table = (
        "Kundennr;Firma;Vorname;Nachname;E-Mail;Angelegt am;Betrag\n"
        "1;Bäckerei Kühn;Eva;Kühn;eva@kuehn.example;23.04.2026;1.234,50\n"
    )
    with pytest.raises(UsageError):
        take(kunden=table.encode("cp1252"))

    report = take(kunden=table.encode("cp1252"), mappings=("kunden.mapping.toml",))

    assert counts(report) == (2, 0, 0)
    (contact,) = docs(store, "contacts")
    assert (contact["company_id"], contact["last_name"], contact["email"]) == ("1", "Kühn", "eva@kuehn.example")
    assert contact["created_at"] == "2026-04-23T12:00:00Z"
    assert contact["x_betrag"] == "1.234,50"


def test_german_order_lines_are_guessed_and_their_doubts_asked(take, store: RecordStore, tmp_path: Path):
    table = (
        "Rechnungsnummer;Rechnungsdatum;Kundennummer;Artikelnummer;Bezeichnung;Menge;Einzelpreis\n"
        "R1;03.04.2026;K1;A1;Schraube;1.000;0,125\nR2;05.06.2026;K1;A1;Schraube;2.000;0,125\n"
    )
    with pytest.raises(UsageError):
        take(umsatz=table)
    path = tmp_path / "umsatz.mapping.toml"
    text = path.read_text()
    assert 'row = "order_lines"' in text
    assert text.count('= ""  # fill in') == 2

    path.write_text(text.replace('order = ""', 'order = "dmy"').replace('number = ""', 'number = "1.234,50"'))
    take(umsatz=table, mappings=("umsatz.mapping.toml",))

    first, second = docs(store, "orders")
    assert first["ordered_at"] == "2026-04-03T12:00:00Z"
    assert first["lines"] == [{"product_id": "A1", "quantity": "1000", "unit_price": "0.125"}]
    assert second["lines"][0]["quantity"] == "2000"


def test_a_mapping_file_is_written_where_it_is_asked_for(take, tmp_path: Path):
    with pytest.raises(UsageError, match=r"mine\.toml"):
        take(odd="Foo,Bar\n1,2\n", mappings=("mine.toml",))

    assert (tmp_path / "mine.toml").exists()


# The command


def test_the_command_takes_tables_and_says_what_became_of_them(crmplugin, tmp_path: Path):
    path = tmp_path / "lines.csv"
    path.write_text(LINES)

    answer = crmplugin("import", path, "--json")

    assert answer.code == 5
    assert (answer.json["taken"], answer.json["refused_rows"]) == (7, 2)
    assert answer.json["refused"][0]["line"] == 7
    assert answer.json["refused_files"] == [str(tmp_path / "var" / "lines.refused.csv")]


def test_the_command_shows_how_far_it_is_where_somebody_looks(tmp_path: Path):
    path = tmp_path / "deals.csv"
    path.write_text(HUBSPOT, encoding="utf-8")
    code = "from crmplugin.cli import main; main()"
    ours, theirs = pty.openpty()

    done = subprocess.run(
        [sys.executable, "-c", code, "import", path], stdout=subprocess.PIPE, stderr=theirs, check=False
    )
    os.close(theirs)
    seen = os.read(ours, 100_000).decode()
    os.close(ours)

    assert done.returncode == 0
    assert "reading" in seen
    assert "100%" in seen


def test_the_command_exits_1_with_nothing_in_when_headings_are_unknown(crmplugin, tmp_path: Path):
    path = tmp_path / "odd.csv"
    path.write_text("Foo,Bar\n1,2\n")

    answer = crmplugin("import", path)

    assert answer.code == 1
    assert answer.out == ""
