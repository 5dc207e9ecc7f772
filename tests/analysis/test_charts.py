"""The figures behind the charts of a negotiation: typed by hand from the deals and orders below."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.analysis.charts import ladder, outcomes, rhythm
from crmplugin.analysis.negotiation_table import Table
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Policy
from crmplugin.ports import Population
from tests.builders import NOW, at, make_context, make_deal, make_order

D = Decimal


def closed(n: int, pct: str, *, won: bool) -> dict[str, Any]:
    return {"id": f"X-{n}", "company_id": "CO-9", "industry": None, "product_ids": (), "amount": D(48000),
            "currency": "EUR", "discount_pct": D(pct), "won": won, "closed_at": at("2025-06-01")}  # fmt: skip


def table(deals: tuple[dict[str, Any], ...] = (), **changes: Any) -> Table:
    deal = make_deal(list_amount=D(48000), cost_amount=D(30000), target_discount_pct=D(8), amount=None)
    context = make_context(deal=deal, **changes)
    return Table(context, deal, Population(closed_deals=deals), Signals(), NOW, "Europe/Berlin")


def band(pct: str, k: int, n: int) -> tuple[dict[str, Any], ...]:
    return tuple(closed(1000 * int(pct) + i, pct, won=i < k) for i in range(n))


def test_outcomes_by_band_with_the_finding():
    found = outcomes(table((*band("5", 14, 22), *band("15", 21, 40), *band("25", 6, 17))))

    assert found is not None
    assert [(b.k, b.n) for b in found.bands] == [(14, 22), (21, 40), (6, 17)]
    assert found.finding == "unclear"


@pytest.mark.parametrize(
    ("low", "deep", "finding"),
    [((2, 40), (38, 40), "more"), ((38, 40), (2, 40), "fewer"), ((2, 2), (30, 40), "few"), ((20, 40), (1, 2), "few")],
)
def test_a_finding_is_said_only_where_intervals_part(low, deep, finding):
    found = outcomes(table((*band("5", *low), *band("25", *deep))))

    assert found is not None
    assert found.finding == finding


def test_nothing_closed_draws_nothing():
    assert outcomes(table()) is None


def test_the_ladder_ends_on_the_target_and_shows_the_limit():
    found = ladder(table(policy=Policy(floor_margin_pct=D(25))))

    assert found is not None
    assert [s.price for s in found.steps] == [D(45792), D(44688), D(44160)]
    assert found.start.price == D(48000)
    assert found.limit is not None
    assert round(found.limit.price) == 40000


def test_without_a_target_there_is_no_ladder():
    t = table()

    assert ladder(Table(t.context, replace(t.deal, target_discount_pct=None), t.population, t.signals, NOW)) is None


def test_the_rhythm_of_orders():
    orders = tuple(
        make_order(f"O-{n}", ordered_at=at(d)) for n, d in enumerate(("2025-12-01", "2026-01-05", "2026-02-02"))
    )

    found = rhythm(table(orders=orders))

    assert found is not None
    assert (found.gap_days, found.days_since, len(found.orders)) == (31, 37, 3)
    assert rhythm(table(orders=orders[:2])) is None
