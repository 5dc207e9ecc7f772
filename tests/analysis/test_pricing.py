"""Sums of documents and the price that applies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from crmplugin.analysis.pricing import document_total, lines_subtotal, price_for
from crmplugin.domain.crm import Price, Product, QuoteLine

D = Decimal
DAY = date(2026, 3, 11)
METER = Product("FM-300", list_price=D(2400), currency="EUR")


def applied(*prices: Price, product: Product = METER, quantity: int = 5) -> tuple[Decimal, str] | None:
    found = price_for(product, prices, company_id="CO-1", quantity=D(quantity), currency="EUR", day=DAY)
    return (found.unit_price, found.record_id) if found else None


def price(id: str, unit_price: int, **changes: Any) -> Price:
    return Price(id, **({"product_id": "FM-300", "unit_price": D(unit_price), "currency": "EUR"} | changes))


def test_discounts_of_lines_then_of_the_document_then_freight():
    lines = [
        QuoteLine(quantity=D(10), unit_price=D(2400), discount_pct=D(10)),
        QuoteLine(quantity=D(2), unit_price=D(390)),
    ]

    assert lines_subtotal(lines) == D(22380)
    assert document_total(D(22380), D(5), D(120)) == D(21381)


def test_no_lines_make_no_sum():
    assert lines_subtotal([]) is None
    assert document_total(None, None, D(480)) is None


def test_a_negative_quantity_gives_back():
    lines = [QuoteLine(quantity=D(3), unit_price=D(100)), QuoteLine(quantity=D(-1), unit_price=D(100))]

    assert lines_subtotal(lines) == D(200)


def test_own_price_then_break_then_newest():
    everybody, newer = price("P-1", 2300), price("P-2", 2350, valid_from=date(2026, 1, 1))
    volume, own = price("P-3", 2200, min_quantity=D(5)), price("P-4", 2380, company_id="CO-1")

    assert applied(everybody, newer) == (D(2350), "P-2")
    assert applied(everybody, newer, volume) == (D(2200), "P-3")
    assert applied(everybody, newer, volume, own) == (D(2380), "P-4")
    assert applied(volume, quantity=4) == (D(2400), "FM-300")


def test_a_catalogue_price_of_the_future_does_not_apply_yet():
    coming = Product("FM-300", list_price=D(2496), currency="EUR", valid_from=date(2026, 3, 12))

    assert applied(product=coming) is None
    assert applied(price("P-1", 2400), product=coming) == (D(2400), "P-1")


def test_first_and_last_day_of_a_row_count():
    row = price("P-1", 2000, valid_from=DAY, valid_until=DAY)

    assert applied(row) == (D(2000), "P-1")
