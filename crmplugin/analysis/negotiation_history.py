"""What history says in a negotiation, and the standards a price can be held against: discounts, wins, last prices."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crmplugin.analysis import sheet
from crmplugin.analysis.negotiation import (
    BandRate,
    chance_of_beating,
    confidence,
    payment_delay,
    price_by_volume,
    stacked,
    trend,
    win_rates,
)
from crmplugin.analysis.negotiation_table import Table, day_of, product_name
from crmplugin.analysis.sheet import SheetLine, say
from crmplugin.domain.crm import Order

LAST_DISCOUNTS = 6


def history_lines(t: Table) -> Iterator[SheetLine]:
    yield from _discount_history(t)
    late = payment_delay(t.orders)
    if late:
        yield say("history", "payment_delay", days=sheet.days(round(late[0], 1)), n=sheet.count(late[1]))
    yield from _volume_prices(t)
    yield from _win_rates(t)


def _volume_prices(t: Table) -> Iterator[SheetLine]:
    """The median net price they paid by quantity, for products of the deal bought three times or more in a band."""
    for product_id in t.product_ids:
        paid = [
            (x.quantity, x.unit_price * (1 - (x.discount_pct or Decimal(0)) / 100))
            for o in t.orders if o.currency and o.currency == t.numbers.currency
            for x in o.lines if x.product_id == product_id and x.quantity and x.quantity > 0 and x.unit_price
        ]  # fmt: skip
        rows = (p.min_quantity for p in t.context.prices if p.product_id == product_id and p.min_quantity)
        for start, price, n in price_by_volume(paid, sorted({Decimal(0), *rows})):
            yield SheetLine(
                "history", f"price_volume_{product_id}_{start:f}", "price_volume", n=n, confidence=confidence(n),
                args={"product": sheet.text(product_name(t, product_id)), "start": sheet.number(start, 0),
                      "price": t.money(price), "n": sheet.count(n)},
            )  # fmt: skip


def _discount_history(t: Table) -> Iterator[SheetLine]:
    given = [(o, stacked([_line_discount(o)])) for o in t.orders if _line_discount(o) is not None]
    for order, pct in given[-LAST_DISCOUNTS:]:
        yield say(
            "history", f"history_{order.id}", "history_order", sources=(("orders", order.id, "ordered_at"),),
            order=sheet.text(order.number or order.id), on=day_of(t, order.ordered_at), pct=sheet.percent(pct),
        )  # fmt: skip
    direction = trend([pct for _, pct in given])
    if direction:
        yield say("history", "discount_trend", trend=sheet.word(f"trend.{direction}"), n=sheet.count(len(given)))
    if not given:
        yield say("history", "discount_history", "no_discount_history")


def _line_discount(order: Order) -> Decimal | None:
    """The order's discount over all its lines, weighted by value; None when no line states one."""
    priced = [
        (x.quantity * x.unit_price, x.discount_pct)
        for x in order.lines
        if x.quantity and x.quantity > 0 and x.unit_price
    ]
    gross = sum((value for value, _ in priced), Decimal(0))
    if not gross or all(pct is None for _, pct in priced):
        return None
    return sum((value * (pct or Decimal(0)) for value, pct in priced), Decimal(0)) / gross


def _win_rates(t: Table) -> Iterator[SheetLine]:
    rates = win_rates(t.similar)
    if not rates:
        yield say("history", "win_rates", "no_similar")
        return
    for index, rate in enumerate(rates, start=1):
        yield _rate_line(index, rate)
    low, deep = rates[0], rates[-1]
    if low.n >= 3 and deep.n >= 3:
        pooled = Decimal(sum(r.k for r in rates)) / sum(r.n for r in rates)
        chance = chance_of_beating(deep, low, pooled)
        yield say("history", "not_cause", chance=sheet.percent(chance * 100, 0))


def _rate_line(index: int, rate: BandRate) -> SheetLine:
    args = {"k": sheet.count(rate.k), "n": sheet.count(rate.n), "low": sheet.number(rate.from_pct, 0),
            "high": sheet.number(rate.to_pct, 0) if rate.to_pct else sheet.text("")}  # fmt: skip
    words = "win_cases" if rate.confidence == "cases" or rate.rate is None else "win_rate"
    if words == "win_rate" and rate.rate is not None and rate.low is not None and rate.high is not None:
        shares = {"rate": rate.rate, "from_": rate.low, "to": rate.high, "shrunk": rate.shrunk}
        args |= {name: sheet.percent(share * 100, 1) for name, share in shares.items()}
        args["sure"] = sheet.word(f"confidence.{rate.confidence}")
    interval = (f"{rate.low:.4f}", f"{rate.high:.4f}") if rate.low is not None and rate.high is not None else None
    return SheetLine(
        "history", f"win_rate{index}", words if rate.to_pct else f"{words}_above", args=args, n=rate.n,
        interval=interval, confidence=rate.confidence,
    )  # fmt: skip


def anchor_lines(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.list_amount:
        yield say("anchors", "anchor_list", price=t.money(n.list_amount.value), inputs=(t.pointer("list_amount"),))
    for product_id, order, price in last_paid(t):
        yield say(
            "anchors", f"last_paid_{product_id}", "last_paid", sources=(("orders", order.id, "ordered_at"),),
            product=sheet.text(product_name(t, product_id)), price=sheet.money(price, order.currency or ""),
            on=day_of(t, order.ordered_at),
        )  # fmt: skip
    if n.list_amount is None:
        yield say("anchors", "no_anchor")


def last_paid(t: Table) -> Iterator[tuple[str, Order, Decimal]]:
    """The last net unit price the account paid for each product of the deal, in the deal's currency."""
    for product_id in t.product_ids:
        for order in reversed([o for o in t.orders if o.currency and o.currency == t.numbers.currency]):
            line = next((x for x in order.lines if x.product_id == product_id and (x.quantity or 0) > 0), None)
            if line and line.unit_price is not None:
                yield product_id, order, line.unit_price * (1 - (line.discount_pct or Decimal(0)) / 100)
                break
