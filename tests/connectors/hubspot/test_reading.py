"""A deal's context out of HubSpot: what is in it, in how many rounds, and what happens on bad days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.tracing import traced
from crmplugin.domain.crm import Consent, Subject
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound
from tests.connectors.cases.hubspot import make_connector
from tests.fakes.hubspot import FakeHubSpot, with_orbis

DEAL = Subject("deal", "9001")


@pytest.fixture
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    with fake.running():
        yield fake


def test_deal_has_its_values_with_currency_and_dates(hubspot):
    deal = make_connector(hubspot).read_context(DEAL).deal

    assert (deal.name, deal.amount, deal.currency) == ("Line 3 controls", Decimal("12500.00"), "EUR")
    assert (deal.stage, deal.stage_kind, deal.status) == ("Proposal", "proposal", "open")
    assert (deal.close_date, deal.probability) == (date(2026, 12, 15), Decimal("40"))
    assert (deal.company_id, deal.contact_ids, deal.owner_id) == ("7001", ("501",), "4455")


def test_people_mails_notes_and_tickets_are_read(hubspot):
    context = make_connector(hubspot).read_context(DEAL)

    assert context.company.name == "Orbis Dairy"
    assert [(c.id, c.first_name, c.language) for c in context.contacts] == [("501", "Dana", "en")]
    assert [(a.id, a.type, a.direction, a.body) for a in context.activities] == [
        ("notes:6001", "note", "internal", "Budget & timing agreed"),
        ("emails:6101", "email", "inbound", "What is the delivery time of the C-7?"),
    ]
    assert context.activities[1].contact_ids == ("501",)
    assert [(t.id, t.priority, t.status) for t in context.tickets] == [("5001", "P2", "open")]
    assert [(u.id, u.name) for u in context.users] == [("4455", "Jonas Brandt")]
    assert context.urls["deals/9001"] == "https://app.hubspot.com/contacts/62515/record/0-3/9001"


def test_won_deals_with_their_lines_are_the_purchases_of_an_account_without_orders(hubspot):
    context = make_connector(hubspot).read_context(DEAL)

    assert [(o.id, o.ordered_at.date(), o.lines[0].product_id) for o in context.orders] == [
        ("deal:9002", date(2025, 11, 3), "301"),
        ("deal:9003", date(2026, 5, 4), "301"),
    ]
    assert [(line.id, line.deal_id, line.unit_price) for line in context.line_items if line.deal_id == "9001"] == [
        ("8001", "9001", Decimal("2500.00"))
    ]


def test_orders_of_the_company_are_the_purchases_where_there_are_some(hubspot):
    hubspot.put("orders", "4001", hs_order_name="SO-1", hs_total_price="800.00", hs_currency_code="EUR",
                hs_external_created_date="2026-02-01T09:00:00Z")  # fmt: skip
    hubspot.put("line_items", "40011", name="Filter F-20", quantity="2", price="400.00", hs_product_id="301")
    hubspot.tie("orders", "4001", "companies", "7001")
    hubspot.tie("orders", "4001", "line_items", "40011")

    context = make_connector(hubspot).read_context(DEAL)

    assert [(o.id, o.number, o.lines[0].quantity) for o in context.orders] == [("4001", "SO-1", Decimal("2"))]


def with_quote(hubspot: FakeHubSpot) -> None:
    """A published quote of the open deal; its line is a copy of the deal's."""
    hubspot.put("quotes", "3001", hs_title="Offer", hs_quote_number="Q-118", hs_status="APPROVAL_NOT_NEEDED")
    hubspot.put("line_items", "30011", name="Controller C-7", quantity="5", price="2375.00", hs_product_id="302",
                hs_discount_percentage="5")  # fmt: skip
    hubspot.tie("deals", "9001", "quotes", "3001")
    hubspot.tie("quotes", "3001", "line_items", "30011")


def test_quote_has_its_own_lines_and_the_deal_keeps_its(hubspot):
    with_quote(hubspot)

    with traced() as trace:
        context = make_connector(hubspot).read_context(DEAL)

    assert [(q.number, q.status) for q in context.quotes] == [("Q-118", "sent")]
    assert [(line.id, line.description, line.unit_price, line.discount_pct) for line in context.quotes[0].lines] == [
        ("30011", "Controller C-7", Decimal("2375.00"), Decimal("5"))
    ]
    assert [line.id for line in context.line_items if line.deal_id == "9001"] == ["8001"]
    assert "30011" not in [line.id for line in context.line_items]
    assert trace.rounds == 4


def test_in_two_rounds_a_quote_comes_without_saying_what_its_lines_are(hubspot):
    with_quote(hubspot)

    with traced() as trace:
        context = make_connector(hubspot, earlier_lines=False).read_context(DEAL)

    assert (trace.rounds, context.quotes[0].lines) == (2, ())


def test_person_with_a_lead_and_no_lifecycle_is_a_lead(hubspot):
    for id_ in ("502", "503"):
        hubspot.put("contacts", id_, firstname="Bo", email=f"bo{id_}@orbis.example")
    hubspot.tie("contacts", "502", "leads", hubspot.put("leads", "3601", hs_lead_name="Bo Lind"))

    connector = make_connector(hubspot)
    found = [connector.read_context(Subject("contact", id_)).contact.lifecycle for id_ in ("502", "503")]

    assert found == ["lead", None]


def test_stage_history_becomes_stage_changes(hubspot):
    hubspot.move("9001", "998877", "2026-11-19T08:00:00.000Z")

    changes = make_connector(hubspot).read_context(DEAL).stage_changes

    assert [(c.from_, c.to) for c in changes] == [(None, "Proposal"), ("Proposal", "Haggling")]


def test_deal_that_was_opened_again_says_both_times(hubspot):
    hubspot.move("9001", "closedlost", "2026-11-10T08:00:00.000Z")
    hubspot.move("9001", "qualifiedtobuy", "2026-11-12T08:00:00.000Z")

    deal = make_connector(hubspot).read_context(DEAL).deal

    assert deal.status == "open"
    assert deal.closed_at == datetime(2026, 11, 10, 8, tzinfo=UTC)
    assert deal.reopened_at == datetime(2026, 11, 12, 8, tzinfo=UTC)


def test_first_read_takes_four_rounds_with_the_lines_of_earlier_deals(hubspot):
    with traced() as trace:
        make_connector(hubspot).read_context(DEAL)

    # 1 deal; 5 kinds it is tied to, 3 searches, 3 about the account; ties of earlier deals, products; lines.
    assert (trace.rounds, len(trace.calls)) == (4, 1 + 11 + 2 + 1)


def test_without_earlier_lines_it_is_two_rounds_and_the_account_is_not_asked_again(hubspot):
    connector = make_connector(hubspot, earlier_lines=False)
    connector.read_context(DEAL)

    with traced() as trace:
        connector.read_context(DEAL)

    assert (trace.rounds, len(trace.calls)) == (2, 1 + 8)


def test_association_list_that_came_in_part_is_read_whole(hubspot):
    hubspot.page = 3
    for number in range(8):
        hubspot.put("contacts", f"60{number}", firstname=f"N{number}", email=f"n{number}@orbis.example")
        hubspot.tie("deals", "9001", "contacts", f"60{number}")

    assert len(make_connector(hubspot).read_context(DEAL).contacts) == 9


def test_opt_out_is_read_fresh(hubspot):
    connector = make_connector(hubspot)
    before = connector.read_context(DEAL).contacts[0].consent
    hubspot.things["contacts"]["501"]["properties"]["hs_email_optout"] = "true"

    after = connector.read_context(DEAL).contacts[0].consent

    assert before == {}
    assert after == {"email": Consent(state="withdrawn", source="hs_email_optout")}


@pytest.mark.parametrize(("options", "state"), [({"mail_subscription_id": "222"}, "withdrawn"), ({}, None)])
def test_opt_out_of_the_mails_that_reps_write_counts_where_the_settings_name_them(hubspot, options, state):
    hubspot.things["contacts"]["501"]["properties"]["hs_email_optout_222"] = "true"

    consent = make_connector(hubspot, **options).read_context(DEAL).contacts[0].consent

    assert (consent["email"].state if consent else None) == state


def test_custom_property_becomes_our_field(hubspot):
    connector = make_connector(hubspot, fields={"deal.competitors": "wettbewerber"})

    assert connector.read_context(DEAL).deal.competitors == ("Rival A", "Rival B")


def test_mail_is_read_with_its_deal(hubspot):
    context = make_connector(hubspot).read_context(Subject("activity", "emails:6101"))

    assert context.activity.subject == "Delivery time?"
    assert (context.deal.id, context.company.id, context.contact.id) == ("9001", "7001", "501")


@pytest.mark.parametrize(
    ("subject", "deals"),
    [(Subject("company", "7001"), 3), (Subject("contact", "501"), 3), (Subject("ticket", "5001"), 3)],
)
def test_other_subjects_are_read_with_their_company(hubspot, subject, deals):
    context = make_connector(hubspot).read_context(subject)

    assert context.company.id == "7001"
    assert len(context.deals) == deals


@pytest.mark.parametrize("id_", ["none", "notes:", "deals:9001", "6101"])
def test_activity_of_another_form_is_not_found(hubspot, id_):
    with pytest.raises(NotFound):
        make_connector(hubspot).read_context(Subject("activity", id_))


def test_missing_scope_is_told_and_kind_can_be_left_out(hubspot):
    hubspot.put("quotes", "3001", hs_title="Q-1", hs_status="DRAFT")
    hubspot.tie("deals", "9001", "quotes", "3001")
    hubspot.without_scope.add("quotes")

    with pytest.raises(CrmRefused, match="required scopes for quotes"):
        make_connector(hubspot).read_context(DEAL)
    assert make_connector(hubspot, leave_out=["quotes"]).read_context(DEAL).quotes == ()


def test_error_in_the_middle_is_read_again(hubspot):
    hubspot.fail("POST", r"/crm/objects/2026-09/contacts/batch/read", 502)

    assert make_connector(hubspot).read_context(DEAL).contacts[0].id == "501"


def test_expired_token_is_refused_with_words(hubspot):
    with pytest.raises(CrmRefused, match="expired or invalid"):
        make_connector(hubspot, access_token="pat-of-yesterday").read_context(DEAL)


def test_oauth_token_is_renewed_in_the_middle(hubspot):
    connector = make_connector(hubspot, access_token=None, client_id="client", refresh_token="refresh-token-1")
    connector.read_context(DEAL)
    hubspot.tokens = {"another"}

    assert connector.read_context(DEAL).deal.id == "9001"


def test_end_of_the_daily_limit_waits_for_hours(hubspot):
    hubspot.fail("GET", ".*", 429, body={"policyName": "DAILY", "message": "daily limit"})

    with pytest.raises(CrmUnavailable) as raised:
        make_connector(hubspot).read_context(DEAL)

    assert raised.value.retry_after_s == 6 * 3600


def test_merged_deal_is_found_under_its_new_id(hubspot):
    answer = {"id": "9001", "properties": {"dealname": "Line 3 controls"}, "archived": False}
    hubspot.fail("GET", r"/crm/objects/2026-09/deals/8999", 200, body=answer)

    context = make_connector(hubspot).read_context(Subject("deal", "8999"))

    assert (context.subject.id, context.deal.id) == ("9001", "9001")


def test_list_that_never_ends_is_refused(hubspot):
    hubspot.page = 0
    endless = {"results": [{"from": {"id": "9001"}, "to": [{"toObjectId": "501"}], "paging": {"next": {"after": "x"}}}]}
    hubspot.fail("POST", r"/crm/associations/.*", 200, body=endless, times=99)

    with pytest.raises(CrmRefused, match="does not end"):
        make_connector(hubspot).read_context(DEAL)
