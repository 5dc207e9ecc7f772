"""What the owner laid down for a connection, joined to what its CRM knows: each says what only it can know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crmplugin.domain.crm import Context, Product, Seller
from crmplugin.store.shared import Shared

ONLY_OURS = ("offers", "articles", "claims", "slots", "fx_rates", "segments")
"""Collections whose records stand beside the CRM's; of two with one id the owner's counts."""


def join_owner(context: Context, shared: Shared, known: Mapping[str, Product]) -> Context:
    """The context with the owner's seller, rules, voice, knowledge, prices and product costs.

    `known`: products of the store by id, for the costs that a CRM does not tell.
    """
    both: dict[str, Any] = {name: _beside(shared.knowledge.get(name, ()), getattr(context, name)) for name in ONLY_OURS}
    products = [_with_cost(product, known.get(product.id)) for product in context.products]
    return replace(
        context,
        seller=shared.seller if shared.seller != Seller() else context.seller,
        policy=shared.policy or context.policy,
        voice=shared.voice,
        products=tuple(products),
        prices=_beside(shared.prices, context.prices),
        **both,
    )


def _beside(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> tuple[Any, ...]:
    taken = {record.id for record in ours}
    return (*ours, *(record for record in theirs if record.id not in taken))


def _with_cost(product: Product, known: Product | None) -> Product:
    if known is None or known.cost is None:
        return product
    return replace(product, cost=known.cost, currency=product.currency or known.currency)
