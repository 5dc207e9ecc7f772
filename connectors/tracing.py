"""Counts the calls that a piece of work makes to a CRM, and how many of them had to wait for one another.

A round is a call, or calls that ran beside each other; a page that needs the page before it is a round of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it was sent; `path` without its query, `status` None when no answer came."""

    method: str
    path: str
    status: int | None
    ms: int


@dataclass(slots=True)
class Trace:
    """`rounds` is the length of the longest chain of calls that waited for one another."""

    calls: list[Call] = field(default_factory=list)
    rounds: int = 0

    def add(self, call: Call) -> None:
        self.calls.append(call)
        self.rounds += 1

    def join(self, branches: list[Trace]) -> None:
        """Takes in what ran beside each other: all calls, and the longest chain."""
        for branch in branches:
            self.calls.extend(branch.calls)
        self.rounds += max((branch.rounds for branch in branches), default=0)


_current: ContextVar[Trace | None] = ContextVar("crm_trace", default=None)


@contextmanager
def traced() -> Iterator[Trace]:
    """Collects the calls made inside, of this thread and of those that the transport starts for it."""
    trace = Trace()
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def record(call: Call) -> None:
    """Adds a call to the trace of this context, if there is one."""
    trace = _current.get()
    if trace is not None:
        trace.add(call)


def join(branches: list[Trace]) -> None:
    """Adds branches to the trace of this context, if there is one."""
    trace = _current.get()
    if trace is not None:
        trace.join(branches)
