"""A list of the CRM as the segment of a campaign: its people, its opt-outs, both read again at each step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crmplugin.errors import NotFound
from crmplugin.journeys import campaigns
from crmplugin.journeys.campaign_export import release
from tests.campaigns.conftest import MARKETER, rows, run_here
from tests.connectors.cases.hubspot import SECRET
from tests.connectors.journey import Server, days_ago, server
from tests.fakes.hubspot import PORTAL, TOKEN, FakeHubSpot, with_orbis

WISH = {"connection": "acme", "segment_id": "12", "goal": "win_back", "languages": ["en"], "holdout_pct": 0}


def person(fake: FakeHubSpot, id_: str, name: str, **more: str) -> None:
    """Somebody who agreed to mail, at a company of their own."""
    fake.put("companies", f"7{id_}", name=f"Works {name}", country="United Kingdom")
    fake.put("contacts", id_, firstname=name, email=f"{name.lower()}@works.example", hs_language="en",
             associatedcompanyid=f"7{id_}", hs_legal_basis="Freely given consent from contact", **more)  # fmt: skip
    fake.tie("contacts", id_, "companies", f"7{id_}")


def buys_every_forty_days(fake: FakeHubSpot, company: str) -> None:
    for n, days in enumerate((41, 81, 121, 161)):
        id_ = f"{company}{n}"
        fake.put("deals", id_, dealname=f"Order {id_}", amount="4000.00", deal_currency_code="EUR", pipeline="default",
                 dealstage="closedwon", hs_is_closed="true", hs_is_closed_won="true", closedate=days_ago(days),
                 createdate=days_ago(days + 5))  # fmt: skip
        fake.put("line_items", f"{id_}1", name="Filter F-20", quantity="10", price="400.00", hs_product_id="301")
        fake.tie("deals", id_, "line_items", f"{id_}1")
        fake.tie("deals", id_, "companies", company)


@pytest.fixture
def hubspot() -> Iterator[FakeHubSpot]:
    """List 12: Ada may be written to, Eve opted out, Bo's address is unsubscribed; Cy stands on no list."""
    fake = with_orbis(FakeHubSpot())
    people = {"504": ("Eve", {"hs_email_optout": "true"}), "505": ("Bo", {}), "507": ("Cy", {}), "601": ("Ada", {})}
    for id_, (name, more) in people.items():
        person(fake, id_, name, **more)
    fake.unsubscribed.add("bo@works.example")
    fake.lists["12"] = ["504", "505", "601"]
    with fake.running():
        yield fake


@pytest.fixture
def here(hubspot: FakeHubSpot, tmp_path: Path) -> Iterator[Server]:
    options = {"base_url": hubspot.url, "access_token": TOKEN, "client_secret": SECRET, "portal_id": PORTAL,
               "calls_per_second": 500}  # fmt: skip
    with server(tmp_path, options, crm="hubspot", public_url="https://assist.example.com") as made:
        yield made


def previewed(here: Server, **changes: Any) -> Any:
    made = campaigns.create_campaign(here.office.desk, WISH | changes, MARKETER)
    return campaigns.preview_campaign(here.office.desk, made.id)["channels"]["email"]


def test_people_of_the_list_and_nobody_else_are_asked_for_their_permission(here, hubspot):
    found = previewed(here)

    assert (found["matched"], found["removed"], found["left"]) == (3, {"opted_out:email": 2}, 1)
    assert [m["contact_id"] for m in found["members"]] == ["601"]


def test_a_long_list_is_read_to_its_end(here, hubspot):
    hubspot.page = 1

    assert previewed(here)["matched"] == 3


def test_a_list_that_the_crm_does_not_have_is_refused_with_its_number(here):
    with pytest.raises(NotFound, match="no list 99"):
        previewed(here, segment_id="99")


def test_who_left_the_list_or_opted_out_after_the_message_was_made_gets_none(here, hubspot):
    person(hubspot, "602", "Al")
    hubspot.lists["12"].append("602")
    for id_ in ("601", "602"):
        buys_every_forty_days(hubspot, f"7{id_}")
    desk = here.office.desk
    done = run_here(desk, WISH | {"goal": "replenishment"})
    before = {row.contact: row.state for row in rows(desk, done)}

    hubspot.lists["12"].remove("601")
    hubspot.unsubscribed.add("al@works.example")
    release(desk, done.id, MARKETER)

    after = {row.contact: (row.state, row.reason) for row in rows(desk, done)}
    assert before == {"601": "drafted", "602": "drafted"}
    assert after == {"601": ("blocked", "left_list"), "602": ("blocked", "opted_out:email")}


def test_the_command_previews_a_list(here, hubspot, crmplugin, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMPLUGIN_CONFIG", str(tmp_path / "crmplugin.toml"))

    said = crmplugin("segments", "preview", "12", "--connection", "acme")

    assert said.out.splitlines()[0] == "3 accounts, 3 recipients, 1 left"
