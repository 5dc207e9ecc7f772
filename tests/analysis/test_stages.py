"""Stage age against won deals."""

from datetime import timedelta
from decimal import Decimal

import pytest

from crmplugin.analysis.stages import entered_stage, is_open, stage_age, state_of, usual_days
from crmplugin.ports import Population
from tests.builders import NOW, at, make_deal, make_stage_change

DEAL = make_deal(created_at=at("2025-12-01"))
IN_STAGE_42_DAYS = make_stage_change(at=at("2026-01-28"))


def won_deals(*days, pipeline="sales", stage="Proposal"):
    return Population(stage_days={(pipeline, stage): tuple(Decimal(d) for d in days)})


def test_42_days_against_a_median_of_14_is_stalled():
    age = stage_age(DEAL, [IN_STAGE_42_DAYS], won_deals(*[14] * 20), now=NOW, zone="Europe/Berlin")

    assert age is not None
    assert (age.days, age.ratio, age.n, age.state) == (42, Decimal(3), 20, "stalled")


def test_few_won_deals_are_pulled_towards_all_pipelines():
    population = Population(
        stage_days={("sales", "Proposal"): (Decimal(10), Decimal(14)), ("service", "Proposal"): (Decimal(30),) * 9}
    )

    usual, n = usual_days(DEAL, population)

    assert n == 2
    assert usual == Decimal("26.4")


def test_eight_won_deals_stand_on_their_own():
    population = Population(
        stage_days={("sales", "Proposal"): (Decimal(14),) * 8, ("service", "Proposal"): (Decimal(90),) * 50}
    )

    assert usual_days(DEAL, population) == (Decimal(14), 8)


def test_without_won_deals_there_is_an_age_but_no_ratio():
    age = stage_age(DEAL, [IN_STAGE_42_DAYS], Population(), now=NOW, zone="Europe/Berlin")

    assert age is not None
    assert (age.days, age.ratio, age.state) == (42, None, None)


@pytest.mark.parametrize(
    ("ratio", "state"),
    [
        ("0", "normal"),
        ("1", "normal"),
        ("1.01", "watch"),
        ("1.5", "watch"),
        ("1.51", "slow"),
        ("2.5", "slow"),
        ("2.51", "stalled"),
    ],
)
def test_borders_of_the_states(ratio, state):
    assert state_of(Decimal(ratio)) == state


def test_the_last_entry_counts_when_a_stage_was_entered_twice():
    changes = [
        make_stage_change("S-1", at=at("2026-01-05")),
        make_stage_change("S-2", from_="Proposal", to="Qualified", at=at("2026-01-20")),
        make_stage_change("S-3", at=at("2026-02-20")),
    ]

    assert entered_stage(DEAL, changes, now=NOW) == at("2026-02-20")


def test_reopening_restarts_the_stage():
    deal = make_deal(closed_at=at("2026-02-15"), reopened_at=at("2026-03-01"))

    assert entered_stage(deal, [IN_STAGE_42_DAYS], now=NOW) == at("2026-03-01")


def test_a_deal_without_changes_is_in_its_stage_since_its_creation():
    assert entered_stage(DEAL, [], now=NOW) == at("2025-12-01")


def test_changes_of_other_deals_and_of_tomorrow_do_not_count():
    changes = [
        IN_STAGE_42_DAYS,
        make_stage_change("S-2", deal_id="D-9", at=at("2026-03-05")),
        make_stage_change("S-3", at=at("2026-03-12")),
    ]

    assert entered_stage(DEAL, changes, now=NOW) == at("2026-01-28")


def test_days_are_those_of_the_zone():
    change = make_stage_change(at=at("2026-03-09", "23:30"))

    berlin = stage_age(DEAL, [change], Population(), now=NOW, zone="Europe/Berlin")
    new_york = stage_age(DEAL, [change], Population(), now=NOW, zone="America/New_York")

    assert (berlin.days, new_york.days) == (1, 2)


@pytest.mark.parametrize(
    ("changes", "open_"),
    [
        ({}, True),
        ({"status": None}, True),
        ({"status": None, "stage_kind": "won"}, False),
        ({"status": "lost", "closed_at": at("2026-02-01")}, False),
        ({"status": "lost", "closed_at": at("2026-02-01"), "reopened_at": at("2026-02-20")}, True),
        ({"status": "lost", "closed_at": at("2026-02-21"), "reopened_at": at("2026-02-20")}, False),
        ({"status": "won", "closed_at": at("2026-04-01")}, True),
    ],
)
def test_when_a_deal_is_open(changes, open_):
    assert is_open(make_deal(**changes), NOW) is open_


def test_a_closed_deal_has_no_stage_age():
    deal = make_deal(status="lost", closed_at=at("2026-03-01"))

    assert stage_age(deal, [IN_STAGE_42_DAYS], Population(), now=NOW, zone="Europe/Berlin") is None


def test_the_age_grows_with_the_day():
    later = NOW + timedelta(days=3)

    age = stage_age(DEAL, [IN_STAGE_42_DAYS], Population(), now=later, zone="Europe/Berlin")

    assert age is not None
    assert age.days == 45
