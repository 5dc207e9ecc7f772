"""A draft's pieces as server-sent events: from memory while it is written here, from the store otherwise.

Each piece has its number as id, so a reader that was cut off asks on with `Last-Event-ID`. `done` carries the whole
draft as the store has it; `error` ends the stream of a failed one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response

from crmplugin.journeys.broadcast import Watch
from crmplugin.journeys.desk import Desk
from crmplugin.store.drafts import DraftRow
from crmplugin.store.pieces import Piece
from crmplugin.web.problems import problem
from crmplugin.web.shapes import draft_answer
from crmplugin.web.texts import whole_number

EVENT_STREAM = "text/event-stream"
UNFINISHED = ("writing", "scheduled")
BEAT_S = 15.0
POLL_S = 0.2
LONGEST_S = 600.0


class StreamCap:
    """How many streams may be open at once: each holds a thread, and plain requests need some too."""

    def __init__(self, limit: int) -> None:
        self._free = threading.BoundedSemaphore(limit)

    def answer(self, pieces: Iterator[str]) -> Response:
        """The stream, or 503 when too many are open."""
        if not self._free.acquire(blocking=False):
            return problem(503, "too many streams are open: ask for the draft itself, or come back", code="busy")
        response = Response(pieces, content_type=EVENT_STREAM)
        response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.call_on_close(self._free.release)
        return response


def follow(desk: Desk, draft_id: str, after: int) -> Iterator[str]:
    """Lines of a draft's stream behind the n-th piece, until the draft is finished or ten minutes are over."""
    yield "retry: 1000\n\n"
    with desk.broadcast.watch(draft_id) as watch:
        yield from _follow(desk, draft_id, watch, after)


def _follow(desk: Desk, draft_id: str, watch: Watch, after: int) -> Iterator[str]:
    ends = time.monotonic() + LONGEST_S
    beat = time.monotonic() + BEAT_S
    while time.monotonic() < ends:
        channel = watch.wait(0)
        if channel is not None and not channel.closed:
            row, pieces = None, channel.wait(after, BEAT_S)
        else:
            # The status is read first: what came before it finished is then surely in the pieces.
            row = desk.drafts.get(draft_id)
            pieces = _kept_pieces(desk, draft_id, watch, after, finished=row.status not in UNFINISHED)
        for piece in pieces:
            after = piece.n
            yield show(piece.n, piece.event, piece.data)
        if row is not None and row.status not in UNFINISHED:
            yield _last(row, after + 1)
            return
        if time.monotonic() > beat:
            beat = time.monotonic() + BEAT_S
            yield ": waiting\n\n"


def _kept_pieces(desk: Desk, draft_id: str, watch: Watch, after: int, *, finished: bool) -> list[Piece]:
    """What the store has behind the n-th piece; for an unfinished draft after a short wait for news of it."""
    if not finished and watch.wait(POLL_S) is not None:
        return []
    return list(desk.broadcast.store.after(draft_id, after))


def _last(row: DraftRow, n: int) -> str:
    if row.status == "failed":
        return show(n, "error", {"code": "failed", "detail": row.problem or "the draft failed", "retryable": True})
    return show(n, "done", draft_answer(row))


def show(n: int, event: str, data: Mapping[str, Any]) -> str:
    """One server-sent event."""
    return f"id: {n}\nevent: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def read_last_id(value: str | None) -> int:
    """The number in a `Last-Event-ID`; 0 for none or garbage, which means from the beginning."""
    return whole_number(value) or 0
