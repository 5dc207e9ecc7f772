"""The webhook door: what is let in, what is refused, and that nothing is doubled."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from connectors.local.verify import sign
from tests.web.conftest import SECRET, make_event, wait_until


def is_problem(response, status, code):
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.json["code"] == code
    assert isinstance(response.json["retryable"], bool)
    return response.json


def test_genuine_event_is_accepted_and_ends_in_a_draft(post_webhook, admin):
    response = post_webhook(make_event("evt-ok"))

    assert response.status_code == 202
    assert response.json == {"accepted": 1, "duplicates": 0, "ignored": 0, "refused": [], "events": ["evt-ok"]}
    event = wait_until(lambda: _done(admin, "evt-ok"))
    assert len(event["drafts"]) == 1
    assert admin.get(f"/api/v1/drafts/{event['drafts'][0]}").json["event"] == "evt-ok"


def _done(client, event_id):
    answer = client.get(f"/api/v1/events/{event_id}").json
    return answer if answer.get("state") in ("done", "ignored", "dead") else None


def test_unknown_connection_is_not_found(client):
    is_problem(client.post("/webhooks/nobody", data=b"{}"), 404, "not_found")


SPOILED = {
    "no signature": {},
    "garbage": {"X-Crmplugin-Signature": "\x80garbage,,=="},
    "not ours": {"X-Crmplugin-Signature": "t=1,v1=00"},
}


@pytest.mark.parametrize("headers", SPOILED.values(), ids=SPOILED)
def test_request_that_is_not_genuine_gets_401_and_keeps_nothing(client, admin, headers):
    response = client.post("/webhooks/local", json=make_event("evt-spoiled"), headers=headers)

    is_problem(response, 401, "not_genuine")
    is_problem(admin.get("/api/v1/events/evt-spoiled"), 404, "not_found")


@pytest.mark.parametrize("seconds", [-400, 400, 10**9])
def test_signature_of_another_time_gets_401(client, seconds):
    body = json.dumps(make_event("evt-late")).encode()
    header = sign(body, secret=SECRET, now=datetime.now(UTC) + timedelta(seconds=seconds))

    is_problem(client.post("/webhooks/local", data=body, headers={"X-Crmplugin-Signature": header}), 401, "not_genuine")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'"x"', b"17"])
def test_genuine_body_that_is_no_event_gets_400(post_webhook, body):
    is_problem(post_webhook(body), 400, "unreadable")


def test_more_than_hundred_events_get_413_and_nothing_is_taken(post_webhook, admin):
    response = post_webhook([make_event(f"evt-many-{n}") for n in range(101)])

    is_problem(response, 413, "too_large")
    is_problem(admin.get("/api/v1/events/evt-many-0"), 404, "not_found")


def test_twenty_megabytes_get_413(post_webhook):
    is_problem(post_webhook(b"x" * 20_000_000), 413, "too_large")


def test_other_method_gets_405_with_allow(client):
    response = client.get("/webhooks/local")

    is_problem(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_same_event_fifty_times_at_once_is_one_event_and_one_draft(app, admin):
    body = json.dumps(make_event("evt-storm")).encode()
    headers = {"X-Crmplugin-Signature": sign(body, secret=SECRET, now=datetime.now(UTC))}

    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: app.test_client().post("/webhooks/local", data=body, headers=headers).json, range(50))
        )

    assert sum(a["accepted"] for a in answers) == 1
    assert sum(a["duplicates"] for a in answers) == 49
    assert len(wait_until(lambda: _done(admin, "evt-storm"))["drafts"]) == 1


def test_bad_entries_are_refused_by_name_and_the_rest_counts(post_webhook):
    bad = make_event("evt-bad", records={"deals": [{"id": "D-9", "amout": "5"}]})

    response = post_webhook([bad, make_event("evt-good"), make_event("evt-good")])

    assert response.status_code == 202
    assert (response.json["accepted"], response.json["duplicates"]) == (1, 1)
    assert response.json["refused"][0]["id"] == "evt-bad"
    assert "amout" in response.json["refused"][0]["reason"]


def test_records_of_an_event_are_there_before_its_draft(post_webhook, admin):
    deal = {"id": "D-new", "name": "Fresh", "company_id": "CO-1", "status": "open", "stage_kind": "negotiation"}

    post_webhook(make_event("evt-records", object={"type": "deal", "id": "D-new"}, records={"deals": [deal]}))

    event = wait_until(lambda: _done(admin, "evt-records"))
    assert admin.get(f"/api/v1/drafts/{event['drafts'][0]}").json["kind"] == "negotiation_note"


IGNORED = {
    "deal nobody knows": ({"object": {"type": "deal", "id": "D-404"}}, "unknown_deal"),
    "event nobody knows": ({"type": "deal.sneezed"}, "unknown_event"),
    "event without a row": ({"type": "deal.updated"}, "no_playbook"),
    "quote nobody knows": ({"type": "quote.expiring", "object": {"type": "quote", "id": "Q-404"}}, "unknown_quote"),
}


@pytest.mark.parametrize(("changes", "reason"), IGNORED.values(), ids=IGNORED)
def test_event_without_effect_is_kept_with_its_reason(post_webhook, admin, changes, reason):
    post_webhook(make_event(f"evt-{reason}", **changes))

    event = wait_until(lambda: _done(admin, f"evt-{reason}"))
    assert (event["state"], event["drafts"]) == ("ignored", [])
    assert event["reason"].startswith(reason)


def test_our_own_note_makes_no_draft(post_webhook, admin):
    note = {"id": "A-echo", "type": "note", "deal_id": "D-1", "source": "crmplugin:123"}
    event = make_event("evt-echo", type="message.received", object={"type": "activity", "id": "A-echo"})

    post_webhook(event | {"records": {"activities": [note]}})

    assert wait_until(lambda: _done(admin, "evt-echo"))["reason"].startswith("echo")


def test_placed_order_schedules_a_pitch_for_later(post_webhook, admin):
    now = datetime.now(UTC).isoformat()
    order = {"id": "O-1", "number": "O-1", "company_id": "CO-1", "ordered_at": now}
    placed = make_event("evt-order", type="order.placed", at=now, object={"type": "order", "id": "O-1"})

    post_webhook(placed | {"records": {"orders": [order]}})

    event = wait_until(lambda: _done(admin, "evt-order"))
    draft = admin.get(f"/api/v1/drafts/{event['drafts'][0]}").json
    assert (draft["kind"], draft["status"]) == ("pitch", "scheduled")
    assert draft["earliest"] > now[:10]


def test_replay_makes_another_draft_and_keeps_the_first(post_webhook, admin):
    post_webhook(make_event("evt-again"))
    first = wait_until(lambda: _done(admin, "evt-again"))["drafts"]

    response = admin.post("/api/v1/events/evt-again/replay")

    assert response.status_code == 202
    both = wait_until(lambda: (d := admin.get("/api/v1/events/evt-again").json["drafts"]) and len(d) == 2 and d)
    assert both[0] == first[0]


def test_event_ids_with_slashes_do_not_meet_replays(post_webhook, admin):
    post_webhook([make_event("evt-s"), make_event("evt-s/r1")])
    wait_until(lambda: _done(admin, "evt-s") and _done(admin, "evt-s/r1"))

    admin.post("/api/v1/events/evt-s/replay")

    wait_until(lambda: len(admin.get("/api/v1/events/evt-s").json["drafts"]) == 2)
    assert len(admin.get("/api/v1/events/evt-s/r1").json["drafts"]) == 1


def _drafts(client, event_id):
    """The drafts of an event when none is being written any more."""
    found = client.get(f"/api/v1/drafts?event={event_id}").json["items"]
    return found if found and all(d["status"] != "writing" for d in found) else None


def test_of_two_events_about_one_deal_the_newer_draft_waits(admin, post_webhook):
    post_webhook(make_event("evt-newest-1"))
    wait_until(lambda: _drafts(admin, "evt-newest-1"))
    post_webhook(make_event("evt-newest-2"))
    (second,) = wait_until(lambda: _drafts(admin, "evt-newest-2"))

    (first,) = wait_until(lambda: [d for d in _drafts(admin, "evt-newest-1") if d["status"] == "superseded"])

    assert second["status"] == "proposed"
    assert first["kind"] == second["kind"]


def test_an_edited_draft_does_not_give_way_to_a_newer_event(admin, post_webhook):
    post_webhook(make_event("evt-kept-1"))
    (draft,) = wait_until(lambda: _drafts(admin, "evt-kept-1"))
    edit = {"version": 1, "subject": draft["subject"], "body": draft["body"]}
    assert admin.patch(f"/api/v1/drafts/{draft['id']}", json=edit).status_code == 200

    post_webhook(make_event("evt-kept-2"))
    wait_until(lambda: _drafts(admin, "evt-kept-2"))

    assert admin.get(f"/api/v1/drafts/{draft['id']}").json["status"] == "proposed"
