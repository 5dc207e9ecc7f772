"""From documents that a CRM gave to the context of one subject: the same for every CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.documents import checked
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.records import Document, build
from crmplugin.errors import NotFound

LISTS: Mapping[str, str | None] = {
    "users": None, "contacts": "created_at", "deals": "created_at", "stage_changes": "at", "line_items": None,
    "quotes": "sent_at", "orders": "ordered_at", "contracts": "starts_on", "activities": "at", "tickets": "opened_at",
    "products": None,
}  # fmt: skip
"""Collections of a context and the key by which each is sorted, oldest first."""
SUBJECTS: Mapping[str, str] = {
    "deal": "deals", "company": "companies", "contact": "contacts", "ticket": "tickets", "activity": "activities",
}  # fmt: skip
Documents = Mapping[str, Sequence[Document]]


def context_of(
    connection: str,
    crm: str,
    subject: Subject,
    documents: Documents,
    *,
    read_at: datetime,
    urls: Mapping[str, str] | None = None,
    changed_at: datetime | None = None,
) -> Context:
    """The context. Documents have been checked; of two with one id the first counts. Raises NotFound."""
    told = products_of_lines(documents.get("line_items", ()))
    parts: Documents = {**documents, "products": [*documents.get("products", ()), *told]}
    found = {name: _by_id(part) for name, part in parts.items()}
    own = found.get(SUBJECTS[subject.type], {}).get(subject.id)
    if own is None:
        raise not_found(crm, connection, subject)
    named = _named(subject, own, found)
    singles: dict[str, Any] = {kind: _built(found, SUBJECTS[kind], id_) for kind, id_ in named.items()}
    lists: dict[str, Any] = {
        name: tuple(build(name, doc) for doc in _sorted(found, name, key)) for name, key in LISTS.items()
    }
    return Context(
        connection=connection,
        crm=crm,
        subject=subject,
        read_at=read_at,
        urls=urls or {},
        changed_at=changed_at,
        **singles,
        **lists,
    )


def not_found(crm: str, connection: str, subject: Subject) -> NotFound:
    """The error for a subject that the CRM does not have, or no longer."""
    return NotFound(f"{crm} ({connection}) has no {subject.type} {subject.id}: it was deleted, merged or never there")


def _by_id(documents: Sequence[Document]) -> dict[str, Document]:
    kept: dict[str, Document] = {}
    for document in documents:
        kept.setdefault(document["id"], document)
    return kept


def products_of_lines(lines: Sequence[Document]) -> list[Document]:
    """Products as lines name them: of earlier purchases the CRM is not asked for more than the lines."""
    told = {line["product_id"]: line["description"] for line in lines if {"product_id", "description"} <= line.keys()}
    return [{"id": id_, "name": name} for id_, name in told.items()]


def _named(subject: Subject, own: Document, found: Mapping[str, Mapping[str, Document]]) -> dict[str, str | None]:
    """The records that the subject is or hangs on."""
    deal_id = own.get("deal_id") if subject.type in ("ticket", "activity") else None
    named: dict[str, str | None] = {"deal": deal_id, subject.type: subject.id}
    if subject.type in ("ticket", "activity"):
        named["contact"] = own.get("contact_id") or next(iter(own.get("contact_ids", ())), None)
    if subject.type == "activity":
        named["ticket"] = own.get("ticket_id")
    deal = found.get("deals", {}).get(named["deal"] or "")
    named.setdefault("company", own.get("company_id") or (deal or {}).get("company_id") or _only(found, "companies"))
    return named


def _only(found: Mapping[str, Mapping[str, Document]], name: str) -> str | None:
    ids = list(found.get(name, {}))
    return ids[0] if len(ids) == 1 else None


def _built(found: Mapping[str, Mapping[str, Document]], collection: str, id_: str | None) -> Any:
    document = found.get(collection, {}).get(id_ or "")
    return build(collection, document) if document else None


def _sorted(found: Mapping[str, Mapping[str, Document]], name: str, key: str | None) -> list[Document]:
    documents = list(found.get(name, {}).values())
    if key is None:
        return documents
    return sorted(documents, key=lambda doc: (str(doc.get(key) or ""), doc["id"]))


def order_of(deal: Document, lines: Sequence[Document], *, vendor: str) -> Document:
    """A won deal as the order it became, for CRMs and accounts that keep no orders."""
    shown = ("product_id", "quantity", "unit_price", "discount_pct")
    order = {
        "id": f"deal:{deal['id']}",
        "number": deal.get("name"),
        "company_id": deal.get("company_id"),
        "contact_id": deal.get("primary_contact_id"),
        "deal_id": deal["id"],
        "ordered_at": deal.get("closed_at"),
        "currency": deal.get("currency"),
        "total": deal.get("amount"),
        "lines": [{key: line[key] for key in shown if line.get(key) is not None} for line in lines] or None,
    }
    return checked("orders", order, rest={}, vendor=vendor)
