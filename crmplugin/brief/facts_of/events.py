"""Facts behind occasions: an announced price, a new product; only the day and the name, never the new price."""

from __future__ import annotations

from crmplugin.brief.facts_of.making import Maker, Rec
from crmplugin.domain.crm import Context, Product
from crmplugin.domain.fact import Fact


def price_day(make: Maker, context: Context, price_id: str | None) -> Fact | None:
    """The day an announced price of a product begins."""
    price = next((p for p in context.prices if p.id == price_id), None)
    if price is None:
        return None
    product = next((p.name for p in context.products if p.id == price.product_id and p.name), price.id)
    return make.day(Rec("prices", price.id, product), "valid_from", price.valid_from)


def launch_day(make: Maker, product: Product) -> Fact | None:
    return make.day(Rec("products", product.id, product.name or product.id), "valid_from", product.valid_from)
