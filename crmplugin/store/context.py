"""Builds the context of one subject from the rows of its account and what its connection shares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.records import Document, build, targets
from crmplugin.store.account import Account, Stored, read_account
from crmplugin.store.record_keys import LOOSE_CONTACT, contacts_of, instant_of
from crmplugin.store.shared import Shared, read_general_prices, read_products
from crmplugin.store.tables_records import account_fits, imports

IN_CONTEXT = (
    "contacts", "deals", "stage_changes", "line_items", "quotes", "orders", "contracts", "activities", "tickets",
)  # fmt: skip
"""Collections that a context holds of the account, oldest first."""
LAST_IMPORT = select(func.max(imports.c.at)).where(imports.c.connection == bindparam("connection"))

RANKED = select(account_fits.c.doc).where(
    account_fits.c.connection == bindparam("connection"), account_fits.c.account == bindparam("account")
)


def read_context(
    db: Connection, connection: str, subject: Subject, *, shared: Shared, crm: str, now: datetime
) -> Context:
    """Everything about one subject. Raises NotFound naming type, id and connection."""
    account = read_account(db, connection, subject)
    products = _products_of(db, connection, account, shared)
    prices = _prices_of(db, connection, account, shared, products)
    parts: dict[str, Any] = {
        **_singled_out(account),
        **{name: _built(account, name) for name in IN_CONTEXT},
        **shared.knowledge,
    }
    return Context(
        connection=connection,
        crm=crm,
        subject=subject,
        read_at=now,
        seller=shared.seller,
        policy=shared.policy,
        voice=shared.voice,
        products=products,
        prices=prices,
        namesakes=tuple(build("contacts", doc) for doc in account.namesakes),
        imported_at=_imported_at(db, connection),
        changed_at=instant_of(max(row.changed_at for row in account.rows.values())),
        **parts,
    )


def _imported_at(db: Connection, connection: str) -> datetime | None:
    at = db.execute(LAST_IMPORT, {"connection": connection}).scalar()
    return instant_of(at) if at else None


def _built(account: Account, collection: str) -> tuple[Any, ...]:
    rows = [row for (name, _), row in account.rows.items() if name == collection]
    return tuple(build(collection, row.doc) for row in sorted(rows, key=_age))


def _age(row: Stored) -> tuple[str, str]:
    return row.at, row.doc["id"]


def _singled_out(account: Account) -> dict[str, Any]:
    """The records that the subject is or hangs on: company, deal, contact, ticket, activity."""
    collection, id_ = account.subject
    doc = account.rows[account.subject].doc
    keys = {
        "company": ("companies", account.company_id),
        "deal": ("deals", id_ if collection == "deals" else doc.get("deal_id")),
        "contact": ("contacts", id_ if collection == "contacts" else _contact_id(collection, doc)),
        "ticket": ("tickets", id_ if collection == "tickets" else doc.get("ticket_id")),
        "activity": ("activities", id_ if collection == "activities" else None),
    }
    return {name: _one(account, key) for name, key in keys.items()}


def _contact_id(collection: str, doc: Document) -> str | None:
    """The contact of a ticket, or the first of an activity; a deal has its own words for its contacts."""
    return next(iter(contacts_of(collection, doc)), None) if collection in ("tickets", "activities") else None


def _one(account: Account, key: tuple[str, str | None]) -> Any:
    row = account.rows.get((key[0], key[1] or ""))
    return build(key[0], row.doc) if row else None


def _products_of(db: Connection, connection: str, account: Account, shared: Shared) -> tuple[Any, ...]:
    """What the account's records name, then what goes with it or instead of it, then the rest of the catalogue."""
    named = _read_missing(db, connection, _product_ids(account), shared)
    kin = [id_ for product in named.values() for id_ in (*product.compatible_with, *product.substitutes)]
    kin += _ranked_ids(db, connection, account)
    return tuple({**named, **_read_missing(db, connection, kin, shared), **shared.catalogue}.values())


def _ranked_ids(db: Connection, connection: str, account: Account) -> list[str]:
    """New products that the fit over all histories ranks for the account."""
    id_ = account.company_id or next((f"{LOOSE_CONTACT}{contact}" for contact in account.ids("contacts")), None)
    doc = db.execute(RANKED, {"connection": connection, "account": id_}).scalar() if id_ else None
    ranking = json.loads(doc)["ranking"] if doc else None
    return [id_ for id_, _ in ranking["new"]] if ranking else []


def _read_missing(db: Connection, connection: str, ids: Sequence[str], shared: Shared) -> dict[str, Any]:
    missing = read_products(db, connection, (id_ for id_ in ids if id_ not in shared.catalogue))
    found = {**shared.catalogue, **missing}
    return {id_: found[id_] for id_ in dict.fromkeys(ids) if id_ in found}


def _product_ids(account: Account) -> list[str]:
    named = (target for (collection, _), row in account.rows.items() for target in targets(collection, row.doc))
    return sorted({id_ for collection, id_ in named if collection == "products"})


def _prices_of(
    db: Connection, connection: str, account: Account, shared: Shared, products: Iterable[Any]
) -> tuple[Any, ...]:
    extra = [product.id for product in products if product.id not in shared.catalogue]
    return (*_built(account, "prices"), *shared.prices, *read_general_prices(db, connection, extra))
