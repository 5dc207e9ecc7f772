"""The write-back ledger: a claim before the CRM is called, its result afterwards. It makes "once" survive a crash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select, update

from crmplugin.store.database import insert_into
from crmplugin.store.guard import writing
from crmplugin.store.tables_work import ledger


@dataclass(frozen=True, slots=True)
class Claim:
    """`fresh`: nobody tried this before. `result`: the CRM's id of what was written, when that is known."""

    fresh: bool
    result: str | None


class Ledger:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, connection_name: str, draft_id: str, action: str, *, at: datetime) -> Claim:
        """Says that the CRM will be called now. Not fresh and without result: look in the CRM first."""
        key = {"connection": connection_name, "draft": draft_id, "action": action}
        where = [ledger.c[name] == value for name, value in key.items()]
        with writing(self._engine) as connection:
            row = insert_into(connection, ledger).values(**key, claimed_at=at, claims=1)
            if connection.execute(row.on_conflict_do_nothing().returning(ledger.c.draft)).first() is not None:
                return Claim(True, None)
            connection.execute(update(ledger).where(*where).values(claims=ledger.c.claims + 1))
            return Claim(False, connection.execute(select(ledger.c.result).where(*where)).scalar_one())

    def finish(self, connection_name: str, draft_id: str, action: str, *, result: str, at: datetime) -> None:
        """Keeps the CRM's id of what was written."""
        key = (ledger.c.connection == connection_name, ledger.c.draft == draft_id, ledger.c.action == action)
        with writing(self._engine) as connection:
            connection.execute(update(ledger).where(*key).values(result=result, finished_at=at))
