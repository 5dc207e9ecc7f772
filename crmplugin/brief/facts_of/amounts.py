"""Which amounts of a deal or an order belong to one matter and must agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from crmplugin.analysis.amounts import OUR_NOTES, amounts_in
from crmplugin.brief.facts_of.conflicts import Variant
from crmplugin.brief.facts_of.making import Maker, Rec
from crmplugin.domain.crm import Activity, Context, Deal, Order, Quote
from crmplugin.domain.fact import Basis, Fact

STATED = Basis(type="stated_by_rep")


def note_amount_facts(make: Maker, activity: Activity, currency: str | None) -> list[tuple[Fact, Variant]]:
    """Figures a rep wrote beside "budget" or "total": internal, with what they are compared by."""
    if activity.type not in OUR_NOTES or activity.direction == "inbound" or not activity.body:
        return []
    rec = Rec("activities", activity.id, make.show_day(make.owner_day(activity.at)) if activity.at else activity.id,
              activity.at)  # fmt: skip
    made = []
    for n, figure in enumerate(amounts_in(activity.body), start=1):
        unit = figure.currency or currency
        if not unit:
            continue
        name = f"{figure.topic}{n}"
        fact = make.fact(
            rec, name, "money", f"{figure.readings[0]:f}", figure.text, unit=unit, key=figure.topic, path="body",
            basis=STATED, visibility="internal",
        )  # fmt: skip
        made.append((fact, Variant(fact, f"note of {rec.name}, {activity.id}", figure=figure)))
    return made


def deal_group(
    make: Maker, facts: Mapping[str, Fact], deal: Deal, quotes: Sequence[Quote], orders: Sequence[Order],
    notes: Iterable[Variant],
) -> tuple[Variant, ...]:  # fmt: skip
    """What the deal's newest standing quote, its lines, the deal itself, its order and our notes say it is worth."""
    quote = quotes[-1] if quotes else None
    signed = [v for order in orders for v in _order_variants(make, facts, order)[:1]]
    quoted = _quote_variants(make, facts, quote) if quote else ()
    own = _deal_variants(make, facts, deal, quotes)
    return (*quoted, *signed, *own, *(n for n in notes if n.fact.id in facts))


def order_group(make: Maker, facts: Mapping[str, Fact], order: Order) -> tuple[Variant, ...]:
    return _order_variants(make, facts, order)


def foreign_currencies(context: Context, deal: Deal, quotes: Sequence[Quote]) -> tuple[str, ...]:
    """Currencies of the deal's documents that are not the deal's own."""
    given = {q.currency for q in quotes} | {o.currency for o in context.orders if o.deal_id == deal.id}
    return tuple(sorted(c for c in given if c and deal.currency and c != deal.currency))


def _quote_variants(make: Maker, facts: Mapping[str, Fact], quote: Quote) -> tuple[Variant, ...]:
    rec, name = Rec("quotes", quote.id, ""), quote.number or quote.id
    total, lines = facts.get(make.id_of(rec, "total")), facts.get(make.id_of(rec, "lines_total"))
    subtotal = facts.get(make.id_of(rec, "lines_subtotal"))
    given = [(total, f"total of quote {name}"), (lines, f"lines of quote {name}")]
    found = [Variant(f, where, lines=len(quote.lines)) for f, where in given if f]
    if subtotal and lines and not _same(total, lines):
        way = (Decimal(lines.value),)
        found.append(Variant(subtotal, f"lines of quote {name} before discount and freight", also=way, named=False))
    return tuple(found)


def _same(a: Fact | None, b: Fact | None) -> bool:
    return a is not None and b is not None and a.value == b.value


def _deal_variants(make: Maker, facts: Mapping[str, Fact], deal: Deal, quotes: Sequence[Quote]) -> tuple[Variant, ...]:
    rec, name = Rec("deals", deal.id, ""), deal.id
    amount, items = facts.get(make.id_of(rec, "amount")), facts.get(make.id_of(rec, "items_total"))
    totals = [q.total for q in quotes if q.total is not None and q.currency == deal.currency]
    found = []
    if amount:
        # Deals are often kept net of freight, or hold the sum of several quotes: the same statement.
        freight = quotes[-1].freight if quotes else None
        net = (Decimal(amount.value) + freight,) if freight else ()
        together = (totals[-1],) if len(totals) > 1 and sum(totals) == Decimal(amount.value) else ()
        found.append(Variant(amount, f"amount of deal {name}", also=(*net, *together)))
    if items:
        keep = 1 - (deal.discount_pct or Decimal(0)) / 100
        found.append(Variant(items, f"line items of deal {name}", also=(Decimal(items.value) * keep,)))
    return tuple(found)


def _order_variants(make: Maker, facts: Mapping[str, Fact], order: Order) -> tuple[Variant, ...]:
    rec, name = Rec("orders", order.id, ""), order.number or order.id
    total, lines = facts.get(make.id_of(rec, "total")), facts.get(make.id_of(rec, "lines_total"))
    bare = (Decimal(total.value) - order.freight,) if total and order.freight else ()
    given = [(total, f"total of order {name}", bare), (lines, f"lines of order {name}", ())]
    return tuple(Variant(f, where, also=also, lines=len(order.lines)) for f, where, also in given if f)
