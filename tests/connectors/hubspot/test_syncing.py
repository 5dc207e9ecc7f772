"""Pulling HubSpot into the mirror: everything, then changes, deletions, merges; and lists, opt-outs, campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.hubspot.connector import HubSpotConnector
from crmplugin.domain.event import ObjectRef
from crmplugin.errors import CrmRefused, NotFound, SettingsError, UsageError
from crmplugin.ports import CampaignMessage, CampaignPush, Changes
from tests.connectors.cases.hubspot import AT, make_connector
from tests.fakes.hubspot import FakeHubSpot, with_orbis

SINCE = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    with fake.running():
        yield fake


def pull(connector: HubSpotConnector, since: datetime | None = None) -> list[Changes]:
    pages = [connector.changes_since(since)]
    while pages[-1].cursor:
        pages.append(connector.changes_since(since, cursor=pages[-1].cursor))
    return pages


def ids(pages: list[Changes], collection: str) -> list[str]:
    return [doc["id"] for page in pages for doc in page.records.get(collection, ())]


def test_first_pull_gives_every_record_once_with_its_ties(hubspot):
    hubspot.page = 1
    pages = pull(make_connector(hubspot))

    assert ids(pages, "deals") == ["9001", "9002", "9003"]
    assert ids(pages, "activities") == ["notes:6001", "emails:6101"]
    assert ids(pages, "users") == ["4455"]
    deal = next(doc for page in pages for doc in page.records.get("deals", ()) if doc["id"] == "9001")
    assert (deal["company_id"], deal["contact_ids"]) == ("7001", ["501"])
    assert pages[-1].up_to == datetime(2026, 11, 18, 11, 6, 10, 456000, tzinfo=UTC)


def test_later_pull_gives_what_changed_with_ties_and_what_was_deleted(hubspot):
    hubspot.move("9001", "998877", "2026-11-21T10:00:00.000Z")
    hubspot.archive("contacts", hubspot.put("contacts", "502", email="gone@orbis.example"), "2026-11-21T11:00:00.000Z")
    hubspot.archive("contacts", hubspot.put("contacts", "503", email="old@orbis.example"), "2026-10-01T11:00:00.000Z")

    pages = pull(make_connector(hubspot), SINCE)

    assert ids(pages, "deals") == ["9001"]
    assert next(doc for page in pages for doc in page.records.get("deals", ()))["contact_ids"] == ["501"]
    assert [ref for page in pages for ref in page.deleted] == [ObjectRef("contact", "502")]


@pytest.mark.parametrize(("since", "looks"), [(None, 0), ("2026-11-18T11:05:00", 0), ("2026-11-18T08:55:00", 4)])
def test_archived_records_are_looked_at_every_three_hours(hubspot, since, looks):
    pull(make_connector(hubspot), datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None)

    asked = [r for r in hubspot.asked("GET", r"/crm/objects/2026-09/[a-z]+") if r.one("archived") == "true"]
    assert len(asked) == looks


def test_what_was_archived_after_the_look_before_is_found_at_the_next(hubspot):
    hubspot.archive("contacts", "501", "2026-11-18T06:10:00.000Z")

    pages = pull(make_connector(hubspot), datetime(2026, 11, 18, 8, 55, tzinfo=UTC))

    assert [ref for page in pages for ref in page.deleted] == [ObjectRef("contact", "501")]


def docs(pages: list[Changes], collection: str) -> list[Any]:
    return [doc for page in pages for doc in page.records.get(collection, ())]


def test_won_deals_are_the_purchases_where_the_account_keeps_no_orders(hubspot):
    orders = docs(pull(make_connector(hubspot)), "orders")

    assert [(o["id"], o["company_id"], o["lines"][0]["product_id"]) for o in orders] == [
        ("deal:9002", "7001", "301"),
        ("deal:9003", "7001", "301"),
    ]


def test_deal_that_is_won_no_more_is_no_purchase_any_more(hubspot):
    hubspot.move("9002", "qualifiedtobuy", "2026-11-21T10:00:00.000Z")
    hubspot.things["deals"]["9002"]["properties"].update(hs_is_closed="false", hs_is_closed_won="false")
    hubspot.archive("deals", "9003", "2026-11-21T11:00:00.000Z")

    gone = [ref for page in pull(make_connector(hubspot), SINCE) for ref in page.deleted]

    assert gone == [ObjectRef("order", "deal:9002"), ObjectRef("deal", "9003"), ObjectRef("order", "deal:9003")]


def test_quotes_and_orders_have_their_lines_and_only_lines_of_deals_stand_alone(hubspot):
    for kind, id_, line in (("quotes", "3001", "30011"), ("orders", "4001", "40011")):
        hubspot.put(kind, id_, hs_title="Offer", hs_order_name="SO-1")
        hubspot.put("line_items", line, name="Filter F-20", quantity="2", price="400.00", hs_product_id="301")
        hubspot.tie(kind, id_, "line_items", line)

    pages = pull(make_connector(hubspot))

    assert docs(pages, "quotes")[0]["lines"] == [
        {"id": "30011", "product_id": "301", "description": "Filter F-20", "quantity": "2", "unit_price": "400.00"}
    ]
    assert [(o["id"], o["lines"][0]["quantity"]) for o in docs(pages, "orders")] == [("4001", "2")]
    assert ids(pages, "line_items") == ["8001", "90021", "90031"]


def test_way_of_a_deal_through_its_stages_is_mirrored(hubspot):
    hubspot.move("9001", "998877", "2026-11-21T10:00:00.000Z")

    for pages in (pull(make_connector(hubspot)), pull(make_connector(hubspot), SINCE)):
        moves = [(m["to"], m["at"]) for m in docs(pages, "stage_changes") if m["deal_id"] == "9001"]
        assert moves == [("Proposal", "2026-09-01T08:00:00Z"), ("Haggling", "2026-11-21T10:00:00Z")]


def test_lead_is_mirrored_as_its_person(hubspot):
    hubspot.put("contacts", "502", firstname="Bo", email="bo@x.example")
    for id_, person in (("3601", "502"), ("3602", "501"), ("3603", "502")):
        hubspot.put("leads", id_, hs_lead_name=f"Lead {id_}")
        hubspot.tie("leads", id_, "contacts", person)

    people = {doc["id"]: doc for doc in docs(pull(make_connector(hubspot)), "contacts")}

    assert {id_: doc["lifecycle"] for id_, doc in people.items()} == {"501": "customer", "502": "lead"}
    assert [one["hs_lead_name"] for one in people["502"]["x_hubspot"]["leads"]] == ["Lead 3601", "Lead 3603"]


def test_merged_records_are_named_with_their_survivor(hubspot):
    hubspot.things["contacts"]["501"]["properties"]["hs_merged_object_ids"] = "498;499"

    pages = pull(make_connector(hubspot))

    survivor = ObjectRef("contact", "501")
    assert [pair for page in pages for pair in page.merged] == [
        (ObjectRef("contact", "498"), survivor),
        (ObjectRef("contact", "499"), survivor),
    ]


def test_pull_goes_on_in_another_process_by_its_cursor(hubspot):
    first = make_connector(hubspot).changes_since(None)

    assert first.cursor
    assert ids([make_connector(hubspot).changes_since(None, cursor=first.cursor)], "contacts") == ["501"]


def test_kinds_left_out_are_not_asked_for(hubspot):
    hubspot.without_scope.add("quotes")

    assert ids(pull(make_connector(hubspot, leave_out=["quotes"])), "deals") == ["9001", "9002", "9003"]


@pytest.mark.parametrize("cursor", ["x", "deals", "quotes;;;", "aliens;;;2026-11-21T00:00:00+00:00"])
def test_foreign_cursor_is_refused(hubspot, cursor):
    with pytest.raises(UsageError, match="start the pull again"):
        make_connector(hubspot).changes_since(None, cursor=cursor)


def test_list_gives_contacts_and_who_must_not_get_mail(hubspot):
    hubspot.put("contacts", "504", firstname="Eve", email="eve@orbis.example", hs_email_optout="true")
    hubspot.put("contacts", "505", firstname="Bo", email="bo@orbis.example")
    hubspot.put("contacts", "506", firstname="No mail")
    hubspot.unsubscribed.add("bo@orbis.example")
    hubspot.lists["12"] = ["501", "504", "505", "506"]

    page = make_connector(hubspot).find_segment("12")

    assert [contact["id"] for contact in page.contacts] == ["501", "504", "505", "506"]
    assert page.opted_out == {"email": ("504", "505", "506")}
    assert (page.cursor, page.total) == (None, 4)


def test_who_unsubscribed_from_this_type_of_mail_alone_is_left_out_too(hubspot):
    hubspot.put("contacts", "505", firstname="Bo", email="bo@orbis.example")
    hubspot.unsubscribed_from |= {("bo@orbis.example", 111), ("dana@orbis.example", 999)}
    hubspot.lists["12"] = ["501", "505"]

    page = make_connector(hubspot, subscription_id="111").find_segment("12")

    assert page.opted_out == {"email": ("505",)}


def test_long_list_is_paged(hubspot):
    hubspot.page = 1
    hubspot.lists["12"] = ["501", "502"]

    assert make_connector(hubspot).find_segment("12").cursor == "1"


def test_unknown_list_is_not_found(hubspot):
    with pytest.raises(NotFound, match="no list 99"):
        make_connector(hubspot).find_segment("99")


def make_campaign(**changes: Any) -> CampaignPush:
    given: dict[str, Any] = {
        "id": "c-1",
        "name": "Spring service",
        "channel": "email",
        "language": "en",
        "subject": "Your service",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "messages": (CampaignMessage("501", "dana@orbis.example", "Your service", "Hello Dana"),),
    }
    return CampaignPush(**(given | changes))


def test_campaign_becomes_one_unpublished_draft_for_its_recipients(hubspot):
    connector = make_connector(hubspot)

    first = connector.push_campaign(make_campaign(), marker="crmplugin:c-1", at=AT)
    second = connector.push_campaign(make_campaign(), marker="crmplugin:c-1", at=AT)

    assert first == second
    assert len(hubspot.marketing) == 1
    assert hubspot.marketing[0]["to"]["contactIds"]["include"] == ["501"]
    assert not hubspot.asked("POST", ".*/publish")


def test_campaign_of_another_channel_is_refused(hubspot):
    with pytest.raises(CrmRefused, match="not of sms"):
        make_connector(hubspot).push_campaign(make_campaign(channel="sms"), marker="m", at=AT)


def checks(connector: HubSpotConnector) -> dict[str, tuple[bool, str]]:
    return {name: (good, mend) for name, good, mend in connector.diagnose()}


def test_diagnosis_names_every_kind_it_read(hubspot):
    found = checks(make_connector(hubspot, stages={"998877": "negotiation"}))

    assert found["access token"] == (True, "")
    assert found["read deals"] == (True, "")
    assert found["stages"] == (True, "")


def test_diagnosis_names_the_missing_scope_and_the_stage_without_meaning(hubspot):
    hubspot.without_scope.add("quotes")

    found = checks(make_connector(hubspot, fields={"deal.competitors": "wettbewerber", "deal.next_step": "nope"}))

    assert found["read quotes"][1].startswith("Scope crm.objects.quotes.read is missing")
    assert "998877 (Haggling)" in found["stages"][1]
    assert found["property wettbewerber"] == (True, "")
    assert found["property nope"][0] is False


def test_diagnosis_names_a_type_of_mail_that_is_not_there(hubspot):
    found = checks(make_connector(hubspot, subscription_id="111", mail_subscription_id="333"))

    assert found["subscription_id"] == (True, "")
    assert found["mail_subscription_id"][1] == (
        "HubSpot has no subscription type 333: correct mail_subscription_id, it has 111 (Marketing), 222 (One to one)."
    )


def test_type_of_mail_that_is_no_number_is_refused_at_the_start(hubspot):
    with pytest.raises(SettingsError, match="mail_subscription_id is 'one-to-one'"):
        make_connector(hubspot, mail_subscription_id="one-to-one")


def test_diagnosis_stops_at_a_refused_token(hubspot):
    found = checks(make_connector(hubspot, access_token="pat-of-yesterday"))

    assert list(found) == ["access token"]
    assert "Distribution tab" in found["access token"][1]


WRONG_HOSTS = {
    "no such path": (404, {"message": "Not Found"}, "base_url is probably not HubSpot's"),
    "a web page": (200, b"<html>Welcome</html>", "answers, but not as HubSpot does"),
    "moved": (302, b"", "set base_url to the address that answers itself"),
    "down": (503, b"", "status page"),
}


@pytest.mark.parametrize(("status", "body", "mend"), WRONG_HOSTS.values(), ids=WRONG_HOSTS)
def test_wrong_host_is_named(hubspot, status, body, mend):
    hubspot.fail("GET", ".*", status, body=body, times=9)

    found = checks(make_connector(hubspot))

    assert list(found) == ["access token"]
    assert mend in found["access token"][1]


def test_clock_that_is_off_is_named(hubspot):
    # The fake's clock is this machine's; the connector's stands on 18 November 2026.
    good, mend = checks(make_connector(hubspot))["clock"]

    assert not good
    assert mend.startswith("This machine's clock is ")
