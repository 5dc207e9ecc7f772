"""Which event makes which draft."""

from __future__ import annotations

import pytest

from crmplugin.domain.playbook import PlaybookRow
from crmplugin.journeys.playbooks import choose_row, write_back_of

DEFAULTS = [
    ("deal.stage_changed", {"stage_kind": "negotiation"}, ("negotiation_note",)),
    ("deal.stage_changed", {"stage_kind": "proposal"}, ("follow_up",)),
    ("deal.stage_changed", {}, ("follow_up",)),
    ("message.received", {}, ("follow_up",)),
    ("meeting.ended", {}, ("follow_up",)),
    ("quote.expiring", {}, ("follow_up",)),
    ("deal.idle", {}, ("follow_up",)),
    ("order.delivered", {}, ("follow_up",)),
    ("ticket.resolved", {}, ("follow_up",)),
    ("deal.created", {}, ("meeting_brief", "qualification")),
    ("order.placed", {}, ("pitch",)),
    ("deal.won", {}, ("pitch",)),
    ("ticket.opened", {"priority": "P1"}, ("handoff_note",)),
    ("ticket.opened", {"priority": "P2"}, ("handoff_note",)),
    ("review.received", {}, ("social_reply",)),
]


@pytest.mark.parametrize(("event", "fields", "kinds"), DEFAULTS, ids=[f"{e} {f}" for e, f, _ in DEFAULTS])
def test_event_makes_the_drafts_of_the_contract(event, fields, kinds):
    assert choose_row(event, fields).draft == kinds


@pytest.mark.parametrize("event", ["deal.updated", "deal.lost", "contact.changed", "ticket.updated", "record.deleted"])
def test_other_events_make_nothing(event):
    assert choose_row(event, {}) is None


def test_ticket_that_is_not_urgent_makes_nothing():
    assert choose_row("ticket.opened", {"priority": "P3"}) is None


def test_own_row_wins_and_can_switch_off():
    off = PlaybookRow("message.received")
    on = PlaybookRow("deal.updated", {"stage": ("Sent", "Seen")}, ("summary",))

    assert choose_row("message.received", {}, (off,)).draft == ()
    assert choose_row("deal.updated", {"stage": "Seen"}, (off, on)).draft == ("summary",)
    assert choose_row("deal.updated", {"stage": "New"}, (off, on)) is None


def test_only_offers_after_an_order_or_a_win_are_scheduled():
    scheduled = {event for event, fields, _ in DEFAULTS if choose_row(event, fields).scheduled}

    assert scheduled == {"order.placed", "deal.won"}


def test_customer_text_never_goes_without_a_person():
    at_once = PlaybookRow("deal.created", draft=("follow_up", "summary"), write_back="at_once")

    assert write_back_of(at_once, "follow_up") == "on_approval"
    assert write_back_of(at_once, "summary") == "at_once"
    assert write_back_of(PlaybookRow("deal.created"), "summary") == "at_once"
    assert write_back_of(PlaybookRow("deal.created", write_back="on_approval"), "summary") == "on_approval"
    assert write_back_of(PlaybookRow("deal.created", write_back="never"), "follow_up") == "never"
