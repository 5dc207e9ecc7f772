"""Where events go from the moment they are verified until their job is in the engine.

Embedded: the inbox keeps them, and one thread hands them on in batches, in the order in which they came. On
PostgreSQL: one transaction keeps the events of all requests that wait, and their jobs are added right after. Either way
a crash in between loses nothing and doubles nothing, because rows and jobs have ids that come from the event.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crmplugin.domain.crm import COLLECTIONS, SINGLES
from crmplugin.domain.event import EVENT_TYPES, Event
from crmplugin.domain.playbook import PlaybookRow
from crmplugin.errors import CrmPluginError
from crmplugin.journeys.calling_off import calls_off
from crmplugin.journeys.desk import event_document
from crmplugin.journeys.playbooks import has_row
from crmplugin.store.events import EventRow, EventStore
from crmplugin.store.guard import writing
from crmplugin.store.inbox import Entry, Inbox
from crmplugin.store.records import RecordStore
from crmplugin.work.engine import JobEngine

log = logging.getLogger(__name__)

BATCH = 100
BREATH_S = 0.02
REST, LONGEST_REST_S = 4.0, 1.0
"""After a full batch acknowledgements come first, for this many times as long as it took."""
PATIENCE = timedelta(seconds=5)
"""An event that has waited for so long is not made to wait for others' acknowledgements."""
PAUSE_AFTER_ERROR_S = 1.0
LOOK_ANYWAY_S = 5.0
KEEP_TIMEOUT_S = 30.0


class Delivery:
    """Hands events on: their records into the store, then their rows, then their jobs."""

    def __init__(
        self, records: RecordStore, events: EventStore, jobs: JobEngine, own_rows: Sequence[PlaybookRow] = ()
    ) -> None:
        self._records, self._events, self._jobs, self._own = records, events, jobs, own_rows

    def deliver(self, rows: Sequence[EventRow]) -> list[bool]:
        """All of them, in order; gives back which events were new. May be done again after a crash in its middle.

        An event that no playbook row names is settled here and gets no job.
        """
        known = self._known(rows)
        settled = [self._settle(row, known.get((row.connection, row.id))) for row in rows]
        new = self._events.add(settled)
        self.forward([row for row in settled if row.state == "stored"])
        return new

    def keep(self, rows: Sequence[EventRow]) -> list[EventRow]:
        """Keeps events, each once in `rows`, and gives back the new ones; their jobs are still to be added."""
        known = self._known([row for row in rows if row.document.get("records")])
        settled = [self._settle(row, known.get((row.connection, row.id))) for row in rows]
        new = self._events.add(settled)
        return [row for row, is_new in zip(settled, new, strict=True) if is_new]

    def forward(self, rows: Sequence[EventRow]) -> None:
        """Adds the jobs of kept events; those that are there already stay as they are."""
        if not rows:
            return
        with writing(self._jobs.database) as connection:
            self._jobs.enqueue_events(connection, [(row.connection, row.id) for row in rows])

    def _settle(self, row: EventRow, state: str | None) -> EventRow:
        """The row with its state; one that is there already keeps what became of it."""
        return self._upsert(self._sort(row)) if state is None else replace(row, state=state)

    def _sort(self, row: EventRow) -> EventRow:
        if row.type not in EVENT_TYPES:
            return replace(row, state="ignored", reason=f"unknown_event: {row.type}")
        if row.document.get("echo"):
            return replace(row, state="ignored", reason="echo: our own write-back made it")
        if not has_row(row.type, self._own) and not calls_off(row.type):
            return replace(row, state="ignored", reason=f"no_playbook: no row asks for a draft on {row.type}")
        return row

    def _known(self, rows: Sequence[EventRow]) -> dict[tuple[str, str], str]:
        names = {row.connection for row in rows}
        ids = {name: [row.id for row in rows if row.connection == name] for name in names}
        return {(name, id_): state for name in names for id_, state in self._events.known(name, ids[name]).items()}

    def _upsert(self, row: EventRow) -> EventRow:
        """The event after its records are in the store, in the order in which events came."""
        batch = list(_documents(row.document.get("records") or {}))
        if not batch:
            return row
        try:
            self._records.upsert_many(row.connection, batch)
        except CrmPluginError as error:
            if error.retryable:
                raise
            return replace(row, state="ignored", reason=f"bad_records: {error}")
        return row


class InboxIntake:
    """The embedded way: an inbox and one forwarding thread."""

    def __init__(self, inbox: Inbox, delivery: Delivery) -> None:
        self._inbox, self._delivery = inbox, delivery
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._forward, name="inbox-forwarder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, events: Sequence[Event]) -> list[bool]:
        """Keeps events; when this returns they are on disk. Gives back which were new."""
        return self._inbox.put(_entry(event) for event in events)

    def settle(self, timeout_s: float) -> None:
        """Waits until the inbox is empty, or the time is over."""
        deadline = time.monotonic() + timeout_s
        while self._inbox.pending(1) and time.monotonic() < deadline:
            time.sleep(0.01)

    def tidy(self) -> None:
        self._inbox.tidy()

    def stop(self) -> None:
        self._stopping.set()
        self._inbox.arrived.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._inbox.close()

    def _forward(self) -> None:
        while not self._stopping.is_set():
            self._inbox.arrived.wait(LOOK_ANYWAY_S)
            self._inbox.arrived.clear()
            try:
                self._forward_all()
            except Exception:
                # The entries are still pending: whatever was wrong, they are handed on later.
                log.exception("events could not be handed on; trying again")
                self._stopping.wait(PAUSE_AFTER_ERROR_S)
                self._inbox.arrived.set()

    def _forward_all(self) -> None:
        done = 0
        while not self._stopping.is_set():
            # What was handed on stays pending until the writer has noted it, so what was seen before is left out.
            pending = self._inbox.pending(BATCH, after=done)
            if not pending:
                return
            began = time.monotonic()
            self._delivery.deliver([_row_of(p.entry) for p in pending])
            self._inbox.forwarded([p.seq for p in pending])
            done = pending[-1].seq
            if len(pending) == BATCH:
                self._stopping.wait(_breath_s(time.monotonic() - began, pending[0].entry.received_at))


@dataclass(slots=True)
class _Taking:
    """The events of one request on their way into the database."""

    rows: list[EventRow]
    answer: Future[list[bool]] = field(default_factory=Future)


class DirectIntake:
    """The way of PostgreSQL: the events table is the inbox.

    One thread keeps the events of all requests that wait in one transaction; another adds their jobs afterwards. What a
    crash leaves without a job gets one by the sweep of any process.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._taking: queue.SimpleQueue[_Taking | None] = queue.SimpleQueue()
        self._kept: queue.SimpleQueue[list[EventRow] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in ((self._keep, "intake-keeper"), (self._forward, "intake-forwarder"))
        ]
        for thread in self._threads:
            thread.start()

    def start(self) -> None:
        """Started already: whoever takes an event in wants it kept."""

    def take(self, events: Sequence[Event]) -> list[bool]:
        """Keeps events; when this returns they are committed. Gives back which were new. Raises StoreError."""
        unique: dict[tuple[str, str], EventRow] = {}
        for event in events:
            unique.setdefault((event.connection, event.id), _row_of(_entry(event)))
        taking = _Taking(list(unique.values()))
        self._taking.put(taking)
        new = dict(zip(unique, taking.answer.result(timeout=KEEP_TIMEOUT_S), strict=True))
        # Of twins within one call the first is new and the others are its duplicates.
        return [new.pop((event.connection, event.id), False) for event in events]

    def settle(self, timeout_s: float) -> None:
        """Nothing to wait for: what was taken is in the store."""

    def tidy(self) -> None:
        """Nothing to overwrite: the store's own tidying covers it."""

    def stop(self) -> None:
        """Keeps and hands on what was taken so far."""
        self._taking.put(None)
        self._threads[0].join(timeout=10)
        self._kept.put(None)
        self._threads[1].join(timeout=10)

    def _keep(self) -> None:
        while (first := self._taking.get()) is not None:
            waiting, last = [first], False
            while len(waiting) < BATCH and not self._taking.empty():
                more = self._taking.get()
                if more is None:
                    last = True
                    break
                waiting.append(more)
            self._keep_all(waiting)
            if last:
                return

    def _keep_all(self, waiting: Sequence[_Taking]) -> None:
        rows = {(row.connection, row.id): row for taking in reversed(waiting) for row in reversed(taking.rows)}
        try:
            kept = self._delivery.keep(list(rows.values()))
        except Exception as error:
            log.exception("events could not be kept")
            if len(waiting) == 1:
                waiting[0].answer.set_exception(error)
            for alone in waiting if len(waiting) > 1 else ():  # one bad event refuses nobody else's
                self._keep_all([alone])
            return
        new = {(row.connection, row.id) for row in kept}
        for taking in waiting:
            taking.answer.set_result([_take_out(new, row) for row in taking.rows])
        self._kept.put([row for row in kept if row.state == "stored"])

    def _forward(self) -> None:
        while (rows := self._kept.get()) is not None:
            began = time.monotonic()
            try:
                self._delivery.forward(rows)
            except Exception:
                log.exception("jobs of events could not be added; a sweep adds them")
            if rows and not self._kept.empty():
                time.sleep(_breath_s(time.monotonic() - began, rows[0].received_at))


def _take_out(new: set[tuple[str, str]], row: EventRow) -> bool:
    """Whether a row is new; only the first of twins in one batch is."""
    key = (row.connection, row.id)
    if key in new:
        new.discard(key)
        return True
    return False


def _breath_s(took_s: float, oldest: datetime) -> float:
    """How long a forwarder lets acknowledgements go first."""
    if datetime.now(UTC) - oldest > PATIENCE:
        return BREATH_S
    return min(LONGEST_REST_S, max(BREATH_S, REST * took_s))


def _entry(event: Event) -> Entry:
    assert event.received_at is not None, "a connector says when it received an event"
    document = {"type": event.type, **event_document(event)}
    return Entry(event.connection, event.id, event.received_at, document)


def _row_of(entry: Entry) -> EventRow:
    document = dict(entry.document)
    type_ = document.pop("type")
    at = datetime.fromisoformat(document["at"]) if document.get("at") else None
    return EventRow(entry.connection, entry.id, type_, "stored", entry.received_at, document, at=at)


def _documents(records: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The records of an event as (collection, document), singles first."""
    for name in (*SINGLES, *COLLECTIONS):
        if name not in records:
            continue
        for document in [records[name]] if name in SINGLES else records[name]:
            yield name, document
