"""Facts of products, and which products of a catalogue a brief needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from crmplugin.analysis.durations import read_duration
from crmplugin.analysis.product_names import Mention, products_named
from crmplugin.brief.facts_of.making import Maker, Rec
from crmplugin.domain.crm import Context, Product
from crmplugin.domain.fact import Fact

FEATURES_SHOWN = 12
FITS_SHOWN = 6
RECENT_ORDERS = 6
SMALL_CATALOGUE = 30
"""A catalogue this small is made into facts whole."""


def product_facts(make: Maker, product: Product) -> list[Fact | None]:
    """What a product is; its list price stays inside: customers hear prices from quotes."""
    rec = Rec("products", product.id, product.name or product.id)
    return [
        make.text(rec, "name", product.name, kind="product"),
        make.text(rec, "description", product.description),
        lead_time(make, rec, product.lead_time),
        make.money(rec, "list_price", product.list_price, product.currency),
        make.quantity(rec, "stock", product.stock),
        make.money(rec, "cost", product.cost, product.currency),
        *(f for n in range(min(len(product.features), FEATURES_SHOWN)) for f in _feature(make, rec, product, n)),
    ]


def fits_facts(
    make: Maker, product: Product, products: Mapping[str, Product], owned: Sequence[str]
) -> list[Fact | None]:
    """What it fits of the things they own: recorded on either of the two products."""
    rec = Rec("products", product.id, product.name or product.id)
    pairs = [(o, products[o]) for o in owned if o in products and o != product.id]
    fitting = [p for o, p in pairs if o in product.compatible_with or product.id in p.compatible_with]
    return [
        make.product(rec, f"fits{n}", other, path="compatible_with", key="name")
        for n, other in enumerate(fitting[:FITS_SHOWN], start=1)
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
    wanted |= {p.id for p in products_in(" .\n".join(texts), context.products)}
    return tuple(p for p in context.products if p.id in wanted)


def products_in(text: str, products: Iterable[Product]) -> tuple[Product, ...]:
    """Products named in a text, each once, in its order."""
    return tuple(dict.fromkeys(m.product for m in products_named(text, products)))


def name_used(mention: Mention) -> str:
    """The recorded spelling (name, SKU, id or alias) of the name a text uses."""
    product = mention.product
    given = (product.name, product.sku, product.id, *product.aliases)
    squeezed = _squeezed(mention.text)
    return next((n for n in given if n and _squeezed(n) == squeezed), product.name or product.id)


def _squeezed(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _named_ids(context: Context) -> set[str]:
    lines = [line for group in (context.quotes, context.orders[-RECENT_ORDERS:]) for doc in group for line in doc.lines]
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
