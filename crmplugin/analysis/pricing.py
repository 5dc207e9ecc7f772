"""What a document adds up to, and which price applies today. One currency at a time; nothing is converted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from crmplugin.domain.crm import Price, Product, Quote

HUNDRED = Decimal(100)


class PricedLine(Protocol):
    """A line of a quote, an order or a deal."""

    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def unit_price(self) -> Decimal | None: ...
    @property
    def discount_pct(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class PriceFound:
    """A unit price with the record and field it stands in."""

    unit_price: Decimal
    currency: str
    collection: str
    record_id: str
    field: str


def lines_subtotal(lines: Iterable[PricedLine]) -> Decimal | None:
    """Sum of quantity × unit price × (1 − line discount), exact; None without lines or when a line is incomplete."""
    total, any_line = Decimal(0), False
    for line in lines:
        if line.quantity is None or line.unit_price is None:
            return None
        any_line = True
        total += line.quantity * line.unit_price * (1 - (line.discount_pct or Decimal(0)) / HUNDRED)
    return total if any_line else None


def document_total(subtotal: Decimal | None, discount_pct: Decimal | None, freight: Decimal | None) -> Decimal | None:
    """The subtotal less the document's discount, plus freight."""
    if subtotal is None:
        return None
    return subtotal * (1 - (discount_pct or Decimal(0)) / HUNDRED) + (freight or Decimal(0))


def quote_total(quote: Quote) -> Decimal | None:
    """What the quote's own lines come to, with its discount and freight."""
    return document_total(lines_subtotal(quote.lines), quote.discount_pct, quote.freight)


def price_for(
    product: Product, prices: Iterable[Price], *, company_id: str | None, quantity: Decimal, currency: str, day: date
) -> PriceFound | None:
    """The price that applies on a day: the company's own row, then the highest quantity break reached, then the newest.

    The catalogue's list price counts as a row for everybody, from quantity one; None when no price is known to apply.
    """
    rows = [p for p in prices if _applies(p, product.id, company_id, quantity, currency, day)]
    ranked = [
        (_rank(p), PriceFound(p.unit_price, currency, "prices", p.id, "unit_price")) for p in rows if p.unit_price
    ]
    if product.list_price and product.currency == currency and _begun(product.valid_from, day):
        listed = PriceFound(product.list_price, currency, "products", product.id, "list_price")
        ranked.append(((0, Decimal(1), product.valid_from or date.min), listed))
    return max(ranked, key=lambda r: r[0])[1] if ranked else None


def _rank(price: Price) -> tuple[int, Decimal, date]:
    return (1 if price.company_id else 0, price.min_quantity or Decimal(1), price.valid_from or date.min)


def _applies(
    price: Price, product_id: str, company_id: str | None, quantity: Decimal, currency: str, day: date
) -> bool:
    return (
        price.product_id == product_id
        and price.company_id in (None, company_id)
        and price.currency == currency
        and (price.min_quantity is None or price.min_quantity <= quantity)
        and _begun(price.valid_from, day)
        and (price.valid_until is None or day <= price.valid_until)
    )


def _begun(valid_from: date | None, day: date) -> bool:
    return valid_from is None or valid_from <= day
