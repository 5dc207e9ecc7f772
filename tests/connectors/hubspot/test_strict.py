"""The contract cases of HubSpot, exchange by exchange: nothing else may be asked, and nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.hubspot.connector import HubSpotConnector
from connectors.in_memory import MemoryLimiter, MemoryVault
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound, NotGenuine
from crmplugin.ports import Services
from tests.connectors.cases.hubspot import AT, SECRET, Case
from tests.connectors.drafts import make_draft
from tests.connectors.strict import Exchange, only

API = "https://api.hubapi.com"
OBJECTS = f"{API}/crm/objects/2026-09"
DEAL = Subject("deal", "9001")
MARKER = "crmplugin:draft-1"
REST = ["line_items", "quotes", "orders", "tickets", "notes", "emails", "calls", "meetings", "tasks", "products"]
NOTHING: dict[str, Any] = {"results": []}
ACCOUNT = [
    Exchange("GET", f"{API}/crm/owners/2026-09", NOTHING),
    Exchange("GET", f"{API}/crm/pipelines/2026-09/deals", NOTHING),
    Exchange("GET", f"{API}/crm/pipelines/2026-09/tickets", NOTHING),
]


def connector(**options: Any) -> HubSpotConnector:
    given = {"client_secret": SECRET, "access_token": "token-of-the-test", "leave_out": REST}
    services = Services(MemoryLimiter(), MemoryVault(), clock=lambda: AT, sleep=lambda s: None)
    return HubSpotConnector("acme", given | options, services)


def thing(id_: str, **properties: str) -> dict[str, Any]:
    return {"id": id_, "properties": properties, "archived": False, "updatedAt": "2026-11-20T08:00:00.000Z"}


def test_deal_is_read_with_its_people_and_its_company_in_two_rounds():
    ties = {"contacts": {"results": [{"id": "501", "type": "deal_to_contact"}]},
            "companies": {"results": [{"id": "7001", "type": "deal_to_company"}]}}  # fmt: skip
    deal = thing("9001", dealname="Line 3", amount="12500.00", unknown_one="kept") | {"associations": ties}
    people = {"results": [thing("501", firstname="Dana", email="dana@orbis.example")]}
    reading = [
        Exchange("GET", f"{OBJECTS}/deals/9001", deal, query={"associations": ["contacts", "companies"]},
                 told={"Authorization": "Bearer token-of-the-test"}),
        Exchange("POST", f"{OBJECTS}/contacts/batch/read", people),
        Exchange("POST", f"{OBJECTS}/companies/batch/read", {"results": [thing("7001", name="Orbis Dairy")]}),
        Exchange("POST", f"{OBJECTS}/deals/search", NOTHING | {"total": 0}),
    ]  # fmt: skip

    with only(*reading, *ACCOUNT):
        context = connector(earlier_lines=False).read_context(DEAL)

    assert (context.deal.name, context.deal.amount) == ("Line 3", Decimal("12500.00"))
    assert [c.email for c in context.contacts] == ["dana@orbis.example"]
    assert context.company.name == "Orbis Dairy"


def test_deleted_deal_is_asked_for_once():
    with only(Exchange("GET", f"{OBJECTS}/deals/9001", {"message": "not found"}, 404)), pytest.raises(NotFound):
        connector().read_context(DEAL)


def test_long_limit_is_not_tried_against():
    limit = Exchange("GET", f"{OBJECTS}/deals/9001", {"policyName": "DAILY"}, 429, headers={"Retry-After": "120"})

    with only(limit), pytest.raises(CrmUnavailable) as raised:
        connector().read_context(DEAL)

    assert raised.value.retry_after_s == pytest.approx(120, abs=5)


def test_next_page_begins_where_the_last_ended():
    following = {"paging": {"next": {"after": "7002"}}}
    first = {"results": [thing("7001", name="Orbis Dairy")], **following}
    with only(Exchange("GET", f"{OBJECTS}/companies", first, query={"limit": "100"}), *ACCOUNT):
        asked = connector()
        page = asked.changes_since(None)
    with only(Exchange("GET", f"{OBJECTS}/companies", {"results": [thing("7003")]}, query={"after": "7002"})):
        rest = asked.changes_since(None, cursor=page.cursor)

    assert [c["id"] for part in (page, rest) for c in part.records["companies"]] == ["7001", "7003"]
    assert rest.cursor.startswith("contacts;")


TASK = {
    "properties": {
        "hs_timestamp": "2026-11-21T09:30:00.000Z", "hs_task_subject": "Your quote Q-118",
        "hs_task_body": "<p>Hello Dana,</p><p>the quote Q-118 is valid until 27 November.</p><p>Best regards</p>"
                        "<p>Ref crmplugin:draft-1</p>",
        "hs_task_status": "NOT_STARTED", "hs_task_priority": "MEDIUM", "hs_task_type": "EMAIL",
        "hubspot_owner_id": "4455",
    },
    "associations": [
        {"to": {"id": "501"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}]},
        {"to": {"id": "9001"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 216}]},
    ],
}  # fmt: skip
DANA = Exchange("GET", f"{OBJECTS}/contacts/501", thing("501"), query={"properties": "hs_email_optout"})
SENT_AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def test_write_back_is_one_task_and_the_same_key_finds_it():
    deal = Exchange("GET", f"{OBJECTS}/deals/9001", thing("9001", hubspot_owner_id="4455"))
    with only(deal, DANA, Exchange("POST", f"{OBJECTS}/tasks", {"id": "70001"}, 201, sent=TASK)):
        written = connector().write_back(make_draft(DEAL), marker=MARKER, at=SENT_AT)

    ties = {"results": [{"from": {"id": "9001"}, "to": [{"toObjectId": 70001}]}]}
    body = TASK["properties"]["hs_task_body"]
    looking = [
        Exchange("POST", f"{API}/crm/associations/2026-09/deals/tasks/batch/read", ties,
                 sent={"inputs": [{"id": "9001"}]}),
        Exchange("POST", f"{OBJECTS}/tasks/batch/read", {"results": [thing("70001", hs_task_body=body)]}),
    ]  # fmt: skip
    with only(*looking):
        found = connector().find_written(MARKER, draft=make_draft(DEAL))

    assert written == found == "tasks:70001"


def test_write_that_may_have_been_taken_is_not_sent_again():
    deal = Exchange("GET", f"{OBJECTS}/deals/9001", thing("9001"))

    with only(deal, DANA, Exchange("POST", f"{OBJECTS}/tasks", {}, 500)), pytest.raises(CrmUnavailable):
        connector().write_back(make_draft(DEAL), marker=MARKER, at=SENT_AT)


def test_validation_error_is_told_in_hubspots_words_and_not_tried_again():
    refusal = {"message": "Property values were not valid", "errors": [{"message": "hs_task_type is required"}]}
    deal = Exchange("GET", f"{OBJECTS}/deals/9001", thing("9001"))

    with (
        only(deal, DANA, Exchange("POST", f"{OBJECTS}/tasks", refusal, 400)),
        pytest.raises(CrmRefused, match="not valid; hs_task_type is required"),
    ):
        connector().write_back(make_draft(DEAL), marker=MARKER, at=SENT_AT)


def test_expired_token_is_renewed_once_and_the_call_made_again():
    form = {"access_token": None, "client_id": "c-1", "refresh_token": "r-1"}
    token = f"{API}/oauth/2026-09/token"
    exchanges = [
        Exchange("POST", token, {"access_token": "token-1", "expires_in": 1800}),
        Exchange("GET", f"{OBJECTS}/deals/9001", {}, 401, told={"Authorization": "Bearer token-1"}),
        Exchange("POST", token, {"access_token": "token-2", "expires_in": 1800}),
        Exchange("GET", f"{OBJECTS}/deals/9001", thing("9001", hubspot_owner_id="4455"),
                 told={"Authorization": "Bearer token-2"}),
    ]  # fmt: skip

    with only(*exchanges):
        assert connector(**form).may_see("4455", DEAL) is True


def test_webhooks_are_judged_and_read_without_asking_anybody():
    delivery = Case().deliver()
    asked = connector()

    with only():
        asked.verify_webhook(delivery.headers, delivery.body, url=delivery.url, now=delivery.at)
        first, second = (asked.read_events(delivery.body, received_at=delivery.at) for _ in range(2))
        with pytest.raises(NotGenuine):
            asked.verify_webhook(delivery.headers, delivery.body + b" ", url=delivery.url, now=delivery.at)

    assert [event.id for event in first.events] == [event.id for event in second.events]
