"""A real Odoo 19 and our connector before it, with the bot user that the guide makes: its rights, and each verb."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from connectors.odoo.connector import OdooConnector
from connectors.tracing import traced
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmRefused, NotFound
from crmplugin.ports import CampaignMessage, CampaignPush
from tests.connectors.drafts import make_draft
from tests.connectors.odoo.lab import BOTS, DATABASE
from tests.connectors.odoo.recording import connect
from tests.connectors.odoo.seeding import find, make

pytestmark = pytest.mark.long

NEVER = (
    ("base.automation", "read"), ("res.users", "write"), ("res.groups", "write"), ("ir.config_parameter", "read"),
    ("ir.module.module", "write"), ("account.move", "write"), ("product.product", "write"), ("crm.lead", "unlink"),
    ("res.partner", "unlink"),
)  # fmt: skip
"""What no bot may do, whatever the guide gives it."""
DEALS_OF_KAI = "[('name', '=', \"Kai's deal\")]"


def lacks(connector: OdooConnector) -> set[str]:
    """What `connections test` finds wrong, except for stages that nobody explained."""
    return {name for name, good, _ in connector.diagnose() if not good} - {"stages"}


def test_bot_has_what_the_guide_says_it_needs_and_nothing_more(live):
    marketing, sales, own = (live.as_bot(name) for name in BOTS)
    deal = Subject("deal", str(live.ids["deal"]))

    assert lacks(marketing) == set()
    assert lacks(sales) == {"read mailing.list", "create mailing.mailing"}
    assert lacks(own) == {"read mailing.list", "create mailing.mailing", "all deals"}
    allowed = {what for bot in (marketing, sales) for what in NEVER if bot._client.may(*what)}
    assert allowed == set()
    with pytest.raises(NotFound, match="All Documents"):
        own.read_context(deal)
    with pytest.raises(CrmRefused, match="Email Marketing"):
        sales.find_segment("list:1")


def test_bot_without_marketing_reads_and_writes_everything_of_a_deal(live):
    bot, about = live.as_bot("sales"), Subject("deal", str(live.ids["deal"]))
    note = make_draft(about, audience="internal", channel="note", kind="negotiation_note", created_at=datetime.now(UTC))
    mail = make_draft(about, created_at=datetime.now(UTC))

    for draft, marker in ((note, "crmplugin:bot-1"), (mail, "crmplugin:bot-2")):
        written = [bot.write_back(draft, marker=marker, at=datetime.now(UTC)) for _ in range(2 if draft is mail else 1)]
        assert {bot.find_written(marker, draft=draft)} == set(written)
    context = bot.read_context(about)

    assert {"crmplugin:bot-1", "crmplugin:bot-2"} <= {one.source for one in context.activities}
    assert (len(context.orders), len(context.quotes)) == (5, 1)


def test_field_is_written_where_the_settings_say_so(live):
    deal = make(live.odoo.call, "crm.lead", name="Field", type="opportunity", partner_id=live.ids["contact"])
    bot = live.as_bot("sales", write_back={"email": "field:referred"})
    draft = make_draft(Subject("deal", str(deal)), created_at=datetime.now(UTC))

    assert bot.write_back(draft, marker="crmplugin:bot-3", at=datetime.now(UTC)) == f"crm.lead:{deal}.referred"
    assert live.odoo.call("crm.lead", "read", [deal], fields=["referred"])[0]["referred"] == draft.body


def test_end_of_the_key_is_read_and_told_two_weeks_ahead(live, caplog):
    bot, now = live.connector, datetime.now(UTC)

    look = bot.renew(now=now)
    again = bot.renew(now=now + timedelta(days=70))

    assert timedelta(days=65) < look - now < timedelta(days=67)
    assert again == now + timedelta(days=71)
    assert "ends soon" in caplog.text


def test_deal_of_another_company_is_read_only_where_the_settings_name_it(live):
    call = live.odoo.call
    two = make(call, "res.company", name="Halden Second")
    ours = {"allowed_company_ids": [1, two]}
    # Our server asks all the time as the other bot, and Odoo keeps what it once answered of a user's companies.
    for login in ("admin", "crmplugin-sales"):
        call("res.users", "write", [find(call, "res.users", ["login", "=", login])], vals={"company_ids": [[4, two]]})
    values = {"name": "Of the second", "type": "opportunity", "company_id": two, "user_id": False, "team_id": False}
    deal = Subject("deal", str(call("crm.lead", "create", vals_list=[values], context=ours)[0]))
    both, second, first = (live.as_bot("sales", company_ids=ids) for ids in ([], [two], [1]))

    assert both.read_context(deal).deal.name == second.read_context(deal).deal.name == "Of the second"
    for bot in (first, live.as_bot("marketing")):
        with pytest.raises(NotFound, match="company"):
            bot.read_context(deal)
    assert "companies" in lacks(live.as_bot("marketing", company_ids=[two]))
    assert [deal.id in deals_of(bot) for bot in (both, second, first)] == [True, True, False]


def deals_of(bot: OdooConnector) -> set[str]:
    """The ids of all deals that a whole read brings."""
    found: set[str] = set()
    cursor = None
    while True:
        page = bot.changes_since(None, cursor=cursor)
        found |= {deal["id"] for deal in page.records.get("deals", ())}
        if page.cursor is None:
            return found
        cursor = page.cursor


def test_invoice_is_read_and_when_it_was_paid(live):
    call, order = live.odoo.call, live.ids["order0"]
    wizard = make(
        call, "sale.advance.payment.inv", advance_payment_method="delivered", sale_order_ids=[[6, 0, [order]]]
    )
    call("sale.advance.payment.inv", "create_invoices", [wizard])
    invoices = call("sale.order", "read", [order], fields=["invoice_ids"])[0]["invoice_ids"]
    call("account.move", "action_post", invoices)
    subject, bot = Subject("deal", str(live.ids["deal"])), live.as_bot("sales")
    open_ = next(one for one in bot.read_context(subject).orders if one.id == f"order:{order}")
    about = {"active_model": "account.move", "active_ids": invoices}
    payment = call("account.payment.register", "create", vals_list=[{}], context=about)
    call("account.payment.register", "action_create_payments", payment)
    paid = next(one for one in bot.read_context(subject).orders if one.id == f"order:{order}")

    assert (open_.due_at is not None, open_.paid_at) == (True, None)
    assert paid.paid_at is not None


def test_lead_without_a_customer_names_company_and_person(live):
    lead = make(live.odoo.call, "crm.lead", name="Price list", type="lead", partner_name="Voss Foods",
                contact_name="Ines Voss", email_from="ines@voss.example")  # fmt: skip

    context = live.connector.read_context(Subject("deal", str(lead)))

    assert (context.deal.stage_kind, context.company.name) == ("new", "Voss Foods")
    assert [(one.last_name, one.email) for one in context.contacts] == [("Voss", "ines@voss.example")]


def test_done_call_is_a_call_and_an_activity_done_today(live):
    call, deal = live.odoo.call, live.ids["deal"]
    task = make(call, "mail.activity", res_id=deal, summary="Ask for the drawings",
                res_model_id=find(call, "ir.model", ["model", "=", "crm.lead"]),
                activity_type_id=find(call, "mail.activity.type", ["category", "=", "phonecall"]))  # fmt: skip
    call("mail.activity", "action_feedback", [task], feedback="They want ten")

    told = live.connector.read_context(Subject("deal", str(deal))).activities

    (called,) = [one for one in told if one.type == "call"]
    (done,) = [one for one in told if one.id == f"activity:{task}"]
    assert "They want ten" in called.body
    assert done.done_at >= done.at


def test_segment_leaves_out_opt_outs_and_the_blacklist(live):
    call = live.odoo.call
    list_id = make(call, "mailing.list", name="Filters")
    people = {
        name: make(call, "mailing.contact", name=name, email=f"{name}@orbis.example", list_ids=[[6, 0, [list_id]]])
        for name in ("iris", "out", "black", "fine")
    }
    partner = make(call, "res.partner", name="Iris Falk", email="iris@orbis.example")
    out = find(call, "mailing.subscription", ["contact_id", "=", people["out"]], ["list_id", "=", list_id])
    call("mailing.subscription", "write", [out], vals={"opt_out": True})
    make(call, "mail.blacklist", email="black@orbis.example")

    page = live.connector.find_segment(f"list:{list_id}")

    members = {contact["email"]: contact["id"] for contact in page.contacts}
    assert members["iris@orbis.example"] == str(partner)
    assert set(page.opted_out["email"]) == {members["out@orbis.example"], members["black@orbis.example"]}


def test_saved_filters_of_contacts_deals_and_mailings_are_segments(live):
    call = live.odoo.call
    model = find(call, "ir.model", ["model", "=", "res.partner"])
    person = "[('email', '=', 'kai@orbis.example')]"
    kai = make(call, "res.partner", name="Kai Ode", email="kai@orbis.example")
    make(call, "crm.lead", name="Kai's deal", type="opportunity", partner_id=kai)
    segments = [
        f"filter:{make(call, 'ir.filters', name='A', model_id='res.partner', domain=person, user_ids=[])}",
        f"filter:{make(call, 'ir.filters', name='B', model_id='crm.lead', domain=DEALS_OF_KAI, user_ids=[])}",
        f"mailing:{make(call, 'mailing.filter', name='C', mailing_model_id=model, mailing_domain=person)}",
    ]

    before = [live.connector.find_segment(one) for one in segments]
    make(call, "mail.blacklist", email="kai@orbis.example")
    after = [live.connector.find_segment(one).opted_out["email"] for one in segments]

    assert [[contact["id"] for contact in page.contacts] for page in before] == [[str(kai)]] * 3
    assert [page.opted_out["email"] for page in before] == [()] * 3
    assert after == [(str(kai),)] * 3


def test_campaign_is_one_mailing_that_waits(live):
    message = CampaignMessage(str(live.ids["contact"]), "dana@orbis.example", "Filters", "Hello")
    push = CampaignPush("c-1", "Autumn", "email", "en", "Filters", "Hello", "<p>Hello</p>", (message,))

    first, second = (
        live.connector.push_campaign(push, marker="crmplugin:c-live", at=datetime.now(UTC)) for _ in range(2)
    )

    fields = ["state", "subject", "mailing_domain", "mailing_model_real"]
    (mailing,) = live.odoo.call("mailing.mailing", "search_read", fields=fields,
                                domain=[["name", "ilike", "crmplugin:c-live"]])  # fmt: skip
    assert first == second == f"mailing.mailing:{mailing['id']}"
    assert (mailing["state"], mailing["mailing_model_real"]) == ("draft", "res.partner")


def test_deleted_key_and_missing_rights_are_told(live):
    with pytest.raises(CrmRefused, match="Invalid apikey"):
        connect(live.odoo.url, DATABASE, "0" * 40).read_context(Subject("deal", "1"))


def test_eighteen_and_seventeen_s_way_in_reads_the_same(live):
    subject = Subject("deal", str(live.ids["deal"]))
    old = live.as_bot("marketing", protocol="xmlrpc", login="crmplugin-marketing")

    assert old.read_context(subject).orders == live.connector.read_context(subject).orders


def test_two_hundred_reads_at_eight_in_parallel(live):
    connector, subject = live.connector, Subject("deal", str(live.ids["deal"]))
    connector.read_context(subject)
    with traced() as trace:
        connector.read_context(subject)
    began = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: connector.read_context(subject), range(200)))

    took_s = time.monotonic() - began
    print(f"\n200 whole deals at 8 in parallel: {took_s:.1f} s, {took_s / 200 * 1000:.0f} ms each")
    assert (len(trace.calls), trace.rounds) == (1, 1)
    assert all(len(context.orders) == 5 for context in read)
