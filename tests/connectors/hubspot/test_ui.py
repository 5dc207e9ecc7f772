"""The project for HubSpot's developer platform: its files agree with the server, and the card type-checks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.hubspot.actions import read_action
from connectors.hubspot.diagnosing import SCOPES
from connectors.hubspot.events import TYPE_IDS, read_events
from crmplugin.settings import KINDS
from tests.connectors.cards import installed, type_check

UI = Path(__file__).resolve().parents[3] / "connectors" / "hubspot" / "ui"
APP = UI / "src" / "app"


def read(path: str) -> Any:
    return json.loads((APP / path).read_text("utf-8"))


def test_app_asks_for_every_scope_that_reading_needs():
    scopes = read("app-hsmeta.json")["config"]["auth"]["requiredScopes"]

    assert set(SCOPES.values()) <= set(scopes)
    readme = (UI.parent / "README.md").read_text("utf-8")
    assert [scope for scope in scopes if f"`{scope}`" not in readme and not scope.endswith(".write")] == []


def test_app_may_call_only_the_server():
    urls = read("app-hsmeta.json")["config"]["permittedUrls"]

    assert urls == {"fetch": ["https://assist.example.com"], "iframe": [], "img": []}
    assert "SERVER = 'https://assist.example.com'" in (APP / "cards" / "server.ts").read_text("utf-8")


def test_card_stands_on_deals_contacts_and_companies():
    assert read("cards/draft-card-hsmeta.json")["config"]["objectTypes"] == ["deals", "contacts", "companies"]


VALUES = {"dealstage": "presentationscheduled", "hs_pipeline_stage": "4", "hs_status": "APPROVED",
          "hs_fulfillment_status": "DELIVERED", "hs_email_direction": "INCOMING_EMAIL",
          "hs_meeting_outcome": "COMPLETED", "hs_email_optout": "true"}  # fmt: skip
"""Of properties whose value decides which event it is."""


def test_subscriptions_cover_every_event_that_hubspot_can_tell():
    subscriptions = read("webhooks/webhooks-hsmeta.json")["config"]["subscriptions"]
    ids = {name: id_ for id_, name in TYPE_IDS.items()} | {"meeting_event": "0-47"}
    changes = [
        {"subscriptionType": one["subscriptionType"], "objectId": 1, "propertyName": one.get("propertyName"),
         "propertyValue": VALUES.get(one.get("propertyName")), "objectTypeId": ids.get(one.get("objectType", ""))}
        for part in subscriptions.values()
        for one in part
    ]  # fmt: skip

    reading = read_events(
        json.dumps(changes).encode(), connection="acme", received_at=datetime(2026, 11, 21, tzinfo=UTC)
    )

    assert reading.refused == ()
    assert {event.type for event in reading.events} == {
        "deal.created", "deal.stage_changed", "deal.updated", "record.merged", "record.deleted", "ticket.opened",
        "ticket.updated", "ticket.resolved", "quote.sent", "order.placed", "order.delivered", "message.received",
        "meeting.ended", "contact.changed", "contact.opted_out", "contact.erased",
    }  # fmt: skip


def test_every_kind_that_can_be_chosen_is_one_of_ours():
    chosen = read("workflow-actions/draft-hsmeta.json")["config"]["inputFields"][0]["typeDefinition"]["options"]
    card = re.findall(r"value: '(\w+)'", (APP / "cards" / "states.ts").read_text("utf-8"))

    assert {option["value"] for option in chosen} <= set(KINDS)
    assert set(card) <= set(KINDS)


def test_outputs_of_the_step_are_those_it_declares():
    declared = {
        f["typeDefinition"]["name"] for f in read("workflow-actions/draft-hsmeta.json")["config"]["outputFields"]
    }
    body = {"callbackId": "ap-1", "origin": {}, "object": {"objectId": 1, "objectType": "DEAL"}}

    answer = read_action(json.dumps(body).encode(), portal="").answer({"id": "d", "status": "proposed"})

    assert set(answer["outputFields"]) == declared | {"hs_execution_state"}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card with the vendor's packages, installed by its lock file."""
    return installed(APP / "cards", tmp_path_factory.mktemp("card"))


@pytest.mark.long
def test_card_type_checks_with_the_vendors_packages(card):
    done = type_check(card)

    assert done.returncode == 0, done.stdout


@pytest.mark.long
def test_type_check_finds_a_property_that_the_vendor_does_not_have(card):
    wrong = "import { Button } from '@hubspot/ui-extensions';\nexport const wrong = <Button colour='red'>x</Button>;\n"
    (card / "Wrong.tsx").write_text(wrong, "utf-8")

    done = type_check(card)
    (card / "Wrong.tsx").unlink()

    assert done.returncode != 0
    assert "colour" in done.stdout
