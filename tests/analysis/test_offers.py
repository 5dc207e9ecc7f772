"""Offers hold inside all of their conditions; each one that fails removes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.analysis.offers import OfferFound, find_offers
from crmplugin.domain.brief import Signals, TicketState
from crmplugin.domain.crm import Band, Exclude, Offer, OrderLine, Policy, Segment, Where
from crmplugin.ports import Population
from tests.builders import NOW, at, make_account_context, make_company, make_order, make_product, make_ticket

D = Decimal
KIT = make_product("GK-12", name="Gasket kit", list_price=D(48), cost=D(30), stock=D(40), regions=("GB",))
LAPSED = Segment("SG-1", "Lapsed", Where(rfm=("lost",), owns=("GK-12",), exclude=Exclude(sell_hold=True)))
SPRING = Offer("OF-1", "Ten percent off gasket kits (10 %)", ("GK-12",), "SG-1", date(2026, 3, 1), date(2026, 3, 11))
POLICY = Policy(floor_margin_pct=D(25), bands=(Band("rep", D(10)), Band("manager", D(18))))


def found(offer: Offer = SPRING, signals: Signals | None = None, rfm_class: str = "lost", **changes: Any) -> OfferFound:
    given: dict[str, Any] = {
        "offers": (offer,), "products": (KIT,), "segments": (LAPSED,), "policy": POLICY,
        "orders": (make_order(ordered_at=at("2025-05-01"), lines=(OrderLine("L", "GK-12", D(4), D(48)),)),),
    }  # fmt: skip
    context = make_account_context(**(given | changes))
    return find_offers(context, Population(rfm_class=rfm_class), signals or Signals(), now=NOW, zone="Europe/London")


def test_an_offer_holds_through_its_last_day():
    assert [o.id for o in found().holding] == ["OF-1"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"offer": replace(SPRING, valid_until=date(2026, 3, 10))}, "ended"),
        ({"offer": replace(SPRING, valid_from=date(2026, 3, 12))}, "not begun"),
        ({"rfm_class": "loyal"}, "not in its segment"),
        ({"signals": Signals(ticket=TicketState(hold=True))}, "not in its segment"),
        ({"segments": ()}, "its segment is not on record"),
        ({"products": (replace(KIT, stock=D(0)),)}, "out of stock"),
        ({"products": (replace(KIT, active=False),)}, "inactive"),
        ({"products": (replace(KIT, regions=("DE",)),)}, "not sold in region"),
        ({"company": make_company(country="FR")}, "not sold in region"),
        ({"products": (replace(KIT, durable=True),)}, "already owned"),
        ({"products": ()}, "unknown product"),
        ({"tickets": (make_ticket(product_id="GK-12", priority="P4"),)}, "open complaint"),
        ({"offer": replace(SPRING, text="16.7 % off gasket kits")}, "above our limit"),
        ({"products": (replace(KIT, cost=D(34)),)}, "above our limit"),
    ],
)
def test_one_failing_condition_removes_it(changes: dict[str, Any], reason: str):
    result = found(**changes)

    assert result.holding == ()
    assert result.left_out == (("OF-1", reason),)


@pytest.mark.parametrize("text", ["16.66 % off", "Bis zu 16 Prozent", "gasket kits at a good price"])
def test_an_offer_at_the_limit_holds(text: str):
    assert found(replace(SPRING, text=text)).holding


def test_an_offer_for_everybody_needs_no_segment():
    assert found(replace(SPRING, segment_id=None), rfm_class="loyal", segments=()).holding


def test_the_offer_that_ends_first_comes_first():
    later = replace(SPRING, id="OF-2", valid_until=None)
    context_offers = (later, SPRING)

    assert [o.id for o in found(offers=context_offers).holding] == ["OF-1", "OF-2"]
