"""Which facts answer a customer's question. Only what a record carries; what nothing carries is left to a person.

The order: what is asked (word lists per language), which product or document is meant (exactly), which record says it
(the words of the question must be found there). Fact ids are those of the brief; the caller leaves out an answer
whose facts may not be told (contradicting, internal, ended).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from crmplugin.analysis.answers_asked import (
    ENOUGH,
    HALF,
    LIKELY,
    SURE,
    Answer,
    Asked,
    Intent,
    answer_slot,
    intent_book,
    stands_in,
)
from crmplugin.analysis.answers_goods import compatible_answer, lead_time_answer, product_answer
from crmplugin.analysis.answers_quotes import DOCUMENT, included_answer, price_answer, quote_meant, validity_answer
from crmplugin.analysis.evidence import Content, cover, numbers_in, rank
from crmplugin.analysis.language import guess_language
from crmplugin.analysis.phrases import Token, tokens
from crmplugin.analysis.product_names import looks_like_another, products_named
from crmplugin.domain.crm import (
    COLLECTIONS,
    Article,
    Context,
    Order,
    Quote,
    Ticket,
)

_LEAST_SCORE = Decimal("1.2")
_CLOSE_SECOND = Decimal("0.75")
_SINGULARS = {"companies": "company", "activities": "activity", "fx_rates": "fx_rate", "stage_changes": "stage_change"}
_CONTACT_FIELDS = ("name", "phone", "email")


def find_answers(question: str, context: Context, *, now: datetime, quote: Quote | None) -> Answer | None:
    """The facts that answer one question, None when no record carries the answer. `quote`: the quote in view."""
    asked = _ask(question, context, now, quote)
    if asked is None:
        return None
    if not asked.mentions and looks_like_another(question, context.products):
        return Answer(_first_intent(asked), (), None, "unknown", SURE)
    for intent in asked.intents:
        found = _READERS[intent](asked)
        if found is not None:
            return found
    return product_answer(asked) or _from_articles(asked)


def _ask(question: str, context: Context, now: datetime, quote: Quote | None) -> Asked | None:
    row = tokens(question)
    if not row:
        return None
    in_view = quote_meant(question, context, quote)
    mentions = products_named(question, context.products)
    return Asked(question, row, _intents(row), context, now, in_view, mentions, _prefixes(context))


def _intents(row: Sequence[Token]) -> tuple[Intent, ...]:
    found = {hit.label for hit in intent_book().find(row)}
    return tuple(intent for intent in _READERS if intent in found)


def _first_intent(asked: Asked) -> Intent:
    return asked.intents[0] if asked.intents else "product"


def _prefixes(context: Context) -> Mapping[tuple[str, str], str]:
    """Fact id prefixes of records whose id an earlier collection already uses (contract: `order:1`)."""
    owners: dict[str, str] = {}
    differing: dict[tuple[str, str], str] = {}
    for collection in COLLECTIONS:
        for record_id in _ids(context, collection):
            if owners.setdefault(record_id, collection) != collection:
                single = _SINGULARS.get(collection, collection.removesuffix("s"))
                differing[collection, record_id] = f"{single}:{record_id}"
    return differing


def _ids(context: Context, collection: str) -> Iterator[str]:
    if collection == "companies":
        yield from (context.company.id,) if context.company else ()
    else:
        records: tuple[Any, ...] = getattr(context, collection)
        yield from (record.id for record in records)


def _order_status(asked: Asked) -> Answer | None:
    """What is known of the order named by its number, else of the newest: when ordered, and delivered if it is."""
    order = _named_or_newest(asked, asked.context.orders)
    if order is None or order.ordered_at is None:
        return None
    fields = ["number", "ordered_on"] + (["delivered_on"] if order.delivered_at else [])
    ids = tuple(asked.id("orders", order.id, field) for field in fields)
    if order.delivered_at:
        return Answer("order_status", ids, None, "states", SURE)
    slot = answer_slot(asked)
    more = (asked.id("slots", slot.id, "on"),) if slot else ()
    return Answer("order_status", ids + more, None, "states", HALF, slot.id if slot else None)


def _named_or_newest(asked: Asked, orders: Iterable[Order]) -> Order | None:
    known = [o for o in orders if any(line.quantity is None or line.quantity > 0 for line in o.lines) or not o.lines]
    named = [o for o in known if o.number and stands_in(o.number, asked.text)]
    if named:
        return named[-1]
    if DOCUMENT.search(asked.text):
        return None
    on_the_way = [o for o in known if o.delivered_at is None]
    return max(on_the_way or known, key=lambda o: o.ordered_at.timestamp() if o.ordered_at else 0, default=None)


def _ticket_status(asked: Asked) -> Answer | None:
    """What is known of the ticket meant: status, who has it, when the next word comes."""
    ticket = _ticket(asked)
    if ticket is None:
        return None
    fields = [name for name in ("status", "owner_name", "next_update_at") if getattr(ticket, name) is not None]
    if ticket.next_update_at is not None and ticket.next_update_at < asked.now:
        fields.remove("next_update_at")
    if not fields:
        return None
    ids = tuple(asked.id("tickets", ticket.id, field) for field in ("number", *fields))
    return Answer("ticket_status", ids, ticket.product_id, "states", SURE)


def _ticket(asked: Asked) -> Ticket | None:
    context = asked.context
    named = [t for t in context.tickets if t.number and stands_in(t.number, asked.text)]
    if named or context.ticket:
        return named[-1] if named else context.ticket
    pending = [t for t in context.tickets if t.status in ("open", "pending")]
    return pending[0] if len(pending) == 1 else None


def _contract(asked: Asked) -> Answer | None:
    running = [c for c in asked.context.contracts if c.ends_on is not None and c.ends_on >= asked.today]
    if len(running) != 1:
        return None
    fields = ["name", "ends_on"] + (["notice_on"] if running[0].notice_days is not None else [])
    return Answer("contract", tuple(asked.id("contracts", running[0].id, f) for f in fields), None, "states", SURE)


def _contact(asked: Asked) -> Answer | None:
    """The colleague who looks after the deal or the account."""
    context = asked.context
    owner = (context.deal.owner_id if context.deal else None) or (context.company.owner_id if context.company else None)
    user = next((u for u in context.users if u.id == owner), None)
    if user is None or not user.name:
        return None
    ids = tuple(asked.id("users", user.id, field) for field in _CONTACT_FIELDS if getattr(user, field))
    return Answer("contact", ids, None, "states", SURE)


def _meeting(asked: Asked) -> Answer | None:
    """The first two free times of ours."""
    free = [
        s
        for s in asked.context.slots
        if s.kind in ("meeting", "visit", "call") and s.starts_at and s.starts_at > asked.now
    ]
    free.sort(key=lambda s: s.starts_at or asked.now)
    ids = tuple(asked.id("slots", slot.id, "starts_at") for slot in free[:2])
    return Answer("meeting", ids, None, "states", LIKELY, free[0].id) if ids else None


def _from_articles(asked: Asked) -> Answer | None:
    """The public article that covers the question; None below the threshold, or when the two best disagree."""
    articles = [a for a in asked.context.articles if a.public is True and a.body and _is_about(a, asked)]
    content = asked.content()
    if not articles or content.empty:
        return None
    texts = [f"{a.title or ''}. {a.body}" for a in articles]
    scored = sorted(zip(rank(content, texts), articles, texts, strict=True), key=lambda s: (-s[0], s[1].id))
    score, article, text = _in_own_language(asked, scored)
    how = cover(content, text)
    if how.share < ENOUGH or not how.codes or not (score >= _LEAST_SCORE or _is_titled(content, article)):
        return None
    rivals = [s for s in scored if s[1] is not article and s[0] >= score * _CLOSE_SECOND]
    if any(_disagree(content, text, other) for _, _, other in rivals):
        return None
    return Answer("knowledge", (asked.id("articles", article.id, "text"),), None, "states", min(SURE, how.share))


def _is_titled(content: Content, article: Article) -> bool:
    """Whether the title itself names what is asked about: enough for a short question among few articles."""
    return cover(content, article.title or "").share > 0


def _is_about(article: Article, asked: Asked) -> bool:
    """An article about other products says nothing about the one that is named."""
    named = {m.product.id for m in asked.mentions}
    return not named or not article.product_ids or bool(named & set(article.product_ids))


def _in_own_language(asked: Asked, scored: Sequence[tuple[Decimal, Article, str]]) -> tuple[Decimal, Article, str]:
    """The best article, in the language of the question when one nearly as good is."""
    language = guess_language(asked.text)
    near = [s for s in scored if s[1].language == language and s[0] >= scored[0][0] * _CLOSE_SECOND]
    return near[0] if near and language else scored[0]


def _disagree(content: Content, one: str, other: str) -> bool:
    """Whether two passages that cover the question give different numbers, or one denies what the other grants."""
    first, second = cover(content, one), cover(content, other)
    if second.share < ENOUGH or not second.codes:
        return False
    return numbers_in(first.sentence) != numbers_in(second.sentence) or first.denied != second.denied


def _nothing(asked: Asked) -> Answer | None:
    """No record may be told for this (stock, invoices, terms): an article may, else a person answers."""
    return None


_READERS: Mapping[Intent, Callable[[Asked], Answer | None]] = {
    "validity": validity_answer,
    "ticket_status": _ticket_status,
    "order_status": _order_status,
    "invoice": _nothing,
    "payment_terms": _nothing,
    "warranty": _nothing,
    "contract": _contract,
    "lead_time": lead_time_answer,
    "included": included_answer,
    "compatible": compatible_answer,
    "stock": _nothing,
    "price": price_answer,
    "contact": _contact,
    "meeting": _meeting,
    "product": product_answer,
}
"""What reads the records for an intent, the special before the general."""
