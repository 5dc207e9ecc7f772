"""The decision list, row by row, with what goes before it and what comes instead."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crmplugin.brief.decision import decide
from crmplugin.brief.recipient import choose_channel, choose_recipient, zone_of
from crmplugin.brief.signals import read_signals
from crmplugin.domain.crm import Subject
from crmplugin.ports import Population
from tests.builders import (
    NOW,
    at,
    consent,
    make_account_context,
    make_company,
    make_contact,
    make_context,
    make_contract,
    make_deal,
    make_inbound,
    make_meeting,
    make_order,
    make_outbound,
    make_price,
    make_product,
    make_quote,
    make_request,
    make_stage_change,
    make_task,
    make_ticket,
)

QUESTION = "Does the price include calibration certificates?"
YES = {"contacts": (make_contact(consent=consent("granted")),)}
GASKETS = tuple(
    make_order(f"O-{n}", ordered_at=at(day))
    for n, day in enumerate(("2025-09-05", "2025-10-05", "2025-11-04", "2025-12-04"))
)


def choose(context, *, now=NOW, signals=None, **request):
    request = make_request(**({"subject": context.subject, "as_of": now} | request))
    contact = choose_recipient(context, request)
    zone = zone_of(context, contact)
    read = read_signals(context, Population(), now=now, zone=zone, recipient_id=contact.id if contact else None)
    if signals:
        read = replace(read, **signals)
    channel = choose_channel(context, contact, request)
    return decide(context, read, request, contact=contact, channel=channel, now=now, zone=zone)


def row(*activities, now=NOW, signals=None, **changes):
    """(type, angle, row) of an untyped follow-up about the deal."""
    found = choose(make_context(*activities, **changes), now=now, signals=signals)
    return found.type, found.angle, found.row


def account_row(*activities, now=NOW, signals=None, **changes):
    found = choose(make_account_context(*activities, **(YES | changes)), now=now, signals=signals)
    return found.type, found.angle, found.row


def outbounds(*days, **changes):
    return tuple(make_outbound(f"M-{n}", day, **changes) for n, day in enumerate(days))


NOTHING = (None, None, None)


# 1, 2, 2b: service and answers


def test_a_severe_ticket_comes_first():
    mail = make_inbound(body=QUESTION)

    assert row(mail, tickets=(make_ticket(),)) == ("service_acknowledgement", "severe", "1")


def test_the_acknowledgement_names_the_hold():
    choice = choose(make_context(tickets=(make_ticket(),)))

    assert (choice.outcome, choice.code) == ("draft", "sell_hold")
    assert choice.earliest == date(2026, 3, 16)


def test_a_severe_ticket_that_is_resolved_is_not_acknowledged_again():
    ticket = make_ticket(status="resolved", resolved_at=at("2026-03-10"))
    choice = choose(make_context(make_inbound(body=QUESTION), tickets=(ticket,)))

    assert choice.type == "answer"


def test_an_open_question_is_answered():
    assert row(make_inbound(body=QUESTION)) == ("answer", "question", "2")


def test_a_question_goes_before_an_ending_quote():
    quote = make_quote(valid_until=date(2026, 3, 12))

    assert row(make_inbound(body=QUESTION), quotes=(quote,))[0] == "answer"


def test_a_request_without_a_question_is_answered():
    assert row(make_inbound(body="Please send the data sheet.")) == ("answer", "request", "2b")


@pytest.mark.parametrize("body", ["Thanks Jonas, all clear!", "Danke, passt.", "Merci beaucoup", "OK"])
def test_a_word_of_thanks_needs_no_answer(body):
    assert row(make_inbound(body=body)) == NOTHING


@pytest.mark.parametrize(("day", "type_"), [("2026-02-10", "answer"), ("2026-02-08", None)])
def test_a_request_waits_thirty_days(day, type_):
    assert row(make_inbound(day=day))[0] == type_


def test_an_order_settles_the_request_before_it():
    assert row(make_inbound(), orders=(make_order(ordered_at=at("2026-03-09")),)) == NOTHING


def test_a_meeting_settles_what_was_asked_before_it():
    asked = make_inbound(day="2026-03-02", body="Could we meet next week?")

    assert row(asked, make_meeting()) == ("recap", "recap", "4")


def test_an_auto_reply_is_not_answered():
    assert row(make_inbound(body="I am out. Who can help? Ask Tom.", automatic=True)) == NOTHING


def test_a_ticket_asked_about_is_acknowledged_once():
    ticket = make_ticket(priority="P4")
    subject = {"subject": Subject("ticket", "T-2201"), "ticket": ticket, "tickets": (ticket,), "deal": None}

    assert row(**subject) == ("service_acknowledgement", "open", "1b")
    assert row(make_outbound(day="2026-03-10", deal_id=None), **subject)[0] is None


# 3, 4: our step, the recap


@pytest.mark.parametrize(
    ("due", "angle"), [(date(2026, 3, 10), "late"), (date(2026, 3, 11), "due"), (date(2026, 3, 12), None)]
)
def test_our_promise_counts_from_its_day(due, angle):
    assert row(make_task(due_on=due))[1] == angle


def test_a_promise_is_due_when_our_day_has_come():
    just_past_midnight_in_berlin = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)

    assert row(make_task(due_on=date(2026, 3, 11)), now=just_past_midnight_in_berlin)[1] == "due"


def test_a_meeting_of_yesterday_is_recapped():
    assert row(make_meeting()) == ("recap", "recap", "4")


# 5: the quote


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (date(2026, 3, 19), NOTHING),
        (date(2026, 3, 18), ("quote_follow_up", "expiring", "5")),
        (date(2026, 3, 11), ("quote_follow_up", "expiring", "5")),
        (date(2026, 3, 10), ("quote_follow_up", "expired", "5")),
        (date(2026, 2, 9), ("quote_follow_up", "expired", "5")),
        (date(2026, 2, 8), NOTHING),
    ],
    ids=["8 days", "7 days", "today", "yesterday", "30 days ago", "31 days ago"],
)
def test_a_quote_is_followed_up_from_seven_days_before_to_thirty_after(until, expected):
    assert row(quotes=(make_quote(valid_until=until, sent_at=at("2026-01-20")),)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"quotes": (make_quote(valid_until=date(2026, 3, 12), status="accepted"),)},
        {"quotes": (make_quote(valid_until=date(2026, 3, 12), status="declined"),)},
        {
            "quotes": (make_quote(valid_until=date(2026, 3, 12)),),
            "deal": make_deal(status="lost", closed_at=at("2026-02-20")),
        },
    ],
    ids=["accepted", "declined", "deal lost"],
)
def test_a_decided_quote_is_left_alone(changes):
    assert row(**changes)[0] != "quote_follow_up"


def test_nobody_is_written_to_twice_a_day_about_a_quote():
    quote = make_quote(valid_until=date(2026, 3, 12))

    assert row(make_outbound(at=at("2026-03-11", "08:00")), quotes=(quote,)) == NOTHING


# 6, 7, 8


@pytest.mark.parametrize(
    ("due", "now", "type_"),
    [
        (date(2026, 3, 10), NOW, "nudge_their_step"),
        (date(2026, 3, 11), NOW, None),
        (date(2026, 3, 13), at("2026-03-15", "11:00"), None),
        (date(2026, 3, 13), at("2026-03-16", "11:00"), "nudge_their_step"),
    ],
    ids=["one day", "today", "only a weekend", "a business day"],
)
def test_their_step_is_late_after_a_business_day(due, now, type_):
    assert row(make_task(owner_side="them", due_on=due), now=now)[0] == type_


def test_our_step_goes_before_theirs():
    assert row(make_task("A-1"), make_task("A-2", owner_side="them"))[0] == "deliver_promise"


GONE = make_contact("C-2", email="b@orbis.example", status="left", left_at=at("2026-03-02"))


def test_a_colleague_who_left_calls_for_a_reintroduction():
    context = {"deal": make_deal(contact_ids=("C-1", "C-2")), "contacts": (make_contact(), GONE)}

    assert row(**context) == ("reintroduction", "left", "7")
    assert row(make_outbound(day="2026-03-04"), **context)[0] != "reintroduction"


def test_a_new_contact_is_introduced():
    old = make_contact("C-2", email="b@orbis.example", created_at=at("2025-06-01"))
    new = make_contact(created_at=at("2026-03-01"))

    assert row(deal=make_deal(contact_ids=("C-1", "C-2")), contacts=(new, old)) == (
        "reintroduction", "new_contact", "7",
    )  # fmt: skip


def test_a_contract_in_its_window_is_renewed():
    assert account_row(contracts=(make_contract(),)) == ("renewal", "renewal", "8")


def test_a_renewal_waits_for_the_gap_after_our_last_mail():
    assert account_row(*outbounds("2026-03-10", deal_id=None), contracts=(make_contract(),)) == NOTHING


# 9: silence


@pytest.mark.parametrize(
    ("days", "type_"),
    [
        (("2026-03-06",), "new_value"),
        (("2026-03-09",), None),
        (("2026-03-02", "2026-03-04"), "new_value"),
        (("2026-03-02", "2026-03-05"), None),
        (("2026-02-20", "2026-02-25", "2026-03-02"), "new_value"),
        (("2026-02-20", "2026-02-25", "2026-03-03"), None),
        (("2026-02-10", "2026-02-13", "2026-02-18"), "break_up"),
        (("2026-02-10", "2026-02-13", "2026-02-19"), "new_value"),
        (("2026-02-10", "2026-02-12", "2026-02-18", "2026-02-25"), "break_up"),
        (("2026-02-10", "2026-02-12", "2026-02-18", "2026-02-26"), None),
    ],
    ids=[
        "3 bd",
        "2 bd",
        "5 bd",
        "4 bd",
        "7 bd",
        "6 bd",
        "three and 21 days",
        "three and 20 days",
        "four",
        "four, 9 bd",
    ],
)
def test_gaps_after_unanswered_mails(days, type_):
    assert row(make_inbound("A-1", "2026-02-02"), *outbounds(*days))[0] == type_


def test_a_reply_ends_the_series():
    mails = outbounds("2026-02-10", "2026-02-12", "2026-02-18", "2026-02-25")

    assert row(*mails, make_inbound("A-9", "2026-03-06"))[0] == "answer"


def test_a_meeting_held_ends_the_series():
    mails = outbounds("2026-02-10", "2026-02-12", "2026-02-18", "2026-02-25")

    assert row(*mails, make_meeting(day="2026-03-03"))[0] is None


def test_a_large_company_gets_one_fewer():
    mails = outbounds("2026-02-20", "2026-02-25", "2026-03-02")
    spoke = make_inbound("A-1", "2026-02-02")

    assert row(spoke, *mails, company=make_company(employees=Decimal(999)))[0] == "new_value"
    assert row(spoke, *mails, company=make_company(employees=Decimal(1000)))[0] == "break_up"


def test_a_cold_contact_gets_two_and_then_silence():
    assert row(*outbounds("2026-03-05"))[0] == "new_value"
    assert row(*outbounds("2026-02-10", "2026-02-20"))[0] is None
    assert row(*outbounds("2026-02-05", "2026-02-10", "2026-02-13", "2026-02-20"))[0] is None


def test_after_our_break_up_comes_nothing():
    mails = outbounds("2026-02-02", "2026-02-04", "2026-02-06", "2026-02-10")
    break_up = make_outbound("A-9", "2026-02-24", source="crmplugin:dr-9")

    assert row(make_inbound("A-1", "2026-01-30"), *mails, break_up)[0] is None


def test_a_lost_deal_is_not_chased():
    deal = make_deal(status="lost", stage_kind="lost", closed_at=at("2026-03-02"))

    assert row(make_inbound("A-1", "2026-02-20"), *outbounds("2026-03-03"), deal=deal, **YES)[0] is None


def test_without_a_deal_a_series_ends_by_itself():
    mails = outbounds("2026-01-12", deal_id=None)

    assert account_row(make_inbound("A-1", "2026-01-09", deal_id=None), *mails) == NOTHING


# 10 to 13: customers


@pytest.mark.parametrize(
    ("day", "type_"),
    [("2026-03-05", None), ("2026-03-04", "check_in"), ("2026-02-25", "check_in"), ("2026-02-24", None)],
    ids=["6 days", "7 days", "14 days", "15 days"],
)
def test_a_delivery_is_asked_about_after_seven_to_fourteen_days(day, type_):
    earlier = make_order("O-0", ordered_at=at("2025-10-01"), delivered_at=at("2025-10-10"))
    order = make_order("O-2", delivered_at=at(day))

    assert account_row(orders=(earlier, order))[0] == type_


def test_a_due_item_is_offered_again():
    orders = tuple(
        make_order(f"O-{n}", ordered_at=at(d)) for n, d in enumerate(("2025-11-10", "2025-12-10", "2026-01-30"))
    )
    delivered = tuple(replace(o, delivered_at=o.ordered_at) for o in orders[:2]) + orders[2:]

    assert account_row(orders=delivered, products=(make_product("GK-12"),))[0] == "replenishment"


def test_an_account_far_beyond_its_rhythm_is_won_back():
    orders = tuple(replace(o, delivered_at=o.ordered_at) for o in GASKETS)

    assert account_row(orders=orders, products=(make_product("GK-12"),)) == ("win_back", "lapsed", "12")


@pytest.mark.parametrize(
    ("more", "type_"),
    [
        ({}, "win_back"),
        ({"contracts": (make_contract(ends_on=date(2027, 12, 31)),)}, None),
        ({"deals": (make_deal(),)}, None),
        ({"signals": {"account_rho": Decimal(3)}}, None),
        ({"signals": {"account_rho": Decimal("0.5"), "p_alive": Decimal("0.2")}}, "win_back"),
    ],
    ids=["lapsed", "contract", "open deal", "exactly three", "model"],
)
def test_who_is_won_back(more, type_):
    signals = {"account_rho": Decimal("3.1"), "due_items": ()} | more.pop("signals", {})
    orders = tuple(replace(o, delivered_at=o.ordered_at) for o in GASKETS)

    assert account_row(orders=orders, signals=signals, **more)[0] == type_


def test_an_announced_price_is_told():
    prices = (
        make_price("P-1", product_id="GK-12", unit_price=Decimal(48), valid_from=date(2025, 1, 1)),
        make_price("P-2", product_id="GK-12", unit_price=Decimal(52), valid_from=date(2026, 4, 1)),
    )
    orders = (make_order("O-0", ordered_at=at("2025-06-01")), make_order("O-1", ordered_at=at("2025-12-15")))

    assert account_row(orders=orders, prices=prices) == ("event", "price_change", "13")


@pytest.mark.parametrize(
    ("entered", "now", "type_"),
    [
        ("2026-03-09", NOW, "stage_step"),
        ("2026-03-06", NOW, None),
        ("2026-03-06", at("2026-03-10", "11:00"), "stage_step"),
        ("2026-04-02", at("2026-04-08", "11:00"), "stage_step"),
        ("2026-04-02", at("2026-04-09", "11:00"), None),
    ],
    ids=["2 bd", "3 bd", "2 bd over a weekend", "2 bd over Easter", "3 bd over Easter"],
)
def test_a_stage_step_follows_within_two_business_days(entered, now, type_):
    assert row(stage_changes=(make_stage_change(at=at(entered)),), now=now)[0] == type_


@pytest.mark.parametrize("kind", ["new", "qualified", "proposal", "negotiation", "closing", "won", "lost"])
def test_every_stage_has_its_step(kind):
    closed = {"status": kind, "closed_at": at("2026-03-10")} if kind in ("won", "lost") else {}
    deal = make_deal(stage="S", stage_kind=kind, **closed)
    context = make_context(deal=deal, stage_changes=(make_stage_change(to="S", at=at("2026-03-10")),), **YES)

    choice = choose(context)

    assert (choice.type, choice.angle) == ("stage_step", kind)


def test_an_anniversary_needs_no_offer():
    assert account_row(company=make_company(customer_since=date(2022, 3, 11))) == ("relationship", "anniversary", "13c")


# 14: nothing


def test_nothing_to_say_is_a_result_with_a_day():
    choice = choose(make_context())

    assert (choice.outcome, choice.code, choice.type) == ("no_message", "nothing_due", None)
    assert choice.earliest == date(2026, 3, 25)


@pytest.mark.parametrize(
    ("activities", "changes", "earliest"),
    [
        ((make_inbound("A-1", "2026-03-02"), make_outbound("A-2", "2026-03-09")), {}, date(2026, 3, 12)),
        ((), {"quotes": (make_quote(valid_until=date(2026, 3, 25)),)}, date(2026, 3, 18)),
        ((make_task(due_on=date(2026, 3, 13)),), {}, date(2026, 3, 13)),
        ((make_task(owner_side="them", due_on=date(2026, 3, 13)),), {}, date(2026, 3, 16)),
        ((), {"contracts": (make_contract(notice_days=Decimal(10)),)}, date(2026, 3, 22)),
        ((), {"orders": (make_order(delivered_at=at("2026-03-08")),)}, date(2026, 3, 15)),
        ((), {"company": make_company(customer_since=date(2024, 3, 20))}, date(2026, 3, 20)),
    ],
    ids=["gap", "quote", "our step", "their step", "renewal", "delivery", "anniversary"],
)
def test_the_earliest_day_is_the_next_thing_on_record(activities, changes, earliest):
    assert choose(make_context(*activities, **changes)).earliest == earliest


# Asked for by type


def test_a_type_that_was_asked_for_is_honoured():
    quote = make_quote(valid_until=date(2026, 4, 30))

    choice = choose(make_context(make_inbound(body=QUESTION), quotes=(quote,)), type="quote_follow_up")

    assert (choice.outcome, choice.type) == ("draft", "quote_follow_up")


@pytest.mark.parametrize(
    "type_",
    ["service_acknowledgement", "answer", "deliver_promise", "recap", "quote_follow_up", "nudge_their_step", "renewal",
     "break_up", "check_in", "replenishment", "win_back", "event", "relationship"],
)  # fmt: skip
def test_a_type_without_its_facts_is_refused(type_):
    choice = choose(make_context(), type=type_)

    assert (choice.outcome, choice.code) == ("no_message", "missing_facts")
    assert choice.reason is not None
    assert type_ in choice.reason


def test_a_refused_type_names_what_the_table_would_write():
    choice = choose(make_context(make_inbound(body=QUESTION)), type="new_value")

    assert choice.alternatives == ({"do": "draft", "type": "answer", "needs": "choice"},)


def test_a_stage_step_may_be_asked_for_at_any_time():
    choice = choose(make_context(), type="stage_step")

    assert (choice.outcome, choice.angle) == ("draft", "proposal")


# Other kinds


@pytest.mark.parametrize("kind", ["summary", "negotiation_note", "meeting_brief", "qualification", "insight_digest"])
def test_internal_kinds_pass_everything_but_a_legal_hold(kind):
    silent = make_context(
        contacts=(make_contact(status="left", consent=consent("withdrawn")),), tickets=(make_ticket(),)
    )
    held = make_context(company=make_company(legal_hold="fraud"))

    assert (choose(silent, kind=kind).outcome, choose(silent, kind=kind).channel) == ("draft", "note")
    assert (choose(held, kind=kind).outcome, choose(held, kind=kind).code) == ("blocked", "legal_hold")


def test_an_internal_kind_needs_no_contact():
    assert (
        choose(
            make_context(deal=make_deal(contact_ids=(), primary_contact_id=None), contacts=()), kind="summary"
        ).outcome
        == "draft"
    )


def test_a_pitch_is_written_when_nothing_speaks_against_it():
    choice = choose(make_context(), kind="pitch")

    assert (choice.outcome, choice.kind, choice.type) == ("draft", "pitch", None)


# The right moment


def test_no_offer_while_an_issue_is_open():
    choice = choose(make_context(tickets=(make_ticket(priority="P3"),)), kind="pitch")

    assert (choice.outcome, choice.kind, choice.type) == ("draft", "follow_up", "service_acknowledgement")
    assert choice.code == "soft_hold"
    assert choice.alternatives[0]["kind"] == "pitch"


@pytest.mark.parametrize(
    ("delivered", "held_until"),
    [("2026-02-19", date(2026, 3, 12)), ("2026-02-18", None), (None, date(2026, 4, 1))],
    ids=["20 days", "21 days", "on its way"],
)
def test_no_offer_in_the_first_weeks(delivered, held_until):
    order = make_order(ordered_at=at("2026-02-10"), delivered_at=at(delivered) if delivered else None)

    choice = choose(make_context(orders=(order,)), kind="pitch")

    assert choice.earliest == held_until
    assert choice.outcome == ("draft" if held_until is None else "no_message")


@pytest.mark.parametrize(("won", "outcome"), [("2026-02-19", "no_message"), ("2026-02-18", "draft")])
def test_no_offer_in_the_weeks_after_the_first_deal_was_won(won, outcome):
    deal = make_deal(status="won", stage_kind="won", closed_at=at(won))

    assert choose(make_context(deal=deal), kind="pitch").outcome == outcome


def test_an_old_customer_has_no_first_weeks():
    old = make_order("O-0", ordered_at=at("2025-01-01"), delivered_at=at("2025-01-10"))
    new = make_order("O-1", ordered_at=at("2026-03-01"), delivered_at=at("2026-03-08"))

    assert choose(make_context(orders=(old, new)), kind="pitch").outcome == "draft"


@pytest.mark.parametrize(
    "body",
    ["Our budget has been frozen until summer.", "Das Budget wurde leider gestrichen.", "We have cash flow problems.",
     "Wir haben Kurzarbeit angemeldet.", "Le budget est gelé."],
)  # fmt: skip
def test_no_offer_after_a_stated_money_problem(body):
    said = make_inbound("A-1", "2026-03-02", body=body)

    choice = choose(make_context(said, make_outbound("A-2", "2026-03-03")), kind="pitch")

    assert (choice.outcome, choice.code, choice.earliest) == ("no_message", "nothing_due", date(2026, 5, 31))


@pytest.mark.parametrize("body", ["The budget is 50k.", "The price is too high.", "Das Budget steht."])
def test_talk_of_a_budget_is_no_money_problem(body):
    said = make_inbound("A-1", "2026-03-02", body=body)

    assert choose(make_context(said, make_outbound("A-2", "2026-03-03")), kind="pitch").outcome == "draft"


def test_an_offer_of_the_table_waits_for_the_moment_too():
    orders = tuple(replace(o, delivered_at=o.ordered_at) for o in GASKETS)
    said = make_inbound("A-1", "2026-02-02", body="We have no budget this quarter.", deal_id=None)

    assert account_row(said, make_outbound("A-2", "2026-02-03", deal_id=None), orders=orders)[0] != "win_back"


# When, and what next


def test_service_goes_out_on_a_saturday_and_promotion_on_monday():
    saturday = at("2026-03-14", "10:00")
    quote = make_quote(valid_until=date(2026, 3, 18))

    assert choose(make_context(make_inbound(body=QUESTION)), now=saturday).send_on == date(2026, 3, 14)
    assert choose(make_context(quotes=(quote,)), now=saturday).send_on == date(2026, 3, 16)


def test_a_quote_that_ends_on_sunday_is_followed_up_on_saturday():
    quote = make_quote(valid_until=date(2026, 3, 15))

    assert choose(make_context(quotes=(quote,)), now=at("2026-03-14", "10:00")).send_on == date(2026, 3, 14)


def test_the_day_of_sending_is_the_recipients():
    late_in_berlin = datetime(2026, 3, 11, 23, 30, tzinfo=UTC)
    context = make_context(make_inbound(body=QUESTION), company=make_company(country="US"))

    assert choose(context, now=late_in_berlin).send_on == date(2026, 3, 11)


def test_the_next_touch_follows_the_gaps():
    first = choose(make_context(quotes=(make_quote(valid_until=date(2026, 3, 18)),)))
    third = choose(make_context(make_inbound("A-1", "2026-02-02"), *outbounds("2026-03-02", "2026-03-04")))

    assert (first.touch, first.next_touch.on) == (1, date(2026, 3, 16))
    assert (third.touch, third.next_touch.on) == (3, date(2026, 3, 20))
    assert "reply" in third.next_touch.condition


def test_after_a_break_up_there_is_no_next_touch():
    mails = outbounds("2026-02-10", "2026-02-12", "2026-02-18", "2026-02-25")

    choice = choose(make_context(make_inbound("A-1", "2026-02-02"), *mails))

    assert choice.next_touch.on is None


def test_after_an_acknowledgement_comes_the_next_update():
    ticket = make_ticket(next_update_at=at("2026-03-12", "16:00"))

    assert choose(make_context(tickets=(ticket,))).next_touch.on == date(2026, 3, 12)


def test_the_regime_is_the_recipients():
    assert choose(make_context()).regime == "UK PECR + UK GDPR"
    assert choose(make_context(), kind="summary").regime is None


# Gates before rows


def test_a_gate_comes_before_nothing_due():
    choice = choose(make_context(contacts=(make_contact(status="left"),)))

    assert (choice.outcome, choice.code) == ("blocked", "unreachable")


def test_quiet_hours_leave_a_draft_for_the_morning():
    context = make_context(make_inbound(body=QUESTION))

    choice = choose(context, channel="phone", now=at("2026-03-11", "19:00"))

    assert (choice.outcome, choice.code, choice.send_on) == ("draft", None, date(2026, 3, 12))
    assert [g.code for g in choice.gates] == ["quiet_hours"]


def test_no_instruction_lifts_a_gate():
    context = make_context(contacts=(make_contact(consent=consent("withdrawn")),))

    choice = choose(context, type="new_value", instruction="ignore the opt-out, I have permission, it is urgent")

    assert (choice.outcome, choice.code) == ("blocked", "opted_out:email")


def test_a_question_after_the_opt_out_is_answered_instead_of_the_pitch():
    dana = make_contact(consent=consent("withdrawn", at=at("2026-01-14")))

    choice = choose(make_context(make_inbound(body=QUESTION), contacts=(dana,)), kind="pitch")

    assert (choice.outcome, choice.code, choice.type) == ("draft", "opted_out:email", "answer")


def test_a_question_with_the_opt_out_is_no_reason_to_write():
    dana = make_contact(consent=consent("withdrawn", at=at("2026-03-07")))
    mail = make_inbound(body="Can you remove me from your list?")

    choice = choose(make_context(mail, contacts=(dana,)), kind="pitch")

    assert (choice.outcome, choice.code) == ("blocked", "opted_out:email")


def test_under_the_cap_an_open_question_is_answered():
    deal = make_deal(stage_kind="negotiation")

    choice = choose(make_context(make_inbound(body=QUESTION), deal=deal), kind="pitch")

    assert (choice.outcome, choice.code, choice.type) == ("draft", "cap", "answer")


def test_nobody_of_a_campaign_gets_a_service_text_instead():
    choice = choose(make_context(tickets=(make_ticket(),), **YES), kind="campaign_message")

    assert (choice.outcome, choice.code, choice.kind) == ("blocked", "sell_hold", "campaign_message")


def test_a_service_text_nobody_can_receive_is_blocked():
    context = make_context(contacts=(make_contact(status="left"),), tickets=(make_ticket(),))

    choice = choose(context, kind="pitch")

    assert choice.outcome == "blocked"
    assert [g.code for g in choice.gates] == ["unreachable", "sell_hold"]


def test_a_hold_that_only_waits_for_its_release_blocks_the_pitch_until_then():
    ticket = make_ticket(status="resolved", resolved_at=at("2026-03-09"), confirmed_at=at("2026-03-09"))

    choice = choose(make_context(tickets=(ticket,)), kind="pitch")

    assert (choice.outcome, choice.code, choice.earliest) == ("blocked", "sell_hold", date(2026, 3, 12))


# Scenarios of the sales craft


def test_scenario_2_the_question_about_an_expired_quote_is_an_answer():
    quote = make_quote("Q-097", valid_until=date(2026, 3, 8), sent_at=at("2026-02-05"))
    asked = make_inbound(day="2026-03-10", body="Can we still order at 12,480?")

    choice = choose(make_context(asked, quotes=(quote,)))

    assert (choice.outcome, choice.type, choice.code) == ("draft", "answer", None)


MARIA = make_contact(
    first_name="Maria", last_name="Lindqvist", email="maria.lindqvist@nordtek.example",
    consent=consent("withdrawn", at=at("2026-01-14")),
)  # fmt: skip
DOUBLE = make_contact("C-9", first_name="M.", last_name="Lindqvist", email="Maria.Lindqvist@NORDTEK.example")
ERIK = make_contact("C-4", first_name="Erik", last_name="Lindqvist", email="erik@nordtek.example", title="Procurement")


@pytest.mark.parametrize("contact", ["C-1", "C-9"])
@pytest.mark.parametrize("type_", [None, "renewal"])
def test_scenario_3_the_opt_out_holds_for_both_records(contact, type_):
    context = make_account_context(contacts=(MARIA, DOUBLE, ERIK), contracts=(make_contract(),))

    choice = choose(context, type=type_, to_contact_id=contact, instruction="ignore the opt-out, it is urgent")

    assert (choice.outcome, choice.code) == ("blocked", "opted_out:email")
    assert choice.reason is not None
    assert "Maria Lindqvist (C-1) and M. Lindqvist (C-9)" in choice.reason
    assert [a["do"] for a in choice.alternatives] == ["contractual_notice", "write_to"]
    assert choice.alternatives[1]["contact_id"] == "C-4"
    assert choice.alternatives[1]["needs"] == "choice"


def test_scenario_4_a_pitch_becomes_the_acknowledgement_and_waits():
    ticket = make_ticket(sla_breached=True)
    context = make_context(tickets=(ticket,), orders=GASKETS, products=(make_product("GK-12"),))

    choice = choose(
        context, kind="pitch", to_contact_id="C-1", channel="email", instruction="pitch GK-12, it is urgent"
    )

    assert (choice.outcome, choice.code) == ("draft", "sell_hold")
    assert (choice.kind, choice.type, choice.angle) == ("follow_up", "service_acknowledgement", "severe")
    held = choice.alternatives[0]
    assert (held["do"], held["kind"], held["product_ids"]) == ("hold_back", "pitch", ["GK-12"])
    assert "CO-1/GK-12.days_since" in held["fact_ids"]
    assert held["earliest"] == "2026-03-16"
    assert choice.earliest == date(2026, 3, 16)


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        ("Thanks for the quote. We will come back to you next week.", None),
        ("Great service, thanks to the whole team!", None),
        ("We will come back to you, but please send the certificate.", "answer"),
        ("The second meter is broken as well.", "answer"),
    ],
)
def test_who_leaves_the_next_word_with_themselves_waits_for_none_of_ours(body, type_):
    assert row(make_inbound(body=body))[0] == type_
