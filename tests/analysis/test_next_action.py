"""What to do next: duties in their order, three at most, waiting when nothing is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from crmplugin.analysis.next_action import Stakes, next_actions, stakes_of
from crmplugin.domain.brief import Promise, Question, Signals, TicketState
from crmplugin.domain.crm import ActionWeight, Policy
from tests.builders import TODAY, at

QUESTION = Question("A-31", 1, "How long?", "C-1", at("2026-03-06"))
HOLD = TicketState(hold=True, severe_ticket_id="T-1", open_ticket_ids=("T-1",))


def keys(signals: Signals) -> list[str]:
    return [a.key for a in next_actions(signals, today=TODAY)]


def test_a_complaint_comes_before_a_question_before_our_promise():
    late = Promise("us", "Send it", date(2026, 3, 10), "A-60", "subject")

    assert keys(Signals(ticket=HOLD, open_questions=(QUESTION,), promises_us=(late,))) == [
        "complaint", "answer", "keep_promise",
    ]  # fmt: skip


def test_three_steps_at_most():
    busy = Signals(
        open_questions=(QUESTION,), renewal_contract_id="K-1", meeting_id="A-50", quote_id="Q-1", quote_days_left=3
    )

    assert len(keys(busy)) == 3


def test_a_hold_stops_every_commercial_step():
    held = Signals(
        ticket=HOLD, quote_id="Q-1", quote_days_left=3, renewal_contract_id="K-1", no_reply_count=1, gap_reached=True
    )

    assert keys(held) == ["complaint"]


def test_nothing_due_means_waiting_until_a_day():
    (wait,) = next_actions(Signals(next_gap_on=date(2026, 3, 16)), today=TODAY)

    assert (wait.key, wait.due) == ("wait", date(2026, 3, 16))


def test_a_promise_due_later_is_no_duty_yet():
    later = Promise("us", "Send it", date(2026, 3, 20), "A-60", "subject")

    assert keys(Signals(promises_us=(later,))) == ["wait"]


def test_steps_stand_by_what_they_may_bring_less_for_a_far_deadline():
    due = Signals(meeting_id="A-50", quote_id="Q-1", quote_days_left=7, no_reply_count=1, gap_reached=True)

    found = next_actions(due, today=TODAY, stakes=Stakes(Decimal(14160)))

    assert [(a.key, a.gain) for a in found] == [
        ("recap", Decimal("0.0492")), ("quote_ends", Decimal("0.0400")), ("nudge", Decimal("0.0300")),
    ]  # fmt: skip
    assert found[1].value == Decimal("566.40")


def test_the_owners_assumptions_and_costs_weigh():
    due = Signals(meeting_id="A-50", quote_id="Q-1", quote_days_left=7, no_reply_count=1, gap_reached=True)
    own = Policy(actions=(
        ActionWeight("nudge", Decimal(10)), ActionWeight("recap", cost=Decimal(600)),
        ActionWeight("quote_ends", Decimal(4), Decimal("283.20")),
    ))  # fmt: skip

    found = next_actions(due, today=TODAY, stakes=stakes_of(own, Decimal(14160), same_currency=True))
    elsewhere = next_actions(due, today=TODAY, stakes=stakes_of(own, Decimal(14160), same_currency=False))

    assert [(a.key, a.value) for a in found] == [("nudge", Decimal("1416.00")), ("recap", Decimal("96.67"))]
    assert [a.key for a in elsewhere] == ["nudge", "recap", "quote_ends"]


def test_waiting_wins_where_no_step_is_worth_its_cost():
    own = Policy(actions=(ActionWeight("recap", cost=Decimal(5000)),))

    (wait,) = next_actions(
        Signals(meeting_id="A-50", next_gap_on=date(2026, 3, 16)), today=TODAY,
        stakes=stakes_of(own, Decimal(14160), same_currency=True),
    )  # fmt: skip

    assert (wait.key, wait.due) == ("wait", date(2026, 3, 16))


def test_without_a_margin_nothing_has_a_value():
    (step,) = next_actions(Signals(meeting_id="A-50"), today=TODAY)

    assert step.value is None


def test_a_late_step_of_theirs_is_asked_for_instead_of_writing_something_new():
    theirs = Promise("them", "Floor plans", date(2026, 3, 9), "A-70", "subject")
    silent = Signals(no_reply_count=1, gap_reached=True)

    (step,) = next_actions(replace(silent, promises_them=(theirs,)), today=TODAY)

    assert (step.key, step.due, step.record) == ("their_step", date(2026, 3, 9), ("activities", "A-70"))


def test_who_owes_something_writes_nothing_new_before_it_is_kept():
    ours = Promise("us", "Send it", date(2026, 3, 10), "A-60", "subject")

    assert keys(Signals(promises_us=(ours,), no_reply_count=1, gap_reached=True)) == ["keep_promise"]
