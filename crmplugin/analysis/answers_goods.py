"""Answers that stand in the catalogue: lead time, what fits what, what a product is."""

from __future__ import annotations

from crmplugin.analysis.answers_asked import (
    LIKELY,
    SURE,
    Answer,
    Asked,
    described_answer,
    names_nothing_else,
    products_in_view,
    words_of_intents,
)


def lead_time_answer(asked: Asked) -> Answer | None:
    product = asked.product
    if product is None and not asked.mentions and names_nothing_else(asked, asked.text):
        timed = [p for p in products_in_view(asked) if p.lead_time]
        product = timed[0] if len(timed) == 1 else None
    if product is None or not product.lead_time:
        return None
    ids = (asked.id("products", product.id, "lead_time"), asked.id("products", product.id, "name"))
    return Answer("lead_time", ids, product.id, "states", SURE if asked.mentions else LIKELY)


def compatible_answer(asked: Asked) -> Answer | None:
    """Two products named, and one is recorded as compatible with the other."""
    named = list({m.product.id: m.product for m in asked.mentions}.values())
    if len(named) != 2:
        return described_answer(asked, asked.product, asked.content(), "compatible") if asked.product else None
    one, other = named
    if other.id not in one.compatible_with and one.id not in other.compatible_with:
        return None
    ids = tuple(asked.id("products", p.id, "name") for p in named)
    return Answer("compatible", ids, one.id, "yes", SURE)


def product_answer(asked: Asked) -> Answer | None:
    """A question about what a named product is or does; without a name, of the one product in view."""
    product = asked.product
    view = products_in_view(asked)
    if product is None and not asked.mentions and len(view) == 1:
        product = view[0]
    if product is None:
        return None
    asking = " ".join(words_of_intents(asked.row)) if "product" not in asked.intents[:1] else ""
    return described_answer(asked, product, asked.content(), "product") or described_answer(
        asked, product, asked.content(asking), "product"
    )
