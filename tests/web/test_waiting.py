"""The list of drafts: its order by the deals behind it, and many approved at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.web.conftest import documents, wait_until

DEALS = (
    ("D-small", "900.00", "GBP", "2026-03-01"),
    ("D-big", "80000.00", "GBP", "2026-05-01"),
    ("D-euro", "90000.00", "EUR", "2026-04-01"),
    ("D-yen", "99000000", "JPY", None),
)


@pytest.fixture(scope="module")
def deals(office):
    """Four deals with a note about each; one pound is 1.25 euro by an approved rate, and yen have none."""
    records = {
        "fx_rates": [{"id": "FX-1", "from": "GBP", "to": "EUR", "rate": "1.25", "on": "2026-01-02", "approved": True}],
        "deals": [
            {"id": id_, "name": id_, "company_id": "CO-1", "owner_id": "U-1", "status": "open", "amount": amount,
             "currency": currency, "next_step_due": due}
            for id_, amount, currency, due in DEALS
        ],
    }  # fmt: skip
    office.desk.records.upsert_many("local", documents(records))


@pytest.fixture
def notes(deals, admin):
    """Ids of a finished summary of each deal."""
    made = {
        id_: admin.post("/api/v1/drafts?wait=20", json={"kind": "summary", "deal_id": id_}).json for id_, *_ in DEALS
    }
    return {id_: draft["id"] for id_, draft in made.items()}


@pytest.fixture
def person(app, office):
    ends = datetime.now(UTC) + timedelta(hours=1)
    made = app.test_client()
    made.get(f"/sign-in/{office.desk.access.create_link('admin', expires_at=ends)}")
    made.environ_base["HTTP_ACCEPT"] = "text/html"
    return made


def order_of(page, notes):
    """The deals in the order in which a page lists their notes."""
    names = {draft: deal for deal, draft in notes.items()}
    return [names[id_] for id_ in re.findall(r'id="row-([0-9a-f]+)"', page.text) if id_ in names]


def test_what_waits_comes_by_the_value_of_its_deal(person, notes):
    page = person.get("/console")

    assert order_of(page, notes) == ["D-big", "D-euro", "D-small", "D-yen"]
    assert "no approved rate for JPY" in page.text


def test_what_is_due_first_comes_first_when_asked(person, notes):
    assert order_of(person.get("/console?by=due"), notes) == ["D-small", "D-euro", "D-big", "D-yen"]


def test_a_list_by_value_goes_on_page_by_page(office, notes):
    rates = {"GBP": Decimal(1), "EUR": Decimal("0.8")}
    asked = {"id": list(notes.values()), "rates": rates, "limit": 3}

    first = office.desk.drafts.ranked("value", **asked)
    second = office.desk.drafts.ranked("value", offset=3, **asked)

    assert first.ids == tuple(notes[id_] for id_ in ("D-big", "D-euro", "D-small"))
    assert (first.behind, second.behind, second.ids) == (True, False, (notes["D-yen"],))


def test_many_are_approved_at_once_and_what_no_record_says_is_refused(person, notes, admin):
    good, bad = notes["D-big"], notes["D-small"]
    text = admin.get(f"/api/v1/drafts/{bad}").json["body"] + "\nWe promised them 35 % off."
    edited = admin.patch(f"/api/v1/drafts/{bad}", json={"version": 1, "body": text}).json
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', person.get("/console").text)[1]

    page = person.post(
        "/console/drafts/approve", data={"csrf_token": token, "draft": [f"{good}:1", f"{bad}:{edited['version']}"]}
    )

    assert "1 draft was approved." in page.text
    assert "1 draft was refused" in page.text
    assert "35 % off" in page.text
    assert wait_until(lambda: admin.get(f"/api/v1/drafts/{good}").json["status"] == "written")
    assert admin.get(f"/api/v1/drafts/{bad}").json["status"] == "proposed"


def test_a_bulk_approval_of_an_older_version_is_refused(person, notes, admin):
    draft = notes["D-euro"]
    admin.patch(
        f"/api/v1/drafts/{draft}", json={"version": 1, "body": admin.get(f"/api/v1/drafts/{draft}").json["body"]}
    )
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', person.get("/console").text)[1]

    page = person.post("/console/drafts/approve", data={"csrf_token": token, "draft": [f"{draft}:1"]})

    assert "at version 2, not 1" in page.text
