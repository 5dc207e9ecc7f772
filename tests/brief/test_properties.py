"""What a brief must never depend on: the order of records, other accounts, the calendar, the size of money."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.negotiation import concession_ladder, floor_price, win_rates
from crmplugin.analysis.negotiation_numbers import read_numbers
from crmplugin.analysis.replenishment import due_items
from crmplugin.analysis.service import ticket_state
from crmplugin.brief.assemble import assemble
from crmplugin.domain.crm import Context, OrderLine, QuoteLine
from crmplugin.ports import Population
from tests.builders import (
    NOW,
    at,
    make_contact,
    make_context,
    make_deal,
    make_inbound,
    make_meeting,
    make_order,
    make_outbound,
    make_product,
    make_quote,
    make_request,
    make_stage_change,
    make_ticket,
)

KINDS = ["follow_up", "negotiation_note", "summary", "pitch"]
LISTS = ["activities", "orders", "contacts", "products", "quotes", "deals", "stage_changes", "tickets"]


def account() -> Context:
    lines = (OrderLine("L", "GK-12", Decimal(10), Decimal(48), Decimal(5)),)
    return make_context(
        make_inbound("A-1", "2026-03-06", "Does the price include certificates?"),
        make_outbound("A-2", "2026-02-20", "Here is the offer."),
        make_meeting("A-3", "2026-02-12"),
        make_inbound("A-4", "2026-02-03", "Our budget is 45,000 EUR and it is too expensive."),
        deal=make_deal(list_amount=Decimal(48000), cost_amount=Decimal(30000), target_discount_pct=Decimal(8)),
        orders=tuple(
            make_order(f"O-{n}", ordered_at=at(day), lines=lines)
            for n, day in enumerate(("2025-11-04", "2025-12-04", "2026-01-03", "2026-02-02"))
        ),
        contacts=(make_contact(), make_contact("C-2", first_name="Amir", last_name="Shah", email="a@orbis.example")),
        products=(make_product("GK-12", name="Gasket kit"), make_product(), make_product("CAL-1", name="Calibration")),
        quotes=(make_quote(), make_quote("Q-090", sent_at=at("2026-01-10"), valid_until=date(2026, 2, 1))),
        deals=(make_deal(), make_deal("D-2", name="Spare parts", stage_kind="new")),
        stage_changes=(make_stage_change(), make_stage_change("S-2", from_="New", to="Qualified", at=at("2026-02-03"))),
        tickets=(make_ticket("T-1", priority="P4"), make_ticket("T-2", status="closed", resolved_at=at("2026-01-09"))),
    )


def brief_of(context: Context, kind: str, now: datetime = NOW) -> Any:
    return assemble(context, Population(), make_request(kind), now=now, scan=scan_text)


def shape(brief: Any) -> Any:
    """Everything that is decided, without the order in which facts were found."""
    facts = {f.id: (f.value, f.display, f.unit, f.visibility, f.basis.n) for f in brief.facts}
    return brief.decision, brief.signals, brief.plan, facts, {w.text for w in brief.warnings}, brief.charts


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8)
@given(seed=st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(kind, seed):
    context = account()
    mixed = {}
    for name in LISTS:
        rows = list(getattr(context, name))
        seed.shuffle(rows)
        mixed[name] = tuple(rows)

    assert shape(brief_of(replace(context, **mixed), kind)) == shape(brief_of(context, kind))


@settings(max_examples=25)
@given(st.integers(-3000, 3000).filter(bool))
def test_shifting_all_dates_shifts_what_is_due(days):
    context, move = account(), timedelta(days=days)
    later = tuple(replace(o, ordered_at=o.ordered_at + move) for o in context.orders)

    before = due_items(context.orders, context.products, Population(), now=NOW, zone="UTC")
    after = due_items(later, context.products, Population(), now=NOW + move, zone="UTC")

    assert [(i.product_id, i.rho, i.state, i.count) for i in before] == [
        (i.product_id, i.rho, i.state, i.count) for i in after
    ]
    assert [i.last_on + move for i in before] == [i.last_on for i in after]


@settings(max_examples=25)
@given(st.integers(-200, 200))
def test_shifting_by_whole_weeks_shifts_a_hold(weeks):
    move = timedelta(weeks=weeks)
    tickets = (make_ticket(), make_ticket("T-3", status="resolved", resolved_at=at("2026-03-05")))
    later = tuple(
        replace(t, opened_at=t.opened_at and t.opened_at + move, resolved_at=t.resolved_at and t.resolved_at + move)
        for t in tickets
    )

    before = ticket_state(tickets, now=NOW, zone="UTC")
    after = ticket_state(later, now=NOW + move, zone="UTC")

    assert (before.hold, before.reason, before.severe_ticket_id) == (after.hold, after.reason, after.severe_ticket_id)


@settings(max_examples=25)
@given(st.integers(1, 5000), st.integers(1, 40), st.integers(0, 60))
def test_money_that_is_k_times_as_much_gives_k_times_the_amounts(k, target, margin):
    listed, cost = Decimal(48000), Decimal(30000)
    plain = concession_ladder(listed, Decimal(target))
    scaled = concession_ladder(listed * k, Decimal(target))

    assert [(s.discount_pct, s.price * k) for s in plain] == [(s.discount_pct, s.price) for s in scaled]
    floor, floor_scaled = (floor_price(c, Decimal(margin)) for c in (cost, cost * k))
    assert floor is not None
    assert floor_scaled == pytest.approx(floor * k)


def test_a_deal_k_times_as_large_has_the_same_percentages():
    context = account()
    quote = make_quote(lines=(QuoteLine("L1", "FM-300", None, Decimal(10), Decimal(2400)),))
    large = make_quote(lines=(QuoteLine("L1", "FM-300", None, Decimal(10), Decimal(24000)),))
    deal = make_deal(list_amount=Decimal(25000), cost_amount=Decimal(15000))
    tenfold = make_deal(list_amount=Decimal(250000), cost_amount=Decimal(150000))

    one, ten = read_numbers(context, deal, quote, NOW), read_numbers(context, tenfold, large, NOW)

    assert one.given_pct == ten.given_pct == Decimal(4)
    assert one.quoted is not None
    assert ten.quoted is not None
    assert one.quoted.value * 10 == ten.quoted.value


@settings(max_examples=25)
@given(st.permutations(range(12)))
def test_the_order_of_closed_deals_changes_no_rate(order):
    deals = [{"discount_pct": Decimal(5 + 3 * n), "won": n % 3 == 0} for n in range(12)]

    assert win_rates(deals[n] for n in order) == win_rates(deals)


@pytest.mark.parametrize("kind", KINDS)
def test_records_of_nobody_here_change_nothing(kind):
    """Another account's namesake and its product are in reach and play no part."""
    context = account()
    stranger = make_contact("C-99", company_id="CO-9", email="x@elsewhere.example", phone=None)
    with_stranger = replace(context, namesakes=(stranger,))

    assert shape(brief_of(with_stranger, kind)) == shape(brief_of(context, kind))


def test_every_list_of_a_context_is_shuffled_or_named_here():
    """A new list of records joins the shuffle, or says here why it need not."""
    left_out = {"users", "line_items", "contracts", "prices", "offers", "articles", "claims", "slots", "fx_rates",
                "segments", "namesakes"}  # fmt: skip
    lists = {f.name for f in fields(Context) if re.match(r"tuple\[", str(f.type))}

    assert lists == set(LISTS) | left_out
