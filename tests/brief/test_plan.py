"""The plan: which beats a type has on which facts, and when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from crmplugin.brief.tongues import home_languages
from crmplugin.domain.brief import INTERNAL_KINDS, Promise, TicketState
from crmplugin.domain.crm import Feature, Offer, OrderLine, QuoteLine
from crmplugin.ports import Population
from tests.builders import (
    at,
    make_activity,
    make_context,
    make_deal,
    make_meeting,
    make_order,
    make_product,
    make_quote,
    make_ticket,
    make_user,
)
from tests.writing.samples import ask, make_account, make_brief, make_signals

STAGES = ("new", "qualified", "proposal", "negotiation", "closing", "won", "lost")


def keys(brief):
    return [beat.key for beat in brief.plan.beats]


def cited(brief):
    return {id_ for beat in brief.plan.beats for id_ in beat.facts.values()}


def ended_account(**changes):
    """The account with its quote ended on 8 March."""
    return make_account(quotes=(make_quote(valid_until=date(2026, 3, 8)),), **changes)


def ended_signals(**changes):
    return make_signals(quote_days_left=-3, **changes)


def answer(*texts, **more):
    questions = tuple(ask(text, n=n) for n, text in enumerate(texts, start=1))
    body = " ".join(texts)
    context = more.pop("context", None) or make_account()
    activities = tuple(replace(a, body=body) if a.id == "A-31" else a for a in context.activities)
    signals = more.pop("signals", None) or make_signals(open_questions=questions)
    return make_brief("answer", context=replace(context, activities=activities), signals=signals, **more)


def test_a_question_is_restated_and_answered_from_its_facts():
    brief = answer("What is the lead time for the FlowMeter 3000?")

    assert keys(brief)[:3] == ["answer.subject_lead_time", "answer.asked_lead_time", "common.lead_time"]
    assert brief.plan.must_answer == ("A-31.question1",)
    assert {"FM-3000.lead_time", "FM-3000.name"} <= cited(brief)
    assert not {id_ for id_ in cited(brief) if id_.startswith("FM-300.")}


def test_every_question_is_answered_or_given_to_somebody():
    brief = answer("What is the lead time for the FlowMeter 3000?", "Can you paint it blue?")

    assert "common.lead_time" in keys(brief)
    rest = next(beat for beat in brief.plan.beats if beat.key == "answer.open_one_me")
    assert rest.facts == {"by": "SLOT-1.on", "asked1": "A-31.question2"}
    assert brief.plan.must_answer == ("A-31.question1", "A-31.question2")


def test_a_question_nobody_can_answer_and_no_day_for_it_gives_no_plan():
    brief = answer("Can you paint it blue?", context=make_account(slots=()))

    assert brief.plan is None
    assert "Can you paint it blue?" in brief.missing_info[0]


def test_an_ended_quote_is_never_open_and_its_amount_is_not_named():
    questions = (ask("Can we still order at 26,505?"),)

    brief = answer(context=ended_account(), signals=ended_signals(open_questions=questions))

    assert "answer.ended" in keys(brief)
    assert "answer.confirm_me" in keys(brief)
    assert "answer.valid" not in keys(brief)
    assert not {id_ for id_ in cited(brief) if "total" in id_ or "price" in id_}


def test_that_a_quote_has_ended_is_told_even_when_nobody_may_promise_a_day():
    questions = (ask("Is the quote still valid?"),)

    brief = answer(context=ended_account(slots=()), signals=ended_signals(open_questions=questions))

    assert keys(brief)[1:] == ["answer.asked_validity", "answer.ended", "quote_follow_up.ask_ended"]


def test_the_day_of_an_answer_is_never_in_the_past():
    slots = (replace(make_account().slots[0], on=date(2026, 3, 10)),)

    assert answer("Can you paint it blue?", context=make_account(slots=slots)).plan is None


def test_a_message_without_a_question_gets_a_day_from_the_rep_who_signs():
    brief = make_brief("answer")

    assert "answer.message" in keys(brief)
    assert "answer.open_message_me" in keys(brief)
    assert brief.plan.must_answer == ()


def test_a_severe_case_has_nothing_commercial():
    brief = make_brief("service_acknowledgement")

    assert all(key.startswith("service_acknowledgement.") or key == "common.sorry" for key in keys(brief))
    assert {id_.split(".")[0] for id_ in cited(brief)} == {"T-2201"}
    assert brief.plan.ask == "whether anything changed; nothing commercial"


def test_a_late_promise_needs_a_new_day():
    assert "deliver_promise.new_date_me" in keys(make_brief("deliver_promise"))
    assert make_brief("deliver_promise", context=make_account(slots=())).plan is None


def test_a_promise_in_time_is_told_with_its_own_day():
    promise = Promise("us", "we will send you the list", date(2026, 3, 13), "A-20", "body", True, 0)

    brief = make_brief("deliver_promise", signals=make_signals(promises_us=(promise,)), context=make_account(slots=()))

    assert "deliver_promise.due" in keys(brief)
    assert "deliver_promise.late" not in keys(brief)


def test_our_own_wording_of_a_next_step_is_not_told():
    promise = Promise("us", "get the director on board", date(2026, 3, 9), "D-1", "next_step", False, 2)

    brief = make_brief("deliver_promise", signals=make_signals(promises_us=(promise,)))

    assert brief.plan is None
    assert "what we promised" in brief.missing_info[0]


def test_notes_in_another_language_are_told_by_their_structure_only():
    meeting = make_meeting(body="Wants 2 sample FM-300 by 20 March, we ship; they check the drawing; decision 2 April")
    activities = (*(a for a in make_account("de").activities if a.id != "A-50"), meeting)

    brief = make_brief("recap", language="de", context=make_account("de", activities=activities))

    assert "recap.us_deliver_due" in keys(brief)
    assert "recap.decision_due" in keys(brief)
    assert "recap.them" not in keys(brief)
    assert len([key for key in keys(brief) if key.startswith("recap.") and "due" in key]) == 2


def test_notes_in_the_readers_language_are_told_in_their_own_words():
    meeting = make_meeting(body="We send the drawing by 20 March. They check the layout by 27 March.")
    activities = (*(a for a in make_account().activities if a.id != "A-50"), meeting)

    brief = make_brief("recap", context=make_account(activities=activities))

    assert [key for key in keys(brief) if key in ("recap.us_verb_due", "recap.them_due")] == [
        "recap.us_verb_due",
        "recap.them_due",
    ]


def test_a_recap_without_notes_gives_no_plan():
    activities = (make_meeting(body=None),)

    assert make_brief("recap", context=make_account(activities=activities)).plan is None


def test_an_open_quote_is_followed_up_with_its_lines():
    brief = make_brief("quote_follow_up")

    assert keys(brief)[:3] == ["quote_follow_up.subject", "quote_follow_up.open", "quote_follow_up.line2"]
    assert not {id_ for id_ in cited(brief) if "price" in id_ or "total" in id_}


def test_an_ended_quote_is_followed_up_as_ended():
    brief = make_brief("quote_follow_up", context=ended_account(), signals=ended_signals())

    assert "quote_follow_up.ended" in keys(brief)
    assert "quote_follow_up.ask_ended" in keys(brief)
    assert "quote_follow_up.open" not in keys(brief)


def test_a_quote_of_many_lines_is_not_told_in_part():
    lines = tuple(QuoteLine(f"L{n}", "FM-300", None, Decimal(n), Decimal(1)) for n in (1, 2, 3))

    brief = make_brief("quote_follow_up", context=make_account(quotes=(make_quote(lines=lines),)))

    assert not {"quote_follow_up.line1", "quote_follow_up.line2"} & set(keys(brief))


def test_each_stage_has_a_purpose_of_its_own():
    briefs = [make_brief("stage_step", context=make_account(deal=make_deal(stage_kind=kind))) for kind in STAGES]

    assert len({brief.plan.angle for brief in briefs}) == 7
    assert len({next(k for k in keys(b) if k.endswith("_ask") or k == "common.slot_ask") for b in briefs}) == 7


def test_a_won_deal_is_thanked_for_its_own_order():
    won = make_deal(stage_kind="won", status="won")

    old = make_brief("stage_step", context=make_account(deal=won))
    new = make_brief("stage_step", context=make_account(deal=won, orders=(make_order("O-9", deal_id="D-1"),)))

    assert "stage_step.won_quote" in keys(old)
    assert "O-9.ordered_on" in cited(new)


def test_news_is_what_no_mail_of_ours_has_told():
    account = make_account()
    told = make_activity("A-22", direction="outbound", body=f"{account.claims[0].text}.")

    plain = make_brief("new_value")
    again = make_brief("new_value", context=replace(account, activities=(*account.activities, told)))

    assert "CL-3.text" in cited(plain)
    assert "CL-3.text" not in cited(again)


def test_without_news_there_is_no_nudge():
    context = make_account(claims=(), products=(make_product("FM-300"),))

    brief = make_brief("new_value", context=context)

    assert brief.plan is None
    assert "something new and true" in brief.missing_info[0]


def test_a_lapsed_item_is_asked_for_and_not_assumed():
    assert "replenishment.ask_lapsed" in keys(make_brief("replenishment"))
    due = replace(make_signals().due_items[0], state="due")
    assert "replenishment.ask" in keys(make_brief("replenishment", signals=make_signals(due_items=(due,))))


def test_an_irregular_gap_is_not_claimed():
    irregular = replace(make_signals().due_items[0], gap_claimable=False)

    assert "replenishment.gap" not in keys(make_brief("replenishment", signals=make_signals(due_items=(irregular,))))


def test_a_greeting_on_an_anniversary_makes_no_offer():
    brief = make_brief("relationship")

    assert "relationship.years" in keys(brief)
    assert not {id_ for id_ in cited(brief) if id_.startswith(("Q-", "FM-", "CL-"))}


@pytest.mark.parametrize(("mood", "sorry"), [("angry", 1), ("worried", 0), ("neutral", 0), ("pleased", 0)])
def test_anger_is_acknowledged_once_before_the_answer(mood, sorry):
    signals = make_signals(mood=mood, mood_id="A-31", open_questions=(ask("What is the lead time of the FM-300?"),))

    found = keys(make_brief("answer", signals=signals))

    assert found.count("common.sorry") == sorry
    assert not sorry or found.index("common.sorry") == 1


def fitting_product(**changes):
    """A product that fits what they own and costs about what they pay."""
    feature = Feature(feature="it keeps its own record", benefit="you see a fault at once", need_tags=("manual_work",))
    given = {
        "name": "FlowMeter 3000", "features": (feature,), "compatible_with": ("GK-12",), "list_price": Decimal(60),
        "lead_time": "6-8 weeks",
    }  # fmt: skip
    return make_product("FM-3000", **(given | changes))


def pitch_of(product, *, tickets=(), **changes):
    products = (product, make_product("GK-12", list_price=Decimal(48)))
    return make_brief(kind="pitch", context=make_account(tickets=tickets, deal=None, products=products, **changes))


def test_a_pitch_takes_what_fits_to_what_they_own():
    brief = pitch_of(fitting_product())

    assert {"FM-3000.name", "FM-3000.fits1", "FM-3000.feature1", "FM-3000.feature1.benefit"} <= cited(brief)


@pytest.mark.parametrize(
    "change",
    [{"active": False}, {"stock": Decimal(0)}, {"regions": ("US",)}, {"compatible_with": ()}, {"list_price": None}],
    ids=["not sold", "out of stock", "other region", "does not fit", "no price but fits"],
)
def test_a_product_that_may_not_be_offered_is_not_pitched(change):
    brief = pitch_of(fitting_product(**change))

    assert ("FM-3000.name" in cited(brief)) == ("list_price" in change)


@pytest.mark.parametrize(
    ("stock", "lead_time", "told"), [(0, "6-8 weeks", True), (0, None, False), (5, "6-8 weeks", True)]
)
def test_what_an_open_deal_is_about_may_be_a_second_one_and_made_to_order(stock, lead_time, told):
    owned = make_product("FM-300", durable=True, stock=Decimal(stock), lead_time=lead_time)
    context = make_account(
        deal=make_deal(product_ids=("FM-300",)), products=(owned,),
        orders=(make_order(lines=(OrderLine("L1", "FM-300", Decimal(1)),)),), tickets=(),
    )  # fmt: skip

    brief = make_brief(kind="pitch", context=context)

    assert (brief.plan is not None and "FM-300.name" in cited(brief)) is told


def test_a_product_far_above_their_prices_is_not_pitched():
    assert "FM-3000.name" not in cited(pitch_of(fitting_product(list_price=Decimal(6900))))


def test_a_stated_need_opens_the_pitch_and_chooses_the_product():
    words = "We type in the readings by hand every day."
    said = make_activity("A-70", at=at("2026-03-02"), body=words)
    other = make_product("FM-1", name="FlowMeter 1", compatible_with=("GK-12",), list_price=Decimal(50))
    products = (other, fitting_product(), make_product("GK-12", list_price=Decimal(48)))
    account = make_account(tickets=(), deal=None, products=products)

    brief = make_brief(kind="pitch", context=replace(account, activities=(*account.activities, said)))

    opening = next(beat for beat in brief.plan.beats if beat.role == "context")
    assert (opening.key, opening.facts["need"]) == ("pitch.need", "A-70.need1")
    assert "FM-3000.name" in cited(brief)


def test_a_product_with_an_open_case_is_not_pitched():
    case = make_ticket(product_id="FM-3000")

    assert "FM-3000.name" not in cited(pitch_of(fitting_product(), tickets=(case,)))


def test_what_they_own_for_good_is_not_pitched_again():
    orders = (make_order("O-9", lines=(replace(make_order().lines[0], product_id="FM-3000"),)),)

    brief = make_brief(kind="pitch", context=make_account(tickets=(), orders=orders))

    assert brief.plan is None or "FM-3000.feature1" not in cited(brief)


def test_a_fact_of_another_persons_talk_is_not_told():
    other = make_activity("A-21", at=at("2026-02-24"), body="we will send you the order", contact_ids=("C-2",))
    activities = tuple(other if a.id == "A-21" else a for a in make_account().activities)

    brief = make_brief("nudge_their_step", context=make_account(activities=activities))

    assert brief.plan is None


def test_a_contradicting_fact_is_not_told():
    quotes = (make_quote(total=Decimal("26050.00"), lines=make_quote().lines),)

    brief = answer("What is the total of the quote?", context=make_account(quotes=quotes))

    assert "Q-118.total" not in cited(brief)


@pytest.mark.parametrize("language", ["en", "de"])
def test_text_of_another_language_stays_out(language):
    other = "de" if language == "en" else "en"
    context = make_account(other, users=(make_user(language=other),), tickets=())

    brief = make_brief(kind="pitch", language=language, context=context)

    assert brief.plan is None or not {id_ for id_ in cited(brief) if "feature" in id_ or "description" in id_}


@pytest.mark.parametrize("kind", sorted(INTERNAL_KINDS))
def test_an_internal_kind_has_a_line_for_every_fact_of_its_sections(kind):
    brief = make_brief(kind=kind, channel="note")

    lines = [beat for beat in brief.plan.beats if beat.key == "note.line"]
    assert lines
    assert all(beat.section for beat in lines)
    assert cited(brief) <= {fact.id for fact in brief.facts}


def test_no_customer_plan_cites_an_internal_fact():
    for type_ in ("quote_follow_up", "renewal", "stage_step", "new_value", "deliver_promise", "win_back"):
        brief = make_brief(type_)
        internal = {fact.id for fact in brief.facts if fact.visibility == "internal"}
        assert not cited(brief) & internal, type_


def test_a_short_text_has_fewer_words():
    assert make_brief("quote_follow_up").plan.words == (45, 120)
    assert make_brief("quote_follow_up", length="short").plan.words == (20, 82)


def test_the_same_id_in_two_collections_is_never_mixed_up():
    order = make_order("D-1", number="D-1", ordered_at=at("2026-03-01"))

    brief = make_brief("win_back", context=make_account(orders=(order,)))

    assert "order:D-1.ordered_on" in cited(brief)


def test_a_step_of_theirs_is_told_without_their_own_name():
    activities = tuple(a for a in make_account().activities if a.id != "A-21")
    task = make_activity("A-61", type="task", direction="internal", subject="Floor plan from Dana Reyes", body=None)
    promise = Promise("them", "Floor plan from Dana Reyes", date(2026, 3, 9), "A-61", "subject", False, 2)

    brief = make_brief(
        "nudge_their_step",
        context=make_account(activities=(*activities, task)),
        signals=make_signals(promises_them=(promise,)),
    )

    assert next(f.display for f in brief.facts if f.id == "A-61.promise1") == "Floor plan"


def test_a_promise_is_quoted_without_its_greeting():
    words = "Hello Dana, I will send the drawing by Friday."
    promise = Promise("us", words, date(2026, 2, 27), "A-20", "body", True, 8)

    brief = make_brief("deliver_promise", signals=make_signals(promises_us=(promise,)))

    fact = next(f for f in brief.facts if f.id == "A-20.promise1")
    assert (fact.value, fact.display) == (words, "I will send the drawing by Friday")


def test_notes_that_name_two_products_are_not_told_by_one_of_them():
    meeting = make_meeting(body="Wants 2 FM-300 and 1 FlowMeter 3000 by 20 March, we ship.")
    activities = (*(a for a in make_account().activities if a.id != "A-50"), meeting)

    brief = make_brief("recap", context=make_account(activities=activities))

    assert "recap.us_deliver_due" not in keys(brief)


def test_a_case_that_was_closed_is_asked_about_and_not_called_open():
    ticket = make_ticket(status="resolved", resolved_at=at("2026-03-09"))

    brief = make_brief("service_acknowledgement", context=make_account(tickets=(ticket,)))

    assert "service_acknowledgement.ask_solved" in keys(brief)
    assert "service_acknowledgement.owner_update" not in keys(brief)


def test_a_product_that_most_buy_is_no_offer_to_somebody_without_history():
    population = Population(accounts=30, bought_by={"FM-300": 20})

    account = make_account(orders=(), deal=None, tickets=())
    brief = make_brief(kind="pitch", context=account, signals=make_signals(due_items=()), population=population)

    assert "pitch.ask_discover" in keys(brief)


def test_the_caller_of_a_script_is_the_rep_who_signs():
    users = (make_user("U-0", name="Adam First"), make_user())

    brief = make_brief("check_in", channel="phone", context=make_account(users=users))

    voicemail = next(beat for beat in brief.plan.beats if beat.key == "phone.voicemail")
    assert voicemail.facts["name"] == "U-1.name"


def test_short_catalogue_texts_are_not_taken_for_the_colleagues_language():
    context = replace(
        make_context(),
        products=(make_product(id="P-1", description="includes ISO 17025 certificate per device"),),
        users=(make_user(language="de"),),
    )

    assert home_languages(context) == (None, "de")


@pytest.mark.parametrize(("until", "told"), [(date(2026, 4, 30), True), (date(2026, 3, 10), False)])
def test_a_pitch_names_an_offer_on_its_product_while_it_holds(until, told):
    offer = Offer("OF-1", "One FlowMeter 3000 on trial for a month.", ("FM-3000",), None, date(2026, 3, 1), until)

    brief = pitch_of(fitting_product(), offers=(offer,))

    assert ("pitch.bargain_until" in keys(brief)) == told
    assert ("OF-1.text" in {fact.id for fact in brief.facts}) == told


def test_an_item_bought_once_is_not_said_to_be_bought_one_times():
    once = make_account().orders[:1]

    brief = pitch_of(fitting_product(), orders=once)

    assert "pitch.owned_times" not in keys(brief)


def test_who_reads_a_recap_is_not_named_to_themselves():
    meeting = make_meeting(body="Dana sends the drawing by 20 March. Jonas checks the layout by 27 March.")
    activities = (*(a for a in make_account().activities if a.id != "A-50"), meeting)

    told = keys(make_brief("recap", context=make_account(activities=activities)))

    assert [key for key in told if key.endswith("_due")] == ["recap.them_quoted_due", "recap.named_due"]


@pytest.mark.parametrize(("stock", "offered"), [(Decimal(5), "M-60"), (Decimal(0), None)])
def test_the_installation_of_a_machine_that_is_not_to_be_had_is_not_pitched(stock, offered):
    products = (
        make_product(
            "M-60", name="Spira 60", list_price=Decimal(9800), stock=stock, description="a mixer of 60 litres"
        ),
        make_product("INS", name="Installation", list_price=Decimal(900), description="one technician for one day"),
    )
    deal = make_deal(product_ids=("M-60", "INS"))
    quiet = make_signals(due_items=(), ticket=TicketState())

    brief = make_brief(kind="pitch", context=make_context(deal=deal, products=products, line_items=()), signals=quiet)

    beats = brief.plan.beats if brief.plan else ()
    told = {id_.split(".")[0] for beat in beats for id_ in beat.facts.values() if id_.endswith(".name")}
    assert told & {"M-60", "INS"} == ({offered} if offered else set())


@pytest.mark.parametrize(("in_talks", "key"), [(True, "new_value.product"), (False, "new_value.last_order")])
def test_what_they_once_ordered_is_not_told_as_something_they_consider(in_talks, key):
    order = make_order("O-9", ordered_at=at("2025-12-04"), lines=(OrderLine("L1", "FM-3000", Decimal(1)),))
    deal = make_deal(product_ids=("FM-3000",)) if in_talks else None
    account = replace(make_account(), deal=deal, quotes=(), line_items=(), orders=(order,))

    told = keys(make_brief("new_value", context=account, signals=make_signals(quote_id=None, ticket=TicketState())))

    assert key in told
