"""What is told of changes whose webhooks were lost; and moves, leads, consent, rights, webhooks made again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmplugin.domain.crm import Subject
from crmplugin.domain.event import Event, ObjectRef
from tests.connectors.cases.pipedrive import AT, URL, make_connector
from tests.connectors.pipedrive.test_connector import pull
from tests.connectors.pipedrive.test_events import read
from tests.fakes.pipedrive import FakePipedrive, with_orbis

SINCE = datetime(2026, 11, 21, tzinfo=UTC)
LATER = "2026-11-21T08:00:00Z"
DEAL = Subject("deal", "9001")
NO_MAIL = "aaaa1c1518b4531717c676029a45911c340390a6"


@pytest.fixture
def pipedrive() -> Iterator[FakePipedrive]:
    fake = with_orbis(FakePipedrive())
    with fake.running():
        yield fake


def told(pipedrive: FakePipedrive, **options: Any) -> list[Event]:
    return [event for page in pull(make_connector(pipedrive, **options), SINCE) for event in page.events]


def said(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(e.type, f"{e.object.type} {e.object.id}", e.at.isoformat()) for e in events if e.object]


CHANGES = {
    "moved": ("deals", 9001, {"stage_id": 5}, ("deal.stage_changed", "deal 9001")),
    "won": ("deals", 9001, {"status": "won"}, ("deal.won", "deal 9001")),
    "lost": ("deals", 9001, {"status": "lost"}, ("deal.lost", "deal 9001")),
    "mail came": ("deals", 9001, {"last_incoming_mail_time": LATER}, ("message.received", "deal 9001")),
    "opt-out": ("persons", 501, {"marketing_status": "unsubscribed"}, ("contact.opted_out", "contact 501")),
    "person": ("persons", 501, {"job_title": "Head of Plant"}, ("contact.changed", "contact 501")),
    "meeting": ("activities", 6201, {"done": True, "marked_as_done_time": LATER},
                ("meeting.ended", "activity activities:6201")),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "id_", "values", "event"), CHANGES.values(), ids=CHANGES)
def test_change_is_told_as_its_webhook_would_have(pipedrive, kind, id_, values, event):
    pipedrive.change(kind, id_, LATER, **values)

    assert said(told(pipedrive)) == [(*event, "2026-11-21T08:00:00+00:00")]


def test_new_deal_is_told_once_and_not_as_moved(pipedrive):
    pipedrive.put("deals", 9010, title="New", status="open", stage_id=4, add_time=LATER, update_time=LATER,
                  stage_change_time=LATER)  # fmt: skip

    assert said(told(pipedrive)) == [("deal.created", "deal 9010", "2026-11-21T08:00:00+00:00")]


def test_change_that_a_deal_does_not_date_is_told_from_the_changes_of_its_fields(pipedrive):
    pipedrive.change("deals", 9001, LATER, value=5, title="Line 4")
    pipedrive.change("deals", 9002, LATER, status="lost")
    pipedrive.change("deals", 9002, "2026-11-21T09:00:00Z", status="open")

    assert said(told(pipedrive)) == [
        ("deal.updated", "deal 9001", "2026-11-21T08:00:00+00:00"),
        ("deal.lost", "deal 9002", "2026-11-21T08:00:00+00:00"),
        ("deal.reopened", "deal 9002", "2026-11-21T09:00:00+00:00"),
    ]


def test_move_before_the_last_is_told_too(pipedrive):
    pipedrive.change("deals", 9001, LATER, stage_id=5)
    pipedrive.change("deals", 9001, "2026-11-21T09:00:00Z", stage_id=6)
    pipedrive.change("deals", 9001, "2026-11-21T09:30:00Z", value=5)

    assert sorted((type_, at[11:16]) for type_, _, at in said(told(pipedrive))) == [
        ("deal.stage_changed", "08:00"),
        ("deal.stage_changed", "09:00"),
        ("deal.updated", "09:30"),
    ]


def test_changes_are_asked_for_only_where_the_deal_does_not_say_what_it_was(pipedrive):
    pipedrive.change("deals", 9001, LATER, stage_id=5)

    told(pipedrive)
    told(pipedrive, stage_history=False)
    assert pipedrive.asked("GET", ".*/changelog") == []

    pipedrive.change("deals", 9001, "2026-11-21T09:00:00Z", value=5)
    assert [e.type for e in told(pipedrive, stage_history=False)] == ["deal.stage_changed"]


def test_bulk_edit_does_not_eat_the_days_tokens(pipedrive):
    for id_ in range(9100, 9180):
        pipedrive.put("deals", id_, title="d", status="open", stage_id=4)
        pipedrive.change("deals", id_, LATER, value=5)

    assert len(told(pipedrive)) == 50


def test_change_that_our_own_token_made_is_an_echo(pipedrive):
    pipedrive.change("deals", 9001, LATER, source="api", by=900, value=5)
    pipedrive.change("deals", 9002, LATER, source="api", by=901, value=5)

    asked_for = {event.object.id: event.echo for event in told(pipedrive) if event.object}
    named = {event.object.id: event.echo for event in told(pipedrive, user_id="901") if event.object}

    assert asked_for == {"9001": True, "9002": False}
    assert named == {"9001": False, "9002": True}


def test_told_again_it_has_the_same_id(pipedrive):
    pipedrive.change("deals", 9001, LATER, stage_id=5)

    first, second = told(pipedrive), told(pipedrive)

    assert [event.id for event in first] == [event.id for event in second]
    assert first[0].id.startswith("poll-")


def test_first_pull_tells_nothing(pipedrive):
    assert [event for page in pull(make_connector(pipedrive)) for event in page.events] == []


def test_own_field_for_no_mail_is_an_opt_out_in_webhooks_and_at_the_next_look(pipedrive):
    pipedrive.change("persons", 501, LATER, custom_fields={NO_MAIL: True})
    typed = {"custom_fields": {NO_MAIL: {"type": "boolean", "value": True}}}

    event = read(typed, {"custom_fields": {NO_MAIL: None}}, entity="person", more={"opt_out_field": NO_MAIL}).events[0]

    assert event.type == "contact.opted_out"
    assert [e.type for e in told(pipedrive, opt_out_field=NO_MAIL)] == ["contact.opted_out"]


def test_deal_that_says_a_mail_came_is_a_message():
    times = ({"last_incoming_mail_time": "2026-11-21 09:00:00"}, {"last_incoming_mail_time": None})

    assert read(*times).events[0].type == "message.received"


def test_deleted_deals_come_from_a_list_of_their_own(pipedrive):
    pipedrive.change("deals", 9002, LATER, is_deleted=True)

    pages = pull(make_connector(pipedrive), SINCE)

    assert [ref for page in pages for ref in page.deleted] == [
        ObjectRef("deal", "9002"),
        ObjectRef("order", "deal:9002"),
    ]
    assert [doc["id"] for page in pages for doc in page.records.get("deals", ())] == []


def test_lead_is_its_person_until_there_is_a_deal(pipedrive):
    pipedrive.put("persons", 502, name="Bo Lind", emails=[{"value": "bo@x.example"}])
    pipedrive.put("persons", 503, name="Cy Ode", won_deals_count=1)
    for id_, person in ((1, 502), (2, 503), (3, None)):
        pipedrive.put("leads", id_, title=f"Lead {id_}", person_id=person)

    pages = pull(make_connector(pipedrive))

    found = {doc["id"]: doc for page in pages for doc in page.records.get("contacts", ())}
    assert {id_: doc.get("lifecycle") for id_, doc in found.items()} == {"501": None, "502": "lead", "503": "customer"}
    assert found["502"]["x_pipedrive"]["leads"][0]["title"] == "Lead 1"


def test_kinds_left_out_are_not_asked_for(pipedrive):
    pull(make_connector(pipedrive, leave_out=["leads", "notes"]))

    assert pipedrive.asked("GET", "/api/v1/(leads|notes)") == []


def test_moves_of_the_deal_are_its_stage_history(pipedrive):
    pipedrive.put("stages", 5, name="Haggling", pipeline_id=1)
    pipedrive.change("deals", 9001, "2026-11-20T09:00:00Z", stage_id=5)
    pipedrive.change("deals", 9001, "2026-11-20T10:00:00Z", value=13000)

    changes = make_connector(pipedrive).read_context(DEAL).stage_changes

    assert [(c.from_, c.to, c.at.hour) for c in changes] == [(None, "Proposal", 8), ("Proposal", "Haggling", 9)]


def test_without_its_history_the_last_move_is_known(pipedrive):
    pipedrive.change("deals", 9001, "2026-11-21T07:00:00Z", stage_id=4)

    connector = make_connector(pipedrive, stage_history=False)

    changes = connector.read_context(DEAL).stage_changes

    assert [(c.to, c.at.isoformat()) for c in changes] == [("Proposal", "2026-11-21T07:00:00+00:00")]
    assert pipedrive.asked("GET", ".*/changelog") == []


def test_deal_that_was_opened_again_keeps_the_day_of_its_loss(pipedrive):
    pipedrive.change("deals", 9001, "2026-11-20T09:00:00Z", status="lost")
    pipedrive.change("deals", 9001, "2026-11-20T11:00:00Z", status="open")

    deal = make_connector(pipedrive).read_context(DEAL).deal

    assert (deal.status, deal.closed_at.hour, deal.reopened_at.hour) == ("open", 9, 11)


def test_consent_is_asked_for_and_done_without_where_there_is_no_add_on(pipedrive):
    connector = make_connector(pipedrive)
    assert connector.read_context(DEAL).contacts[0].consent["email"].state == "granted"

    pipedrive.campaigns = False
    assert connector.read_context(DEAL).contacts[0].consent == {}
    asked = len(pipedrive.requests)
    connector.read_context(DEAL)

    assert not [r for r in pipedrive.requests[asked:] if "marketing_status" in r.one("include_fields")]


@pytest.mark.parametrize(("user", "sees"), [("777", True), ("778", True), ("779", False)])
def test_pipedrive_says_who_sees_a_deal(pipedrive, user, sees):
    pipedrive.permitted_to[9001] = [777, 778]

    assert make_connector(pipedrive).may_see(user, DEAL) is sees


def test_nobody_sees_a_deal_that_is_not_there(pipedrive):
    assert make_connector(pipedrive).may_see("777", Subject("deal", "1")) is False


def test_webhooks_that_pipedrive_deleted_are_made_again_once(pipedrive):
    pipedrive.hooks = [
        {"event_object": "deal", "subscription_url": URL, "is_active": 1},
        {"event_object": "person", "subscription_url": URL, "is_active": 0},
    ]
    connector = make_connector(pipedrive, webhook_url=URL)

    first, second = connector.renew(now=AT), connector.renew(now=AT)

    made = [(hook["event_object"], hook["http_auth_user"]) for hook in pipedrive.hooks[2:]]
    assert made == [(name, "pd-hook") for name in ("person", "organization", "activity", "note")]
    assert first == second == AT + timedelta(days=1)


def test_without_an_address_no_webhooks_are_made(pipedrive):
    assert make_connector(pipedrive).renew(now=AT) is None
    assert pipedrive.requests == []


def test_diagnosis_compares_company_user_and_rights(pipedrive):
    pipedrive.admin = False
    found = {n: mend for n, _, mend in make_connector(pipedrive, company_id="1", user_id="2").diagnose()}

    assert found["company_id"].startswith("The token is of company_id 7654321, the settings say 1")
    assert found["user_id"].startswith("The token is of user_id 900")
    assert "no admin" in found["sees all deals"]
    assert found["clock"].startswith("This machine's clock is ")


def test_diagnosis_names_a_webhook_that_is_switched_off(pipedrive):
    pipedrive.hooks = [{"event_object": n, "subscription_url": URL, "is_active": int(n != "note")}
                       for n in ("deal", "person", "organization", "activity", "note")]  # fmt: skip

    found = {n: mend for n, _, mend in make_connector(pipedrive).diagnose()}

    assert found["webhooks"].startswith("Webhooks of note to /webhooks/acme are missing or switched off")
