"""Lines on how an account or deal stands: for meeting briefs, summaries, digests, hand-offs and outlines. Internal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from crmplugin.analysis import sheet
from crmplugin.analysis.account_lines import View, buying_risk, due_line
from crmplugin.analysis.deal_signs import health_lines, intent_lines
from crmplugin.analysis.fit.population import closed_outcome
from crmplugin.analysis.negotiation_numbers import read_numbers
from crmplugin.analysis.next_action import next_actions, stakes_of
from crmplugin.analysis.people import gaps_among, people_of, role_of
from crmplugin.analysis.replenishment import state_of
from crmplugin.analysis.sheet import SheetLine, say, show
from crmplugin.analysis.upsell import find_signals
from crmplugin.domain.crm import Contact, Deal, Ticket

RECENT = 4
WEEK_DAYS = 7
HAND_OFF_QUOTES = 2
DUE_IN_OUTLINE = 2
GOODS_SHOWN = 5
HANDED_OVER_DAYS = 30


def status_lines(v: View) -> Iterator[SheetLine]:
    """Where the deal stands: stage and its age, the quote, who is awaited, the health."""
    deal = v.context.deal
    if deal and closed_outcome(deal):
        yield from closed_lines(v, "status")
        yield from _goods(v, deal)
        yield show("status", ("deals", deal.id, "amount"))
        yield show("status", ("deals", deal.id, "lost_reason"))
        yield from _not_on_record(v, deal)
        return
    if deal:
        yield show("status", ("deals", deal.id, "stage"))
        yield from _goods(v, deal)
        for field in ("amount", "close_date"):
            yield show("status", ("deals", deal.id, field))
        yield from _not_on_record(v, deal)
    yield from _stage_age(v)
    if v.signals.quote_id:
        for field in ("total", "valid_until"):
            yield show("status", ("quotes", v.signals.quote_id, field))
    owed = "us" if v.signals.ticket.severe_ticket_id else v.signals.awaiting
    yield say("status", "awaiting", awaiting=sheet.word(f"awaiting.{owed}"))
    yield from health_lines(v)
    yield from intent_lines(v)


def _goods(v: View, deal: Deal) -> Iterator[SheetLine]:
    """What the deal is about: the products it names."""
    names = ", ".join(_product_names(v, deal.product_ids))
    if names:
        yield say("status", "goods", sources=(("deals", deal.id, "product_ids"),), goods=sheet.text(names))


def _product_names(v: View, ids: tuple[str, ...]) -> Iterator[str]:
    return (p.name for p in v.context.products if p.id in ids and p.name)


def closed_lines(v: View, section: str) -> Iterator[SheetLine]:
    """How a closed deal ended: it has no chance, no risk and no next word any more."""
    deal = v.context.deal
    outcome = closed_outcome(deal) if deal else None
    if deal and outcome:
        words = f"closed_{outcome}" if deal.closed_at else f"closed_{outcome}_undated"
        yield say(section, "closed", words, sources=(("deals", deal.id, "closed_at"),), on=v.day(deal.closed_at))


def _not_on_record(v: View, deal: Deal) -> Iterator[SheetLine]:
    """What a rep would look for and the CRM does not say."""
    if v.context.company is None:
        yield say("status", "unknown_company")
    if deal.amount is None:
        yield say("status", "unknown_amount")
    elif not deal.currency:
        amount = sheet.number(deal.amount, 2)
        yield say("status", "unknown_currency", sources=(("deals", deal.id, "amount"),), amount=amount)


def _margin(v: View) -> tuple[Decimal | None, str | None]:
    """What the deal leaves us as it is offered, and the currency; None where price or cost is unknown."""
    deal = v.context.deal
    quote = next((q for q in v.context.quotes if q.id == v.signals.quote_id), None)
    n = read_numbers(v.context, deal, quote, v.now) if deal else None
    if n is None or n.quoted is None or n.cost is None:
        return None, None
    return n.quoted.value - n.cost.value, n.currency


def next_lines(v: View) -> Iterator[SheetLine]:
    """What to do next, with its reason."""
    margin, currency = _margin(v)
    stakes = stakes_of(v.context.policy, margin, same_currency=currency == v.context.seller.currency)
    actions = next_actions(v.signals, today=v.today, stakes=stakes)
    for n, action in enumerate(actions, start=1):
        about = sheet.text(_called(v, *action.record) if action.record else "")
        when = sheet.day(action.due) if action.due else sheet.word("today")
        words = f"action.{action.key}" if action.due or action.key != "wait" else _open_wait(v)
        yield say("next", f"next_action{n}", words, record=about, due=when)
        if action.value is not None and action.gain is not None:
            value, gain = sheet.money(action.value, currency or ""), sheet.percent(action.gain * 100, 1)
            yield say("next", f"next_worth{n}", "next_worth", value=value, gain=gain)
    weighed = [action for action in actions if action.gain is not None]
    if len(weighed) > 1 and margin is None:
        yield say("next", "next_assumed", gains=sheet.text(" > ".join(f"{100 * (a.gain or 0):.1f}" for a in weighed)))


def _open_wait(v: View) -> str:
    """Where nothing is due: what an open deal lacks most is the next thing to do."""
    deal = v.context.deal
    if deal is None or closed_outcome(deal):
        return "action.wait_open"
    if not people_of(v.context.contacts, deal, v.context.activities, v.now):
        return "action.name_person"
    return "action.wait_open" if deal.next_step else "action.set_step"


def _called(v: View, collection: str, id_: str) -> str:
    """What people call a record: its number, name or subject; its id where it has none of them."""
    found = next((r for r in getattr(v.context, collection, ()) if r.id == id_), None)
    if isinstance(found, Contact):
        return " ".join(part for part in (found.first_name, found.last_name) if part) or id_
    names = (getattr(found, field, None) for field in ("number", "name", "subject"))
    return next((str(name) for name in names if name), id_)


LONGEST_LINE = 80


def recent_lines(v: View) -> Iterator[SheetLine]:
    """The newest exchanges, one line each."""
    for activity in v.past[:RECENT]:
        subject = activity.subject or sheet.shorten((activity.body or "").strip().partition("\n")[0], LONGEST_LINE)
        way = sheet.word(f"way.{activity.direction or 'internal'}")
        kind = sheet.word(f"talk.{activity.type}") if activity.type else sheet.word("talk.note")
        yield SheetLine(
            "recent", f"recent_{activity.id}", "recent", args={
                "on": v.day(activity.at), "way": way, "kind": kind, "subject": sheet.text(subject or "-"),
            }, sources=(("activities", activity.id, "subject" if activity.subject else "at"),),
        )  # fmt: skip


def risk_lines(v: View) -> Iterator[SheetLine]:
    """Signs that the deal is in danger; one line that says so when there is none. A closed deal is in none."""
    s, deal = v.signals, v.context.deal
    if deal and closed_outcome(deal):
        return
    signs = (
        ("risk_hold", s.ticket.hold),
        ("risk_stalled", s.stage_state in ("slow", "stalled")),
        ("risk_expired", s.quote_days_left is not None and s.quote_days_left < 0),
        ("risk_silent", s.no_reply_count >= 2),
        ("risk_no_step", deal is not None and not deal.next_step),
        ("risk_late", any(p.due and p.due < v.today for p in s.promises_us)),
    )
    found = [key for key, true in signs if true]
    if deal:
        people = people_of(v.context.contacts, deal, v.context.activities, v.now)
        found += gaps_among(people, v.now) if people else ["no_people"]
    lines = [*(say("risks", key) for key in found), *buying_risk(v)]
    yield from lines or [say("risks", "no_risk")]


def people_lines(v: View, section: str = "people") -> Iterator[SheetLine]:
    """Who takes part, with role and last word to us."""
    for person in people_of(v.context.contacts, v.context.deal, v.context.activities, v.now):
        c = person.contact
        name = " ".join(p for p in (c.first_name, c.last_name) if p)
        if name:
            role = sheet.text(c.title) if c.title else role_of(c)
            last = v.day(person.last_in) if person.last_in else sheet.word("never")
            pointer = ("contacts", c.id, "name")
            words = "person_left" if person.is_gone(v.now) else "person"
            yield say(section, f"person_{c.id}", words, inputs=(pointer,), name=sheet.text(name), role=role, last=last)


def deal_lines(v: View) -> Iterator[SheetLine]:
    """Open deals of the account."""
    for deal in v.context.deals:
        if closed_outcome(deal) is None:
            if not deal.name:
                yield _unnamed(v, deal)
            for field in ("name", "stage", "amount") if deal.name else ("amount",):
                yield show("deals", ("deals", deal.id, field))


def _unnamed(v: View, deal: Deal) -> SheetLine:
    """A deal without a name: several lines that say its stage alone could not be told apart."""
    about = ", ".join(filter(None, (deal.stage, *_product_names(v, deal.product_ids)))) or "-"
    sources = (("deals", deal.id, "stage"), ("deals", deal.id, "product_ids"))
    return say(
        "deals", f"deal_{deal.id}", "deal_unnamed", sources=sources, id=sheet.text(deal.id), about=sheet.text(about)
    )


def ticket_lines(v: View) -> Iterator[SheetLine]:
    """Open tickets with status and next update."""
    for ticket in v.open_tickets:
        for field in ("number", "subject", "owner_name", "next_update_at"):
            yield show("tickets", ("tickets", ticket.id, field))
    if not v.open_tickets:
        yield say("tickets", "no_tickets")


def question_lines(v: View, section: str = "their_questions") -> Iterator[SheetLine]:
    for question in v.signals.open_questions:
        yield show(section, ("activities", question.activity_id, f"question{question.n}"))


def change_lines(v: View) -> Iterator[SheetLine]:
    """What changed in the last week: orders, people, tickets, promises, quotes, renewals."""
    since = v.now - timedelta(days=WEEK_DAYS)
    changed = False
    for line in _changes(v, since):
        changed = True
        yield line
    if not changed:
        yield say("changes", "no_change")


def handoff_lines(v: View) -> Iterator[SheetLine]:
    """A case from service to sales (sales-craft §5.1): who, what, quote, status, promises, mood, what not to do."""
    ticket = v.context.ticket or next(iter(_by_weight(v)), None)
    if ticket is None or _is_settled(v, ticket):
        yield from _sales_handoff(v)
        return
    said = ("subject",) if ticket.subject == ticket.body else ("subject", "body")
    for field in ("number", "opened_on", "product", *said, "status", "priority", "owner_name"):
        yield show("case", ("tickets", ticket.id, field))
    yield show("case", ("tickets", ticket.id, "next_update_at"))
    if ticket.contact_id:
        yield show("who", ("contacts", ticket.contact_id, "name"))
    yield from _promise_lines(v)
    yield from _mood_lines(v, ticket)
    yield from signal_lines(v)
    yield from hold_lines(v)
    yield from next_lines(v)


def _sales_handoff(v: View) -> Iterator[SheetLine]:
    """Without a ticket the case goes from sales to service: what was sold, to whom, what was promised, what is next."""
    if v.context.deal:
        for field in ("name", "stage", "amount"):
            yield show("case", ("deals", v.context.deal.id, field))
        yield show("case", ("deals", v.context.deal.id, "discount_pct"))
        yield show("case", ("deals", v.context.deal.id, "close_date"))
    for contract in v.context.contracts:
        for field in ("name", "starts_on", "ends_on"):
            yield show("case", ("contracts", contract.id, field))
    yield from _last_order(v)
    yield from people_lines(v, "who")
    yield from _promise_lines(v)
    yield from next_lines(v)


def _last_order(v: View) -> Iterator[SheetLine]:
    """The newest order with what it holds."""
    made = [(o.ordered_at, o.id, o) for o in v.context.orders if o.ordered_at and o.ordered_at <= v.now]
    if not made:
        return
    order = max(made)[2]
    yield say(
        "case", "last_order", sources=(("orders", order.id, "ordered_at"),),
        number=sheet.text(order.number or order.id), on=v.day(order.ordered_at),
    )  # fmt: skip
    names = {p.id: p.name for p in v.context.products if p.name}
    for n, line in enumerate(order.lines[:GOODS_SHOWN]):
        if line.product_id in names and line.quantity:
            pointer = ("orders", order.id, f"lines[{n}]")
            goods = sheet.text(names[line.product_id])
            yield say(
                "case", f"ordered{n + 1}", "ordered", sources=(pointer,), n=sheet.number(line.quantity), goods=goods
            )
    if len(order.lines) > GOODS_SHOWN:
        more = sheet.count(len(order.lines) - GOODS_SHOWN)
        yield say("case", "ordered_more", sources=(("orders", order.id, "lines"),), more=more)
    yield show("case", ("orders", order.id, "delivered_on"))


def signal_lines(v: View) -> Iterator[SheetLine]:
    """Signs of a further need in tickets and messages, with the customer's words; nothing is offered on them now."""
    heard: list[tuple[str, str, str]] = [("tickets", t.id, t.body or "") for t in v.context.tickets]
    heard += [("activities", a.id, a.body or "") for a in v.past if a.direction == "inbound"][:RECENT]
    for collection, record_id, body in heard[: RECENT * 2]:
        for signal in find_signals(body) if body else ():
            yield SheetLine(
                "signals", f"signal_{record_id}_{signal.tag}", "signal",
                args={"tag": sheet.word(f"tag.{signal.tag}"), "quote": sheet.text(signal.quote)},
                sources=((collection, record_id, "body"),),
            )  # fmt: skip


def hold_lines(v: View) -> Iterator[SheetLine]:
    """What is held back and until when: the sell hold, and the items that are due meanwhile."""
    state = v.signals.ticket
    if state.hold:
        until = sheet.day(state.release_on) if state.release_on else sheet.word("release_rule")
        yield say("hold", "sell_hold", until=until)
    elif state.soft_hold:
        yield say("hold", "soft_hold")
    if state.hold and v.context.company:
        for item in v.signals.due_items:
            for field in ("count", "days_since", "usual_gap"):
                yield show("hold", ("replenishment", f"{v.context.company.id}/{item.product_id}", field))


def outline_lines(v: View) -> Iterator[SheetLine]:
    """A one-page agenda for a product talk: goal, needs, products, proof, next step, with minutes."""
    for n, (key, minutes) in enumerate(AGENDA, start=1):
        yield say("agenda", f"agenda{n}", f"agenda.{key}", minutes=sheet.count(minutes))
    products = {pid for q in v.context.quotes if q.id == v.signals.quote_id for pid in (x.product_id for x in q.lines)}
    products |= set(v.context.deal.product_ids) if v.context.deal else set()
    products |= {item.product_id for item in v.signals.due_items[:DUE_IN_OUTLINE]} if not products else set()
    if not products:
        yield say("products", "products", "no_products")
    for product_id in sorted(p for p in products if p):
        feature = _feature_in(v, product_id)
        for field in ("name", "description", feature, f"{feature}.benefit", "lead_time"):
            yield show("products", ("products", product_id, field))
    for claim in v.context.claims:
        fits = not claim.product_ids or set(claim.product_ids) & products
        if fits and claim.language in (None, v.language):
            yield show("proof", ("claims", claim.id, "text"))


def _feature_in(v: View, product_id: str) -> str:
    """The product's first feature in the language of the note, else its first one."""
    product = next((p for p in v.context.products if p.id == product_id), None)
    rows = enumerate(product.features, start=1) if product else ()
    return next((f"feature{n}" for n, f in rows if f.language and f.language == v.language), "feature1")


AGENDA = (("goal", 5), ("needs", 10), ("products", 15), ("proof", 5), ("questions", 5), ("next", 5))
"""Parts of a product talk with their minutes: 45 in all."""


def _stage_age(v: View) -> Iterator[SheetLine]:
    s = v.signals
    if s.stage_age_days is None:
        return
    if s.stage_age_ratio is None or s.stage_state is None:
        yield say("status", "stage_age", "stage_age_only", days=sheet.days(s.stage_age_days))
    else:
        yield say(
            "status", "stage_age", days=sheet.days(s.stage_age_days), ratio=sheet.number(s.stage_age_ratio, 1),
            state=sheet.word(f"stage_state.{s.stage_state}"), n=sheet.count(s.stage_age_n),
        )  # fmt: skip


def _changes(v: View, since: datetime) -> Iterator[SheetLine]:
    for order in v.context.orders:
        if order.ordered_at and since <= order.ordered_at <= v.now:
            yield show("changes", ("orders", order.id, "number"))
            yield show("changes", ("orders", order.id, "ordered_on"))
    for ticket in v.context.tickets:
        if ticket.opened_at and since <= ticket.opened_at <= v.now:
            yield show("changes", ("tickets", ticket.id, "number"))
            yield show("changes", ("tickets", ticket.id, "opened_on"))
    for change in v.signals.stakeholder_changes:
        yield show("changes", ("contacts", str(change.get("contact_id")), "name"))
    if v.signals.quote_id and v.signals.quote_days_left is not None and v.signals.quote_days_left <= WEEK_DAYS:
        yield show("changes", ("quotes", v.signals.quote_id, "valid_until"))
    if v.signals.renewal_contract_id:
        yield show("changes", ("contracts", v.signals.renewal_contract_id, "ends_on"))
    for item in v.signals.due_items:
        a_week_ago = (item.days_since - WEEK_DAYS) / item.expected_gap_days
        if item.count > 1 and (item.days_since < WEEK_DAYS or state_of(a_week_ago) != item.state):
            yield due_line(v, "changes", item)


def _promise_lines(v: View) -> Iterator[SheetLine]:
    numbers: dict[str, int] = {}
    for promise in (*v.signals.promises_us, *v.signals.promises_them):
        n = numbers[promise.source_id] = numbers.get(promise.source_id, 0) + 1
        collection = "deals" if promise.source_field == "next_step" else "activities"
        yield show("promises", (collection, promise.source_id, f"promise{n}"))
        yield show("promises", (collection, promise.source_id, f"promise{n}.due"))


def _mood_lines(v: View, ticket: Ticket) -> Iterator[SheetLine]:
    yield show("mood", ("tickets", ticket.id, "csat"))
    if v.signals.last_in_id:
        yield show("mood", ("activities", v.signals.last_in_id, "mood"))


def _is_settled(v: View, ticket: Ticket) -> bool:
    """A case that was closed some time ago and that nobody asked about is none to hand over."""
    asked = v.context.ticket is not None and v.context.ticket.id == ticket.id
    over = ticket.id not in v.signals.ticket.open_ticket_ids
    recent = ticket.resolved_at is not None and v.now - ticket.resolved_at <= timedelta(days=HANDED_OVER_DAYS)
    return over and not asked and not recent


def _by_weight(v: View) -> list[Ticket]:
    severe = v.signals.ticket.severe_ticket_id
    known = v.open_tickets or v.context.tickets
    return sorted(known, key=lambda t: (t.id != severe, t.priority or "P9", t.id))
