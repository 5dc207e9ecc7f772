"""Takes a person out of the database: record, links, drafts with their texts and streams, events, campaigns, audit.

What a company must keep of its own (that an order was placed, that a draft was approved) stays, without the person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, cast, func, or_, select, text
from sqlalchemy import Text as Text_

from crmplugin.domain.records import Document
from crmplugin.errors import StateConflict
from crmplugin.store.audit import ERASED, AuditLog, Entry, ranges
from crmplugin.store.guard import writing
from crmplugin.store.persons import PersonSeals
from crmplugin.store.record_keys import LOOSE_CONTACT, sortable
from crmplugin.store.record_writes import bump_revisions, delete_record, encode, lock_writers, read_docs
from crmplugin.store.scrub import Marks, delete_where, rewrite, scrub
from crmplugin.store.suppressions import Suppressions
from crmplugin.store.tables_campaigns import campaign_recipients, campaign_touches, campaigns
from crmplugin.store.tables_records import account_fits, addresses, contact_links, names, records
from crmplugin.store.tables_work import draft_moves, draft_versions, drafts, events, pieces

OWN_WORDS = ("subject", "body")
"""Fields that are a person's own words in a record that has only them as its contact."""
BY = "erasure"
BLANK: Mapping[str, Any] = {
    "to": None, "subject": None, "body": None, "html": None, "sentences": [], "facts": [], "warnings": [],
    "missing_info": [], "missing_questions": [], "checks": [], "plan": None,
}  # fmt: skip
"""What is left of a draft's document that was about the person."""
ENDED: Mapping[str, str] = {
    "scheduled": "cancelled", "writing": "stopped", "proposed": "rejected", "approved": "rejected",
    "failed": "rejected",
}  # fmt: skip
"""A draft to somebody who was erased comes to its end."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was taken out, by table; `drafts` were about the person, `marks` are what named them."""

    known: bool
    rows: Mapping[str, int]
    drafts: tuple[str, ...]
    marks: Marks = field(repr=False)


class Eraser:
    """Erases persons of one installation."""

    def __init__(self, engine: Engine, audit: AuditLog, seals: PersonSeals, suppressions: Suppressions) -> None:
        self._engine, self._audit, self._seals, self._suppressions = engine, audit, seals, suppressions

    def erase(self, connection: str, contact_id: str, *, by: str, at: datetime, despite_hold: bool = False) -> Erasure:
        """All of it in one transaction. Raises StateConflict for a person under legal hold."""
        self._audit.seal_chain()
        with writing(self._engine) as db:
            now = sortable(at)
            lock_writers(db, connection, now=now)
            contact = read_docs(db, connection, [("contacts", contact_id)]).get(("contacts", contact_id))
            _check_hold(contact, despite_hold)
            marks = Marks(_marks_of(db, connection, contact or {}))
            mine = _drafts_of(db, connection, contact_id, marks)
            counts = {"suppressions": self._suppress(db, connection, contact_id, at)}
            counts["records"] = _erase_records(db, connection, contact_id, now=now)
            counts |= _blank_drafts(db, mine, at=at)
            counts |= _blank_events(db, connection, contact_id)
            counts |= _erase_from_campaigns(db, connection, contact_id)
            counts |= _add(counts, scrub(db, connection, marks))
            counts["audit"] = self._erase_audit(db, connection, contact_id, mine, counts, by=by, at=at)
        return Erasure(contact is not None, {k: n for k, n in counts.items() if n}, tuple(mine), marks)

    def tidy(self) -> None:
        """Overwrites what deleted rows left in the files of the database. Not within a transaction."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            if db.dialect.name == "sqlite":
                db.execute(text("VACUUM"))
                db.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            else:
                db.execute(text("VACUUM"))

    def _suppress(self, db: Connection, connection: str, contact_id: str, at: datetime) -> int:
        of_contact = (addresses.c.connection == connection, addresses.c.contact_id == contact_id)
        found = [(r.kind, r.normalised) for r in db.execute(select(addresses).where(*of_contact))]
        return self._suppressions.add_in(db, connection, found, at=at)

    def _erase_audit(
        self,
        db: Connection,
        connection: str,
        contact_id: str,
        mine: list[str],
        counts: Mapping[str, int],
        *,
        by: str,
        at: datetime,
    ) -> int:
        rows = self._audit.forget_person(db, connection, contact_id, mine)
        person = self._seals.reference(connection, contact_id)
        body = {"person": person, "rows": ranges(rows), "counts": {k: n for k, n in counts.items() if n}}
        self._audit.add_in(db, Entry(ERASED, at, by, connection, body=body))
        return len(rows)


def _check_hold(contact: Document | None, despite_hold: bool) -> None:
    if contact and contact.get("legal_hold") and not despite_hold:
        raise StateConflict(f"contact {contact['id']} is under legal hold: lift the hold first, or say --despite-hold")


def _marks_of(db: Connection, connection: str, contact: Document) -> list[str]:
    """What names the person wherever it stands: addresses, the whole name, and a last name that nobody else has."""
    first, last = contact.get("first_name") or "", contact.get("last_name") or ""
    found = [contact.get(name) or "" for name in ("email", "phone", "postal_address")]
    if first and last:
        found += [f"{first} {last}", f"{last}, {first}", f"{last} {first}"]
    if last and not _is_shared(db, connection, last):
        found.append(last)
    return found


def _is_shared(db: Connection, connection: str, last: str) -> bool:
    """Whether a last name stands in the name of more than one contact, company or product."""
    query = select(func.count()).where(names.c.connection == connection, names.c.text.icontains(last, autoescape=True))
    return db.execute(query).scalar_one() > 1


def _drafts_of(db: Connection, connection: str, contact_id: str, marks: Marks) -> list[str]:
    """Drafts to the person, about them, or made of what they wrote."""
    own = select(contact_links.c.id).where(
        contact_links.c.connection == connection,
        contact_links.c.contact_id == contact_id,
        contact_links.c.collection.in_(("activities", "tickets")),
    )
    to = drafts.c.document[("to", "contact_id")].as_string() == contact_id
    asked = drafts.c.request["to_contact_id"].as_string() == contact_id
    about = (drafts.c.subject_type == "contact") & (drafts.c.subject_id == contact_id)
    said = drafts.c.subject_type.in_(("activity", "ticket")) & drafts.c.subject_id.in_(own)
    named = marks.found_in(drafts.c.document) if marks else to
    query = select(drafts.c.id).where(drafts.c.connection == connection, or_(to, asked, about, said, named))
    return list(db.execute(query.order_by(drafts.c.id)).scalars())


def _erase_records(db: Connection, connection: str, contact_id: str, *, now: str) -> int:
    links = select(contact_links.c.collection, contact_links.c.id).where(
        contact_links.c.connection == connection, contact_links.c.contact_id == contact_id
    )
    keys = [(row.collection, row.id) for row in db.execute(links)]
    changed = 0
    for (collection, id_), doc in read_docs(db, connection, keys).items():
        if collection == "activities" and set(doc.get("contact_ids") or ()) <= {contact_id}:
            changed += delete_record(db, connection, (collection, id_), now=now)
            continue
        here = (records.c.connection == connection, records.c.collection == collection, records.c.id == id_)
        clean = encode(_without(doc, collection, contact_id))
        db.execute(records.update().where(*here).values(doc=clean, changed_at=now))
        changed += 1
    db.execute(
        contact_links.delete().where(contact_links.c.connection == connection, contact_links.c.contact_id == contact_id)
    )
    changed += delete_record(db, connection, ("contacts", contact_id), now=now)
    account = (account_fits.c.connection == connection, account_fits.c.account == LOOSE_CONTACT + contact_id)
    db.execute(account_fits.delete().where(*account))
    bump_revisions(db, connection, {"contacts", *(collection for collection, _ in keys)}, now=now)
    return changed


def _without(doc: Document, collection: str, contact_id: str) -> dict[str, Any]:
    """A record without the person; a ticket of theirs without their words."""
    clean = dict(doc)
    if contact_id in (clean.get("contact_ids") or ()):
        clean["contact_ids"] = [id_ for id_ in clean["contact_ids"] if id_ != contact_id]
    for name in ("contact_id", "primary_contact_id"):
        if clean.get(name) == contact_id:
            del clean[name]
            if collection == "tickets":
                clean |= {word: None for word in OWN_WORDS if clean.get(word)}
    return {name: value for name, value in clean.items() if value is not None}


def _blank_drafts(db: Connection, mine: list[str], *, at: datetime) -> dict[str, int]:
    def blank(row: Any) -> dict[str, Any]:
        request = {k: v for k, v in row.request.items() if k not in ("instruction", "to_contact_id")}
        status = ENDED.get(row.status, row.status)
        decision = {**(row.document.get("decision") or {}), "reason": None, "gates": [], "alternatives": []}
        document = {**row.document, **BLANK, "decision": decision}
        return {"document": document, "request": request, "status": status, "problem": None, "updated_at": at}

    ending = select(drafts.c.id, drafts.c.version, drafts.c.status).where(
        drafts.c.id.in_(mine), drafts.c.status.in_(ENDED)
    )
    moves = [
        {"draft": r.id, "version": r.version, "old": r.status, "new": ENDED[r.status], "by": BY, "at": at}
        for r in db.execute(ending)
    ]
    if moves:
        db.execute(draft_moves.insert(), moves)
    counts = {"drafts": rewrite(db, drafts, [drafts.c.id.in_(mine)], blank) if mine else 0}
    for table in (draft_versions, pieces):
        counts[table.name] = delete_where(db, table, "draft", mine)
    if mine:
        db.execute(draft_moves.update().where(draft_moves.c.draft.in_(mine)).values(reason=None))
    return counts


def _blank_events(db: Connection, connection: str, contact_id: str) -> dict[str, int]:
    """Events about the person keep that they came; what they said goes."""
    quoted = json.dumps(contact_id)

    def blank(row: Any) -> dict[str, Any]:
        kept = {name: row.document.get(name) for name in ("at", "object", "echo")}
        return {"document": {**kept, "erased": True}}

    holds = cast(events.c.document, Text_).contains(quoted, autoescape=True)
    return {"events": rewrite(db, events, [events.c.connection == connection, holds], blank)}


def _erase_from_campaigns(db: Connection, connection: str, contact_id: str) -> dict[str, int]:
    here = select(campaigns.c.id).where(campaigns.c.connection == connection)
    gone = campaign_recipients.delete().where(
        campaign_recipients.c.contact == contact_id, campaign_recipients.c.campaign.in_(here)
    )
    touched = campaign_touches.update().where(
        campaign_touches.c.connection == connection, campaign_touches.c.contact == contact_id
    )
    return {
        "campaign_recipients": db.execute(gone).rowcount,
        "campaign_touches": db.execute(touched.values(contact="")).rowcount,
    }


def _add(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + n for name, n in more.items()}
