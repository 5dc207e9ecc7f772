"""How HubSpot is tried: before a fake of it with state."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.verify import sign_v3
from connectors.in_memory import MemoryLimiter, MemoryVault
from crmplugin.domain.crm import Subject
from crmplugin.ports import Services
from tests.connectors.contract import Delivery, World
from tests.connectors.drafts import make_draft
from tests.fakes.hubspot import TOKEN, FakeHubSpot, with_orbis

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URL = "https://assist.example.com/webhooks/hubspot"
AT = datetime.fromtimestamp(1795000000.456, UTC)
BODY = (
    b'[{"eventId":3181526809,"subscriptionId":2841,"portalId":62515,"appId":54321,"occurredAt":1795000000123,'
    b'"subscriptionType":"object.propertyChange","attemptNumber":0,"objectId":9001,"objectTypeId":"0-3",'
    b'"propertyName":"dealstage","propertyValue":"presentationscheduled","changeSource":"CRM_UI",'
    b'"sourceId":"userId:777"}]'
)


def make_connector(fake: FakeHubSpot, **options: Any) -> HubSpotConnector:
    given = {"base_url": fake.url, "client_secret": SECRET, "access_token": TOKEN, "portal_id": "62515"}
    waits: list[float] = []
    # Whoever wants to sleep moves the limiter's clock instead.
    services = Services(
        MemoryLimiter(lambda: time.monotonic() + sum(waits)), MemoryVault(), clock=lambda: AT, sleep=waits.append
    )
    return HubSpotConnector("acme", given | options, services)


class Case:
    SIGNS: ClassVar[frozenset[str]] = frozenset({"body", "clock", "secret"})
    CANNOT: ClassVar[Mapping[str, str]] = {}

    def deliver(self, *, secret: str | None = None, at: datetime | None = None) -> Delivery:
        moment = at or AT
        stamp = str(round(moment.timestamp() * 1000))
        headers = {
            "X-HubSpot-Signature-v3": sign_v3(secret or SECRET, "POST", URL, BODY, stamp),
            "X-HubSpot-Request-Timestamp": stamp,
        }
        return Delivery(URL, headers, BODY, moment)

    def spoilt(self, delivery: Delivery) -> Delivery:
        value = delivery.headers["X-HubSpot-Signature-v3"]
        return replace(delivery, headers={**delivery.headers, "X-HubSpot-Signature-v3": value.swapcase()})

    @contextmanager
    def world(self, tmp_path: Path) -> Iterator[World]:
        fake = with_orbis(FakeHubSpot())
        fake.page = 2
        fake.archive("deals", fake.put("deals", "9009", dealname="gone"))
        with fake.running():
            deal = Subject("deal", "9001")
            yield World(make_connector(fake), deal, Subject("deal", "9009"), make_draft(deal), fake, fake.written)
