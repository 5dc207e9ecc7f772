"""What the customer said they need, lately and in their own words: the reason of an offer (sales-craft §2.7, §5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmplugin.analysis.product_names import products_named
from crmplugin.analysis.upsell import find_needs, find_signals
from crmplugin.domain.crm import Contact, Context

FRESH_DAYS = 180
"""An older need is stale: it is asked about, not built on."""
MOST_TEXTS = 12
MOST_NEEDS = 4
LEAST_WORDS = 5
"""Shorter remarks ("small team") are no stated need."""


@dataclass(frozen=True, slots=True)
class StatedNeed:
    """One sentence of theirs that names a need. n counts the needs of its record from 1."""

    collection: str
    record_id: str
    n: int
    quote: str
    tags: tuple[str, ...]
    categories: frozenset[str] = frozenset()
    """Categories of the products it was said about."""

    @property
    def name(self) -> str:
        return f"need{self.n}"


def stated_needs(context: Context, contact: Contact | None, *, now: datetime) -> tuple[StatedNeed, ...]:
    """Needs of this person's messages and tickets of the last 180 days, the newest text first."""
    known = {tag for product in context.products for feature in product.features for tag in feature.need_tags}
    found: list[StatedNeed] = []
    for _, collection, record_id, text in sorted(_texts(context, contact, now), reverse=True)[:MOST_TEXTS]:
        tags: dict[str, list[str]] = {}
        said = [(s.quote, s.tag) for s in find_signals(text)] + [(n.quote, n.tag) for n in find_needs(text, known)]
        for quote, tag in (row for row in said if len(row[0].split()) >= LEAST_WORDS):
            tags.setdefault(quote, []).append(tag)
        for n, (quote, named) in enumerate(tags.items(), start=1):
            near = _categories(context, collection, record_id, text)
            found.append(StatedNeed(collection, record_id, n, quote, tuple(dict.fromkeys(named)), near))
    return tuple(found[:MOST_NEEDS])


def _categories(context: Context, collection: str, record_id: str, text: str) -> frozenset[str]:
    about = {mention.product.id for mention in products_named(text, context.products)}
    if collection == "tickets":
        about |= {t.product_id for t in context.tickets if t.id == record_id and t.product_id}
    return frozenset(p.category for p in context.products if p.id in about and p.category)


def _texts(context: Context, contact: Contact | None, now: datetime) -> Iterator[tuple[datetime, str, str, str]]:
    """Time, collection, id and words of what this person wrote."""
    oldest = now - timedelta(days=FRESH_DAYS)
    for a in context.activities:
        theirs = a.direction == "inbound" and not a.automatic and (contact is None or contact.id in a.contact_ids)
        if theirs and a.body and a.at and oldest <= a.at <= now:
            yield a.at, "activities", a.id, a.body
    for t in context.tickets:
        theirs = contact is None or t.contact_id == contact.id
        if theirs and t.body and t.opened_at and oldest <= t.opened_at <= now:
            yield t.opened_at, "tickets", t.id, t.body
