"""Audit, people and the dead letters as pages; the panel's JSON twin."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from crmplugin.domain.crm import Subject
from crmplugin.errors import UsageError
from crmplugin.journeys import accept_event
from crmplugin.journeys.launch import launch_url
from tests.web.conftest import make_event, wait_until

KEY_FREE = {"Accept": "application/json"}


@pytest.fixture
def person(app, office):
    def _person(role="admin"):
        ends = datetime.now(UTC) + timedelta(hours=1)
        made = app.test_client()
        made.get(f"/sign-in/{office.desk.access.create_link(role, expires_at=ends)}")
        made.environ_base["HTTP_ACCEPT"] = "text/html"
        made.csrf = re.search(r'name="csrf" content="([0-9a-f]+)"', made.get("/console").text)[1]
        return made

    return _person


@pytest.fixture
def passed(app, office):
    """A client that opened the panel of the deal as its owner."""
    key, now = office.desk.settings.signing_key, office.desk.clock()
    address = launch_url(key, "local", Subject("deal", "D-1"), "U-1", base="", now=now)
    made = app.test_client()
    token = made.get(address, headers=KEY_FREE).json["pass"]
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return made


def test_the_audit_tells_of_a_draft_and_that_nothing_was_changed(person, admin):
    draft = admin.post("/api/v1/drafts?wait=20", json={"kind": "summary", "deal_id": "D-1"}).json
    client = person()

    assert "Draft written" in client.get(f"/console/audit?draft={draft['id']}").text
    assert re.search(
        r"(All \d+ rows are|1 row is) as (they were|it was) written", client.get("/console/audit?look=1").text
    )


def test_an_admin_lets_somebody_in_with_a_link_that_is_shown_once(person, app):
    client = person()

    page = client.post("/console/people/link", data={"csrf_token": client.csrf, "role": "rep", "user": "U-1@local"})

    link = re.search(r"http://localhost(/sign-in/[\w-]+)", page.text)[1]
    newcomer = app.test_client()
    newcomer.get(link)
    assert "Signed in as Ann Ray" in newcomer.get("/console", headers={"Accept": "text/html"}).text
    assert "/sign-in/" not in client.get("/console/people").text


@pytest.mark.parametrize("role", ["rep", "manager", "director", "marketing"])
def test_only_admins_let_people_in(person, role):
    client = person(role)

    assert client.post("/console/people/link", data={"csrf_token": client.csrf, "role": "admin"}).status_code == 403


def test_all_dead_events_are_worked_on_again(person, office, post_webhook, admin):
    post_webhook(make_event("evt-dead", type="contact.changed", object={"type": "contact", "id": "C-1"}))
    wait_until(lambda: admin.get("/api/v1/events/evt-dead").json.get("state") in ("done", "ignored"))
    office.desk.events.settle("local", "evt-dead", "dead", "the CRM was away")
    client = person()

    assert "the CRM was away" in client.get("/console/events?state=dead").text
    page = client.post("/console/events/replay-dead", data={"csrf_token": client.csrf})

    assert "1 event is worked on again." in page.text
    assert wait_until(lambda: admin.get("/api/v1/events/evt-dead").json["state"] in ("done", "ignored"))


def test_event_that_failed_half_way_goes_on_from_the_page_and_makes_its_draft_once(
    person, office, post_webhook, admin, monkeypatch
):
    def fail(*_args):
        raise UsageError("the address of the alert is wrong")

    with monkeypatch.context() as broken:
        broken.setattr(accept_event, "alert_person", fail)
        post_webhook(make_event("evt-half"))
        wait_until(lambda: admin.get("/api/v1/events/evt-half").json.get("state") == "dead")
    client = person()
    page = client.get("/console/events?state=dead").text
    form = {"csrf_token": client.csrf, "connection": "local", "event": "evt-half"}

    assert client.post("/console/events/replay", data=form).status_code == 303

    event = wait_until(lambda: (e := admin.get("/api/v1/events/evt-half").json)["state"] == "done" and e)
    assert "the address of the alert is wrong" in page
    assert len(event["drafts"]) == 1
    draft = wait_until(
        lambda: (d := admin.get(f"/api/v1/drafts/{event['drafts'][0]}").json)["status"] != "writing" and d
    )
    assert draft["status"] in ("proposed", "blocked", "no_message")
    assert "evt-half" not in client.get("/console/events?state=dead").text
    assert client.post("/console/events/replay", data=form).status_code == 303  # a done one makes another
    wait_until(lambda: len(admin.get("/api/v1/events/evt-half").json["drafts"]) == 2)


def test_a_native_card_asks_lists_edits_and_decides(passed):
    draft = passed.post("/panel/local/drafts?wait=20", json={"kind": "summary", "deal_id": "D-1"}).json
    body = draft["body"] + "\nWe gave them 35 % off."

    edited = passed.post(f"/panel/local/drafts/{draft['id']}/edit", json={"version": 1, "body": body}).json
    refused = passed.post(f"/panel/local/drafts/{draft['id']}/approve", json={"version": 2})
    again = passed.post(f"/panel/local/drafts/{draft['id']}/edit", json={"version": 2, "body": draft["body"]}).json
    approved = passed.post(f"/panel/local/drafts/{draft['id']}/approve", json={"version": 3})

    assert edited["sentences"][-1]["verdict"] == "unsupported"
    assert (refused.status_code, refused.json["code"]) == (409, "not_supported")
    assert again["version"] == 3
    assert approved.status_code == 200
    listed = passed.get("/panel/local/drafts").json["items"]
    assert next(d for d in listed if d["id"] == draft["id"])["status"] in ("approved", "writing_back", "written")


def test_an_unknown_key_of_a_card_is_named(passed):
    draft = passed.post("/panel/local/drafts?wait=20", json={"kind": "summary", "deal_id": "D-1"}).json

    answer = passed.post(f"/panel/local/drafts/{draft['id']}/reject", json={"why": "no"})

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "why"
