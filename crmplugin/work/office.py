"""A server process: desk, engine, intake and sweeper, opened and closed together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Protocol

from sqlalchemy import Engine, text

from crmplugin.journeys.broadcast import FLUSH_S, FLUSH_TO_OTHERS_S, Broadcast
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.draft import Tools
from crmplugin.journeys.telling import tell_settings
from crmplugin.ports import Connector
from crmplugin.settings import Settings
from crmplugin.store.access import AccessStore
from crmplugin.store.account_fits import FitStore
from crmplugin.store.audit import AuditLog
from crmplugin.store.campaigns import CampaignStore
from crmplugin.store.drafts import DraftStore
from crmplugin.store.erase import Eraser
from crmplugin.store.events import EventStore
from crmplugin.store.figures import Figures
from crmplugin.store.guard import reading
from crmplugin.store.idempotency import IdempotencyKeys
from crmplugin.store.inbox import Inbox
from crmplugin.store.ledger import Ledger
from crmplugin.store.pieces import PieceListener, PieceStore
from crmplugin.store.records import RecordStore
from crmplugin.store.related import RelatedRecords
from crmplugin.store.retention import Keeper
from crmplugin.store.spending import SpendingBook
from crmplugin.store.style_sheets import StyleStore
from crmplugin.store.syncs import SyncStore
from crmplugin.store.waits import Waits
from crmplugin.work.engine import JobEngine, Queues
from crmplugin.work.intake import Delivery, DirectIntake, InboxIntake
from crmplugin.work.pressure import Pressure
from crmplugin.work.sealer import Sealer
from crmplugin.work.sweeps import Sweeper


class House(Protocol):
    """What wiring gives: the settings, the database, and who stands behind each port."""

    settings: Settings
    engine: Engine
    records: RecordStore

    @property
    def audit(self) -> AuditLog: ...

    @property
    def spending(self) -> SpendingBook: ...

    @property
    def eraser(self) -> Eraser: ...

    def tools(self, name: str) -> Tools: ...

    def connector(self, name: str) -> Connector: ...

    def close(self) -> None: ...


class Office:
    """Opened once per process. Without `work` it leaves the jobs to others; without `take` the forwarding of events."""

    def __init__(
        self,
        house: House,
        *,
        work: bool = True,
        take: bool = True,
        queues: Sequence[str] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._house = house
        self.jobs = JobEngine(house.settings)
        self._intake = _open_intake(house, self.jobs)
        self.desk = _desk(house, self.jobs, self._intake, clock)
        self._sweeper = Sweeper(self.desk)
        self._sealer = Sealer(house.audit)
        if work:
            embedded = take and house.engine.dialect.name == "sqlite"
            self.jobs.launch(self.desk, queues=queues or tuple(Queues.POLL_S), takes_clicks=embedded)
            self._sweeper.start()
        # One process with one SQLite file has nobody elsewhere to hear from.
        shared = house.engine.dialect.name != "sqlite"
        self._listener = PieceListener(house.engine, self.desk.broadcast.tell) if take and shared else None
        self._sealer.start()
        if work or take:
            tell_settings(house.audit, house.settings.digests, at=clock())
        if take:
            self._intake.start()
        if self._listener:
            self._listener.start()

    def close(self) -> bool:
        """Stops taking and doing, in that order. Nothing is lost that was acknowledged.

        False when jobs still run, which are another's from now on: then the process has to end at once.
        """
        self.jobs.ask_no_more()
        self._sweeper.stop()
        self._sealer.stop()
        self._intake.stop()
        if self._listener:
            self._listener.stop()
        ended = self.jobs.stop()
        self._house.close()
        return ended


def _open_intake(house: House, jobs: JobEngine) -> InboxIntake | DirectIntake:
    delivery = Delivery(house.records, EventStore(house.engine), jobs, house.settings.playbooks)
    if house.engine.dialect.name == "sqlite":
        return InboxIntake(Inbox(house.settings.var / "inbox.sqlite"), delivery)
    return DirectIntake(delivery)


def _desk(house: House, jobs: JobEngine, intake: InboxIntake | DirectIntake, clock: Callable[[], datetime]) -> Desk:
    engine = house.engine
    embedded = engine.dialect.name == "sqlite"
    return Desk(
        settings=house.settings,
        tools=cache(house.tools),
        connector=cache(house.connector),
        records=house.records,
        fits=FitStore(engine),
        drafts=DraftStore(engine, house.audit),
        audit=house.audit,
        figures=Figures(engine),
        eraser=house.eraser,
        waits=Waits(engine),
        events=EventStore(engine),
        ledger=Ledger(engine),
        campaigns=CampaignStore(engine),
        styles=StyleStore(engine),
        syncs=SyncStore(engine),
        related=RelatedRecords(engine),
        keys=IdempotencyKeys(engine),
        spending=house.spending,
        keeper=Keeper(engine, house.audit, house.settings.retention),
        access=AccessStore(engine, house.audit),
        broadcast=Broadcast(PieceStore(engine), flush_s=FLUSH_S if embedded else FLUSH_TO_OTHERS_S),
        jobs=jobs,
        intake=intake,
        ping=lambda: _ping(engine),
        clock=clock,
        pressure=Pressure(house.settings.var),
        check_lease=jobs.check_lease,
    )


def _ping(engine: Engine) -> None:
    """Raises StoreError when the database does not answer."""
    with reading(engine) as connection:
        connection.execute(text("SELECT 1"))
