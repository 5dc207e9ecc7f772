"""A HubSpot webhook becomes a task in HubSpot, once, through our real server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.hubspot.verify import sign_v3
from tests.connectors.cases.hubspot import SECRET
from tests.connectors.journey import Server, days_ago, server, wait_for
from tests.fakes.hubspot import PORTAL, TOKEN, FakeHubSpot, with_orbis

PUBLIC = "https://assist.example.com"
HOOK = "/webhooks/acme"


@pytest.fixture(scope="module")
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    with fake.running():
        yield fake


@pytest.fixture(scope="module")
def here(hubspot: FakeHubSpot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("var"), options_of(hubspot), crm="hubspot", public_url=PUBLIC) as made:
        yield made


def options_of(hubspot: FakeHubSpot, **more: Any) -> dict[str, Any]:
    """The settings of a connection to this fake, which may be called as often as one likes."""
    keys = {"base_url": hubspot.url, "access_token": TOKEN, "client_secret": SECRET, "portal_id": PORTAL}
    return {**keys, "calls_per_second": 500, "timeout_s": 3, **more}


def deal_with_open_ticket(hubspot: FakeHubSpot, id_: str) -> str:
    """A deal of its own of the company whose line stands still, with a mail of two days ago."""
    hubspot.put("deals", id_, dealname="Line controls", amount="12500.00", deal_currency_code="EUR",
                dealstage="presentationscheduled", pipeline="default", createdate=days_ago(60),
                hubspot_owner_id="4455")  # fmt: skip
    hubspot.put("emails", f"{id_}1", hs_email_subject="Delivery time?", hs_email_direction="INCOMING_EMAIL",
                hs_email_text="What is the delivery time of the C-7?", hs_timestamp=days_ago(2),
                hs_email_headers='{"from":{"email":"dana@orbis.example"}}')  # fmt: skip
    hubspot.tie("deals", id_, "companies", "7001")
    hubspot.tie("deals", id_, "contacts", "501")
    hubspot.tie("deals", id_, "emails", f"{id_}1")
    return id_


def send(here: Server, *changes: dict[str, Any], path: str = HOOK, spoil: bool = False) -> Any:
    body = json.dumps(changes).encode()
    stamp = str(int(time.time() * 1000))
    signature = sign_v3(SECRET, "POST", PUBLIC + path, body + (b" " if spoil else b""), stamp)
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    return here.client.post(path, data=body, headers=headers)


def moved(deal: str, event: int, **more: Any) -> dict[str, Any]:
    return {
        "eventId": event, "portalId": int(PORTAL), "appId": 54321, "occurredAt": int(time.time() * 1000),
        "subscriptionType": "object.propertyChange", "attemptNumber": 0, "objectId": int(deal), "objectTypeId": "0-3",
        "propertyName": "dealstage", "propertyValue": "presentationscheduled", "changeSource": "CRM_UI",
    } | more  # fmt: skip


def drafts_about(here: Server, deal: str) -> list[Any]:
    return [draft for draft in here.drafts() if draft["about"] == {"type": "deal", "id": deal}]


def draft_of(here: Server, deal: str) -> Any:
    """The draft that an event made about a deal, written."""
    return wait_for(lambda: next((d for d in drafts_about(here, deal) if d["status"] == "proposed"), None))


def tasks_of(hubspot: FakeHubSpot, deal: str) -> list[str]:
    return [tie[3] for tie in hubspot.ties if tie[:3] == ("deals", deal, "tasks")]


def test_event_becomes_a_draft_and_after_approval_one_task(here, hubspot):
    deal = deal_with_open_ticket(hubspot, "9101")
    change = moved(deal, 1)

    first, again = send(here, change), send(here, change | {"attemptNumber": 1})
    draft = draft_of(here, deal)
    approved = here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    written = here.draft_when(draft["id"], "written")

    assert (first.status_code, again.status_code, first.data) == (204, 204, b"")
    assert approved.status_code == 200
    assert (draft["type"], draft["to"]["address"]) == ("service_acknowledgement", "dana@orbis.example")
    assert written["status"] == "written"
    assert len(tasks_of(hubspot, deal)) == 1
    assert len(drafts_about(here, deal)) == 1


def test_whatever_goes_wrong_one_task_is_made(here, hubspot):
    """Rate limits, a search that fails, an answer slower than we wait, and a 500 after the task was made."""
    deal = deal_with_open_ticket(hubspot, "9102")
    limit = {"policyName": "TEN_SECONDLY_ROLLING"}
    hubspot.fail("GET", f"/crm/objects/2026-09/deals/{deal}", 429, headers={"Retry-After": "1"}, body=limit, times=2)
    hubspot.fail("POST", r"/crm/objects/2026-09/deals/search", 503)
    hubspot.fail("POST", r"/crm/objects/2026-09/emails/batch/read", 200, delay_s=3.5)
    send(here, moved(deal, 2))
    draft = draft_of(here, deal)
    hubspot.fail("POST", r"/crm/objects/2026-09/tasks", 429, headers={"Retry-After": "1"}, body=limit)
    hubspot.fail("POST", r"/crm/objects/2026-09/tasks", 500, after=True)

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    here.draft_when(draft["id"], "written")

    assert len(tasks_of(hubspot, deal)) == 1


def test_limit_of_ten_seconds_is_slept_by_the_job_and_one_task_is_made(here, hubspot):
    deal = deal_with_open_ticket(hubspot, "9106")
    limit = {"policyName": "TEN_SECONDLY_ROLLING", "message": "You have reached your ten_secondly_rolling limit."}
    hubspot.fail("GET", f"/crm/objects/2026-09/deals/{deal}", 429, headers={"Retry-After": "4"}, body=limit)

    send(here, moved(deal, 6))
    waiting = wait_for(lambda: [j for j in here.get("/api/v1/jobs")["items"] if "429" in str(j["wait_reason"])])
    draft = draft_of(here, deal)
    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    here.draft_when(draft["id"], "written")

    assert "ten_secondly_rolling" in waiting[0]["wait_reason"]
    assert len(tasks_of(hubspot, deal)) == 1


def test_validation_error_of_hubspot_is_told_and_nothing_is_written(here, hubspot):
    deal = deal_with_open_ticket(hubspot, "9107")
    send(here, moved(deal, 7))
    draft = draft_of(here, deal)
    refusal = {"message": "Property values were not valid", "errors": [{"message": '"dealtype" is required'}]}
    hubspot.fail("POST", r"/crm/objects/2026-09/tasks", 400, body=refusal)

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    failed = here.draft_when(draft["id"], "failed")

    assert 'Property values were not valid; "dealtype" is required' in failed["problem"]
    assert tasks_of(hubspot, deal) == []


def test_change_that_our_own_app_made_starts_no_draft(here, hubspot):
    deal = deal_with_open_ticket(hubspot, "9108")

    send(here, moved(deal, 8, changeSource="INTEGRATION", sourceId="54321"))
    rows = here.office.desk.events.list
    wait_for(lambda: [row for row in rows(connection="acme", state="ignored").items if "echo" in str(row.reason)])

    assert drafts_about(here, deal) == []


def test_deal_moved_before_approval_fails_in_words(here, hubspot):
    deal = deal_with_open_ticket(hubspot, "9103")
    send(here, moved(deal, 3))
    draft = draft_of(here, deal)
    hubspot.move(deal, "closedlost", days_ago(-0.001))

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    failed = here.draft_when(draft["id"], "failed")

    assert failed["status"] == "failed"
    assert tasks_of(hubspot, deal) == []


def test_open_ticket_in_hubspot_holds_the_offer_back(here, hubspot):
    deal = deal_with_open_ticket(hubspot, "9104")

    answer = here.post("/api/v1/drafts?wait=20", {"connection": "acme", "kind": "pitch", "deal_id": deal})

    assert answer.json["decision"]["code"] == "sell_hold"


def test_opt_out_in_hubspot_blocks_a_pitch(here, hubspot):
    deal = deal_with_open_ticket(hubspot, "9105")
    hubspot.things["contacts"]["501"]["properties"]["hs_email_optout"] = "true"

    answer = here.post("/api/v1/drafts?wait=20", {"connection": "acme", "kind": "pitch", "deal_id": deal})
    hubspot.things["contacts"]["501"]["properties"]["hs_email_optout"] = None

    assert answer.json["decision"]["code"] == "opted_out:email"
    assert answer.json["status"] == "blocked"


def test_spoilt_signature_is_401_and_unreadable_is_kept(here):
    assert send(here, moved("9101", 9), spoil=True).status_code == 401
    assert here.client.post(HOOK, data=b"[]").status_code == 401


def test_event_of_no_use_is_2xx_and_ignored_by_name(here):
    answer = send(here, moved("9101", 10, objectTypeId="2-5"))
    event = wait_for(lambda: next((e for e in here.get("/api/v1/events")["items"] if "hubspot." in e["type"]), None))

    assert answer.status_code == 204
    assert event["type"] == "hubspot.2-5.propertyChange"
