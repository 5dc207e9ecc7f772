"""What drafts make of tables with gaps: what nobody filled in is said, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

ACCOUNTS = """account,sector,year_established,revenue,employees,office_location,subsidiary_of
Tallwood,retail,1990,12.5,40,Germany,
"""
PRODUCTS = """product,series,sales_price
GTX Pro,GTX,4821
MG Special,MG,55
"""
PIPELINE = """opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
OPENBLANK,Ana Ruiz,GTXPro,,Engaging,2026-01-05,,
OPENONE,Ana Ruiz,GTXPro,Tallwood,Engaging,2026-01-06,,
OPENTWO,Ana Ruiz,MG Special,Tallwood,Prospecting,,,
WONONE,Ana Ruiz,GTXPro,Tallwood,Won,2025-10-01,2025-12-01,4514
LOSTONE,Ana Ruiz,GTXPro,Tallwood,Lost,2025-10-02,2025-12-02,0
"""
CUSTOMERS = """customer_id,company_name,contact_name,contact_title,address,city,region,postal_code,country,phone,fax
NORDA,Nordanby,Siv Ek,Owner,Storgatan 1,Lund,,22100,Sweden,+46 46 123 45 67,
"""
GOODS = """product_id,product_name,supplier_id,category_id,quantity_per_unit,unit_price,units_in_stock,discontinued
11,Sea Salt,1,1,10 boxes,9.80000019,5,0
"""
ORDERS = """order_id,customer_id,employee_id,order_date,required_date,shipped_date,ship_via,freight
901,NORDA,1,2025-11-03,,,1,32.3800011
902,NORDA,1,2025-12-01,,,1,11.6099997
903,NORDA,1,2025-12-29,,,1,65.8300018
"""
LINES = """order_id,product_id,unit_price,quantity,discount
901,11,9.80000019,5,0
902,11,9.80000019,5,0
903,11,9.80000019,5,0.150000006
"""
PIPELINE_FILES = {"accounts.csv": ACCOUNTS, "products.csv": PRODUCTS, "sales_pipeline.csv": PIPELINE}
ORDER_FILES = {"customers.csv": CUSTOMERS, "goods.csv": GOODS, "orders.csv": ORDERS, "order_details.csv": LINES}
NOON = "2026-02-09T11:00:00Z"


@pytest.fixture
def draft(crmplugin, tmp_path: Path):
    """The draft of a kind about a record, after these tables went in."""

    def ask(files: dict[str, str], kind: str, *about: str):
        paths = [tmp_path / name for name in files]
        for path in paths:
            path.write_text(files[path.name], encoding="utf-8")
        assert crmplugin("import", *paths).code == 0
        return crmplugin("draft", kind, *about, "--as-of", NOON, "--json").json

    return ask


def lines_of(draft: dict) -> list[str]:
    return [line for line in draft["body"].splitlines() if ": " in line]


def test_a_deal_without_company_amount_and_people_says_so(draft):
    lines = lines_of(draft(PIPELINE_FILES, "summary", "--deal", "OPENBLANK"))

    assert "Company: Not on record." in lines
    assert "Amount: Not on record." in lines
    assert "People: Nobody is on record for this deal." in lines
    assert "Next: Put on record who decides there: nobody is." in lines


def test_a_won_deal_has_its_day_and_amount_and_neither_chance_nor_risk(draft):
    lines = lines_of(draft(PIPELINE_FILES, "summary", "--deal", "WONONE"))

    assert lines == [
        "Closed: Won on 1 December.",
        "Products: GTX Pro",
        "Amount: 4,514; its currency is not on record.",
        "Next: Nothing is due.",
    ]


def test_the_zero_of_a_lost_deal_is_no_amount(draft):
    lines = lines_of(draft(PIPELINE_FILES, "summary", "--deal", "LOSTONE"))

    assert lines == [
        "Closed: Lost on 2 December.",
        "Products: GTX Pro",
        "Amount: Not on record.",
        "Next: Nothing is due.",
    ]


def test_deals_without_a_name_are_told_apart(draft):
    lines = lines_of(draft(PIPELINE_FILES, "meeting_brief", "--company", "Tallwood"))

    assert [line for line in lines if line.startswith("Deal")] == [
        "Deal OPENONE: Engaging, GTX Pro; it has no name.",
        "Deal OPENTWO: Prospecting, MG Special; it has no name.",
    ]


def test_a_note_without_quantities_or_discounts_says_what_is_known_and_no_more(draft):
    lines = lines_of(draft(PIPELINE_FILES, "negotiation_note", "--deal", "OPENONE"))

    assert "Amount at list prices: Unknown: no quantities are on record." in lines
    assert "Amount offered: No offer is on record." in lines
    assert "Largest discount allowed: Unknown: no policy is on record. Ask before you give anything." in lines
    assert "Their other deals: 1 won, 1 lost; the newest was lost on 2 December." in lines
    assert "Deals about GTX Pro: 1 of 2 closed in two years were won: cases, not a rate." in lines
    assert "Nobody on record: No person of theirs is on record for this deal." in lines
    assert not [line for line in lines if line.startswith(("Won for", "Risks: No sign"))]


@pytest.mark.parametrize(
    ("deal", "says"),
    [
        ("WONONE", "Closed: Won on 1 December: nothing is left to negotiate."),
        ("LOSTONE", "Closed: Lost on 2 December: nothing is left to negotiate until it is reopened."),
    ],
)
def test_nothing_is_negotiated_or_asked_about_a_closed_deal(draft, deal, says):
    answer = draft(PIPELINE_FILES, "negotiation_note", "--deal", deal)
    lines = lines_of(answer)

    assert lines[0] == says
    assert not [line for line in lines if line.startswith(("Ask:", "Anchor:", "Concessions:", "Risks:"))]
    assert answer["missing_questions"] == []


def test_the_day_of_engaging_is_when_the_stage_began_and_not_when_the_deal_was_made(crmplugin, tmp_path):
    for name, text in PIPELINE_FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    crmplugin("import", *(tmp_path / name for name in PIPELINE_FILES))

    engaging, prospecting = (
        crmplugin("brief", "--deal", deal, "--as-of", NOON, "--json").json for deal in ("OPENONE", "OPENTWO")
    )
    exported = crmplugin("export", "--all", "--connection", "local").json

    assert (engaging["signals"]["stage_age_days"], engaging["signals"]["stage_age_n"]) == (34, 1)
    assert prospecting["signals"]["stage_age_days"] is None
    assert not any("created_at" in deal for deal in exported["deals"])


def test_nobody_to_write_to_is_a_block_and_no_guess(draft):
    answer = draft(PIPELINE_FILES, "follow_up", "--deal", "OPENONE")

    assert (answer["status"], answer["decision"]["code"]) == ("blocked", "unreachable")


def test_an_account_that_orders_shows_its_orders_and_names_what_is_due(draft):
    lines = lines_of(draft(ORDER_FILES, "summary", "--company", "NORDA"))

    assert "Orders: 3 on record; the newest is 903 of 29 December." in lines
    assert "Sea Salt: Bought 3 times, last on 29 December, 42 days ago: overdue (expected after 28 days)." in lines
    assert "Next: Ask whether Sea Salt is needed again (today)." in lines


def test_a_single_order_of_long_ago_is_a_risk_and_no_news(draft):
    files = ORDER_FILES | {"orders.csv": ORDERS.splitlines()[0] + "\n901,NORDA,1,2024-05-03,,,1,32.3800011\n"}
    files["order_details.csv"] = "\n".join(LINES.splitlines()[:2]) + "\n"

    summary = lines_of(draft(files, "summary", "--company", "NORDA"))
    digest = lines_of(draft(files, "insight_digest", "--company", "NORDA"))

    assert "Buying has stopped: No order since 3 May 2024, 647 days." in summary
    assert digest[0] == "Changes: None in orders, people, cases, quotes or contracts in the last seven days."


def test_an_outline_without_a_product_says_so(draft):
    files = ORDER_FILES | {"customers.csv": CUSTOMERS + CUSTOMERS.splitlines()[1].replace("NORDA", "SYDBY") + "\n"}

    lines = lines_of(draft(files, "outline", "--company", "SYDBY"))

    assert "Products: No deal, quote or due item names any: choose one first." in lines


def test_an_account_without_orders_says_so(draft):
    files = ORDER_FILES | {"customers.csv": CUSTOMERS + CUSTOMERS.splitlines()[1].replace("NORDA", "SYDBY") + "\n"}

    assert "Orders: None on record." in lines_of(draft(files, "summary", "--company", "SYDBY"))


def test_who_has_only_a_postal_address_may_be_written_a_letter(draft):
    answer = draft(ORDER_FILES, "pitch", "--company", "NORDA")

    assert answer["decision"]["code"] == "no_consent:phone"
    assert [way["do"] for way in answer["decision"]["alternatives"]] == ["letter"]


def test_what_was_bought_once_is_not_counted(draft):
    files = ORDER_FILES | {"orders.csv": ORDERS.replace("903,NORDA,1,2025-12-29,,,1,65.8300018\n", "")}
    files["order_details.csv"] = "\n".join(LINES.splitlines()[:2]) + "\n"

    answer = draft(files, "follow_up", "--company", "NORDA", "--type", "replenishment", "--channel", "letter")

    assert "times" not in (answer["body"] or "")
