"""The negotiation sheet (sales-craft §3.1): fourteen sections of lines, each with what it rests on. Internal only.

What is unknown is said as unknown; a rate from fewer than three cases is printed as cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.analysis import sheet
from crmplugin.analysis.amounts import OUR_NOTES, amounts_in
from crmplugin.analysis.cadence import is_human
from crmplugin.analysis.negotiation import (
    BandRate,
    break_even_on_margin,
    chance_of_beating,
    concession_ladder,
    earlier_payment_value,
    payment_delay,
    second_year_value,
    similar_deals,
    stacked,
    trend,
    win_rates,
    zopa,
)
from crmplugin.analysis.negotiation_numbers import Known, Numbers, read_numbers
from crmplugin.analysis.objections import find_objections
from crmplugin.analysis.people import gaps_among, people_of
from crmplugin.analysis.sheet import Pointer, SheetLine, Val, say, show
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Activity, Contact, Context, Deal, Order, Quote
from crmplugin.ports import Population

SECTIONS = (
    "summary", "interests", "alternatives", "numbers", "history", "anchors", "concessions", "trades", "objections",
    "people", "time", "risks", "questions", "unknowns",
)  # fmt: skip
TERM_MONTHS = 24
KNOWN_ROLES = frozenset(
    {"economic_buyer", "champion", "user", "influencer", "blocker", "technical_buyer", "decision_maker"}
)
"""Roles of a contact that have words; another one is shown as it stands."""
LAST_DISCOUNTS = 6
MOST_NOTES = 30
MOST_TALKS = 10


@dataclass(frozen=True)
class Table:
    """What the sections of one sheet are read from."""

    context: Context
    deal: Deal
    population: Population
    signals: Signals
    now: datetime
    zone: str = "UTC"

    @cached_property
    def quote(self) -> Quote | None:
        return next((q for q in self.context.quotes if q.id == self.signals.quote_id), None)

    @cached_property
    def numbers(self) -> Numbers:
        return read_numbers(self.context, self.deal, self.quote, self.now)

    @cached_property
    def similar(self) -> tuple[Mapping[str, Any], ...]:
        n = self.numbers
        amount = n.list_amount or n.quoted
        return similar_deals(
            self.population.closed_deals, product_ids=self.product_ids, amount=amount.value if amount else None,
            currency=n.currency, industry=self.context.company.industry if self.context.company else None,
            deal_id=self.deal.id, now=self.now,
        )  # fmt: skip

    @cached_property
    def talks(self) -> tuple[Activity, ...]:
        """The newest messages and notes of the deal that are not ours to the customer, newest first."""
        own = [a for a in self.context.activities if a.deal_id == self.deal.id and a.body and a.at]
        heard = [a for a in own if a.direction != "outbound" and a.at and a.at <= self.now and is_human(a)]
        return tuple(sorted(heard, key=lambda a: (a.at or self.now, a.id), reverse=True)[:MOST_TALKS])

    @cached_property
    def budget(self) -> tuple[Decimal, Pointer] | None:
        """The newest budget figure in our notes of the deal (hearsay)."""
        own = [a for a in self.context.activities if a.deal_id == self.deal.id and a.body and a.at]
        notes = [a for a in own if a.type in OUR_NOTES and a.direction != "inbound"]
        for note in sorted(notes, key=lambda a: (a.at or self.now, a.id), reverse=True)[:MOST_NOTES]:
            for n, figure in enumerate(amounts_in(note.body or ""), start=1):
                if figure.topic == "budget" and figure.currency in (None, self.numbers.currency):
                    return figure.readings[0], ("activities", note.id, f"budget{n}")
        return None

    @cached_property
    def product_ids(self) -> tuple[str, ...]:
        lines = self.quote.lines if self.quote else ()
        items = (i.product_id for i in self.context.line_items if i.deal_id == self.deal.id)
        return tuple(dict.fromkeys(p for p in (*self.deal.product_ids, *items, *(x.product_id for x in lines)) if p))

    @cached_property
    def orders(self) -> tuple[Order, ...]:
        """The account's orders so far, oldest first."""
        known = [o for o in self.context.orders if o.ordered_at and o.ordered_at <= self.now]
        return tuple(sorted(known, key=lambda o: (o.ordered_at or self.now, o.id)))

    def money(self, value: Decimal) -> Val:
        return sheet.money(value, self.numbers.currency or "")

    def pointer(self, field: str) -> Pointer:
        return ("deals", self.deal.id, field)


def negotiation_sheet(
    context: Context, population: Population, signals: Signals, now: datetime, *, zone: str = "UTC"
) -> tuple[SheetLine, ...]:
    """The lines of the deal in the order of the sections; empty without a deal. Days are those of `zone`."""
    if context.deal is None:
        return ()
    table = Table(context, context.deal, population, signals, now, zone)
    return tuple(line for write in _WRITERS for line in write(table))


def negotiation_amounts(
    context: Context, population: Population, signals: Signals, now: datetime, *, zone: str = "UTC"
) -> tuple[SheetLine, ...]:
    """Only the typed amounts: what no text to a customer may show."""
    if context.deal is None:
        return ()
    table = Table(context, context.deal, population, signals, now, zone)
    return tuple(line for write in (_numbers, _concessions) for line in write(table) if line.kind != "text")


def _summary(t: Table) -> Iterator[SheetLine]:
    yield show("summary", t.pointer("stage"))
    if t.numbers.quoted:
        yield show("summary", t.numbers.quoted.pointers[0])
    target, limit = t.numbers.target_price, t.numbers.limit_price
    if target is not None and limit is not None and target <= limit:
        yield say("summary", "ask", "ask_limit", price=t.money(limit))
    elif target is not None:
        yield say("summary", "ask", price=t.money(target))
    else:
        yield say("summary", "ask", "ask_unknown")


def _interests(t: Table) -> Iterator[SheetLine]:
    asked = [("activities", q.activity_id, f"question{q.n}") for q in t.signals.open_questions]
    for pointer in asked:
        yield show("interests", pointer)
    if not asked:
        yield say("interests", "interests_theirs", "interests_unknown")
    yield say("interests", "interests_ours")


def _alternatives(t: Table) -> Iterator[SheetLine]:
    if t.deal.competitors:
        rivals = sheet.text(", ".join(t.deal.competitors))
        yield say("alternatives", "batna_theirs", inputs=(t.pointer("competitors"),), rivals=rivals)
    else:
        yield say("alternatives", "batna_theirs", "batna_theirs_unknown")
    yield say("alternatives", "batna_ours")


def _numbers(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    yield from _known(t, "list_amount", n.list_amount, "no_list")
    yield from _known(t, "quoted_amount", n.quoted, "no_quoted")
    if n.given_pct is not None and n.list_amount and n.quoted:
        yield _typed("numbers", "given_pct", sheet.percent(n.given_pct), "(list - quoted) / list",
                     (t.pointer("list_amount"), t.pointer("quoted_amount")))  # fmt: skip
    yield from _target(t)
    yield from _limit(t)
    yield from _floor(t)


def _target(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.target_pct is None:
        yield say("numbers", "no_target")
    else:
        yield show("numbers", t.pointer("target_discount_pct"))
    if n.target_price is not None:
        yield _typed("numbers", "target_price", t.money(n.target_price), "list × (1 - target discount)",
                     (t.pointer("list_amount"), t.pointer("target_discount_pct")))  # fmt: skip


def _limit(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.limit.pct is None:
        yield say("numbers", "no_limit")
        return
    inputs = (t.pointer("list_amount"), t.pointer("floor_price")) if n.limit.by == "floor" else ()
    formula = "discount that leaves the floor margin" if n.limit.by == "floor" else f"band of {n.role or 'rep'}"
    yield _typed("numbers", "limit_pct", sheet.percent(n.limit.pct), formula, inputs)
    if n.limit_price is not None:
        yield _typed("numbers", "limit_price", t.money(n.limit_price), "list × (1 - limit)",
                     (t.pointer("list_amount"), t.pointer("limit_pct")))  # fmt: skip


def _floor(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.floor is None or n.cost is None:
        yield say("numbers", "no_floor")
        return
    yield from _known(t, "cost_amount", n.cost, "no_floor")
    yield _typed("numbers", "floor_price", t.money(n.floor), "cost / (1 - floor margin)", (t.pointer("cost_amount"),))
    if n.walk_away is not None:
        yield _typed("numbers", "walk_away", t.money(n.walk_away), "higher of floor and our alternative (none: 0)",
                     (t.pointer("floor_price"),))  # fmt: skip
    yield from _zopa(t)


def _zopa(t: Table) -> Iterator[SheetLine]:
    """The range between our walk-away and what the budget says, when somebody named a budget."""
    ceiling = t.budget
    found = zopa(t.numbers.walk_away, ceiling[0]) if ceiling else None
    if ceiling is None or t.numbers.walk_away is None:
        yield say("numbers", "zopa", "zopa_unknown")
    elif found is None:
        yield say("numbers", "zopa", "zopa_none", ceiling=t.money(ceiling[0]))
    else:
        yield say("numbers", "zopa", low=t.money(found[0]), high=t.money(found[1]), inputs=(ceiling[1],))


def _history(t: Table) -> Iterator[SheetLine]:
    yield from _discount_history(t)
    late = payment_delay(t.orders)
    if late:
        yield say("history", "payment_delay", days=sheet.days(round(late[0], 1)), n=sheet.count(late[1]))
    yield from _win_rates(t)


def _discount_history(t: Table) -> Iterator[SheetLine]:
    given = [(o, stacked([_line_discount(o)])) for o in t.orders if _line_discount(o) is not None]
    for order, pct in given[-LAST_DISCOUNTS:]:
        yield say(
            "history", f"history_{order.id}", "history_order", sources=(("orders", order.id, "ordered_at"),),
            order=sheet.text(order.number or order.id), on=_day(t, order.ordered_at), pct=sheet.percent(pct),
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


def _anchors(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.list_amount:
        yield say("anchors", "anchor_list", price=t.money(n.list_amount.value), inputs=(t.pointer("list_amount"),))
    for product_id, order, price in _last_paid(t):
        yield say(
            "anchors", f"last_paid_{product_id}", "last_paid", sources=(("orders", order.id, "ordered_at"),),
            product=sheet.text(_product_name(t, product_id)), price=sheet.money(price, order.currency or ""),
            on=_day(t, order.ordered_at),
        )  # fmt: skip
    if n.list_amount is None:
        yield say("anchors", "no_anchor")


def _last_paid(t: Table) -> Iterator[tuple[str, Order, Decimal]]:
    """The last net unit price the account paid for each product of the deal, in the deal's currency."""
    for product_id in t.product_ids:
        for order in reversed([o for o in t.orders if o.currency and o.currency == t.numbers.currency]):
            line = next((x for x in order.lines if x.product_id == product_id and (x.quantity or 0) > 0), None)
            if line and line.unit_price is not None:
                yield product_id, order, line.unit_price * (1 - (line.discount_pct or Decimal(0)) / 100)
                break


def _concessions(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    listed = n.list_amount.value if n.list_amount else None
    within = n.target_pct if n.limit.pct is None or n.target_pct is None else min(n.target_pct, n.limit.pct)
    steps = concession_ladder(listed, within, current_pct=max(n.given_pct or Decimal(0), Decimal(0)))
    for index, step in enumerate(steps, start=1):
        yield _typed("concessions", f"ladder{index}", t.money(step.price), f"list less {step.discount_pct:f} %",
                     (t.pointer("list_amount"), t.pointer("target_discount_pct")), words="ladder")  # fmt: skip
    if not steps:
        yield say("concessions", "ladder", "no_ladder")
        return
    yield say("concessions", "ladder_rule")
    if n.target_pct is not None and n.limit.pct is not None and n.target_pct > n.limit.pct:
        yield say("concessions", "target_above_limit", limit=sheet.percent(n.limit.pct))
    yield say("concessions", "reserve")


def _trades(t: Table) -> Iterator[SheetLine]:
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
    for index, trade in enumerate(policy.trades, start=1):
        if trade.text:
            yield _trade_line(index, trade.text, trade.value, trade.currency)
    for index, clause in enumerate(policy.clauses, start=1):
        if clause.text:
            yield say("trades", f"clause{index}", "clause", text=sheet.text(clause.text))
    if not (policy.trades or policy.clauses or (policy.terms_days and policy.terms_days.allowed) or second):
        yield say("trades", "trades", "no_trades")


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


def _objections(t: Table) -> Iterator[SheetLine]:
    found = False
    for activity in t.talks:
        for objection in find_objections(activity.body or ""):
            found = True
            yield SheetLine(
                "objections", f"objection_{objection.ground}_{activity.id}", f"objection.{objection.ground}",
                args={"quote": sheet.text(objection.quote), "on": _day(t, activity.at)},
                sources=(("activities", activity.id, "body"),),
            )  # fmt: skip
    if t.deal.competitors:
        found = True
        yield say("objections", "objection_rival", rivals=sheet.text(", ".join(t.deal.competitors)))
    if t.deal.lost_reason:
        found = True
        yield say(
            "objections", "objection_lost", inputs=(t.pointer("lost_reason"),), text=sheet.text(t.deal.lost_reason)
        )
    if budget := t.budget:
        found = True
        yield say("objections", "objection_budget", inputs=(budget[1],))
    if not found:
        yield say("objections", "no_objection")


def _role(contact: Contact) -> Val:
    """What the person is to the deal, in words where we have some."""
    if contact.role in KNOWN_ROLES:
        return sheet.word(f"role.{contact.role}")
    return (
        sheet.text(contact.role or contact.title or "") if contact.role or contact.title else sheet.word("role_unknown")
    )


def _people(t: Table) -> Iterator[SheetLine]:
    people = people_of(t.context.contacts, t.deal, t.context.activities, t.now)
    for person in people:
        c = person.contact
        name = " ".join(p for p in (c.first_name, c.last_name) if p)
        if not name:
            continue
        role = _role(c)
        last = _day(t, person.last_in) if person.last_in else sheet.word("never")
        yield say("people", f"person_{c.id}", "person", inputs=(("contacts", c.id, "name"),),
                  name=sheet.text(name), role=role, last=last)  # fmt: skip
    for gap in gaps_among(people, t.now) if people else ():
        yield say("people", gap)
    if not people:
        yield say("people", "no_people")


def _time(t: Table) -> Iterator[SheetLine]:
    if t.quote:
        yield show("time", ("quotes", t.quote.id, "valid_until"))
    yield show("time", t.pointer("close_date"))
    for contract in t.context.contracts:
        yield show("time", ("contracts", contract.id, "ends_on"))
    for product_id in t.product_ids:
        yield show("time", ("products", product_id, "lead_time"))
    yield say("time", "own_quarter")


def _risks(t: Table) -> Iterator[SheetLine]:
    s, n = t.signals, t.numbers
    risky = False
    for key, true in (
        ("risk_expired", s.quote_days_left is not None and s.quote_days_left < 0),
        ("risk_hold", s.ticket.hold),
        ("risk_stalled", s.stage_state in ("slow", "stalled")),
        ("risk_silent", s.no_reply_count >= 2),
        ("risk_above_limit", n.limit.pct is not None and n.given_pct is not None and n.given_pct > n.limit.pct),
        ("risk_stacking", _stacks(t)),
    ):
        if true:
            risky = True
            yield say("risks", key)
    even = _break_even(t)
    if even is not None:
        risky = True
        yield say("risks", "break_even", factor=sheet.number(even, 3))
    if not risky:
        yield say("risks", "no_risk")


def _break_even(t: Table) -> Decimal | None:
    n = t.numbers
    if n.list_amount is None or n.cost is None or not n.target_pct:
        return None
    return break_even_on_margin(n.list_amount.value, n.cost.value, n.target_pct)


def _stacks(t: Table) -> bool:
    """Two kinds of discount on one quote although the policy lets none be added."""
    policy, quote = t.context.policy, t.quote
    if policy is None or policy.stackable is not False or quote is None:
        return False
    return bool(quote.discount_pct) and any(line.discount_pct for line in quote.lines)


def _unknowns(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    gaps = (
        ("unknown_cost", n.cost is None), ("unknown_list", n.list_amount is None),
        ("unknown_target", n.target_pct is None), ("unknown_policy", t.context.policy is None),
        ("unknown_budget", t.budget is None), ("unknown_rival", not t.deal.competitors),
        ("unknown_close", t.deal.close_date is None),
    )  # fmt: skip
    for key, missing in gaps:
        if missing:
            yield say("unknowns", key)
    if not any(missing for _, missing in gaps):
        yield say("unknowns", "nothing_unknown")


def _known(t: Table, key: str, known: Known | None, missing: str) -> Iterator[SheetLine]:
    """A line for an amount: the field it stands in, or a computed value of its own."""
    if known is None:
        yield say("numbers", missing)
    elif known.formula is None:
        yield show("numbers", known.pointers[0])
        if known.pointers[0] != t.pointer(key):
            yield _typed("numbers", key, t.money(known.value), "as on record", known.pointers)
    else:
        yield _typed("numbers", key, t.money(known.value), known.formula, known.pointers)


def _typed(
    section: str, key: str, value: Val, formula: str, inputs: Iterable[Pointer], *, words: str | None = None
) -> SheetLine:
    kind = "percent" if value.kind == "percent" else "money"
    return SheetLine(section, key, words or key, kind, value, formula=formula, inputs=tuple(inputs))  # type: ignore[arg-type]


def _day(t: Table, instant: datetime | None) -> Val:
    return sheet.day((instant or t.now).astimezone(ZoneInfo(t.zone)).date())


def _product_name(t: Table, product_id: str) -> str:
    return next((p.name for p in t.context.products if p.id == product_id and p.name), product_id)


_WRITERS: Sequence[Any] = (
    _summary, _interests, _alternatives, _numbers, _history, _anchors, _concessions, _trades, _objections, _people,
    _time, _risks, _unknowns,
)  # fmt: skip
