"""How Odoo is tried: before a fake of it with state."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.odoo.connector import OdooConnector
from crmplugin.domain.crm import Subject
from crmplugin.ports import Services
from tests.connectors.contract import Delivery, World
from tests.connectors.drafts import make_draft
from tests.fakes.odoo import KEY, FakeOdoo, with_orbis

SECRET = "s3cr3t-in-the-address-of-the-webhook"
PANEL_SECRET = "panel-secret-EXAMPLE"
URL = "https://assist.example.com/webhooks/acme"
AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
OPTIONS = {"database": "crmlab", "api_key": KEY, "webhook_secret": SECRET, "panel_secret": PANEL_SECRET}
BODY = (
    b'{"_action": "Tell crmplugin(#424)", "_id": 9001, "_model": "crm.lead", "active": true, "create_date": '
    b'"2026-11-02 09:00:00", "date_closed": false, "date_last_stage_update": "2026-11-21 09:29:59", "id": 9001, '
    b'"name": "Line 3 controls", "stage_id": 3, "type": "opportunity", "user_id": 777, "won_status": "pending", '
    b'"write_date": "2026-11-21 09:29:59.844380", "write_uid": 2}'
)


def make_connector(fake: FakeOdoo, **options: Any) -> OdooConnector:
    waits: list[float] = []
    # Whoever wants to sleep moves the limiter's clock instead.
    limiter = MemoryLimiter(lambda: time.monotonic() + sum(waits))
    services = Services(limiter, MemoryVault(), clock=lambda: AT, sleep=waits.append)
    return OdooConnector("acme", {**OPTIONS, "base_url": fake.url, **options}, services)


class Case:
    SIGNS: ClassVar[frozenset[str]] = frozenset({"secret"})
    """A secret in an address proves neither the body nor the time."""
    CANNOT: ClassVar[Mapping[str, str]] = {}

    def deliver(self, *, secret: str | None = None, at: datetime | None = None) -> Delivery:
        return Delivery(f"{URL}?token={secret or SECRET}", {"Content-Type": "application/json"}, BODY, at or AT)

    def spoilt(self, delivery: Delivery) -> Delivery:
        return replace(delivery, url=delivery.url[:-1])

    @contextmanager
    def world(self, tmp_path: Path) -> Iterator[World]:
        fake = with_orbis(FakeOdoo())
        fake.page = 2
        with fake.running():
            deal = Subject("deal", "9001")
            yield World(make_connector(fake), deal, Subject("deal", "9009"), make_draft(deal), fake, fake.written)
