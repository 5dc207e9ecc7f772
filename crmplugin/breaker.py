"""A circuit breaker: after repeated failures calls are refused at once, then one probe finds out whether it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES_TO_OPEN = 5
OPEN_FOR_S = 30.0


class Breaker:
    """Counts failures in a row of one endpoint, over all threads of a process."""

    def __init__(self, *, open_for_s: float = OPEN_FOR_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._open_for_s = clock, open_for_s
        self._lock = threading.Lock()
        self.failures = 0
        """In a row, until now."""
        self._open_until = 0.0

    def enter(self) -> float:
        """Seconds until the next try while open, else 0; lets one probe through when the pause is over."""
        with self._lock:
            if self.failures < FAILURES_TO_OPEN:
                return 0.0
            wait_s = self._open_until - self._clock()
            if wait_s > 0:
                return wait_s
            self._open_until = self._clock() + self._open_for_s
            return 0.0

    def succeeded(self) -> None:
        with self._lock:
            self.failures = 0

    def failed(self) -> None:
        with self._lock:
            self.failures += 1
            if self.failures >= FAILURES_TO_OPEN:
                self._open_until = self._clock() + self._open_for_s
