"""Workers that never come back: each holds a lease, and whoever is at work takes over the jobs of those that ran out.

A worker that was frozen may wake after its jobs were given to others. The engine refuses to keep what it then says of
them; and before a CRM is written to, `check_lease` refuses too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection

from crmplugin.errors import CrmPluginError
from crmplugin.meters import REAPS
from crmplugin.store.leases import LeaseStore

log = logging.getLogger(__name__)

TTL_S = 5.0
RENEW_S = 1.0
"""A lease is renewed, and others are looked at, this often."""


class LeaseLost(CrmPluginError):
    """This process stood still for so long that its jobs may be done by another; they are tried again."""

    code = "lease_lost"
    retryable = True


class NoLease:
    """The embedded way: the lock on `var/` says that nobody else is at work."""

    def renew(self) -> None:
        """Nothing to renew."""

    def start(self) -> None:
        """Nothing to start."""

    def check(self) -> None:
        """Always good."""

    def stop(self) -> None:
        """Nothing to stop."""


class LeaseKeeper:
    """Renews this process's lease in a thread of its own, and reaps. `take_over` gets processes that are gone."""

    def __init__(
        self,
        store: LeaseStore,
        executor: str,
        *,
        version: str,
        holders: Callable[[], Collection[str]],
        take_over: Callable[[Collection[str], Collection[str]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._me, self._version = store, executor, version
        self._holders, self._take_over, self._clock = holders, take_over, clock
        self._renewed_at = self._unbroken_since = -TTL_S
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def renew(self) -> None:
        """Renews once; the first time before any job is taken. Raises StoreError."""
        asked_at = self._clock()
        self._store.renew(self._me, version=self._version, ttl_s=TTL_S)
        if asked_at - self._renewed_at > TTL_S:
            self._unbroken_since = asked_at
        # Counted from before the question, so that we never think that we hold it for longer than others do.
        self._renewed_at = asked_at

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        """Raises LeaseLost when others may have taken over the jobs of this process."""
        if self._clock() - self._renewed_at > TTL_S:
            raise LeaseLost("this process stood still and its jobs may be with another: trying again")

    def stop(self) -> None:
        """Ends the lease; what is still running may then be taken over at once."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=TTL_S)
        try:
            self._store.release([self._me])
        except CrmPluginError as error:
            log.warning("the lease runs out by itself", extra={"problem": str(error)})

    def reap(self) -> None:
        """Takes over from processes that hold jobs but no lease.

        Not while we ourselves had no answer from the database for as long as a lease lasts: nobody else had one.
        """
        if self._renewed_at - self._unbroken_since < TTL_S:
            return
        alive = self._store.alive()
        gone = sorted(set(self._holders()) - set(alive))
        self._take_over(gone, set(alive.values()))
        if gone:
            self._store.bury(gone)
            REAPS.inc(len(gone))
            log.warning("jobs of processes that are gone were taken over", extra={"executors": gone})

    def _run(self) -> None:
        while not self._stopping.wait(RENEW_S):
            try:
                self.renew()
                self.reap()
            except Exception:
                log.exception("the lease could not be renewed; trying again")
