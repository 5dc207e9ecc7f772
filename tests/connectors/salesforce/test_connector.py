"""Contexts, write-back, sync, segments and diagnosis of Salesforce, before a fake with state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.salesforce.mapping import COLLECTIONS, Org, selected, to_document
from connectors.tracing import traced
from crmplugin.domain.crm import Subject
from crmplugin.domain.event import ObjectRef
from crmplugin.domain.records import build
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound, SettingsError, UsageError
from crmplugin.ports import CampaignMessage, CampaignPush
from tests.connectors.cases.salesforce import AT, draft_for, make_connector
from tests.fakes.salesforce import ACCOUNT, DANA, DEAL, REP, WON_1, WON_2, FakeSalesforce, with_orbis

SUBJECT = Subject("deal", DEAL)
MARKER = "crmplugin:draft-1"
LEAD, CASE = "00QA0000000LeadIAA", "500A0000000CaseIAA"
LATER = "2026-11-21T10:00:00.000+0000"


@pytest.fixture
def org() -> Iterator[FakeSalesforce]:
    fake = with_orbis(FakeSalesforce())
    with fake.running():
        yield fake


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


def test_locked_row_is_tried_again(org):
    connector = make_connector(org)
    connector.read_context(SUBJECT)
    org.fail("POST", ".*/composite", 400, body=[{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}])

    assert connector.read_context(SUBJECT).deal.id == DEAL


def test_mail_becomes_a_task_tied_to_deal_person_and_owner(org):
    result = make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    task = org.things["Task"][result]
    assert (task["Subject"], task["WhatId"], task["WhoId"], task["OwnerId"]) == ("Your quote Q-118", DEAL, DANA, REP)
    assert (task["ActivityDate"], task["Status"]) == ("2026-11-21", "Not Started")
    assert [row["Key__c"] for row in org.things["AI_Draft__c"].values()] == [MARKER]


@pytest.mark.parametrize("target", ["note", "task", "draft_email", "field:Summary__c"])
def test_every_target_is_written_once_however_often_it_is_sent(org, target):
    org.things["Opportunity"][DEAL]["Summary__c"] = None
    connector = make_connector(org, write_back={"email": target})
    before = org.written()

    first = connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)
    again = connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert first == again == connector.find_written(MARKER)
    assert org.written() == before + (target[:5] != "field")
    assert bool(org.things["Opportunity"][DEAL]["Summary__c"]) == (target[:5] == "field")


def test_500_after_the_write_is_sent_again_and_refused_by_the_key(org):
    connector = make_connector(org)
    before = org.written()
    connector.read_context(SUBJECT)
    org.fail("GET", ".*", 404)  # nothing is asked in between
    org.troubles.clear()
    org.fail("POST", ".*/composite", 500, after=True, times=2)

    result = connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.written() == before + 1
    assert result == connector.find_written(MARKER)


def test_deal_moved_since_the_draft_is_a_conflict_and_nothing_is_written(org):
    org.move(DEAL, "Closed Lost", LATER)
    before = org.written()

    with pytest.raises(CrmRefused, match="the stage of deal"):
        make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.written() == before


def test_deleted_deal_says_reject(org):
    org.things["Opportunity"][DEAL]["IsDeleted"] = True

    with pytest.raises(CrmRefused, match="Reject draft draft-1"):
        make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)


def test_validation_rule_is_told_in_words_and_leaves_no_key(org):
    connector = make_connector(org, write_back={"email": "field:Nonsense__c"})
    org.things["Opportunity"][DEAL]["Rule__c"] = None
    broken = [
        {"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Close date is past", "fields": ["CloseDate"]}
    ]
    org.update = lambda request, kind, id_: (400, broken)  # type: ignore[method-assign]

    with pytest.raises(CrmRefused, match=r"Close date is past \(CloseDate\)"):
        connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.things["AI_Draft__c"] == {}


def test_org_without_the_package_writes_nothing_and_names_the_mend(org):
    org.absent.add("AI_Draft__c")
    before = org.written()

    with pytest.raises(CrmRefused, match="deploy connectors/salesforce/ui"):
        make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.written() == before


def pull(connector: Any, since: datetime | None = None) -> list[Any]:
    pages = [connector.changes_since(since)]
    while pages[-1].cursor:
        pages.append(connector.changes_since(since, cursor=pages[-1].cursor))
    return pages


def test_pull_gives_all_then_changes_events_deletions_and_merges(org):
    connector = make_connector(org, page_size=1)
    first = pull(connector)
    org.move(DEAL, "Negotiation/Review", "2026-11-21T08:00:00.000+0000")
    org.touch("Opportunity", WON_1, "2026-11-21T08:05:00.000+0000", IsDeleted=True)
    org.put("Contact", "003A0000000TwinIAA", LastName="Reyes", IsDeleted=True, MasterRecordId=DANA)
    org.touch("Contact", "003A0000000TwinIAA", "2026-11-21T08:06:00.000+0000")
    later = pull(connector, datetime(2026, 11, 21, tzinfo=UTC))

    assert {d["id"] for page in first for d in page.records.get("deals", ())} == {DEAL, WON_1, WON_2}
    assert [event for page in first for event in page.events] == []
    assert [(e.type, e.object.id, e.at) for page in later for e in page.events] == [
        ("deal.stage_changed", DEAL, datetime(2026, 11, 21, 8, tzinfo=UTC))
    ]
    assert [ref for page in later for ref in page.deleted] == [ObjectRef("deal", WON_1)]
    assert [pair for page in later for pair in page.merged] == [
        (ObjectRef("contact", "003A0000000TwinIAA"), ObjectRef("contact", DANA))
    ]
    assert first[-1].up_to == AT - timedelta(seconds=30)


def test_pull_goes_on_at_its_cursor_in_another_process(org):
    half = make_connector(org, page_size=1).changes_since(None)

    rest = make_connector(org, page_size=1).changes_since(None, cursor=half.cursor)

    assert rest.records.keys() >= {"companies"} or rest.cursor


@pytest.mark.parametrize("cursor", [
    "x", "Alien;;;2026-11-21T00:00:00+00:00", "Contact;2026-11-21T00:00:00Z;;2026-11-21T00:00:00+00:00",
    f"Contact;yesterday;{DANA};2026-11-21T00:00:00+00:00",
    "Contact;2026-11-21T00:00:00Z;' OR Id != ';2026-11-21T00:00:00+00:00",
])  # fmt: skip
def test_foreign_cursor_is_refused(org, cursor):
    with pytest.raises(UsageError):
        make_connector(org).changes_since(None, cursor=cursor)


CAMPAIGN = "701A000000CampaIAA"


def members(org: FakeSalesforce) -> None:
    org.put("Campaign", CAMPAIGN, Name="Autumn")
    org.put("Contact", "003A000000NoMaiIAA", LastName="Lind", Email="bo@x.example", HasOptedOutOfEmail=True)
    org.put("Lead", LEAD, LastName="Kern", Email="k@x.example", EmailBouncedDate=LATER, DoNotCall=True, Phone="1")
    for n, person in enumerate((DANA, "003A000000NoMaiIAA", LEAD)):
        field = "LeadId" if person == LEAD else "ContactId"
        org.put("CampaignMember", f"00vA000000Memb{n}IAA", CampaignId=CAMPAIGN, **{field: person})


def test_campaign_members_come_with_wishes_read_now(org):
    members(org)
    connector = make_connector(org)
    first = connector.find_segment(CAMPAIGN)
    org.things["Contact"][DANA]["HasOptedOutOfEmail"] = True
    second = connector.find_segment(CAMPAIGN)

    assert {c["id"] for c in first.contacts} == {DANA, "003A000000NoMaiIAA", LEAD}
    assert first.opted_out["email"] == ("003A000000NoMaiIAA", LEAD)
    assert LEAD in first.opted_out["phone"]
    assert DANA in second.opted_out["email"]


def test_hidden_opt_out_leaves_everybody_out(org):
    members(org)
    org.hidden = {("Contact", "HasOptedOutOfEmail"), ("Lead", "HasOptedOutOfEmail")}

    page = make_connector(org).find_segment(CAMPAIGN)

    assert set(page.opted_out["email"]) == {c["id"] for c in page.contacts}


def test_list_view_is_read_and_an_unknown_segment_is_named(org):
    org.put("ListView", "00BA0000000ViewIAA", SobjectType="Contact")
    org.views["00BA0000000ViewIAA"] = [DANA]
    connector = make_connector(org)

    assert [c["id"] for c in connector.find_segment("00BA0000000ViewIAA").contacts] == [DANA]
    for unknown in ("701A000000NobodIAA", "00BA000000NobodIAA", DEAL, "7"):
        with pytest.raises(NotFound):
            connector.find_segment(unknown)


def campaign(*ids: str) -> CampaignPush:
    messages = tuple(CampaignMessage(one, f"{one}@x.example", "Autumn", f"Hello {one}") for one in ids)
    return CampaignPush("c-1", "Autumn", "email", "en", "Autumn offer", "Hello", "<p>Hello</p>", messages)


def test_campaign_goes_in_as_planned_once_with_members_and_texts(org):
    connector = make_connector(org)
    org.fail("POST", ".*/composite/sobjects", 500, after=True)

    first = connector.push_campaign(campaign(DANA), marker="crmplugin:campaign-1", at=AT)
    again = connector.push_campaign(campaign(DANA), marker="crmplugin:campaign-1", at=AT)

    made = org.things["Campaign"][first]
    assert (first, made["Status"], made["IsActive"]) == (again, "Planned", False)
    assert [one["ContactId"] for one in org.things["CampaignMember"].values()] == [DANA]
    assert sorted(str(one.get("Body__c")) for one in org.things["AI_Draft__c"].values()) == [f"Hello {DANA}", "None"]
    assert len(org.things["ContentNote"]) == 1


def test_recipient_who_is_nobody_of_salesforce_is_refused(org):
    with pytest.raises(CrmRefused, match="neither contact nor lead"):
        make_connector(org).push_campaign(campaign("501"), marker="m", at=AT)


def test_rights_of_a_user_are_salesforces_own(org):
    connector = make_connector(org)

    assert connector.may_see(REP, SUBJECT) is True
    assert connector.may_see("005A0000000NobdIAS", SUBJECT) is False
    assert connector.may_see("somebody", SUBJECT) is None


def test_diagnosis_of_a_good_org_is_good(org):
    checks = make_connector(org).diagnose()

    assert [check for check in checks if not check[1] and check[0] != "clock"] == []


BAD = [
    ({"client_secret": "wrong-secret-0123456789"}, {}, "access token", "Run As"),
    ({"organization_id": "00DA0000000OtheAAA"}, {}, "organization", "00DA0000000XyZaMAK"),
    ({}, {"hidden": {("Contact", "HasOptedOutOfEmail")}}, "Contact.HasOptedOutOfEmail", "field-level security"),
    ({}, {"absent": {"AI_Draft__c"}}, "write once (AI_Draft__c)", "deploy connectors/salesforce/ui"),
    ({}, {"absent": {"Case"}}, "read Case", 'leave_out = ["Case"]'),
    ({"fields": {"deal.competitors": "Wrong__c"}}, {}, "field Wrong__c", "API name"),
    ({}, {"remaining": 10}, "calls of the day", "Only 10 of 100000"),
]


@pytest.mark.parametrize(("options", "state", "name", "mend"), BAD, ids=[row[2] for row in BAD])
def test_diagnosis_names_the_mend(org, options, state, name, mend):
    for key, value in state.items():
        setattr(org, key, value)

    checks = {check: (good, words) for check, good, words in make_connector(org, **options).diagnose()}

    assert checks[name][0] is False
    assert mend in checks[name][1]


def test_stage_without_meaning_is_named(org):
    org.put("OpportunityStage", "01JOwn", ApiName="Verhandlung", IsClosed=False, IsActive=True)

    assert "Verhandlung" in make_connector(org).diagnose()[-1][2]


WRONG = [
    {"base_url": "https://login.salesforce.com"}, {"webhook_token": "short"}, {"client_secret": ""},
    {"organization_id": ""}, {"write_back": {"email": "fax"}}, {"stages": {"New": "fresh"}}, {"messages": {"04k": "x"}},
]  # fmt: skip


@pytest.mark.parametrize("options", WRONG, ids=lambda one: next(iter(one)))
def test_settings_that_cannot_work_are_refused_at_the_start(org, options):
    with pytest.raises(SettingsError, match="connections.acme"):
        make_connector(org, **options)


VALUES = (
    st.none() | st.text(max_size=12) | st.integers() | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dictionaries(st.sampled_from(["Name", "Email", "records", "Id"]), st.none() | st.text(max_size=5), max_size=2)
    | st.lists(st.integers(), max_size=2)
)  # fmt: skip


@pytest.mark.parametrize("kind", COLLECTIONS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_record_is_mapped_and_nothing_unknown_is_lost(kind, data):
    names = [path.partition(".")[0] for path in selected(kind, Org()) if path != "Id"]
    thing = data.draw(st.dictionaries(st.sampled_from(names), VALUES)) | {"Id": DEAL, "Odd__c": "kept"}

    document = to_document(kind, thing, Org(currency="EUR", our_user=REP))

    build(COLLECTIONS[kind], document)
    assert document["id"] == DEAL
    assert document["x_salesforce"]["Odd__c"] == "kept"
