"""HubSpot's card, built from its sources, before our real server, on a page that imitates HubSpot's frame."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.connectors.cards import installed
from tests.connectors.hosts.frame import (
    HERE,
    Apart,
    Frame,
    built,
    canned,
    framed,
    problems,
    stopped_while_writing,
    unsupported,
    written_slowly,
)
from tests.connectors.hubspot.test_journey import PUBLIC, deal_with_open_ticket, options_of, tasks_of
from tests.connectors.hubspot.test_panel import fetch
from tests.connectors.hubspot.test_ui import APP
from tests.connectors.journey import Server, server
from tests.fakes.hubspot import FakeHubSpot, with_orbis

pytestmark = pytest.mark.long
HOST = "https://app.hubspot.com"
DEAL = "9401"


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The card, built with HubSpot's components drawn by the page around it."""
    folder = tmp_path_factory.mktemp("card")
    shutil.copytree(APP / "cards", folder, dirs_exist_ok=True)
    hosts = installed(HERE, folder / "hosts")
    aliases = {"@hubspot/ui-extensions": str(hosts / "hubspot.tsx"), "react": str(hosts / "node_modules" / "react")}
    return built(folder, "DraftCard.tsx", **aliases)["DraftCard.js"]


@pytest.fixture(scope="module")
def hubspot() -> Iterator[FakeHubSpot]:
    fake = with_orbis(FakeHubSpot())
    with fake.running():
        deal_with_open_ticket(fake, DEAL)
        yield fake


@pytest.fixture(scope="module")
def here(apart: Apart, hubspot: FakeHubSpot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    var = tmp_path_factory.mktemp("var")
    with apart.inside(server(var, options_of(hubspot), crm="hubspot", public_url=PUBLIC)) as made:
        yield made


@pytest.fixture
def frame(chromium, card: bytes, here: Server, apart: Apart) -> Iterator[Frame]:
    """The card on a deal. HubSpot's own servers make its calls: they name the user and sign."""

    def ask(method: str, url: str, headers: Mapping[str, str], document: Any) -> Any:
        path = urlsplit(document["url"]).path.removeprefix("/panel/acme")
        return apart.run(fetch, here, document["method"], path, document["body"])

    files = {f"{HOST}/deal": (HERE / "hubspot.html").read_bytes(), f"{HOST}/card.js": card}
    made = framed(chromium, files, {f"{HOST}/fetched": ask}, size=(900, 1180))
    made.page.goto(f"{HOST}/deal?deal={DEAL}")
    yield made
    made.page.context.close()


def test_rep_chooses_reads_edits_and_approves_in_the_card(frame, hubspot, pictures):
    page = frame.page
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("heading", name="To Dana Reyes")).to_be_visible()
    expect(page.get_by_text("Why it says so")).to_be_visible()
    if pictures:
        page.screenshot(path=pictures / "hubspot-card.png")
    body = page.get_by_label("Text")
    body.fill(body.input_value() + "\nBest regards")
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_text("Saved in HubSpot")).to_be_visible()
    assert page.title() == "refreshed"
    assert len(tasks_of(hubspot, DEAL)) == 1


@pytest.mark.parametrize(("status", "title"), problems("HubSpot").items())
def test_problem_is_told_with_its_reason(frame, status, title):
    frame.instead.append((200, {"ok": False, "problem": {"status": status, "code": "x", "detail": "The reason."}}))
    frame.page.get_by_role("button", name="Write").click()

    expect(frame.page.get_by_role("alert")).to_have_text(f"{title}The reason.")
    expect(frame.page.get_by_role("button", name="Write")).to_be_enabled()


def test_server_that_does_not_answer_is_told(frame):
    frame.instead.append(None)
    frame.page.get_by_role("button", name="Write").click()

    expect(frame.page.get_by_role("alert")).to_contain_text("The server did not answer")


STATES = {
    "scheduled": "It will be written on its dayBecause of this. Earliest day: 2026-12-07.",
    "blocked": "Nothing may be writtenBecause of this. Earliest day: 2026-12-07.",
    "no_message": "Nothing to say todayBecause of this. Earliest day: 2026-12-07.",
    "stopped": "StoppedNothing was written.",
    "failed": "It did not workThe stage of deal 9401 was changed.",
    "written": "Saved in HubSpotYou find it among the activities of this record.",
    "rejected": "RejectedNothing was written.",
    "superseded": "A newer draft has taken its placeOpen the newest one, or write another.",
    "cancelled": "Called offWhat happened meanwhile has taken its reason away.",
}


@pytest.mark.parametrize(("status", "text"), STATES.items())
def test_every_state_is_told(frame, status, text):
    frame.instead.append((200, canned(status, problem="The stage of deal 9401 was changed.")))
    frame.page.get_by_role("button", name="Write").click()

    expect(frame.page.get_by_role("alert")).to_have_text(text)


def test_writing_can_be_stopped(frame):
    frame.instead += stopped_while_writing()
    frame.page.get_by_role("button", name="Write").click()
    frame.page.get_by_role("button", name="Stop").click()

    expect(frame.page.get_by_role("alert")).to_have_text("StoppedNothing was written.")


def test_text_is_seen_as_it_arrives_and_what_is_not_checked_looks_so(frame):
    lines = (("Dear Dana,", "rendered"), ("It is free.", "unsupported"), ("Shall we", None))
    frame.instead += [written_slowly(*lines[:1]), *[written_slowly(*lines)] * 50]
    frame.page.get_by_role("button", name="Write").click()

    expect(frame.page.get_by_text("Shall we")).to_have_css("font-style", "italic")
    expect(frame.page.get_by_text("Dear Dana,")).to_have_css("font-style", "normal")
    expect(frame.page.get_by_text("It is free.")).to_have_css("text-decoration-line", "line-through")
    expect(frame.page.get_by_role("button", name="Approve")).to_have_count(0)


def test_text_with_an_unsupported_sentence_cannot_be_approved(frame):
    frame.instead.append(unsupported())
    frame.page.get_by_role("button", name="Write").click()

    expect(frame.page.get_by_text("no fact says so")).to_be_visible()
    expect(frame.page.get_by_role("button", name="Approve")).to_be_disabled()


def test_canned_drafts_have_the_keys_that_the_server_answers_with(here, apart):
    asked = {"connection": "acme", "kind": "summary", "deal_id": DEAL}

    draft = apart.run(here.post, "/api/v1/drafts?wait=20", asked).json

    assert set(canned("writing")) <= set(draft)
