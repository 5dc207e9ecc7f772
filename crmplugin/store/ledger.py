"""The write-back ledger: a claim before the CRM is called, its result afterwards. It makes "once" survive a crash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, select, update

from crmplugin.store.guard import writing
from crmplugin.store.statements import change_where, keyed, new_row_once, renewed
from crmplugin.store.tables_work import ledger

KEYS = ("connection", "draft", "action")


@dataclass(frozen=True, slots=True)
class Claim:
    """`fresh`: nobody tried this before. `result`: the CRM's id of what was written, when that is known.

    `n` counts the calls that were announced, and `at` is the moment of the last one.
    """

    fresh: bool
    result: str | None
    n: int
    at: datetime


class Ledger:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, connection_name: str, draft_id: str, action: str, *, at: datetime) -> Claim:
        """Says that the CRM will be called now. Not fresh and without result: look in the CRM first."""
        key = {"connection": connection_name, "draft": draft_id, "action": action}
        with writing(self._engine) as connection:
            row = new_row_once(connection.dialect.name, ledger, "draft")
            if connection.execute(row, {**key, "claimed_at": at, "claims": 1}).first() is not None:
                return Claim(True, None, 1, at)
            found = connection.execute(select(ledger).where(*_where(connection_name, draft_id, action))).one()
        return Claim(False, found.result, found.claims, found.claimed_at)

    def claim_again(self, connection_name: str, draft_id: str, action: str, *, seen: Claim, at: datetime) -> bool:
        """Says that the CRM will be called once more; False when somebody else has said so since `seen`."""
        unchanged = (ledger.c.claims == seen.n, ledger.c.result.is_(None))
        again = update(ledger).where(*_where(connection_name, draft_id, action), *unchanged)
        with writing(self._engine) as connection:
            return connection.execute(again.values(claims=seen.n + 1, claimed_at=at)).rowcount == 1

    def give_back(self, connection_name: str, draft_id: str, action: str, *, at: datetime) -> None:
        """Says that the announced call came to nothing: the next one need not wait to see whether it did."""
        with writing(self._engine) as connection:
            connection.execute(update(ledger).where(*_where(connection_name, draft_id, action)).values(claimed_at=at))

    def finish(self, connection_name: str, draft_id: str, action: str, *, result: str, at: datetime) -> None:
        """Keeps the CRM's id of what was written."""
        values = keyed(connection=connection_name, draft=draft_id, action=action)
        values |= renewed(result=result, finished_at=at)
        with writing(self._engine) as connection:
            connection.execute(change_where(ledger, KEYS, ("result", "finished_at")), values)


def _where(connection_name: str, draft_id: str, action: str) -> tuple[ColumnElement[bool], ...]:
    return (ledger.c.connection == connection_name, ledger.c.draft == draft_id, ledger.c.action == action)
