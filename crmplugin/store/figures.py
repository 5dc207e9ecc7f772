"""Counts over drafts for people who steer: what was made, decided, changed, spent and answered. Read, never stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, and_, case, exists, func, select

from crmplugin.domain.crm import Deal
from crmplugin.store.doc_fields import field_reader
from crmplugin.store.draft_order import COLLECTIONS
from crmplugin.store.guard import reading
from crmplugin.store.open_deals import DealOrder, open_deals
from crmplugin.store.tables_records import records
from crmplugin.store.tables_work import draft_moves, draft_versions, drafts

MOST_DRAFTS = 20_000
MOST_TEXTS = 500
DECIDED = ("approved", "rejected")


@dataclass(frozen=True, slots=True)
class MadeRow:
    """A draft as the figures need it. `prompt` and `usage` as its document has them; `version` the present one."""

    id: str
    kind: str
    status: str
    version: int
    created_at: datetime
    audience: str | None
    writer: str | None
    prompt: dict[str, Any] | None
    usage: dict[str, Any] | None
    grounding: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """The last time somebody said yes or no to a draft."""

    draft: str
    new: str
    by: str | None
    at: datetime


class Figures:
    """Looking over many drafts and deals at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_deals(
        self,
        connection: str,
        order: DealOrder,
        *,
        rates: Mapping[str, Decimal],
        owners: Collection[str] | None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[tuple[Deal, ...], int]:
        """One page of open deals, and how many there are; see `open_deals.open_deals`."""
        return open_deals(self._engine, connection, order, rates=rates, owners=owners, offset=offset, limit=limit)

    def made(self, since: datetime, connections: Collection[str] | None) -> tuple[MadeRow, ...]:
        """Drafts asked for since a moment, newest first, at most `MOST_DRAFTS`."""
        parts = {name: drafts.c.document[name].label(name) for name in MadeRow.__slots__[5:]}
        own = [drafts.c[name] for name in MadeRow.__slots__[:5]]
        query = select(*own, *parts.values()).where(drafts.c.created_at >= since, *_of(connections))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(drafts.c.created_at.desc()).limit(MOST_DRAFTS)).all()
        return tuple(MadeRow(**row._mapping) for row in rows)

    def decided(self, since: datetime, connections: Collection[str] | None) -> tuple[DecidedRow, ...]:
        """Approvals and rejections since a moment; of several of one draft the last counts."""
        query = (
            select(draft_moves.c.draft, draft_moves.c.new, draft_moves.c.by, draft_moves.c.at)
            .join(drafts, drafts.c.id == draft_moves.c.draft)
            .where(draft_moves.c.new.in_(DECIDED), draft_moves.c.at >= since, *_of(connections))
            .order_by(draft_moves.c.n)
        )
        with reading(self._engine) as connection:
            last = {row.draft: DecidedRow(**row._mapping) for row in connection.execute(query)}
        return tuple(last.values())

    def texts(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """First and last text of those drafts that were changed, the newest `MOST_TEXTS` of them."""
        wanted = list(ids)[:MOST_TEXTS]
        query = select(draft_versions.c.draft, draft_versions.c.body).where(draft_versions.c.draft.in_(wanted))
        bodies: dict[str, list[str]] = {}
        with reading(self._engine) as connection:
            for draft, body in connection.execute(query.order_by(draft_versions.c.draft, draft_versions.c.version)):
                bodies.setdefault(draft, []).append(body or "")
        return {draft: (found[0], found[-1]) for draft, found in bodies.items() if len(found) > 1}

    def answered(self, since: datetime, connections: Collection[str] | None) -> dict[str, tuple[int, int]]:
        """By kind of message to a customer: how many were written to the CRM, and after how many of them the customer
        wrote or called about that deal."""
        subject, activity = records.alias("subject"), records.alias("activity")
        with reading(self._engine) as connection:
            field = field_reader(connection)
            deal_id = case((drafts.c.subject_type == "deal", drafts.c.subject_id), else_=subject.c.deal_id)
            came = exists().where(
                activity.c.connection == drafts.c.connection,
                activity.c.collection == "activities",
                activity.c.deal_id == deal_id,
                activity.c.at > drafts.c.updated_at,
                field(activity.c.doc, "direction") == "inbound",
            )
            about = case(COLLECTIONS, value=drafts.c.subject_type)
            query = (
                select(drafts.c.kind, func.count(), func.sum(case((came, 1), else_=0)))
                .outerjoin(subject, and_(subject.c.connection == drafts.c.connection,
                                         subject.c.collection == about, subject.c.id == drafts.c.subject_id))
                .where(drafts.c.status == "written", drafts.c.updated_at >= since, deal_id.is_not(None),
                       drafts.c.document["audience"].as_string() == "customer", *_of(connections))
                .group_by(drafts.c.kind)
            )  # fmt: skip
            rows = connection.execute(query).all()
        return {kind: (written_n, answered_n or 0) for kind, written_n, answered_n in rows}


def _of(connections: Collection[str] | None) -> list[Any]:
    return [] if connections is None else [drafts.c.connection.in_(connections)]
