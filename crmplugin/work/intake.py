"""Where events go from the moment they are verified until their job is in the engine.

Embedded: the inbox keeps them, and one thread hands them on in batches, in the order in which they came. On
PostgreSQL: one transaction keeps the event and adds its job. Either way a crash in between loses nothing and doubles
nothing, because rows and jobs have ids that come from the event.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crmplugin.domain.crm import COLLECTIONS, SINGLES
from crmplugin.domain.event import EVENT_TYPES, Event
from crmplugin.domain.playbook import PlaybookRow
from crmplugin.errors import CrmPluginError
from crmplugin.journeys.ask import event_job_id
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
PAUSE_AFTER_ERROR_S = 1.0
LOOK_ANYWAY_S = 5.0


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
        with writing(self._jobs.database) as connection:
            for row in settled:
                if row.state == "stored":
                    payload = {"connection": row.connection, "event": row.id}
                    self._jobs.enqueue_in(connection, "event", payload, job_id=event_job_id(row.connection, row.id))
        return new

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
            self._delivery.deliver([_row_of(p.entry) for p in pending])
            self._inbox.forwarded([p.seq for p in pending])
            done = pending[-1].seq
            if len(pending) == BATCH:
                self._stopping.wait(BREATH_S)  # under load acknowledgements come first


class DirectIntake:
    """The way of PostgreSQL: no inbox, the database itself commits for many at once."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def start(self) -> None:
        """Nothing to start."""

    def take(self, events: Sequence[Event]) -> list[bool]:
        unique: dict[tuple[str, str], EventRow] = {}
        for event in events:
            unique.setdefault((event.connection, event.id), _row_of(_entry(event)))
        new = dict(zip(unique, self._delivery.deliver(list(unique.values())), strict=True))
        # Of twins within one call the first is new and the others are its duplicates.
        return [new.pop((event.connection, event.id), False) for event in events]

    def settle(self, timeout_s: float) -> None:
        """Nothing to wait for: what was taken is in the store."""

    def tidy(self) -> None:
        """Nothing to tidy: nothing is kept here."""

    def stop(self) -> None:
        """Nothing to stop."""


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
