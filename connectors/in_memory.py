"""Limits and credentials that live in one process: for commands, tests and a server without other processes."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from math import inf


class MemoryLimiter:
    """`ports.Limiter` as token buckets of this process. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._free_at: dict[str, float] = {}
        self._held_until: dict[str, float] = {}

    def reserve(self, key: str, *, per_second: float, burst: int) -> float:
        """Takes one call out of the bucket and gives back the seconds to wait before making it (0.0: now)."""
        gap = 1.0 / per_second
        with self._lock:
            now = self._clock()
            # The bucket as one number: the moment at which the next call would be due if calls came evenly.
            due = max(self._free_at.get(key, -inf), now - gap * (burst - 1))
            self._free_at[key] = due + gap
            return max(0.0, due - now, self._held_until.get(key, now) - now)

    def hold(self, key: str, seconds: float) -> None:
        """Nobody calls for this long: the other side said so."""
        with self._lock:
            self._held_until[key] = max(self._held_until.get(key, 0.0), self._clock() + seconds)


class MemoryVault:
    """`ports.Vault` in this process: what is renewed is forgotten at the end."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[str, datetime | None]] = {}
        self._locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def get(self, connection: str, name: str) -> tuple[str, datetime | None] | None:
        """The value and when it ends, or None."""
        return self._kept.get((connection, name))

    def put(self, connection: str, name: str, value: str, *, expires_at: datetime | None = None) -> None:
        self._kept[connection, name] = (value, expires_at)

    @contextmanager
    def lock(self, connection: str, name: str) -> Iterator[None]:
        """While it is held nobody else in this process renews this value."""
        with self._locks[connection, name]:
            yield
