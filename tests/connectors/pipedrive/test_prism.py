"""The journey before a mock server that Pipedrive's own descriptions drive: every request is validated by them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from connectors.in_memory import MemoryVault
from connectors.pipedrive.connector import PipedriveConnector
from crmplugin.domain.crm import Subject
from crmplugin.journeys.sync import poll
from crmplugin.ports import Services
from tests.connectors.cases.pipedrive import AT, BODY, OPTIONS, Case
from tests.connectors.drafts import make_draft
from tests.connectors.hubspot.test_prism import Unlimited
from tests.connectors.journey import approved_draft, in_turn, server, wait_for
from tests.connectors.prism.server import serving
from tests.connectors.specs import pipedrive_book, prefixed, trimmed

DEAL = Subject("deal", "1")
USED = {
    "/api/v2/deals/{id}": {"get", "patch"}, "/api/v2/deals": {"get"}, "/api/v2/persons": {"get"},
    "/api/v2/persons/{id}": {"get"}, "/api/v2/organizations": {"get"}, "/api/v2/organizations/{id}": {"get"},
    "/api/v2/products": {"get"}, "/api/v2/deals/{id}/products": {"get"}, "/api/v2/deals/products": {"get"},
    "/api/v2/activities": {"get", "post"}, "/api/v2/activities/{id}": {"get"}, "/api/v2/pipelines": {"get"},
    "/api/v2/stages": {"get"}, "/api/v1/notes": {"get", "post"}, "/api/v1/notes/{id}": {"get"},
    "/api/v1/deals/{id}/mailMessages": {"get"}, "/api/v1/mailbox/mailMessages/{id}": {"get"}, "/api/v1/users": {"get"},
    "/api/v1/webhooks": {"get", "post"}, "/api/v1/users/me": {"get"}, "/api/v1/leads": {"get"},
    "/api/v1/deals/{id}/changelog": {"get"}, "/api/v1/recents": {"get"}, "/api/v2/deals/archived": {"get"},
    "/api/v1/deals/{id}/permittedUsers": {"get"},
}  # fmt: skip
"""Calls of the connector, as the descriptions name them."""


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    whole = prefixed(pipedrive_book().documents)
    with serving(trimmed(whole, USED), tmp_path_factory.mktemp("prism")) as url:
        yield url


@pytest.fixture
def connector(prism: str) -> PipedriveConnector:
    services = Services(Unlimited(), MemoryVault(), clock=lambda: AT)
    return PipedriveConnector("acme", {**OPTIONS, "base_url": prism}, services)


def test_mock_refuses_what_the_description_does_not_allow(prism):
    path = f"{prism}/api/v2/deals?sort_by=won_time"

    assert requests.get(path, headers={"x-api-token": "x"}, timeout=10).status_code in (400, 422)


def test_context_is_read_from_the_vendors_examples(connector):
    context = connector.read_context(DEAL)

    assert context.deal is not None
    assert context.deal.name


def test_draft_is_written_and_looked_for(connector):
    draft = make_draft(DEAL, audience="internal", channel="note", to=None)

    assert connector.write_back(draft, marker="crmplugin:draft-1", at=AT).startswith("notes:")
    assert connector.find_written("crmplugin:draft-1", draft=draft) is None


def test_changes_and_filters_are_asked_for(connector):
    assert connector.changes_since(datetime(2026, 11, 1, tzinfo=UTC)).cursor
    assert connector.find_segment("7").opted_out


def test_event_draft_approval_and_write_back_through_the_whole_server(prism, tmp_path: Path):
    options = {**OPTIONS, "base_url": prism, "calls_per_second": 500}
    with server(tmp_path, options, crm="pipedrive", public_url="https://assist.example.com") as here:
        answer = here.client.post(
            "/webhooks/acme", data=BODY.replace(b"9001", b"1"), headers=dict(Case().deliver().headers)
        )
        event = wait_for(lambda: next((e for e in here.get("/api/v1/events")["items"] if e["state"] == "done"), None))
        written = here.draft_when(approved_draft(here, DEAL), "written", "failed")
        looked = in_turn(poll, here)

    assert answer.status_code == 200
    assert event["drafts"]
    assert written["status"] == "written"
    assert looked.refused == ()
