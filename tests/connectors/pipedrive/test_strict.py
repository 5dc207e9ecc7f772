"""The contract cases of Pipedrive, exchange by exchange: nothing else may be asked, and nothing twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.pipedrive.connector import PipedriveConnector
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound, NotGenuine
from crmplugin.ports import Services
from tests.connectors.cases.pipedrive import AT, OPTIONS, Case
from tests.connectors.drafts import make_draft
from tests.connectors.strict import Exchange, only

HOST = "https://acme.pipedrive.com"
V1, V2 = f"{HOST}/api/v1", f"{HOST}/api/v2"
DEAL = Subject("deal", "9001")
MARKER = "crmplugin:draft-1"
NOTHING: dict[str, Any] = {"success": True, "data": [], "additional_data": {"next_cursor": None}}
COMPANY = [Exchange("GET", f"{V1}/users", NOTHING), Exchange("GET", f"{V2}/pipelines", NOTHING),
           Exchange("GET", f"{V2}/stages", NOTHING)]  # fmt: skip
ROUND_ONE = [
    Exchange("GET", f"{V2}/activities", NOTHING, query={"deal_id": "9001"}),
    Exchange("GET", f"{V1}/notes", NOTHING, query={"deal_id": "9001"}),
    Exchange("GET", f"{V2}/deals/9001/products", NOTHING),
    Exchange("GET", f"{V1}/deals/9001/mailMessages", NOTHING),
    Exchange("GET", f"{V1}/deals/9001/changelog", NOTHING, query={"limit": "500"}),
    *COMPANY,
]


def connector(**options: Any) -> PipedriveConnector:
    services = Services(MemoryLimiter(), MemoryVault(), clock=lambda: AT, sleep=lambda s: None)
    return PipedriveConnector("acme", {**OPTIONS, "base_url": HOST, **options}, services)


def told(data: Any, **more: Any) -> dict[str, Any]:
    return {"success": True, "data": data, **more}


def people(*found: dict[str, Any]) -> Exchange:
    fields = "marketing_status,won_deals_count,open_deals_count"
    return Exchange("GET", f"{V2}/persons", told(list(found)), query={"deal_id": "9001", "include_fields": fields})


def test_deal_is_read_with_its_people_and_its_organisation_in_two_rounds():
    deal = {"id": 9001, "title": "Line 3", "value": 12500, "currency": "EUR", "status": "open", "org_id": 7001}
    dana = {
        "id": 501,
        "name": "Dana Reyes",
        "emails": [{"value": "dana@orbis.example"}],
        "marketing_status": "archived",
    }
    reading = [
        Exchange("GET", f"{V2}/deals/9001", told(deal), told={"x-api-token": OPTIONS["api_token"]}),
        people(dana),
        *ROUND_ONE,
        Exchange("GET", f"{V2}/organizations/7001", told({"id": 7001, "name": "Orbis Dairy"})),
        Exchange("GET", f"{V2}/deals", told([deal]), query={"org_id": "7001"}),
        Exchange("GET", f"{V2}/deals/archived", NOTHING, query={"org_id": "7001"}),
    ]

    with only(*reading):
        context = connector().read_context(DEAL)

    assert (context.deal.name, context.deal.amount) == ("Line 3", Decimal(12500))
    assert [(c.email, c.consent["email"].state) for c in context.contacts] == [("dana@orbis.example", "withdrawn")]
    assert context.company.name == "Orbis Dairy"


def test_deleted_deal_is_not_looked_for_further():
    gone = Exchange("GET", f"{V2}/deals/9001", {"success": False, "error": "Deal not found"}, 404)

    with only(gone, people(), *ROUND_ONE), pytest.raises(NotFound):
        connector().read_context(DEAL)


def test_long_limit_is_not_tried_against():
    limit = Exchange("GET", f"{V1}/deals/9001/permittedUsers", {}, 429, headers={"x-ratelimit-reset": "120"})

    with only(limit), pytest.raises(CrmUnavailable) as raised:
        connector().may_see("777", DEAL)

    assert raised.value.retry_after_s == pytest.approx(120, abs=5)


def test_next_page_begins_where_the_last_ended():
    first = told([{"id": 7001, "name": "Orbis Dairy"}], additional_data={"next_cursor": "abc"})
    with only(Exchange("GET", f"{V2}/organizations", first, query={"limit": "100"}), *COMPANY):
        asked = connector()
        page = asked.changes_since(None)
    with only(Exchange("GET", f"{V2}/organizations", told([{"id": 7002}]), query={"cursor": "abc"})):
        rest = asked.changes_since(None, cursor=page.cursor)

    assert [c["id"] for part in (page, rest) for c in part.records["companies"]] == ["7001", "7002"]
    assert rest.cursor.startswith("persons;")


TASK = {
    "subject": "Your quote Q-118", "type": "email", "due_date": "2026-11-21", "done": False, "deal_id": 9001,
    "org_id": 7001, "owner_id": 777, "participants": [{"person_id": 501, "primary": True}],
    "note": "<p>Hello Dana,</p><p>the quote Q-118 is valid until 27 November.</p><p>Best regards</p>"
            "<p>Ref crmplugin:draft-1</p>",
}  # fmt: skip
OPEN = Exchange("GET", f"{V2}/deals/9001", told({"id": 9001, "org_id": 7001, "owner_id": 777}))
DANA = Exchange("GET", f"{V2}/persons/501", told({"id": 501, "marketing_status": "subscribed"}))


def test_write_back_is_one_activity_and_the_same_key_finds_it():
    with only(OPEN, DANA, Exchange("POST", f"{V2}/activities", told({"id": 70001}), 201, sent=TASK)):
        written = connector().write_back(make_draft(DEAL), marker=MARKER, at=AT)
    newest = Exchange("GET", f"{V2}/activities", told([{"id": 70001, "note": TASK["note"]}]),
                      query={"deal_id": "9001", "sort_by": "add_time", "sort_direction": "desc"})  # fmt: skip
    with only(newest):
        found = connector().find_written(MARKER, draft=make_draft(DEAL))

    assert written == found == "activities:70001"


def test_write_that_may_have_been_taken_is_not_sent_again():
    with only(OPEN, DANA, Exchange("POST", f"{V2}/activities", {}, 500)), pytest.raises(CrmUnavailable):
        connector().write_back(make_draft(DEAL), marker=MARKER, at=AT)


def test_refused_token_is_told_and_not_tried_again():
    refusal = Exchange("GET", f"{V1}/deals/9001/permittedUsers", {"error": "unauthorized access"}, 401)

    with only(refusal), pytest.raises(CrmRefused, match="unauthorized access"):
        connector().may_see("777", DEAL)


def test_webhooks_are_judged_and_read_without_asking_anybody():
    delivery = Case().deliver()
    asked = connector()

    with only():
        asked.verify_webhook(delivery.headers, delivery.body, url=delivery.url, now=delivery.at)
        first, second = (asked.read_events(delivery.body, received_at=delivery.at) for _ in range(2))
        with pytest.raises(NotGenuine):
            asked.verify_webhook(Case().spoilt(delivery).headers, delivery.body, url=delivery.url, now=delivery.at)

    assert [event.id for event in first.events] == [event.id for event in second.events]
