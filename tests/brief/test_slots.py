"""Which slots may be offered: the rep's own, at a reasonable hour of the reader, on working days of both sides."""

from __future__ import annotations

from datetime import date

import pytest

from crmplugin.brief.slots import own_slots, usable_slots
from crmplugin.domain.crm import Slot
from tests.builders import at, make_contact, make_context, make_user


def answer_by(id_, user_id, on=date(2026, 3, 13)):
    return Slot(id_, "answer_by", user_id, None, None, on)


def call(id_, begins, ends, *, user_id="U-1", day="2026-03-17"):
    return Slot(id_, "call", user_id, at(day, begins), at(day, ends))


def ids(slots):
    return [slot.id for slot in slots]


def test_only_the_signing_reps_slots_are_promised():
    users = (make_user(), make_user("U-2", name="Lena Vogt"))
    context = make_context(users=users, slots=(answer_by("S-2", "U-2"), answer_by("S-1", "U-1")))

    assert ids(own_slots(context)) == ["S-1"]


def test_without_slots_of_the_rep_those_of_nobody_are_taken():
    users = (make_user(), make_user("U-2", name="Lena Vogt"))
    context = make_context(users=users, slots=(answer_by("S-2", "U-2"), answer_by("S-0", None)))

    assert ids(own_slots(context)) == ["S-0"]


@pytest.mark.parametrize(
    ("zone", "offered"),
    [("Europe/Berlin", ["S-1"]), ("Europe/London", []), ("America/New_York", [])],
)
def test_a_talk_lies_between_eight_and_six_on_the_readers_clock(zone, offered):
    context = make_context(slots=(call("S-1", "07:30", "08:00"),))

    assert ids(usable_slots(context, make_contact(), zone)) == offered


@pytest.mark.parametrize("day", ["2026-03-14", "2026-04-03"], ids=["Saturday", "Good Friday"])
def test_a_talk_is_not_offered_on_a_day_off(day):
    context = make_context(slots=(call("S-1", "09:00", "09:30", day=day),))

    assert usable_slots(context, make_contact(), "Europe/London") == ()
