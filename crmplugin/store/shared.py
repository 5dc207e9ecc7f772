"""What every context of a connection shares: our company and its rules, people, knowledge and catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select

from crmplugin.domain.crm import Policy, Price, Product, Seller, Voice
from crmplugin.domain.records import build
from crmplugin.store.record_writes import chunks
from crmplugin.store.tables_records import records

KNOWLEDGE = ("users", "offers", "articles", "claims", "slots", "fx_rates", "segments")
SHARED = frozenset({*KNOWLEDGE, "seller", "policy", "voice", "products", "prices"})
"""Collections whose change makes a shared part stale."""
CATALOGUE_BOUND = 500
"""Sellable products in every context beside those that the account's records name."""

# Every brief asks these two, so they are built once.

PRODUCTS_BY_ID = select(records.c.id, records.c.doc).where(
    records.c.connection == bindparam("connection"),
    records.c.collection == "products",
    records.c.id.in_(bindparam("ids", expanding=True)),
)
GENERAL_PRICES = select(records.c.id, records.c.doc).where(
    records.c.connection == bindparam("connection"),
    records.c.product_id.in_(bindparam("ids", expanding=True)),
    records.c.company_id.is_(None),
)
"""Only prices have a product in its column. Neither their collection nor an order by id is asked for: with either of
them SQLite goes through every price there is."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Built once and kept until one of its collections changes. `prices` are those for every company."""

    seller: Seller = field(default_factory=Seller)
    policy: Policy | None = None
    voice: Voice = field(default_factory=Voice)
    knowledge: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    catalogue: Mapping[str, Product] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()


def read_shared(db: Connection, connection: str, *, popular: Iterable[str] = ()) -> Shared:
    """The shared part; `popular` product ids come first into the bounded catalogue."""
    singles = dict(_read(db, connection, ("seller", "policy", "voice")))
    knowledge: dict[str, list[Any]] = {name: [] for name in KNOWLEDGE}
    for name, doc in _read(db, connection, KNOWLEDGE):
        knowledge[name].append(build(name, doc))
    catalogue = _read_catalogue(db, connection, popular)
    return Shared(
        seller=build("seller", singles.get("seller", {})),
        policy=build("policy", singles["policy"]) if "policy" in singles else None,
        voice=build("voice", singles.get("voice", {})),
        knowledge={name: tuple(found) for name, found in knowledge.items()},
        catalogue=catalogue,
        prices=read_general_prices(db, connection, catalogue),
    )


def _read(db: Connection, connection: str, collections: Iterable[str]) -> Iterable[tuple[str, Any]]:
    statement = (
        select(records.c.collection, records.c.doc)
        .where(records.c.connection == connection, records.c.collection.in_(list(collections)))
        .order_by(records.c.collection, records.c.id)
    )
    return ((name, json.loads(doc)) for name, doc in db.execute(statement))


def _read_catalogue(db: Connection, connection: str, popular: Iterable[str]) -> dict[str, Product]:
    found = read_products(db, connection, popular)
    catalogue = {id_: product for id_, product in found.items() if product.active is not False}
    statement = select(records.c.doc).where(records.c.connection == connection, records.c.collection == "products")
    rows = db.execute(statement.order_by(records.c.id).execution_options(yield_per=CATALOGUE_BOUND))
    for (doc,) in rows:
        if len(catalogue) >= CATALOGUE_BOUND:
            break
        product = build("products", json.loads(doc))
        if product.active is not False:
            catalogue.setdefault(product.id, product)
    rows.close()
    return catalogue


def read_products(db: Connection, connection: str, ids: Iterable[str]) -> dict[str, Product]:
    """These products, as far as they are stored, in the order asked for."""
    asked = list(dict.fromkeys(ids))
    found = {}
    for chunk in chunks(asked):
        rows = db.execute(PRODUCTS_BY_ID, {"connection": connection, "ids": chunk})
        found.update({id_: build("products", json.loads(doc)) for id_, doc in rows})
    return {id_: found[id_] for id_ in asked if id_ in found}


def read_general_prices(db: Connection, connection: str, product_ids: Iterable[str]) -> tuple[Price, ...]:
    """Prices of these products that hold for every company."""
    found: list[Price] = []
    for chunk in chunks(product_ids):
        rows = sorted(db.execute(GENERAL_PRICES, {"connection": connection, "ids": chunk}))
        found.extend(build("prices", json.loads(doc)) for _, doc in rows)
    return tuple(found)
