"""What is read about a subject, in how many rounds, and what happens when Salesforce is not well."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.tracing import traced
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmUnavailable, NotFound
from tests.connectors.cases.salesforce import LEAD, SUBJECT, make_connector
from tests.fakes.salesforce import ACCOUNT, DANA, DEAL, REP, ROBOT, WON_1, WON_2

CASE = "500A0000000CaseIAA"


def test_deal_is_read_whole(org):
    context = make_connector(org).read_context(SUBJECT)

    deal = context.deal
    assert (deal.name, deal.amount, deal.currency) == ("Line 3 controls", Decimal("12500.0"), "EUR")
    assert (deal.stage, deal.stage_kind, deal.status) == ("Proposal/Price Quote", "proposal", "open")
    assert (deal.contact_ids, deal.primary_contact_id) == ((DANA,), DANA)
    assert (context.company.name, context.company.domain, context.company.employees) == (
        "Orbis Dairy", "orbis.example", 240,
    )  # fmt: skip
    assert [(u.id, u.name, u.email) for u in context.users] == [(REP, "Jonas Brandt", "rep@seller.example")]
    assert [(a.type, a.direction, a.subject) for a in context.activities] == [
        ("meeting", None, "Visit"), ("call", "outbound", "Call"), ("email", "inbound", "Delivery time?"),
    ]  # fmt: skip
    assert context.activities[2].contact_ids == (DANA,)
    assert [(c.from_, c.to) for c in context.stage_changes] == [
        (None, "Prospecting"), ("Prospecting", "Proposal/Price Quote"),
    ]  # fmt: skip
    assert [(o.deal_id, o.lines[0].product_id) for o in context.orders] == [
        (WON_1, "01tA000000FilteIAA"), (WON_2, "01tA000000FilteIAA"),
    ]  # fmt: skip
    assert {p.name for p in context.products} == {"Filter F-20", "Controller C-7"}
    assert context.urls[f"deals/{DEAL}"] == f"{org.url}/{DEAL}"


def test_reading_takes_one_round_cold_and_one_request_after(org):
    connector = make_connector(org)
    connector.diagnose()  # a token is fetched; what describes the org is known
    fresh = make_connector(org)
    with traced() as cold:
        fresh.read_context(SUBJECT)
    with traced() as warm:
        fresh.read_context(SUBJECT)

    # Beside the deal: what describes the org, and its currency.
    assert (cold.rounds, len(cold.calls)) == (1, 3)
    assert (warm.rounds, len(warm.calls)) == (1, 1)


def test_composite_holds_at_most_five_queries(org):
    make_connector(org).read_context(SUBJECT)

    bodies = [request.body["compositeRequest"] for request in org.asked("POST", ".*/composite")]
    assert max(sum("/query" in part["url"] for part in body) for body in bodies) == 5


def test_org_with_currencies_quotes_and_hidden_fields_is_asked_again_once(org):
    org.multi_currency, org.absent = True, set()
    org.hidden = {("Account", "NumberOfEmployees"), ("Opportunity", "NextStep")}
    org.things["Opportunity"][DEAL]["CurrencyIsoCode"] = "GBP"
    org.put(
        "Quote", "0Q0A000000QuoteIAA", QuoteNumber="Q-118", Status="Presented", OpportunityId=DEAL, GrandTotal=12000
    )
    org.put("QuoteLineItem", "0QLA000000QLineIAA", QuoteId="0Q0A000000QuoteIAA", Quantity=5, UnitPrice=2400)
    connector = make_connector(org)

    with traced() as first:
        context = connector.read_context(SUBJECT)
    with traced() as second:
        connector.read_context(SUBJECT)

    assert (first.rounds, second.rounds) == (2, 1)
    assert (context.deal.currency, context.company.employees) == ("GBP", None)
    assert [(q.number, q.status, q.lines[0].quantity) for q in context.quotes] == [("Q-118", "sent", 5)]


def test_orders_of_the_account_count_instead_of_won_deals(org):
    org.put("Order", "801A000000Order1AA", OrderNumber="00000100", AccountId=ACCOUNT, EffectiveDate="2026-06-01",
            TotalAmount=420.0)  # fmt: skip
    org.put("OrderItem", "802A000000OItemIAA", OrderId="801A000000Order1AA", Product2Id="01tA000000FilteIAA",
            Quantity=1.0, UnitPrice=420.0)  # fmt: skip

    orders = make_connector(org).read_context(SUBJECT).orders

    assert [(o.number, o.total, o.lines[0].unit_price) for o in orders] == [
        ("00000100", Decimal("420.0"), Decimal("420.0"))
    ]


NOTE = "069A000000NoteAIAA"


def test_notes_of_both_kinds_are_read_and_our_own_are_known_as_ours(org):
    org.put("AttachedContentNote", NOTE, Title="Visit", TextPreview="They want it by May", LinkedEntityId=DEAL,
            CreatedById=REP)  # fmt: skip
    org.put("AttachedContentNote", "069A000000NoteBIAA", Title="Brief", TextPreview="x", LinkedEntityId=ACCOUNT,
            CreatedById=ROBOT)  # fmt: skip
    org.put("Note", "002A000000NoteCIAA", Title="Old", Body="Budget agreed", ParentId=DEAL, CreatedById=REP)

    notes = [a for a in make_connector(org).read_context(SUBJECT).activities if a.type == "note"]

    assert sorted((n.subject, n.body, n.deal_id, n.company_id, n.source) for n in notes) == [
        ("Brief", "x", None, ACCOUNT, "crmplugin:069A000000NoteBIAA"),
        ("Old", "Budget agreed", DEAL, None, None), ("Visit", "They want it by May", DEAL, None, None),
    ]  # fmt: skip


def test_org_that_lists_notes_and_does_not_give_them_out_is_read_without(org):
    org.unasked = {"AttachedContentNotes"}
    connector = make_connector(org)
    with traced() as first:
        deal = connector.read_context(SUBJECT).deal
    with traced() as second:
        connector.read_context(SUBJECT)

    assert deal.id == DEAL
    assert (first.rounds, second.rounds) == (2, 1)


def test_field_that_was_hidden_since_the_last_look_is_left_out_at_once(org):
    connector = make_connector(org)
    connector.read_context(SUBJECT)
    org.hidden = {("Account", "NumberOfEmployees")}

    with traced() as first:
        company = connector.read_context(SUBJECT).company
    with traced() as second:
        connector.read_context(SUBJECT)

    assert (company.name, company.employees) == ("Orbis Dairy", None)
    assert (first.rounds, second.rounds) == (3, 1)


def test_long_lists_are_read_over_their_pages(org):
    org.page = 1

    context = make_connector(org).read_context(SUBJECT)

    assert len(context.deals) == 3
    assert len(context.stage_changes) == 2


def test_custom_field_becomes_our_field(org):
    connector = make_connector(org, fields={"deal.competitors": "Rivals__c"})

    assert connector.read_context(SUBJECT).deal.competitors == ("Rival A", "Rival B")


def test_other_subjects_are_read_with_what_hangs_on_them(org):
    org.put("Case", CASE, Subject="Valve leaks", Status="New", Priority="High", IsClosed=False, AccountId=ACCOUNT,
            ContactId=DANA)  # fmt: skip
    org.put("Lead", LEAD, FirstName="Bo", LastName="Lind", Email="bo@x.example", HasOptedOutOfEmail=True)
    connector = make_connector(org)

    company = connector.read_context(Subject("company", ACCOUNT))
    ticket = connector.read_context(Subject("ticket", CASE))
    contact = connector.read_context(Subject("contact", DANA))
    activity = connector.read_context(Subject("activity", "02sA0000000MailIAA"))
    lead = connector.read_context(Subject("contact", LEAD))

    assert len(company.deals) == len(contact.deals) == len(activity.deals) == 3
    assert (ticket.ticket.priority, ticket.ticket.status, ticket.contact.last_name) == ("P2", "open", "Reyes")
    assert (contact.company.name, activity.deal.id) == ("Orbis Dairy", DEAL)
    assert (lead.contact.lifecycle, lead.contact.consent["email"].state) == ("lead", "withdrawn")


@pytest.mark.parametrize(
    "subject",
    [Subject("deal", "' OR Name != '"), Subject("deal", DANA), Subject("contact", "9001"), Subject("activity", DEAL)],
)
def test_what_is_no_id_of_that_kind_is_not_found_and_not_asked_for(org, subject):
    with pytest.raises(NotFound):
        make_connector(org).read_context(subject)
    assert org.requests == []


def test_ended_session_is_renewed_once_and_unseen(org):
    connector = make_connector(org)
    connector.read_context(SUBJECT)
    org.forget_tokens()

    context = connector.read_context(SUBJECT)

    assert context.deal.id == DEAL
    assert len(org.asked("POST", "/services/oauth2/token")) == 2


def test_used_up_quota_ends_the_call_with_a_wait_of_minutes(org):
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    org.fail("POST", ".*/composite", 403, body=body, times=9)

    with pytest.raises(CrmUnavailable, match="TotalRequests") as raised:
        make_connector(org).read_context(SUBJECT)

    assert raised.value.retry_after_s == pytest.approx(900, abs=5)
    assert len(org.asked("POST", ".*/composite")) <= 2  # beside each other; nobody went again


def test_answer_that_is_slower_than_the_limit_is_asked_for_again(org):
    connector = make_connector(org, timeout_s=0.3)
    connector.read_context(SUBJECT)
    org.fail("POST", ".*/composite", 200, delay_s=0.6)

    with traced() as trace:
        assert connector.read_context(SUBJECT).deal.id == DEAL

    assert [call.status for call in trace.calls] == [None, 200]


def test_next_page_that_does_not_come_fails_the_whole_read_and_not_half_of_it(org):
    org.page = 1
    connector = make_connector(org)
    org.fail("GET", ".*/query/01g.*", 503, times=9)

    with pytest.raises(CrmUnavailable):
        connector.read_context(SUBJECT)


def test_locked_row_is_tried_again(org):
    connector = make_connector(org)
    connector.read_context(SUBJECT)
    org.fail("POST", ".*/composite", 400, body=[{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}])

    assert connector.read_context(SUBJECT).deal.id == DEAL


def test_rights_of_a_user_are_salesforces_own(org):
    connector = make_connector(org)

    assert connector.may_see(REP, SUBJECT) is True
    assert connector.may_see("005A0000000NobdIAS", SUBJECT) is False
    assert connector.may_see("somebody", SUBJECT) is None
