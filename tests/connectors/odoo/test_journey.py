"""A webhook of Odoo becomes a note and an activity, once, through our real server; a lost one at the next look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmplugin.journeys.sync import poll
from tests.connectors.cases.odoo import OPTIONS, SECRET
from tests.connectors.journey import Server, in_turn, server, wait_for
from tests.fakes.odoo import BOT, FakeOdoo, with_orbis

HOOK = f"/webhooks/acme?token={SECRET}"
NEGOTIATION = 5
PERSON = 2


@pytest.fixture(scope="module")
def odoo() -> Iterator[FakeOdoo]:
    fake = with_orbis(FakeOdoo())
    fake.put("crm.stage", NEGOTIATION, name="Negotiation", sequence=5, is_won=False)
    for n, days in enumerate((310, 250, 190, 130, 70)):
        order(fake, 800 + n, days)
    with fake.running():
        yield fake


@pytest.fixture(scope="module")
def here(odoo: FakeOdoo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = {**OPTIONS, "base_url": odoo.url, "stages": {"Negotiation": "negotiation"}}
    var = tmp_path_factory.mktemp("var")
    with server(var, options, crm="odoo", public_url="https://assist.example.com") as made:
        in_turn(poll, made)
        yield made


def stamp(days_ago: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).strftime("%Y-%m-%d %H:%M:%S")


def open_deal(fake: FakeOdoo, id_: int) -> int:
    """A deal of its own of Dana's, in the stage before the negotiation."""
    fake.put("crm.lead", id_, name="Line controls", type="opportunity", partner_id=501, stage_id=3, team_id=1,
             user_id=777, expected_revenue=11250.0, company_currency=1, won_status="pending",
             date_last_stage_update=stamp(20), create_date=stamp(60), write_date=stamp(20))  # fmt: skip
    return id_


def order(fake: FakeOdoo, id_: int, days: float) -> None:
    """Ten filters of Dana's: every sixty days, so that the next ones are due."""
    fake.put("sale.order", id_, name=f"S{id_}", state="sale", partner_id=501, date_order=stamp(days),
             amount_untaxed=4000.0, currency_id=1)  # fmt: skip
    fake.put("sale.order.line", id_ * 10, order_id=id_, product_id=301, name="Filter F-20", product_uom_qty=10.0,
             price_unit=400.0, discount=0.0)  # fmt: skip


def move(fake: FakeOdoo, id_: int, stage: int, *, by: int = PERSON) -> None:
    fake.things["crm.lead"][id_] |= {
        "stage_id": stage, "date_last_stage_update": stamp(), "write_date": stamp(), "write_uid": by,
    }  # fmt: skip


def tell(here: Server, fake: FakeOdoo, id_: int, *, path: str = HOOK) -> Any:
    """What the automation rule sends of a deal as it is now."""
    names = ("stage_id", "type", "active", "won_status", "create_date", "write_date", "write_uid",
             "date_last_stage_update", "date_closed")  # fmt: skip
    lead = fake.things["crm.lead"][id_]
    sent = {"_action": "Deal assistant(#424)", "_id": id_, "_model": "crm.lead", "id": id_}
    body = json.dumps(sent | {name: lead.get(name, False) for name in names})
    return here.client.post(path, data=body, headers={"Content-Type": "application/json"})


def about(here: Server, id_: int) -> list[Any]:
    return [draft for draft in here.drafts() if draft["about"] == {"type": "deal", "id": str(id_)}]


def draft_of(here: Server, id_: int, *statuses: str) -> Any:
    return wait_for(lambda: next((d for d in about(here, id_) if d["status"] in statuses), None))


def notes(fake: FakeOdoo, id_: int) -> list[Any]:
    return [one for one in fake.things["mail.message"].values()
            if one["res_id"] == id_ and one["message_id"].startswith("<crmplugin:")]  # fmt: skip


def activities(fake: FakeOdoo, id_: int) -> list[Any]:
    return [one for one in fake.things["mail.activity"].values() if one["res_id"] == id_]


def asked_mail(here: Server, id_: int) -> Any:
    """A follow-up that a rep asked for, written."""
    answer = here.post("/api/v1/drafts?wait=20", {"connection": "acme", "kind": "follow_up", "deal_id": str(id_)})
    assert answer.json["status"] == "proposed", answer.json
    return answer.json


def test_webhook_told_twice_becomes_one_note_that_mails_nobody(here, odoo):
    deal = open_deal(odoo, 9101)
    move(odoo, deal, NEGOTIATION)

    first, again = (tell(here, odoo, deal) for _ in range(2))
    note = draft_of(here, deal, "written")

    assert (first.status_code, again.status_code, first.data) == (200, 200, b"{}")
    assert note["kind"] == "negotiation_note"
    assert (len(about(here, deal)), len(notes(odoo, deal)), activities(odoo, deal)) == (1, 1, [])


def test_approved_mail_becomes_one_activity_of_the_owner(here, odoo):
    deal = open_deal(odoo, 9102)
    draft = asked_mail(here, deal)

    approved = [here.post(f"/api/v1/drafts/{draft['id']}/approve", {}).status_code for _ in range(2)]
    here.draft_when(draft["id"], "written")

    (task,) = activities(odoo, deal)
    assert approved[0] == 200
    assert (draft["to"]["address"], task["user_id/.id"], notes(odoo, deal)) == ("dana@orbis.example", "777", [])
    assert f"Ref crmplugin:{draft['id']}" in task["note"]


def test_answers_that_are_lost_after_the_work_was_done_still_make_one(here, odoo):
    deal = open_deal(odoo, 9103)
    draft = asked_mail(here, deal)
    odoo.fail("POST", ".*/mail.activity/load", 500, after=True)
    odoo.fail("POST", ".*/message_post", 502, after=True)
    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    here.draft_when(draft["id"], "written")
    move(odoo, deal, NEGOTIATION)
    tell(here, odoo, deal)
    wait_for(lambda: next((d for d in about(here, deal) if d["kind"] == "negotiation_note"), None))
    wait_for(lambda: all(d["status"] == "written" for d in about(here, deal)))

    assert (len(activities(odoo, deal)), len(notes(odoo, deal))) == (1, 1)


def test_deal_that_moved_before_approval_fails_in_words(here, odoo):
    deal = open_deal(odoo, 9105)
    draft = asked_mail(here, deal)
    odoo.things["crm.lead"][deal]["date_last_stage_update"] = stamp(-0.001)

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    failed = here.draft_when(draft["id"], "failed")

    assert "Ask for a new draft" in json.dumps(failed)
    assert activities(odoo, deal) == []


def test_lost_webhook_becomes_one_draft_at_the_next_look(here, odoo):
    deal = open_deal(odoo, 9106)
    move(odoo, deal, NEGOTIATION)

    for _ in range(2):
        in_turn(poll, here)
    draft_of(here, deal, "written")
    tell(here, odoo, deal)
    in_turn(poll, here)

    assert (len(about(here, deal)), len(notes(odoo, deal))) == (1, 1)


def test_what_the_bot_did_itself_makes_no_draft(here, odoo):
    deal = open_deal(odoo, 9107)
    move(odoo, deal, NEGOTIATION, by=BOT)

    answer = tell(here, odoo, deal)
    in_turn(poll, here)
    other = open_deal(odoo, 9108)
    move(odoo, other, NEGOTIATION)
    tell(here, odoo, other)
    draft_of(here, other, "written")

    assert answer.status_code == 200
    assert about(here, deal) == []


def test_blacklisted_person_gets_no_pitch(here, odoo):
    deal = open_deal(odoo, 9109)
    odoo.things["res.partner"][501]["is_blacklisted"] = True

    answer = here.post("/api/v1/drafts?wait=20", {"connection": "acme", "kind": "pitch", "deal_id": str(deal)})
    odoo.things["res.partner"][501]["is_blacklisted"] = False

    assert (answer.json["status"], answer.json["decision"]["code"]) == ("blocked", "opted_out:email")


def test_address_without_the_secret_is_401(here, odoo):
    deal = open_deal(odoo, 9110)
    move(odoo, deal, NEGOTIATION)

    answers = [tell(here, odoo, deal, path=path).status_code for path in (HOOK[:-1], "/webhooks/acme")]

    assert answers == [401, 401]
