"""How Pipedrive is tried: before a fake of it with state."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.pipedrive.connector import PipedriveConnector
from crmplugin.domain.crm import Subject
from crmplugin.ports import Services
from tests.connectors.contract import Delivery, World
from tests.connectors.drafts import make_draft
from tests.fakes.pipedrive import TOKEN, FakePipedrive, with_orbis

URL = "https://assist.example.com/webhooks/acme"
AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
OPTIONS = {"api_token": TOKEN, "webhook_user": "pd-hook", "webhook_password": "c0rrect-h0rse"}
BODY = (
    b'{"meta":{"action":"change","entity":"deal","version":"2.0","company_id":7654321,"entity_id":"9001",'
    b'"id":"5b9d2f0a-6d3e-4f3b-9b2c-1f3f5a7c9e10","timestamp":"2026-11-21T09:30:00.123Z","user_id":"11887722",'
    b'"webhook_id":"31007","webhook_owner_id":"11887723","change_source":"app","attempt":1},'
    b'"data":{"id":9001,"stage_id":4},"previous":{"stage_id":3}}'
)


def make_connector(fake: FakePipedrive, **options: Any) -> PipedriveConnector:
    waits: list[float] = []
    # Whoever wants to sleep moves the limiter's clock instead.
    limiter = MemoryLimiter(lambda: time.monotonic() + sum(waits))
    services = Services(limiter, MemoryVault(), clock=lambda: AT, sleep=waits.append)
    return PipedriveConnector("acme", {**OPTIONS, "base_url": fake.url, **options}, services)


class Case:
    SIGNS: ClassVar[frozenset[str]] = frozenset({"secret"})
    """Name and password prove neither the body nor the time."""
    CANNOT: ClassVar[Mapping[str, str]] = {}

    def deliver(self, *, secret: str | None = None, at: datetime | None = None) -> Delivery:
        basic = b64encode(f"pd-hook:{secret or 'c0rrect-h0rse'}".encode()).decode()
        return Delivery(URL, {"Authorization": f"Basic {basic}"}, BODY, at or AT)

    def spoilt(self, delivery: Delivery) -> Delivery:
        return replace(delivery, headers={"Authorization": delivery.headers["Authorization"][:-4]})

    @contextmanager
    def world(self, tmp_path: Path) -> Iterator[World]:
        fake = with_orbis(FakePipedrive())
        fake.page = 2
        fake.put("deals", 9009, title="gone", is_deleted=True)
        with fake.running():
            deal = Subject("deal", "9001")
            yield World(make_connector(fake), deal, Subject("deal", "9009"), make_draft(deal), fake, fake.written)
