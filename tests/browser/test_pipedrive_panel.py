"""Pipedrive's panel and window, built from their sources, before our real server, on a page that imitates its frame."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from playwright.sync_api import FrameLocator, expect

from crmplugin.domain.records import check_record
from tests.connectors.cards import installed
from tests.connectors.cases.pipedrive import OPTIONS
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
from tests.connectors.journey import Server, server
from tests.connectors.pipedrive.test_journey import activities_of, asked_deal
from tests.connectors.pipedrive.test_panel import SECRET, UI
from tests.fakes.pipedrive import FakePipedrive, with_orbis

pytestmark = pytest.mark.long
HOST, PUBLIC = "https://acme.pipedrive.com", "https://assist.example.com"
DEAL = 9501


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The panel and the window as `npm run build` makes them, by address."""
    folder = tmp_path_factory.mktemp("panel")
    shutil.copytree(UI, folder, dirs_exist_ok=True)
    installed(UI, folder)
    made = built(folder, "panel.ts", "modal.ts")
    made |= {name: (UI / name).read_bytes() for name in ("panel.html", "modal.html", "panel.css")}
    return {f"{PUBLIC}/pipedrive/{name}": content for name, content in made.items()}


@pytest.fixture(scope="module")
def pipedrive() -> Iterator[FakePipedrive]:
    fake = with_orbis(FakePipedrive())
    fake.put("stages", 3, name="Qualified", pipeline_id=1)
    with fake.running():
        for deal in (DEAL, DEAL + 1):
            asked_deal(fake, deal)
        yield fake


@pytest.fixture(scope="module")
def here(apart: Apart, pipedrive: FakePipedrive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = {**OPTIONS, "base_url": pipedrive.url, "calls_per_second": 500, "company_id": "7654321",
               "panel_secret": SECRET, "stages": {"3": "qualified", "4": "proposal"}}  # fmt: skip
    var = tmp_path_factory.mktemp("var")
    with apart.inside(server(var, options, crm="pipedrive", public_url=PUBLIC)) as made:
        day = (datetime.now(UTC) + timedelta(days=4)).date().isoformat()
        slot = {"id": "S-1", "kind": "answer_by", "user_id": "777", "on": day}
        made.office.desk.records.upsert_many("acme", [("slots", check_record("slots", slot))])
        yield made


class Token:
    """What Pipedrive gives when the panel asks for a token."""

    status_code, content_type = 200, "text/plain"

    def __init__(self) -> None:
        now = int(time.time())
        claims = {"userId": 777, "companyId": 7654321, "iat": now, "exp": now + 300}
        self.data = jwt.encode(claims, SECRET, "HS256").encode()


@pytest.fixture
def frame(chromium, pages: dict[str, bytes], here: Server, apart: Apart) -> Iterator[Frame]:
    """The side bar of a deal; what its frame asks of our server goes into the real one, and tokens are Pipedrive's."""

    def ask(method: str, url: str, headers: Mapping[str, str], document: Any) -> Any:
        told = {"Authorization": headers["authorization"]}
        open_ = partial(here.client.open, method=method, headers=told, json=document)
        return apart.run(open_, urlsplit(url).path)

    files = {**pages, f"{HOST}/deal": (HERE / "pipedrive.html").read_bytes()}
    made = framed(chromium, files, {f"{PUBLIC}/panel/": ask}, size=(900, 760))
    made.page.route(f"{HOST}/token", lambda route: route.fulfill(body=Token().data, content_type="text/plain"))
    made.page.goto(f"{HOST}/deal?deal={DEAL}")
    yield made
    made.page.context.close()


def panel(frame: Frame) -> FrameLocator:
    return frame.page.frame_locator("#side iframe")


def write(frame: Frame) -> FrameLocator:
    panel(frame).get_by_role("button", name="Write").click()
    return panel(frame)


def test_rep_chooses_reads_edits_and_approves_in_the_side_bar(frame, pipedrive, pictures):
    inside = write(frame)
    expect(inside.get_by_role("heading", name="To Dana Reyes")).to_be_visible()
    expect(inside.get_by_text("Why it says so")).to_be_visible()
    if pictures:
        frame.page.screenshot(path=pictures / "pipedrive-panel.png")
    body = inside.get_by_label("Text")
    body.fill(body.input_value() + "\nBest regards")
    expect(inside.get_by_role("button", name="Approve")).to_be_disabled()
    inside.get_by_role("button", name="Save and check").click()
    expect(inside.get_by_role("button", name="Approve")).to_be_enabled()
    inside.get_by_role("button", name="Approve").click()

    expect(inside.get_by_text("Saved in Pipedrive.")).to_be_visible()
    expect(frame.page.get_by_role("status")).to_have_text("Saved in Pipedrive")
    assert len(activities_of(pipedrive, DEAL)) == 1


def test_draft_opens_in_the_window_and_its_end_is_seen_in_the_side_bar(frame, pipedrive, pictures):
    frame.page.goto(f"{HOST}/deal?deal={DEAL + 1}")
    write(frame).get_by_role("button", name="Open in a window").click()
    window = frame.page.frame_locator(".window iframe")
    expect(window.get_by_role("heading", name="To Dana Reyes")).to_be_visible()
    if pictures:
        frame.page.screenshot(path=pictures / "pipedrive-modal.png")
    window.get_by_role("button", name="Reject").click()
    frame.page.get_by_role("button", name="Reject").click()
    expect(window.get_by_text("Rejected. Nothing was written.")).to_be_visible()
    window.get_by_role("button", name="Close").click()

    expect(panel(frame).get_by_text("Rejected. Nothing was written.")).to_be_visible()
    assert activities_of(pipedrive, DEAL + 1) == []


@pytest.mark.parametrize(("status", "title"), problems("Pipedrive").items())
def test_problem_is_told_with_its_reason_and_a_way_back(frame, status, title):
    frame.instead.append((status, {"status": status, "detail": "The reason."}))
    inside = write(frame)

    expect(inside.get_by_role("alert")).to_have_text(f"{title}. The reason.")
    inside.get_by_role("button", name="Back").click()
    expect(inside.get_by_role("button", name="Write")).to_be_enabled()


def test_server_that_does_not_answer_is_told(frame):
    frame.instead.append(None)

    expect(write(frame).get_by_role("alert")).to_contain_text("The server did not answer.")


def test_token_that_pipedrive_does_not_give_is_told(frame):
    frame.page.evaluate("() => { commands.get_signed_token = () => { throw new Error('gone') } }")

    expect(write(frame).get_by_role("alert")).to_contain_text("Pipedrive gave no token: reload this page.")


def test_page_outside_of_pipedrive_says_where_it_belongs(frame):
    frame.page.goto(f"{PUBLIC}/pipedrive/panel.html")

    expect(frame.page.get_by_role("alert")).to_contain_text("Open this page from a deal")


STATES = {
    "scheduled": "It will be written on its day. Because of this. Earliest day: 2026-12-07.",
    "blocked": "Nothing may be written. Because of this. Earliest day: 2026-12-07.",
    "no_message": "Nothing to say today. Because of this. Earliest day: 2026-12-07.",
    "stopped": "Stopped. Nothing was written.",
    "failed": "It did not work. The stage of deal 9501 was changed.",
    "written": "Saved in Pipedrive.",
    "rejected": "Rejected. Nothing was written.",
    "superseded": "A newer draft has taken its place.",
    "cancelled": "Called off: what happened meanwhile has taken its reason away.",
}


@pytest.mark.parametrize(("status", "text"), STATES.items())
def test_every_state_is_told(frame, status, text):
    frame.instead.append((200, canned(status, problem="The stage of deal 9501 was changed.")))

    expect(write(frame).locator("main > p")).to_have_text(text)


def test_writing_can_be_stopped(frame):
    frame.instead += stopped_while_writing()
    inside = write(frame)
    inside.get_by_role("button", name="Stop").click()

    expect(inside.get_by_text("Stopped. Nothing was written.")).to_be_visible()


def test_text_is_seen_as_it_arrives_and_the_rep_stays_on_the_button(frame):
    lines = (("Dear Dana,", "rendered"), ("It is free.", "unsupported"), ("Shall we", None))
    frame.instead += [written_slowly(*lines[:1]), *[written_slowly(*lines)] * 50]
    inside = write(frame)
    inside.get_by_role("button", name="Stop").focus()

    expect(inside.locator(".arriving")).to_have_text("Shall we")
    expect(inside.locator(".unsupported")).to_have_text("It is free.")
    expect(inside.get_by_text("Dear Dana,")).to_have_class("")
    expect(inside.get_by_role("button", name="Stop")).to_be_focused()


def test_text_with_an_unsupported_sentence_cannot_be_approved(frame):
    frame.instead.append(unsupported())
    inside = write(frame)

    expect(inside.get_by_text("no fact says so")).to_be_visible()
    expect(inside.get_by_role("button", name="Approve")).to_be_disabled()
