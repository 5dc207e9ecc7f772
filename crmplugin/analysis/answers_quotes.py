"""Answers that stand in a quote or a price: how long it holds, what it includes, what a line says."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from crmplugin.analysis.answers_asked import (
    ENOUGH,
    LIKELY,
    SURE,
    Answer,
    Asked,
    Verdict,
    answer_slot,
    claims_on,
    described_answer,
    is_yes_no,
    main_clause,
    names_nothing_else,
    product_meant,
    stands_in,
    zone_named,
)
from crmplugin.analysis.dates_in_text import spelled_numbers
from crmplugin.analysis.evidence import Content, Cover, content_of, cover
from crmplugin.analysis.notes import read_number
from crmplugin.analysis.phrases import book, fold, tokens
from crmplugin.domain.crm import (
    Context,
    Quote,
    QuoteLine,
)

_MONEY = re.compile(r"(?<![\w-])\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{2})?|(?<![\w.,-])\d+[.,]\d{2}(?!\d)")
_ASIDE = re.compile(
    r",\s|\s(?:as|because|since|which|weil|da|denn|car|parce|puisque|porque|ya que|perché|poiché|omdat)\s"
)
DOCUMENT = re.compile(r"(?<![\w-])[A-Za-z]{1,5}-\d{2,}(?:-\d+)*(?![\w-])")
_DIGITS = re.compile(r"[\d-]+")


def quote_meant(question: str, context: Context, quote: Quote | None) -> Quote | None:
    """The quote named by its number, else the one in view; None when a number is named that no record has."""
    sent = [q for q in context.quotes if q.status != "draft"]
    hits = [q for q in sent if stands_in(q.number or q.id, question)]
    if hits:
        return hits[-1]
    same_kind = {_DIGITS.sub("", fold(q.number or q.id)) for q in sent}
    named = (_DIGITS.sub("", fold(m.group())) for m in DOCUMENT.finditer(question))
    return None if any(kind in same_kind for kind in named) else quote


def validity_answer(asked: Asked) -> Answer | None:
    """Whether the quote still stands. An ended one is never said to hold: who answers by when stands in a slot."""
    quote = asked.quote
    if quote is None or quote.valid_until is None:
        return None
    if not _amounts_fit(asked, quote) or not _is_only_about(asked, quote):
        return None
    day = asked.now.astimezone(zone_named(quote.timezone or asked.context.seller.timezone)).date()
    ids = [asked.id("quotes", quote.id, "number"), asked.id("quotes", quote.id, "valid_until")]
    if day <= quote.valid_until:
        return Answer("validity", tuple(ids), None, "yes" if is_yes_no(asked) else "states", SURE)
    slot = answer_slot(asked)
    ids += [asked.id("slots", slot.id, "on")] if slot else []
    return Answer("validity", tuple(ids), None, "no", SURE, slot.id if slot else None)


def _amounts_fit(asked: Asked, quote: Quote) -> bool:
    """Whether sums named in the question are those of the quote: "order at 12,480" of a quote over 12,480."""
    named = [read_number(m.group()) for m in _MONEY.finditer(asked.text)]
    known = {quote.total, *(line.unit_price for line in quote.lines)}
    return all(value in known for value in named if value is not None)


def _is_only_about(asked: Asked, quote: Quote) -> bool:
    """Whether nothing is named that the quote lacks: "can we still order the old model?" is another question."""
    quoted = {line.product_id for line in quote.lines}
    plain = DOCUMENT.sub(" ", _MONEY.sub(" ", asked.text.replace(quote.number or quote.id, " ")))
    return all(m.product.id in quoted for m in asked.mentions) and names_nothing_else(asked, plain)


def included_answer(asked: Asked) -> Answer | None:
    """Whether something belongs to the price: a line of the quote says so, or the product's own description."""
    if asked.product is not None and not _is_about_quote(asked):
        own = described_answer(asked, asked.product, asked.content(), "included")
        return own or _line_of_product(asked)
    if asked.quote is None:
        return None
    content = _wanted_of(asked, asked.quote)
    if content.empty:
        return _line_of_product(asked)
    return _freight(asked, asked.quote, content) or _quoted(asked, asked.quote, content)


def _wanted_of(asked: Asked, quote: Quote) -> Content:
    """What is asked for, without the reason given for it and without what names the quote's own numbers of things."""
    whole = main_clause(asked.text)
    main = _ASIDE.split(whole, maxsplit=1)[0]
    given = "" if book("answers", "intents").find(tokens(main)) else whole
    content = content_of(given or main, without=(*(m.text for m in asked.mentions), *DOCUMENT.findall(asked.text)))
    counts = {line.quantity for line in quote.lines}
    spelled = {word for word in content.things if Decimal(spelled_numbers().get(word, -1)) in counts}
    codes = tuple(c for c in content.codes if not (c.isdigit() and Decimal(c) in counts))
    return Content(tuple(w for w in content.things if w not in spelled), codes)


def _quoted(asked: Asked, quote: Quote, content: Content) -> Answer | None:
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


def _line_text(asked: Asked, line: QuoteLine) -> str:
    product = product_meant(asked, line.product_id)
    return " ".join(filter(None, (line.description, *((product.name, product.category) if product else ()))))


def _only_names(word: str, line: QuoteLine, others: str, asked: Asked) -> bool:
    """Whether a word is the name of another quoted thing and not of this line: "certificates for all meters"."""
    one = Content((word,), ())
    return cover(one, others).share == 1 and cover(one, _line_text(asked, line)).share == 0


def _is_about_quote(asked: Asked) -> bool:
    return bool(book("answers", "quote_words").find(asked.row)) or bool(DOCUMENT.search(asked.text))


def _freight(asked: Asked, quote: Quote, content: Content) -> Answer | None:
    """Delivery is part of the total when the quote has a sum for it."""
    about = cover(content, "delivery freight shipping")
    if about.share < 1 or content.codes or quote.freight is None or quote.freight <= 0:
        return None
    ids = (asked.id("quotes", quote.id, "number"), asked.id("quotes", quote.id, "freight"))
    return Answer("included", ids, None, "yes", LIKELY)


def _line_cover(asked: Asked, line: QuoteLine, content: Content) -> tuple[Cover, str] | None:
    """How far a line covers what is asked, and where it says so: the line's words or the product's description."""
    product = product_meant(asked, line.product_id)
    name = " ".join(filter(None, (product.name, product.category) if product else ()))
    sources = (("line", line.description), ("description", product.description if product else None), ("name", name))
    said = [(place, text) for place, text in sources if text]
    whole = cover(content, ". ".join(text for _, text in said))
    if whole.share < ENOUGH or not whole.codes or not said:
        return None
    place, text = max(said, key=lambda s: cover(content, s[1]).share)
    here = cover(content, text)
    return replace(whole, denied=here.denied, doubtful=here.doubtful), place


def _line_answer(asked: Asked, quote: Quote, n: int, line: QuoteLine, found: tuple[Cover, str]) -> Answer:
    how, place = found
    ids = [asked.id("quotes", quote.id, f"line{n}.product")] if line.product_id else []
    if place == "line":
        ids.append(asked.id("quotes", quote.id, f"line{n}.description"))
    if place == "description" and line.product_id:
        ids.append(asked.id("products", line.product_id, "description"))
    if line.quantity is not None:
        ids.append(asked.id("quotes", quote.id, f"line{n}.quantity"))
    ids += claims_on(asked, line.product_id, asked.content())
    verdict: Verdict = "no" if how.denied else "states" if how.doubtful else "yes"
    return Answer("included", tuple(ids), line.product_id, verdict, LIKELY if how.doubtful else SURE)


def _line_of_product(asked: Asked) -> Answer | None:
    """ "Is the CAL-1 included?": the quote has a line of the product named (last), and nothing else is asked for."""
    if asked.quote is None or not asked.mentions or not asked.content().empty:
        return None
    named = asked.mentions[-1].product
    for n, line in enumerate(asked.quote.lines, 1):
        if line.product_id == named.id and (line.quantity is None or line.quantity > 0):
            fields = ["product"] + (["quantity"] if line.quantity is not None else [])
            ids = tuple(asked.id("quotes", asked.quote.id, f"line{n}.{field}") for field in fields)
            return Answer("included", ids, line.product_id, "yes", SURE)
    return None


def price_answer(asked: Asked) -> Answer | None:
    """A price is told only from a line of a quote that still stands, or its total when no product is named."""
    quote = asked.quote
    if quote is None or (quote.valid_until is not None and quote.valid_until < asked.today):
        return None
    number = asked.id("quotes", quote.id, "number")
    if asked.product is None:
        whole = not asked.mentions and asked.content().empty and quote.total is not None and _is_about_quote(asked)
        return (
            Answer("price", (number, asked.id("quotes", quote.id, "total")), None, "states", LIKELY) if whole else None
        )
    lines = [(n, line) for n, line in enumerate(quote.lines, 1) if line.product_id == asked.product.id]
    if len(lines) != 1 or lines[0][1].unit_price is None:
        return None
    n = lines[0][0]
    ids = tuple(asked.id("quotes", quote.id, f"line{n}.{field}") for field in ("product", "unit_price", "quantity"))
    return Answer("price", (number, *ids), asked.product.id, "states", SURE)
