"""Who and what plays which part in a text: the open quote, the colleague who answers, the item that is due.

A place is filled only when what it says is true on the day of sending: `quote` is one that can still be ordered from,
`ended_quote` one that cannot, `by` a day we may still promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from crmplugin.analysis.service import is_open
from crmplugin.analysis.stages import is_open as is_open_deal
from crmplugin.brief.plan_rows import Place
from crmplugin.brief.recipient import owner_of
from crmplugin.domain.brief import DueItem, Promise, Signals
from crmplugin.domain.crm import Context, Order, Quote, Slot, Ticket
from crmplugin.domain.fact import Fact

MEETING_KINDS = frozenset({"meeting", "call", "visit"})
DECIDED = frozenset({"accepted", "declined"})
FEATURE_NUMBERS = range(1, 13)

Facts = Mapping[str, Fact]


def find_places(
    context: Context, signals: Signals, facts: Facts, *, about: Sequence[str], send_on: date, now: datetime
) -> dict[str, Place]:
    """The places of one brief that are filled, by name. `about`: ids of the products it may speak of, nearest first."""
    found: dict[str, Place | None] = {"seller": Place("seller", "seller")}
    for fill in (_people, _quotes, _orders, _rhythms, _contracts, _talk, _occasions):
        found |= fill(context, signals)
    found |= _service(context, signals, now)
    found |= _slots(context, facts, send_on)
    found |= _products(context, about, facts)
    found["open_notice"] = _open_notice(found.get("contract"), facts, send_on)
    return {name: place for name, place in found.items() if place is not None}


def _people(context: Context, signals: Signals) -> dict[str, Place | None]:
    me = owner_of(context)
    return {
        "me": _place("users", me.id if me else None),
        "company": _place("companies", context.company.id if context.company else None),
        "deal": _place("deals", context.deal.id if context.deal else None),
    }


def _quotes(context: Context, signals: Signals) -> dict[str, Place | None]:
    quote = next((q for q in context.quotes if q.id == signals.quote_id), None)
    if quote is None:
        return {}
    place, left = Place("quotes", quote.id), signals.quote_days_left
    lines = _sold_lines(quote)
    return {
        "any_quote": place,
        "quote": place if (left is None or left >= 0) and quote.status not in DECIDED else None,
        "ended_quote": place if left is not None and left < 0 and quote.status not in DECIDED else None,
        "one_line": place if lines == 1 else None,
        "two_lines": place if lines == 2 else None,
    }


def _sold_lines(quote: Quote) -> int:
    """Lines of a quote when every one sells something; 0 when one gives back or says nothing."""
    return len(quote.lines) if all(line.quantity is not None and line.quantity > 0 for line in quote.lines) else 0


def _orders(context: Context, signals: Signals) -> dict[str, Place | None]:
    last = _newest(context.orders)
    of_deal = _newest(o for o in context.orders if context.deal and o.deal_id == context.deal.id)
    return {
        "last_order": _place("orders", last.id if last else None),
        "deal_order": _place("orders", of_deal.id if of_deal else None),
        "delivered_order": _place("orders", signals.delivered_order_id),
    }


def _newest(orders: Iterable[Order]) -> Order | None:
    """The newest order that bought something."""
    bought = [o for o in orders if o.ordered_at and o.lines and all((line.quantity or 1) > 0 for line in o.lines)]
    return max(bought, key=lambda o: (o.ordered_at.timestamp() if o.ordered_at else 0.0, o.id), default=None)


def _rhythms(context: Context, signals: Signals) -> dict[str, Place | None]:
    if context.company is None:
        return {}
    due = next((item for item in signals.due_items if item.state != "early"), None)
    last = _newest(context.orders)
    bought = {line.product_id for line in last.lines[:1]} if last else set()
    same = next((item for item in signals.due_items if item.product_id in bought), None)
    lapsed = due if due and due.state == "lapsed" else None
    return {
        "item": _place("products", due.product_id if due else None),
        "rhythm": _rhythm(context.company.id, due),
        "due_rhythm": _rhythm(context.company.id, due if not lapsed else None),
        "lapsed_rhythm": _rhythm(context.company.id, lapsed),
        "repeats": _rhythm(context.company.id, due if due and due.count > 1 else None),
        "same_item": _rhythm(context.company.id, same),
    }


def _rhythm(company_id: str, item: DueItem | None) -> Place | None:
    """The buying rhythm of an item; its facts have the orders as their sources."""
    return Place(None, f"{company_id}/{item.product_id}") if item else None


def _contracts(context: Context, signals: Signals) -> dict[str, Place | None]:
    known = [c for c in context.contracts if c.ends_on]
    newest = max(known, key=lambda c: (c.ends_on or date.min, c.id), default=None)
    return {"contract": _place("contracts", signals.renewal_contract_id or (newest.id if newest else None))}


def _open_notice(contract: Place | None, facts: Facts, send_on: date) -> Place | None:
    """The contract while notice can still be given."""
    fact = facts.get(f"{contract.id}.notice_on") if contract else None
    return contract if fact and date.fromisoformat(fact.value) >= send_on else None


def _service(context: Context, signals: Signals, now: datetime) -> dict[str, Place | None]:
    """The case in view, as one that is open or one that was resolved, and an earlier one with the same product."""
    state = signals.ticket
    own = context.ticket.id if context.ticket else None
    wanted = state.severe_ticket_id or own or next(iter(state.open_ticket_ids), None)
    ticket = next((t for t in context.tickets if t.id == wanted), None)
    place = _place("tickets", ticket.id if ticket else None)
    waits = ticket is not None and is_open(ticket, now)
    past = _earlier_case(context, ticket, now) if ticket else None
    return {
        "open_case": place if waits else None,
        "resolved_case": None if waits else place,
        "past_ticket": _place("tickets", past.id if past else None),
        "bad_ticket": _place("tickets", state.severe_ticket_id),
    }


def _earlier_case(context: Context, ticket: Ticket, now: datetime) -> Ticket | None:
    """The newest resolved case about the same product."""
    same = [t for t in context.tickets if t.id != ticket.id and t.product_id and t.product_id == ticket.product_id]
    resolved = [t for t in same if not is_open(t, now)]
    return max(resolved, key=lambda t: (t.opened_at.timestamp() if t.opened_at else 0.0, t.id), default=None)


def _talk(context: Context, signals: Signals) -> dict[str, Place | None]:
    return {
        "inbound": _place("activities", signals.last_in_id),
        "waiting": _place("activities", signals.last_in_id if signals.awaiting == "us" else None),
        "angry": _place("activities", signals.mood_id if signals.mood == "angry" else None),
        "upset": _place("activities", signals.mood_id if signals.mood in ("angry", "worried") else None),
        "meeting": _place("activities", signals.meeting_id),
    }


def _occasions(context: Context, signals: Signals) -> dict[str, Place | None]:
    """An announced price of something they buy, and the first order after some weeks of use."""
    event, occasion = signals.event or {}, signals.relationship or {}
    coming = event.get("name") == "price_change"
    return {
        "price_event": _place("prices", event.get("price_id") if coming else None),
        "price_event_product": _place("products", event.get("product_id") if coming else None),
        "price_event_order": _last_with(context, event.get("product_id") if coming else None),
        "first_use": _place("orders", occasion.get("order_id")),
    }


def _last_with(context: Context, product_id: str | None) -> Place | None:
    """The newest order of one product."""
    last = _newest(o for o in context.orders if any(line.product_id == product_id for line in o.lines))
    return _place("orders", last.id if last and product_id else None)


def _slots(context: Context, facts: Facts, send_on: date) -> dict[str, Place | None]:
    """The first day we may promise an answer for, who gives it, and the first time we may offer for a talk.

    `my_by` is a day of the rep who signs, said as "from me"; a house that writes as "we" says it without a name.
    """
    by = _first(context.slots, lambda slot: slot.kind == "answer_by", facts, "on", send_on)
    talk = _first(context.slots, lambda slot: slot.kind in MEETING_KINDS, facts, "starts_at", send_on)
    me = owner_of(context)
    mine = by is not None and me is not None and by.user_id == me.id
    return {
        "by": _place("slots", by.id if by else None),
        "my_by": _place("slots", by.id if by and mine and context.voice.person != "we" else None),
        "answerer": _place("users", by.user_id if by and not mine else None),
        "meeting_slot": _place("slots", talk.id if talk else None),
    }


def _first(slots: Iterable[Slot], fits: Callable[[Slot], bool], facts: Facts, field: str, send_on: date) -> Slot | None:
    told = [(facts[f"{slot.id}.{field}"].value, slot) for slot in slots if fits(slot) and f"{slot.id}.{field}" in facts]
    ahead = [(value, slot) for value, slot in told if value[:10] >= send_on.isoformat()]
    return min(ahead, key=lambda pair: (pair[0], pair[1].id))[1] if ahead else None


def _products(context: Context, about: Sequence[str], facts: Facts) -> dict[str, Place | None]:
    """The product the text is about; what is new about it; an approved claim for it."""
    ids = [id_ for id_ in about if f"{id_}.name" in facts]
    product = _place("products", ids[0] if ids else None)
    told = [(id_, c.id) for id_ in ids for c in context.claims if id_ in c.product_ids and f"{c.id}.text" in facts]
    claimed, claim = told[0] if told else (None, None)
    return {
        "product": product,
        "talked_product": _place("products", next((id_ for id_ in ids if id_ in _talked_of(context)), None)),
        "news_product": next((Place("products", id_) for id_ in ids if _has_news(id_, facts)), product),
        "claimed_product": _place("products", claimed),
        "news_claim": _place("claims", claim),
    }


def _talked_of(context: Context) -> frozenset[str]:
    """Products that a deal with them is about; what they once ordered is no talk."""
    deal = context.deal
    items = [item.product_id for item in context.line_items if deal and item.deal_id == deal.id]
    return frozenset(id_ for id_ in (*(deal.product_ids if deal else ()), *items) if id_)


NEWS_FIELDS = ("lead_time", "description")


def _has_news(product_id: str, facts: Facts) -> bool:
    fields = (f"{product_id}.{field}" in facts for field in NEWS_FIELDS)
    return any(fields) or told_feature(product_id, facts) is not None


def told_feature(product_id: str, facts: Facts) -> str | None:
    """The id of the product's first feature that may be told in this language, one with a benefit before others."""
    told = [id_ for n in FEATURE_NUMBERS if (id_ := f"{product_id}.feature{n}") in facts]
    return min(told, key=lambda id_: f"{id_}.benefit" not in facts, default=None)


def news_aliases(about: Sequence[str], facts: Facts) -> dict[str, str]:
    """References to the feature to tell of the product that has news, and to what it is good for."""
    feature = next((found for id_ in about if f"{id_}.name" in facts and (found := told_feature(id_, facts))), None)
    if feature is None:
        return {}
    product = feature.rpartition(".")[0]
    return {"news.product": f"{product}.name", "news.feature": feature, "news.benefit": f"{feature}.benefit"}


def product_ids(context: Context, signals: Signals) -> list[str]:
    """Products this brief is about, nearest first: the quote's, the deal's, then those of the last order."""
    quote = next((q for q in context.quotes if q.id == signals.quote_id), None)
    last = _newest(context.orders)
    named: list[str | None] = [line.product_id for line in quote.lines] if quote else []
    named += context.deal.product_ids if context.deal else ()
    named += [item.product_id for item in context.line_items if context.deal and item.deal_id == context.deal.id]
    named += [line.product_id for line in last.lines] if last else []
    return list(dict.fromkeys(id_ for id_ in named if id_))


def products_to_tell(
    context: Context, signals: Signals, type_: str | None, facts: Facts, *, now: datetime
) -> list[str]:
    """Products a text may speak of, nearest first. A former customer is told of what is near to their last order;
    of what else is being talked about only while that deal is open and nothing nearer is news."""
    about = product_ids(context, signals)
    if type_ != "win_back":
        return about
    kin = _kin_of_last_order(context)
    claimed = {id_ for claim in context.claims if f"{claim.id}.text" in facts for id_ in claim.product_ids}
    told = any(id_ in claimed or _has_news(id_, facts) for id_ in kin if f"{id_}.name" in facts)
    talked_of = about if context.deal and is_open_deal(context.deal, now) else []
    return kin if told else list(dict.fromkeys((*kin, *talked_of)))


def _kin_of_last_order(context: Context) -> list[str]:
    """What they bought last, what may stand in for it, and what goes with it.

    What else they own already is no news to them, nor is a machine that the consumable they bought is made for.
    """
    last = _newest(context.orders)
    bought = [line.product_id for line in last.lines[:1]] if last else []
    owned = {line.product_id for order in context.orders for line in order.lines}
    known = {product.id: product for product in context.products}
    kin = [id_ for b in bought if b in known for id_ in (*known[b].substitutes, *known[b].compatible_with)]
    offered = [known[id_] for id_ in kin if id_ in known and known[id_].active is not False and id_ not in owned]
    served = {id_ for b in bought if b in known and not known[b].durable for id_ in known[b].compatible_with}
    fresh = [product.id for product in offered if not (product.durable and product.id in served)]
    return list(dict.fromkeys(id_ for id_ in (*bought, *fresh) if id_))


def promise_aliases(signals: Signals, facts: Facts) -> dict[str, str]:
    """References to the promise that matters on each side: the first one whose words may be told."""
    ours = _promise_ids(signals, signals.promises_us)
    theirs = _promise_ids(signals, signals.promises_them)
    return _aliases("our_promise", ours, facts) | _aliases("their_promise", theirs, facts)


def told_promise(signals: Signals, facts: Facts) -> Promise | None:
    """Our promise that `our_promise` stands for."""
    return next((p for p, id_ in _promise_ids(signals, signals.promises_us) if id_ in facts), None)


def _promise_ids(signals: Signals, wanted: tuple[Promise, ...]) -> list[tuple[Promise, str]]:
    """Fact ids of promises: `<source>.promise<n>`, n counting both sides of a source from 1."""
    numbers: dict[str, int] = {}
    ids: list[tuple[Promise, str]] = []
    for promise in (*signals.promises_us, *signals.promises_them):
        n = numbers[promise.source_id] = numbers.get(promise.source_id, 0) + 1
        if any(promise is one for one in wanted):
            ids.append((promise, f"{promise.source_id}.promise{n}"))
    return ids


def _aliases(name: str, ids: list[tuple[Promise, str]], facts: Facts) -> dict[str, str]:
    first = next(((promise, id_) for promise, id_ in ids if id_ in facts), None)
    if first is None:
        return {}
    promise, id_ = first
    stated_on = {f"{name}.on": f"{promise.source_id}.on"} if promise.stated else {}
    return {f"{name}.text": id_, f"{name}.due": f"{id_}.due"} | stated_on


def _place(collection: str, id_: str | None) -> Place | None:
    return Place(collection, id_) if id_ else None
