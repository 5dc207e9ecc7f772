"""What is lost while our server is down becomes drafts at the next look, once; and a whole account in the mirror."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from crmplugin.journeys.sync import SyncReport, poll, sync
from tests.connectors.hubspot.test_journey import (
    PUBLIC,
    deal_with_open_ticket,
    draft_of,
    drafts_about,
    moved,
    options_of,
    send,
)
from tests.connectors.journey import Server, days_ago, in_turn, server, wait_for
from tests.fakes.hubspot import PORTAL, FakeHubSpot, with_orbis

LOST, LATE, TOLD = "9301", "9302", "9303"
"""Deals that moved: their webhook was lost, comes after the look, or came before it."""


@pytest.fixture(scope="module")
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    fake.page = 3
    with fake.running():
        yield fake


@pytest.fixture(scope="module")
def here(hubspot: FakeHubSpot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Searches are four a second, so kinds that the account does not have are not searched.
    options = options_of(hubspot, poll_minutes=1440, leave_out=["quotes", "orders", "calls", "meetings", "tasks"])
    with server(tmp_path_factory.mktemp("var"), options, crm="hubspot", public_url=PUBLIC) as made:
        yield made


@pytest.fixture(scope="module")
def mirrored(here: Server) -> SyncReport:
    """The whole account, read once."""
    return in_turn(sync, here)


@pytest.fixture(scope="module")
def looked(here: Server, hubspot: FakeHubSpot, mirrored: SyncReport) -> tuple[SyncReport, SyncReport]:
    """Three deals moved, one webhook came, and the server looked twice."""
    at = days_ago(0)
    for deal in (LOST, LATE, TOLD):
        deal_with_open_ticket(hubspot, deal)
        hubspot.move(deal, "presentationscheduled", at)
    send(here, moved(TOLD, 78, occurredAt=ms(at)))
    draft_of(here, TOLD)
    reports = in_turn(poll, here), in_turn(poll, here)
    send(here, moved(LATE, 77, occurredAt=ms(at), attemptNumber=4))
    return reports


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def moves(here: Server, deal: str) -> list[tuple[str, str]]:
    """The events that say that a deal moved: whose they are and how they ended."""
    rows = here.office.desk.events.list(connection="acme", type="deal.stage_changed", limit=100).items
    about = [row for row in rows if row.document["object"] == {"type": "deal", "id": deal}]
    return sorted((row.id.partition("-")[0], row.state) for row in about)


def test_whole_account_is_mirrored_without_events(here, mirrored):
    assert (mirrored.taken + mirrored.unchanged, mirrored.refused, mirrored.events) == (19, (), 0)
    counts = here.office.desk.records.counts("acme")
    assert (counts["deals"], counts["contacts"], counts["line_items"]) == (3, 1, 3)
    assert (counts["stage_changes"], counts["orders"]) == (3, 2)


def test_move_whose_webhook_was_lost_becomes_one_draft(here, looked):
    assert looked[1].events == 0
    assert draft_of(here, LOST)["facts"]
    assert (len(drafts_about(here, LOST)), moves(here, LOST)) == (1, [("poll", "done")])


def test_webhook_that_comes_after_all_makes_no_second_draft(here, looked):
    wait_for(lambda: moves(here, LATE) == [("hs", "ignored"), ("poll", "done")])

    assert len(drafts_about(here, LATE)) == 1


def test_move_that_its_webhook_told_is_not_told_again(here, looked):
    assert (len(drafts_about(here, TOLD)), moves(here, TOLD)) == (1, [("hs", "done")])


def test_privacy_deletion_erases_the_person_everywhere(here, looked):
    records = here.office.desk.records
    assert records.read_one("acme", "contacts", "501") is not None

    send(here, {"eventId": 5, "portalId": int(PORTAL), "appId": 1, "occurredAt": 1795000000123,
                "subscriptionType": "contact.privacyDeletion", "objectId": 501})  # fmt: skip
    wait_for(lambda: records.read_one("acme", "contacts", "501") is None)

    assert "Dana" not in str(here.drafts())
