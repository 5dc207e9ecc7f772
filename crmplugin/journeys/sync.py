"""Reading a CRM into the mirror: everything once, then what changed, page by page, with the overlap that clocks need.

Each page is taken whole before the place moves on: records into the mirror, what is gone out of it, and what happened
into the same intake as webhooks, where the same event is one event. A read that ends half-way goes on at its page.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from crmplugin.domain.crm import COLLECTIONS, SINGLES
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.records import check_record
from crmplugin.errors import CrmUnavailable, RecordProblem, StoreError
from crmplugin.journeys.accept_event import SAME_CHANGE
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.fit import LEARNED_FROM, refresh_fit
from crmplugin.ports import Changes
from crmplugin.store.syncs import HELD_FOR, SyncRow

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=5)
"""Read again at each poll: changes become visible late, and two clocks differ."""
BUSY_S = 20.0
KEEP_S = HELD_FOR.total_seconds() / 4
RENEW_AGAIN = timedelta(minutes=1)
LOOK_AGAIN = timedelta(days=1)
"""When a connection is asked again that has nothing to renew."""

COLLECTION_OF: Mapping[str, str] = {
    "deal": "deals", "company": "companies", "contact": "contacts", "ticket": "tickets", "activity": "activities",
    "quote": "quotes", "order": "orders", "contract": "contracts", "product": "products", "line_item": "line_items",
    "stage_change": "stage_changes", "user": "users", "price": "prices",
}  # fmt: skip

Progress = Callable[[int, int | None], None]
"""`progress(done, total)`: records and events so far; total None while nobody knows."""


def quiet(done: int, total: int | None) -> None:
    """A progress for nobody."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a read brought. `refused`: records that broke the format, as collection, id and reason."""

    pages: int = 0
    taken: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    merged: int = 0
    events: int = 0
    refused: tuple[Mapping[str, str], ...] = ()
    up_to: datetime | None = None
    resumed: bool = False


def sync(
    desk: Desk, connection: str, *, since: datetime | None = None, progress: Progress = quiet, keep_s: float = KEEP_S
) -> SyncReport:
    """Pulls a CRM into the mirror: everything the first time, later what changed, or what changed after `since`.

    Reading everything raises no events. A read that was interrupted goes on, unless another one is asked for. Raises
    CrmUnavailable while another process reads it, and what the connector raises.
    """
    whole = since is None and desk.syncs.get(connection).mirrored_at is None
    return _sync(desk, connection, since, whole, progress, keep_s)


def _sync(
    desk: Desk, connection: str, since: datetime | None, whole: bool, progress: Progress, keep_s: float = KEEP_S
) -> SyncReport:
    with _place(desk, connection, keep_s):
        try:
            return _read(desk, _begin(desk, connection, since, whole), progress)
        except Exception as error:
            desk.syncs.note(connection, problem=str(error))
            raise


@contextmanager
def _place(desk: Desk, connection: str, keep_s: float) -> Iterator[None]:
    """The one place for a reader, asked for again each `keep_s` seconds; of a process that died it is soon free."""
    holder, ended = uuid.uuid4().hex, threading.Event()

    def keep() -> None:
        while not ended.wait(keep_s):
            try:
                desk.syncs.hold(connection, holder, now=desk.clock())
            except StoreError as error:
                log.warning(
                    "the place of a reader was not kept", extra={"connection": connection, "reason": error.code}
                )

    if not desk.syncs.hold(connection, holder, now=desk.clock()):
        raise CrmUnavailable(f"{connection} is being read by another process: look again later", BUSY_S)
    keeper = threading.Thread(target=keep, name=f"reader of {connection}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
        desk.syncs.leave(connection, holder)


def poll(desk: Desk, connection: str) -> SyncReport:
    """What changed since the last look. A connection that was never read is looked at from now on.

    After a look that was interrupted and went on here, another one: what it had read may have changed while it stood.
    """
    row = desk.syncs.get(connection)
    if row.up_to is None and not row.under_way:
        desk.syncs.note(connection, up_to=desk.clock())
    report = _sync(desk, connection, None, False, quiet)
    if not report.resumed:
        return report
    again = _sync(desk, connection, None, False, quiet)
    return replace(again, resumed=True, events=report.events + again.events)


def renew(desk: Desk, connection: str) -> datetime | None:
    """Renews what expires (tokens, subscriptions) and keeps when to come again; None: not for a day."""
    now = desk.clock()
    next_at = desk.connector(connection).renew(now=now)
    desk.syncs.note(connection, renew_at=max(next_at, now + RENEW_AGAIN) if next_at else now + LOOK_AGAIN)
    return next_at


def _begin(desk: Desk, connection: str, since: datetime | None, whole: bool) -> SyncRow:
    """The read to go on with, or a new one."""
    row = desk.syncs.get(connection)
    if row.under_way and since is None and (row.whole or not whole):
        return row
    start = None if whole else since or (row.up_to or desk.clock()) - OVERLAP
    fresh = {"since": start, "cursor": None, "whole": whole, "pages": 0, "done": 0, "total": None, "problem": None}
    desk.syncs.note(connection, **fresh, started_at=desk.clock())
    return desk.syncs.get(connection)


def _read(desk: Desk, row: SyncRow, progress: Progress) -> SyncReport:
    report, touched = SyncReport(resumed=row.pages > 0), set[str]()
    connector = desk.connector(row.connection)
    while True:
        page = connector.changes_since(row.since, cursor=row.cursor)
        report = _take(desk, row, page, report)
        touched |= set(page.records)
        row = _move_on(desk, row, page)
        progress(row.done, row.total)
        if page.cursor is None:
            break
    up_to = _finish(desk, row, page.up_to or row.started_at)
    if row.whole and touched & LEARNED_FROM:
        refresh_fit(row.connection, records=desk.records)
    return replace(report, up_to=up_to)


def _finish(desk: Desk, row: SyncRow, up_to: datetime | None) -> datetime | None:
    now = desk.clock()
    ended: dict[str, Any] = {"cursor": None, "finished_at": now, "problem": None}
    if row.whole:
        # What happened since the last poll was read without its events: the next one tells them.
        up_to, ended["mirrored_at"] = row.up_to or up_to, now
    desk.syncs.note(row.connection, **ended, up_to=up_to)
    return up_to


def _move_on(desk: Desk, row: SyncRow, page: Changes) -> SyncRow:
    done = row.done + sum(len(found) for found in _lists(page.records)) + len(page.deleted) + len(page.merged)
    changes: dict[str, Any] = {
        "cursor": page.cursor,
        "pages": row.pages + 1,
        "done": done,
        "total": page.total or row.total,
    }
    desk.syncs.note(row.connection, **changes)
    return replace(row, **changes)


def _lists(records: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    return (found if isinstance(found, (list, tuple)) else (found,) for found in records.values())


def _take(desk: Desk, row: SyncRow, page: Changes, report: SyncReport) -> SyncReport:
    good, refused = _checked(page.records)
    counts = desk.records.upsert_many(row.connection, good)
    deleted = sum(_forget(desk, row.connection, gone) for gone in page.deleted)
    # The one that was kept comes as a changed record of its own.
    merged = sum(_forget(desk, row.connection, lost) for lost, _ in page.merged)
    new = () if row.whole else _news(desk, row.connection, page)
    taken = sum(desk.intake.take(new)) if new else 0
    return replace(
        report,
        pages=report.pages + 1,
        taken=report.taken + counts.taken,
        updated=report.updated + counts.updated,
        unchanged=report.unchanged + counts.unchanged,
        deleted=report.deleted + deleted,
        merged=report.merged + merged,
        events=report.events + taken,
        refused=(*report.refused, *refused),
    )


def _checked(records: Mapping[str, Any]) -> tuple[list[tuple[str, Any]], list[Mapping[str, str]]]:
    """The records that keep the format, in an order in which nothing is missing, and what is wrong with the others."""
    good: list[tuple[str, Any]] = []
    refused: list[Mapping[str, str]] = []
    for name in (*SINGLES, *COLLECTIONS):
        found = records.get(name, ())
        for document in (found,) if name in SINGLES and found else found:
            try:
                good.append((name, check_record(name, dict(document))))
            except RecordProblem as problem:
                refused.append({"collection": name, "id": str(document.get("id")), "reason": str(problem)})
    return good, refused


def _forget(desk: Desk, connection: str, gone: ObjectRef) -> bool:
    collection = COLLECTION_OF.get(gone.type)
    return collection is not None and desk.records.delete(connection, collection, gone.id)


def _news(desk: Desk, connection: str, page: Changes) -> tuple[Event, ...]:
    """The events of a page, and those of what is gone, without those that a webhook has told already."""
    now = desk.clock()
    named = {(e.type, e.object) for e in page.events}
    gone = [Event(_gone_id("deleted", ref), connection, "record.deleted", now, ref) for ref in page.deleted]
    gone += [Event(_gone_id("merged", ref), connection, "record.merged", now, ref) for ref, _ in page.merged]
    every = [*page.events, *(event for event in gone if (event.type, event.object) not in named)]
    dated = [replace(event, received_at=event.received_at or now) for event in every]
    known = desk.events.told(connection, [e for e in dated if e.object], within=SAME_CHANGE)
    return tuple(event for event in dated if event.id not in known)


def _gone_id(how: str, ref: ObjectRef) -> str:
    return f"{how}:{ref.type}:{ref.id}"
