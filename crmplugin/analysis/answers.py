"""Which facts answer a customer's question. Only what a record carries; what nothing carries is left to a person.

The order: what is asked (word lists per language), which product or document is meant (exactly), which record says it
(the words of the question must be found there). Fact ids are those of the brief; the caller leaves out an answer
whose facts may not be told (contradicting, internal, ended).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmplugin.analysis.dates_in_text import spelled_numbers
from crmplugin.analysis.evidence import Content, Cover, content_of, cover, numbers_in, rank
from crmplugin.analysis.language import guess_language
from crmplugin.analysis.notes import read_number
from crmplugin.analysis.phrases import PhraseBook, Token, book, fold, tokens, word_list
from crmplugin.analysis.product_names import Mention, looks_like_another, products_named
from crmplugin.domain.crm import (
    COLLECTIONS,
    Article,
    Context,
    Order,
    Product,
    Quote,
    QuoteLine,
    Slot,
    Ticket,
)

Intent = Literal[
    "lead_time", "included", "validity", "stock", "compatible", "product", "warranty", "payment_terms", "price",
    "order_status", "ticket_status", "invoice", "contact", "meeting", "contract", "knowledge",
]  # fmt: skip
Verdict = Literal["yes", "no", "states", "unknown"]

_HALF, _ENOUGH = Decimal("0.5"), Decimal("0.6")
_SURE, _LIKELY = Decimal("0.9"), Decimal("0.7")
_LEAST_SCORE = Decimal("1.2")
_CLOSE_SECOND = Decimal("0.75")
_MONEY = re.compile(r"(?<![\w-])\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{2})?|(?<![\w.,-])\d+[.,]\d{2}(?!\d)")
_ASIDE = re.compile(
    r",\s|\s(?:as|because|since|which|weil|da|denn|car|parce|puisque|porque|ya que|perché|poiché|omdat)\s"
)
_DOCUMENT = re.compile(r"(?<![\w-])[A-Za-z]{1,5}-\d{2,}(?:-\d+)*(?![\w-])")
_DIGITS = re.compile(r"[\d-]+")
_SINGULARS = {"companies": "company", "activities": "activity", "fx_rates": "fx_rate", "stage_changes": "stage_change"}
_CONTACT_FIELDS = ("name", "phone", "email")


@dataclass(frozen=True, slots=True)
class Answer:
    """Facts that answer a question. `certainty` 0 to 1; `slot_id` a slot that says by when a person answers.

    verdict: yes or no to what was asked, `states` a value, `unknown` when the product or document asked about is not
    among the records (then there are no facts).
    """

    intent: Intent
    fact_ids: tuple[str, ...]
    product_id: str | None
    verdict: Verdict
    certainty: Decimal
    slot_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Ask:
    """A question with what is around it."""

    text: str
    row: tuple[Token, ...]
    intents: tuple[Intent, ...]
    context: Context
    now: datetime
    quote: Quote | None
    mentions: tuple[Mention, ...]
    prefixes: Mapping[tuple[str, str], str]

    @property
    def today(self) -> date:
        return self.now.astimezone(_zone(self.context.seller.timezone)).date()

    @property
    def product(self) -> Product | None:
        """The one product that is named."""
        named = {m.product.id: m.product for m in self.mentions}
        return next(iter(named.values())) if len(named) == 1 else None

    def id(self, collection: str, record: str, field: str) -> str:
        return f"{self.prefixes.get((collection, record), record)}.{field}"

    def content(self, *more: str) -> Content:
        return content_of(_main_clause(self.text), without=(*(m.text for m in self.mentions), *more))


def find_answers(question: str, context: Context, *, now: datetime, quote: Quote | None) -> Answer | None:
    """The facts that answer one question, None when no record carries the answer. `quote`: the quote in view."""
    asked = _ask(question, context, now, quote)
    if asked is None:
        return None
    if not asked.mentions and looks_like_another(question, context.products):
        return Answer(_first_intent(asked), (), None, "unknown", _SURE)
    for intent in asked.intents:
        found = _READERS[intent](asked)
        if found is not None:
            return found
    return _from_products(asked) or _from_articles(asked)


def _ask(question: str, context: Context, now: datetime, quote: Quote | None) -> _Ask | None:
    row = tokens(question)
    if not row:
        return None
    in_view = _quote_meant(question, context, quote)
    mentions = products_named(question, context.products)
    return _Ask(question, row, _intents(row), context, now, in_view, mentions, _prefixes(context))


def _main_clause(question: str) -> str:
    """The question without what leads up to it: "Two things before we sign: does it …" gives "does it …"."""
    row = tokens(question)
    starts = book("questions", "starts")
    for i in range(len(row) - 1, 0, -1):
        between = question[row[i - 1].end : row[i].start]
        if any(mark in between for mark in (":", ",", "–", " - ", ". ")) and starts.starting(row, i):
            return question[row[i].start :]
    return question


def _intents(row: Sequence[Token]) -> tuple[Intent, ...]:
    found = {hit.label for hit in _intent_book().find(row)}
    return tuple(intent for intent in _READERS if intent in found)


@cache
def _intent_book() -> PhraseBook:
    return book("answers", "intents")


def _first_intent(asked: _Ask) -> Intent:
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


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


# Quotes


def _quote_meant(question: str, context: Context, quote: Quote | None) -> Quote | None:
    """The quote named by its number, else the one in view; None when a number is named that no record has."""
    sent = [q for q in context.quotes if q.status != "draft"]
    hits = [q for q in sent if _stands_in(q.number or q.id, question)]
    if hits:
        return hits[-1]
    same_kind = {_DIGITS.sub("", fold(q.number or q.id)) for q in sent}
    named = (_DIGITS.sub("", fold(m.group())) for m in _DOCUMENT.finditer(question))
    return None if any(kind in same_kind for kind in named) else quote


def _validity(asked: _Ask) -> Answer | None:
    """Whether the quote still stands. An ended one is never said to hold: who answers by when stands in a slot."""
    quote = asked.quote
    if quote is None or quote.valid_until is None:
        return None
    if not _amounts_fit(asked, quote) or not _is_only_about(asked, quote):
        return None
    day = asked.now.astimezone(_zone(quote.timezone or asked.context.seller.timezone)).date()
    ids = [asked.id("quotes", quote.id, "number"), asked.id("quotes", quote.id, "valid_until")]
    if day <= quote.valid_until:
        return Answer("validity", tuple(ids), None, "yes" if _is_yes_no(asked) else "states", _SURE)
    slot = _answer_slot(asked)
    ids += [asked.id("slots", slot.id, "on")] if slot else []
    return Answer("validity", tuple(ids), None, "no", _SURE, slot.id if slot else None)


def _amounts_fit(asked: _Ask, quote: Quote) -> bool:
    """Whether sums named in the question are those of the quote: "order at 12,480" of a quote over 12,480."""
    named = [read_number(m.group()) for m in _MONEY.finditer(asked.text)]
    known = {quote.total, *(line.unit_price for line in quote.lines)}
    return all(value in known for value in named if value is not None)


def _is_only_about(asked: _Ask, quote: Quote) -> bool:
    """Whether nothing is named that the quote lacks: "can we still order the old model?" is another question."""
    quoted = {line.product_id for line in quote.lines}
    plain = _DOCUMENT.sub(" ", _MONEY.sub(" ", asked.text.replace(quote.number or quote.id, " ")))
    return all(m.product.id in quoted for m in asked.mentions) and _names_nothing_else(asked, plain)


def _answer_slot(asked: _Ask) -> Slot | None:
    days = [s for s in asked.context.slots if s.kind == "answer_by" and s.on is not None and s.on >= asked.today]
    return min(days, key=lambda s: s.on or date.max, default=None)


def _is_yes_no(asked: _Ask) -> bool:
    """Whether yes or no answers the question: no "when" or "how long" at its start, after "until" or "tell me"."""
    before = _listed("before_interrogatives")
    places = (i for i, token in enumerate(asked.row) if token.word in _listed("interrogatives"))
    return not any(i == 0 or asked.row[i - 1].word in before for i in places)


@cache
def _listed(name: str) -> frozenset[str]:
    return frozenset(fold(word) for word in word_list("answers")["glossary"][name])


def _included(asked: _Ask) -> Answer | None:
    """Whether something belongs to the price: a line of the quote says so, or the product's own description."""
    if asked.product is not None and not _is_about_quote(asked):
        own = _described(asked, asked.product, asked.content(), "included")
        return own or _line_of_product(asked)
    if asked.quote is None:
        return None
    content = _wanted_of(asked, asked.quote)
    if content.empty:
        return _line_of_product(asked)
    return _freight(asked, asked.quote, content) or _quoted(asked, asked.quote, content)


def _wanted_of(asked: _Ask, quote: Quote) -> Content:
    """What is asked for, without the reason given for it and without what names the quote's own numbers of things."""
    whole = _main_clause(asked.text)
    main = _ASIDE.split(whole, maxsplit=1)[0]
    given = "" if book("answers", "intents").find(tokens(main)) else whole
    content = content_of(given or main, without=(*(m.text for m in asked.mentions), *_DOCUMENT.findall(asked.text)))
    counts = {line.quantity for line in quote.lines}
    spelled = {word for word in content.things if Decimal(spelled_numbers().get(word, -1)) in counts}
    codes = tuple(c for c in content.codes if not (c.isdigit() and Decimal(c) in counts))
    return Content(tuple(w for w in content.things if w not in spelled), codes)


def _quoted(asked: _Ask, quote: Quote, content: Content) -> Answer | None:
    """The line that covers all that is asked for; words that only name other quoted things are not asked for."""
    found = []
    for n, line in enumerate(quote.lines, 1):
        others = " ".join(_line_text(asked, other) for other in quote.lines if other is not line)
        asked_for = Content(tuple(w for w in content.things if not _only_names(w, line, others, asked)), content.codes)
        how = _line_cover(asked, line, asked_for)
        if how is not None and how[0].whole and asked_for.things:
            found.append((len(asked_for.things), -n, line, how))
    best = max(found, key=lambda f: f[:2], default=None)
    return _line_answer(asked, quote, -best[1], best[2], best[3]) if best else None


def _line_text(asked: _Ask, line: QuoteLine) -> str:
    product = _product(asked, line.product_id)
    return " ".join(filter(None, (line.description, *((product.name, product.category) if product else ()))))


def _only_names(word: str, line: QuoteLine, others: str, asked: _Ask) -> bool:
    """Whether a word is the name of another quoted thing and not of this line: "certificates for all meters"."""
    one = Content((word,), ())
    return cover(one, others).share == 1 and cover(one, _line_text(asked, line)).share == 0


def _is_about_quote(asked: _Ask) -> bool:
    return bool(book("answers", "quote_words").find(asked.row)) or bool(_DOCUMENT.search(asked.text))


def _freight(asked: _Ask, quote: Quote, content: Content) -> Answer | None:
    """Delivery is part of the total when the quote has a sum for it."""
    about = cover(content, "delivery freight shipping")
    if about.share < 1 or content.codes or quote.freight is None or quote.freight <= 0:
        return None
    ids = (asked.id("quotes", quote.id, "number"), asked.id("quotes", quote.id, "freight"))
    return Answer("included", ids, None, "yes", _LIKELY)


def _line_cover(asked: _Ask, line: QuoteLine, content: Content) -> tuple[Cover, str] | None:
    """How far a line covers what is asked, and where it says so: the line's words or the product's description."""
    product = _product(asked, line.product_id)
    name = " ".join(filter(None, (product.name, product.category) if product else ()))
    sources = (("line", line.description), ("description", product.description if product else None), ("name", name))
    said = [(place, text) for place, text in sources if text]
    whole = cover(content, ". ".join(text for _, text in said))
    if whole.share < _ENOUGH or not whole.codes or not said:
        return None
    place, text = max(said, key=lambda s: cover(content, s[1]).share)
    here = cover(content, text)
    return replace(whole, denied=here.denied, doubtful=here.doubtful), place


def _line_answer(asked: _Ask, quote: Quote, n: int, line: QuoteLine, found: tuple[Cover, str]) -> Answer:
    how, place = found
    ids = [asked.id("quotes", quote.id, f"line{n}.product")] if line.product_id else []
    if place == "line":
        ids.append(asked.id("quotes", quote.id, f"line{n}.description"))
    if place == "description" and line.product_id:
        ids.append(asked.id("products", line.product_id, "description"))
    if line.quantity is not None:
        ids.append(asked.id("quotes", quote.id, f"line{n}.quantity"))
    ids += _claims(asked, line.product_id, asked.content())
    verdict: Verdict = "no" if how.denied else "states" if how.doubtful else "yes"
    return Answer("included", tuple(ids), line.product_id, verdict, _LIKELY if how.doubtful else _SURE)


def _line_of_product(asked: _Ask) -> Answer | None:
    """ "Is the CAL-1 included?": the quote has a line of the product named (last), and nothing else is asked for."""
    if asked.quote is None or not asked.mentions or not asked.content().empty:
        return None
    named = asked.mentions[-1].product
    for n, line in enumerate(asked.quote.lines, 1):
        if line.product_id == named.id and (line.quantity is None or line.quantity > 0):
            fields = ["product"] + (["quantity"] if line.quantity is not None else [])
            ids = tuple(asked.id("quotes", asked.quote.id, f"line{n}.{field}") for field in fields)
            return Answer("included", ids, line.product_id, "yes", _SURE)
    return None


def _price(asked: _Ask) -> Answer | None:
    """A price is told only from a line of a quote that still stands, or its total when no product is named."""
    quote = asked.quote
    if quote is None or (quote.valid_until is not None and quote.valid_until < asked.today):
        return None
    number = asked.id("quotes", quote.id, "number")
    if asked.product is None:
        whole = not asked.mentions and asked.content().empty and quote.total is not None and _is_about_quote(asked)
        return (
            Answer("price", (number, asked.id("quotes", quote.id, "total")), None, "states", _LIKELY) if whole else None
        )
    lines = [(n, line) for n, line in enumerate(quote.lines, 1) if line.product_id == asked.product.id]
    if len(lines) != 1 or lines[0][1].unit_price is None:
        return None
    n = lines[0][0]
    ids = tuple(asked.id("quotes", quote.id, f"line{n}.{field}") for field in ("product", "unit_price", "quantity"))
    return Answer("price", (number, *ids), asked.product.id, "states", _SURE)


# Products


def _product(asked: _Ask, product_id: str | None) -> Product | None:
    return next((p for p in asked.context.products if p.id == product_id), None) if product_id else None


def _products_in_view(asked: _Ask) -> tuple[Product, ...]:
    """The products a question without a name can mean: those of the quote in view, else of the deal."""
    deal = asked.context.deal
    named = [line.product_id for line in asked.quote.lines] if asked.quote else []
    named = named or [i.product_id for i in asked.context.line_items if deal and i.deal_id == deal.id]
    named = named or list(deal.product_ids if deal else ())
    found = (_product(asked, i) for i in dict.fromkeys(named))
    return tuple(p for p in found if p is not None)


def _lead_time(asked: _Ask) -> Answer | None:
    product = asked.product
    if product is None and not asked.mentions and _names_nothing_else(asked, asked.text):
        timed = [p for p in _products_in_view(asked) if p.lead_time]
        product = timed[0] if len(timed) == 1 else None
    if product is None or not product.lead_time:
        return None
    ids = (asked.id("products", product.id, "lead_time"), asked.id("products", product.id, "name"))
    return Answer("lead_time", ids, product.id, "states", _SURE if asked.mentions else _LIKELY)


def _names_nothing_else(asked: _Ask, text: str) -> bool:
    """Whether the question has no word for a thing but the asking itself and words of the products in view.

    "What is the lead time for the valve?" must not be answered with the pump's, only because the pump is quoted.
    """
    view = " ".join(" ".join(filter(None, (p.name, p.category, p.unit))) for p in _products_in_view(asked))
    asking = " ".join(_words_of_intents(asked.row))
    content = content_of(text, without=(asking, *(m.text for m in asked.mentions)))
    return not content.codes and all(cover(Content((thing,), ()), view).share == 1 for thing in content.things)


def _words_of_intents(row: Sequence[Token]) -> Iterator[str]:
    for hit in _intent_book().find(row):
        yield from (token.word for token in row[hit.first : hit.last + 1])


def _compatible(asked: _Ask) -> Answer | None:
    """Two products named, and one is recorded as compatible with the other."""
    named = list({m.product.id: m.product for m in asked.mentions}.values())
    if len(named) != 2:
        return _described(asked, asked.product, asked.content(), "compatible") if asked.product else None
    one, other = named
    if other.id not in one.compatible_with and one.id not in other.compatible_with:
        return None
    ids = tuple(asked.id("products", p.id, "name") for p in named)
    return Answer("compatible", ids, one.id, "yes", _SURE)


def _described(asked: _Ask, product: Product, content: Content, intent: Intent) -> Answer | None:
    """The part of a product's record that covers the question: a feature, the description, an approved claim."""
    if content.empty:
        return None
    best = max(_parts(asked, product), key=lambda part: _score(content, part[1]), default=None)
    if best is None:
        return None
    how = cover(content, best[1])
    if how.share < _ENOUGH or (not how.codes and how.share < 1):
        return None
    ids = (asked.id("products", product.id, "name"), best[0])
    return Answer(intent, ids, product.id, _verdict(asked, how, intent), min(_SURE, how.share))


def _verdict(asked: _Ask, how: Cover, intent: Intent) -> Verdict:
    """Yes or no only when all that is asked for is there and the wording leaves no doubt; else what is described."""
    if not _is_yes_no(asked) or not how.whole or how.doubtful:
        return "states"
    if how.denied:
        return "no"
    return "yes" if how.granted or intent != "included" else "states"


def _score(content: Content, text: str) -> tuple[Decimal, bool, int]:
    how = cover(content, text)
    return how.share, how.codes, -len(text)


def _parts(asked: _Ask, product: Product) -> Iterator[tuple[str, str]]:
    """What customers may be told about a product: (fact id, text)."""
    if product.description:
        yield asked.id("products", product.id, "description"), product.description
    for n, feature in enumerate(product.features, 1):
        for field, text in ((f"feature{n}", feature.feature), (f"feature{n}.advantage", feature.advantage)):
            if text:
                yield asked.id("products", product.id, field), text
    for claim in asked.context.claims:
        if product.id in claim.product_ids and claim.text and _holds(claim.valid_until, asked.today):
            yield asked.id("claims", claim.id, "text"), claim.text


def _holds(until: date | None, today: date) -> bool:
    return until is None or until >= today


def _claims(asked: _Ask, product_id: str | None, content: Content) -> list[str]:
    """Approved claims about a product that say what was asked."""
    return [
        asked.id("claims", claim.id, "text")
        for claim in asked.context.claims
        if product_id in claim.product_ids and claim.text and _holds(claim.valid_until, asked.today)
        and cover(content, claim.text).share >= _ENOUGH and cover(content, claim.text).codes
    ][:1]  # fmt: skip


def _from_products(asked: _Ask) -> Answer | None:
    """A question about what a named product is or does; without a name, of the one product in view."""
    product = asked.product
    view = _products_in_view(asked)
    if product is None and not asked.mentions and len(view) == 1:
        product = view[0]
    if product is None:
        return None
    asking = " ".join(_words_of_intents(asked.row)) if "product" not in asked.intents[:1] else ""
    return _described(asked, product, asked.content(), "product") or _described(
        asked, product, asked.content(asking), "product"
    )


# Orders, tickets, contracts, people


def _order_status(asked: _Ask) -> Answer | None:
    """What is known of the order named by its number, else of the newest: when ordered, and delivered if it is."""
    order = _named_or_newest(asked, asked.context.orders)
    if order is None or order.ordered_at is None:
        return None
    fields = ["number", "ordered_on"] + (["delivered_on"] if order.delivered_at else [])
    ids = tuple(asked.id("orders", order.id, field) for field in fields)
    if order.delivered_at:
        return Answer("order_status", ids, None, "states", _SURE)
    slot = _answer_slot(asked)
    more = (asked.id("slots", slot.id, "on"),) if slot else ()
    return Answer("order_status", ids + more, None, "states", _HALF, slot.id if slot else None)


def _named_or_newest(asked: _Ask, orders: Iterable[Order]) -> Order | None:
    known = [o for o in orders if any(line.quantity is None or line.quantity > 0 for line in o.lines) or not o.lines]
    named = [o for o in known if o.number and _stands_in(o.number, asked.text)]
    if named:
        return named[-1]
    if _DOCUMENT.search(asked.text):
        return None
    on_the_way = [o for o in known if o.delivered_at is None]
    return max(on_the_way or known, key=lambda o: o.ordered_at.timestamp() if o.ordered_at else 0, default=None)


def _stands_in(number: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(number)}(?![\w-])", text, re.IGNORECASE) is not None


def _ticket_status(asked: _Ask) -> Answer | None:
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
    return Answer("ticket_status", ids, ticket.product_id, "states", _SURE)


def _ticket(asked: _Ask) -> Ticket | None:
    context = asked.context
    named = [t for t in context.tickets if t.number and _stands_in(t.number, asked.text)]
    if named or context.ticket:
        return named[-1] if named else context.ticket
    pending = [t for t in context.tickets if t.status in ("open", "pending")]
    return pending[0] if len(pending) == 1 else None


def _contract(asked: _Ask) -> Answer | None:
    running = [c for c in asked.context.contracts if c.ends_on is not None and c.ends_on >= asked.today]
    if len(running) != 1:
        return None
    fields = ["name", "ends_on"] + (["notice_on"] if running[0].notice_days is not None else [])
    return Answer("contract", tuple(asked.id("contracts", running[0].id, f) for f in fields), None, "states", _SURE)


def _contact(asked: _Ask) -> Answer | None:
    """The colleague who looks after the deal or the account."""
    context = asked.context
    owner = (context.deal.owner_id if context.deal else None) or (context.company.owner_id if context.company else None)
    user = next((u for u in context.users if u.id == owner), None)
    if user is None or not user.name:
        return None
    ids = tuple(asked.id("users", user.id, field) for field in _CONTACT_FIELDS if getattr(user, field))
    return Answer("contact", ids, None, "states", _SURE)


def _meeting(asked: _Ask) -> Answer | None:
    """The first two free times of ours."""
    free = [
        s
        for s in asked.context.slots
        if s.kind in ("meeting", "visit", "call") and s.starts_at and s.starts_at > asked.now
    ]
    free.sort(key=lambda s: s.starts_at or asked.now)
    ids = tuple(asked.id("slots", slot.id, "starts_at") for slot in free[:2])
    return Answer("meeting", ids, None, "states", _LIKELY, free[0].id) if ids else None


# Knowledge


def _from_articles(asked: _Ask) -> Answer | None:
    """The public article that covers the question; None below the threshold, or when the two best disagree."""
    articles = [a for a in asked.context.articles if a.public is True and a.body and _is_about(a, asked)]
    content = asked.content()
    if not articles or content.empty:
        return None
    texts = [f"{a.title or ''}. {a.body}" for a in articles]
    scored = sorted(zip(rank(content, texts), articles, texts, strict=True), key=lambda s: (-s[0], s[1].id))
    score, article, text = _in_own_language(asked, scored)
    how = cover(content, text)
    if how.share < _ENOUGH or not how.codes or not (score >= _LEAST_SCORE or _is_titled(content, article)):
        return None
    rivals = [s for s in scored if s[1] is not article and s[0] >= score * _CLOSE_SECOND]
    if any(_disagree(content, text, other) for _, _, other in rivals):
        return None
    return Answer("knowledge", (asked.id("articles", article.id, "text"),), None, "states", min(_SURE, how.share))


def _is_titled(content: Content, article: Article) -> bool:
    """Whether the title itself names what is asked about: enough for a short question among few articles."""
    return cover(content, article.title or "").share > 0


def _is_about(article: Article, asked: _Ask) -> bool:
    """An article about other products says nothing about the one that is named."""
    named = {m.product.id for m in asked.mentions}
    return not named or not article.product_ids or bool(named & set(article.product_ids))


def _in_own_language(asked: _Ask, scored: Sequence[tuple[Decimal, Article, str]]) -> tuple[Decimal, Article, str]:
    """The best article, in the language of the question when one nearly as good is."""
    language = guess_language(asked.text)
    near = [s for s in scored if s[1].language == language and s[0] >= scored[0][0] * _CLOSE_SECOND]
    return near[0] if near and language else scored[0]


def _disagree(content: Content, one: str, other: str) -> bool:
    """Whether two passages that cover the question give different numbers, or one denies what the other grants."""
    first, second = cover(content, one), cover(content, other)
    if second.share < _ENOUGH or not second.codes:
        return False
    return numbers_in(first.sentence) != numbers_in(second.sentence) or first.denied != second.denied


def _nothing(asked: _Ask) -> Answer | None:
    """No record may be told for this (stock, invoices, terms): an article may, else a person answers."""
    return None


_READERS: Mapping[Intent, Callable[[_Ask], Answer | None]] = {
    "validity": _validity,
    "ticket_status": _ticket_status,
    "order_status": _order_status,
    "invoice": _nothing,
    "payment_terms": _nothing,
    "warranty": _nothing,
    "contract": _contract,
    "lead_time": _lead_time,
    "included": _included,
    "compatible": _compatible,
    "stock": _nothing,
    "price": _price,
    "contact": _contact,
    "meeting": _meeting,
    "product": _from_products,
}
"""What reads the records for an intent, the special before the general."""
