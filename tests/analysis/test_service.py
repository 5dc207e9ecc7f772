"""Sell hold: what starts it, what ends it, and on which day."""

from datetime import date
from decimal import Decimal

import pytest

from crmplugin.analysis.service import ticket_state
from tests.builders import NOW, at, make_ticket


def state(*tickets, now=NOW):
    return ticket_state(tickets, now=now, zone="Europe/Berlin", countries=("DE", "GB"))


def calm(**changes):
    """An open ticket that starts no hold by itself."""
    return make_ticket(**({"priority": "P3", "sla_breached": False, "tags": ()} | changes))


def test_no_ticket_is_no_hold():
    assert state().hold is False
    assert state().soft_hold is False


@pytest.mark.parametrize("priority", ["P1", "P2"])
def test_an_open_severe_ticket_holds_without_an_end(priority):
    found = state(make_ticket(priority=priority))

    assert found.hold is True
    assert found.severe_ticket_id == "T-2201"
    assert found.release_on is None
    assert found.open_ticket_ids == ("T-2201",)


@pytest.mark.parametrize("priority", ["P3", "P4", None])
def test_an_open_light_ticket_is_a_soft_hold(priority):
    found = state(calm(priority=priority))

    assert (found.hold, found.soft_hold) == (False, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"sla_breached": True},
        {"tags": ("line_down",)},
        {"tags": ("Data-Loss",)},
        {"tags": ("safety",)},
        {"tags": ("Anlagenstillstand",)},
        {"tags": ("escalated",)},
        {"tags": ("refund",)},
        {"tags": ("payment_dispute",)},
        {"tags": ("return",)},
    ],
)
def test_what_turns_a_light_ticket_into_a_hold(changes):
    assert state(calm(**changes)).hold is True


def test_a_harmless_tag_is_no_hold():
    assert state(calm(tags=("training", "returning customer"))).hold is False


def test_a_pending_ticket_is_open():
    assert state(make_ticket(status="pending")).hold is True


@pytest.mark.parametrize(
    ("opened", "hold"),
    [(("2026-02-20", "2026-02-25", "2026-03-09"), True), (("2026-02-01", "2026-02-25", "2026-03-09"), False)],
)
def test_three_tickets_in_thirty_days_with_one_open_hold(opened, hold):
    closed = [
        calm(id=f"T-{n}", status="closed", opened_at=at(day), resolved_at=at(day)) for n, day in enumerate(opened[:2])
    ]

    assert state(*closed, calm(opened_at=at(opened[2]))).hold is hold


def test_three_closed_tickets_are_no_hold():
    closed = [calm(id=f"T-{n}", status="closed", resolved_at=at("2026-03-01")) for n in range(3)]

    assert state(*closed).hold is False


@pytest.mark.parametrize(
    ("resolved", "confirmed", "csat", "release"),
    [
        ("2026-03-06", "2026-03-09", None, date(2026, 3, 12)),
        ("2026-03-06", None, 5, None),
        ("2026-03-09", None, 4, date(2026, 3, 12)),
        ("2026-03-06", None, None, date(2026, 3, 20)),
        ("2026-03-06", None, 3, date(2026, 3, 20)),
        ("2026-02-25", "2026-03-10", None, None),
    ],
)
def test_a_resolved_ticket_is_released_after_business_days(resolved, confirmed, csat, release):
    ticket = make_ticket(
        status="resolved",
        resolved_at=at(resolved),
        confirmed_at=at(confirmed) if confirmed else None,
        csat=None if csat is None else Decimal(csat),
    )

    found = state(ticket)

    assert found.hold is (release is not None)
    assert found.release_on == release


def test_the_hold_ends_on_the_day_of_its_release():
    ticket = make_ticket(status="resolved", resolved_at=at("2026-03-06"), confirmed_at=at("2026-03-06"))

    assert state(ticket, now=at("2026-03-10", "22:59")).hold is True
    assert state(ticket, now=at("2026-03-10", "23:01")).hold is False


def test_easter_lengthens_the_hold():
    ticket = make_ticket(status="resolved", resolved_at=at("2026-04-02"), confirmed_at=at("2026-04-02"))

    assert state(ticket, now=at("2026-04-03")).release_on == date(2026, 4, 9)


@pytest.mark.parametrize(("day", "hold"), [("2026-03-24", True), ("2026-03-25", False)])
def test_a_bad_rating_holds_for_fourteen_days(day, hold):
    ticket = calm(status="closed", resolved_at=at("2026-03-10"), csat=Decimal(2))

    assert state(ticket, now=at(day)).hold is hold


def test_a_bad_recommendation_score_in_a_tag_holds():
    assert state(calm(status="closed", resolved_at=at("2026-03-10"), tags=("nps:6",))).hold is True
    assert state(calm(status="closed", resolved_at=at("2026-03-10"), tags=("nps:9",))).hold is False


def test_the_severe_ticket_is_the_open_one_of_highest_priority():
    resolved = make_ticket("T-1", status="resolved", resolved_at=at("2026-03-10"))

    assert state(resolved, make_ticket("T-2", priority="P2"), make_ticket("T-3")).severe_ticket_id == "T-3"


def test_one_open_cause_leaves_the_release_unknown():
    resolved = make_ticket("T-1", status="resolved", resolved_at=at("2026-03-10"))

    assert state(resolved, make_ticket("T-2")).release_on is None


def test_a_ticket_of_tomorrow_does_not_exist_yet():
    assert state(make_ticket(opened_at=at("2026-03-12"))).hold is False


def test_a_ticket_resolved_tomorrow_is_still_open():
    assert state(make_ticket(status="resolved", resolved_at=at("2026-03-12"))).open_ticket_ids == ("T-2201",)
