"""When a repeat item is due: the gap rule, the cover rule, and what may be said of the gap."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crmplugin.analysis.replenishment import due_items, rhythms, state_of
from crmplugin.domain.crm import Order, OrderLine, Product
from crmplugin.ports import Population

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
KIT = Product(id="GK-12", name="Gasket kit", category="gaskets")


def orders(*days: str, quantities: tuple[int, ...] = ()) -> list[Order]:
    return [
        Order(
            id=f"O-{n}",
            ordered_at=datetime.fromisoformat(f"{day}T10:00:00+00:00"),
            lines=(OrderLine(product_id="GK-12", quantity=Decimal(quantities[n] if quantities else 5)),),
        )
        for n, day in enumerate(days)
    ]


def learned(gap: int | None, *, accounts: int = 9, again: int = 6, buyers: int = 10) -> Population:
    gaps = {"GK-12": (Decimal(gap), accounts)} if gap else {}
    return Population(product_gap_days=gaps, product_repeat={"GK-12": (again, buyers)})


def test_four_monthly_orders_and_97_days_of_silence_are_lapsed():
    placed = orders("2025-09-05", "2025-10-05", "2025-11-04", "2025-12-04")

    (item,) = due_items(placed, [KIT], learned(45), now=NOW, zone="Europe/London")

    assert (item.count, item.last_on, item.days_since) == (4, date(2025, 12, 4), 97)
    assert (item.usual_gap_days, item.expected_gap_days) == (30, 36)
    assert round(item.rho, 2) == Decimal("2.69")
    assert (item.state, item.gap_claimable) == ("lapsed", True)
    assert item.evidence == ("O-0", "O-1", "O-2", "O-3")


def test_uneven_gaps_use_the_median_and_the_population():
    placed = orders("2025-06-02", "2025-08-04", "2025-09-29", "2025-12-08")

    (item,) = due_items(placed, [KIT], learned(60), now=NOW, zone="UTC")

    assert (item.usual_gap_days, item.expected_gap_days) == (63, Decimal("61.8"))
    assert (item.days_since, round(item.rho, 2), item.state) == (93, Decimal("1.50"), "overdue")


def test_varying_quantities_use_the_cover():
    placed = orders("2025-10-01", "2025-11-01", "2025-12-01", quantities=(10, 12, 30))

    (item,) = due_items(placed, [KIT], learned(30), now=NOW, zone="UTC")

    assert item.method == "cover"
    assert round(item.expected_gap_days, 1) == Decimal("83.2")
    assert (item.days_since, round(item.rho, 2), item.state) == (100, Decimal("1.20"), "due")


@pytest.mark.parametrize(
    ("rho", "state"),
    [("0.74", "early"), ("0.75", "due"), ("1.25", "due"), ("1.26", "overdue"), ("2.5", "overdue"), ("2.51", "lapsed")],
)
def test_states_change_at_their_borders(rho: str, state: str):
    assert state_of(Decimal(rho)) == state


def test_an_early_item_is_known_but_not_due():
    placed = orders("2026-01-10", "2026-02-09", "2026-03-05")

    assert due_items(placed, [KIT], learned(30), now=NOW, zone="UTC") == ()
    assert rhythms(placed, [KIT], learned(30), now=NOW, zone="UTC")[0].state == "early"


def test_what_they_bought_again_comes_before_what_only_others_buy_again():
    ours = orders("2025-10-01", "2025-11-30")
    once = Order(id="O-9", ordered_at=ours[0].ordered_at, lines=(OrderLine(product_id="GK-20", quantity=Decimal(1)),))
    population = Population(
        product_gap_days={"GK-12": (Decimal(60), 9), "GK-20": (Decimal(161), 9)},
        product_repeat={"GK-12": (6, 10), "GK-20": (6, 10)},
    )

    found = due_items([*ours, once], [KIT, Product(id="GK-20")], population, now=NOW, zone="UTC")

    assert [(item.product_id, item.count, item.state) for item in found] == [
        ("GK-12", 2, "overdue"),
        ("GK-20", 1, "due"),
    ]


def test_an_item_few_customers_buy_again_is_never_due():
    placed = orders("2025-09-05", "2025-10-05", "2025-11-04")

    assert due_items(placed, [KIT], learned(30, again=1, buyers=10), now=NOW, zone="UTC") == ()


def test_returns_and_lines_of_one_day_make_no_purchase():
    placed = orders("2025-09-05", "2025-09-05", "2025-10-05", quantities=(5, 5, -5))

    assert due_items(placed, [KIT], Population(), now=NOW, zone="UTC") == ()


def test_a_gap_over_few_accounts_falls_back_to_the_category():
    other = Product(id="GK-20", category="gaskets")
    population = Population(
        product_gap_days={"GK-12": (Decimal(10), 2), "GK-20": (Decimal(50), 8)}, product_repeat={"GK-12": (5, 10)}
    )
    placed = orders("2025-10-01", "2025-11-30")

    (item,) = due_items(placed, [KIT, other], population, now=NOW, zone="UTC")

    assert item.expected_gap_days == (60 + 2 * Decimal(50)) / 3


def test_two_purchases_make_no_claimable_gap():
    placed = orders("2025-10-01", "2025-11-30")

    (item,) = due_items(placed, [KIT], learned(60), now=NOW, zone="UTC")

    assert not item.gap_claimable


def test_durable_and_discontinued_items_are_never_due():
    placed = orders("2025-09-05", "2025-10-05", "2025-11-04")

    for product in (Product(id="GK-12", durable=True), Product(id="GK-12", active=False)):
        assert due_items(placed, [product], learned(30), now=NOW, zone="UTC") == ()


def test_what_was_sent_back_last_is_not_due():
    kept = orders("2025-09-05", "2025-10-05", "2025-11-04", "2026-01-10", quantities=(5, 5, -2, 5))
    sent_back = orders("2025-09-05", "2025-10-05", "2025-12-04", "2026-01-10", quantities=(5, 5, 5, -1))

    assert [i.product_id for i in due_items(kept, [KIT], learned(30), now=NOW, zone="UTC")] == ["GK-12"]
    assert due_items(sent_back, [KIT], learned(30), now=NOW, zone="UTC") == ()
