"""What is told of changes whose webhooks were lost: the same as those would have said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from crmplugin.domain.event import Event
from tests.connectors.cases.hubspot import make_connector
from tests.connectors.hubspot.test_syncing import pull
from tests.fakes.hubspot import FakeHubSpot, with_orbis

SINCE = datetime(2026, 11, 21, tzinfo=UTC)
LATER = "2026-11-21T10:00:00.000Z"


@pytest.fixture
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    with fake.running():
        yield fake


def told(hubspot: FakeHubSpot, **options: Any) -> list[Event]:
    return [event for page in pull(make_connector(hubspot, **options), SINCE) for event in page.events]


def said(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(e.type, f"{e.object.type} {e.object.id}", e.at.isoformat()) for e in events if e.object]


CHANGES = {
    "moved": ("deals", "9001", {"dealstage": "contractsent"}, ("deal.stage_changed", "deal 9001")),
    "won": ("deals", "9001", {"dealstage": "closedwon"}, ("deal.won", "deal 9001")),
    "amount": ("deals", "9001", {"amount": "900.00"}, ("deal.updated", "deal 9001")),
    "opt-out": ("contacts", "501", {"hs_email_optout": "true"}, ("contact.opted_out", "contact 501")),
    "ticket closed": ("tickets", "5001", {"hs_pipeline_stage": "4"}, ("ticket.resolved", "ticket 5001")),
}


@pytest.mark.parametrize(("kind", "id_", "values", "event"), CHANGES.values(), ids=CHANGES)
def test_change_is_told_as_its_webhook_would_have(hubspot, kind, id_, values, event):
    hubspot.change(kind, id_, LATER, **values)

    assert said(told(hubspot)) == [(*event, "2026-11-21T10:00:00+00:00")]


def test_opt_out_of_the_mails_that_reps_write_is_told(hubspot):
    hubspot.change("contacts", "501", LATER, hs_email_optout_222="true")

    assert said(told(hubspot, mail_subscription_id="222")) == [
        ("contact.opted_out", "contact 501", "2026-11-21T10:00:00+00:00")
    ]


def test_two_moves_of_one_deal_are_two_events(hubspot):
    hubspot.move("9001", "contractsent", LATER)
    hubspot.move("9001", "closedwon", "2026-11-21T11:00:00.000Z")

    assert sorted(event.type for event in told(hubspot)) == ["deal.stage_changed", "deal.won"]


def test_new_deal_is_told_once_and_not_as_moved(hubspot):
    hubspot.put("deals", "9010", dealname="New", dealstage="appointmentscheduled", amount="5", createdate=LATER)

    assert said(told(hubspot)) == [("deal.created", "deal 9010", "2026-11-21T10:00:00+00:00")]


def test_incoming_mail_is_told_and_an_outgoing_or_old_one_is_not(hubspot):
    for id_, direction, sent in (
        ("6201", "INCOMING_EMAIL", LATER),
        ("6202", "EMAIL", LATER),
        ("6203", "INCOMING_EMAIL", "2024-01-01T10:00:00Z"),
    ):
        hubspot.put("emails", id_, hs_email_direction=direction, hs_timestamp=sent, createdate=LATER)

    assert said(told(hubspot)) == [("message.received", "activity emails:6201", "2026-11-21T10:00:00+00:00")]


def test_meeting_without_a_past_is_told_by_its_end(hubspot):
    ended = {"hs_meeting_outcome": "COMPLETED", "hs_meeting_end_time": "2026-11-21T09:00:00Z", "createdate": LATER}
    hubspot.put("meetings", "6301", **ended)
    hubspot.things["meetings"]["6301"]["history"].clear()

    assert said(told(hubspot)) == [("meeting.ended", "activity meetings:6301", "2026-11-21T09:00:00+00:00")]


def test_told_again_it_has_the_same_id(hubspot):
    hubspot.move("9001", "contractsent", LATER)

    first, second = told(hubspot), told(hubspot)

    assert [event.id for event in first] == [event.id for event in second]
    assert first[0].id.startswith("poll-")


def test_change_of_our_own_app_is_an_echo(hubspot):
    hubspot.change("deals", "9001", LATER, source="INTEGRATION", by="54321", amount="1")
    hubspot.change("deals", "9002", LATER, source="INTEGRATION", by="99", amount="1")

    events = told(hubspot, app_id="54321")

    assert {event.object.id: event.echo for event in events if event.object} == {"9001": True, "9002": False}


def test_what_no_event_has_a_name_for_is_not_told(hubspot):
    hubspot.put("quotes", "7101", hs_status="DRAFT", createdate=LATER)
    hubspot.change("companies", "7001", LATER, name="Orbis Dairy plc")

    assert told(hubspot) == []


def test_first_pull_tells_nothing(hubspot):
    assert [event for page in pull(make_connector(hubspot)) for event in page.events] == []


def test_past_of_more_than_fifty_records_is_asked_for_in_parts(hubspot):
    for n in range(60):
        hubspot.put("deals", str(9100 + n), dealname="d", dealstage="appointmentscheduled", createdate=LATER)

    assert len(told(hubspot)) == 60
