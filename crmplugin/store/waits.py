"""Drafts and campaigns that wait for an approval: when they were reminded of and escalated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, or_, select, update

from crmplugin.store.database import insert_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.tables_access import approval_waits


@dataclass(frozen=True, slots=True)
class Wait:
    """When the waiting of a draft or campaign was last told of; None: not yet."""

    id: str
    reminded_at: datetime | None
    escalated_at: datetime | None


class Waits:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, waiting_id: str) -> Wait | None:
        with reading(self._engine) as db:
            row = db.execute(select(approval_waits).where(approval_waits.c.draft == waiting_id)).first()
        return None if row is None else Wait(row.draft, row.reminded_at, row.escalated_at)

    def mark(self, waiting_id: str, column: str, *, since: datetime, at: datetime) -> bool:
        """Says that it was told at `at`; False when another process said so meanwhile.

        `since`: an escalation counts once for each text; a reminder again after its hours.
        """
        told = approval_waits.c[column]
        again = told < (since if column == "escalated_at" else at)
        with writing(self._engine) as db:
            db.execute(insert_into(db, approval_waits).values(draft=waiting_id).on_conflict_do_nothing())
            mine = (approval_waits.c.draft == waiting_id, or_(told.is_(None), again))
            return db.execute(update(approval_waits).where(*mine).values({column: at})).rowcount == 1
