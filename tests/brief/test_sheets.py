"""Internal sheets as facts: fourteen sections, words complete, amounts of a negotiation as canaries."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.replenishment import state_of
from crmplugin.brief.assemble import assemble
from crmplugin.brief.facts import FactSheet, make_facts
from crmplugin.brief.facts_of.sheets import INTERNAL_SECTIONS
from crmplugin.brief.hygiene import clean
from crmplugin.brief.labels import load_labels
from crmplugin.domain.brief import DueItem, Question, Signals, TicketState
from crmplugin.domain.crm import (
    Band,
    Clause,
    Context,
    Contract,
    OrderLine,
    Policy,
    QuoteLine,
    Subject,
    TermsDays,
    Trade,
)
from crmplugin.journeys.present import brief_json
from crmplugin.ports import Population
from tests.builders import (
    NOW,
    TODAY,
    at,
    make_activity,
    make_contact,
    make_context,
    make_deal,
    make_order,
    make_product,
    make_quote,
    make_request,
    make_ticket,
)

D = Decimal
POLICY = Policy(
    floor_margin_pct=D(25), bands=(Band("rep", D(10)), Band("manager", D(18))), capital_cost_pct=D(9),
    terms_days=TermsDays(D(60), (D(60), D(0))), trades=(Trade("T-1", "Case study", D(500), "EUR"),),
    clauses=(Clause("CL-1", "Delivery within 8 weeks."),),
)  # fmt: skip
DEAL = make_deal(
    amount=D(48000), list_amount=D(48000), cost_amount=D(30000), target_discount_pct=D(8), close_date=date(2026, 4, 1)
)


def sheet_of(
    context: Context, kind: str, *, language: str = "en", population: Population | None = None, **signals: Any
) -> FactSheet:
    locale = {"de": "de_DE"}.get(language, "en_GB")
    return make_facts(
        clean(context), Signals(**signals), population or Population(), make_request(), kind=kind, type_=None,
        contact=None, language=language, locale=locale, zone="Europe/London", now=NOW, send_on=TODAY, scan=scan_text,
    )  # fmt: skip


def world(**changes: Any) -> Context:
    given: dict[str, Any] = {"deal": DEAL, "policy": POLICY, "products": (make_product(),)}
    return make_context(make_activity(), **(given | changes))


def shown(sheet: FactSheet, fact_id: str) -> str:
    found = sheet.get(fact_id)
    assert found is not None, [f.id for f in sheet.facts]
    return found.display


def test_the_worked_negotiation_stands_on_the_sheet():
    sheet = sheet_of(world(), "negotiation_note")

    assert shown(sheet, "D-1.floor_price") == "€40,000.00"
    assert shown(sheet, "D-1.walk_away") == "€40,000.00"
    assert shown(sheet, "D-1.limit_pct") == "10%"
    assert shown(sheet, "D-1.target_price") == "€44,160.00"
    assert [shown(sheet, f"D-1.ladder{n}") for n in (1, 2, 3)] == ["€45,792.00", "€44,688.00", "€44,160.00"]
    assert "€653.33" in shown(sheet, "D-1.trade_days_0")
    assert "1.5%" in shown(sheet, "D-1.trade_days_0")


def test_every_section_of_the_sheet_has_a_line():
    sections = dict(sheet_of(world(), "negotiation_note").sections["negotiation_note"])

    assert list(sections) == list(INTERNAL_SECTIONS["negotiation_note"])
    assert len(sections) == 14


def test_an_empty_deal_says_what_is_unknown():
    bare = world(deal=make_deal(amount=None, contact_ids=(), primary_contact_id=None), policy=None, contacts=())

    sheet = sheet_of(bare, "negotiation_note")

    assert "Unknown" in shown(sheet, "D-1.no_floor")
    assert "Unknown" in shown(sheet, "D-1.no_limit")
    assert sheet.get("D-1.floor_price") is None
    assert len(sheet.sections["negotiation_note"]) == 14


def test_an_offer_beyond_the_limit_is_held_and_not_raised():
    deal = replace(DEAL, amount=D(39000), target_discount_pct=D(20))

    sheet = sheet_of(world(deal=deal), "negotiation_note")

    assert shown(sheet, "D-1.ask").startswith("Hold at €39,000.00: the offer already gives more than is allowed")


def test_unknown_cost_leaves_the_band_alone():
    sheet = sheet_of(world(deal=replace(DEAL, cost_amount=None)), "negotiation_note")

    assert sheet.get("D-1.floor_price") is None
    assert shown(sheet, "D-1.limit_pct") == "10%"


def test_list_and_cost_are_reckoned_from_the_catalogue():
    quote = make_quote(lines=(QuoteLine("L1", "FM-300", None, D(10), D(2300)),), total=D(23000))
    product = make_product(cost=D(1500))

    sheet = sheet_of(world(deal=make_deal(amount=D(23000)), quotes=(quote,), products=(product,)), "negotiation_note",
                     quote_id="Q-118")  # fmt: skip

    assert shown(sheet, "D-1.list_amount") == "€24,000.00"
    assert shown(sheet, "D-1.given_pct") == "4.17%"
    assert shown(sheet, "D-1.floor_price") == "€20,000.00"


def test_the_ladder_never_passes_the_limit():
    sheet = sheet_of(world(deal=replace(DEAL, target_discount_pct=D(15))), "negotiation_note")

    assert shown(sheet, "D-1.ladder3") == "€43,200.00"
    assert "10%" in shown(sheet, "D-1.target_above_limit")


def test_win_rates_are_printed_with_cases_and_interval():
    rows = [
        {"id": f"{pct}-{n}", "product_ids": (), "amount": D(48000), "currency": "EUR", "industry": None,
         "closed_at": at("2025-09-01"), "discount_pct": D(pct), "won": n < won}
        for pct, won, of in ((5, 14, 22), (15, 21, 40), (25, 1, 2)) for n in range(of)
    ]  # fmt: skip

    sheet = sheet_of(world(), "negotiation_note", population=Population(closed_deals=tuple(rows)))

    assert shown(sheet, "D-1.win_rate1").startswith("14 of 22 = 63.6% (95 % interval 43% to 80.3%")
    assert shown(sheet, "D-1.win_rate3") == "1 of 2 won: cases, not a rate."
    fact = sheet.get("D-1.win_rate1")
    assert fact is not None
    assert (fact.basis.n, fact.basis.interval) == (22, ("0.4295", "0.8027"))


def test_customer_kinds_get_the_amounts_as_internal_facts_only():
    sheet = sheet_of(world(), "follow_up")

    floor = sheet.get("D-1.floor_price")
    assert floor is not None
    assert (floor.value, floor.unit, floor.visibility) == ("40000.00", "EUR", "internal")
    assert sheet.sections == {}
    assert sheet.get("D-1.ladder_rule") is None


def test_another_currency_than_the_deals_leaves_its_numbers_unknown():
    quote = make_quote(currency="USD", total=D(24000))

    sheet = sheet_of(world(quotes=(quote,)), "negotiation_note", quote_id="Q-118")

    assert sheet.get("D-1.floor_price") is None
    assert [f.id for f in sheet.facts if f.kind == "money" and f.unit == "USD" and f.id.startswith("D-1")] == [
        "D-1.quoted_amount"
    ]


def test_a_qualification_quotes_its_evidence():
    said = make_activity(body="Our budget is approved. Downtime is our biggest problem.")
    sheet = sheet_of(make_context(said, deal=DEAL), "qualification")

    assert shown(sheet, "D-1.qualification_budget").startswith("confirmed. “Our budget is approved.”")
    assert shown(sheet, "D-1.qualification_pain").startswith("confirmed.")
    assert shown(sheet, "D-1.qualification_metrics") == "missing."
    assert shown(sheet, "D-1.qualification").startswith("Confirmed 2, partial 1, missing 7, contradicted 0")


@pytest.mark.parametrize("text", ["We have no budget yet.", "Do you need our budget?", "Budget is unclear."])
def test_missing_never_becomes_known(text: str):
    sheet = sheet_of(make_context(make_activity(body=text), deal=DEAL), "qualification")

    assert shown(sheet, "D-1.qualification_budget") == "missing."


def test_a_brief_names_people_talks_tickets_and_three_questions():
    context = world(tickets=(make_ticket(),))
    state = TicketState(hold=True, severe_ticket_id="T-2201", open_ticket_ids=("T-2201",))

    sheet = sheet_of(context, "meeting_brief", ticket=state)

    sections = dict(sheet.sections["meeting_brief"])
    assert list(sections) == ["people", "recent", "deals", "tickets", "risks", "questions", "next"]
    assert len(sections["questions"]) == 3
    assert len(sheet.missing_questions) == 3
    assert sections["next"] == ("D-1.next_action1",)
    assert shown(sheet, "D-1.next_action1") == "Acknowledge ticket T-2201 first (today)."


def test_a_hand_off_quotes_the_customer_and_holds_the_sale():
    state = TicketState(hold=True, severe_ticket_id="T-2201", open_ticket_ids=("T-2201",))

    sheet = sheet_of(world(tickets=(make_ticket(body="Nothing works since Monday."),)), "handoff_note", ticket=state)

    sections = dict(sheet.sections["handoff_note"])
    assert "T-2201.body" in sections["case"]
    assert sections["hold"] == ("D-1.sell_hold",)


def test_a_case_closed_long_ago_is_not_handed_over():
    old = make_ticket(status="closed", opened_at=at("2025-05-01"), resolved_at=at("2025-05-02"))
    fresh = make_ticket(status="closed", resolved_at=at("2026-03-05"))

    before = dict(sheet_of(world(tickets=(old,)), "handoff_note").sections["handoff_note"])["case"]
    now = dict(sheet_of(world(tickets=(fresh,)), "handoff_note").sections["handoff_note"])["case"]

    assert "T-2201.number" not in before
    assert "T-2201.number" in now


def test_freight_on_the_order_alone_is_no_contradiction():
    quote = make_quote(total=D(24000), freight=None, lines=(QuoteLine("L1", "FM-300", None, D(10), D(2400)),))
    same = make_order("O-1", deal_id="D-1", total=D(24480), freight=D(480), lines=())
    other = make_order("O-1", deal_id="D-1", total=D(24481), freight=D(480), lines=())

    deal = replace(DEAL, amount=D(24000), list_amount=None)
    agreed, contradicting = (
        sheet_of(world(deal=deal, quotes=(quote,), orders=(o,)), "negotiation_note", quote_id="Q-118")
        for o in (same, other)
    )

    assert "conflicting_amounts" not in [w.code for w in agreed.warnings]
    assert "conflicting_amounts" in [w.code for w in contradicting.warnings]


def test_a_hand_off_from_sales_names_what_was_ordered():
    lines = (OrderLine("L1", "FM-300", D("2.5")), OrderLine("L2", "GK-12", D(10)), OrderLine("L3", "unknown", D(1)))
    later = make_order("O-9", ordered_at=NOW + timedelta(days=1))
    context = world(
        orders=(make_order("O-1", lines=lines), later),
        products=(make_product(), make_product("GK-12", name="Gasket kit")),
    )

    sheet = sheet_of(context, "handoff_note", language="de")

    case = dict(sheet.sections["handoff_note"])["case"]
    assert [shown(sheet, id_) for id_ in case if id_.startswith("D-1.order")] == [
        "2,5 × FlowMeter 300",
        "10 × Gasket kit",
    ]
    assert shown(sheet, "D-1.last_order") == "O-1 vom 15. Januar."


def test_a_summary_says_what_the_deal_is_about():
    context = make_context(deal=replace(DEAL, product_ids=("FM-300",)), products=(make_product(),))

    assert shown(sheet_of(context, "summary"), "D-1.goods") == "FlowMeter 300"


def test_what_they_say_they_need_is_an_interest_in_their_words():
    said = make_activity(body="Our biggest worry is downtime on line two. Also, thanks for the visit.")

    sheet = sheet_of(make_context(said, deal=DEAL), "negotiation_note")

    assert shown(sheet, "D-1.need1") == "“Our biggest worry is downtime on line two.” (6 March)."
    assert "D-1.interests_theirs" not in dict(sheet.sections["negotiation_note"])["interests"]


def test_a_rival_that_was_only_heard_of_is_an_alternative_and_no_unknown():
    note = make_activity("A-9", type="note", direction=None, body="They have another offer at 850.")

    sheet = sheet_of(make_context(note, deal=DEAL), "negotiation_note")

    assert shown(sheet, "D-1.batna_theirs") == (
        "Another offer, as heard: “They have another offer at 850.” (6 March), not verified."
    )
    assert sheet.get("D-1.unknown_rival") is None


@pytest.mark.parametrize("kind", ["meeting_brief", "negotiation_note"])
def test_who_has_left_is_said_to_have_left(kind):
    gone = make_contact("C-2", first_name="Mark", last_name="Sun", role=None, title=None, left_at=at("2026-03-01"))
    deal = replace(DEAL, contact_ids=("C-1", "C-2"))

    line = shown(sheet_of(make_context(deal=deal, contacts=(make_contact(), gone)), kind), "D-1.person_C-2")

    assert line == "role not on record; has left; last word to us: never."


def test_an_order_in_their_name_shows_authority():
    sheet = sheet_of(
        make_context(deal=DEAL, orders=(make_order("O-1"), make_order("O-2", contact_id=None))), "negotiation_note"
    )

    assert shown(sheet, "D-1.authority_C-1") == "Has ordered before: 1 on record, the newest O-1 of 15 January."


def test_a_hand_off_from_sales_tells_special_terms_and_the_contract():
    contract = Contract("K-1", "CO-1", "Service contract", date(2026, 4, 1), date(2027, 3, 31))
    context = world(deal=replace(DEAL, discount_pct=D(8)), contracts=(contract,))

    case = dict(sheet_of(context, "handoff_note").sections["handoff_note"])["case"]

    assert {"D-1.discount_pct", "D-1.close_date", "K-1.starts_on", "K-1.ends_on"} <= set(case)


def test_what_they_asked_before_still_speaks_for_buying():
    older = make_activity("A-1", at=at("2026-02-25"), body="Could you show us a demo?")
    said = make_activity(body="What does the FM-300 cost?")

    line = shown(sheet_of(make_context(older, said, deal=DEAL), "summary"), "D-1.intent")

    assert line == "warm (11.8 points)."


def test_steps_of_a_deal_whose_margin_is_known_say_what_they_are_worth():
    meeting = Signals(meeting_id="A-50", quote_id=None)
    deal = replace(DEAL, amount=D(48000), cost_amount=D(30000))

    sheet = sheet_of(world(deal=deal), "summary", meeting_id=meeting.meeting_id)

    assert shown(sheet, "D-1.next_worth1") == (
        "About €885.60: margin times 4.9% more chance, our assumption, less its cost."
    )


def test_objections_are_quoted_with_what_to_do():
    said = make_activity(body="Your price is too high compared with last year.")

    sheet = sheet_of(make_context(said, deal=DEAL), "negotiation_note")

    line = shown(sheet, "D-1.objection_price_A-31")
    assert line.startswith("“Your price is too high compared with last year.” (6 March).")


def test_a_digest_has_ten_lines_at_most():
    tickets = tuple(make_ticket(f"T-{n}", opened_at=at("2026-03-09")) for n in range(20))

    sheet = sheet_of(world(tickets=tickets), "insight_digest")

    assert sum(len(ids) for _, ids in sheet.sections["insight_digest"]) == 10


def test_a_quiet_week_is_said():
    assert "None in orders" in shown(sheet_of(world(), "insight_digest"), "D-1.no_change")


def due_item(product_id: str, since: int) -> DueItem:
    return DueItem(
        product_id, count=4, first_on=TODAY - timedelta(since + 90), last_on=TODAY - timedelta(since), days_since=since,
        usual_gap_days=D(30), expected_gap_days=D(40), rho=D(since) / 40, state=state_of(D(since) / 40),
        gap_claimable=True,
    )  # fmt: skip


def test_only_what_became_due_this_week_is_news():
    items = (due_item("FM-300", 33), due_item("GK-12", 45), due_item("GK-9", 600), due_item("GK-8", 103))

    told = dict(sheet_of(world(), "insight_digest", due_items=items).sections["insight_digest"])["changes"]

    assert told == ("D-1.due_FM-300", "D-1.due_GK-8")


@pytest.mark.parametrize(
    ("signals", "says"),
    [
        ({"account_rho": D("2.4")}, "No order for 2.4 times their usual gap."),
        ({"account_rho": D("3.1")}, "No order for 3.1 times their usual gap."),
        ({"p_alive": D("0.12"), "account_rho": D("1.1")}, "The chance that they still buy is 12%"),
        ({"p_alive": D("0.9"), "account_rho": D("3.1")}, "No sign on record."),
        ({"account_rho": D("1.9")}, "No sign on record."),
    ],
)
def test_an_account_that_may_have_stopped_to_buy_is_a_risk(signals, says):
    account = replace(world(), deal=None, subject=Subject("company", "CO-1"))

    sheet = sheet_of(account, "summary", **signals)

    (risk,) = dict(sheet.sections["summary"])["risks"]
    assert says in shown(sheet, risk)


def test_a_talk_without_a_deal_has_three_questions_that_begin_with_what_is_open():
    account = replace(world(), deal=None, subject=Subject("company", "CO-1"))

    sheet = sheet_of(account, "meeting_brief", due_items=(due_item("FM-300", 45),))

    asked = [shown(sheet, id_) for id_ in dict(sheet.sections["meeting_brief"])["questions"]]
    assert asked == [
        "Do you still need FlowMeter 300, and when?",
        "What has changed on your side since we last spoke?",
        "What are you planning for the coming months?",
    ]


def test_who_pays_early_is_said_to_pay_early():
    paid = make_order("O-1", due_at=at("2026-02-15"), paid_at=at("2026-02-10"))

    early = sheet_of(make_context(deal=DEAL, orders=(paid,)), "negotiation_note")

    assert shown(early, "D-1.payment_delay") == "On average 5 days before the due day (1 orders)."


def test_packages_stay_within_the_limit_although_the_list_is_unknown():
    deal = make_deal(amount=D(3450), list_amount=None, product_ids=())
    trades = (Trade("T-1", "Two years", D(1400), "EUR"), Trade("T-2", "Quiet weeks", D(200), "EUR"))

    sheet = sheet_of(world(deal=deal, policy=replace(POLICY, trades=trades)), "negotiation_note")

    offered = [f.display for f in sheet.facts if f.id.startswith("D-1.package")]
    assert offered == ["€3,450.00 on standard terms.", "€3,250.00, and in return: Quiet weeks. Worth the same to us."]


def test_contradicting_amounts_are_a_risk():
    quote = make_quote(total=D(26050))

    sheet = sheet_of(world(quotes=(quote,)), "negotiation_note", quote_id="Q-118")

    assert "D-1.risk_conflict" in dict(sheet.sections["negotiation_note"])["risks"]


@pytest.mark.parametrize("kind", INTERNAL_SECTIONS)
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_kind_can_be_shown_in_every_language(kind: str, language: str):
    question = Question("A-31", 1, "How much is it?", "C-1", at("2026-03-06"))
    sheet = sheet_of(
        world(tickets=(make_ticket(),)), kind, language=language, open_questions=(question,), stage_age_days=42,
        stage_age_ratio=D(3), stage_state="stalled", stage_age_n=20, no_reply_count=2,
    )  # fmt: skip

    ids = [i for _, section in sheet.sections[kind] for i in section]
    known = {f.id: f for f in sheet.facts}
    assert ids
    for fact_id in ids:
        assert known[fact_id].display
        assert "{" not in known[fact_id].label + known[fact_id].display


def test_all_words_exist_in_german_and_every_section_has_a_heading():
    english, german = load_labels("en"), load_labels("de")
    assert {k for k in english if k.startswith(("line.", "word."))} <= set(german)
    headings = tomllib.loads((files("prompts") / "words" / "headings.toml").read_text("utf-8"))
    for sections in INTERNAL_SECTIONS.values():
        for section in sections:
            assert section in headings["en"]
            assert section in headings["de"]


def test_nothing_in_the_sheet_reads_the_clock():
    later = datetime.fromisoformat("2031-01-01T00:00:00+00:00")
    context = replace(world(), read_at=later)

    assert sheet_of(context, "summary").sections == sheet_of(world(), "summary").sections


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_a_negotiation_note_brings_its_charts_as_data(language):
    deal = make_deal(list_amount=Decimal(48000), target_discount_pct=Decimal(8), amount=None)
    orders = tuple(
        make_order(f"O-{n}", ordered_at=at(day)) for n, day in enumerate(("2025-12-01", "2026-01-05", "2026-02-02"))
    )
    context = make_context(deal=deal, orders=orders)
    request = make_request("negotiation_note", language=language)

    brief = assemble(context, Population(), request, now=NOW, scan=scan_text)

    charts = {chart.key: chart for chart in brief.charts}
    assert set(charts) == {"concession_ladder", "purchase_rhythm"}
    assert [p["price"] for p in charts["concession_ladder"].points] == ["48000.00", "45792.00", "44688.00", "44160.00"]
    assert charts["concession_ladder"].unit == "EUR"
    assert len(charts["purchase_rhythm"].table) == 4
    assert "31" in charts["purchase_rhythm"].title
    assert brief_json(brief)["charts"][0]["title"]
    assert assemble(context, Population(), make_request("summary"), now=NOW, scan=scan_text).charts == ()
