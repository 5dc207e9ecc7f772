"""Chains the rows of the audit soon after they were added. Any number of processes may do it."""

from __future__ import annotations

import logging
import threading

from crmplugin.store.audit import AuditLog

log = logging.getLogger(__name__)

EVERY_S = 1.0


class Sealer:
    """A thread that looks every second, and once more at the end."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-sealer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        last = False
        while not last:
            last = self._stopping.wait(EVERY_S)
            try:
                self._audit.seal_chain()
            except Exception:
                log.exception("the audit could not be chained; the next look comes in %s s", EVERY_S)
