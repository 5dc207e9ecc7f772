"""What falls due by the clock: a look at each CRM, renewals, the sweep of a day. One job each, however many ask for it.

The job's id holds the moment it is for, so that every process may look at the clock and none has to be the leader. A
clock that jumps, a night of 23 or 25 hours or a restart makes no second one.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.journeys.desk import Desk
from crmplugin.journeys.occasions import local_day
from crmplugin.settings import ConnectionSettings

POLL_MINUTES = 5
FIT_MINUTES = 15
NIGHT_HOURS = range(2, 5)
"""Hours of the seller's clock in which everything is learned anew."""
POLL_PRIORITY, DAILY_PRIORITY = 20, 40


class Upkeep:
    """Adds the jobs that are due. Remembers what it added, so that it does not ask the engine each time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._added: dict[tuple[str, str], str] = {}
        self._fitted: dict[str, tuple[str, int]] = {}

    def tick(self) -> None:
        """Looks at the clock once."""
        now = self._desk.clock()
        for connection in self._desk.settings.connections.values():
            self._sweep(connection.name, now)
            self._fit(connection.name, now)
            if connection.crm != "local":
                self._renew(connection.name, now)
                self._poll(connection, now)

    def _sweep(self, name: str, now: datetime) -> None:
        day: date | None = local_day(now, self._desk.records.seller(name).timezone)
        if day is not None:
            self._add("sweep", name, day.isoformat(), DAILY_PRIORITY, day=day.isoformat())

    def _fit(self, name: str, now: datetime) -> None:
        """Learns from new orders, at most every quarter of an hour, and at night from all of them."""
        slot = str(int(now.timestamp()) // (60 * FIT_MINUTES))
        known, revision = self._fitted.get(name, ("", 0)), self._desk.fits.orders_revision(name)
        if revision != known[1] and slot != known[0]:
            self._add("fit", name, slot, DAILY_PRIORITY)
            self._fitted[name] = slot, revision
        local = now.astimezone(ZoneInfo(self._desk.records.seller(name).timezone or "UTC"))
        if revision and local.hour in NIGHT_HOURS:
            self._add("fit", name, f"night-{local.date().isoformat()}", DAILY_PRIORITY, nightly=True)

    def _poll(self, connection: ConnectionSettings, now: datetime) -> None:
        every_s = 60 * int(connection.options.get("poll_minutes") or POLL_MINUTES)
        self._add("poll", connection.name, str(int(now.timestamp()) // every_s * every_s), POLL_PRIORITY)

    def _renew(self, name: str, now: datetime) -> None:
        due = self._desk.syncs.get(name).renew_at
        if due is None or due <= now:
            slot = due.isoformat() if due else f"first-{now.date().isoformat()}"
            self._add("renew", name, slot, POLL_PRIORITY)

    def _add(self, kind: str, name: str, slot: str, priority: int, **more: Any) -> None:
        if self._added.get((kind, name)) == slot:
            return
        payload = {"connection": name, **more}
        self._desk.jobs.enqueue(kind, payload, job_id=f"{kind}/{name}/{slot}", priority=priority)
        self._added[kind, name] = slot
