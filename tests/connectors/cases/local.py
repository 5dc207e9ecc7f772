"""How the local CRM is tried: its records lie in a real store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from connectors.local.connector import LocalConnector
from connectors.local.verify import sign
from crmplugin.domain.crm import Subject
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from tests.connectors.contract import Delivery, World
from tests.connectors.drafts import make_draft
from tests.web.conftest import RECORDS, documents

SECRET = "a-secret"
AT = datetime(2026, 3, 10, 14, 5, tzinfo=UTC)


class Case:
    SIGNS: ClassVar[frozenset[str]] = frozenset({"body", "clock", "secret"})
    CANNOT: ClassVar[Mapping[str, str]] = {
        "pages": "its records are in our own store, so there is nothing to page through",
        "rate_limit": "it is called through no network",
    }

    def deliver(self, *, secret: str | None = None, at: datetime | None = None) -> Delivery:
        body = b'{"id": "evt-17", "type": "deal.updated", "object": {"type": "deal", "id": "D-1"}}'
        header = sign(body, secret=secret or SECRET, now=at or AT)
        return Delivery("http://127.0.0.1/webhooks/local", {"X-Crmplugin-Signature": header}, body, at or AT)

    def spoilt(self, delivery: Delivery) -> Delivery:
        header = delivery.headers["X-Crmplugin-Signature"]
        return replace(delivery, headers={"X-Crmplugin-Signature": header[:-1] + ("0" if header[-1] != "0" else "1")})

    @contextmanager
    def world(self, tmp_path: Path) -> Iterator[World]:
        assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path)}))
        try:
            assistant.records.upsert_many("local", documents(RECORDS))
            connector = LocalConnector("local", {"webhook_secret": SECRET}, records=assistant.records)
            yield World(
                connector,
                Subject("deal", "D-1"),
                Subject("deal", "D-gone"),
                make_draft(Subject("deal", "D-1")),
                written=lambda: assistant.records.counts("local").get("activities", 0),
            )
        finally:
            assistant.close()
