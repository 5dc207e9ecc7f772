"""Two lists of products, with reasons; what is left out, and why."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.analysis.fusion import fuse
from crmplugin.analysis.recommendation import Account, Picks, pick_products, price_fit, repeat_slots
from crmplugin.analysis.replenishment import due_items
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Feature, OrderLine
from crmplugin.ports import Population, Ranking
from tests.builders import NOW, at, make_company, make_context, make_order, make_product, make_ticket

D = Decimal
KIT = make_product("GK-12", name="Gasket kit", list_price=D(48), lead_time="2 days")
SENSOR = make_product("S-1", name="Sensor", list_price=D(60), lead_time="2 days", compatible_with=("GK-12",))
GREASE = make_product("G-1", name="Grease", category="grease", list_price=D(20), lead_time="2 days")
LEARNED = Population(
    accounts=420, bought_by={"GK-12": 50, "S-1": 90, "G-1": 90}, repeat_share=D("0.4"),
    bought_with={"GK-12": {"S-1": 31, "G-1": 20}}, product_repeat={"GK-12": (20, 50)},
)  # fmt: skip


def kits(*days: str) -> tuple[Any, ...]:
    line = (OrderLine("L1", "GK-12", D(10), D("48.00")),)
    return tuple(make_order(f"O-{n}", ordered_at=at(day), lines=line) for n, day in enumerate(days, start=1))


MONTHLY = kits("2025-11-04", "2025-12-04", "2026-01-03", "2026-02-02")


def pick(population: Population = LEARNED, **changes: Any) -> Picks:
    given: dict[str, Any] = {"products": (KIT, SENSOR, GREASE), "orders": MONTHLY}
    context = make_context(**(given | changes))
    due = due_items(context.orders, context.products, population, now=NOW, zone="UTC")
    return pick_products(context, population, Signals(due_items=due), now=NOW, zone="UTC")


def ids(found: Picks, which: str) -> list[str]:
    return [p.product_id for p in found.items if p.list == which]


def test_due_items_and_complements_stand_in_lists_of_their_own():
    found = pick()

    assert ids(found, "repeat") == ["GK-12"]
    assert ids(found, "new") == ["S-1", "G-1"]


def test_every_pick_has_its_reason_evidence_and_cases():
    repeat, sensor, _ = pick().items

    assert repeat.reason == "bought 4 times, last on 2026-02-02, 37 days ago: due"
    assert repeat.evidence == ("O-1", "O-2", "O-3", "O-4")
    assert sensor.reason == "31 of 50 accounts that bought GK-12 also bought it"
    assert (sensor.n, sensor.method, sensor.claimable) == (50, "association", True)


def test_without_the_named_purchase_the_pick_is_gone():
    assert "S-1" not in [p.product_id for p in pick(orders=()).items if p.method == "association"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"active": False}, "inactive"),
        ({"regions": ("US",)}, "not sold in region"),
        ({"stock": D(0)}, "out of stock"),
        ({"compatible_with": ("FM-9",)}, "fits nothing they own"),
        ({"list_price": D(200)}, "far above their prices"),
    ],
)
def test_what_may_not_be_offered_is_left_out_and_counted(change: dict[str, Any], reason: str):
    sensor = make_product("S-1", **({"name": "Sensor", "list_price": D(60)} | change))

    found = pick(products=(KIT, sensor, GREASE))

    assert "S-1" not in [p.product_id for p in found.items]
    assert (reason, 1) in found.left_out


def test_durable_things_they_own_are_left_out():
    meter = make_product(durable=True)
    owned = make_order("O-9", ordered_at=at("2025-01-01"), lines=(OrderLine("L1", "FM-300", D(1), D(2400)),))

    found = pick(products=(KIT, meter), orders=(*MONTHLY, owned))

    assert ("already owned", 1) in found.left_out


def test_a_product_they_complain_about_is_left_out():
    found = pick(tickets=(make_ticket(product_id="GK-12", priority="P4"),))

    assert ids(found, "repeat") == []
    assert ("open complaint", 1) in found.left_out


def test_a_product_sent_back_is_left_out():
    back = make_order("O-9", ordered_at=at("2026-02-20"), lines=(OrderLine("L1", "GK-12", D(-10), D(48)),))

    assert ("returned", 1) in pick(orders=(*MONTHLY, back)).left_out


def test_an_account_without_purchases_gets_a_list_that_says_so():
    found = pick(orders=())

    assert found.fallback == "no purchases on record: what most accounts buy, not what this one needs"
    assert [p.method for p in found.items] == ["popularity"] * 3


def test_nothing_known_of_anybody_gives_nothing():
    assert pick(Population(), orders=()).items == ()


def test_substitutes_are_never_offered_together():
    twin = make_product("S-2", name="Sensor B", list_price=D(60), compatible_with=("GK-12",), substitutes=("S-1",))

    found = pick(products=(KIT, SENSOR, twin))

    assert ids(found, "new") == ["S-1"]


def test_the_region_is_the_accounts():
    sensor = make_product("S-1", name="Sensor", list_price=D(60), regions=("GB",))

    assert "S-1" in ids(pick(products=(KIT, sensor), company=make_company(country="GB")), "new")


def test_slots_follow_the_share_of_repeat_lines():
    only_repeats = Account(make_context(orders=MONTHLY), LEARNED, NOW, "UTC")
    newcomer = Account(make_context(orders=()), LEARNED, NOW, "UTC")

    assert repeat_slots(only_repeats, 3) == 2
    assert repeat_slots(newcomer, 3) == 1


@pytest.mark.parametrize(("price", "fit"), [("400", "1.00"), ("600", "0.72"), ("1200", "0.09")])
def test_price_fit_falls_with_the_ratio(price: str, fit: str):
    assert round(price_fit(D(price), [D(400), D(400), D(400)]), 2) == D(fit)


def test_rankings_are_fused_by_rank():
    scores = fuse([["A", "B"], ["B", "C"]])

    assert sorted(scores, key=lambda k: -scores[k]) == ["B", "A", "C"]


def test_the_chance_of_the_fit_ranks_repeats_where_it_beats_counting():
    learned = Ranking(NOW, "tifuknn", "upcf", 400, repeat={"G-1": 0.6, "GK-12": 0.3})
    line = (OrderLine("L1", "G-1", D(1), D("20.00")),)
    greased = tuple(
        make_order(f"G-{n}", ordered_at=at(d), lines=line) for n, d in enumerate(("2025-12-01", "2026-01-20"))
    )
    population = replace(LEARNED, ranking=learned, product_repeat={"GK-12": (20, 50), "G-1": (40, 90)})

    found = pick(population, orders=(*MONTHLY, *greased))

    assert [(p.product_id, p.method, p.score) for p in found.items if p.list == "repeat"] == [
        ("G-1", "tifuknn", D("0.6")), ("GK-12", "tifuknn", D("0.3")),
    ]  # fmt: skip


@pytest.mark.parametrize(("method", "who"), [("upcf", ["G-1"]), ("popularity", [])])
def test_what_the_fit_ranks_is_used_only_where_it_beats_what_is_plain(method: str, who: list[str]):
    learned = Ranking(NOW, "frequency", method, 400, new={"G-1": 0.4})
    plain = replace(LEARNED, ranking=learned, bought_with={})

    found = pick(plain)

    assert [p.product_id for p in found.items if p.method == "upcf"] == who


def test_one_purchase_less_lowers_the_score_of_a_repeat():
    scores = [pick(LEARNED, orders=MONTHLY[:n]).items[0].score for n in (4, 3, 2)]

    assert scores == [D("0.6667"), D("0.6"), D("0.5")]


def test_look_alikes_come_before_everybody_and_their_share_is_drawn_towards_everybodys():
    dairy = make_company(industry="Dairy", employees=D(40), country="GB")
    population = Population(
        accounts=1000, bought_by={"S-1": 120, "G-1": 300}, bought_alike={"dairy|10 to 49|gb": (40, {"S-1": 14})}
    )

    found = pick(population, orders=(), company=dairy)

    first = found.items[0]
    assert (first.product_id, first.method, first.n, first.share) == ("S-1", "look_alikes", 40, D("0.2733"))
    assert first.reason == "bought by 14 of 40 Dairy customers of this size in GB"
    assert found.fallback == (
        "no purchases on record: common among 40 Dairy customers of this size in GB, not what this one needs"
    )


@pytest.mark.parametrize(
    ("groups", "n", "method"),
    [
        ({"dairy|10 to 49|gb": (19, {"S-1": 9}), "dairy": (60, {"S-1": 20})}, 60, "look_alikes"),
        ({"dairy": (19, {"S-1": 9})}, 1000, "popularity"),
    ],
)
def test_with_fewer_than_twenty_the_wider_group_counts(groups: Any, n: int, method: str):
    dairy = make_company(industry="dairy", employees=D(40), country="GB")
    population = Population(accounts=1000, bought_by={"S-1": 120}, bought_alike=groups)

    first = pick(population, orders=(), company=dairy).items[0]

    assert (first.n, first.method) == (n, method)


def test_products_that_are_seldom_bought_together_stand_for_each_other():
    rival = make_product("S-2", name="Sensor B", list_price=D(60), lead_time="2 days")
    population = replace(LEARNED, bought_by={"GK-12": 50, "S-1": 90, "S-2": 80}, bought_with={
        "GK-12": {"S-1": 31, "S-2": 25}, "S-1": {"S-2": 5}, "S-2": {"S-1": 5},
    })  # fmt: skip

    found = pick(population, products=(KIT, SENSOR, rival))

    assert ids(found, "new") == ["S-1"]


def test_what_they_need_comes_before_what_they_do_not():
    needed = replace(GREASE, list_price=D(38), features=(Feature("quiet", None, None, ("noise",)),))
    context = make_context(products=(KIT, replace(SENSOR, compatible_with=()), needed), orders=MONTHLY)
    given: dict[str, Any] = {"now": NOW, "zone": "UTC"}

    plain = pick_products(context, LEARNED, Signals(), **given)
    wanted = pick_products(context, LEARNED, Signals(), needs=["Noise"], **given)

    assert ids(plain, "new") == ["S-1", "G-1"]
    assert ids(wanted, "new") == ["G-1", "S-1"]
