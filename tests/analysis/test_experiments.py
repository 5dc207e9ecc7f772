"""Sample sizes, assignment and what came of it (sales-craft §6.2)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from crmplugin.analysis.experiments import (
    accounts_per_arm,
    holdout_share,
    is_held_out,
    lift,
    smallest_detectable,
    variant_of,
)


@pytest.mark.parametrize(
    ("p1", "p2", "n"),
    [(0.05, 0.07, 2210), (0.03, 0.05, 1504), (0.03, 0.045, 2515), (0.10, 0.13, 1772), (0.20, 0.25, 1091)],
)
def test_accounts_per_arm(p1, p2, n):
    assert accounts_per_arm(p1, p2) == n
    assert accounts_per_arm(p2, p1) == n


@pytest.mark.parametrize(("n", "percent"), [(200, 12.9), (500, 9.6), (1000, 8.1)])
def test_smallest_detectable_from_five_percent(n, percent):
    assert round(100 * smallest_detectable(0.05, n), 1) == percent


def test_nothing_can_be_told_with_nobody():
    assert smallest_detectable(0.05, 0) is None


def test_equal_rates_cannot_be_told_apart():
    with pytest.raises(ValueError, match="equal rates"):
        accounts_per_arm(0.05, 0.05)


def test_an_account_keeps_its_variant_and_sizes_are_balanced():
    accounts = [f"CO-{n}" for n in range(4000)]
    first = [variant_of("CMP-1", a, ("A", "B")) for a in accounts]

    assert first == [variant_of("CMP-1", a, ("A", "B")) for a in accounts]
    assert 1900 < Counter(first)["A"] < 2100


def test_another_campaign_deals_anew():
    accounts = [f"CO-{n}" for n in range(400)]
    same = sum(variant_of("CMP-1", a, ("A", "B")) == variant_of("CMP-2", a, ("A", "B")) for a in accounts)

    assert 150 < same < 250


@pytest.mark.parametrize(("accounts", "share"), [(1000, 0.1), (500, 0.1), (200, 0.25), (100, 0.5), (99, 0.0), (0, 0.0)])
def test_at_least_fifty_accounts_are_held_out_or_none(accounts, share):
    assert holdout_share(accounts) == share


def test_holdout_is_stable_and_independent_of_the_variant():
    accounts = [f"CO-{n}" for n in range(4000)]
    held = [a for a in accounts if is_held_out("CMP-1", a, 0.1)]

    assert held == [a for a in accounts if is_held_out("CMP-1", a, 0.1)]
    assert 340 < len(held) < 460
    assert 0.4 < sum(variant_of("CMP-1", a, ("A", "B")) == "A" for a in held) / len(held) < 0.6


def test_a_clear_difference_is_said_with_its_interval():
    found = lift(90, 900, 30, 900)

    assert found.verdict == "better"
    assert round(found.difference, 4) == 0.0667
    assert 0.04 < found.interval[0] < 0.0667 < found.interval[1] < 0.1


@pytest.mark.parametrize(
    ("hits", "n", "other", "other_n", "verdict"),
    [
        (30, 900, 90, 900, "worse"),
        (50, 900, 45, 900, "no clear difference"),
        (2, 30, 1, 30, "too little data"),
        (0, 0, 5, 50, "too little data"),
        (50, 50, 49, 50, "too little data"),
    ],
)
def test_what_cannot_be_told_is_not_told(hits, n, other, other_n, verdict):
    assert lift(hits, n, other, other_n).verdict == verdict


@pytest.mark.parametrize(("rate", "other", "n"), [(0.10, 0.06, 400), (0.30, 0.20, 150), (0.05, 0.05, 600)])
def test_the_interval_covers_a_known_lift_in_95_of_100_runs(rate, other, n):
    runs = 1000
    chance = np.random.default_rng(20261129)
    hits, other_hits = chance.binomial(n, rate, runs), chance.binomial(n, other, runs)

    found = [lift(int(a), n, int(b), n).interval for a, b in zip(hits, other_hits, strict=True)]

    covered = sum(low <= rate - other <= high for low, high in found)
    assert 930 <= covered <= 970
