"""BG/NBD on the published case (CDNOW, in weeks), and where it may be used (sales-craft §2.6)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from crmplugin.analysis.churn import (
    BgNbd,
    Buyer,
    buyer_of,
    expected_purchases,
    fit_bgnbd,
    may_fit,
    p_alive,
    state_of_rhythm,
)

CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


@pytest.mark.parametrize(
    ("buyer", "alive"),
    [
        (Buyer(2, 30.43, 38.86), 0.727),
        (Buyer(10, 10, 39), 0.0002),
        (Buyer(1, 10, 39), 0.437),
        (Buyer(0, 0, 39), 1.0),
    ],
)
def test_chance_to_be_alive(buyer, alive):
    assert p_alive(CDNOW, buyer) == pytest.approx(alive, abs=0.0005 if alive > 0.01 else 0.00005)


def test_expected_purchases():
    assert round(expected_purchases(CDNOW, Buyer(2, 30.43, 38.86), 39), 3) == 1.226


def test_the_fit_finds_what_the_buyers_were_drawn_from():
    draw = np.random.default_rng(3)
    buyers = [drawn(draw, r=0.8, alpha=6.0, a=0.9, b=2.5, weeks=60) for _ in range(1500)]

    found = fit_bgnbd(buyers)

    assert found.r == pytest.approx(0.8, rel=0.25)
    assert found.alpha == pytest.approx(6.0, rel=0.25)
    assert found.a / (found.a + found.b) == pytest.approx(0.9 / 3.4, rel=0.25)


def drawn(draw: np.random.Generator, *, r: float, alpha: float, a: float, b: float, weeks: float) -> Buyer:
    """A buyer as the model has them: buys at a rate of its own and may leave after each purchase."""
    rate, leaves = draw.gamma(r, 1 / alpha), draw.beta(a, b)
    x, last, now = 0, 0.0, draw.exponential(1 / rate)
    while now < weeks:
        x, last = x + 1, now
        if draw.random() < leaves:
            break
        now += draw.exponential(1 / rate)
    return Buyer(x, last, weeks)


def test_below_a_hundred_repeat_accounts_there_is_no_model():
    buyers = [Buyer(1, 5, 20)] * 99 + [Buyer(0, 0, 20)] * 500

    assert not may_fit(buyers)
    assert may_fit([*buyers, Buyer(1, 5, 20)])
    with pytest.raises(ValueError, match="100 accounts"):
        fit_bgnbd(buyers)


@pytest.mark.parametrize(("rho", "state"), [("2", "active"), ("2.01", "at risk"), ("3", "at risk"), ("3.01", "lapsed")])
def test_own_rhythm(rho, state):
    assert state_of_rhythm(Decimal(rho)) == state


def test_a_buyer_from_days_merges_one_day():
    first = date(2026, 1, 1)

    found = buyer_of([first, first, first + timedelta(weeks=4)], today=first + timedelta(weeks=10))

    assert found == Buyer(1, 4.0, 10.0)
