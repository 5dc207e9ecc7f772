"""Deal health: odds, one sign a family, no percentage on small data."""

from __future__ import annotations

from decimal import Decimal

from crmplugin.analysis.health import DEFAULTS, health, learned_ratio

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
