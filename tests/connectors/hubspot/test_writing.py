"""Write-back into HubSpot: what is made, tied, found again and refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.hubspot.connector import HubSpotConnector
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmRefused, CrmUnavailable, SettingsError
from tests.connectors.cases.hubspot import make_connector
from tests.connectors.drafts import AT, make_draft
from tests.fakes.hubspot import FakeHubSpot, with_orbis

DEAL = Subject("deal", "9001")
MARKER = "crmplugin:draft-1"


@pytest.fixture
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    with fake.running():
        yield fake


def write(connector: HubSpotConnector, draft: Draft | None = None, **changes: Any) -> str:
    return connector.write_back(draft or make_draft(DEAL, **changes), marker=MARKER, at=AT)


def made(hubspot: FakeHubSpot, result: str) -> dict[str, str]:
    kind, _, id_ = result.partition(":")
    return hubspot.things[kind][id_]["properties"]


def test_mail_becomes_a_task_to_send_it_tied_to_deal_company_and_person(hubspot):
    result = write(make_connector(hubspot))

    task = made(hubspot, result)
    id_ = result.removeprefix("tasks:")
    assert (task["hs_task_subject"], task["hs_task_type"]) == ("Your quote Q-118", "EMAIL")
    assert task["hs_task_body"].endswith("<p>Best regards</p><p>Ref crmplugin:draft-1</p>")
    assert task["hubspot_owner_id"] == "4455"
    assert {tie[2:] for tie in hubspot.ties if tie[:2] == ("tasks", id_)} == {
        ("deals", "9001"),
        ("contacts", "501"),
        ("companies", "7001"),
    }


def test_internal_text_becomes_a_note(hubspot):
    result = write(make_connector(hubspot), audience="internal", kind="negotiation_note", channel="note", to=None)

    assert result.startswith("notes:")
    assert "<strong>Your quote Q-118</strong>" in made(hubspot, result)["hs_note_body"]


def test_call_becomes_a_task_to_call(hubspot):
    assert made(hubspot, write(make_connector(hubspot), channel="phone"))["hs_task_type"] == "CALL"


def test_mail_is_logged_as_sent_where_the_settings_say_so(hubspot):
    result = write(make_connector(hubspot, write_back={"email": "logged_email"}))

    mail = made(hubspot, result)
    assert (mail["hs_email_status"], mail["hs_email_direction"]) == ("SENT", "EMAIL")
    assert '"dana@orbis.example"' in mail["hs_email_headers"]


def test_kind_of_draft_may_set_a_property(hubspot):
    connector = make_connector(hubspot, write_back={"summary": "property:deal_summary"})

    result = write(connector, kind="summary", audience="internal", body="Short.")

    assert result == "deals:9001.deal_summary"
    assert hubspot.things["deals"]["9001"]["properties"]["deal_summary"] == "Short."


def test_our_note_is_read_back_as_ours_without_its_reference(hubspot):
    connector = make_connector(hubspot)
    result = write(connector, channel="note")

    note = next(a for a in connector.read_context(DEAL).activities if a.id == result)

    assert note.source == MARKER
    assert "Ref" not in note.body


@pytest.mark.parametrize("target", ["draft_email", "sms", ""])
def test_what_hubspot_cannot_hold_is_refused_at_the_start(hubspot, target):
    with pytest.raises(SettingsError, match="no drafts of one-to-one mails"):
        make_connector(hubspot, write_back={"email": target})


def test_500_after_the_write_is_found_again_and_not_written_twice(hubspot):
    connector = make_connector(hubspot)
    hubspot.fail("POST", r"/crm/objects/2026-09/tasks", 500, after=True)
    draft = make_draft(DEAL)

    with pytest.raises(CrmUnavailable):
        write(connector)
    found = connector.find_written(MARKER, draft=draft)

    assert found == f"tasks:{next(iter(hubspot.things['tasks']))}"
    assert hubspot.written("tasks") == 1


def test_nothing_is_found_before_anything_was_written(hubspot):
    other = write(make_connector(hubspot), channel="note")

    assert other
    assert make_connector(hubspot).find_written("crmplugin:draft-11", draft=make_draft(DEAL)) is None


def test_unique_property_makes_writing_twice_one_record(hubspot):
    hubspot.unique = "crmplugin_draft_key"
    connector = make_connector(hubspot, key_property="crmplugin_draft_key")
    hubspot.fail("POST", r"/crm/objects/2026-09/tasks/batch/upsert", 500, after=True)

    first, second = write(connector), write(connector)

    assert first == second == connector.find_written(MARKER, draft=make_draft(DEAL))
    assert hubspot.written("tasks") == 1
    assert ("tasks", first.removeprefix("tasks:"), "deals", "9001") in hubspot.ties


def test_deal_that_moved_since_the_draft_is_a_conflict(hubspot):
    hubspot.move("9001", "closedlost", (AT + timedelta(minutes=5)).isoformat())

    with pytest.raises(CrmRefused, match="Ask for a new draft: the stage of deal 9001 was changed"):
        write(make_connector(hubspot))
    assert hubspot.written("tasks") == 0


def test_internal_note_is_written_though_the_deal_moved(hubspot):
    hubspot.move("9001", "closedlost", (AT + timedelta(minutes=5)).isoformat())

    assert write(make_connector(hubspot), audience="internal", channel="note")


@pytest.mark.parametrize("name", ["hs_email_optout", "hs_email_optout_222"])
def test_person_who_opted_out_since_the_draft_gets_no_mail(hubspot, name):
    hubspot.things["contacts"]["501"]["properties"][name] = "true"

    with pytest.raises(CrmRefused, match="Reject draft draft-1: whom it is for has opted out of mails in HubSpot"):
        write(make_connector(hubspot, mail_subscription_id="222"))
    assert hubspot.written("tasks") == 0


SPARED = {"service": {"type": "answer"}, "call": {"channel": "phone"}, "internal": {"audience": "internal"}}


@pytest.mark.parametrize("changes", SPARED.values(), ids=SPARED)
def test_what_no_opt_out_forbids_is_written(hubspot, changes):
    hubspot.things["contacts"]["501"]["properties"]["hs_email_optout"] = "true"

    assert write(make_connector(hubspot), **changes)


def test_person_who_is_gone_is_refused_with_what_to_do(hubspot):
    hubspot.archive("contacts", "501")

    with pytest.raises(CrmRefused, match="Reject draft draft-1: HubSpot has no contact 501 any more"):
        write(make_connector(hubspot))


def test_deleted_deal_is_refused_with_what_to_do(hubspot):
    hubspot.archive("deals", "9001")

    with pytest.raises(CrmRefused, match="Reject draft draft-1"):
        write(make_connector(hubspot))


def test_validation_error_is_told_in_hubspots_words(hubspot):
    body = {"message": "Property values were not valid", "errors": [{"message": '"dealtype" is required'}]}
    hubspot.fail("POST", r"/crm/objects/2026-09/tasks", 400, body=body)

    with pytest.raises(CrmRefused, match='not valid; "dealtype" is required'):
        write(make_connector(hubspot))


def test_text_longer_than_hubspot_holds_is_refused_before_it_is_cut(hubspot):
    with pytest.raises(CrmRefused, match="Shorten"):
        write(make_connector(hubspot), html="x" * 70_000)


def test_answer_to_a_mail_is_tied_to_the_deal_of_that_mail(hubspot):
    draft = replace(make_draft(Subject("activity", "emails:6101")), id="draft-1")

    result = write(make_connector(hubspot), draft)

    assert ("tasks", result.removeprefix("tasks:"), "deals", "9001") in hubspot.ties
