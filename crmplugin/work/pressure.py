"""Saying no before it is too late: a disk or memory that is nearly full refuses new work, and keeps what was taken."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from crmplugin.errors import Overloaded
from crmplugin.meters import REFUSALS

LOOK_EVERY_S = 0.5
LEAST_FREE_DISK = 24 * 2**20
LEAST_FREE_MEMORY = 48 * 2**20
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


class Pressure:
    """Looks twice a second at most. Calling it raises Overloaded while there is too little room."""

    def __init__(
        self,
        folder: Path,
        *,
        free_disk: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
        free_memory: Callable[[], int | None] = lambda: free_memory(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._disk, self._memory, self._clock = folder, free_disk, free_memory, clock
        self._lock = threading.Lock()
        self._looked_at = -LOOK_EVERY_S
        self._short: tuple[str, str] | None = None

    def __call__(self) -> None:
        """Raises Overloaded when disk or memory is short."""
        with self._lock:
            if self._clock() - self._looked_at >= LOOK_EVERY_S:
                self._short, self._looked_at = self._look(), self._clock()
            short = self._short
        if short is not None:
            REFUSALS.labels(short[0]).inc()
            raise Overloaded(short[1])

    def _look(self) -> tuple[str, str] | None:
        disk = self._disk(self._folder)
        if disk < LEAST_FREE_DISK:
            return "disk", f"only {disk // 2**20} MB are free under {self._folder}: make room, then send it again"
        memory = self._memory()
        if memory is not None and memory < LEAST_FREE_MEMORY:
            return "memory", f"only {memory // 2**20} MB of memory are free: give more, then send it again"
        return None


def free_memory(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Bytes that can be had, of the machine and of the container, whichever is less; None when nobody says."""
    found = [free for free in (_of_machine(meminfo), _of_container(cgroup)) if free is not None]
    return min(found, default=None)


def _of_machine(meminfo: Path) -> int | None:
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _of_container(cgroup: Path) -> int | None:
    try:
        most, now = (cgroup / "memory.max").read_text().strip(), int((cgroup / "memory.current").read_text())
        reclaimable = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return None if most == "max" else int(most) - now + int(reclaimable.get("inactive_file", 0))
