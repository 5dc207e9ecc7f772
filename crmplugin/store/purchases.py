"""Orders as far as learning needs them: half a million lines are read after an import, and most are alike."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crmplugin.domain.crm import Order, OrderLine
from crmplugin.domain.records import Document

BOUGHT, RETURNED, NONE = Decimal(1), Decimal(-1), Decimal(0)


def purchase_of(doc: Document) -> Order:
    """The order with its time and, line by line, its product and the sign of its quantity."""
    at = doc.get("ordered_at")
    lines = [_line(line.get("product_id"), _sign(line.get("quantity"))) for line in doc.get("lines", ())]
    return Order(doc["id"], ordered_at=datetime.fromisoformat(at) if at else None, lines=tuple(lines))


def dealing_of(doc: Document) -> Order:
    """The order with its time, sum, products and quantities: what segments ask for."""
    at, total = doc.get("ordered_at"), doc.get("total")
    lines = tuple(_line(line.get("product_id"), _number(line.get("quantity"))) for line in doc.get("lines") or ())
    return Order(
        doc["id"],
        ordered_at=datetime.fromisoformat(at) if at else None,
        currency=doc.get("currency"),
        total=None if total is None else Decimal(str(total)),
        lines=lines,
    )


def _number(quantity: Any) -> Decimal | None:
    return None if quantity is None else _decimal(str(quantity))


_decimal = lru_cache(maxsize=10_000)(Decimal)


def _sign(quantity: Any) -> Decimal | None:
    if quantity is None:
        return None
    if type(quantity) is str and quantity[0] in "123456789":
        return BOUGHT
    value = Decimal(str(quantity))
    return BOUGHT if value > 0 else RETURNED if value < 0 else NONE


@lru_cache(maxsize=100_000)
def _line(product_id: str | None, quantity: Decimal | None) -> OrderLine:
    return OrderLine(product_id=product_id, quantity=quantity)
