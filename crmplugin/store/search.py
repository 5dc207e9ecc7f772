"""Finding deals, companies and contacts by a part of their name or id, for a person who picks one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func, or_, select

from crmplugin.domain.records import build
from crmplugin.store.tables_records import names, records

FOUND_PER_KIND = 200
"""Names that are looked at for one search; beyond that it is too vague to help."""


def find_subjects(db: Connection, connection: str, text: str, *, limit: int) -> list[tuple[str, Any]]:
    """(collection, record) of companies and contacts called so, and of deals with that name or of those companies.

    Deals come first. An empty text gives the deals changed last.
    """
    if not text.strip():
        return _newest_deals(db, connection, limit)
    pattern = _pattern(text)
    company_ids = _named(db, connection, "company", pattern)
    contact_ids = _named(db, connection, "contact", pattern)
    deals = _deals(db, connection, text, pattern, company_ids, limit)
    companies = _read(db, connection, "companies", company_ids[:limit])
    return [*deals, *companies, *_read(db, connection, "contacts", contact_ids[:limit])][:limit]


def _pattern(text: str) -> str:
    escaped = text.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _named(db: Connection, connection: str, kind: str, pattern: str) -> list[str]:
    called = or_(func.lower(names.c.text).like(pattern, escape="\\"), func.lower(names.c.record_id).like(pattern))
    statement = select(names.c.record_id).where(names.c.connection == connection, names.c.kind == kind, called)
    rows = db.execute(statement.order_by(names.c.text).limit(FOUND_PER_KIND)).scalars()
    return list(dict.fromkeys(rows))


def _deals(
    db: Connection, connection: str, text: str, pattern: str, company_ids: list[str], limit: int
) -> list[tuple[str, Any]]:
    mentioned = func.lower(records.c.doc).like(pattern, escape="\\")
    statement = (
        select(records.c.doc)
        .where(records.c.connection == connection, records.c.collection == "deals")
        .where(or_(records.c.company_id.in_(company_ids), mentioned))
        .order_by(records.c.at.desc(), records.c.id)
        .limit(FOUND_PER_KIND)
    )
    deals = [build("deals", json.loads(doc)) for doc in db.execute(statement).scalars()]
    known = set(company_ids)
    meant = [d for d in deals if d.company_id in known or _is_called(d, text)]
    return [("deals", d) for d in sorted(meant, key=lambda d: d.status not in (None, "open"))][:limit]


def _is_called(deal: Any, text: str) -> bool:
    wanted = text.strip().lower()
    return wanted in (deal.name or "").lower() or wanted in deal.id.lower()


def _newest_deals(db: Connection, connection: str, limit: int) -> list[tuple[str, Any]]:
    statement = select(records.c.doc).where(records.c.connection == connection, records.c.collection == "deals")
    rows = db.execute(statement.order_by(records.c.changed_at.desc(), records.c.id).limit(FOUND_PER_KIND)).scalars()
    deals = (build("deals", json.loads(doc)) for doc in rows)
    return [("deals", d) for d in deals if d.status in (None, "open")][:limit]


def _read(db: Connection, connection: str, collection: str, ids: Iterable[str]) -> list[tuple[str, Any]]:
    wanted = list(ids)
    statement = select(records.c.id, records.c.doc).where(
        records.c.connection == connection, records.c.collection == collection, records.c.id.in_(wanted)
    )
    found = {id_: build(collection, json.loads(doc)) for id_, doc in db.execute(statement)}
    return [(collection, found[id_]) for id_ in wanted if id_ in found]
