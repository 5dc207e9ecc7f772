"""Touches, silence and gaps."""

from datetime import UTC, date, datetime

import pytest

from crmplugin.analysis.cadence import (
    gap_after,
    is_held,
    is_touch,
    newest,
    promotional_touches,
    read_cadence,
)
from crmplugin.analysis.threads import plain_subject, unanswered
from tests.builders import NOW, at, make_activity, make_inbound, make_meeting, make_outbound, make_task


def cadence(*activities, now=NOW, zone="Europe/Berlin", **more):
    return read_cadence(activities, now=now, zone=zone, countries=("DE", "GB"), **more)


@pytest.mark.parametrize(
    "changes",
    [
        {"automatic": True},
        {"bounced": True},
        {"source": "auto_reply"},
        {"source": "AutoReply"},
        {"source": "system"},
        {"source": "campaign:spring-2026"},
        {"source": "read-receipt"},
        {"subject": "Automatic reply: Q-118"},
        {"subject": "Abwesenheitsnotiz: Angebot"},
        {"subject": "Réponse automatique : devis"},
        {"subject": "Undeliverable: Q-118"},
        {"direction": "internal"},
        {"direction": None},
        {"type": "note"},
        {"type": "task"},
        {"at": None},
        {"at": at("2026-03-12")},
    ],
)
def test_what_is_no_touch_of_a_person(changes):
    assert not is_touch(make_activity(**changes), NOW)


@pytest.mark.parametrize("kind", ["email", "call", "chat", "form", "sms", "social", "letter"])
def test_what_a_person_sends_is_a_touch(kind):
    assert is_touch(make_activity(type=kind), NOW)


@pytest.mark.parametrize(("kind", "counts"), [("email", True), ("call", True), ("note", False), ("task", False)])
def test_our_own_write_backs_count_when_they_are_messages(kind, counts):
    assert is_touch(make_outbound(type=kind, source="crmplugin:campaign-7"), NOW) is counts


def test_a_meeting_under_way_is_not_held():
    assert not is_held(make_meeting(day="2026-03-11"), NOW)
    assert is_held(make_meeting(day="2026-03-10"), NOW)


def test_a_meeting_called_off_is_not_held():
    assert not is_held(make_meeting(subject="Canceled: On site"), NOW)


def test_the_newest_touch_skips_the_auto_reply():
    auto = make_inbound("A-2", "2026-03-09", automatic=True)

    assert newest([make_inbound("A-1", "2026-03-06"), auto], "inbound", NOW).id == "A-1"


def test_two_mails_on_one_day_count_once():
    found = cadence(
        make_outbound("A-1", "2026-03-05"), make_outbound("A-2", "2026-03-05"), make_outbound("A-3", "2026-03-06")
    )

    assert found.count == 2


def test_the_day_of_a_mail_is_the_recipients():
    late, later = datetime(2026, 3, 5, 22, 30, tzinfo=UTC), datetime(2026, 3, 5, 23, 30, tzinfo=UTC)
    mails = [make_outbound("A-1", at=late), make_outbound("A-2", at=later)]

    assert cadence(*mails, zone="Europe/Berlin").count == 2
    assert cadence(*mails, zone="Europe/London").count == 1


@pytest.mark.parametrize(
    "reset",
    [
        make_inbound("A-9", "2026-03-04"),
        make_meeting("A-9", "2026-03-04"),
    ],
    ids=["inbound", "meeting"],
)
def test_a_sign_of_life_starts_the_count_again(reset):
    mails = [make_outbound("A-1", "2026-03-02"), make_outbound("A-2", "2026-03-03"), make_outbound("A-3", "2026-03-06")]

    assert cadence(*mails, reset).count == 1


def test_an_auto_reply_does_not_start_the_count_again():
    assert cadence(make_outbound("A-1", "2026-03-02"), make_inbound("A-2", "2026-03-03", automatic=True)).count == 1


def test_reopening_the_deal_starts_the_count_again():
    mails = [make_outbound("A-1", "2026-02-02"), make_outbound("A-2", "2026-03-06")]

    assert cadence(*mails, reopened_at=at("2026-03-01")).count == 1


@pytest.mark.parametrize(
    ("sent", "reached", "next_on"),
    [
        ("2026-03-06", True, date(2026, 3, 11)),
        ("2026-03-09", False, date(2026, 3, 12)),
    ],
)
def test_three_business_days_over_a_weekend_after_the_first(sent, reached, next_on):
    found = cadence(make_outbound("A-1", sent))

    assert (found.reached, found.next_on) == (reached, next_on)


def test_public_holidays_lengthen_the_gap():
    found = cadence(make_outbound("A-1", "2026-04-02"), now=at("2026-04-08"))

    assert (found.elapsed_bd, found.reached, found.next_on) == (2, False, date(2026, 4, 9))


def test_nothing_sent_has_no_gap():
    assert cadence(make_inbound()).count == 0
    assert cadence(make_inbound()).next_on is None


@pytest.mark.parametrize(("count", "gap"), [(1, 3), (2, 5), (3, 7), (4, 10), (5, 10), (9, 10)])
def test_gaps_grow(count, gap):
    assert gap_after(count) == gap


def test_bulk_and_unasked_mails_are_promotional():
    sent = [
        make_outbound("A-1", "2026-03-01", deal_id=None, source="campaign:spring"),
        make_outbound("A-2", "2026-03-02", deal_id=None),
        make_outbound("A-3", "2026-03-03", deal_id="D-1"),
        make_outbound("A-4", "2026-03-04", deal_id=None, ticket_id="T-1"),
        make_inbound("A-5", "2026-03-04", deal_id=None, thread_id="TH-1"),
        make_outbound("A-6", "2026-03-05", deal_id=None, thread_id="TH-1"),
        make_outbound("A-7", "2026-03-06", deal_id=None, bounced=True),
        make_outbound("A-8", "2026-03-07", deal_id=None, contact_ids=("C-2",)),
        make_outbound("A-9", "2026-03-08", deal_id=None, type="call"),
    ]

    found = promotional_touches(sent, "C-1", open_deal_ids=frozenset({"D-1"}), now=NOW)

    assert found == (at("2026-03-01"), at("2026-03-02"))


def test_a_question_two_messages_earlier_still_waits():
    waiting = unanswered([make_inbound("A-1", "2026-03-05"), make_inbound("A-2", "2026-03-06")], NOW)

    assert [a.id for a in waiting] == ["A-1", "A-2"]


@pytest.mark.parametrize(
    ("answer", "settled"),
    [
        (make_outbound("A-9", "2026-03-07", thread_id="TH-1"), True),
        (make_outbound("A-9", "2026-03-07", thread_id="TH-2"), False),
        (make_outbound("A-9", "2026-03-05", thread_id="TH-1"), False),
        (make_outbound("A-9", "2026-03-07", subject="Re: Q-118"), True),
        (make_outbound("A-9", "2026-03-07", subject="Delivery of O-7"), False),
        (make_outbound("A-9", "2026-03-07", thread_id="TH-1", automatic=True), False),
        (make_outbound("A-9", "2026-03-07", thread_id="TH-1", bounced=True), False),
        (make_outbound("A-9", "2026-03-07", thread_id="TH-1", contact_ids=("C-2",)), False),
        (make_outbound("A-9", "2026-03-07", type="call", subject=None), False),
        (make_meeting("A-9", "2026-03-07"), True),
        (make_task("A-9", at=at("2026-03-07")), False),
    ],
)
def test_what_settles_a_message(answer, settled):
    message = make_inbound("A-1", "2026-03-06", thread_id="TH-1", subject="Q-118")

    assert (unanswered([message, answer], NOW) == ()) is settled


def test_an_old_open_message_is_not_dug_up():
    waiting = unanswered([make_inbound("A-1", "2026-01-05"), make_inbound("A-2", "2026-03-06")], NOW)

    assert [a.id for a in waiting] == ["A-2"]


@pytest.mark.parametrize("subject", ["Q-118", "Re: Q-118", "AW: Re: Q-118", "Fwd: AW[2]: q-118", "RE : Q-118"])
def test_reply_marks_do_not_change_the_subject(subject):
    assert plain_subject(subject) == "q-118"
