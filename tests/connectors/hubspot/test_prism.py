"""The journey before a mock server that HubSpot's own description drives: every request is validated by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from connectors.hubspot.connector import HubSpotConnector
from connectors.in_memory import MemoryVault
from crmplugin.domain.crm import Subject
from crmplugin.ports import Services
from tests.connectors.cases.hubspot import AT, SECRET
from tests.connectors.drafts import make_draft
from tests.connectors.hubspot.test_conformance import USED
from tests.connectors.hubspot.test_journey import moved, send
from tests.connectors.hubspot.test_syncing import make_campaign
from tests.connectors.journey import approved_draft, server, wait_for
from tests.connectors.prism.server import serving
from tests.connectors.specs import hubspot_book, trimmed

DEAL = Subject("deal", "9001")


class Unlimited:
    """No shared limits: what is called here is a mock."""

    def reserve(self, key: str, *, per_second: float, burst: int) -> float:
        return 0.0

    def hold(self, key: str, seconds: float) -> None:
        """Nothing to hold."""


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    calls: dict[str, set[str]] = {}
    for call in USED:
        method, _, path = call.partition(" ")
        calls.setdefault(path, set()).add(method.lower())
    with serving(trimmed(hubspot_book().documents[""], calls), tmp_path_factory.mktemp("prism")) as url:
        yield url


@pytest.fixture
def connector(prism: str) -> HubSpotConnector:
    options = {"base_url": prism, "client_secret": SECRET, "access_token": "any"}
    return HubSpotConnector("acme", options, Services(Unlimited(), MemoryVault(), clock=lambda: AT))


def test_mock_refuses_what_the_description_does_not_allow(prism):
    path = f"{prism}/crm/objects/2026-09/notes"

    refused = requests.post(path, json={"properties": 5}, headers={"Authorization": "Bearer x"}, timeout=10)

    assert refused.status_code == 422


def test_context_is_read(connector):
    context = connector.read_context(DEAL)

    assert context.deal is not None


def test_draft_is_written_and_looked_for(connector):
    draft = make_draft(DEAL)

    assert connector.write_back(draft, marker="crmplugin:draft-1", at=AT).startswith("tasks:")
    assert connector.find_written("crmplugin:draft-1", draft=draft) is None


def test_changes_lists_and_campaigns_are_asked_for(connector):
    first = connector.changes_since(None)
    changed = connector.changes_since(datetime(2026, 11, 1, tzinfo=UTC), cursor=first.cursor)
    connector.find_segment("12")

    assert changed.cursor
    assert connector.push_campaign(make_campaign(), marker="crmplugin:c-1", at=AT)


def test_event_draft_approval_and_write_back_through_the_whole_server(prism, tmp_path: Path):
    options = {"base_url": prism, "access_token": "any", "client_secret": SECRET}
    with server(tmp_path, options, crm="hubspot", public_url="https://assist.example.com") as here:
        answer = send(here, moved("9001", 1))
        event = wait_for(lambda: next((e for e in here.get("/api/v1/events")["items"] if e["state"] == "done"), None))
        draft_id = approved_draft(here, DEAL)
        written = here.draft_when(draft_id, "written", "failed")

    assert answer.status_code == 204
    assert len(event["drafts"]) == 1
    assert written["status"] == "written"
