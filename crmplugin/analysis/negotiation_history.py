"""What history says in a negotiation, and the standards a price can be held against: discounts, wins, last prices."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from statistics import quantiles

from crmplugin.analysis import sheet
from crmplugin.analysis.fit.population import closed_outcome
from crmplugin.analysis.negotiation import (
    PRICE_CASES,
    BandRate,
    chance_of_beating,
    confidence,
    payment_delay,
    pooled_rate,
    price_by_volume,
    stacked,
    trend,
    win_rates,
)
from crmplugin.analysis.negotiation_table import Table, day_of, product_name
from crmplugin.analysis.sheet import SheetLine, Val, say
from crmplugin.analysis.wilson import wilson
from crmplugin.domain.crm import Order

LAST_DISCOUNTS = 6


def history_lines(t: Table) -> Iterator[SheetLine]:
    yield from _discount_history(t)
    late = payment_delay(t.orders)
    if late:
        words = "payment_early" if late[0] < 0 else "payment_delay"
        yield say("history", "payment_delay", words, days=sheet.days(abs(round(late[0], 1))), n=sheet.count(late[1]))
    yield from _volume_prices(t)
    yield from _own_deals(t)
    yield from _win_rates(t)
    yield from _same_goods(t)


def _own_deals(t: Table) -> Iterator[SheetLine]:
    """How the account's other deals ended."""
    ended = [(d.closed_at, d.id, d) for d in t.context.deals if d.id != t.deal.id and closed_outcome(d)
             and d.closed_at and d.closed_at <= t.now]  # fmt: skip
    if not ended:
        return
    newest = max(ended)[2]
    won = sum(closed_outcome(d) == "won" for *_, d in ended)
    yield say(
        "history", "own_deals", f"own_deals_{closed_outcome(newest)}", won=sheet.count(won),
        lost=sheet.count(len(ended) - won), on=day_of(t, newest.closed_at),
        sources=(("deals", newest.id, "closed_at"),),
    )  # fmt: skip


def _same_goods(t: Table) -> Iterator[SheetLine]:
    """Where no discount is on record: how deals about the same goods ended, and for how much they were won."""
    deals = t.same_goods
    if any(d.get("discount_pct") is not None for d in t.similar) or not deals:
        return
    k, n = sum(bool(d["won"]) for d in deals), len(deals)
    goods = sheet.text(", ".join(product_name(t, p) for p in t.product_ids))
    if confidence(n) == "cases":
        yield say("history", "same_goods", "same_goods_cases", goods=goods, k=sheet.count(k), n=sheet.count(n))
        return
    low, high = wilson(k, n)
    yield SheetLine(
        "history", "same_goods", "same_goods", n=n, interval=(f"{low:.4f}", f"{high:.4f}"), confidence=confidence(n),
        args={"goods": goods, "k": sheet.count(k), "n": sheet.count(n),
              "rate": sheet.percent(Decimal(k) / n * 100, 1), "from_": sheet.percent(low * 100, 1),
              "to": sheet.percent(high * 100, 1), "sure": sheet.word(f"confidence.{confidence(n)}")},
    )  # fmt: skip
    yield from _won_amounts(t, goods)


def _won_amounts(t: Table, goods: Val) -> Iterator[SheetLine]:
    """The middle half of what such deals were won for, in the currency most of them have; three or more."""
    amounts: dict[str, list[Decimal]] = {}
    for d in t.same_goods:
        if d["won"] and d.get("amount") is not None and d.get("currency"):
            amounts.setdefault(d["currency"], []).append(Decimal(str(d["amount"])))
    currency = t.numbers.currency or max(sorted(amounts), key=lambda c: len(amounts[c]), default="")
    known = sorted(amounts.get(currency, ()))
    if len(known) < PRICE_CASES:
        return
    first, middle, third = (sheet.money(q, currency) for q in quantiles(known, n=4, method="inclusive"))
    yield say("history", "won_amounts", goods=goods, low=first, middle=middle, high=third, n=sheet.count(len(known)))


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
        yield say("history", "win_rates", "no_discounts" if t.same_goods else "no_similar")
        return
    yield from (_rate_line(index, rate) for index, rate in enumerate(rates, start=1) if rate.n)
    low, deep = rates[0], rates[-1]
    if low.n >= 3 and deep.n >= 3:
        pooled = pooled_rate(sum(r.k for r in rates), sum(r.n for r in rates))
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
    n, known = t.numbers, t.numbers.list_amount is not None
    if n.list_amount:
        yield say("anchors", "anchor_list", price=t.money(n.list_amount.value), inputs=(t.pointer("list_amount"),))
    for product_id, order, price in last_paid(t):
        yield say(
            "anchors", f"last_paid_{product_id}", "last_paid", sources=(("orders", order.id, "ordered_at"),),
            product=sheet.text(product_name(t, product_id)), price=sheet.money(price, order.currency or ""),
            on=day_of(t, order.ordered_at),
        )  # fmt: skip
        known = True
    for product in t.unit_prices:
        known = True
        yield say(
            "anchors", f"anchor_{product.id}", "anchor_unit", inputs=(("products", product.id, "list_price"),),
            product=sheet.text(product_name(t, product.id)),
            price=sheet.money(product.list_price or Decimal(0), product.currency or ""),
        )  # fmt: skip
    if not known:
        yield say("anchors", "no_anchor")


def last_paid(t: Table) -> Iterator[tuple[str, Order, Decimal]]:
    """The last net unit price the account paid for each product of the deal, in the deal's currency."""
    for product_id in t.product_ids:
        for order in reversed([o for o in t.orders if o.currency and o.currency == t.numbers.currency]):
            line = next((x for x in order.lines if x.product_id == product_id and (x.quantity or 0) > 0), None)
            if line and line.unit_price is not None:
                yield product_id, order, line.unit_price * (1 - (line.discount_pct or Decimal(0)) / 100)
                break
