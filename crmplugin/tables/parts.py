"""One row in its parts: each part becomes a record, gets its id, and is linked to the other parts of the row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from crmplugin.domain.records import Document
from crmplugin.tables.headings import fold, plain
from crmplugin.tables.world import as_id, stage_kinds

Parts = dict[str, Document]
"""Part (`companies`, `activities/note`) -> what the row says of it."""

ORDER_OF_PARTS = ("users", "companies", "products", "contacts", "deals")
"""Those that others name come first."""
LINKS: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "companies": (("owner_id", "users"),),
        "contacts": (("company_id", "companies"),),
        "deals": (("company_id", "companies"), ("owner_id", "users"), ("primary_contact_id", "contacts"),
                  ("contact_ids", "contacts"), ("product_ids", "products")),
        "stage_changes": (("deal_id", "deals"),),
        "line_items": (("deal_id", "deals"), ("product_id", "products")),
        "quotes": (("deal_id", "deals"),),
        "orders": (("company_id", "companies"), ("contact_id", "contacts"), ("deal_id", "deals")),
        "contracts": (("company_id", "companies"),),
        "activities": (("company_id", "companies"), ("contact_ids", "contacts"), ("deal_id", "deals"),
                       ("user_id", "users")),
        "tickets": (("company_id", "companies"), ("contact_id", "contacts"), ("product_id", "products")),
        "prices": (("company_id", "companies"), ("product_id", "products")),
    }
)  # fmt: skip
"""Collection -> its fields that name another part of the same row."""
NATURAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "companies": ("name",), "users": ("email", "name"), "products": ("sku", "name"), "orders": ("number",),
        "quotes": ("number",), "tickets": ("number",), "contracts": ("name",), "contacts": ("email",),
    }
)  # fmt: skip
"""Where a table has no ids: the fields that say which record it is, the surest first."""
MONEY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "deals": frozenset({"amount", "list_amount", "cost_amount"}), "products": frozenset({"list_price", "cost"}),
        "orders": frozenset({"total", "freight"}), "line_items": frozenset({"unit_price"}),
        "prices": frozenset({"unit_price"}), "contracts": frozenset({"yearly_amount"}),
        "quotes": frozenset({"total", "freight"}),
    }
)  # fmt: skip


def natural_id(collection: str, doc: Document) -> str | None:
    """The id of a record whose table has none, from what it says of itself; None when it says too little."""
    for key in NATURAL.get(collection, ()):
        if doc.get(key):
            return as_id(str(doc[key]).casefold() if key == "email" else str(doc[key])) or None
    if collection == "contacts":
        full = full_name(doc)
        return as_id(f"{full} @ {doc['company_id']}" if doc.get("company_id") else full) or None
    if collection == "deals":
        return (
            as_id(f"{doc['name']} / {doc['company_id']}" if doc.get("company_id") else doc["name"])
            if doc.get("name")
            else None
        )
    if collection in NATURAL:
        return None
    return hashlib.sha256(json.dumps(doc, sort_keys=True).encode()).hexdigest()[:20]


def full_name(doc: Document) -> str:
    return plain(f"{doc.get('first_name') or ''} {doc.get('last_name') or ''}")


def finish(collection: str, doc: Document) -> Document:
    """The part with its virtual fields put where they belong."""
    return _FINISH[collection](doc) if collection in _FINISH else doc


def _finish_contact(doc: Document) -> Document:
    name = plain(doc.pop("name", "") or "")
    if name and not doc.get("first_name") and not doc.get("last_name"):
        # Which word is the surname is not certain, unless a comma says so; the whole name is still the name.
        last, comma, first = name.partition(", ")
        doc.update({"last_name": last, "first_name": first} if comma and "," not in first else {"last_name": name})
    return _join_address(doc, ("street", "postal_code", "city"))


def _finish_user(doc: Document) -> Document:
    parts = (doc.pop("first_name", None), doc.pop("last_name", None))
    if any(parts):
        doc.setdefault("name", plain(" ".join(part or "" for part in parts)))
    return doc


def _finish_company(doc: Document) -> Document:
    city = doc.get("city")
    doc = _join_address(doc, ("street", "postal_code", "city"))
    return {**doc, "city": city} if city else doc


def _join_address(doc: Document, keys: tuple[str, ...]) -> Document:
    """The postal address in one line, where a street says that it is one."""
    found = {key: plain(doc.pop(key)) for key in keys if doc.get(key)}
    if "street" in found:
        doc.setdefault("postal_address", ", ".join(found.values()))
    return doc


def _finish_deal(doc: Document) -> Document:
    """Stage and state say each other where the stage's name is plain."""
    kind = doc.get("stage_kind") or stage_kinds().get(fold(doc.get("stage") or ""))
    if kind:
        doc["stage_kind"] = kind
        doc.setdefault("status", kind if kind in ("won", "lost") else "open")
    return doc


def is_closed(doc: Document) -> bool:
    return doc.get("status") in ("won", "lost")


_FINISH: Mapping[str, Callable[[Document], Document]] = MappingProxyType(
    {"contacts": _finish_contact, "users": _finish_user, "companies": _finish_company, "deals": _finish_deal}
)


def link(collection: str, doc: Document, ids: Mapping[str, str | None], *, row: str) -> None:
    """Lets a part name the other parts of its row, by collection; what names another already stays.

    An owner is the owner of what the row is: who has the deal need not have its company.
    """
    for key, target in LINKS.get(collection, ()):
        if key == "owner_id" and collection != row:
            continue
        id_: Any = ids.get(target)
        if id_ and not doc.get(key):
            doc[key] = [id_] if key.endswith("_ids") else id_
