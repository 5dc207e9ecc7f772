"""Deal health: odds, one sign a family, no percentage on small data."""

from __future__ import annotations

from decimal import Decimal

from crmplugin.analysis.health import DEFAULTS, health, learned_ratio, slow_stage, stage_prior

D = Decimal


def test_the_worked_odds():
    found = health(D("0.40"), [DEFAULTS["no_next_step"], DEFAULTS["many_contacts"], DEFAULTS["slow_stage"]], n=60)

    assert round((found.probability or D(0)) * 100, 1) == D("24.8")
    assert [r.key for r in found.reasons] == ["slow_stage", "no_next_step", "many_contacts"]


def test_two_signs_of_one_family_count_once():
    both = health(D("0.5"), [DEFAULTS["slow_stage"], DEFAULTS["close_date_moved"]], n=60)

    assert [r.key for r in both.reasons] == ["slow_stage"]


def test_small_data_rank_but_print_no_percent():
    found = health(D("0.4"), [], n=9)

    assert found.probability is None
    assert round(found.score, 9) == D("0.4")


def test_learned_ratios_are_clipped():
    assert learned_ratio(40, 0, 50, 50) == 3
    assert learned_ratio(0, 40, 50, 50) == D(1) / 3
    assert learned_ratio(20, 20, 50, 50) == 1


def test_the_prior_of_a_stage_is_drawn_towards_all_closed_deals():
    assert stage_prior(14, 8, D("0.5")) == D("0.59375")
    assert stage_prior(0, 0, D("0.5")) == D("0.5")


def test_what_long_stays_mean_is_learned_from_fifty_closed_deals():
    assert slow_stage(20, 29, 2, 20) == DEFAULTS["slow_stage"]
    learned = slow_stage(30, 20, 7, 10)
    assert learned is not None
    assert learned.ratio == D("0.5")
    assert slow_stage(30, 20, 20, 5) is None
