"""A contact that the CRM deleted while others still name it: a clear answer at every door, and the server goes on."""

from __future__ import annotations

import pytest

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.ask import Ask, ask_for_drafts
from crmplugin.journeys.write_back import write_back
from tests.web.conftest import make_event, wait_until


@pytest.fixture
def desk(office):
    """The server's desk; the deal and a mail still name the contact that is gone."""
    office.desk.records.delete("local", "contacts", "C-1")
    return office.desk


def test_draft_to_or_about_it_is_refused_with_its_name(desk, admin):
    about = admin.post("/api/v1/drafts", json={"kind": "summary", "contact_id": "C-1"})
    to = admin.post("/api/v1/drafts?wait=20", json={"kind": "follow_up", "deal_id": "D-1", "to_contact_id": "C-1"})

    assert (about.status_code, about.json["code"]) == (404, "not_found")
    assert "C-1" in about.json["detail"]
    assert (to.status_code, to.json["status"]) == (201, "failed")
    assert "C-1" in to.json["problem"]
    assert "this should not happen" not in to.json["problem"]
    assert admin.get("/readyz").status_code == 200


def test_event_about_it_is_kept_and_says_why_nothing_came_of_it(desk, admin, post_webhook):
    post_webhook(make_event("evt-gone", type="meeting.ended", object={"type": "contact", "id": "C-1"}))

    event = wait_until(lambda: (e := admin.get("/api/v1/events/evt-gone").json)["state"] == "ignored" and e)
    assert event["reason"].startswith("unknown_contact")
    assert event["drafts"] == []


def test_event_that_only_names_it_ends_in_an_answer(desk, admin, post_webhook):
    mail = {
        "id": "A-7",
        "type": "email",
        "direction": "inbound",
        "deal_id": "D-1",
        "contact_ids": ["C-1"],
        "body": "Hi",
    }
    event = make_event("evt-mail", type="message.received", object={"type": "activity", "id": "A-7"})

    post_webhook(event | {"records": {"activities": [mail]}})

    done = wait_until(lambda: (e := admin.get("/api/v1/events/evt-mail").json)["state"] == "done" and e)
    for draft_id in done["drafts"]:
        draft = wait_until(lambda i=draft_id: (d := admin.get(f"/api/v1/drafts/{i}").json)["status"] != "writing" and d)
        assert draft["status"] in ("blocked", "no_message", "proposed")
        assert (draft["to"] or {}).get("contact_id") != "C-1"


def test_note_on_it_that_was_approved_before_is_refused_in_words(desk):
    request = Request("local", "summary", Subject("contact", "C-1"))
    ask_for_drafts(desk, [Ask("note-1", request, "api", desk.clock(), write_back="never")])
    desk.drafts.move("note-1", "proposed", at=desk.clock())
    desk.drafts.move("note-1", "approved", at=desk.clock())

    with pytest.raises(Exception, match="no contact C-1|cannot be written back") as refused:
        write_back(desk, "note-1")

    assert not refused.value.retryable
