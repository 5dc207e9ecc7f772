"""What goes with what: the worked numbers, and when a share may be told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crmplugin.analysis.association import Association, associate, is_next_step, share_in_segment
from crmplugin.analysis.wilson import wilson
from crmplugin.ports import Population

D = Decimal
PAIR = Association(n=420, n_i=50, n_j=90, n_ij=31)


def percent(value: Decimal) -> Decimal:
    return round(value * 100, 1)


def test_the_worked_pair_is_claimable():
    assert (percent(PAIR.confidence), percent(PAIR.p_j), round(PAIR.lift, 2)) == (D("62.0"), D("21.4"), D("2.89"))
    assert (percent(PAIR.shrunk), round(PAIR.shrunk_lift, 2)) == (D("55.2"), D("2.58"))
    assert [percent(end) for end in PAIR.interval] == [D("48.2"), D("74.1")]
    assert PAIR.claimable


def test_four_of_five_is_not_claimable():
    few = Association(n=420, n_i=5, n_j=90, n_ij=4)

    assert [percent(end) for end in few.interval] == [D("37.6"), D("96.4")]
    assert not few.supported
    assert not few.claimable


def test_few_accounts_need_less_support():
    assert Association(n=150, n_i=20, n_j=10, n_ij=3).supported
    assert not Association(n=150, n_i=20, n_j=10, n_ij=2).supported


def test_products_of_a_category_that_avoid_each_other_are_substitutes():
    pair = Association(n=400, n_i=40, n_j=100, n_ij=5)

    assert pair.is_substitute(same_category=True)
    assert not pair.is_substitute(same_category=False)
    assert not Association(n=400, n_i=19, n_j=100, n_ij=1).is_substitute(same_category=True)


def test_the_population_knows_a_pair():
    population = Population(accounts=420, bought_by={"X": 50, "Y": 90}, bought_with={"X": {"Y": 31}})

    assert associate(population, "X", "Y") == PAIR
    assert associate(population, "X", "Z") is None
    assert associate(Population(), "X", "Y") is None


def test_a_look_alike_share_is_drawn_towards_everybody():
    assert round(share_in_segment(14, 40, D("0.12")), 3) == D("0.273")


def test_a_product_that_follows_in_six_of_ten_is_the_next_step():
    within, late = (date(2025, 1, 1), date(2025, 3, 1)), (date(2025, 1, 1), date(2025, 12, 1))

    assert is_next_step([within] * 6 + [late] * 4)
    assert not is_next_step([within] * 5 + [late] * 5)
    assert not is_next_step([])


def test_an_interval_needs_cases():
    with pytest.raises(ValueError, match="n > 0"):
        wilson(0, 0)
