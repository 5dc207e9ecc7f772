"""How Salesforce is tried: before a fake of it with state. The delivery is a callout that Apex signed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.salesforce.connector import SalesforceConnector
from connectors.signatures import STAMPED, stamp
from crmplugin.domain.brief import Recipient
from crmplugin.domain.crm import Subject
from crmplugin.ports import Services
from tests.connectors.contract import Delivery, World
from tests.connectors.drafts import make_draft
from tests.fakes.salesforce import CLIENT, DANA, DEAL, GONE, ORG, REP, ROBOT, SECRET, FakeSalesforce, with_orbis

URL = "https://assist.example.com/webhooks/acme"
AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SUBJECT, MARKER = Subject("deal", DEAL), "crmplugin:draft-1"
LEAD = "00QA0000000LeadIAA"
TOKEN, CALLOUT = "Zq7w-outbound-token-0123456789", "callout-secret-0123456789"
PANEL = "panel-secret-of-the-named-credential"
OPTIONS = {
    "client_id": CLIENT, "client_secret": SECRET, "organization_id": ORG, "webhook_token": TOKEN,
    "callout_secret": CALLOUT, "panel_secret": PANEL, "user_id": ROBOT,
}  # fmt: skip
BODY = json.dumps({
    "event_id": "interview-1", "organization_id": ORG, "object": "Opportunity", "record_id": DEAL, "user_id": REP,
    "event": "deal.stage_changed", "occurred_at": "2026-11-21T09:30:00Z", "fields": {"StageName": "Negotiation/Review"},
}).encode()  # fmt: skip


def make_connector(fake: FakeSalesforce, **options: Any) -> SalesforceConnector:
    waits: list[float] = []
    # Whoever wants to sleep moves the limiter's clock instead.
    limiter = MemoryLimiter(lambda: time.monotonic() + sum(waits))
    services = Services(limiter, MemoryVault(), clock=lambda: AT, sleep=waits.append)
    return SalesforceConnector("acme", {**OPTIONS, "base_url": fake.url, **options}, services)


def draft_for(subject: Subject, **changes: Any) -> Any:
    return make_draft(subject, to=Recipient(DANA, "Dana Reyes", "dana@orbis.example"), **changes)


class Case:
    SIGNS: ClassVar[frozenset[str]] = frozenset({"body", "clock", "secret"})
    """Of a signed callout; outbound messages have a test file of their own."""
    CANNOT: ClassVar[Mapping[str, str]] = {}

    def deliver(self, *, secret: str | None = None, at: datetime | None = None) -> Delivery:
        moment = at or AT
        return Delivery(URL, {STAMPED: stamp(BODY, secret=secret or CALLOUT, now=moment)}, BODY, moment)

    def spoilt(self, delivery: Delivery) -> Delivery:
        return replace(delivery, headers={STAMPED: delivery.headers[STAMPED][:-4] + "0000"})

    @contextmanager
    def world(self, tmp_path: Path) -> Iterator[World]:
        fake = with_orbis(FakeSalesforce())
        fake.put("Opportunity", GONE, Name="gone", IsDeleted=True)
        with fake.running():
            deal = Subject("deal", DEAL)
            connector = make_connector(fake, page_size=2)
            yield World(connector, deal, Subject("deal", GONE), draft_for(deal), fake, fake.written)
