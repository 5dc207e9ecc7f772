"""Which product a pitch is about: not owned for good, sellable here, with something true to say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmplugin.brief.plan_rows import Place
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Context, Product
from crmplugin.domain.fact import Fact
from crmplugin.ports import Population

MIN_SHARED_ACCOUNTS = 5
FEATURE_NUMBERS = range(1, 7)

Facts = Mapping[str, Fact]


def find_offer(
    context: Context, signals: Signals, facts: Facts, population: Population | None
) -> tuple[dict[str, Place], dict[str, str]]:
    """Places and references of the product to offer; empty when there is none to offer honestly.

    First what the deal is about, then what accounts with the same purchases also bought, then what fits to what they
    own; the first one that may be sold to them and about which something can be told.
    """
    products = {p.id: p for p in context.products}
    owned = {line.product_id for order in context.orders for line in order.lines}
    candidates = dict.fromkeys((*_of_deal(context), *_bought_along(owned, population), *_fitting(owned, products)))
    for id_ in candidates:
        if id_ in products and _may_be_sold(products[id_], context, owned) and _can_be_told(id_, facts):
            return _places(products[id_], context, facts), _features(id_, facts)
    return {}, {}


def _of_deal(context: Context) -> Iterable[str]:
    if context.deal is None:
        return ()
    items = [item.product_id for item in context.line_items if item.deal_id == context.deal.id]
    return [id_ for id_ in (*context.deal.product_ids, *items) if id_]


def _bought_along(owned: set[str | None], population: Population | None) -> list[str]:
    """Products that at least five accounts bought together with something owned, the most shared first."""
    shared: dict[str, int] = {}
    for mine in owned:
        for other, accounts in (population.bought_with.get(mine or "", {}) if population else {}).items():
            shared[other] = max(shared.get(other, 0), accounts)
    ranked = sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))
    return [id_ for id_, accounts in ranked if accounts >= MIN_SHARED_ACCOUNTS and id_ not in owned]


def _fitting(owned: set[str | None], products: Mapping[str, Product]) -> list[str]:
    """Products that fit to something owned, in catalogue order."""
    named = {id_ for mine in owned if mine in products for id_ in products[mine or ""].compatible_with}
    return [p.id for p in products.values() if p.id not in owned and (p.id in named or owned & set(p.compatible_with))]


def _may_be_sold(product: Product, context: Context, owned: set[str | None]) -> bool:
    company = context.company
    places = {place for place in (company.country, company.region) if place} if company else set()
    sold_here = not product.regions or bool(places & set(product.regions))
    in_trouble = any(t.product_id == product.id and t.status in ("open", "pending") for t in context.tickets)
    has_it = product.id in owned and product.durable is not False
    out = product.stock is not None and product.stock <= 0
    return product.active is not False and sold_here and not (in_trouble or has_it or out)


def _can_be_told(product_id: str, facts: Facts) -> bool:
    told = (f"{product_id}.{name}" in facts for name in ("feature1", "description", "lead_time"))
    return f"{product_id}.name" in facts and any(told)


def _places(product: Product, context: Context, facts: Facts) -> dict[str, Place]:
    claim = next((c.id for c in context.claims if product.id in c.product_ids and f"{c.id}.text" in facts), None)
    places = {"offer": Place("products", product.id)}
    return places | ({"offer_claim": Place("claims", claim)} if claim else {})


def _features(product_id: str, facts: Facts) -> dict[str, str]:
    """References to at most two features, the ones with a benefit on record first."""
    ids = [f"{product_id}.feature{n}" for n in FEATURE_NUMBERS if f"{product_id}.feature{n}" in facts]
    ids.sort(key=lambda id_: f"{id_}.benefit" not in facts)
    named = dict(zip(("offer.feature", "offer.feature_more"), ids, strict=False))
    return named | ({"offer.benefit": f"{ids[0]}.benefit"} if ids else {})
