"""Facts of deals: internal all of them."""

from __future__ import annotations

from collections.abc import Sequence

from crmplugin.analysis.pricing import lines_subtotal
from crmplugin.brief.facts_of.making import Maker, Rec, computed
from crmplugin.domain.crm import Deal, LineItem
from crmplugin.domain.fact import Fact


def deal_facts(make: Maker, deal: Deal, line_items: Sequence[LineItem]) -> list[Fact | None]:
    rec = Rec("deals", deal.id, deal.name or deal.id)
    own = [item for item in line_items if item.deal_id == deal.id]
    return [
        make.text(rec, "name", deal.name),
        make.money(rec, "amount", deal.amount, deal.currency),
        make.text(rec, "stage", deal.stage, kind="status"),
        make.day(rec, "close_date", deal.close_date),
        make.text(rec, "next_step", deal.next_step),
        make.day(rec, "next_step_due", deal.next_step_due),
        make.text(rec, "lost_reason", deal.lost_reason),
        make.percent(rec, "discount_pct", deal.discount_pct),
        make.percent(rec, "target_discount_pct", deal.target_discount_pct),
        make.percent(rec, "probability", deal.probability),
        make.money(rec, "list_amount", deal.list_amount, deal.currency),
        make.money(rec, "cost_amount", deal.cost_amount, deal.currency),
        make.text(rec, "competitors", ", ".join(deal.competitors) or None),
        _items_total(make, rec, deal, own),
    ]


def _items_total(make: Maker, rec: Rec, deal: Deal, items: Sequence[LineItem]) -> Fact | None:
    """The sum of the deal's line items, when all are complete and in the deal's currency."""
    if any(item.currency not in (None, deal.currency) for item in items):
        return None
    total = lines_subtotal(items)
    formula = " + ".join(f"{make.show_number(i.quantity)} × {make.show_number(i.unit_price)}" for i in items)
    source = tuple(make.source(Rec("line_items", i.id, ""), "unit_price") for i in items)
    return make.money(rec, "items_total", total, deal.currency, basis=computed(formula), source=source)
