"""The pieces of a draft's stream, so that a reader can come late or come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select

from crmplugin.store.database import insert_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.tables_work import pieces


@dataclass(frozen=True, slots=True)
class Piece:
    """One event of a stream; `n` counts from 1 within its draft and is the `Last-Event-ID`."""

    n: int
    event: str
    data: Mapping[str, Any]


class PieceStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, draft_id: str, new: Sequence[Piece]) -> None:
        """Keeps pieces; one that is there already stays as it was."""
        if not new:
            return
        rows = [{"draft": draft_id, "n": p.n, "event": p.event, "data": dict(p.data)} for p in new]
        with writing(self._engine) as connection:
            connection.execute(insert_into(connection, pieces).on_conflict_do_nothing(), rows)

    def after(self, draft_id: str, n: int) -> tuple[Piece, ...]:
        """The pieces behind the n-th, in order."""
        query = select(pieces).where(pieces.c.draft == draft_id, pieces.c.n > n).order_by(pieces.c.n)
        with reading(self._engine) as connection:
            return tuple(Piece(r.n, r.event, r.data) for r in connection.execute(query))

    def last(self, draft_id: str) -> int:
        """The number of the newest piece, 0 when there is none."""
        query = select(func.max(pieces.c.n)).where(pieces.c.draft == draft_id)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar() or 0
