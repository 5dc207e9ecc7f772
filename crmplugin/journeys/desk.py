"""What the journeys of a running server share: its stores, its tools per connection, its jobs and its streams."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from crmplugin.domain.event import Event
from crmplugin.journeys.broadcast import Broadcast
from crmplugin.journeys.draft import Tools
from crmplugin.ports import Connector, Jobs
from crmplugin.settings import Settings
from crmplugin.store.access import AccessStore
from crmplugin.store.account_fits import FitStore
from crmplugin.store.audit import AuditLog
from crmplugin.store.campaigns import CampaignStore
from crmplugin.store.drafts import DraftStore
from crmplugin.store.erase import Eraser
from crmplugin.store.events import EventStore
from crmplugin.store.figures import Figures
from crmplugin.store.idempotency import IdempotencyKeys
from crmplugin.store.ledger import Ledger
from crmplugin.store.records import RecordStore
from crmplugin.store.related import RelatedRecords
from crmplugin.store.retention import Keeper
from crmplugin.store.spending import SpendingBook
from crmplugin.store.style_sheets import StyleStore
from crmplugin.store.syncs import SyncStore
from crmplugin.store.waits import Waits

PRIORITIES: Mapping[str, int] = {"click": 1, "api": 1, "event": 10, "campaign": 30}
"""Smaller goes first."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as people see it: its attempts are one job. `next_at`: when it will be tried again."""

    id: str
    kind: str
    state: str
    connection: str | None = None
    event: str | None = None
    draft: str | None = None
    wait_reason: str | None = None
    attempts: int = 1
    next_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to do: jobs by state, the age of the oldest that waits for its turn, workers' leases."""

    jobs: Mapping[str, int]
    oldest_s: float
    leases: int
    leases_run_out: int


class JobBoard(Jobs, Protocol):
    """Jobs, and looking at them."""

    def find(self, job_id: str) -> Job | None: ...

    def list(self, *, limit: int, cursor: str | None, state: str | None) -> tuple[Sequence[Job], str | None]:
        """Jobs, newest first, and the cursor for the next ones."""
        ...

    def retry(self, job_id: str) -> Job:
        """Runs a dead or cancelled job again. Raises NotFound or StateConflict."""
        ...

    def forget(self, drafts: Collection[str], clean: Callable[[str], str], marks: Collection[str]) -> int:
        """Takes what names a person out of what is remembered of jobs: all that these drafts' jobs gave, and every
        mark elsewhere; gives back how many values changed."""
        ...

    def tidy(self) -> None:
        """Overwrites what deleted rows left behind."""
        ...

    def healthy(self) -> bool: ...

    def load(self) -> Load: ...

    def take_up_dropped(self) -> int:
        """Begins anew what this process holds and does not do; gives back how many jobs that were."""
        ...


class Intake(Protocol):
    """Where events are safe from the moment `take` returns."""

    def take(self, events: Sequence[Event]) -> list[bool]:
        """Keeps events and gives back which were new. Raises StoreError, and then none was kept."""
        ...

    def settle(self, timeout_s: float) -> None:
        """Waits until what was taken so far can be seen in the store, or the time is over."""
        ...

    def tidy(self) -> None:
        """Overwrites what was handed on and is kept here no more."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """One server's journeys stand around this desk. All of it may be used by many threads at once."""

    settings: Settings
    tools: Callable[[str], Tools]
    connector: Callable[[str], Connector]
    records: RecordStore
    fits: FitStore
    drafts: DraftStore
    audit: AuditLog
    figures: Figures
    eraser: Eraser
    waits: Waits
    events: EventStore
    ledger: Ledger
    campaigns: CampaignStore
    styles: StyleStore
    syncs: SyncStore
    related: RelatedRecords
    keys: IdempotencyKeys
    spending: SpendingBook
    keeper: Keeper
    access: AccessStore
    broadcast: Broadcast
    jobs: JobBoard
    intake: Intake
    ping: Callable[[], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pressure: Callable[[], None] = lambda: None
    """Raises Overloaded when nothing new should be taken."""
    check_lease: Callable[[], None] = lambda: None
    """Raises when this process stood still for so long that others may do its jobs."""


def event_document(event: Event) -> dict[str, Any]:
    """An event as it is stored."""
    return {
        "at": event.at.isoformat(),
        "object": {"type": event.object.type, "id": event.object.id} if event.object else None,
        "records": dict(event.records),
        "echo": event.echo,
        "raw": event.raw,
    }
