"""A deal of Odoo as we read it: out of the recorded answer of a real server, and before the fake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import responses

from connectors.odoo.connector import OdooConnector
from connectors.tracing import traced
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound, SettingsError
from tests.connectors.cases.odoo import AT, OPTIONS, make_connector
from tests.fakes.odoo import FIELDS, RECORDED, FakeOdoo, with_orbis

ODOO = "https://odoo.example"


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    with with_orbis(FakeOdoo()).running() as running:
        yield running


@pytest.fixture
def recorded() -> Iterator[OdooConnector]:
    """A connector before what a real Odoo 19 answered."""
    deal = json.loads((RECORDED / "deal.json").read_text("utf-8"))["answer"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as crm:
        crm.post(f"{ODOO}/json/2/res.users/context_get", json={"lang": "en_US", "uid": 7})
        for model in {*FIELDS, "helpdesk.ticket", "helpdesk.stage", "mail.tracking.value", "ir.model.fields"}:
            crm.post(f"{ODOO}/json/2/{model}/has_access", json=model in FIELDS)
            crm.post(f"{ODOO}/json/2/{model}/fields_get", json=FIELDS.get(model))
        crm.post(f"{ODOO}/json/2/crm.lead/web_read", json=deal)
        stages = [{"id": 1, "name": "New"}, {"id": 3, "name": "Proposition"}]
        crm.post(f"{ODOO}/json/2/crm.stage/search_read", json=stages)
        yield make_connector(FakeOdoo(), base_url=ODOO)


def test_recorded_deal_has_its_orders_quote_mail_and_visit(recorded):
    deal = Subject("deal", str(json.loads((RECORDED / "deal.json").read_text("utf-8"))["ids"]["deal"]))

    context = recorded.read_context(deal)

    assert (context.deal.name, context.deal.amount, context.deal.currency) == ("Line 3 controls", 11250, "USD")
    assert (context.deal.stage, context.deal.stage_kind, context.deal.status) == ("Proposition", "proposal", "open")
    assert (context.company.name, context.company.domain) == ("Orbis Dairy", "orbis.example")
    assert [(c.first_name, c.last_name, c.email) for c in context.contacts] == [("Dana", "Reyes", "dana@orbis.example")]
    assert [(o.total, o.lines[0].quantity, o.lines[0].unit_price) for o in context.orders] == [(4000, 10, 400)] * 5
    assert [(q.status, q.total, q.lines[0].quantity) for q in context.quotes] == [("sent", 12500, 5)]
    assert [p.sku for p in context.products if p.id == context.line_items[0].product_id] == ["C-7"]
    told = {(a.type, a.direction): a for a in context.activities}
    assert told["email", "inbound"].body == "What is the delivery time of the C-7?"
    assert told["meeting", None].subject == "Visit"
    assert len(context.activities) == 2


def test_deal_is_one_request_once_the_database_is_known(fake):
    connector = make_connector(fake)
    connector.read_context(Subject("deal", "9001"))

    with traced() as trace:
        context = connector.read_context(Subject("deal", "9001"))

    assert ([call.path for call in trace.calls], trace.rounds) == (["/json/2/crm.lead/web_read"], 1)
    assert context.deal.probability == 40
    assert [(c.from_, c.to, c.at.date()) for c in context.stage_changes if c.deal_id == "9001"] == [
        (None, "New", date(2026, 11, 2)),
        ("New", "Proposition", date(2026, 11, 18)),
    ]


def test_deal_says_what_it_is_about_and_who_buys(fake):
    context = make_connector(fake).read_context(Subject("deal", "9001"))

    assert [(line.product_id, line.quantity, line.unit_price, line.discount_pct) for line in context.line_items] == [
        ("302", 5, 2500, 10)
    ]
    assert (context.deal.primary_contact_id, context.deal.owner_id, context.deal.close_date) == (
        "501",
        "777",
        date(2026, 12, 15),
    )
    assert {deal.id: deal.status for deal in context.deals} == {"9001": "open", "9003": "lost"}
    assert [user.name for user in context.users] == ["Jonas Brandt"]
    assert [contact.id for contact in context.contacts] == ["501"]
    assert (context.company.country, context.contacts[0].language) == ("GB", "en")
    assert {product.id: product.cost for product in context.products} == {"301": None, "302": Decimal(1800)}


def test_lead_without_a_customer_brings_whom_it_names(fake):
    context = make_connector(fake).read_context(Subject("deal", "9002"))

    assert (context.deal.stage_kind, context.deal.amount) == ("new", None)
    assert (context.company.id, context.company.name) == ("lead:9002", "Voss Foods")
    assert (context.contacts[0].last_name, context.contacts[0].email) == ("Voss", "ines@voss.example")
    assert make_connector(fake).read_context(Subject("contact", "lead:9002")).contact.lifecycle == "lead"


def test_person_without_a_company_is_an_account_of_their_own(fake):
    fake.put("res.partner", 600, name="Iris Falk", partner_share=True, commercial_partner_id=600, type="contact")
    fake.put("sale.order", 860, name="S00860", state="sale", partner_id=600, date_order="2026-01-05 10:00:00",
             amount_untaxed=20.0, currency_id=1)  # fmt: skip

    context = make_connector(fake).read_context(Subject("contact", "600"))

    assert (context.company.id, context.orders[0].company_id, context.orders[0].contact_id) == ("600", "600", None)


def test_blacklisted_and_bounced_people_are_known_as_such(fake):
    fake.things["res.partner"][501] |= {"is_blacklisted": True, "message_bounce": 2}

    contact = make_connector(fake).read_context(Subject("contact", "501")).contact

    assert (contact.consent["email"].state, contact.status) == ("withdrawn", "bounced")


def test_paid_invoices_are_told_and_unreadable_ones_are_not_asked_for(fake):
    fake.put("account.move", 5, state="posted", move_type="out_invoice", payment_state="paid",
             invoice_date_due="2026-03-05", write_date="2026-03-01 08:00:00")  # fmt: skip
    fake.things["sale.order"][800]["invoice_ids"] = [5]

    paid = make_connector(fake).read_context(Subject("deal", "9001")).orders[0]
    fake.forbidden.add("account.move")
    without = make_connector(fake).read_context(Subject("deal", "9001")).orders[0]

    assert (paid.paid_at, paid.due_at.date()) == (datetime(2026, 3, 1, 8, tzinfo=UTC), date(2026, 3, 5))
    assert (without.paid_at, without.due_at) == (None, None)


def test_database_without_sales_has_no_orders(fake):
    for model in ("sale.order", "sale.order.line", "product.product"):
        fake.models.discard(model)

    context = make_connector(fake).read_context(Subject("deal", "9001"))

    assert (context.deal.name, context.orders, context.quotes) == ("Line 3 controls", (), ())


def test_help_desk_is_asked_beside_the_deal(fake):
    leaves = dict.fromkeys(("name", "priority", "create_date", "close_date", "write_date"), {"type": "char"})
    fake.fields["helpdesk.ticket"] = {**leaves, "partner_id": {"type": "many2one", "relation": "res.partner"}}
    fake.models.add("helpdesk.ticket")
    fake.put("helpdesk.ticket", 40, name="C-7 stops", priority="3", partner_id=501,
             **{"partner_id.commercial_partner_id.opportunity_ids": 9001})  # fmt: skip
    fake.things["helpdesk.ticket"][40]["partner_id"] = 501
    connector = make_connector(fake)

    ticket = connector.read_context(Subject("ticket", "40"))

    assert (ticket.ticket.priority, ticket.ticket.subject, ticket.company.id) == ("P1", "C-7 stops", "7001")


def test_records_of_another_of_our_companies_are_not_there(fake):
    fake.things["crm.lead"][9001]["company_id"] = 2
    fake.fields["crm.lead"]["company_id"] = {"type": "many2one", "relation": "res.company"}

    with pytest.raises(NotFound):
        make_connector(fake, company_ids=[1]).read_context(Subject("deal", "9001"))

    assert make_connector(fake, company_ids=[2]).read_context(Subject("deal", "9001")).deal is not None
    assert fake.asked("POST", ".*/web_read")[-1].body["context"]["allowed_company_ids"] == [2]


def test_deal_that_rules_hide_from_the_bot_is_not_there(fake):
    fake.hidden.add(("crm.lead", 9001))

    with pytest.raises(NotFound, match="company that the bot may not work for"):
        make_connector(fake).read_context(Subject("deal", "9001"))


@pytest.mark.parametrize(
    ("changed", "done"),
    [("2026-11-20 15:02:03", "2026-11-20T15:02:03"), ("2026-11-21 08:00:00", "2026-11-20T00:00:00")],
)
def test_done_activity_was_done_when_it_was_changed_on_that_day(fake, changed, done):
    fake.things["mail.activity"][6201] |= {"active": False, "date_done": "2026-11-20", "write_date": changed}

    context = make_connector(fake).read_context(Subject("deal", "9001"))

    (task,) = [one for one in context.activities if one.id == "activity:6201"]
    assert task.done_at == datetime.fromisoformat(done).replace(tzinfo=UTC)


def test_message_leads_to_its_deal(fake):
    context = make_connector(fake).read_context(Subject("activity", "message:6101"))

    assert (context.activity.subject, context.deal.id) == ("Delivery time?", "9001")


@pytest.mark.parametrize("id_", ["", "x", "message:", "message:1", "note:6101", "9" * 30, "message:²"])
def test_what_is_no_id_of_odoo_is_not_found(fake, id_):
    with pytest.raises(NotFound):
        make_connector(fake).read_context(Subject("activity", id_))


@pytest.mark.parametrize("subject", ["deal", "company", "contact", "ticket"])
def test_ids_are_numbers(fake, subject):
    with pytest.raises(NotFound):
        make_connector(fake).read_context(Subject(subject, "1 or 1"))


def test_seventeen_is_read_by_xml_rpc(fake):
    connector = make_connector(fake, protocol="xmlrpc", login="bot")

    context = connector.read_context(Subject("deal", "9001"))

    assert (context.deal.name, len(context.orders)) == ("Line 3 controls", 3)
    assert {request.path for request in fake.requests} == {"/xmlrpc/2/common", "/xmlrpc/2/object"}


def test_second_key_takes_over_when_the_first_ended(fake):
    for protocol in ("json2", "xmlrpc"):
        connector = make_connector(
            fake, protocol=protocol, login="bot", api_key="ended-key-000000", old_api_key=OPTIONS["api_key"]
        )
        assert connector.read_context(Subject("deal", "9001")).deal is not None


def test_error_tells_odoos_words_and_neither_traceback_nor_key(fake):
    fake.forbidden.add("crm.lead")

    with pytest.raises(CrmRefused, match="All Documents") as raised:
        make_connector(fake).read_context(Subject("deal", "9001"))
    with pytest.raises(CrmRefused) as refused:
        make_connector(fake, api_key="another-key-1234567").read_context(Subject("deal", "9001"))

    assert "Invalid apikey" in str(refused.value)
    assert "Traceback" not in str(raised.value) + str(refused.value)


def test_something_that_is_no_odoo_is_said_to_be_none(fake):
    fake.fail("POST", ".*", 200, body=b"<html>hello</html>", times=50)

    with pytest.raises(CrmUnavailable, match="no XML-RPC"):
        make_connector(fake, protocol="xmlrpc", login="bot").read_context(Subject("deal", "9001"))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"api_key": ""}, "api_key"),
        ({"webhook_secret": "short"}, "webhook_secret"),
        ({"protocol": "soap"}, "json2"),
        ({"protocol": "xmlrpc"}, "login"),
        ({"stages": {"New": "fresh"}}, "negotiation"),
        ({"company_ids": ["one"]}, "company_ids"),
        ({"write_back": {"email": "mail"}}, "write_back.email"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(changes, names):
    with pytest.raises(SettingsError, match=names):
        make_connector(FakeOdoo(), **{"base_url": ODOO, **changes})


def test_addresses_lead_into_odoo(fake):
    context = make_connector(fake).read_context(Subject("deal", "9001"))

    assert context.urls["deals/9001"] == f"{fake.url}/web#id=9001&model=crm.lead&view_type=form"
    assert context.read_at == AT
