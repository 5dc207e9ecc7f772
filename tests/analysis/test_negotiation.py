"""The arithmetic of a negotiation, with the worked numbers of the sales craft."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.analysis.negotiation import (
    break_even_on_margin,
    break_even_on_revenue,
    chance_of_beating,
    concession_ladder,
    confidence,
    discount_of,
    earlier_payment_value,
    equal_packages,
    floor_price,
    limit_for,
    payment_delay,
    price_by_volume,
    second_year_value,
    similar_deals,
    small_sample,
    stacked,
    trend,
    walk_away,
    win_rates,
    zopa,
)
from crmplugin.domain.crm import Band, Order, Policy

D = Decimal
NOW = datetime(2026, 3, 11, tzinfo=UTC)
POLICY = Policy(floor_margin_pct=D(25), bands=(Band("rep", D(10)), Band("manager", D(18))))


def closed(won: int, of: int, discount: str) -> list[dict[str, Any]]:
    return [{"discount_pct": D(discount), "won": n < won} for n in range(of)]


SEVENTY_NINE = [*closed(14, 22, "5"), *closed(21, 40, "15"), *closed(6, 17, "25")]


def test_the_floor_price_keeps_the_floor_margin():
    assert floor_price(D(30000), D(25)) == D(40000)
    assert round(discount_of(D(48000), D(40000)), 2) == D("16.67")


def test_an_unknown_cost_leaves_the_floor_unknown():
    assert floor_price(None, D(25)) is None
    assert limit_for(POLICY, "rep", list_amount=D(48000), cost=None).pct == D(10)


def test_the_strictest_limit_wins():
    rep = limit_for(POLICY, "rep", list_amount=D(48000), cost=D(30000))
    manager = limit_for(POLICY, "manager", list_amount=D(48000), cost=D(30000))

    assert (rep.pct, rep.by) == (D(10), "band")
    assert (round(manager.pct or D(0), 2), manager.by) == (D("16.67"), "floor")


def test_a_role_without_a_band_falls_under_the_smallest():
    assert limit_for(POLICY, "marketing", list_amount=None, cost=None).pct == D(10)
    assert limit_for(None, "rep", list_amount=D(48000), cost=D(30000)).pct is None


def test_discounts_on_top_of_each_other_multiply():
    assert stacked([D(10), D(5), None]) == D("14.5")


def test_we_walk_away_at_the_higher_of_floor_and_alternative():
    assert walk_away(D(40000)) == D(40000)
    assert walk_away(D(40000), D(42000)) == D(42000)
    assert walk_away(None, D(42000)) is None


def test_no_evidence_of_a_ceiling_makes_no_range():
    assert zopa(D(40000), D(45000)) == (D(40000), D(45000))
    assert zopa(D(40000), None) is None
    assert zopa(D(40000), D(39000)) is None


@pytest.mark.parametrize(
    ("band", "rate", "low", "high", "drawn"),
    [(0, "63.6", "43.0", "80.3", "60.0"), (1, "52.5", "37.5", "67.1", "52.4"), (2, "35.3", "17.3", "58.7", "41.4")],
    ids=["to ten percent", "ten to twenty", "above twenty"],
)
def test_win_rates_by_discount_band(band: int, rate: str, low: str, high: str, drawn: str):
    found = win_rates(SEVENTY_NINE)[band]

    shown = [round((v or D(0)) * 100, 1) for v in (found.rate, found.low, found.high, found.shrunk)]
    assert shown == [D(rate), D(low), D(high), D(drawn)]


def test_deep_discounts_hardly_ever_beat_small_ones():
    low, _, deep = win_rates(SEVENTY_NINE)

    assert round(chance_of_beating(deep, low, D(41) / 79), 2) == D("0.07")


def test_a_discount_of_exactly_ten_percent_is_in_the_first_band():
    low, middle, _ = win_rates(closed(1, 1, "10"))

    assert (low.n, middle.n) == (1, 0)


def test_break_even_on_revenue_and_margin():
    assert break_even_on_revenue(D("0.2"), D(20)) == D("0.25")
    assert round(break_even_on_margin(D(48000), D(30000), D(10)) or D(0), 3) == D("1.364")
    assert break_even_on_margin(D(48000), D(30000), D(40)) is None


@pytest.mark.parametrize(
    ("k", "n", "mean", "low", "high"),
    [(4, 5, "56.7", "35.7", "76.6"), (0, 3, "34.6", "15.1", "56.9"), (2, 2, "54.2", "31.0", "76.5")],
)
def test_few_cases_are_drawn_towards_the_prior(k: int, n: int, mean: str, low: str, high: str):
    found = small_sample(k, n, D("0.45"))

    assert [round(v * 100, 1) for v in found] == [D(mean), D(low), D(high)]


@pytest.mark.parametrize(
    ("n", "word"), [(30, "high"), (29, "medium"), (10, "medium"), (9, "low"), (3, "low"), (2, "cases")]
)
def test_confidence_follows_the_number_of_cases(n: int, word: str):
    assert confidence(n) == word


def test_concessions_shrink_towards_the_target():
    steps = concession_ladder(D(48000), D(8))

    assert [s.price for s in steps] == [D(45792), D(44688), D(44160)]
    assert [s.discount_pct for s in steps] == [D("4.6"), D("6.9"), D(8)]


def test_a_discount_already_given_leaves_less_room():
    steps = concession_ladder(D(48000), D(8), current_pct=D(5))

    assert [s.discount_pct for s in steps] == [D("6.7"), D("7.6"), D(8)]
    assert concession_ladder(D(48000), D(8), current_pct=D(9)) == ()
    assert concession_ladder(D(48000), None) == ()


def test_trades_have_a_value():
    assert round(earlier_payment_value(D(44160), D(9), D(60)) or D(0)) == 653
    assert round(second_year_value(D(14160), D(80), D(9)) or D(0)) == 2598
    assert earlier_payment_value(D(44160), None, D(60)) is None


def deal(**changes: Any) -> dict[str, Any]:
    given = {"id": "D-9", "product_ids": ("FM-300",), "amount": D(40000), "currency": "EUR", "industry": "food",
             "closed_at": datetime(2025, 9, 1, tzinfo=UTC), "won": True, "discount_pct": D(5)}  # fmt: skip
    return given | changes


def alike(rows: list[dict[str, Any]]) -> list[str]:
    found = similar_deals(
        rows, product_ids=["FM-300"], amount=D(48000), currency="EUR", industry="food", deal_id="D-1", now=NOW
    )
    return [row["id"] for row in found]


def test_similar_deals_share_product_size_currency_and_time():
    rows = [
        deal(),
        deal(id="D-1"),
        deal(id="other product", product_ids=("GK-12",)),
        deal(id="too small", amount=D(23999)),
        deal(id="too old", closed_at=datetime(2024, 3, 1, tzinfo=UTC)),
        deal(id="dollars", currency="USD"),
    ]

    assert alike(rows) == ["D-9"]


def test_the_industry_counts_only_when_twelve_remain():
    food = [deal(id=f"F-{n}") for n in range(12)]

    assert len(alike([*food[:11], deal(id="X", industry="pharma")])) == 12
    assert len(alike([*food, deal(id="X", industry="pharma")])) == 12


def test_late_payment_is_counted_in_days():
    def paid(due: int, on: int) -> Order:
        return Order("O", due_at=datetime(2026, 1, due, tzinfo=UTC), paid_at=datetime(2026, 1, on, tzinfo=UTC))

    assert payment_delay([paid(10, 20), paid(10, 14), Order("open")]) == (D(7), 2)
    assert payment_delay([Order("open")]) is None


def test_prices_by_volume_need_three_cases():
    bought = [(D(1), D(2400)), (D(2), D(2400)), (D(3), D(2350)), (D(10), D(2200)), (D(12), D(2100))]

    assert price_by_volume(bought, [D(1), D(10)]) == ((D(1), D(2400), 3),)


def test_a_trend_needs_three_values():
    assert trend([D(3), D(5)]) is None
    assert trend([D(3), D(4), D(8)]) == "rising"


def test_packages_are_worth_the_same_to_us_and_stay_within_the_limit():
    trades = [("a reference visit", D(900)), ("a quiet week", D(650)), ("everything", D(9000))]

    found = equal_packages(D(44160), trades, least=D(43000))

    assert [(p.price, p.get) for p in found] == [
        (D(44160), None), (D(43260), "a reference visit"), (D(43510), "a quiet week"),
    ]  # fmt: skip
    assert all(abs(p.price + p.worth - D(44160)) <= D(44160) * D("0.02") for p in found)


@pytest.mark.parametrize(
    ("trades", "least"), [([], None), ([("a visit", D(900))], D(44000)), ([("a visit", D(0))], None)]
)
def test_one_package_is_no_choice(trades, least):
    assert equal_packages(D(44160), trades, least=least) == ()


def test_a_deal_closed_later_than_now_is_not_similar():
    row = {"id": "X", "amount": D(48000), "currency": "EUR", "product_ids": (), "closed_at": NOW + timedelta(days=1)}

    found = similar_deals(
        [row], product_ids=(), amount=D(48000), currency="EUR", industry=None, deal_id=None, now=NOW
    )  # fmt: skip

    assert found == ()


def test_three_won_of_three_are_not_called_certain():
    low, middle, _ = win_rates([{"discount_pct": D(5), "won": True}] * 3)

    assert (low.k, low.n) == (3, 3)
    assert round(low.shrunk, 4) == D("0.6746")
    assert (middle.n, round(middle.shrunk, 4)) == (0, D("0.5769"))
