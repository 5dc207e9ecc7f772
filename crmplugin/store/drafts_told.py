"""What the audit says of a draft: that it was asked for, each move with what it was based on, each edit."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crmplugin.store.audit import Entry
from crmplugin.store.draft_rows import DraftRow

OF_A_DOCUMENT = ("type", "audience", "channel", "language", "writer", "model", "prompt", "usage")


@dataclass(frozen=True, slots=True)
class Kept:
    """How a text came to be: `content` is enough to make it again, `persons` the contacts that it is about or names.

    `versions`: of the program and of the words it wrote with.
    """

    content: Mapping[str, Any]
    persons: Collection[str]
    versions: Mapping[str, str]


def asked(row: DraftRow) -> Entry:
    """Somebody or something wants a draft."""
    body = {"kind": row.kind, "origin": row.origin, "event": row.event, "write_back": row.write_back}
    personal = {"request": row.request, "subject": [row.subject_type, row.subject_id]}
    persons = set(_named_by(row))
    return _entry(row, "draft.asked", row.created_by, row.created_at, body, personal, persons)


def moved(
    before: DraftRow,
    new: str,
    changes: Mapping[str, Any],
    *,
    by: str | None,
    reason: str | None,
    at: datetime,
    kept: Kept | None,
) -> Entry:
    """A draft changed its status: by whom, and for a text how it came to be and what the checks said."""
    document = changes.get("document")
    body: dict[str, Any] = {"from": before.status, "version": before.version}
    body |= {name: changes[name] for name in ("written_id", "attempt") if changes.get(name) is not None}
    if new == "approved":
        body |= {"override": reason is not None, "document": digest(before.document)}
    personal: dict[str, Any] = {} if reason is None else {"reason": reason}
    if document is not None:
        body |= _of_document(document)
    if kept is not None:
        body |= {"versions": kept.versions}
        personal |= {"kept": kept.content}
    persons = {*_named_by(before), *_persons_in(document or before.document), *(kept.persons if kept else ())}
    return _entry(before, f"draft.{new}", by, at, body, personal or None, persons)


def printed(document: Mapping[str, Any], kept: Kept, *, by: str, at: datetime) -> Entry:
    """A draft was made by a command, which prints it and keeps nothing else."""
    to_and_named = {*_persons_in(document), *kept.persons}
    body = {**_of_document(document), "versions": kept.versions}
    kind, connection = f"draft.{document['status']}", document["connection"]
    return Entry(kind, at, by, connection, document["id"], body, {"kept": kept.content}, to_and_named)


def edited(before: DraftRow, document: Mapping[str, Any], *, by: str | None, at: datetime) -> Entry:
    """A person changed the text."""
    body = {"version": document["version"], **_of_document(document)}
    personal = {"subject": document.get("subject"), "body": document.get("body")}
    return _entry(before, "draft.edited", by, at, body, personal, {*_named_by(before), *_persons_in(document)})


def digest(document: Mapping[str, Any]) -> str:
    """The hash of a draft's document, the same however it was read."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(
    row: DraftRow,
    kind: str,
    by: str | None,
    at: datetime,
    body: Mapping[str, Any],
    personal: Mapping[str, Any] | None,
    persons: Collection[str],
) -> Entry:
    return Entry(kind, at, by, row.connection, row.id, body, personal, persons)


def _of_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """What may be said of a text without saying whom it is to or what is in it."""
    decision = document.get("decision") or {}
    grounding = document.get("grounding") or {}
    return {
        "document": digest(document),
        **{name: document.get(name) for name in OF_A_DOCUMENT},
        "decision": {"outcome": decision.get("outcome"), "code": decision.get("code")},
        "checks": {check["code"]: check["verdict"] for check in document.get("checks") or ()},
        "facts": len(document.get("facts") or ()),
        "sentences": Counter(s["verdict"] for s in document.get("sentences") or ()),
        "grounding": grounding.get("status"),
    }


def _named_by(row: DraftRow) -> Iterator[str]:
    """The contacts that the wish names."""
    if row.subject_type == "contact":
        yield row.subject_id
    if row.request.get("to_contact_id"):
        yield row.request["to_contact_id"]


def _persons_in(document: Mapping[str, Any]) -> Iterator[str]:
    """The contacts whom a draft is to, or whose records its facts come from."""
    to = (document.get("to") or {}).get("contact_id")
    if to:
        yield to
    for fact in document.get("facts") or ():
        yield from fact.get("contact_scope") or ()
        yield from (source["id"] for source in fact.get("source") or () if source.get("object") == "contacts")
