"""A circuit breaker: after repeated failures calls are refused at once, then one probe finds out whether it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from crmplugin.errors import ModelUnavailable

FAILURES_TO_OPEN = 5
OPEN_FOR_S = 30.0


class Breaker:
    """Counts failures in a row of one endpoint, over all threads of a process."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def enter(self) -> None:
        """Raises ModelUnavailable while open; lets one probe through when the pause is over."""
        with self._lock:
            if self._failures < FAILURES_TO_OPEN:
                return
            wait_s = self._open_until - self._clock()
            if wait_s > 0:
                raise ModelUnavailable(f"the model failed {self._failures} times in a row; next try in {wait_s:.0f} s")
            self._open_until = self._clock() + OPEN_FOR_S

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES_TO_OPEN:
                self._open_until = self._clock() + OPEN_FOR_S
