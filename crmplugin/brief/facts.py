"""All facts of a brief: what the account's records say, what follows from it, what contradicts itself, what is missing.

Pure; nothing is worded here but labels and displays. Free text from outside becomes quotes only, and supports nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from crmplugin.analysis.durations import read_duration
from crmplugin.analysis.offers import find_offers
from crmplugin.brief.calendar import day_in, seller_zone
from crmplugin.brief.facts_of.amounts import deal_group, foreign_currencies, note_amount_facts, order_group
from crmplugin.brief.facts_of.charts import negotiation_charts
from crmplugin.brief.facts_of.conflicts import Variant, settle
from crmplugin.brief.facts_of.deals import deal_facts
from crmplugin.brief.facts_of.events import launch_day, price_day
from crmplugin.brief.facts_of.knowledge import article_facts, claim_facts, contract_facts, offer_facts, slot_facts
from crmplugin.brief.facts_of.making import Maker, Rec, make_maker
from crmplugin.brief.facts_of.notes import TALKS, items_of, note_facts
from crmplugin.brief.facts_of.orders import order_facts, ordered_on, rhythm_evidence, rhythm_facts
from crmplugin.brief.facts_of.people import (
    company_facts,
    contact_facts,
    full_name,
    seller_facts,
    user_facts,
    years_fact,
)
from crmplugin.brief.facts_of.products import fits_facts, needed_products, product_facts, products_in
from crmplugin.brief.facts_of.quoted import Suspicion
from crmplugin.brief.facts_of.quotes import price_today_facts, quote_facts
from crmplugin.brief.facts_of.sheets import (
    INTERNAL_SECTIONS,
    Sections,
    line_facts,
    qualification_in,
    question_texts,
    sections_of,
    sheet_lines,
    view_of,
    with_conflict,
)
from crmplugin.brief.facts_of.talk import (
    activity_rec,
    mood_fact,
    need_fact,
    promise_facts,
    question_fact,
    when_facts,
)
from crmplugin.brief.facts_of.tickets import ticket_facts, ticket_rec
from crmplugin.brief.hygiene import current_quotes
from crmplugin.brief.needs import stated_needs
from crmplugin.brief.slots import is_closed, own_slots, usable_slots
from crmplugin.domain.brief import INTERNAL_KINDS, Chart, Request, Signals, Warning
from crmplugin.domain.crm import Activity, Contact, Context, Deal, Order, Product, Quote, Ticket, User
from crmplugin.domain.fact import Fact
from crmplugin.ports import Population

MOST_APPROVERS = 5
DRAWN = frozenset({"negotiation_note"})
"""Kinds that come with charts."""
MOST_CONTACTS, MOST_DEALS, MOST_QUOTES, MOST_ORDERS, MOST_TICKETS = 50, 12, 10, 6, 10
MOST_CLAIMS, MOST_ARTICLES, MOST_NOTES, MOST_TALKS, MOST_SCANNED, MOST_RHYTHMS = 60, 40, 30, 5, 10, 6
"""How many of a kind become facts, the newest: a brief is read, not archived."""


@dataclass(frozen=True, slots=True)
class FactSheet:
    """All facts of a brief with the warnings and gaps found on the way.

    sections: internal kind -> its sections in order, each with the ids of its facts in order.
    """

    facts: tuple[Fact, ...] = ()
    warnings: tuple[Warning, ...] = ()
    missing_info: tuple[str, ...] = ()
    missing_questions: tuple[str, ...] = ()
    sections: Mapping[str, Sections] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()

    def get(self, fact_id: str) -> Fact | None:
        return next((f for f in self.facts if f.id == fact_id), None)


@dataclass(slots=True)
class _Desk:
    """What the fact makers of one brief share."""

    make: Maker
    context: Context
    signals: Signals
    suspicion: Suspicion
    kind: str
    type_: str | None
    contact: Contact | None
    usable: frozenset[str]
    """Ids of the slots this person may be offered; the others make no facts."""
    products: Mapping[str, Product]
    activities: Mapping[str, Activity]
    population: Population
    facts: dict[str, Fact] = field(default_factory=dict)
    warnings: list[Warning] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, facts: Iterable[Fact | None]) -> None:
        for fact in facts:
            if fact is not None:
                self.facts.setdefault(fact.id, fact)


def make_facts(
    context: Context, signals: Signals, population: Population, request: Request, *, kind: str, type_: str | None,
    contact: Contact | None, language: str, locale: str, zone: str, now: datetime, send_on: date,
    scan: Callable[[str], Any],
) -> FactSheet:  # fmt: skip
    """The fact sheet of a cleaned context. `scan(text)` gives `.suspicious`, `.rules` and `.spans`."""
    usable = frozenset(slot.id for slot in usable_slots(context, contact, zone))
    make = make_maker(
        context, language=language, locale=locale, zone=zone, now=now, send_on=send_on,
        spelled=kind not in INTERNAL_KINDS,
    )  # fmt: skip
    desk = _Desk(
        make, context, signals, Suspicion(scan), kind, type_, contact, usable,
        products={p.id: p for p in context.products}, activities={a.id: a for a in context.activities},
        population=population,
    )  # fmt: skip
    for step in (_look_for_instructions, _people, _documents, _talk, _service, _needs, _knowledge, _rhythms, _products):
        step(desk)
    _settle_amounts(desk)
    sections, asked = _sheets(desk, population)
    _warn_of_instructions(desk)
    drawn = negotiation_charts(context, signals=signals, population=population, make=make) if kind in DRAWN else ()
    return FactSheet(tuple(desk.facts.values()), tuple(desk.warnings), tuple(desk.missing), asked, sections, drawn)


def _look_for_instructions(desk: _Desk) -> None:
    """Scans what strangers wrote and a brief may use: the newest mails, forms and notes, and the tickets shown."""
    signals = desk.signals
    used = {signals.last_in_id, signals.meeting_id, *(q.activity_id for q in signals.open_questions)}
    others = [a for a in desk.context.activities if a.direction != "outbound"]
    newest = {a.id for a in _newest(others, MOST_SCANNED, lambda a: a.at)}
    for activity in others:
        if activity.id in newest | used:
            desk.suspicion.look(activity.id, activity.body, activity.subject)
    for ticket in _tickets(desk):
        desk.suspicion.look(ticket.id, ticket.body, ticket.subject)


def _warn_of_instructions(desk: _Desk) -> None:
    for record_id, rules in desk.suspicion.found.items():
        text = (
            f"Read {record_id} yourself before you answer it: it holds text that tries to give the assistant orders "
            f"({', '.join(rules)}). It was not followed, and nothing in it supports a statement."
        )
        desk.warnings.append(Warning("suspicious_content", text, (record_id,)))


def _people(desk: _Desk) -> None:
    make, context = desk.make, desk.context
    owner = (context.deal.owner_id if context.deal else None) or (context.company.owner_id if context.company else None)
    desk.add(seller_facts(make, context.seller))
    if context.company:
        desk.add(company_facts(make, context.company))
        desk.add([years_fact(make, context.company, desk.signals.relationship)])
    for contact in context.contacts[:MOST_CONTACTS]:
        desk.add(contact_facts(make, contact))
    for user in _our_people(context):
        desk.add(user_facts(make, user, owner=user.id == owner))


def _our_people(context: Context) -> list[User]:
    """Those of us who have to do with the account, and whoever decides above them; a large house has many others."""
    deals, activities = context.deals, context.activities
    named = {d.owner_id for d in deals} | {a.user_id for a in activities} | {s.user_id for s in context.slots}
    named |= {context.company.owner_id if context.company else None, context.deal.owner_id if context.deal else None}
    above = [u for u in context.users if u.role in ("manager", "director") and u.id not in named][:MOST_APPROVERS]
    return [u for u in context.users if u.id in named or u in above]


def _documents(desk: _Desk) -> None:
    """Deals, quotes, orders and contracts."""
    make, context = desk.make, desk.context
    standing = {q.id for q in current_quotes(context)} | {desk.signals.quote_id}
    for deal in _deals(context):
        desk.add(deal_facts(make, deal, context.line_items))
    for quote in _newest(context.quotes, MOST_QUOTES, lambda q: q.sent_at):
        currency = _quote_currency(context, quote)
        desk.add(quote_facts(make, quote, currency=currency, products=desk.products, stands=quote.id in standing))
        if currency is None and (quote.total is not None or quote.lines):
            desk.missing.append(f"The currency of quote {quote.number or quote.id}: its amounts are not used.")
    if quote_in_view := _quote_in_view(desk):
        _expired(desk, quote_in_view)
    for order in _orders(desk):
        desk.add(order_facts(make, order, desk.products))
    for contract in context.contracts:
        desk.add(contract_facts(make, contract, renewing=desk.type_ == "renewal"))


def _expired(desk: _Desk, quote: Quote) -> None:
    """For a quote that has ended: what it would come to today, internal, and a warning in any case."""
    today = day_in(seller_zone(desk.context, quote), desk.make.now)
    if quote.valid_until is None or quote.valid_until >= today or quote.status in ("accepted", "declined"):
        return
    currency = _quote_currency(desk.context, quote)
    facts, warning = price_today_facts(desk.make, quote, desk.context, currency=currency or "", day=today)
    desk.add(facts)
    number = quote.number or quote.id
    if warning is None:
        desk.missing.append(f"The price that applies today for every line of quote {number}, which has ended.")
        ended = desk.make.in_english.show_day(quote.valid_until)
        text = f"Quote {number} anew before you name a price: it ended on {ended}."
        warning = Warning("expired_quote", text, (f"{quote.id}.valid_until",))
    desk.warnings.append(warning)


def _talk(desk: _Desk) -> None:
    """Questions, promises, and when things were said."""
    make, signals, by_id = desk.make, desk.signals, desk.activities
    for question in signals.open_questions:
        desk.add([question_fact(make, question, by_id.get(question.activity_id), desk.suspicion)])
    said = [q.activity_id for q in signals.open_questions]
    for activity_id in (*said, signals.last_in_id, signals.last_out_id, signals.meeting_id, signals.mood_id):
        if activity_id and activity_id in by_id:
            desk.add(when_facts(make, by_id[activity_id]))
    _notes(desk)
    _promises(desk)
    if signals.mood and signals.mood_id and signals.mood_id in by_id:
        desk.add([mood_fact(make, signals.mood, by_id[signals.mood_id])])


def _notes(desk: _Desk) -> None:
    """What the newest talks agreed on, the meeting to recap first of all."""
    talks = [a for a in desk.context.activities if a.type in TALKS or a.type == "note"]
    newest = _newest(talks, MOST_TALKS, lambda a: a.at)
    wanted = [a for a in talks if a.id == desk.signals.meeting_id and a not in newest]
    for activity in (*wanted, *newest):
        items = items_of(desk.context, activity)
        desk.add(note_facts(desk.make, activity, items, desk.context.products, desk.suspicion))


def _promises(desk: _Desk) -> None:
    numbers: dict[str, int] = {}
    contacts = desk.context.contacts
    people = [name for c in contacts for name in (full_name(c), c.last_name, c.first_name) if name]
    for promise in (*desk.signals.promises_us, *desk.signals.promises_them):
        n = numbers[promise.source_id] = numbers.get(promise.source_id, 0) + 1
        desk.add(promise_facts(desk.make, n, promise, desk.activities.get(promise.source_id), people))


def _service(desk: _Desk) -> None:
    for ticket in _tickets(desk):
        desk.add(ticket_facts(desk.make, ticket, desk.products, desk.suspicion.harmless))


def _needs(desk: _Desk) -> None:
    """What they said they need, for a pitch: nobody else builds on it."""
    if desk.kind != "pitch":
        return
    tickets = {t.id: t for t in desk.context.tickets}
    for need in stated_needs(desk.context, desk.contact, now=desk.make.now):
        if need.collection == "activities":
            activity = desk.activities[need.record_id]
            desk.add(when_facts(desk.make, activity))
            rec, body = activity_rec(desk.make, activity), activity.body or ""
        else:
            ticket = tickets[need.record_id]
            rec, body = ticket_rec(ticket), ticket.body or ""
        desk.add([need_fact(desk.make, need, rec, desk.suspicion, body)])


def _tickets(desk: _Desk) -> list[Ticket]:
    """The open tickets, then the newest."""
    state = desk.signals.ticket
    first = {state.severe_ticket_id, *state.open_ticket_ids}
    return sorted(desk.context.tickets, key=lambda t: (t.id not in first, -_stamp(t.opened_at)))[:MOST_TICKETS]


def _knowledge(desk: _Desk) -> None:
    make, context = desk.make, desk.context
    slots = sorted(context.slots, key=lambda s: (s.on or make.owner_day(s.starts_at or make.now), s.id))
    desk.add(f for slot in slots if slot.id in desk.usable for f in slot_facts(make, slot))
    _closed_slots(desk)
    desk.add(f for claim in context.claims[:MOST_CLAIMS] for f in claim_facts(make, claim))
    desk.add(f for article in context.articles[:MOST_ARTICLES] for f in article_facts(make, article))
    holding = find_offers(context, desk.population, desk.signals, now=make.now, zone=make.zone).holding
    desk.add(f for offer in holding[:MOST_CLAIMS] for f in offer_facts(make, offer))


def _closed_slots(desk: _Desk) -> None:
    """Warns of a promised day on which our side does not work."""
    for slot in own_slots(desk.context):
        fact_id = desk.make.id_of(Rec("slots", slot.id, ""), "on" if slot.on else "starts_at")
        day = slot.on or (desk.make.owner_day(slot.starts_at) if slot.starts_at else None)
        if day and fact_id in desk.facts and is_closed(slot, desk.context):
            shown = desk.make.in_english.show_day(day, weekday=True)
            text = f"Move slot {slot.id} before you promise it: {shown} is no working day on our side."
            desk.warnings.append(Warning("closed_slot", text, (fact_id,)))


def _rhythms(desk: _Desk) -> None:
    """The buying rhythm of items that are due, with the order dates behind it."""
    if desk.context.company is None:
        return
    orders = {o.id: o for o in desk.context.orders}
    for item in desk.signals.due_items[:MOST_RHYTHMS]:
        told = [orders[i] for i in rhythm_evidence(item) if i in orders]
        desk.add(ordered_on(desk.make, order) for order in told)
        product = desk.products.get(item.product_id)
        desk.add(rhythm_facts(desk.make, item, company_id=desk.context.company.id, product=product))


def _products(desk: _Desk) -> None:
    questions = [q.text for q in desk.signals.open_questions]
    due = [item.product_id for item in desk.signals.due_items]
    texts = [*questions, *(t for a in _recent_inbound(desk) for t in (a.subject, a.body) if t)]
    event = desk.signals.event or {}
    owned = tuple(dict.fromkeys(line.product_id for o in desk.context.orders for line in o.lines if line.product_id))
    for product in needed_products(desk.context, texts, (*due, *_ids(event.get("product_id")))):
        desk.add(product_facts(desk.make, product))
        if desk.kind == "pitch":
            desk.add(fits_facts(desk.make, product, desk.products, owned))
    for product in products_in(" .\n".join(questions), desk.context.products):
        if product.lead_time is None or read_duration(product.lead_time) is None:
            desk.missing.append(f"The lead time of {product.name or product.id}, as a number of days or weeks.")
    desk.add([price_day(desk.make, desk.context, event.get("price_id"))])
    if launched := desk.products.get(event.get("product_id") or ""):
        desk.add([launch_day(desk.make, launched)])


def _sheets(desk: _Desk, population: Population) -> tuple[dict[str, Sections], tuple[str, ...]]:
    """The lines of the kind as facts, its sections, and what to ask next. A customer kind has no sections."""
    make, context = desk.make, desk.context
    view = view_of(context, desk.signals, population, make)
    found = qualification_in(desk.kind, context, view)
    conflicts = any(w.code == "conflicting_amounts" for w in desk.warnings)
    written = sheet_lines(desk.kind, view, found)
    lines = with_conflict(desk.kind, written) if conflicts else written
    desk.add(line_facts(make, context, lines))
    order = INTERNAL_SECTIONS.get(desk.kind)
    sections = {desk.kind: sections_of(make, context, lines, desk.facts, order)} if order else {}
    return sections, question_texts(make, found)


def _settle_amounts(desk: _Desk) -> None:
    """Marks amounts that contradict each other, deal by deal and order by order."""
    make, context = desk.make, desk.context
    groups: list[tuple[str, tuple[Variant, ...]]] = []
    standing = current_quotes(context)
    for deal in _deals(context):
        quotes = _by_sending(q for q in standing if q.deal_id == deal.id)
        orders = [o for o in context.orders if o.deal_id == deal.id]
        notes = list(_notes_of(desk, deal, quotes))
        group = deal_group(make, desk.facts, deal, quotes, orders, notes)
        groups.append((quotes[-1].number or quotes[-1].id if quotes else f"deal {deal.id}", group))
        _warn_of_currencies(desk, deal, foreign_currencies(context, deal, quotes))
    groups += [(f"order {o.number or o.id}", order_group(make, desk.facts, o)) for o in _orders(desk)]
    desk.facts, warnings = settle(make, desk.facts, groups)
    desk.warnings += warnings


def _notes_of(desk: _Desk, deal: Deal, quotes: list[Quote]) -> Iterator[Variant]:
    currency = _quote_currency(desk.context, quotes[-1]) if quotes else deal.currency
    only_deal = len(_deals(desk.context)) == 1
    notes = [a for a in desk.context.activities if a.deal_id == deal.id or (only_deal and a.deal_id is None)]
    for note in _newest(notes, MOST_NOTES, lambda a: a.at):
        for fact, variant in note_amount_facts(desk.make, note, currency):
            desk.add([fact])
            yield variant


def _warn_of_currencies(desk: _Desk, deal: Deal, foreign: tuple[str, ...]) -> None:
    if not foreign or _approved_rate(desk.context, deal.currency, foreign):
        return
    text = (
        f"Get an approved exchange rate before you compare amounts of deal {deal.id}: it is kept in {deal.currency}, "
        f"its documents in {', '.join(foreign)}. Nothing was converted or added up."
    )
    desk.warnings.append(Warning("mixed_currencies", text, (f"{deal.id}.amount",)))


def _approved_rate(context: Context, currency: str | None, foreign: tuple[str, ...]) -> bool:
    pairs = {frozenset((r.from_, r.to)) for r in context.fx_rates if r.approved}
    return all(frozenset((currency, code)) in pairs for code in foreign)


def _deals(context: Context) -> list[Deal]:
    """The subject's deal; for other subjects the account's open ones, then the newest closed."""
    if context.deal:
        return [context.deal]
    ranked = sorted(context.deals, key=lambda d: (d.status in ("won", "lost"), -_stamp(d.created_at), d.id))
    return ranked[:MOST_DEALS]


def _orders(desk: _Desk) -> list[Order]:
    """The newest orders, and the one whose delivery is talked about."""
    newest = _newest(desk.context.orders, MOST_ORDERS, lambda o: o.ordered_at)
    delivered = [o for o in desk.context.orders if o.id == desk.signals.delivered_order_id and o not in newest]
    return [*delivered, *newest]


def _quote_in_view(desk: _Desk) -> Quote | None:
    by_id = {q.id: q for q in desk.context.quotes}
    if desk.signals.quote_id in by_id:
        return by_id[desk.signals.quote_id]
    deals = {d.id for d in _deals(desk.context)}
    standing = _by_sending(q for q in current_quotes(desk.context) if q.deal_id in deals)
    return standing[-1] if standing else None


def _quote_currency(context: Context, quote: Quote) -> str | None:
    """The quote's currency, else its deal's."""
    deals = (*context.deals, *((context.deal,) if context.deal else ()))
    return quote.currency or next((d.currency for d in deals if d.id == quote.deal_id), None)


def _ids(one: str | None) -> tuple[str, ...]:
    return (one,) if one else ()


def _recent_inbound(desk: _Desk) -> list[Activity]:
    inbound = [a for a in desk.context.activities if a.direction == "inbound" and not a.automatic]
    return _newest(inbound, 3, lambda a: a.at)


def _by_sending(quotes: Iterable[Quote]) -> list[Quote]:
    return sorted(quotes, key=lambda q: (_stamp(q.sent_at), q.version or 0, q.id))


def _newest(records: Iterable[Any], most: int, time_of: Callable[[Any], datetime | None]) -> list[Any]:
    """The newest `most` records, oldest of them first."""
    return sorted(records, key=lambda r: (_stamp(time_of(r)), r.id))[-most:]


def _stamp(instant: datetime | None) -> float:
    return instant.timestamp() if instant else 0.0
