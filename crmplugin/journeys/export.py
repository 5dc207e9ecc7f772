"""Everything of a connection, or about one person, as a document of `crmplugin-records/1`.

Drafts, what became of them, and events stand under `x_` keys, which an import leaves alone: records are what goes from
one installation into another; a `backup` carries all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crmplugin.domain.crm import COLLECTIONS, SINGLES
from crmplugin.domain.record_files import Parts, write_document, write_lines
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound
from crmplugin.journeys.audit import row_json
from crmplugin.journeys.present import draft_json, show_instant, to_json
from crmplugin.journeys.run_draft import current_draft
from crmplugin.store.audit import AuditLog
from crmplugin.store.drafts import DraftRow, MoveRow
from crmplugin.store.events import EventRow
from crmplugin.store.export import Extract

OF_A_PERSON = ("activities", "tickets", "orders")
"""Records that are a person's own words and deeds. A deal belongs to a company: it is only named."""
OBJECT_TYPES: Mapping[str, str] = {"activities": "activity", "tickets": "ticket", "orders": "order"}


def export_all(extract: Extract, *, lines: bool) -> Iterator[str]:
    """The pieces of a document with everything; `lines`: JSON Lines, which are read again in little memory."""
    parts = ((name, extract.documents(name)) for name in (*SINGLES, *COLLECTIONS))
    private: Parts = [
        ("x_drafts", map(_draft, extract.drafts())),
        ("x_decisions", (_decision(draft_id, move) for draft_id, move in extract.moves())),
        ("x_events", map(_event, extract.events())),
    ]
    return _write(parts, private, lines=lines)


def export_contact(extract: Extract, contact_id: str, *, lines: bool, audit: AuditLog | None = None) -> Iterator[str]:
    """The pieces of a document with what is kept about one person. Raises NotFound."""
    contact = extract.chosen([("contacts", contact_id)])
    if not contact:
        raise NotFound(f"there is no contact {contact_id} on this connection")
    found = extract.chosen(extract.named_by(contact_id))
    own = {name: [doc for (kind, _), doc in found.items() if kind == name] for name in OF_A_PERSON}
    deals = [_name_of(doc) for (kind, _), doc in found.items() if kind == "deals"]
    rows = list(extract.drafts(contact_id))
    ids = {row.id for row in rows}
    told = {(OBJECT_TYPES[name], doc["id"]) for name, docs in own.items() for doc in docs} | {("contact", contact_id)}
    private: Parts = [
        ("x_deals", deals),
        ("x_drafts", map(_draft, rows)),
        ("x_decisions", (_decision(id_, move) for id_, move in extract.moves(ids))),
        ("x_versions", extract.versions(ids)),
        ("x_streams", extract.pieces(ids)),
        ("x_campaigns", extract.campaign_messages(contact_id)),
        ("x_audit", _told_of(audit, extract.connection, contact_id, ids)),
        ("x_events", (_event(row) for row in extract.events() if _tells_of(row, contact_id, told))),
    ]
    return _write([("contacts", contact.values()), *own.items()], private, lines=lines)


def _told_of(audit: AuditLog | None, connection: str, contact_id: str, drafts: set[str]) -> Iterator[Document]:
    """What the audit says about the person, their own part of it included."""
    rows = audit.about(connection, contact_id, drafts) if audit else ()
    return (row_json(row, personal=True) for row in rows)


def _write(parts: Parts, private: Parts, *, lines: bool) -> Iterator[str]:
    return write_lines(parts, private) if lines else write_document(parts, private)


def _name_of(deal: Document) -> Document:
    return {"id": deal["id"], "name": deal.get("name")}


def _draft(row: DraftRow) -> Document:
    """A draft as the API shows it, and what was asked for; one that is not written yet has little more."""
    asked = {"request": to_json(row.request), "written_id": row.written_id, "problem": row.problem, "due": row.due}
    return {**draft_json(current_draft(row)), **asked}


def _decision(draft_id: str, move: MoveRow) -> Document:
    return {
        "draft": draft_id,
        "version": move.version,
        "from": move.old,
        "to": move.new,
        "by": move.by,
        "reason": move.reason,
        "at": show_instant(move.at),
    }


def _event(row: EventRow) -> Document:
    doc: Document = to_json(row)
    return doc


def _tells_of(row: EventRow, contact_id: str, told: set[tuple[str, str]]) -> bool:
    """Whether an event is about a person or one of their records, or brought the person's record along."""
    about: Mapping[str, Any] = row.document.get("object") or {}
    brought = (row.document.get("records") or {}).get("contacts") or ()
    return (about.get("type"), about.get("id")) in told or any(doc.get("id") == contact_id for doc in brought)
