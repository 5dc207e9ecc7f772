"""Whether a product may be offered to an account at all (sales-craft §2.1), and if not, why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal

from crmplugin.analysis.replenishment import Purchases, purchases_by_product, returned_products
from crmplugin.domain.crm import Context, Product
from crmplugin.ports import Population

FAR_ABOVE = 3

Reason = Literal["inactive", "not sold yet", "not sold in region", "already owned", "out of stock", "open complaint",
                 "returned", "fits nothing they own", "far above their prices"]  # fmt: skip


@dataclass(frozen=True)
class Account:
    """One account's purchases and catalogue. `asked_for`: products they named themselves; `in_talks`: those that an
    open deal with them is about."""

    context: Context
    population: Population
    now: datetime
    zone: str
    asked_for: frozenset[str] = frozenset()
    in_talks: frozenset[str] = frozenset()

    @cached_property
    def products(self) -> Mapping[str, Product]:
        return {p.id: p for p in self.context.products}

    @cached_property
    def bought(self) -> Mapping[str, Purchases]:
        found = purchases_by_product(self.context.orders, zone=self.zone, until=self.now.date())
        return {p.product_id: p for p in found}

    @cached_property
    def fitting(self) -> Mapping[str, set[str]]:
        """Product -> owned products that name it as compatible."""
        found: dict[str, set[str]] = {}
        for owned in self.bought:
            product = self.products.get(owned)
            for other in product.compatible_with if product else ():
                found.setdefault(other, set()).add(owned)
        return found

    @cached_property
    def order_days(self) -> int:
        """Days with a purchase."""
        return len({day for p in self.bought.values() for day in p.by_day})

    @cached_property
    def prices(self) -> Sequence[Decimal]:
        """Unit prices the account paid in our currency, ascending."""
        ours = self.context.seller.currency
        orders = (o for o in self.context.orders if o.ordered_at is None or o.ordered_at <= self.now)
        lines = [x for o in orders if o.currency in (None, ours) for x in o.lines if (x.quantity or 1) > 0]
        return sorted(x.unit_price for x in lines if x.unit_price)

    @cached_property
    def returned(self) -> frozenset[str]:
        """Products that they sent back last."""
        return returned_products(self.context.orders, now=self.now)


@dataclass
class Tally:
    """Counts what is left out, by reason."""

    left: Counter[str] = field(default_factory=Counter)

    def keep(self, products: Iterable[Product], account: Account) -> list[Product]:
        kept = []
        for product in products:
            reason = why_not(product, account)
            if reason:
                self.left[reason] += 1
            else:
                kept.append(product)
        return kept

    @property
    def rows(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(self.left.items()))


def why_not(product: Product, account: Account) -> Reason | None:
    """Why a product must not be offered to this account; None when it may.

    What an open deal is about may be a second one of its kind, and may be made to order.
    """
    begins, in_talks = product.valid_from, product.id in account.in_talks
    checks: tuple[tuple[Reason, bool], ...] = (
        ("inactive", product.active is False),
        ("not sold yet", begins is not None and begins > account.now.date() and product.id not in account.bought),
        ("not sold in region", not _sold_here(product, account)),
        ("already owned", bool(product.durable) and product.id in account.bought and not in_talks),
        ("out of stock", _is_gone(product) and not (in_talks and product.lead_time)),
        ("open complaint", _complained(product, account)),
        ("returned", product.id in account.returned),
        ("fits nothing they own", not _fits(product, account)),
        ("far above their prices", _far_above(product, account)),
    )
    return next((reason for reason, true in checks if true), None)


def _is_gone(product: Product) -> bool:
    return product.stock is not None and product.stock <= 0


def complements(account: Account, product_id: str) -> list[str]:
    """Products the account owns that this one is recorded to fit."""
    product = account.products.get(product_id)
    if product is None:
        return []
    named = {o for o in product.compatible_with if o in account.bought}
    return sorted(named | account.fitting.get(product_id, set()))


def _sold_here(product: Product, account: Account) -> bool:
    company = account.context.company
    places = {p.casefold() for p in (company.country, company.region) if p} if company else set()
    return not product.regions or bool(places & {r.casefold() for r in product.regions})


def _complained(product: Product, account: Account) -> bool:
    return any(t.product_id == product.id and t.status in ("open", "pending") for t in account.context.tickets)


def _fits(product: Product, account: Account) -> bool:
    """An accessory must fit something owned; a durable thing stands on its own, and so does what was bought before."""
    if product.durable or not product.compatible_with or not account.bought or product.id in account.bought:
        return True
    return bool(complements(account, product.id))


def _far_above(product: Product, account: Account) -> bool:
    """More than three times what nine of ten of their prices stay below: only when they asked for it."""
    paid, price = account.prices, product.list_price
    if not paid or price is None or product.currency != account.context.seller.currency:
        return False
    if product.id in account.asked_for | account.in_talks or product.id in account.bought:
        return False
    p90 = paid[min(len(paid) - 1, int(len(paid) * 0.9))]
    return price > FAR_ABOVE * p90
