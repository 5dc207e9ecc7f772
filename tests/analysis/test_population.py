"""What is learned over all accounts; every expected figure is worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.analysis.fit.population import closed_outcome, days_by_stage, learn
from crmplugin.domain.crm import Company, Deal, LineItem, Order, OrderLine, StageChange
from crmplugin.ports import Population

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")


def order(day: str, *products: str, quantity: int = 1) -> Order:
    lines = tuple(OrderLine(product_id=id_, quantity=Decimal(quantity)) for id_ in products)
    return Order(f"O-{day}", ordered_at=at(day), lines=lines)


def fit(*, accounts: Sequence[Sequence[Order]] = (), **given: Any) -> Population:
    return learn(
        **({"deals": (), "stage_changes": (), "now": NOW} | given),
        accounts=((f"CO-{n}", a) for n, a in enumerate(accounts)),
    )


def won_deal(**changes: Any) -> Deal:
    given: dict[str, Any] = {
        "id": "D-1",
        "pipeline": "sales",
        "stage": "Won",
        "stage_kind": "won",
        "status": "won",
        "created_at": at("2026-01-01"),
        "closed_at": at("2026-02-15"),
    }
    return Deal(**(given | changes))


def moves(*steps: tuple[str, str, str]) -> list[StageChange]:
    return [StageChange(f"S-{n}", "D-1", from_, to, at(day)) for n, (day, from_, to) in enumerate(steps)]


ROAD = moves(
    ("2026-01-05", "New", "Proposal"), ("2026-01-19", "Proposal", "Negotiation"), ("2026-02-15", "Negotiation", "Won")
)


def test_stage_lasts_from_entering_to_leaving() -> None:
    assert days_by_stage(won_deal(), ROAD) == {"New": 4, "Proposal": 14, "Negotiation": 27}


def test_changes_may_come_in_any_order() -> None:
    assert days_by_stage(won_deal(), ROAD[::-1]) == {"New": 4, "Proposal": 14, "Negotiation": 27}


def test_two_stays_of_a_deal_in_one_stage_are_one_sum() -> None:
    changes = moves(
        ("2026-01-11", "Proposal", "Negotiation"),
        ("2026-01-14", "Negotiation", "Proposal"),
        ("2026-01-20", "Proposal", "Won"),
    )

    assert days_by_stage(won_deal(closed_at=at("2026-01-20")), changes) == {"Proposal": 16, "Negotiation": 3}


def test_reopening_starts_the_stages_anew() -> None:
    deal = won_deal(reopened_at=at("2026-01-15"))

    assert days_by_stage(deal, ROAD) == {"Proposal": 4, "Negotiation": 27}


def test_deal_won_where_it_stood_leaves_its_last_stage_at_the_closing() -> None:
    deal = won_deal(stage="Negotiation", stage_kind="won")

    assert days_by_stage(deal, ROAD[:2]) == {"New": 4, "Proposal": 14, "Negotiation": 27}


def test_stage_days_hold_won_deals_alone_by_pipeline() -> None:
    deals = [won_deal(), won_deal(id="D-2", status="lost", stage_kind="lost"), Deal("D-3", pipeline="sales")]
    others = [StageChange(f"T-{n}", f"D-{n}", "New", "Proposal", at("2026-01-09")) for n in (2, 3)]

    population = fit(deals=deals, stage_changes=ROAD + others)

    assert population.stage_days == {
        ("sales", "New"): (Decimal(4),),
        ("sales", "Proposal"): (Decimal(14),),
        ("sales", "Negotiation"): (Decimal(27),),
    }


def test_outcomes_of_a_stage_count_won_and_lost_and_those_that_stayed_long() -> None:
    def closed(n: int, status: str, days: int) -> Deal:
        return won_deal(
            id=f"D-{n}", status=status, stage=status, stage_kind=status, closed_at=at(f"2026-01-{1 + days:02d}")
        )

    deals = [
        closed(1, "won", 4),
        closed(2, "won", 6),
        closed(3, "won", 14),
        closed(4, "lost", 20),
        closed(5, "lost", 2),
    ]
    entered = [StageChange(f"S-{d.id}", d.id, None, "Proposal", at("2026-01-01")) for d in deals]
    left = [StageChange(f"T-{d.id}", d.id, "Proposal", d.stage, d.closed_at) for d in deals]

    population = fit(deals=deals, stage_changes=[*entered, *left])

    assert population.stage_outcomes == {("sales", "Proposal"): (3, 2, 1, 1)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "won"),
        ({"status": None}, "won"),
        ({"status": "lost", "stage_kind": None}, "lost"),
        ({"status": "open"}, None),
        ({"status": "lost", "reopened_at": at("2026-02-20")}, None),
        ({"status": "won", "reopened_at": at("2026-02-01")}, "won"),
        ({"status": None, "stage_kind": "proposal", "closed_at": None}, None),
    ],
)
def test_deal_is_closed_until_a_later_reopening(changes: dict[str, Any], expected: str | None) -> None:
    assert closed_outcome(won_deal(**changes)) == expected


def test_closed_deals_are_rows_with_their_products_and_industry() -> None:
    deals = [
        won_deal(company_id="CO-1", amount=Decimal("500.00"), currency="EUR", product_ids=("P-1",)),
        won_deal(id="D-2", status="lost", closed_at=at("2026-01-02"), discount_pct=Decimal(8)),
        won_deal(id="D-3", closed_at=at("2026-04-01")),
    ]
    items = [LineItem("L-1", "D-1", "P-2"), LineItem("L-2", "D-9", "P-3"), LineItem("L-3", "D-1")]

    rows = fit(deals=deals, line_items=items, companies=[Company("CO-1", industry="dairy")]).closed_deals

    assert [row["id"] for row in rows] == ["D-2", "D-1"]
    assert rows[1] == {
        "id": "D-1",
        "company_id": "CO-1",
        "industry": "dairy",
        "product_ids": ("P-1", "P-2"),
        "amount": Decimal("500.00"),
        "currency": "EUR",
        "discount_pct": None,
        "won": True,
        "closed_at": at("2026-02-15"),
    }
    assert (rows[0]["won"], rows[0]["discount_pct"]) == (False, Decimal(8))


def test_product_gap_is_the_median_over_accounts_of_their_own_medians() -> None:
    accounts = [
        [order("2025-01-01", "P"), order("2025-01-31", "P"), order("2025-03-02", "P")],  # 30, 30
        [order("2025-01-01", "P"), order("2025-02-10", "P")],  # 40
        [order("2025-01-01", "P"), order("2025-04-01", "P"), order("2025-04-21", "P")],  # 90, 20: 55
        [order("2025-01-01", "P")],
    ]

    population = fit(accounts=accounts)

    assert population.product_gap_days == {"P": (Decimal(40), 3)}
    assert population.product_repeat == {"P": (3, 4)}
    assert population.account_gap_n == 3


def test_orders_of_one_day_are_one_purchase_and_returns_are_none() -> None:
    account = [
        order("2025-01-01", "P"),
        order("2025-01-01", "P"),
        order("2025-01-09", "P", quantity=-1),
        order("2025-01-21", "P"),
    ]

    assert fit(accounts=[account]).product_gap_days == {"P": (Decimal(20), 1)}


def test_order_without_a_day_or_after_now_does_not_count() -> None:
    account = [Order("O-1", lines=(OrderLine(product_id="P"),)), order("2026-03-12", "P")]

    population = fit(accounts=[account])

    assert (population.product_repeat, population.accounts, population.repeat_share) == ({}, 0, None)


def test_repeat_share_counts_lines_after_the_first_order() -> None:
    accounts = [
        [order("2025-01-01", "A", "B"), order("2025-02-01", "A", "C"), order("2025-03-01", "C")],  # A, C of A, C, C
        [order("2025-01-01", "A"), order("2025-02-01", "B")],  # none of B
    ]

    assert fit(accounts=accounts).repeat_share == Decimal("0.5")


def test_products_bought_together_are_counted_by_account_within_a_year() -> None:
    pair = [[order("2026-01-01", "A"), order("2026-02-01", "B", "C")] for _ in range(3)]
    old = [[order("2024-06-01", "A", "B")]]
    other = [[order("2026-01-01", "A")]]

    population = fit(accounts=pair + old + other)

    assert population.accounts == 4
    assert population.bought_by == {"A": 4, "B": 3, "C": 3}
    assert population.bought_with == {"A": {"B": 3, "C": 3}, "B": {"A": 3, "C": 3}, "C": {"A": 3, "B": 3}}


def test_window_ends_with_the_newest_order_so_that_old_data_teach_too() -> None:
    accounts = [[order("2011-12-01", "A", "B")] for _ in range(3)]

    assert fit(accounts=accounts).bought_with == {"A": {"B": 3}, "B": {"A": 3}}


def test_pair_with_little_support_is_left_out() -> None:
    few = [[order("2026-01-01", "A", "B")] for _ in range(2)]
    many = [[order("2026-01-01", "A", "B")] for _ in range(4)] + [[order("2026-01-01", "C")] for _ in range(200)]

    assert fit(accounts=few).bought_with == {}
    assert fit(accounts=many).bought_with == {}


def test_nothing_teaches_nothing() -> None:
    assert fit() == Population(computed_at=NOW)
