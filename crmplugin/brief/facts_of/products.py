"""Facts of products, and which products of a catalogue a brief needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from crmplugin.analysis.durations import read_duration
from crmplugin.brief.facts_of.making import Maker, Rec
from crmplugin.domain.crm import Context, Product
from crmplugin.domain.fact import Fact

FEATURES_SHOWN = 6
SMALL_CATALOGUE = 30
"""A catalogue this small is made into facts whole."""


def product_facts(make: Maker, product: Product, *, price_asked: bool) -> list[Fact | None]:
    """`price_asked` shows the list price to the customer: they asked what it costs."""
    rec = Rec("products", product.id, product.name or product.id)
    price = {"visibility": "customer"} if price_asked else {}
    return [
        make.text(rec, "name", product.name, kind="product"),
        make.text(rec, "description", product.description),
        lead_time(make, rec, product.lead_time),
        make.money(rec, "list_price", product.list_price, product.currency, **price),
        make.quantity(rec, "stock", product.stock),
        make.money(rec, "cost", product.cost, product.currency),
        *(f for n in range(min(len(product.features), FEATURES_SHOWN)) for f in _feature(make, rec, product, n)),
    ]


def lead_time(make: Maker, rec: Rec, text: str | None) -> Fact | None:
    """A duration when the field holds one; anything else stays internal, for its language is unknown."""
    if not text:
        return None
    found = read_duration(text)
    if found is None:
        return make.text(rec, "lead_time", text, visibility="internal")
    shown = make.show_span(found.low, found.high, found.unit)
    shown = make.word(f"hedges.{found.hedge}", value=shown) if found.hedge else shown
    unit = "day" if found.unit == "business_day" else found.unit
    return make.fact(rec, "lead_time", "duration", found.value, shown, unit=unit)


def needed_products(context: Context, texts: Iterable[str], more: Iterable[str] = ()) -> tuple[Product, ...]:
    """Products the account's records or these texts name, in catalogue order; all of a small catalogue."""
    if len(context.products) <= SMALL_CATALOGUE:
        return context.products
    wanted = set(more) | _named_ids(context)
    for text in texts:
        wanted |= {p.id for p in products_in(text, context.products)}
    return tuple(p for p in context.products if p.id in wanted)


def products_in(text: str, products: Iterable[Product]) -> tuple[Product, ...]:
    """Products named in a text by name, SKU or alias, in its order."""
    return tuple(product for product, _ in names_in(text, products))


def names_in(text: str, products: Iterable[Product]) -> tuple[tuple[Product, str], ...]:
    """Products named in a text with the name used; the longest wins where names overlap (300 in 3000 never does)."""
    spans: list[tuple[int, int, Product, str]] = []
    for product in products:
        for name in _names(product):
            spans += [(m.start(), m.end(), product, name) for m in _pattern(name).finditer(text)]
    spans.sort(key=lambda s: (s[0] - s[1], s[0]))
    kept: list[tuple[int, int, Product, str]] = []
    for span in spans:
        if all(span[1] <= s or span[0] >= e or span[:2] == (s, e) for s, e, _, _ in kept):
            kept.append(span)
    found: dict[str, tuple[Product, str]] = {}
    for _, _, product, name in sorted(kept, key=lambda s: s[0]):
        found.setdefault(product.id, (product, name))
    return tuple(found.values())


def _names(product: Product) -> tuple[str, ...]:
    given = (product.name, product.sku, product.id if len(product.id) > 2 else None, *product.aliases)
    return tuple(n for n in given if n and len(n) > 1)


def _pattern(name: str) -> re.Pattern[str]:
    """The name with its spaces and hyphens optional, as a whole word; a plural s may follow a letter."""
    parts = [re.escape(p) for p in re.split(r"[\s-]+", name) if p]
    ending = "s?" if name[-1].isalpha() else ""
    return re.compile(rf"(?<!\w){'[ -]?'.join(parts)}{ending}(?!\w)", re.IGNORECASE)


def _named_ids(context: Context) -> set[str]:
    lines = [line for group in (context.quotes, context.orders[-20:]) for doc in group for line in doc.lines]
    ids = {line.product_id for line in lines} | {t.product_id for t in context.tickets}
    ids |= {item.product_id for item in context.line_items}
    ids |= {pid for deal in context.deals for pid in deal.product_ids}
    return {pid for pid in ids if pid}


def _feature(make: Maker, rec: Rec, product: Product, index: int) -> list[Fact | None]:
    feature, number = product.features[index], f"feature{index + 1}"
    path = f"features[{index}]"
    return [
        make.text(rec, number, feature.feature, key="feature", path=f"{path}.feature"),
        make.text(rec, f"{number}.advantage", feature.advantage, key="advantage", path=f"{path}.advantage"),
        make.text(rec, f"{number}.benefit", feature.benefit, key="benefit", path=f"{path}.benefit"),
    ]


def stock_allows(product: Product, quantity: Decimal = Decimal(1)) -> bool:
    """Whether the stock on record covers a quantity; unknown stock does not stop an offer."""
    return product.stock is None or product.stock >= quantity
