"""Pieces of drafts as they are made: in memory for readers of this process, in the store for those who come late.

A channel is open while a draft is being written in this process. Its pieces are flushed to the store now and then and
at its end; a reader elsewhere polls the store, and at once when it is told of news.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from crmplugin.store.pieces import Piece, PieceStore

FLUSH_S = 0.5
"""How often pieces are kept when all readers are in this process."""
FLUSH_TO_OTHERS_S = 0.05
"""How often, when a reader elsewhere waits for them."""


class Stopped(Exception):
    """Somebody stopped this draft while it was being written."""


class Channel:
    """One draft's pieces. `emit` may be called from one thread, `wait` from many."""

    def __init__(self, draft_id: str, store: PieceStore, flush_s: float = FLUSH_S) -> None:
        self._draft_id, self._store, self._flush_s = draft_id, store, flush_s
        self._first = store.last(draft_id)
        self._pieces: list[Piece] = []
        self._flushed = 0
        self._flushed_at = time.monotonic()
        self._changed = threading.Condition()
        self._keeping = threading.Lock()
        self._late: threading.Timer | None = None
        self.closed = False
        self.stopped = False

    def emit(self, event: str, data: Mapping[str, Any]) -> None:
        """Adds a piece and wakes the readers. Raises Stopped after `stop`."""
        if self.stopped:
            raise Stopped(self._draft_id)
        with self._changed:
            self._pieces.append(Piece(self._first + len(self._pieces) + 1, event, data))
            self._changed.notify_all()
        left_s = self._flushed_at + self._flush_s - time.monotonic()
        if self._late is None and (left_s <= 0 or self._flush_s <= FLUSH_TO_OTHERS_S):
            # Not in this thread: it brings an answer that is paid for, and would wait for its turn to write.
            self._late = threading.Timer(max(0.0, left_s), self._flush_late)
            self._late.daemon = True
            self._late.start()

    def flush(self) -> None:
        """Keeps what is not kept yet."""
        with self._keeping:
            new = self._pieces[self._flushed :]
            self._store.add(self._draft_id, new)
            self._flushed += len(new)
            self._flushed_at = time.monotonic()

    def _flush_late(self) -> None:
        """Keeps what is not kept yet, also what was said just before a pause."""
        self._late = None
        with suppress(Exception):  # the end of the channel meets the same fault, and tells of it
            self.flush()

    def close(self) -> None:
        """Keeps everything and tells the readers that no more will come."""
        if self._late:
            self._late.cancel()
        self.flush()
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Makes the writing end at its next piece."""
        self.stopped = True

    def wait(self, after: int, timeout_s: float) -> list[Piece]:
        """The pieces behind the n-th; waits for one if there is none yet and the channel is open."""
        with self._changed:
            if not self._behind(after) and not self.closed:
                self._changed.wait(timeout_s)
            return self._behind(after)

    def wait_closed(self, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.closed, timeout_s)

    def _behind(self, after: int) -> list[Piece]:
        if after < self._first:
            return [*self._earlier(after), *self._pieces]
        return self._pieces[after - self._first :]

    def _earlier(self, after: int) -> list[Piece]:
        """Pieces of an earlier attempt, which only the store has."""
        return [p for p in self._store.after(self._draft_id, after) if p.n <= self._first]


class Broadcast:
    """All channels of this process."""

    def __init__(self, store: PieceStore, *, flush_s: float = FLUSH_S) -> None:
        self.store, self._flush_s = store, flush_s
        self._channels: dict[str, Channel] = {}
        self._watches: dict[str, list[Watch]] = {}
        self._lock = threading.Condition()

    def open(self, draft_id: str) -> Channel:
        """A new channel; readers who asked before see it from its first piece."""
        channel = Channel(draft_id, self.store, self._flush_s)
        with self._lock:
            self._channels[draft_id] = channel
            self._lock.notify_all()
        return channel

    def close(self, draft_id: str) -> None:
        """Ends a channel. Its pieces are in the store from here on."""
        channel = self.find(draft_id)
        if channel is None:
            return
        try:
            channel.close()
        finally:
            with self._lock:
                if self._channels.get(draft_id) is channel:
                    del self._channels[draft_id]

    def find(self, draft_id: str) -> Channel | None:
        with self._lock:
            return self._channels.get(draft_id)

    def watch(self, draft_id: str) -> Watch:
        """A look-out for a draft; use it as a context."""
        return Watch(draft_id, self._channels, self._watches, self._lock)

    def tell(self, draft_id: str) -> None:
        """Wakes who waits for a draft that is written elsewhere."""
        with self._lock:
            for watch in self._watches.get(draft_id, ()):
                watch.told = True
            self._lock.notify_all()

    def stop(self, draft_id: str) -> None:
        """Stops the writing of a draft if it happens in this process."""
        channel = self.find(draft_id)
        if channel is not None:
            channel.stop()

    def wait(self, draft_id: str, timeout_s: float, finished: Callable[[], bool], poll_s: float = 0.1) -> bool:
        """Waits until a draft is finished, here or elsewhere; False when the time was over first."""
        deadline = time.monotonic() + timeout_s
        with self.watch(draft_id) as watch:
            while not finished():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                channel = watch.wait(min(left, poll_s))
                if channel is not None:
                    channel.wait_closed(min(left, 1.0))
        return True


class Watch:
    """One reader's look-out for a draft. News that come while it reads are kept until its next wait, not missed."""

    def __init__(
        self,
        draft_id: str,
        channels: Mapping[str, Channel],
        watches: dict[str, list[Watch]],
        lock: threading.Condition,
    ) -> None:
        self._draft_id, self._channels, self._watches, self._lock = draft_id, channels, watches, lock
        self.told = False

    def __enter__(self) -> Watch:
        with self._lock:
            self._watches.setdefault(self._draft_id, []).append(self)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            others = self._watches[self._draft_id]
            others.remove(self)
            if not others:
                del self._watches[self._draft_id]

    def wait(self, timeout_s: float) -> Channel | None:
        """The draft's channel, waiting a while for one that is about to open, or for news of it from elsewhere."""
        with self._lock:
            self._lock.wait_for(lambda: self._draft_id in self._channels or self.told, timeout_s)
            self.told = False
            return self._channels.get(self._draft_id)
