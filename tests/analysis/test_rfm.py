"""RFM: quintiles by rank, tertiles below fifty accounts, money per currency (sales-craft §2.6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crmplugin.analysis.rfm import Habit, classify, label_of, months_before, read_habit
from crmplugin.domain.crm import OrderLine
from tests.builders import NOW, at, make_order

TODAY = date(2026, 3, 11)


def habit(n: int, *, last: int = 0, orders: int = 1, spend: str = "100", currency: str = "EUR") -> Habit:
    day = date.fromordinal(TODAY.toordinal() - last)
    return Habit(f"A{n:03}", date(2024, 1, 1), day, orders, {currency: Decimal(spend)})


def test_quintiles_by_rank():
    found = classify([habit(n, last=n, orders=100 - n) for n in range(100)], today=TODAY)

    assert [found[f"A{n:03}"].recency for n in (0, 19, 20, 59, 79, 80, 99)] == [5, 5, 4, 3, 2, 1, 1]
    assert found["A000"].label == "champions"
    assert found["A099"].label == "lost"


def test_tertiles_below_fifty_accounts():
    found = classify([habit(n, last=n) for n in range(30)], today=TODAY)

    assert [found[f"A{n:03}"].recency for n in (0, 9, 10, 19, 20, 29)] == [5, 5, 3, 3, 1, 1]


def test_ties_share_the_better_score():
    found = classify([habit(n, orders=1) for n in range(60)], today=TODAY)

    assert {rfm.frequency for rfm in found.values()} == {5}


def test_money_is_never_compared_over_currencies():
    rows = [habit(n, spend=str(n)) for n in range(60)] + [habit(99, spend="1", currency="JPY")]

    found = classify(rows, today=TODAY)

    assert dict(found["A099"].money) == {"JPY": 5}
    assert found["A059"].money["EUR"] == 5


@pytest.mark.parametrize(
    ("recency", "frequency", "label"),
    [(5, 5, "champions"), (4, 4, "champions"), (3, 4, "loyal"), (4, 2, "promising"), (2, 3, "at risk"),
     (1, 5, "at risk"), (1, 2, "lost"), (3, 3, "other"), (2, 2, "other"), (5, 3, "other")],
)  # fmt: skip
def test_classes(recency, frequency, label):
    assert label_of(recency, frequency) == label


def test_a_first_order_within_sixty_days_is_new():
    assert label_of(5, 5, is_new=True) == "new"


def test_a_habit_counts_24_months_net_of_returns_and_per_currency():
    back = make_order(
        "O-3", ordered_at=at("2026-02-01"), total=Decimal("-80"), lines=(OrderLine("L", "X", Decimal(-1)),)
    )
    orders = [
        make_order("O-0", ordered_at=at("2023-01-01"), total=Decimal(999)),
        make_order("O-1", ordered_at=at("2025-01-01"), total=Decimal(480)),
        make_order("O-2", ordered_at=at("2026-01-01"), total=Decimal(100), currency="GBP"),
        back,
        make_order("O-4", ordered_at=at("2027-01-01"), total=Decimal(480)),
    ]

    found = read_habit("CO-1", orders, now=NOW)

    assert found is not None
    assert (found.first_on, found.last_on, found.orders) == (date(2023, 1, 1), date(2026, 1, 1), 2)
    assert dict(found.spend) == {"EUR": Decimal(400), "GBP": Decimal(100)}


@pytest.mark.parametrize(
    ("day", "before"), [("2026-03-11", "2024-03-11"), ("2026-02-28", "2024-02-28"), ("2024-02-29", "2022-02-28")]
)
def test_months_before(day, before):
    assert months_before(date.fromisoformat(day), 24) == date.fromisoformat(before)
