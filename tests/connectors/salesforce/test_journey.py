"""An outbound message becomes a task in Salesforce, once, through our real server; and a lost one at the next look."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.salesforce.verify import ORGANIZATION, USER, sign_context
from connectors.tracing import traced
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.ask import Ask, ask_for_drafts
from crmplugin.journeys.sync import poll, sync
from tests.connectors.cases.salesforce import LEAD, OPTIONS, PANEL, TOKEN
from tests.connectors.journey import Server, days_ago, in_turn, server, wait_for
from tests.connectors.salesforce.test_webhooks import message
from tests.fakes.salesforce import ACCOUNT, DANA, DEAL, ORG, REP, ROBOT, FakeSalesforce, with_orbis

CANVAS = "canvas-consumer-secret-EXAMPLE"
HOOK = f"/webhooks/acme/{TOKEN}"


@pytest.fixture(scope="module")
def salesforce() -> Iterator[FakeSalesforce]:
    fake = with_orbis(FakeSalesforce())
    fake.put("Case", "500A0000000CaseIAA", CaseNumber="00001007", Subject="Line stands still", Status="New",
             Priority="Critical", IsClosed=False, AccountId=ACCOUNT, ContactId=DANA, CreatedDate=stamp(1))  # fmt: skip
    with fake.running():
        yield fake


@pytest.fixture(scope="module")
def here(salesforce: FakeSalesforce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = {**OPTIONS, "base_url": salesforce.url, "canvas_secret": CANVAS}
    var = tmp_path_factory.mktemp("var")
    with server(var, options, crm="salesforce", public_url="https://assist.example.com") as made:
        yield made


def stamp(days: float) -> str:
    return days_ago(days).replace("Z", "+0000")


def open_deal(fake: FakeSalesforce, id_: str) -> str:
    """A deal of its own of the company whose line stands still, with a mail of two days ago."""
    fake.put("Opportunity", id_, Name="Line controls", Amount=12500.0, StageName="Proposal/Price Quote", IsClosed=False,
             IsWon=False, AccountId=ACCOUNT, OwnerId=REP, CreatedDate=stamp(60), SystemModstamp=stamp(3),
             LastModifiedDate=stamp(3))  # fmt: skip
    fake.put("OpportunityContactRole", f"00K{id_[3:]}", OpportunityId=id_, ContactId=DANA, IsPrimary=True)
    fake.put("UserRecordAccess", f"access{id_}", UserId=REP, RecordId=id_, HasReadAccess=True)
    fake.put("EmailMessage", f"02s{id_[3:]}", Subject="Delivery time?", Incoming=True, Status="0", RelatedToId=id_,
             TextBody="What is the delivery time of the C-7?", FromAddress="dana@orbis.example",
             MessageDate=stamp(2), SystemModstamp=stamp(2))  # fmt: skip
    return id_


def send(here: Server, id_: str, event: str, *, path: str = HOOK, **fields: str) -> Any:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    given = {"LastStageChangeDate": now, "LastModifiedDate": now, "IsClosed": "false", **fields}
    body = message(given).replace(DEAL.encode(), id_.encode()).replace(b"04lA000000000000", event.encode())
    return here.client.post(path, data=body, headers={"Content-Type": "text/xml; charset=utf-8"})


def about(here: Server, id_: str) -> list[Any]:
    return [draft for draft in here.drafts() if draft["about"] == {"type": "deal", "id": id_}]


def proposed(here: Server, id_: str) -> Any:
    return wait_for(lambda: next((d for d in about(here, id_) if d["status"] == "proposed"), None))


def written(here: Server, id_: str) -> Any:
    """The internal note of a deal that went into negotiation, which needs no approval."""
    return wait_for(lambda: next((d for d in about(here, id_) if d["status"] == "written"), None))


def notes(fake: FakeSalesforce, id_: str) -> int:
    return [link["LinkedEntityId"] for link in fake.things["ContentDocumentLink"].values()].count(id_)


def tasks(fake: FakeSalesforce, id_: str) -> list[Any]:
    return [one for one in fake.things["Task"].values() if one.get("WhatId") == id_ and one.get("CreatedById") == ROBOT]


def test_message_twice_becomes_one_draft_and_after_approval_one_task(here, salesforce):
    deal = open_deal(salesforce, "006A00000010001IAA")

    first, again = (send(here, deal, "04lA000000000101") for _ in range(2))
    draft = proposed(here, deal)
    approved = here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    here.draft_when(draft["id"], "written")

    assert (first.status_code, again.status_code, approved.status_code) == (200, 200, 200)
    assert b"<Ack>true</Ack>" in first.data
    assert first.content_type == "text/xml; charset=utf-8"
    assert (draft["type"], draft["to"]["address"]) == ("service_acknowledgement", "dana@orbis.example")
    assert (len(tasks(salesforce, deal)), len(about(here, deal))) == (1, 1)


def test_whatever_goes_wrong_one_task_is_made(here, salesforce):
    """A limit, a locked row, slow answers in small pages, an ended session, and a 500 after the task was made."""
    deal = open_deal(salesforce, "006A00000010002IAA")
    salesforce.fail("POST", ".*/composite", 429, headers={"Retry-After": "1"}, body=[])
    salesforce.fail("POST", ".*/composite", 400, body=[{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}])
    salesforce.fail("POST", ".*/composite", 200, delay_s=0.5)
    salesforce.page = 1
    send(here, deal, "04lA000000000102")
    draft = proposed(here, deal)
    salesforce.page = 2000
    salesforce.forget_tokens()
    salesforce.fail("POST", ".*/composite", 500, after=True, times=2)

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    here.draft_when(draft["id"], "written")

    assert draft["to"]["address"] == "dana@orbis.example"
    assert len(tasks(salesforce, deal)) == 1


def test_draft_that_is_prepared_is_opened_without_asking_salesforce(here, salesforce):
    deal = open_deal(salesforce, "006A00000010009IAA")
    send(here, deal, "04lA000000000110")
    draft = proposed(here, deal)

    with traced() as prepared:
        opened = here.get(f"/api/v1/drafts?connection=acme&deal={deal}")["items"]
        whole = here.get(f"/api/v1/drafts/{draft['id']}")
    with traced() as asked_for_rights:
        by_rep = call(here, f"/drafts/{draft['id']}").json

    assert (prepared.rounds, prepared.calls) == (0, [])
    assert (opened[0]["id"], whole["body"], by_rep["body"]) == (draft["id"], draft["body"], draft["body"])
    assert asked_for_rights.rounds <= 1  # Whether this user may see the record is Salesforce's word, for a minute.


def test_deal_moved_before_approval_fails_in_words(here, salesforce):
    deal = open_deal(salesforce, "006A00000010003IAA")
    send(here, deal, "04lA000000000103")
    draft = proposed(here, deal)
    salesforce.move(deal, "Closed Lost", stamp(-0.001))

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    failed = here.draft_when(draft["id"], "failed")

    assert failed["status"] == "failed"
    assert tasks(salesforce, deal) == []


def test_lost_message_becomes_one_draft_at_the_next_look(here, salesforce):
    poll(here.office.desk, "acme")
    deal = open_deal(salesforce, "006A00000010004IAA")
    salesforce.move(deal, "Negotiation/Review", stamp(0))

    for _ in range(2):
        poll(here.office.desk, "acme")
    note = written(here, deal)
    poll(here.office.desk, "acme")

    assert note["kind"] == "negotiation_note"
    assert (len(about(here, deal)), notes(salesforce, deal)) == (1, 1)


def test_message_and_look_tell_one_change_once(here, salesforce):
    deal = open_deal(salesforce, "006A00000010005IAA")
    salesforce.move(deal, "Negotiation/Review", stamp(0))
    at = salesforce.things["Opportunity"][deal]["LastStageChangeDate"].replace("+0000", "Z")

    send(here, deal, "04lA000000000105", LastStageChangeDate=at, LastModifiedDate=at)
    written(here, deal)
    poll(here.office.desk, "acme")

    assert (len(about(here, deal)), notes(salesforce, deal)) == (1, 1)


def test_opt_out_in_salesforce_blocks_a_pitch_and_open_case_holds_it_back(here, salesforce):
    deal = open_deal(salesforce, "006A00000010006IAA")
    asked = {"connection": "acme", "kind": "pitch", "deal_id": deal}

    held = here.post("/api/v1/drafts?wait=20", asked)
    salesforce.things["Contact"][DANA]["HasOptedOutOfEmail"] = True
    blocked = here.post("/api/v1/drafts?wait=20", asked)
    salesforce.things["Contact"][DANA]["HasOptedOutOfEmail"] = False

    assert held.json["decision"]["code"] == "sell_hold"
    assert (blocked.json["decision"]["code"], blocked.json["status"]) == ("opted_out:email", "blocked")


def call(here: Server, path: str, body: Any = None, *, user: str = REP, secret: str = PANEL) -> Any:
    """What the Apex class sends for its user."""
    headers = {"Authorization": f"Bearer {secret}", USER: user, ORGANIZATION: ORG}
    method = "GET" if body is None else "POST"
    return here.client.open(f"/panel/acme{path}", method=method, json=body, headers=headers)


def test_apex_starts_polls_and_approves_for_its_user(here, salesforce):
    deal = open_deal(salesforce, "006A00000010007IAA")

    started = call(here, "/drafts", {"kind": "meeting_brief", "deal_id": deal, "key": "click-1"})
    again = call(here, "/drafts", {"kind": "meeting_brief", "deal_id": deal, "key": "click-1"})
    id_ = started.json["id"]
    draft = wait_for(lambda: (d := call(here, f"/drafts/{id_}").json)["status"] == "proposed" and d)
    approved = call(here, f"/drafts/{id_}/approve", {"version": draft["version"]})
    here.draft_when(id_, "written")

    assert (started.status_code, again.json["id"], approved.status_code) == (202, id_, 200)
    assert notes(salesforce, deal) == 1


SUBJECTS = [("company_id", ACCOUNT), ("contact_id", DANA), ("contact_id", LEAD), ("ticket_id", "500A0000000CaseIAA")]


@pytest.mark.parametrize(("field", "id_"), SUBJECTS, ids=["account", "contact", "lead", "case"])
def test_button_on_every_object_gets_a_text_about_it(here, salesforce, field, id_):
    salesforce.put("Lead", LEAD, FirstName="Bo", LastName="Lind", Email="bo@x.example", OwnerId=REP)
    salesforce.put("UserRecordAccess", f"access{id_}", UserId=REP, RecordId=id_, HasReadAccess=True)

    draft = call(here, "/drafts?wait=20", {"kind": "summary", field: id_, "key": f"on-{id_}"}).json

    assert (draft["status"], draft["about"]["id"]) == ("proposed", id_)
    assert draft["body"]


def test_text_is_shown_as_it_comes_checked_or_not(here, salesforce):
    deal = open_deal(salesforce, "006A00000010008IAA")
    desk = here.office.desk
    request = Request("acme", "summary", Subject("deal", deal))
    ask_for_drafts(desk, [Ask("d-arriving", request, "click", datetime.now(UTC), owner_id=REP)])
    channel = desk.broadcast.open("d-arriving")
    for event, data in PIECES:
        channel.emit(event, data)
    first = call(here, "/drafts/d-arriving").json
    channel.emit("text", {"index": 0, "text": "Another."})
    desk.broadcast.close("d-arriving")
    second = call(here, "/drafts/d-arriving").json

    assert (first["status"], second["status"]) == ("writing", "writing")
    assert first["arriving"] == [
        {"text": "It is open.", "role": "claim", "verdict": "supported"},
        {"text": "The quote", "role": None, "verdict": None},
    ]
    assert second["arriving"] == [{"text": "Another.", "role": None, "verdict": None}]


PIECES = [
    ("brief", {"facts": 3}), ("text", {"index": 0, "text": "It is "}), ("text", {"index": 0, "text": "open."}),
    ("sentence", {"index": 0, "text": "It is open.", "role": "claim", "verdict": "supported"}),
    ("text", {"index": 1, "text": "The "}), ("text", {"index": 1, "text": "quote"}),
]  # fmt: skip


def test_user_whom_salesforce_lets_not_see_the_deal_and_wrong_secret_get_nothing(here):
    asked = {"kind": "follow_up", "deal_id": DEAL}

    assert call(here, "/drafts", asked, user="005A0000000NobdIAS").status_code == 404
    assert call(here, "/drafts", asked, secret="x" * 40).status_code == 401


def erasing(person: str) -> dict[str, str]:
    """What a flow on the Individual posts when somebody wishes to be forgotten."""
    return {"object": "Contact", "record_id": person, "event": "contact.erased", "event_id": f"forget-{person}",
            "organization_id": ORG, "user_id": REP}  # fmt: skip


def test_person_to_be_forgotten_is_erased_here_when_a_flow_says_so(here, salesforce):
    person = salesforce.put("Contact", "003A0000000LeavIAA", LastName="Leaver", Email="leaver@orbis.example",
                            AccountId=ACCOUNT)  # fmt: skip
    records = here.office.desk.records
    in_turn(sync, here)
    known = records.read_one("acme", "contacts", person)

    told = here.client.post("/webhooks/acme", json=erasing(person), headers={"Authorization": f"Bearer {TOKEN}"})

    assert known.last_name == "Leaver"
    assert told.status_code == 200
    wait_for(lambda: records.read_one("acme", "contacts", person) is None)


def signed_request(deal: str, *, user: str = REP, secret: str = CANVAS) -> str:
    """What Salesforce signs when a Canvas frame opens on a record."""
    context = {
        "algorithm": "HMACSHA256", "issuedAt": int(time.time() * 1000), "userId": user, "client": {},
        "context": {"organization": {"organizationId": ORG}, "user": {"userName": "rep@seller.example"},
                    "environment": {"record": {"Id": deal}}},
    }  # fmt: skip
    text = base64.b64encode(json.dumps(context).encode()).decode()
    return f"{sign_context(secret, text)}.{text}"


def canvas(here: Server, value: str, connection: str = "acme") -> Any:
    return here.client.post(f"/panel/{connection}", data={"signed_request": value})


def test_canvas_frame_opens_our_panel_once_for_its_user_and_record(here, salesforce):
    deal = open_deal(salesforce, "006A00000010011IAA")
    signed = signed_request(deal)

    opened, again = canvas(here, signed), canvas(here, signed)
    otherwise = here.client.post("/panel/acme", data={"more": "1", "signed_request": signed})
    token = re.search(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+", opened.data)[0].decode()
    asked = {"kind": "meeting_brief", "deal_id": deal, "key": "canvas-1"}
    started = here.client.post("/panel/acme/drafts", json=asked, headers={"Authorization": f"Bearer {token}"})

    assert (opened.status_code, opened.content_type) == (200, "text/html; charset=utf-8")
    assert deal.encode() in opened.data
    assert (again.status_code, otherwise.status_code) == (401, 401)
    assert started.status_code in (201, 202)


def test_canvas_frame_of_a_stranger_or_another_secret_stays_closed(here, salesforce):
    deal = open_deal(salesforce, "006A00000010012IAA")

    assert canvas(here, signed_request(deal, user="005A0000000NobdIAS")).status_code == 404
    assert canvas(here, signed_request(deal, secret="another-secret")).status_code == 401
    assert canvas(here, signed_request("701A000000CampaIAA")).status_code == 401
    assert canvas(here, "x").status_code == 401
    assert canvas(here, signed_request(deal), "local").status_code == 401


def test_without_the_token_401_and_unreadable_xml_is_kept_and_acknowledged(here):
    refused = send(here, DEAL, "04lA000000000109", path="/webhooks/acme")
    unreadable = here.client.post(HOOK, data=b"<html>not ours</html>")

    assert refused.status_code == 401
    assert (unreadable.status_code, b"<Ack>true</Ack>" in unreadable.data) == (200, True)
