"""Drafts over HTTP: asking, reading, following, editing, deciding."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest

from tests.web.conftest import wait_until
from tests.web.test_webhooks import is_problem

ASKED = {"kind": "meeting_brief", "deal_id": "D-1"}


def ask(client, body=ASKED, **more):
    return client.post("/api/v1/drafts?wait=20", json=body, **more)


@pytest.fixture
def proposed(office):
    """A draft that stands proposed, with one sentence a test may spoil: `proposed(verdict="leak")`."""
    from crmplugin.domain.brief import Request
    from crmplugin.domain.crm import Subject
    from crmplugin.journeys.ask import Ask, ask_for_drafts, blank_draft
    from crmplugin.journeys.present import to_json

    def make(verdict="supported", kind="follow_up", write_back="on_approval", owner_id="U-1"):
        now = datetime.now(UTC)
        request = Request("local", kind, Subject("deal", "D-1"), channel="email")
        made = Ask(uuid.uuid4().hex, request, "api", now, owner_id=owner_id, write_back=write_back)
        ask_for_drafts(office.desk, [made])
        sentence = {
            "text": "Your quote is ready.",
            "role": "claim",
            "evidence": [],
            "verdict": verdict,
            "action": "kept",
        }
        text = {"subject": "Quote", "body": "Your quote is ready.", "sentences": [sentence]}
        document = to_json(blank_draft(made)) | text
        office.desk.drafts.move(made.draft_id, "proposed", at=now, document=document)
        return made.draft_id

    return make


def test_finished_draft_is_201_with_its_location(admin):
    response = ask(admin)

    assert response.status_code == 201
    assert response.json["status"] in ("proposed", "no_message")
    assert response.headers["Location"] == f"/api/v1/drafts/{response.json['id']}"
    assert admin.get(response.headers["Location"]).json == response.json


def test_without_wait_the_draft_is_202_and_gets_finished(admin):
    response = admin.post("/api/v1/drafts", json=ASKED)

    assert response.status_code in (201, 202)
    wait_until(lambda: admin.get(response.headers["Location"]).json["status"] not in ("writing",))


WRONG = {
    "no kind": ({"deal_id": "D-1"}, "kind"),
    "unknown kind": ({"kind": "poem", "deal_id": "D-1"}, "kind"),
    "no subject": ({"kind": "follow_up"}, "deal_id"),
    "two subjects": ({"kind": "follow_up", "deal_id": "D-1", "company_id": "CO-1"}, "company_id"),
    "unknown key": ({**ASKED, "colour": "red"}, "colour"),
    "number for a text": ({"kind": "follow_up", "deal_id": 5}, "deal_id"),
    "time without zone": ({**ASKED, "as_of": "2026-03-11T09:00:00"}, "as_of"),
    "unknown channel": ({**ASKED, "channel": "fax"}, "channel"),
    "a list": ([], "body"),
}


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG)
def test_wrong_fields_are_422_and_named(admin, body, field):
    problem = is_problem(ask(admin, body), 422, "invalid")

    assert field in [f["field"] for f in problem["errors"]]


def test_all_wrong_fields_are_named_at_once(admin):
    problem = is_problem(ask(admin, {"kind": "poem", "deal_id": "D-1", "channel": "fax", "x": 1}), 422, "invalid")

    assert {f["field"] for f in problem["errors"]} == {"kind", "channel", "x"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 50_000])
def test_body_that_is_not_json_is_400(admin, body):
    is_problem(admin.post("/api/v1/drafts", data=body, content_type="application/json"), 400, "bad_request")


def test_unknown_deal_and_connection_are_404(admin):
    is_problem(ask(admin, {"kind": "summary", "deal_id": "D-404"}), 404, "not_found")
    is_problem(ask(admin, {**ASKED, "connection": "nobody"}), 404, "not_found")
    is_problem(admin.get("/api/v1/drafts/nothing"), 404, "not_found")


def test_as_of_is_now_for_the_draft(admin):
    assert ask(admin, {**ASKED, "as_of": "2026-03-11T09:00:00+01:00"}).json["as_of"] == "2026-03-11T08:00:00Z"
    assert ask(admin, {**ASKED, "as_of": "2026-03-11"}).json["as_of"] == "2026-03-11T12:00:00Z"


def test_idempotency_key_gives_the_same_draft_and_refuses_another_body(admin):
    key = {"Idempotency-Key": "click-1"}

    first = ask(admin, headers=key)
    again = ask(admin, headers=key)

    assert again.json["id"] == first.json["id"]
    is_problem(ask(admin, {**ASKED, "tone": "warm"}, headers=key), 422, "key_reused")


def test_idempotency_keys_of_two_callers_do_not_meet(signed_in):
    key = {"Idempotency-Key": "shared"}

    assert ask(signed_in(), headers=key).json["id"] != ask(signed_in(), headers=key).json["id"]


def test_list_goes_on_with_its_cursor(admin):
    ids = [ask(admin).json["id"] for _ in range(3)]

    first = admin.get("/api/v1/drafts?limit=2&deal=D-1").json
    second = admin.get(f"/api/v1/drafts?limit=2&deal=D-1&cursor={first['next']}").json

    assert [d["id"] for d in first["items"]] == ids[:0:-1]
    assert second["items"][0]["id"] == ids[0]
    is_problem(admin.get("/api/v1/drafts?cursor=garbage"), 422, "invalid")
    is_problem(admin.get("/api/v1/drafts?limit=0"), 422, "invalid")


def events_of(response):
    """The server-sent events of a response as (id, event, data)."""
    blocks = [b for b in response.get_data(as_text=True).split("\n\n") if b.startswith("id: ")]
    lines = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return [(int(e["id"]), e["event"], json.loads(e["data"])) for e in lines]


def test_stream_ends_with_the_whole_draft(admin):
    response = admin.post("/api/v1/drafts", json=ASKED, headers={"Accept": "text/event-stream"})

    events = events_of(response)
    assert response.content_type == "text/event-stream"
    assert [e[1] for e in events][0] == "brief"
    assert events[-1][1] == "done"
    assert events[-1][2] == admin.get(f"/api/v1/drafts/{events[-1][2]['id']}").json


def test_late_reader_gets_every_piece_and_a_returning_one_the_rest(admin):
    draft_id = ask(admin).json["id"]

    whole = events_of(admin.get(f"/api/v1/drafts/{draft_id}/stream"))
    rest = events_of(admin.get(f"/api/v1/drafts/{draft_id}/stream", headers={"Last-Event-ID": "1"}))

    assert [e[0] for e in whole] == list(range(1, len(whole) + 1))
    assert rest == whole[1:]


def test_streams_are_capped_and_say_so(admin, app):
    draft_id = ask(admin).json["id"]
    open_ones = [admin.get(f"/api/v1/drafts/{draft_id}/stream", buffered=False) for _ in range(4)]

    refused = admin.get(f"/api/v1/drafts/{draft_id}/stream")

    assert is_problem(refused, 503, "busy")["retryable"] is True
    assert refused.headers["Retry-After"]
    for response in open_ones:
        response.close()
    assert admin.get(f"/api/v1/drafts/{draft_id}/stream").status_code == 200


def test_approved_draft_is_written_into_the_crm_once(admin, office, proposed):
    draft_id = proposed()

    assert admin.post(f"/api/v1/drafts/{draft_id}/approve", json={"version": 1}).json["status"] == "approved"

    written = wait_until(lambda: (d := admin.get(f"/api/v1/drafts/{draft_id}").json)["status"] == "written" and d)
    assert office.desk.records.find_by_source("local", f"crmplugin:{draft_id}") == written["written_id"]
    is_problem(admin.post(f"/api/v1/drafts/{draft_id}/approve"), 409, "conflict")


def test_stale_version_is_409_for_every_decision(admin, proposed):
    draft_id = proposed()
    edited = admin.patch(f"/api/v1/drafts/{draft_id}", json={"version": 1, "body": "Hello there."}).json

    assert edited["version"] == 2
    is_problem(admin.patch(f"/api/v1/drafts/{draft_id}", json={"version": 1, "body": "Other."}), 409, "conflict")
    is_problem(admin.post(f"/api/v1/drafts/{draft_id}/approve", json={"version": 1}), 409, "conflict")
    is_problem(admin.post(f"/api/v1/drafts/{draft_id}/reject", json={"version": 1}), 409, "conflict")


def test_edit_is_saved_checked_and_kept_in_the_history(admin, proposed):
    draft_id = proposed()

    edited = admin.patch(f"/api/v1/drafts/{draft_id}", json={"version": 1, "body": "It costs 99.999,00 EUR."})

    assert edited.json["body"] == "It costs 99.999,00 EUR."
    assert any(s["verdict"] != "supported" for s in edited.json["sentences"])
    history = admin.get(f"/api/v1/drafts/{draft_id}/versions").json
    assert [(v["version"], v["body"]) for v in history["items"]] == [
        (1, "Your quote is ready."),
        (2, "It costs 99.999,00 EUR."),
    ]


def test_unsupported_sentence_blocks_approval_until_a_manager_overrides(signed_in, proposed):
    draft_id, rep, manager = proposed("unsupported"), signed_in("rep"), signed_in("manager")
    override = {"override": {"reason": "I was there"}}

    is_problem(rep.post(f"/api/v1/drafts/{draft_id}/approve"), 409, "not_supported")
    is_problem(rep.post(f"/api/v1/drafts/{draft_id}/approve", json=override), 403, "forbidden")
    assert manager.post(f"/api/v1/drafts/{draft_id}/approve", json=override).json["status"] == "approved"


@pytest.mark.parametrize("verdict", ["leak", "foreign"])
def test_leak_and_foreign_can_be_overridden_by_nobody(admin, proposed, verdict):
    answer = admin.post(f"/api/v1/drafts/{proposed(verdict)}/approve", json={"override": {"reason": "please"}})

    is_problem(answer, 409, "not_supported")


def test_rejected_draft_keeps_who_and_why(admin, proposed):
    draft_id = proposed()

    assert admin.post(f"/api/v1/drafts/{draft_id}/reject", json={"reason": "wrong tone"}).json["status"] == "rejected"

    last = admin.get(f"/api/v1/drafts/{draft_id}/versions").json["moves"][-1]
    assert (last["new"], last["reason"], last["by"].startswith("token:")) == ("rejected", "wrong tone", True)


def test_approval_is_taken_back_before_writing_began(admin, proposed):
    draft_id = proposed(write_back="never")
    admin.post(f"/api/v1/drafts/{draft_id}/approve")

    assert admin.post(f"/api/v1/drafts/{draft_id}/withdraw").json["status"] == "proposed"
    is_problem(admin.post(f"/api/v1/drafts/{draft_id}/withdraw"), 409, "conflict")


def test_another_variant_is_a_new_draft_and_the_old_one_gives_way(admin, proposed):
    draft_id = proposed(kind="summary")

    variant = admin.post(f"/api/v1/drafts/{draft_id}/regenerate?wait=20", json={"tone": "short"})

    assert variant.status_code == 201
    assert variant.json["replaces"] == draft_id
    assert admin.get(f"/api/v1/drafts/{draft_id}").json["status"] == "superseded"


def test_finished_draft_cannot_be_stopped(admin, proposed):
    is_problem(admin.post(f"/api/v1/drafts/{proposed()}/stop"), 409, "conflict")


def test_brief_answers_with_facts_and_decision(admin):
    brief = admin.get("/api/v1/briefs?deal=D-1&as_of=2026-03-11").json

    assert brief["subject"] == {"type": "deal", "id": "D-1"}
    assert brief["as_of"] == "2026-03-11T12:00:00Z"
    assert "D-1.amount" in [f["id"] for f in brief["facts"]]
    is_problem(admin.get("/api/v1/briefs"), 422, "invalid")
    is_problem(admin.get("/api/v1/briefs?deal=D-404"), 404, "not_found")


def test_rep_sees_only_own_deals(signed_in, proposed):
    draft_id, own, other = proposed(), signed_in("rep", user_id="U-1"), signed_in("rep", user_id="U-2")

    assert own.get(f"/api/v1/drafts/{draft_id}").status_code == 200
    is_problem(other.get(f"/api/v1/drafts/{draft_id}"), 404, "not_found")
    is_problem(other.post(f"/api/v1/drafts/{draft_id}/approve"), 404, "not_found")
    is_problem(ask(other), 404, "not_found")
    assert other.get("/api/v1/drafts").json["items"] == []
    is_problem(other.get("/api/v1/briefs?deal=D-1"), 404, "not_found")


def test_token_of_another_connection_sees_nothing(signed_in, proposed):
    draft_id, stranger = proposed(), signed_in("admin", connections=["acme"])

    is_problem(stranger.get(f"/api/v1/drafts/{draft_id}"), 404, "not_found")
    is_problem(ask(stranger), 404, "not_found")
    assert stranger.get("/api/v1/drafts").json["items"] == []
    assert stranger.get("/api/v1/events").json["items"] == []
    assert stranger.get("/api/v1/jobs").json["items"] == []


@pytest.mark.parametrize("path", ["drafts", "events", "jobs", "campaigns"])
@pytest.mark.parametrize("cursor", ["garbage", "³2", "9" * 40])
def test_no_cursor_breaks_a_list(admin, path, cursor):
    assert admin.get(f"/api/v1/{path}", query_string={"cursor": cursor}).status_code in (200, 400, 422)
