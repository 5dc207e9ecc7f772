"""What a question asks for and of what, and what all readers of answers share: how well a text covers it, which
product is meant, which approved claims hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmplugin.analysis.evidence import Content, Cover, content_of, cover
from crmplugin.analysis.phrases import PhraseBook, Token, book, fold, tokens, word_list
from crmplugin.analysis.product_names import Mention
from crmplugin.domain.crm import (
    Context,
    Product,
    Quote,
    Slot,
)

Intent = Literal[
    "lead_time", "included", "validity", "stock", "compatible", "product", "warranty", "payment_terms", "price",
    "order_status", "ticket_status", "invoice", "contact", "meeting", "contract", "knowledge",
]  # fmt: skip
Verdict = Literal["yes", "no", "states", "unknown"]
HALF, ENOUGH = Decimal("0.5"), Decimal("0.6")
SURE, LIKELY = Decimal("0.9"), Decimal("0.7")


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
class Asked:
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
        return self.now.astimezone(zone_named(self.context.seller.timezone)).date()

    @property
    def product(self) -> Product | None:
        """The one product that is named."""
        named = {m.product.id: m.product for m in self.mentions}
        return next(iter(named.values())) if len(named) == 1 else None

    def id(self, collection: str, record: str, field: str) -> str:
        return f"{self.prefixes.get((collection, record), record)}.{field}"

    def content(self, *more: str) -> Content:
        return content_of(main_clause(self.text), without=(*(m.text for m in self.mentions), *more))


def main_clause(question: str) -> str:
    """The question without what leads up to it: "Two things before we sign: does it …" gives "does it …"."""
    row = tokens(question)
    starts = book("questions", "starts")
    for i in range(len(row) - 1, 0, -1):
        between = question[row[i - 1].end : row[i].start]
        if any(mark in between for mark in (":", ",", "–", " - ", ". ")) and starts.starting(row, i):
            return question[row[i].start :]
    return question


@cache
def intent_book() -> PhraseBook:
    return book("answers", "intents")


def zone_named(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def answer_slot(asked: Asked) -> Slot | None:
    days = [s for s in asked.context.slots if s.kind == "answer_by" and s.on is not None and s.on >= asked.today]
    return min(days, key=lambda s: s.on or date.max, default=None)


def is_yes_no(asked: Asked) -> bool:
    """Whether yes or no answers the question: no "when" or "how long" at its start, after "until" or "tell me"."""
    before = _listed("before_interrogatives")
    places = (i for i, token in enumerate(asked.row) if token.word in _listed("interrogatives"))
    return not any(i == 0 or asked.row[i - 1].word in before for i in places)


@cache
def _listed(name: str) -> frozenset[str]:
    return frozenset(fold(word) for word in word_list("answers")["glossary"][name])


def product_meant(asked: Asked, product_id: str | None) -> Product | None:
    return next((p for p in asked.context.products if p.id == product_id), None) if product_id else None


def products_in_view(asked: Asked) -> tuple[Product, ...]:
    """The products a question without a name can mean: those of the quote in view, else of the deal."""
    deal = asked.context.deal
    named = [line.product_id for line in asked.quote.lines] if asked.quote else []
    named = named or [i.product_id for i in asked.context.line_items if deal and i.deal_id == deal.id]
    named = named or list(deal.product_ids if deal else ())
    found = (product_meant(asked, i) for i in dict.fromkeys(named))
    return tuple(p for p in found if p is not None)


def names_nothing_else(asked: Asked, text: str) -> bool:
    """Whether the question has no word for a thing but the asking itself and words of the products in view.

    "What is the lead time for the valve?" must not be answered with the pump's, only because the pump is quoted.
    """
    view = " ".join(" ".join(filter(None, (p.name, p.category, p.unit))) for p in products_in_view(asked))
    asking = " ".join(words_of_intents(asked.row))
    content = content_of(text, without=(asking, *(m.text for m in asked.mentions)))
    return not content.codes and all(cover(Content((thing,), ()), view).share == 1 for thing in content.things)


def words_of_intents(row: Sequence[Token]) -> Iterator[str]:
    for hit in intent_book().find(row):
        yield from (token.word for token in row[hit.first : hit.last + 1])


def described_answer(asked: Asked, product: Product, content: Content, intent: Intent) -> Answer | None:
    """The part of a product's record that covers the question: a feature, the description, an approved claim."""
    if content.empty:
        return None
    best = max(_parts(asked, product), key=lambda part: _score(content, part[1]), default=None)
    if best is None:
        return None
    how = cover(content, best[1])
    if how.share < ENOUGH or (not how.codes and how.share < 1):
        return None
    ids = (asked.id("products", product.id, "name"), best[0])
    return Answer(intent, ids, product.id, _verdict(asked, how, intent), min(SURE, how.share))


def _verdict(asked: Asked, how: Cover, intent: Intent) -> Verdict:
    """Yes or no only when all that is asked for is there and the wording leaves no doubt; else what is described."""
    if not is_yes_no(asked) or not how.whole or how.doubtful:
        return "states"
    if how.denied:
        return "no"
    return "yes" if how.granted or intent != "included" else "states"


def _score(content: Content, text: str) -> tuple[Decimal, bool, int]:
    how = cover(content, text)
    return how.share, how.codes, -len(text)


def _parts(asked: Asked, product: Product) -> Iterator[tuple[str, str]]:
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


def claims_on(asked: Asked, product_id: str | None, content: Content) -> list[str]:
    """Approved claims about a product that say what was asked."""
    return [
        asked.id("claims", claim.id, "text")
        for claim in asked.context.claims
        if product_id in claim.product_ids and claim.text and _holds(claim.valid_until, asked.today)
        and cover(content, claim.text).share >= ENOUGH and cover(content, claim.text).codes
    ][:1]  # fmt: skip


def stands_in(number: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(number)}(?![\w-])", text, re.IGNORECASE) is not None
