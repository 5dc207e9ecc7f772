"""The negotiation sheet (sales-craft §3.1): fourteen sections of lines, each with what it rests on. Internal only.

What is unknown is said as unknown; a rate from fewer than three cases is printed as cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.analysis import sheet
from crmplugin.analysis.negotiation import break_even_on_margin, zopa
from crmplugin.analysis.negotiation_history import anchor_lines, history_lines, last_paid
from crmplugin.analysis.negotiation_moves import concession_lines, trade_lines
from crmplugin.analysis.negotiation_table import Table, day_of, known_lines, typed
from crmplugin.analysis.objections import find_objections
from crmplugin.analysis.people import gaps_among, people_of, role_of
from crmplugin.analysis.sheet import Pointer, SheetLine, say, show
from crmplugin.analysis.upsell import find_needs
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Activity, Contact, Context
from crmplugin.ports import Population

SECTIONS = (
    "summary", "interests", "alternatives", "numbers", "history", "anchors", "concessions", "trades", "objections",
    "people", "time", "risks", "questions", "unknowns",
)  # fmt: skip
TERM_MONTHS = 24
MOST_NEEDS = 3


def negotiation_sheet(
    context: Context, population: Population, signals: Signals, now: datetime, *, zone: str = "UTC"
) -> tuple[SheetLine, ...]:
    """The lines of the deal in the order of the sections; empty without a deal. Days are those of `zone`."""
    if context.deal is None:
        return ()
    table = Table(context, context.deal, population, signals, now, zone)
    return tuple(line for write in (_OF_CLOSED if table.outcome else _WRITERS) for line in write(table))


def negotiation_amounts(
    context: Context, population: Population, signals: Signals, now: datetime, *, zone: str = "UTC"
) -> tuple[SheetLine, ...]:
    """Only the typed amounts: what no text to a customer may show."""
    if context.deal is None:
        return ()
    table = Table(context, context.deal, population, signals, now, zone)
    return tuple(line for write in (_numbers, concession_lines) for line in write(table) if line.kind != "text")


def _closed(t: Table) -> Iterator[SheetLine]:
    """A closed deal has an end, an amount and a history; nothing in it is left to negotiate."""
    words = f"negotiated_{t.outcome}" if t.deal.closed_at else f"negotiated_{t.outcome}_undated"
    yield say("summary", "closed", words, sources=(t.pointer("closed_at"),), on=day_of(t, t.deal.closed_at))
    yield show("summary", t.pointer("lost_reason"))


def _summary(t: Table) -> Iterator[SheetLine]:
    yield show("summary", t.pointer("stage"))
    if t.numbers.quoted:
        yield show("summary", t.numbers.quoted.pointers[0])
    n = t.numbers
    target, limit, offered = n.target_price, n.limit_price, n.quoted.value if n.quoted else None
    if limit is not None and offered is not None and offered < limit:
        yield say("summary", "ask", "ask_above", price=t.money(offered))
    elif target is not None and limit is not None and target <= limit:
        yield say("summary", "ask", "ask_limit", price=t.money(limit))
    elif target is not None:
        yield say("summary", "ask", price=t.money(target))
    else:
        yield say("summary", "ask", "ask_unknown")


def _interests(t: Table) -> Iterator[SheetLine]:
    asked = [("activities", q.activity_id, f"question{q.n}") for q in t.signals.open_questions]
    for pointer in asked:
        yield show("interests", pointer)
    said = tuple(_needs_said(t))
    yield from said
    if not asked and not said:
        yield say("interests", "interests_theirs", "interests_unknown")
    yield say("interests", "interests_ours")


def _needs_said(t: Table) -> Iterator[SheetLine]:
    """What they say they need, in their words, the newest first; questions that are open stand there already."""
    asked = [" ".join(q.text.split()) for q in t.signals.open_questions]
    found = ((a, need) for a in t.talks if a.direction == "inbound" for need in find_needs(a.body or ""))
    quoted: dict[str, SheetLine] = {}
    for activity, need in found:
        line = say(
            "interests", f"need{len(quoted) + 1}", "interest_said", sources=(("activities", activity.id, "body"),),
            quote=sheet.text(need.quote), on=day_of(t, activity.at),
        )  # fmt: skip
        if not any(question in need.quote for question in asked):
            quoted.setdefault(need.quote, line)
    yield from list(quoted.values())[:MOST_NEEDS]


def _alternatives(t: Table) -> Iterator[SheetLine]:
    if t.deal.competitors:
        rivals = sheet.text(", ".join(t.deal.competitors))
        yield say("alternatives", "batna_theirs", inputs=(t.pointer("competitors"),), rivals=rivals)
    elif said := _rival_said(t):
        activity, quote = said
        yield say("alternatives", "batna_theirs", "batna_theirs_said", sources=(("activities", activity.id, "body"),),
                  quote=sheet.text(quote), on=day_of(t, activity.at))  # fmt: skip
    else:
        yield say("alternatives", "batna_theirs", "batna_theirs_unknown")
    yield say("alternatives", "batna_ours")


def _rival_said(t: Table) -> tuple[Activity, str] | None:
    """The newest message or note that speaks of another offer, and the sentence."""
    heard = ((a, o.quote) for a in t.talks for o in find_objections(a.body or "") if o.ground == "competitor")
    return next(heard, None)


def _numbers(t: Table) -> Iterator[SheetLine]:
    for write in (_amounts, _target, _limit, _floor):
        yield from write(t)


def _amounts(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    yield from known_lines(t, "list_amount", n.list_amount, "no_list" if n.has_lines else "no_quantities")
    for product in t.unit_prices:
        yield show("numbers", ("products", product.id, "list_price"))
    yield from known_lines(t, "quoted_amount", n.quoted, "no_quoted")
    if n.given_pct is not None and n.list_amount and n.quoted:
        yield typed("numbers", "given_pct", sheet.percent(n.given_pct), "(list - quoted) / list",
                     (t.pointer("list_amount"), t.pointer("quoted_amount")))  # fmt: skip


def _target(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.target_pct is None:
        yield say("numbers", "no_target")
    else:
        yield show("numbers", t.pointer("target_discount_pct"))
    if n.target_price is not None:
        yield typed("numbers", "target_price", t.money(n.target_price), "list × (1 - target discount)",
                     (t.pointer("list_amount"), t.pointer("target_discount_pct")))  # fmt: skip


def _limit(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.limit.pct is None:
        yield say("numbers", "no_limit", "no_limit" if t.context.policy else "no_limit_policy")
        return
    inputs = (t.pointer("list_amount"), t.pointer("floor_price")) if n.limit.by == "floor" else ()
    formula = "discount that leaves the floor margin" if n.limit.by == "floor" else f"band of {n.role or 'rep'}"
    yield typed("numbers", "limit_pct", sheet.percent(n.limit.pct), formula, inputs)
    if n.limit_price is not None:
        yield typed("numbers", "limit_price", t.money(n.limit_price), "list × (1 - limit)",
                     (t.pointer("list_amount"), t.pointer("limit_pct")))  # fmt: skip


def _floor(t: Table) -> Iterator[SheetLine]:
    n = t.numbers
    if n.floor is None or n.cost is None:
        unknown = n.cost is None and (t.context.policy is None or t.context.policy.floor_margin_pct is None)
        yield say("numbers", "no_floor", "no_floor_policy" if unknown else "no_floor")
        return
    yield from known_lines(t, "cost_amount", n.cost, "no_floor")
    yield typed("numbers", "floor_price", t.money(n.floor), "cost / (1 - floor margin)", (t.pointer("cost_amount"),))
    if n.walk_away is not None:
        yield typed("numbers", "walk_away", t.money(n.walk_away), "higher of floor and our alternative (none: 0)",
                     (t.pointer("floor_price"),))  # fmt: skip
    yield from _zopa(t)


def _zopa(t: Table) -> Iterator[SheetLine]:
    """The range between our walk-away and what their budget or their last prices say; unknown without either."""
    found = _ceilings(t)
    least = t.numbers.walk_away
    if not found or least is None:
        yield say("numbers", "zopa", "zopa_unknown")
        return
    amounts, pointers = sorted(amount for amount, _ in found), tuple(pointer for _, pointer in found)
    if zopa(least, amounts[-1]) is None:
        yield say("numbers", "zopa", "zopa_none", ceiling=t.money(amounts[-1]))
    elif len(amounts) > 1 and amounts[0] != amounts[-1]:
        first, high = t.money(amounts[0]), t.money(amounts[-1])
        yield say("numbers", "zopa", "zopa_range", inputs=pointers, low=t.money(least), first=first, high=high)
    else:
        yield say("numbers", "zopa", low=t.money(least), high=t.money(amounts[-1]), inputs=pointers)


def _ceilings(t: Table) -> list[tuple[Decimal, Pointer]]:
    """What they may be ready to pay, by evidence: a stated budget, and their last unit prices times the quantities."""
    found = [t.budget] if t.budget else []
    paid = {product_id: (price, order.id) for product_id, order, price in last_paid(t)}
    wanted = [(x.product_id, x.quantity) for x in (t.quote.lines if t.quote else ())]
    if wanted and all(product_id in paid and quantity for product_id, quantity in wanted):
        total = sum((paid[id_][0] * quantity for id_, quantity in wanted if id_ and quantity), Decimal(0))
        found.append((total, ("orders", paid[wanted[0][0] or ""][1], "ordered_on")))
    return found


def _objections(t: Table) -> Iterator[SheetLine]:
    found = False
    for activity in t.talks:
        for objection in find_objections(activity.body or ""):
            found = True
            yield SheetLine(
                "objections", f"objection_{objection.ground}_{activity.id}", f"objection.{objection.ground}",
                args={"quote": sheet.text(objection.quote), "on": day_of(t, activity.at)},
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


def _authority(t: Table, contact: Contact, name: str) -> Iterator[SheetLine]:
    """What shows that a person may buy: the newest order in their name."""
    own = [o for o in t.orders if o.contact_id == contact.id]
    for order in own[-1:]:
        yield say("people", f"authority_{contact.id}", "authority", sources=(("orders", order.id, "contact_id"),),
                  name=sheet.text(name), number=sheet.text(order.number or order.id),
                  on=day_of(t, order.ordered_at), n=sheet.count(len(own)))  # fmt: skip


def _people(t: Table) -> Iterator[SheetLine]:
    people = people_of(t.context.contacts, t.deal, t.context.activities, t.now)
    for person in people:
        c = person.contact
        name = " ".join(p for p in (c.first_name, c.last_name) if p)
        if not name:
            continue
        role = role_of(c)
        last = day_of(t, person.last_in) if person.last_in else sheet.word("never")
        words = "person_left" if person.is_gone(t.now) else "person"
        yield say("people", f"person_{c.id}", words, inputs=(("contacts", c.id, "name"),),
                  name=sheet.text(name), role=role, last=last)  # fmt: skip
        yield from _authority(t, c, name)
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
    s, n, day = t.signals, t.numbers, t.now.astimezone(ZoneInfo(t.zone)).date()
    risky = False
    for key, true in (
        ("risk_expired", s.quote_days_left is not None and s.quote_days_left < 0),
        ("risk_hold", s.ticket.hold),
        ("risk_stalled", s.stage_state in ("slow", "stalled")),
        ("risk_silent", s.no_reply_count >= 2),
        ("risk_late", any(p.due and p.due < day for p in s.promises_us)),
        ("risk_nobody", not people_of(t.context.contacts, t.deal, t.context.activities, t.now)),
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
        ("unknown_budget", t.budget is None), ("unknown_rival", not t.deal.competitors and _rival_said(t) is None),
        ("unknown_close", t.deal.close_date is None),
    )  # fmt: skip
    for key, missing in gaps:
        if missing:
            yield say("unknowns", key)
    if not any(missing for _, missing in gaps):
        yield say("unknowns", "nothing_unknown")


_WRITERS: Sequence[Any] = (
    _summary, _interests, _alternatives, _numbers, history_lines, anchor_lines, concession_lines, trade_lines,
    _objections, _people, _time, _risks, _unknowns,
)  # fmt: skip
_OF_CLOSED: Sequence[Any] = (_closed, _amounts, history_lines, _people)
