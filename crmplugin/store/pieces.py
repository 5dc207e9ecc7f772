"""The pieces of a draft's stream, so that a reader can come late or come back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, bindparam, func, select

from crmplugin.store.database import APPLICATION
from crmplugin.store.guard import reading, writing
from crmplugin.store.statements import new_row_once
from crmplugin.store.tables_work import pieces

log = logging.getLogger(__name__)

NEWS = "crmplugin_pieces"
"""PostgreSQL's channel on which a process says that it kept pieces of a draft."""
LISTEN_S = 1.0
_LAST = select(func.max(pieces.c.n)).where(pieces.c.draft == bindparam("of"))


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
            connection.execute(new_row_once(connection.dialect.name, pieces), rows)
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_notify(NEWS, draft_id)))

    def after(self, draft_id: str, n: int) -> tuple[Piece, ...]:
        """The pieces behind the n-th, in order."""
        query = select(pieces).where(pieces.c.draft == draft_id, pieces.c.n > n).order_by(pieces.c.n)
        with reading(self._engine) as connection:
            return tuple(Piece(r.n, r.event, r.data) for r in connection.execute(query))

    def last(self, draft_id: str) -> int:
        """The number of the newest piece, 0 when there is none."""
        with reading(self._engine) as connection:
            return connection.execute(_LAST, {"of": draft_id}).scalar() or 0


class PieceListener:
    """Tells of drafts whose pieces another process has kept, on PostgreSQL. Its readers poll as well, but seldom."""

    def __init__(self, engine: Engine, tell: Callable[[str], None]) -> None:
        self._url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._tell = tell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="piece-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2 * LISTEN_S)

    def _run(self) -> None:
        import psycopg  # takes a tenth of a second, which an embedded server need not spend

        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("news of drafts are late, the database does not answer", extra={"problem": str(error)})
                self._stopping.wait(LISTEN_S)

    def _listen(self) -> None:
        import psycopg

        with psycopg.connect(self._url, autocommit=True, application_name=APPLICATION) as connection:
            connection.execute(f"LISTEN {NEWS}")
            while not self._stopping.is_set():
                for news in connection.notifies(timeout=LISTEN_S):
                    self._tell(news.payload)
