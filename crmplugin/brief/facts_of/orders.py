"""Facts of orders and of the account's buying rhythm."""

from __future__ import annotations

from collections.abc import Mapping

from crmplugin.analysis.pricing import document_total, lines_subtotal
from crmplugin.brief.facts_of.making import Maker, Rec, computed
from crmplugin.domain.brief import DueItem
from crmplugin.domain.crm import Order, Product
from crmplugin.domain.fact import Fact

MOST_EVIDENCE = 12


def order_facts(make: Maker, order: Order, products: Mapping[str, Product]) -> list[Fact | None]:
    rec = _rec(order)
    subtotal = lines_subtotal(line for line in order.lines)
    total = document_total(subtotal, None, order.freight) if order.total is not None else None
    lines = [f for i in range(len(order.lines)) for f in _line_facts(make, rec, order, i, products)]
    return [
        make.text(rec, "number", order.number or order.id, kind="doc_id", path="number" if order.number else "id"),
        ordered_on(make, order),
        make.day(rec, "delivered_on", order.delivered_at, path="delivered_at"),
        make.money(rec, "total", order.total, order.currency),
        make.money(
            rec, "lines_total", total, order.currency, source=(make.source(rec, "lines"),),
            basis=computed("sum of the lines plus freight"),
        ),
        *lines,
    ]  # fmt: skip


def ordered_on(make: Maker, order: Order) -> Fact | None:
    return make.day(_rec(order), "ordered_on", order.ordered_at, path="ordered_at")


def rhythm_facts(make: Maker, item: DueItem, *, company_id: str, product: Product | None) -> list[Fact | None]:
    """How often and when an account bought an item. The usual gap is told only when it is regular enough."""
    name = (product.name if product else None) or item.product_id
    rec = Rec("replenishment", f"{company_id}/{item.product_id}", name)
    shown = rhythm_evidence(item)
    inputs = tuple(make.id_of(Rec("orders", order_id, ""), "ordered_on") for order_id in shown)
    sources = tuple(make.source(Rec("orders", order_id, ""), "ordered_at") for order_id in shown)
    last = sources[-1:]
    gap = {"basis": computed("median days between purchases", *inputs, n=item.count - 1), "source": sources}
    return [
        # Of one purchase nobody says how many times it was.
        make.count(
            rec, "count", item.count, basis=computed("days with a purchase", *inputs), source=sources,
            visibility="customer" if item.count > 1 else "internal",
        ),
        make.day(rec, "last_on", item.last_on, basis=computed("newest purchase", *inputs[-1:]), source=last),
        make.days(
            rec, "days_since", item.days_since, basis=computed("days since the newest purchase", *inputs[-1:]),
            source=last,
        ),
        make.days(
            rec, "usual_gap", item.usual_gap_days.to_integral_value(), **gap,
            # What is due because little was bought the last time has nothing to do with the usual gap.
            visibility="customer" if item.gap_claimable and item.method == "gap" else "internal",
        ),
        make.days(rec, "expected_gap", round(item.expected_gap_days, 1), **gap),
        make.fact(
            rec, "rho", "count", str(round(item.rho, 2)), make.show_number(round(item.rho, 2)),
            basis=computed("days since / expected gap", make.id_of(rec, "days_since"), make.id_of(rec, "expected_gap")),
            source=(),
        ),
    ]  # fmt: skip


def rhythm_evidence(item: DueItem) -> tuple[str, ...]:
    """The orders shown behind a rhythm: the newest dozen."""
    return item.evidence[-MOST_EVIDENCE:]


def _rec(order: Order) -> Rec:
    return Rec("orders", order.id, order.number or order.id, order.ordered_at)


def _line_facts(make: Maker, rec: Rec, order: Order, index: int, products: Mapping[str, Product]) -> list[Fact | None]:
    line = order.lines[index]
    product = products.get(line.product_id or "")
    own = rec.line(index, rec.name)
    names = {"product": (product.name if product else None) or line.product_id or f"{index + 1}"}
    unit = product.unit if product else None
    return [
        make.quantity(own, "quantity", line.quantity, unit=unit, key="line.quantity", names=names),
        make.product(own, "product", product, path="product_id", key="line.product", names=names),
        make.money(own, "unit_price", line.unit_price, order.currency, key="line.unit_price", names=names),
    ]
