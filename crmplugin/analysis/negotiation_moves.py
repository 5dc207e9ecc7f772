"""What may be given in a negotiation, in which order, and what to ask in return: concessions, trades, packages."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crmplugin.analysis import sheet
from crmplugin.analysis.negotiation import (
    concession_ladder,
    earlier_payment_value,
    equal_packages,
    second_year_value,
)
from crmplugin.analysis.negotiation_table import Table, typed
from crmplugin.analysis.sheet import SheetLine, say
from crmplugin.domain.crm import Price


def concession_lines(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    listed = n.list_amount.value if n.list_amount else None
    within = n.target_pct if n.limit.pct is None or n.target_pct is None else min(n.target_pct, n.limit.pct)
    steps = concession_ladder(listed, within, current_pct=max(n.given_pct or Decimal(0), Decimal(0)))
    for index, step in enumerate(steps, start=1):
        yield typed("concessions", f"ladder{index}", t.money(step.price), f"list less {step.discount_pct:f} %",
                     (t.pointer("list_amount"), t.pointer("target_discount_pct")), words="ladder")  # fmt: skip
    if not steps:
        yield say("concessions", "ladder", "no_ladder")
        return
    yield say("concessions", "ladder_rule")
    if n.target_pct is not None and n.limit.pct is not None and n.target_pct > n.limit.pct:
        yield say("concessions", "target_above_limit", limit=sheet.percent(n.limit.pct))
    yield say("concessions", "reserve")


def trade_lines(t: Table) -> Iterator[SheetLine]:
    n, policy = t.numbers, t.context.policy
    price = n.target_price or (n.quoted.value if n.quoted else None)
    if policy is None:
        yield say("trades", "trades", "no_policy")
        return
    standard = policy.terms_days.standard if policy.terms_days else None
    for allowed in policy.terms_days.allowed if policy.terms_days else ():
        worth = _earlier(price, policy.capital_cost_pct, standard, allowed)
        if worth is not None and price:
            yield say("trades", f"trade_days_{allowed}", "trade_days", days=sheet.days(allowed), value=t.money(worth),
                      pct=sheet.percent(worth / price * 100, 1))  # fmt: skip
    second = _second_year(t, price)
    if second is not None:
        yield say("trades", "trade_term", value=t.money(second))
    yield from volume_lines(t)
    for index, trade in enumerate(policy.trades, start=1):
        if trade.text:
            yield _trade_line(index, trade.text, trade.value, trade.currency)
    yield from package_lines(t)
    for index, clause in enumerate(policy.clauses, start=1):
        if clause.text:
            yield say("trades", f"clause{index}", "clause", text=sheet.text(clause.text))
    if not (policy.trades or policy.clauses or (policy.terms_days and policy.terms_days.allowed) or second):
        yield say("trades", "trades", "no_trades")


def package_lines(t: Table) -> Iterator[SheetLine]:
    """Two or three offers of the same worth to us, so that they can choose; none goes below what may be given."""
    n, policy = t.numbers, t.context.policy
    price = n.target_price or (n.quoted.value if n.quoted else None)
    if price is None or policy is None:
        return
    allowed = n.limit_price
    if allowed is None and n.limit.pct is not None:
        allowed = price * (1 - n.limit.pct / 100)  # the list is unknown: what is offered stands for it
    least = max((p for p in (allowed, n.walk_away) if p is not None), default=None)
    valued = [(x.text, x.value) for x in policy.trades if x.text and x.value and x.currency == n.currency]
    for index, package in enumerate(equal_packages(price, valued, least=least), start=1):
        key, shown = f"package{index}", t.money(package.price)
        if package.get:
            yield say("trades", key, "package", price=shown, text=sheet.text(package.get))
        else:
            yield say("trades", key, "package_plain", price=shown)


def volume_lines(t: Table) -> Iterator[SheetLine]:
    """What the next quantity break is worth: the margin of the larger order less the margin of this one."""
    products = {p.id: p for p in t.context.products}
    for line in t.quote.lines if t.quote else ():
        product, quantity = products.get(line.product_id or ""), line.quantity
        if product is None or product.cost is None or product.currency != t.numbers.currency or not quantity:
            continue
        rows = [p for p in t.context.prices if p.product_id == product.id and p.currency == product.currency
                and p.min_quantity is not None and p.min_quantity > quantity and p.unit_price is not None
                and p.company_id in (None, t.deal.company_id) and _holds(p, t)]  # fmt: skip
        step = min(rows, key=lambda p: (p.min_quantity or quantity, p.id), default=None)
        if step is None or step.unit_price is None or step.min_quantity is None or line.unit_price is None:
            continue
        net = line.unit_price * (1 - (line.discount_pct or Decimal(0)) / 100)
        extra = step.min_quantity * (step.unit_price - product.cost) - quantity * (net - product.cost)
        if extra > 0:
            yield say("trades", f"volume_{product.id}", "trade_volume", product=sheet.text(product.name or product.id),
                      quantity=sheet.number(step.min_quantity, 0), now=sheet.number(quantity, 0),
                      value=t.money(extra))  # fmt: skip


def _holds(price: Price, t: Table) -> bool:
    today = t.now.date()
    return (price.valid_from or today) <= today <= (price.valid_until or today)


def _trade_line(index: int, words: str, value: Decimal | None, currency: str | None) -> SheetLine:
    if value is None or not currency:
        return say("trades", f"trade{index}", "trade_unvalued", text=sheet.text(words))
    return say("trades", f"trade{index}", "trade", text=sheet.text(words), value=sheet.money(value, currency))


def _earlier(
    price: Decimal | None, capital_cost_pct: Decimal | None, standard: Decimal | None, allowed: Decimal
) -> Decimal | None:
    if price is None or standard is None or allowed >= standard:
        return None
    return earlier_payment_value(price, capital_cost_pct, standard - allowed)


def _second_year(t: Table, price: Decimal | None) -> Decimal | None:
    """The value of a two-year term where the deal is paid yearly: an account with a contract."""
    cost, policy = t.numbers.cost, t.context.policy
    if price is None or cost is None or policy is None or not t.context.contracts:
        return None
    return second_year_value(price - cost.value, policy.base_renewal_pct, policy.capital_cost_pct)
