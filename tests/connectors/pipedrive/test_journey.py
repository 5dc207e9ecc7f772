"""A Pipedrive webhook becomes an activity in Pipedrive, once, through our real server and whatever goes wrong."""

from __future__ import annotations

import itertools
import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmplugin.domain.records import check_record
from crmplugin.journeys.replay import retry_dead
from crmplugin.journeys.sync import poll
from tests.connectors.cases.pipedrive import OPTIONS
from tests.connectors.journey import Server, days_ago, in_turn, server, wait_for
from tests.fakes.pipedrive import FakePipedrive, with_orbis

PUBLIC = "https://assist.example.com"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def pipedrive() -> Iterator[FakePipedrive]:
    fake = with_orbis(FakePipedrive())
    fake.put("stages", 3, name="Qualified", pipeline_id=1)
    with fake.running():
        yield fake


@pytest.fixture(scope="module")
def here(pipedrive: FakePipedrive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = {**OPTIONS, "base_url": pipedrive.url, "calls_per_second": 500, "poll_minutes": 1440, "timeout_s": 2,
               "stages": {"3": "qualified", "4": "proposal"}}  # fmt: skip
    with server(tmp_path_factory.mktemp("var"), options, crm="pipedrive", public_url=PUBLIC) as made:
        day = (datetime.now(UTC) + timedelta(days=4)).date().isoformat()
        slot = {"id": "S-1", "kind": "answer_by", "user_id": "777", "on": day}
        made.office.desk.records.upsert_many("acme", [("slots", check_record("slots", slot))])
        yield made


def asked_deal(pipedrive: FakePipedrive, id_: int) -> int:
    """A deal that has just moved, with a question by mail that nobody has answered."""
    pipedrive.put("deals", id_, title="Line controls", value=12500, currency="EUR", status="open", stage_id=3,
                  pipeline_id=1, person_id=501, org_id=7001, owner_id=777, add_time=second(40))  # fmt: skip
    pipedrive.put("mails", id_ * 10, deal_id=id_, subject="Delivery time?", message_time=days_ago(0.2), sent_flag=0,
                  snippet="When", body="<p>When can you deliver the C-7?</p>",
                  **{"from": [{"email_address": "dana@orbis.example", "linked_person_id": 501}]})  # fmt: skip
    pipedrive.change("deals", id_, second(0), stage_id=4)
    return id_


def second(days: float) -> str:
    """So many days ago as Pipedrive writes it."""
    return days_ago(days)[:19] + "Z"


def send(here: Server, deal: int, **meta: Any) -> Any:
    """The webhook of a deal that moved."""
    about = {"action": "change", "entity": "deal", "version": "2.0", "entity_id": str(deal), "id": f"u-{next(numbers)}",
             "timestamp": days_ago(0), "user_id": "11", "webhook_owner_id": "12", "change_source": "app"}  # fmt: skip
    document = {"meta": about | meta, "data": {"id": deal, "stage_id": 4}, "previous": {"stage_id": 3}}
    basic = b64encode(b"pd-hook:c0rrect-h0rse").decode()
    headers = {"Authorization": f"Basic {basic}"}
    return here.client.post("/webhooks/acme", data=json.dumps(document).encode(), headers=headers)


def drafts_about(here: Server, deal: int) -> list[Any]:
    return [draft for draft in here.drafts() if draft["about"] == {"type": "deal", "id": str(deal)}]


def draft_of(here: Server, deal: int) -> Any:
    return wait_for(lambda: next((d for d in drafts_about(here, deal) if d["status"] == "proposed"), None))


def activities_of(pipedrive: FakePipedrive, deal: int) -> list[Any]:
    return [one for one in pipedrive.things["activities"].values() if one.get("deal_id") == deal]


def test_event_becomes_a_draft_and_one_activity_whatever_goes_wrong(here, pipedrive):
    deal = asked_deal(pipedrive, 9101)
    pipedrive.fail("GET", f"/api/v2/deals/{deal}", 429, headers={"Retry-After": "1"}, times=2)
    pipedrive.fail("GET", "/api/v2/activities", 503)
    pipedrive.fail("POST", "/api/v2/activities", 429, headers={"Retry-After": "1"})
    pipedrive.fail("POST", "/api/v2/activities", 500, after=True)
    pipedrive.delay_s = 0.05

    answers = [send(here, deal, id="u-same", attempt=n) for n in (1, 2)]
    draft = draft_of(here, deal)
    approved = here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    written = here.draft_when(draft["id"], "written", "failed")
    pipedrive.delay_s = 0.0

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (draft["type"], draft["to"]["address"]) == ("answer", "dana@orbis.example")
    assert (approved.status_code, written["status"]) == (200, "written")
    assert [one["type"] for one in activities_of(pipedrive, deal)] == ["email"]
    assert len(drafts_about(here, deal)) == 1


def test_page_that_is_slower_than_the_limit_is_asked_for_again(here, pipedrive):
    deal = asked_deal(pipedrive, 9102)
    pipedrive.fail("GET", f"/api/v2/deals/{deal}", 200, delay_s=2.5)

    answer = here.post("/api/v1/drafts?wait=20", {"connection": "acme", "kind": "follow_up", "deal_id": str(deal)})

    assert answer.json["status"] == "proposed"


def test_token_that_was_regenerated_is_told_and_the_draft_comes_with_the_next_try(here, pipedrive):
    deal = asked_deal(pipedrive, 9103)
    pipedrive.fail("GET", ".*", 401, body={"error": "unauthorized access"}, times=50)
    asked = {"connection": "acme", "kind": "follow_up", "deal_id": str(deal)}

    failed = here.post("/api/v1/drafts?wait=20", asked)
    pipedrive.troubles.clear()
    good = here.post("/api/v1/drafts?wait=20", asked)

    assert (failed.json["status"], good.json["status"]) == ("failed", "proposed")
    assert "unauthorized access" in failed.json["problem"]


def test_limit_of_seconds_is_slept_by_the_job_and_one_activity_is_made(here, pipedrive):
    deal = asked_deal(pipedrive, 9108)
    pipedrive.fail("GET", f"/api/v2/deals/{deal}", 429, headers={"x-ratelimit-reset": "4"})

    send(here, deal)
    waiting = wait_for(lambda: [j for j in here.get("/api/v1/jobs")["items"] if "429" in str(j["wait_reason"])])
    draft = draft_of(here, deal)
    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    written = here.draft_when(draft["id"], "written", "failed")

    assert waiting
    assert written["status"] == "written"
    assert len(activities_of(pipedrive, deal)) == 1


def test_token_that_ends_before_the_write_is_told_and_after_the_mend_one_activity_is_made(here, pipedrive):
    deal = asked_deal(pipedrive, 9109)
    send(here, deal)
    draft = draft_of(here, deal)
    pipedrive.fail("GET", f"/api/v2/deals/{deal}", 401, body={"error": "unauthorized access"}, times=50)

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    failed = here.draft_when(draft["id"], "failed")
    nothing = activities_of(pipedrive, deal)
    pipedrive.troubles.clear()
    wait_for(lambda: retry_dead(here.office.desk))
    here.draft_when(draft["id"], "written")

    assert "unauthorized access" in failed["problem"]
    assert (len(nothing), len(activities_of(pipedrive, deal))) == (0, 1)


def test_person_whose_deletion_was_not_told_leaves_the_mirror_at_the_next_look(here, pipedrive):
    in_turn(poll, here)
    pipedrive.put("persons", 599, name="Bo Lind", update_time=second(0))
    in_turn(poll, here)
    mirrored = here.office.desk.records.read_one("acme", "contacts", "599")
    pipedrive.change("persons", 599, second(0), is_deleted=True)

    looked = in_turn(poll, here)

    assert mirrored is not None
    assert looked.deleted == 1
    assert here.office.desk.records.read_one("acme", "contacts", "599") is None


def test_opt_out_in_pipedrive_blocks_a_pitch(here, pipedrive):
    deal = asked_deal(pipedrive, 9105)
    pipedrive.things["persons"][501]["marketing_status"] = "unsubscribed"

    answer = here.post("/api/v1/drafts?wait=20", {"connection": "acme", "kind": "pitch", "deal_id": str(deal)})
    pipedrive.things["persons"][501]["marketing_status"] = "subscribed"

    assert (answer.json["status"], answer.json["decision"]["code"]) == ("blocked", "opted_out:email")


def test_lost_webhook_becomes_one_draft_and_a_late_one_no_second(here, pipedrive):
    in_turn(poll, here)
    lost, told = asked_deal(pipedrive, 9106), asked_deal(pipedrive, 9107)
    send(here, told)
    draft_of(here, told)

    in_turn(poll, here)
    again = in_turn(poll, here)
    draft_of(here, lost)
    send(here, lost, timestamp=pipedrive.things["deals"][lost]["stage_change_time"])

    rows = here.office.desk.events.list
    wait_for(lambda: [row for row in rows(connection="acme", state="ignored").items if "duplicate" in str(row.reason)])
    assert again.events == 0
    assert [len(drafts_about(here, deal)) for deal in (lost, told)] == [1, 1]


def test_deal_moved_before_approval_fails_in_words(here, pipedrive):
    deal = asked_deal(pipedrive, 9104)
    send(here, deal)
    draft = draft_of(here, deal)
    pipedrive.change("deals", deal, second(-0.001), status="lost")

    here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
    failed = here.draft_when(draft["id"], "failed")

    assert "was changed in Pipedrive" in failed["problem"]
    assert activities_of(pipedrive, deal) == []
