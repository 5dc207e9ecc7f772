"""What README.md of the sample company promises: sizes, stage ages that mean something, rows about what exists."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from crmplugin.demo import load
from crmplugin.demo.expand import STAGES
from crmplugin.domain.brief import FollowUpType

MONDAY = date(2026, 3, 9)


@cache
def company() -> dict[str, Any]:
    return load(MONDAY)


def by_id(collection: str) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in company()[collection]}


def read_readme() -> str:
    return files("crmplugin.demo").joinpath("README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("collection", "least"),
    [
        ("users", 7), ("companies", 25), ("contacts", 60), ("deals", 40), ("quotes", 20), ("orders", 150),
        ("contracts", 5), ("activities", 200), ("tickets", 20), ("articles", 10), ("claims", 7), ("slots", 8),
    ],
)  # fmt: skip
def test_there_is_enough_of_everything(collection: str, least: int) -> None:
    assert len(company()[collection]) >= least


@pytest.mark.parametrize("pipeline", ["Equipment", "Service"])
def test_eight_won_deals_went_through_every_stage(pipeline: str) -> None:
    won = {deal["id"] for deal in company()["deals"] if deal["status"] == "won" and deal["pipeline"] == pipeline}
    entered = Counter(change["to"] for change in company()["stage_changes"] if change["deal_id"] in won)

    open_stages = [stage for stage in STAGES[pipeline] if stage != "Lost"]
    assert {stage: entered[stage] for stage in open_stages if entered[stage] < 8} == {}


def test_contacts_write_in_six_languages() -> None:
    assert {contact["language"] for contact in company()["contacts"]} == {"en", "de", "fr", "es", "it", "nl"}


def test_every_type_of_follow_up_has_an_english_and_a_german_row() -> None:
    rows = re.findall(r"^\| ([a-z_]+) \| .*(?:D-|CO-)\d+.* \| .*(?:D-|CO-)\d+.* \|$", read_readme(), re.MULTILINE)

    assert sorted(rows) == sorted(FollowUpType.__args__)


def test_every_id_of_the_readme_exists() -> None:
    known = {record["id"] for collection in company().values() if isinstance(collection, list) for record in collection}
    named = set(re.findall(r"\b(?:D|CO|C|T|Q|K|O|P|CL|OF|FX)-[A-Z0-9]+\b|\bA-\d+-\d+\b", read_readme()))

    assert named - known - {"T-521", "A-145-5", "A-146-4"} == set()


def test_quote_totals_follow_from_their_lines_but_for_the_one_meant_to_differ() -> None:
    odd = []
    for quote in company()["quotes"]:
        gross = sum(Decimal(str(line["quantity"])) * Decimal(line["unit_price"]) for line in quote["lines"])
        net = gross * (100 - Decimal(str(quote.get("discount_pct") or 0))) / 100 + Decimal(quote.get("freight") or 0)
        if net != Decimal(quote["total"]):
            odd.append((quote["id"], str(net), quote["total"]))

    assert odd == [("Q-1031", "21657.60", "22120.00")]


def test_consumables_became_dearer_a_hundred_days_ago() -> None:
    oil = [
        (order["ordered_at"][:10], line["unit_price"])
        for order in company()["orders"]
        if order["company_id"] == "CO-24"
        for line in order["lines"]
        if line["product_id"] == "P-OIL5"
    ]

    assert {price for day, price in oil if day < "2025-11-29"} == {"44.00"}
    assert {price for day, price in oil if day >= "2025-11-29"} == {"46.00"}


def test_no_address_or_link_could_be_real() -> None:
    addresses = [person["email"] for name in ("users", "contacts") for person in company()[name] if person.get("email")]

    assert [address for address in addresses if not address.lower().endswith(".example")] == []


def test_a_lost_deal_that_was_reopened_is_open_again() -> None:
    deal = by_id("deals")["D-136"]

    assert (deal["status"], deal["stage"]) == ("open", "Proposal")
    assert deal["closed_at"] < deal["reopened_at"]


def test_a_reopened_deal_that_was_won_was_closed_last() -> None:
    deal = by_id("deals")["D-209"]

    assert deal["status"] == "won"
    assert deal["reopened_at"] < deal["closed_at"]


def test_the_days_inside_a_mail_agree_with_the_record() -> None:
    assert "until 3 April." in by_id("activities")["A-105-5"]["body"]
    assert by_id("quotes")["Q-1031"]["valid_until"] == "2026-04-03"
