"""Takes out what is older than the owner keeps it: texts and what was said, never that something happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, or_, select

from crmplugin.domain.retention import EVERY_OTHER, Days, Retention
from crmplugin.store.audit import AuditLog, Entry
from crmplugin.store.erase import BLANK
from crmplugin.store.guard import reading, writing
from crmplugin.store.scrub import delete_where, rewrite
from crmplugin.store.tables_access import audit
from crmplugin.store.tables_campaigns import campaign_recipients, campaigns
from crmplugin.store.tables_work import draft_moves, draft_versions, drafts, events, pieces

ENDED = ("written", "rejected", "superseded", "blocked", "no_message", "stopped", "cancelled", "failed")
"""Statuses of drafts that wait for nobody."""
SETTLED = ("done", "ignored", "dead")
APPLIED = "retention.applied"


@dataclass(frozen=True, slots=True)
class TakenOut:
    """What was taken out, by table, and the drafts among it."""

    counts: Mapping[str, int] = field(default_factory=dict)
    drafts: tuple[str, ...] = ()


class Keeper:
    """Applies the rules of one installation."""

    def __init__(self, engine: Engine, log: AuditLog, rules: Retention) -> None:
        self._engine, self._log, self.rules = engine, log, rules

    def apply(self, connection: str, *, at: datetime) -> TakenOut:
        """Takes out what is too old on a connection, says so in the audit; doing it again changes nothing more."""
        if self.rules.keeps_all:
            return TakenOut()
        old = _kinds(self._engine, connection)
        with writing(self._engine) as db:
            ids = [id_ for kind, days in _by_kind(self.rules.drafts, old["drafts"])
                   for id_ in _old_drafts(db, connection, kind, at - timedelta(days=days))]  # fmt: skip
            counts = _blank_drafts(db, ids)
            counts |= self._plain(db, connection, at)
            counts = {name: n for name, n in counts.items() if n}
            if counts:
                self._log.add_in(db, Entry(APPLIED, at, "retention", connection, body={"counts": counts}))
        dropped = sum(
            self._log.drop_older(kind, at - timedelta(days=days), at=at, connection=connection)
            for kind, days in _by_kind(self.rules.audit, old["audit"])
        )
        return TakenOut(counts | ({"audit": dropped} if dropped else {}), tuple(ids))

    def _plain(self, db: Connection, connection: str, at: datetime) -> dict[str, int]:
        rules, counts = self.rules, {}
        if rules.streams is not None:
            counts["pieces"] = _drop_streams(db, connection, at - timedelta(days=rules.streams))
        if rules.events is not None:
            counts["events"] = _blank_events(db, connection, at - timedelta(days=rules.events))
        if rules.campaigns is not None:
            counts["campaign_recipients"] = _blank_messages(db, connection, at - timedelta(days=rules.campaigns))
        return counts


def _kinds(engine: Engine, connection: str) -> dict[str, list[str]]:
    """The kinds of drafts and of audit rows that there are."""
    with reading(engine) as db:
        found = {}
        for table in (drafts, audit):
            query = select(table.c.kind).where(table.c.connection == connection).distinct()
            found[table.name] = list(db.execute(query).scalars())
    return found


def _by_kind(days: Days, kinds: list[str]) -> list[tuple[str, int]]:
    return [(kind, days.get(kind, days.get(EVERY_OTHER, 0))) for kind in kinds if kind in days or EVERY_OTHER in days]


def _old_drafts(db: Connection, connection: str, kind: str, before: datetime) -> list[str]:
    """Drafts that ended before a moment and still say something."""
    says = or_(
        drafts.c.document["body"].as_string().is_not(None),
        drafts.c.document["facts"].as_string() != "[]",
        drafts.c.id.in_(select(draft_versions.c.draft)),
    )
    mine = (drafts.c.connection == connection, drafts.c.kind == kind, drafts.c.status.in_(ENDED))
    return list(db.execute(select(drafts.c.id).where(*mine, drafts.c.updated_at < before, says)).scalars())


def _blank_drafts(db: Connection, ids: list[str]) -> dict[str, int]:
    def blank(row: Any) -> dict[str, Any]:
        decision = {**(row.document.get("decision") or {}), "reason": None, "gates": [], "alternatives": []}
        request = {k: v for k, v in row.request.items() if k not in ("instruction", "to_contact_id")}
        return {"document": {**row.document, **BLANK, "decision": decision}, "request": request, "problem": None}

    if not ids:
        return {}
    counts = {"drafts": rewrite(db, drafts, [drafts.c.id.in_(ids)], blank)}
    for table in (draft_versions, pieces):
        counts[table.name] = delete_where(db, table, "draft", ids)
    db.execute(draft_moves.update().where(draft_moves.c.draft.in_(ids)).values(reason=None))
    return counts


def _drop_streams(db: Connection, connection: str, before: datetime) -> int:
    here = (drafts.c.connection == connection, drafts.c.updated_at < before)
    mine = select(drafts.c.id).where(*here, drafts.c.status != "writing")
    return db.execute(pieces.delete().where(pieces.c.draft.in_(mine))).rowcount


def _blank_events(db: Connection, connection: str, before: datetime) -> int:
    """An event keeps that it came and what it was about: it stays a duplicate for ever."""

    def blank(row: Any) -> dict[str, Any]:
        kept = {name: row.document.get(name) for name in ("at", "object", "echo")}
        return {"document": {**kept, "erased": True}}

    mine = (events.c.connection == connection, events.c.state.in_(SETTLED), events.c.received_at < before)
    return rewrite(db, events, [*mine, events.c.document["erased"].as_string().is_(None)], blank)


def _blank_messages(db: Connection, connection: str, before: datetime) -> int:
    done = select(campaigns.c.id).where(campaigns.c.connection == connection, campaigns.c.status == "done")
    old = (campaign_recipients.c.campaign.in_(done), campaign_recipients.c.updated_at < before)
    blank = campaign_recipients.update().where(*old, campaign_recipients.c.contact != "")
    has_text = campaign_recipients.c.document["body"].as_string().is_not(None)
    return db.execute(blank.where(has_text).values(document=None)).rowcount
