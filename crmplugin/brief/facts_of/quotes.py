"""Facts of quotes: number, dates, totals, lines; and what an expired one would cost at today's prices (internal)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from crmplugin.analysis.pricing import HUNDRED, document_total, lines_subtotal, price_for, quote_total
from crmplugin.brief.facts_of.making import Maker, Rec, computed, plain
from crmplugin.domain.brief import Warning
from crmplugin.domain.crm import Context, Product, Quote, QuoteLine
from crmplugin.domain.fact import Fact


def quote_rec(quote: Quote, *, stands: bool) -> Rec:
    """A quote as a source; one that was replaced or never sent is internal."""
    return Rec("quotes", quote.id, quote.number or quote.id, quote.sent_at, visibility=None if stands else "internal")


def quote_facts(
    make: Maker, quote: Quote, *, currency: str | None, products: Mapping[str, Product], stands: bool
) -> list[Fact | None]:
    """All facts of one quote. `currency` is the quote's, or the deal's where the quote names none."""
    rec = quote_rec(quote, stands=stands)
    until = quote.valid_until
    number = quote.number or quote.id
    return [
        make.text(rec, "number", number, kind="doc_id", path="number" if quote.number else "id"),
        make.day(rec, "valid_until", until, valid_until=until),
        make.day(rec, "sent_on", quote.sent_at, path="sent_at"),
        make.money(rec, "total", quote.total, currency, valid_until=until),
        make.money(rec, "freight", quote.freight, currency, valid_until=until),
        make.percent(rec, "discount_pct", quote.discount_pct, valid_until=until),
        *(f for i, line in enumerate(quote.lines) for f in _line_facts(make, rec, quote, i, line, currency, products)),
        *_sums(make, rec, quote, currency),
    ]


def price_today_facts(
    make: Maker, quote: Quote, context: Context, *, currency: str, day: date
) -> tuple[list[Fact | None], Warning | None]:
    """For an expired quote: unit prices that apply on `day`, the new total with its arithmetic, and the warning."""
    found, inputs, total = list[Fact | None](), list[str](), Decimal(0)
    terms, english = list[str](), list[str]()
    rec = Rec("quotes", quote.id, quote.number or quote.id, quote.sent_at, visibility="internal")
    products = {p.id: p for p in context.products}
    for index, line in enumerate(quote.lines):
        fact, price = _price_today(make, rec, index, line, context, products, currency, day)
        if fact is None or price is None or line.quantity is None:
            return found, None
        found.append(fact)
        inputs += [f"{fact.id.removesuffix('price_today')}quantity", fact.id]
        keep = 1 - (line.discount_pct or Decimal(0)) / HUNDRED
        total += line.quantity * price * keep
        terms.append(_times(make, line.quantity, price, line.discount_pct))
        english.append(_times(make.in_english, line.quantity, price, line.discount_pct))
    new = document_total(total, quote.discount_pct, quote.freight) if quote.lines else None
    if new is None:
        return found, None
    formula = _sum_text(make, terms, quote, new, currency)
    basis = computed(formula, *inputs, *_extras(make, rec, quote))
    found.append(make.money(rec, "total_today", new, currency, basis=basis, source=()))
    return found, _expired_warning(make.in_english, quote, rec, english, total=new, currency=currency)


def _line_facts(
    make: Maker, rec: Rec, quote: Quote, index: int, line: QuoteLine, currency: str | None,
    products: Mapping[str, Product],
) -> list[Fact | None]:  # fmt: skip
    product = products.get(line.product_id or "")
    name = product.name if product else None
    own = rec.line(index, rec.name)
    label = {"product": name or line.description or f"{index + 1}"}
    until = quote.valid_until
    unit = product.unit if product else None
    return [
        make.quantity(own, "quantity", line.quantity, unit=unit, key="line.quantity", names=label),
        make.product(own, "product", product, path="product_id", key="line.product", names=label),
        make.text(own, "description", line.description, key="line.description", names=label),
        make.money(own, "unit_price", line.unit_price, currency, key="line.unit_price", names=label, valid_until=until),
        make.percent(own, "discount_pct", line.discount_pct, key="line.discount_pct", names=label, valid_until=until),
    ]  # fmt: skip


def _sums(make: Maker, rec: Rec, quote: Quote, currency: str | None) -> list[Fact | None]:
    """The sum of the lines before and after the quote's discount and freight, as computed facts."""
    subtotal, total = lines_subtotal(quote.lines), quote_total(quote)
    if subtotal is None or total is None or not currency:
        return []
    terms = [
        _times(make, line.quantity, line.unit_price, line.discount_pct)
        for line in quote.lines
        if line.quantity is not None and line.unit_price is not None
    ]
    inputs = _line_ids(make, rec, quote)
    until = quote.valid_until
    sums = [make.money(
        rec, "lines_total", total, currency, valid_until=until, source=(make.source(rec, "lines"),),
        basis=computed(_sum_text(make, terms, quote, total, currency), *inputs, *_extras(make, rec, quote)),
    )]  # fmt: skip
    if subtotal != total:
        plus = f"{' + '.join(terms)} = {make.show_money(subtotal, currency)}"
        sums.append(make.money(
            rec, "lines_subtotal", subtotal, currency, valid_until=until, source=(make.source(rec, "lines"),),
            basis=computed(plus, *inputs),
        ))  # fmt: skip
    return sums


def _line_ids(make: Maker, rec: Rec, quote: Quote) -> list[str]:
    ids = []
    for index, line in enumerate(quote.lines):
        own = rec.line(index, rec.name)
        ids += [make.id_of(own, "quantity"), make.id_of(own, "unit_price")]
        if line.discount_pct is not None:
            ids.append(make.id_of(own, "discount_pct"))
    return ids


def _extras(make: Maker, rec: Rec, quote: Quote) -> list[str]:
    given = (("discount_pct", quote.discount_pct), ("freight", quote.freight))
    return [make.id_of(rec, name) for name, value in given if value is not None]


def _times(make: Maker, quantity: Decimal | None, price: Decimal | None, discount_pct: Decimal | None) -> str:
    less = f" × (1 - {plain(discount_pct)} %)" if discount_pct else ""
    return f"{make.show_number(quantity)} × {make.show_number(price)}{less}"


def _sum_text(make: Maker, terms: list[str], quote: Quote, total: Decimal, currency: str) -> str:
    """`5 × 2,496 + 480 = €12,960.00`: the arithmetic as a person would check it."""
    sum_of = " + ".join(terms)
    if quote.discount_pct:
        sum_of = f"({sum_of}) × (1 - {plain(quote.discount_pct)} %)"
    if quote.freight:
        sum_of += f" + {make.show_number(quote.freight)}"
    return f"{sum_of} = {make.show_money(total, currency)}"


def _price_today(
    make: Maker, rec: Rec, index: int, line: QuoteLine, context: Context, products: Mapping[str, Product],
    currency: str, day: date,
) -> tuple[Fact | None, Decimal | None]:  # fmt: skip
    product = products.get(line.product_id or "")
    if product is None or line.quantity is None:
        return None, None
    company_id = context.company.id if context.company else None
    price = price_for(
        product, context.prices, company_id=company_id, quantity=line.quantity, currency=currency, day=day
    )
    if price is None:
        return None, None
    source = make.source(Rec(price.collection, price.record_id, ""), price.field)
    own = rec.line(index, rec.name)
    names = {"product": product.name or product.id}
    fact = make.money(
        own, "price_today", price.unit_price, currency, key="line.price_today", names=names, source=(source,)
    )
    return fact, price.unit_price


def _expired_warning(
    make: Maker, quote: Quote, rec: Rec, terms: list[str], *, total: Decimal, currency: str
) -> Warning:
    ended = make.show_day(quote.valid_until) if quote.valid_until else "?"
    old = quote.total if quote.total is not None else quote_total(quote)
    text = (
        f"Decide whether {rec.name} is extended or quoted anew before you name a price: it ended on {ended}. "
        f"{_change_since(make, old, total, _sum_text(make, terms, quote, total, currency), currency)} (internal)."
    )
    return Warning("expired_quote", text, (make.id_of(rec, "valid_until"), make.id_of(rec, "total_today")))


def _change_since(make: Maker, old: Decimal | None, total: Decimal, formula: str, currency: str) -> str:
    if old is not None and old == total:
        return f"The prices are unchanged: it still comes to {formula}"
    before = f" instead of {make.show_money(old, currency)}" if old is not None else ""
    return f"At the prices valid today it comes to {formula}{before}"
