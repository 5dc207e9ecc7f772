"""Drafts in the database: their moves from status to status, their versions, and the lists of them.

A move is one UPDATE that names the old status (and the version when the caller saw one), so two people, or a person and
a job, cannot both win. Documents are JSON that the journeys read and write; this file looks only at its own columns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, false, func, or_, select, tuple_, update

from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import MOVES
from crmplugin.errors import NotFound, StateConflict
from crmplugin.store.audit import AuditLog, Entry
from crmplugin.store.draft_order import Order, Ranked, rank
from crmplugin.store.draft_rows import DraftRow as DraftRow
from crmplugin.store.drafts_told import Kept, asked, edited, moved
from crmplugin.store.guard import reading, writing
from crmplugin.store.paging import Page, after, page_of
from crmplugin.store.statements import change_where, keyed, new_row, new_row_once, renewed, row_where
from crmplugin.store.tables_work import draft_moves, draft_versions, drafts

FILTERS = ("id", "connection", "kind", "status", "event", "subject_type", "subject_id", "owner_id", "origin")


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: int
    at: datetime
    by: str | None
    subject: str | None
    body: str | None


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One change of status; `version` is the draft's version at that moment."""

    old: str | None
    new: str
    version: int
    by: str | None
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """What a list shows of a draft; `parts` are the members of its document that `SUMMARY_PARTS` names."""

    id: str
    connection: str
    kind: str
    status: str
    version: int
    created_at: datetime
    updated_at: datetime
    origin: str
    subject_type: str
    subject_id: str
    due: str | None
    problem: str | None
    parts: Mapping[str, Any]


SUMMARY_PARTS = ("type", "audience", "decision", "to", "subject", "channel", "warnings")


class DraftStore:
    """All reading and writing of drafts. Every method is one transaction."""

    def __init__(self, engine: Engine, audit: AuditLog | None = None) -> None:
        self._engine, self._audit = engine, audit

    def _tell(self, connection: Connection, entry: Entry) -> None:
        """Puts a row into the audit, within the transaction that it tells of."""
        if self._audit is not None:
            self._audit.add_in(connection, entry)

    def create(self, row: DraftRow) -> bool:
        """Adds a draft; False when its id is there already, and then nothing changes."""
        return self.create_all([row]) == 1

    def create_all(self, rows: Collection[DraftRow]) -> int:
        """Adds those drafts whose ids are new, all in one transaction; gives back how many."""
        with writing(self._engine) as connection:
            new = [row for row in rows if _insert(connection, row)]
            for row in new:
                self._tell(connection, asked(row))
        return len(new)

    def get(self, draft_id: str) -> DraftRow:
        """One draft. Raises NotFound."""
        with reading(self._engine) as connection:
            return _read(connection, draft_id)

    def find(self, draft_id: str) -> DraftRow | None:
        """One draft, or None."""
        with reading(self._engine) as connection:
            row = connection.execute(row_where(drafts, "id"), keyed(id=draft_id)).first()
        return _row(row) if row else None

    def move(
        self,
        draft_id: str,
        new: str,
        *,
        at: datetime,
        by: str | None = None,
        reason: str | None = None,
        version: int | None = None,
        only_from: Collection[str] | None = None,
        kept: Kept | None = None,
        **changes: Any,
    ) -> DraftRow:
        """Moves a draft to `new`, if the table of moves allows it from where it is now.

        `version`: the one the caller saw. `kept`: what the audit keeps of how the text came to be.
        Raises StateConflict naming the present status and version, or NotFound.
        """
        allowed = [old for old, following in MOVES.items() if new in following]
        if only_from is not None:
            allowed = [old for old in allowed if old in only_from]
        with writing(self._engine) as connection:
            before = _read(connection, draft_id)
            _check(before, new, allowed, version)
            _update(connection, before, {"status": new, "updated_at": at, **changes})
            _log(connection, before, new, by, reason, at)
            if "document" in changes:
                _keep_version(connection, before.version, changes["document"], by, at)
            self._tell(connection, moved(before, new, changes, by=by, reason=reason, at=at, kept=kept))
        return replace(before, status=new, updated_at=at, **changes)

    def edit(
        self, draft_id: str, document: Mapping[str, Any], *, version: int, by: str | None, at: datetime
    ) -> DraftRow:
        """Saves a person's text as the next version. Raises StateConflict unless it is `proposed` at `version`."""
        with writing(self._engine) as connection:
            before = _read(connection, draft_id)
            _check(before, "edited", ["proposed"], version)
            _update(connection, before, {"version": version + 1, "document": document, "updated_at": at})
            _keep_version(connection, version + 1, document, by, at)
            self._tell(connection, edited(before, document, by=by, at=at))
            return _read(connection, draft_id)

    def note(self, draft_id: str, *, at: datetime, **changes: Any) -> None:
        """Changes columns that are no part of the state (`written_id`, `problem`, `owner_id`)."""
        with writing(self._engine) as connection:
            connection.execute(update(drafts).where(drafts.c.id == draft_id).values(updated_at=at, **changes))

    def versions(self, draft_id: str) -> tuple[VersionRow, ...]:
        """The texts it has had, oldest first; empty while the first is being written."""
        query = select(draft_versions).where(draft_versions.c.draft == draft_id).order_by(draft_versions.c.version)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple(VersionRow(r.version, r.at, r.by, r.subject, r.body) for r in rows)

    def version(self, draft_id: str, version: int) -> Mapping[str, Any] | None:
        """The whole document of one version, or None."""
        query = select(draft_versions.c.document).where(
            draft_versions.c.draft == draft_id, draft_versions.c.version == version
        )
        with reading(self._engine) as connection:
            found: Mapping[str, Any] | None = connection.execute(query).scalar()
        return found

    def replaced_by(self, draft_id: str) -> str | None:
        """The id of the newest draft that took this one's place."""
        query = select(drafts.c.id).where(drafts.c.replaces == draft_id).order_by(drafts.c.created_at.desc())
        with reading(self._engine) as connection:
            found: str | None = connection.execute(query.limit(1)).scalar()
        return found

    def moves(self, draft_id: str) -> tuple[MoveRow, ...]:
        """Its changes of status, oldest first."""
        query = select(draft_moves).where(draft_moves.c.draft == draft_id).order_by(draft_moves.c.n)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple(MoveRow(r.old, r.new, r.version, r.by, r.reason, r.at) for r in rows)

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        connections: Collection[str] | None = None,
        owners: Mapping[str, Collection[str]] | None = None,
        **filters: Any,
    ) -> Page[DraftRow]:
        """Drafts, newest first. A filter is a column and its value or a list of values; None filters are ignored.

        `owners`: only drafts of these users, by connection; None for everybody's.
        """
        query = select(drafts).where(
            *_conditions(filters, connections, owners), *after(cursor, drafts.c.created_at, drafts.c.id)
        )
        query = query.order_by(drafts.c.created_at.desc(), drafts.c.id.desc()).limit(limit + 1)
        with reading(self._engine) as connection:
            rows = [_row(r) for r in connection.execute(query)]
        return page_of(rows, limit, lambda r: (r.created_at, r.id))

    def summaries(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        connections: Collection[str] | None = None,
        owners: Mapping[str, Collection[str]] | None = None,
        **filters: Any,
    ) -> Page[SummaryRow]:
        """As `list`, without the facts and sentences, which are most of a draft."""
        columns = [drafts.c[name] for name in SummaryRow.__slots__ if name != "parts"]
        parts = [drafts.c.document[name].label(f"part_{name}") for name in SUMMARY_PARTS]
        query = select(*columns, *parts).where(
            *_conditions(filters, connections, owners), *after(cursor, drafts.c.created_at, drafts.c.id)
        )
        query = query.order_by(drafts.c.created_at.desc(), drafts.c.id.desc()).limit(limit + 1)
        with reading(self._engine) as connection:
            rows = [_summary(r) for r in connection.execute(query)]
        return page_of(rows, limit, lambda r: (r.created_at, r.id))

    def ranked(
        self,
        order: Order,
        *,
        rates: Mapping[str, Decimal],
        offset: int = 0,
        limit: int = 50,
        connections: Collection[str] | None = None,
        owners: Mapping[str, Collection[str]] | None = None,
        **filters: Any,
    ) -> Ranked:
        """Ids of drafts by the value or the due day of their deals; see `draft_order.rank`."""
        conditions = _conditions(filters, connections, owners)
        return rank(self._engine, order, conditions=conditions, rates=rates, offset=offset, limit=limit)

    def of_event(self, connection_name: str, event_id: str) -> tuple[str, ...]:
        """Ids of the drafts that an event made, oldest first."""
        return self.of_events([(connection_name, event_id)]).get((connection_name, event_id), ())

    def of_events(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
        """Ids of drafts by (connection, event)."""
        query = select(drafts.c.connection, drafts.c.event, drafts.c.id).order_by(drafts.c.created_at, drafts.c.id)
        query = query.where(drafts.c.event.in_([event for _, event in keys]))
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        with reading(self._engine) as connection:
            for name, event, draft_id in connection.execute(query):
                found[name, event] = (*found.get((name, event), ()), draft_id)
        return {key: found[key] for key in keys if key in found}

    def waiting(self, statuses: Collection[str], *, before: datetime, limit: int = 500) -> tuple[DraftRow, ...]:
        """Drafts that stand in a status since before a moment: what a sweep looks after."""
        query = select(drafts).where(drafts.c.status.in_(statuses), drafts.c.updated_at < before)
        with reading(self._engine) as connection:
            return tuple(_row(r) for r in connection.execute(query.order_by(drafts.c.updated_at).limit(limit)))

    def scheduled(self, day: date, *, limit: int = 500) -> tuple[DraftRow, ...]:
        """Scheduled drafts due on or before a day."""
        query = select(drafts).where(drafts.c.status == "scheduled", drafts.c.due <= day.isoformat())
        with reading(self._engine) as connection:
            return tuple(_row(r) for r in connection.execute(query.order_by(drafts.c.due).limit(limit)))

    def scheduled_about(self, connection_name: str, subjects: Collection[Subject]) -> tuple[DraftRow, ...]:
        """Scheduled drafts about any of these records."""
        about = [(subject.type, subject.id) for subject in subjects]
        query = select(drafts).where(
            drafts.c.connection == connection_name,
            tuple_(drafts.c.subject_type, drafts.c.subject_id).in_(about),
            drafts.c.status == "scheduled",
        )
        with reading(self._engine) as connection:
            return tuple(_row(r) for r in connection.execute(query.order_by(drafts.c.created_at)))

    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many drafts there are by (connection, kind, status)."""
        keys = (drafts.c.connection, drafts.c.kind, drafts.c.status)
        with reading(self._engine) as connection:
            rows = connection.execute(select(*keys, func.count()).group_by(*keys)).all()
        return {(r[0], r[1], r[2]): r[3] for r in rows}


def _insert(connection: Connection, row: DraftRow) -> bool:
    values = {name: getattr(row, name) for name in DraftRow.__slots__}
    added = connection.execute(new_row_once(connection.dialect.name, drafts, "id"), values).first() is not None
    if added:
        entry = {"draft": row.id, "version": row.version, "old": None, "new": row.status, "by": row.created_by}
        connection.execute(new_row(draft_moves), {**entry, "reason": None, "at": row.created_at})
    return added


def _read(connection: Connection, draft_id: str) -> DraftRow:
    row = connection.execute(row_where(drafts, "id"), keyed(id=draft_id)).first()
    if row is None:
        raise NotFound(f"there is no draft {draft_id}; list them with GET /api/v1/drafts")
    return _row(row)


def _row(row: Row[Any]) -> DraftRow:
    return DraftRow(**row._mapping)


def _summary(row: Row[Any]) -> SummaryRow:
    own = {name: getattr(row, name) for name in SummaryRow.__slots__ if name != "parts"}
    return SummaryRow(**own, parts={name: getattr(row, f"part_{name}") for name in SUMMARY_PARTS})


def _check(row: DraftRow, new: str, allowed: Collection[str], version: int | None) -> None:
    if version is not None and version != row.version:
        raise StateConflict(f"draft {row.id} is at version {row.version}, not {version}: read it again, then decide")
    if row.status not in allowed:
        raise StateConflict(f"draft {row.id} is {row.status} and cannot become {new}")


def _update(connection: Connection, before: DraftRow, values: Mapping[str, Any]) -> None:
    """Changes the row only if nobody changed its status or version since `before` was read."""
    same = keyed(id=before.id, status=before.status, version=before.version)
    statement = change_where(drafts, ("id", "status", "version"), tuple(values))
    if connection.execute(statement, same | renewed(**values)).rowcount != 1:
        raise StateConflict(f"draft {before.id} changed meanwhile: read it again, then decide")


def _log(connection: Connection, before: DraftRow, new: str, by: str | None, reason: str | None, at: datetime) -> None:
    entry = {"draft": before.id, "version": before.version, "old": before.status, "new": new}
    connection.execute(new_row(draft_moves), {**entry, "by": by, "reason": reason, "at": at})


_OLD_VERSION = draft_versions.delete().where(
    draft_versions.c.draft == bindparam("key_draft"), draft_versions.c.version == bindparam("key_version")
)


def _keep_version(
    connection: Connection, version: int, document: Mapping[str, Any], by: str | None, at: datetime
) -> None:
    connection.execute(_OLD_VERSION, keyed(draft=document["id"], version=version))
    text = {"subject": document.get("subject"), "body": document.get("body")}
    values = {"draft": document["id"], "version": version, "at": at, "by": by, "document": document, **text}
    connection.execute(new_row(draft_versions), values)


def _conditions(
    filters: Mapping[str, Any], connections: Collection[str] | None, owners: Mapping[str, Collection[str]] | None
) -> list[Any]:
    conditions: list[Any] = [] if connections is None else [drafts.c.connection.in_(connections)]
    if owners is not None:
        of_theirs = [(drafts.c.connection == name) & drafts.c.owner_id.in_(ids) for name, ids in owners.items()]
        conditions.append(or_(false(), *of_theirs))
    for name, value in filters.items():
        if value is None:
            continue
        column = drafts.c[name] if name in FILTERS else None
        if column is None:
            raise TypeError(f"drafts cannot be filtered by {name}")
        conditions.append(column.in_(value) if isinstance(value, (list, tuple, set)) else column == value)
    return conditions
