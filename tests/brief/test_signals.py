"""Signals: each is read from its own records, up to now, for this recipient."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crmplugin.brief.signals import read_signals
from crmplugin.ports import Population
from tests.builders import (
    NOW,
    at,
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
    make_stage_change,
    make_task,
    make_ticket,
)

QUESTION = "Does the price include calibration certificates?"


def signals(*activities, now=NOW, recipient_id="C-1", zone="Europe/London", population=Population(), **changes):
    context = make_context(*activities, **changes)
    return read_signals(context, population, now=now, zone=zone, recipient_id=recipient_id)


def account_signals(*activities, now=NOW, recipient_id="C-1", **changes):
    context = make_account_context(*activities, **changes)
    return read_signals(context, Population(), now=now, zone="Europe/London", recipient_id=recipient_id)


# Who is awaited


def test_nobody_is_awaited_without_a_word():
    assert signals().awaiting == "nobody"
    assert signals().last_in is None


def test_we_are_awaited_after_their_mail():
    found = signals(make_outbound("A-1", "2026-03-05"), make_inbound("A-2", "2026-03-06"))

    assert (found.awaiting, found.last_in_id, found.last_out_id) == ("us", "A-2", "A-1")


def test_they_are_awaited_after_ours():
    assert signals(make_inbound("A-1", "2026-03-05"), make_outbound("A-2", "2026-03-06")).awaiting == "them"


@pytest.mark.parametrize(
    "noise",
    [
        make_inbound("A-9", "2026-03-09", automatic=True),
        make_inbound("A-9", "2026-03-09", subject="Out of office: Q-118"),
        make_inbound("A-9", "2026-03-09", bounced=True),
        make_inbound("A-9", "2026-03-09", source="read_receipt"),
        make_inbound("A-9", "2026-03-12"),
        make_inbound("A-9", "2026-03-09", deal_id="D-7"),
    ],
    ids=["automatic", "subject", "bounced", "receipt", "tomorrow", "other deal"],
)
def test_what_is_no_word_of_theirs_in_this_deal(noise):
    assert signals(make_outbound("A-1", "2026-03-05"), noise).awaiting == "them"


def test_a_mail_without_a_deal_counts_when_it_is_with_the_deals_people():
    assert signals(make_inbound(deal_id=None)).last_in_id == "A-31"
    assert signals(make_inbound(deal_id=None, contact_ids=("C-7",))).last_in_id is None


def test_our_own_draft_counts_once_it_is_a_mail():
    sent = make_outbound("A-2", "2026-03-09", source="crmplugin:dr-1")
    note = make_outbound("A-3", "2026-03-10", source="crmplugin:dr-2", type="note")

    assert signals(make_inbound("A-1"), sent, note).last_out_id == "A-2"


# Questions


def test_an_open_question_is_kept_word_by_word():
    (question,) = signals(make_inbound(body=f"Hello Jonas,\n{QUESTION}\nDana")).open_questions

    assert (question.text, question.fact_id, question.contact_id) == (QUESTION, "A-31.question1", "C-1")


def test_all_questions_of_all_waiting_messages_are_kept_in_order():
    found = signals(
        make_inbound("A-1", "2026-03-05", body="What is the lead time?"),
        make_inbound("A-2", "2026-03-06", body=f"{QUESTION} And do you ship to Cork?"),
    )

    assert [q.fact_id for q in found.open_questions] == ["A-1.question1", "A-2.question1", "A-2.question2"]


def test_an_answered_question_is_closed():
    assert signals(make_inbound("A-1", body=QUESTION), make_outbound("A-2", "2026-03-09")).open_questions == ()


def test_a_question_of_somebody_else_is_not_told_to_the_recipient():
    asked = make_inbound(body=QUESTION, contact_ids=("C-2",))

    assert signals(asked).open_questions == ()
    assert len(signals(asked, recipient_id="C-2").open_questions) == 1


# Mood


@pytest.mark.parametrize(
    ("mail", "mood"),
    [
        (make_inbound(body="This is unacceptable. We are fed up with waiting."), "angry"),
        (make_inbound(body="Please send the data sheet."), "neutral"),
        (make_inbound(day="2026-01-05", body="This is unacceptable."), None),
        (make_outbound(body="This is unacceptable."), None),
    ],
)
def test_the_mood_is_of_their_newest_message(mail, mood):
    assert signals(mail).mood == mood


def test_anger_that_nobody_has_answered_stands_beside_a_later_calm_message():
    angry = make_inbound("A-1", at=at("2026-03-08"), body="This is unacceptable.")
    calm = make_inbound("A-2", at=at("2026-03-09"), body="Here is the photo.")
    ours = make_outbound("A-3", at=at("2026-03-08", "18:00"), body="We are on it.")

    assert (signals(angry, calm).mood, signals(angry, calm).mood_id) == ("angry", "A-1")
    assert (signals(angry, ours, calm).mood, signals(angry, ours, calm).mood_id) == ("neutral", "A-2")


# Promises


def test_a_task_of_ours_is_a_promise_with_its_delay():
    (promise,) = signals(make_task()).promises_us

    assert (promise.text, promise.due, promise.days_late) == ("Send the certificate", date(2026, 3, 10), 1)
    assert (promise.source_id, promise.source_field, promise.stated) == ("A-60", "subject", False)


@pytest.mark.parametrize(
    "changes", [{"done_at": at("2026-03-09")}, {"owner_side": None}, {"due_on": None}, {"contact_ids": ("C-2",)}]
)
def test_what_is_no_open_promise_to_the_recipient(changes):
    assert signals(make_task(**changes)).promises_us == ()


def test_a_task_done_tomorrow_is_open_today():
    assert len(signals(make_task(done_at=at("2026-03-12"))).promises_us) == 1


def test_a_task_of_theirs_is_their_promise():
    (promise,) = signals(make_task(owner_side="them", subject="Send the purchase order")).promises_them

    assert promise.side == "them"


def test_the_next_step_of_the_deal_is_ours():
    deal = make_deal(next_step="Send the drawing", next_step_due=date(2026, 3, 12))

    (promise,) = signals(deal=deal).promises_us

    assert (promise.source_id, promise.source_field, promise.days_late) == ("D-1", "next_step", 0)


def test_a_next_step_of_the_customer_is_theirs():
    deal = make_deal(next_step="Customer sends the purchase order", next_step_due=date(2026, 3, 9))

    assert [p.side for p in signals(deal=deal).promises_them] == ["them"]


def test_a_promise_in_our_mail_is_stated():
    mail = make_outbound(day="2026-03-05", body="I will send you the certificate by Monday 9 March.")

    (promise,) = signals(mail).promises_us

    assert (promise.stated, promise.due, promise.days_late) == (True, date(2026, 3, 9), 2)


def test_a_promise_followed_by_our_mail_in_the_thread_is_kept():
    mail = make_outbound("A-1", "2026-03-05", body="I will send you the certificate by Monday 9 March.")

    assert signals(mail, make_outbound("A-2", "2026-03-09", body="Here it is.")).promises_us == ()


def test_promises_stand_in_the_order_of_their_days():
    early, late = make_task("A-1", due_on=date(2026, 3, 9)), make_task("A-2", due_on=date(2026, 3, 8))

    assert [p.source_id for p in signals(early, late).promises_us] == ["A-2", "A-1"]


# Cadence, stage


def test_unanswered_days_and_the_next_gap():
    found = signals(make_outbound("A-1", "2026-03-02"), make_outbound("A-2", "2026-03-09"))

    assert (found.no_reply_count, found.gap_days_bd, found.gap_reached) == (2, 2, False)
    assert found.next_gap_on == date(2026, 3, 16)


def test_the_stage_is_held_against_won_deals():
    population = Population(stage_days={("sales", "Proposal"): (Decimal(14),) * 20})

    found = signals(stage_changes=(make_stage_change(at=at("2026-01-28")),), population=population)

    assert (found.stage_age_days, found.stage_age_ratio, found.stage_age_n) == (42, Decimal(3), 20)
    assert found.stage_state == "stalled"


# Quote


def test_the_quote_is_the_newest_sent_version():
    old = make_quote("Q-1", number="Q-118", version=Decimal(1), sent_at=at("2026-02-01"))
    new = make_quote("Q-2", number="Q-118", version=Decimal(2), sent_at=at("2026-03-02"), valid_until=date(2026, 3, 18))
    draft = make_quote("Q-3", number="Q-118", version=Decimal(3), status="draft", sent_at=None)

    found = signals(quotes=(draft, new, old))

    assert (found.quote_id, found.quote_days_left) == ("Q-2", 7)


def test_a_higher_version_without_a_time_replaces_the_lower():
    old = make_quote("Q-1", number="Q-118", version=Decimal(1))
    new = make_quote("Q-2", number="Q-118", version=Decimal(2), sent_at=None)

    assert signals(quotes=(old, new)).quote_id == "Q-2"


def test_a_quote_of_another_deal_is_not_the_quote():
    assert signals(quotes=(make_quote(deal_id="D-7"),)).quote_id is None


def test_a_quote_sent_tomorrow_is_not_there_yet():
    assert signals(quotes=(make_quote(sent_at=at("2026-03-12")),)).quote_id is None


@pytest.mark.parametrize(
    ("zone", "left"), [("Europe/Berlin", -1), ("America/New_York", 0), (None, -1)], ids=["Berlin", "New York", "seller"]
)
def test_days_left_are_counted_where_the_quote_lives(zone, left):
    midnight_in_berlin = datetime(2026, 3, 11, 23, 30, tzinfo=UTC)
    quote = make_quote(valid_until=date(2026, 3, 11), timezone=zone)

    found = signals(quotes=(quote,), now=midnight_in_berlin, zone="America/New_York")

    assert found.quote_days_left == left


def test_a_quote_without_an_end_has_no_days_left():
    found = signals(quotes=(make_quote(valid_until=None),))

    assert (found.quote_id, found.quote_days_left) == ("Q-118", None)


# Meeting


@pytest.mark.parametrize(
    ("day", "now", "found"),
    [
        ("2026-03-10", NOW, True),
        ("2026-03-09", NOW, True),
        ("2026-03-06", NOW, False),
        ("2026-03-06", at("2026-03-10"), True),
        ("2026-04-02", at("2026-04-08"), True),
        ("2026-04-02", at("2026-04-09"), False),
    ],
    ids=["yesterday", "2 bd", "3 bd", "over a weekend", "2 bd over Easter", "3 bd over Easter"],
)
def test_a_meeting_waits_two_business_days_for_its_recap(day, now, found):
    assert (signals(make_meeting(day=day), now=now).meeting_id == "A-50") is found


@pytest.mark.parametrize(
    "more",
    [
        (make_outbound("A-9", "2026-03-10", at=at("2026-03-10", "16:00")),),
        (),
    ],
    ids=["recap sent", "no notes"],
)
def test_a_meeting_that_waits_for_no_recap(more):
    meeting = make_meeting() if more else make_meeting(body=None)

    assert signals(meeting, *more).meeting_id is None


def test_a_mail_before_the_end_is_no_recap():
    before = make_outbound("A-9", at=at("2026-03-10", "13:30"))

    assert signals(make_meeting(), before).meeting_id == "A-50"


def test_a_meeting_the_recipient_was_not_in_is_not_theirs():
    assert signals(make_meeting(contact_ids=("C-2",))).meeting_id is None


# People


def test_somebody_who_joined_is_a_change():
    dana = make_contact(created_at=at("2026-01-05"))
    new = make_contact("C-2", created_at=at("2026-03-01"))
    deal = make_deal(contact_ids=("C-1", "C-2"))

    (change,) = signals(deal=deal, contacts=(dana, new)).stakeholder_changes

    assert change == {"change": "added", "contact_id": "C-2", "on": "2026-03-01", "told": False}


@pytest.mark.parametrize(("left", "count"), [("2026-02-09", 1), ("2026-02-08", 0), ("2026-03-12", 0)])
def test_who_left_in_the_last_thirty_days_is_a_change(left, count):
    gone = make_contact("C-2", status="left", left_at=at(left))
    deal = make_deal(contact_ids=("C-1", "C-2"))

    assert len(signals(deal=deal, contacts=(make_contact(), gone)).stakeholder_changes) == count


def test_a_change_we_have_written_about_is_told():
    gone = make_contact("C-2", status="left", left_at=at("2026-03-02"))
    deal = make_deal(contact_ids=("C-1", "C-2"))

    (change,) = signals(make_outbound(day="2026-03-05"), deal=deal, contacts=(make_contact(), gone)).stakeholder_changes

    assert change["told"] is True


def test_a_bounce_is_a_change():
    other = make_contact("C-2", email="old@orbis.example")
    bounce = make_outbound("A-9", "2026-03-05", contact_ids=("C-2",), bounced=True)
    deal = make_deal(contact_ids=("C-1", "C-2"))

    assert [c["change"] for c in signals(bounce, deal=deal, contacts=(make_contact(), other)).stakeholder_changes] == [
        "bounced"
    ]


def test_the_first_contacts_of_a_new_account_are_no_change():
    dana = make_contact(created_at=at("2026-03-01"))
    erik = make_contact("C-2", created_at=at("2026-03-01", "10:00"))

    assert signals(deal=make_deal(contact_ids=("C-1", "C-2")), contacts=(dana, erik)).stakeholder_changes == ()


def test_a_person_whose_record_followed_their_own_mail_is_no_change():
    dana = make_contact(created_at=at("2026-03-09"))

    assert signals(make_inbound(day="2026-03-05"), contacts=(dana,)).stakeholder_changes == ()


def test_two_way_contacts_of_sixty_days_are_counted():
    found = signals(
        make_inbound("A-1"), make_outbound("A-2"),
        make_outbound("A-3", contact_ids=("C-2",)),
        make_meeting("A-4", "2026-02-10", contact_ids=("C-3",)),
        make_inbound("A-5", "2025-12-01", contact_ids=("C-4",)),
        make_outbound("A-6", "2025-12-02", contact_ids=("C-4",)),
    )  # fmt: skip

    assert found.multi_thread == 2


# Contracts, deliveries, purchases


@pytest.mark.parametrize(
    ("today", "days"),
    [("2026-03-01", None), ("2026-03-02", 90), ("2026-05-31", 0), ("2026-06-01", None)],
    ids=["before", "first day", "last day", "after"],
)
def test_the_renewal_window_opens_sixty_days_before_notice(today, days):
    found = account_signals(contracts=(make_contract(),), now=at(today))

    assert found.renewal_days == days
    assert found.renewal_contract_id == (None if days is None else "K-1")


def test_a_contract_followed_by_another_is_renewed():
    following = make_contract("K-2", starts_on=date(2026, 6, 1), ends_on=date(2027, 5, 31))

    assert account_signals(contracts=(make_contract(), following)).renewal_contract_id is None


def test_a_different_contract_beside_it_renews_nothing():
    beside = make_contract("K-2", name="Rental", starts_on=date(2026, 1, 1), ends_on=date(2027, 12, 31))

    assert account_signals(contracts=(make_contract(), beside)).renewal_contract_id == "K-1"


def test_the_delivery_nobody_wrote_about_is_found():
    order = make_order(delivered_at=at("2026-03-02"))

    found = account_signals(orders=(order,))

    assert (found.delivered_order_id, found.delivered_days) == ("O-1", 9)


def test_a_delivery_we_wrote_about_is_settled():
    order = make_order(delivered_at=at("2026-03-02"))

    assert account_signals(make_outbound(day="2026-03-05"), orders=(order,)).delivered_order_id is None


def test_due_items_and_the_accounts_rhythm():
    days = ("2025-09-05", "2025-10-05", "2025-11-04", "2025-12-04")
    orders = tuple(make_order(f"O-{n}", ordered_at=at(day)) for n, day in enumerate(days))

    found = account_signals(orders=orders, products=(make_product("GK-12"),))

    assert [(i.product_id, i.count, i.days_since) for i in found.due_items] == [("GK-12", 4, 97)]
    assert found.account_rho is not None
    assert round(found.account_rho, 2) == Decimal("3.23")


def test_two_orders_are_no_rhythm():
    orders = (make_order("O-1"), make_order("O-2", ordered_at=at("2026-02-15")))

    assert account_signals(orders=orders).account_rho is None


def test_orders_of_tomorrow_do_not_count():
    orders = tuple(make_order(f"O-{n}", ordered_at=at(f"2026-04-0{n}")) for n in range(1, 5))

    assert account_signals(orders=orders).account_rho is None
    assert account_signals(orders=orders).due_items == ()


def test_the_ticket_state_is_read():
    assert signals(tickets=(make_ticket(),)).ticket.hold is True


# Occasions


def test_an_announced_price_of_what_they_buy_is_an_event():
    old = make_price("P-1", product_id="GK-12", unit_price=Decimal(48), valid_from=date(2025, 1, 1))
    new = make_price("P-2", product_id="GK-12", unit_price=Decimal(52), valid_from=date(2026, 4, 1))

    found = account_signals(orders=(make_order(),), prices=(old, new))

    assert found.event == {"name": "price_change", "product_id": "GK-12", "price_id": "P-2", "on": "2026-04-01"}


@pytest.mark.parametrize("starts", [date(2026, 3, 11), date(2026, 3, 1), date(2026, 4, 11)])
def test_a_price_already_changed_or_far_away_is_no_event(starts):
    old = make_price("P-1", product_id="GK-12", unit_price=Decimal(48), valid_from=date(2025, 1, 1))
    new = make_price("P-2", product_id="GK-12", unit_price=Decimal(52), valid_from=starts)

    assert account_signals(orders=(make_order(),), prices=(old, new)).event is None


@pytest.mark.parametrize(
    ("since", "years"),
    [
        (date(2022, 3, 11), 4),
        (date(2022, 3, 14), 4),
        (date(2022, 3, 8), 4),
        (date(2022, 3, 15), None),
        (date(2026, 3, 11), None),
        (date(2020, 2, 29), None),
    ],
)
def test_an_anniversary_is_three_days_near(since, years):
    found = account_signals(company=make_company(customer_since=since)).relationship

    assert (found and found["years"]) == years


def test_an_anniversary_already_written_about_is_past():
    company = make_company(customer_since=date(2022, 3, 11))

    assert account_signals(make_outbound(day="2026-03-10"), company=company).relationship is None


def test_a_leap_day_is_kept_on_the_last_of_february():
    company = make_company(customer_since=date(2020, 2, 29))

    found = account_signals(company=company, now=at("2026-02-28")).relationship

    assert found is not None
    assert found["on"] == "2026-02-28"


def test_first_use_some_weeks_after_the_first_delivery():
    order = make_order(ordered_at=at("2026-02-01"), delivered_at=at("2026-02-20"))

    assert account_signals(orders=(order,)).relationship == {"name": "first_use", "order_id": "O-1", "on": "2026-02-20"}


def test_a_long_quiet_time_after_a_won_deal():
    won = make_deal(status="won", stage_kind="won", closed_at=at("2025-10-01"))

    found = account_signals(make_outbound(day="2025-10-05"), deals=(won,)).relationship

    assert found is not None
    assert (found["name"], found["after"]) == ("quiet", "deals/D-1")


def test_a_quiet_time_after_a_lost_deal_is_no_occasion():
    lost = make_deal(status="lost", stage_kind="lost", closed_at=at("2025-10-01"))

    assert account_signals(make_outbound(day="2025-10-05"), deals=(lost,)).relationship is None
