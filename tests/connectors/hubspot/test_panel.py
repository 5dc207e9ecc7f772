"""The card and the workflow step of HubSpot before our real server: signed calls, and problems in a form it shows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.hubspot.verify import decoded, sign_v3
from tests.connectors.cases.hubspot import SECRET
from tests.connectors.hubspot.test_journey import PUBLIC, deal_with_open_ticket, options_of, tasks_of
from tests.connectors.journey import Server, server, wait_for
from tests.fakes.hubspot import PORTAL, FakeHubSpot, with_orbis

WHO = f"userId=777&portalId={PORTAL}&userEmail=rep%40seller.example&appId=54321"


@pytest.fixture(scope="module")
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    with fake.running():
        deal_with_open_ticket(fake, "9201")
        deal_with_open_ticket(fake, "9202")
        fake.things["deals"]["9202"]["properties"]["hubspot_owner_id"] = "9999"
        yield fake


@pytest.fixture(scope="module")
def here(hubspot: FakeHubSpot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("var"), options_of(hubspot), crm="hubspot", public_url=PUBLIC) as made:
        yield made


def fetch(here: Server, method: str, path: str, document: Any = None, *, who: str = WHO, secret: str = SECRET) -> Any:
    """What `hubspot.fetch` makes of a card's call."""
    body = b"" if document is None else json.dumps(document).encode()
    address, stamp = f"/panel/acme{path}" + (f"?{who}" if who else ""), str(int(time.time() * 1000))
    signature = sign_v3(secret, method, decoded(PUBLIC + address), body, stamp)
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    more = {"content_type": "application/json"} if body else {}
    return here.client.open(address, method=method, data=body, headers=headers, **more)


def test_card_starts_polls_edits_and_approves(here, hubspot):
    started = fetch(here, "POST", "/drafts", {"kind": "follow_up", "deal_id": "9201", "key": "card-1"})
    again = fetch(here, "POST", "/drafts", {"kind": "follow_up", "deal_id": "9201", "key": "card-1"})
    id_ = started.json["id"]
    draft = wait_for(lambda: (d := fetch(here, "GET", f"/drafts/{id_}").json)["status"] == "proposed" and d)
    approved = fetch(here, "POST", f"/drafts/{id_}/approve", {"version": draft["version"]})
    here.draft_when(id_, "written")

    assert (started.status_code, again.json["id"]) == (202, id_)
    assert draft["sentences"][0]["evidence"]
    assert approved.status_code == 200
    assert len(tasks_of(hubspot, "9201")) == 1


def test_deal_of_another_rep_is_a_problem_that_the_card_can_show(here):
    answer = fetch(here, "POST", "/drafts", {"kind": "follow_up", "deal_id": "9202"})

    assert answer.status_code == 200
    assert answer.json["ok"] is False
    assert answer.json["problem"]["status"] == 404


def test_wrong_fields_are_a_problem_that_names_them(here):
    answer = fetch(here, "POST", "/drafts", {"kind": "poem", "deal_id": "9201"})

    assert (answer.status_code, answer.json["ok"]) == (200, False)
    assert answer.json["problem"]["status"] == 422


@pytest.mark.parametrize(
    "case", [{"secret": "another"}, {"who": "userId=777&portalId=1"}, {"who": f"portalId={PORTAL}"}]
)
def test_call_that_hubspot_did_not_sign_for_us_is_401(here, case):
    assert fetch(here, "POST", "/drafts", {"kind": "follow_up", "deal_id": "9201"}, **case).status_code == 401


def test_unsigned_call_is_401(here):
    assert here.client.post("/panel/acme/drafts", json={"kind": "follow_up", "deal_id": "9201"}).status_code == 401


def step(**changes: Any) -> dict[str, Any]:
    return {
        "callbackId": "ap-62515-1-1-0",
        "origin": {"portalId": int(PORTAL), "actionDefinitionId": 2},
        "context": {"source": "WORKFLOWS", "workflowId": 8812},
        "object": {"objectId": 9201, "objectType": "DEAL"},
        "inputFields": {"kind": "meeting_brief"},
    } | changes


def test_workflow_step_gets_the_draft_in_hubspots_form_and_a_repeat_the_same(here):
    first = fetch(here, "POST", "/actions/draft", step(), who="")
    again = fetch(here, "POST", "/actions/draft", step(), who="")

    outputs = first.json["outputFields"]
    assert outputs["hs_execution_state"] == "SUCCESS"
    assert outputs["draft_id"] == again.json["outputFields"]["draft_id"]
    assert here.get(f"/api/v1/drafts/{outputs['draft_id']}")["kind"] == "meeting_brief"


@pytest.mark.parametrize("bad", [{"object": {}}, {"object": None}, {"callbackId": None, "object": 5}])
def test_step_of_another_form_is_refused(here, bad):
    assert fetch(here, "POST", "/actions/draft", step(**bad), who="").status_code in (400, 422)


def test_step_of_another_account_is_401(here):
    assert fetch(here, "POST", "/actions/draft", step(origin={"portalId": 1}), who="").status_code == 401
