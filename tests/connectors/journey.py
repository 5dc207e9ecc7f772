"""The whole path through our real server before a fake of a CRM: event in, draft, approval, written once."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.records import check_record
from crmplugin.errors import CrmUnavailable
from crmplugin.journeys.ask import Ask, ask_for_drafts, blank_draft
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.present import to_json
from crmplugin.journeys.sync import SyncReport
from crmplugin.settings import load_settings
from crmplugin.web.app import create_app
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office

SELLER = {"name": "Halden Controls", "legal_name": "Halden Controls GmbH", "country": "DE", "currency": "EUR",
          "postal_address": "Torstraße 99, 10119 Berlin", "timezone": "Europe/Berlin"}  # fmt: skip


class Server:
    """Our server with one connection `acme`; it is spoken to as a CRM and as an admin."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.client: FlaskClient = create_app(office.desk).test_client()
        _, token = office.desk.access.create_token("admin", at=datetime.now(UTC))
        self.admin = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.admin).json

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json=body, headers=self.admin)

    def drafts(self) -> list[Any]:
        return self.get("/api/v1/drafts?connection=acme")["items"]

    def draft_when(self, draft_id: str, *statuses: str, seconds: float = 30.0) -> Any:
        """The draft as soon as it is in one of these states."""
        return wait_for(
            lambda: (d := self.get(f"/api/v1/drafts/{draft_id}")) and d["status"] in statuses and d, seconds
        )


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true answer; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.03)
    raise AssertionError("nothing came in time")


def in_turn(read: Callable[[Desk, str], SyncReport], here: Server) -> SyncReport:
    """A read of the CRM; it waits for the one that a server begins with by itself."""
    reports: list[SyncReport] = []

    def ask() -> bool:
        with suppress(CrmUnavailable):
            reports.append(read(here.office.desk, "acme"))
        return bool(reports)

    wait_for(ask)
    return reports[0]


@contextmanager
def server(
    var: Path, options: Mapping[str, Any], *, crm: str, public_url: str, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Our server over SQLite files, with a connection of this CRM and the seller's own words; `more`: variables."""
    settings = var / "crmplugin.toml"
    lines = [f'public_url = "{public_url}"', f'var = "{var}"', "[connections.acme]", f'crm = "{crm}"']
    settings.write_text("\n".join([*lines, *(f"{key} = {_toml(value)}" for key, value in options.items())]), "utf-8")
    office = Office(Assistant(load_settings({"CRMPLUGIN_CONFIG": str(settings), **(more or {})})))
    try:
        office.desk.records.upsert_many("acme", [("seller", check_record("seller", SELLER))])
        yield Server(office)
    finally:
        office.close()


def _toml(value: Any) -> str:
    """A value as TOML: texts, numbers, truths, lists and small tables."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


def days_ago(days: float) -> str:
    moment = datetime.now(UTC) - timedelta(days=days)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def approved_draft(here: Server, subject: Subject) -> str:
    """A draft whose text is given, approved: for a CRM whose answers hold nothing to write about."""
    now = datetime.now(UTC)
    ask = Ask(uuid.uuid4().hex, Request("acme", "follow_up", subject, channel="email"), "api", now)
    desk = here.office.desk
    ask_for_drafts(desk, [ask])
    sentence = {"text": "Your quote is ready.", "role": "claim", "verdict": "supported", "action": "kept"}
    text = {"subject": "Quote", "body": "Your quote is ready.", "sentences": [sentence | {"evidence": []}]}
    desk.drafts.move(ask.draft_id, "proposed", at=now, document=to_json(blank_draft(ask)) | text)
    assert here.post(f"/api/v1/drafts/{ask.draft_id}/approve", {}).status_code == 200
    return ask.draft_id
