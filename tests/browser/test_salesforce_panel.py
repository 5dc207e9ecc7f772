"""Salesforce's component, compiled as Salesforce does, before our real server, on a page that imitates Lightning.

Compiler, engine, base components and styles are Salesforce's open-source packages. The page and Apex are imitated: what
`AiAssistant.cls` does on Salesforce's server, `apex` does here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from crmplugin.llm.scripted import PIECE_CHARS, Reply, ScriptedModel, scripted_model
from tests.browser.words import Pace
from tests.connectors.cards import NODE, installed
from tests.connectors.cases.salesforce import OPTIONS
from tests.connectors.hosts.frame import HERE, Apart, Frame, canned, framed
from tests.connectors.journey import Server, server
from tests.connectors.salesforce.test_journey import call, open_deal, tasks
from tests.connectors.salesforce.test_ui import SOURCE
from tests.fakes.salesforce import ACCOUNT, FakeSalesforce, with_orbis

pytestmark = pytest.mark.long
HOST = "https://acme.lightning.force.com"
DEAL = "006A00000010101IAA"
TOOLS = HERE / "lightning"
STYLES = "node_modules/@salesforce-ux/design-system/assets/styles/salesforce-lightning-design-system.min.css"
FILTER, LAST = "01tA000000FilteIAA.name", f"{ACCOUNT}/01tA000000FilteIAA.last_on"
TEXT = "\n".join((
    f"subject\t{FILTER}\tFilter F-20: same again",
    f"claim\t{FILTER},{LAST}\tThe last order of Filter F-20 was on 4 May 2026.",
    f"ask\t{LAST}\tDo you want the same quantity again?",
))  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The page, and the component as Salesforce's compiler makes it, with Salesforce's base components and styles."""
    folder = installed(TOOLS, tmp_path_factory.mktemp("lightning"))
    source = SOURCE / "lwc" / "aiDealPanel"
    shutil.copytree(source, folder / "modules/c/aiDealPanel", ignore=shutil.ignore_patterns("__tests__"))
    command = [NODE, "node_modules/rollup/dist/bin/rollup", "-c"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        f"{HOST}/record": (HERE / "salesforce.html").read_bytes(),
        f"{HOST}/main.js": (folder / "built" / "main.js").read_bytes(),
        f"{HOST}/slds.css": (folder / STYLES).read_bytes(),
    }


@pytest.fixture(scope="module")
def salesforce() -> Iterator[FakeSalesforce]:
    fake = with_orbis(FakeSalesforce())
    with fake.running():
        open_deal(fake, DEAL)
        del fake.things["EmailMessage"][f"02s{DEAL[3:]}"]
        yield fake


class Pacing(Pace):
    """How far the model may speak; all of it, until a test holds it back."""

    def hold(self) -> None:
        self.go()

    def to(self, words: str) -> None:
        self._allow((TEXT.index(words) + len(words)) // PIECE_CHARS)


@pytest.fixture(scope="module")
def pace() -> Pacing:
    return Pacing()


@pytest.fixture(scope="module")
def model(pace: Pacing) -> Iterator[ScriptedModel]:
    with scripted_model(lambda body: Reply(TEXT, before_piece=pace.wait)) as running:
        yield running


@pytest.fixture(scope="module")
def apart() -> Apart:
    return Apart()


@pytest.fixture(scope="module")
def here(
    apart: Apart, salesforce: FakeSalesforce, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    options = {**OPTIONS, "base_url": salesforce.url}
    opened = server(tmp_path_factory.mktemp("var"), options, crm="salesforce",
                    public_url="https://assist.example.com", more=model.environment)  # fmt: skip
    with apart.inside(opened) as made:
        yield made


def apex(here: Server, method: str, given: Mapping[str, Any]) -> Any:
    """What the class asks of our server for its user."""
    if method == "poll":
        return call(here, f"/drafts/{given['draftId']}")
    if method == "decide":
        return call(here, f"/drafts/{given['draftId']}/{given['action']}", json.loads(given["body"]))
    asked = {"kind": given["asked"]["kind"], "deal_id": given["recordId"], "key": given["key"]}
    wish = given["asked"]["instruction"]
    return call(here, "/drafts", asked | ({"instruction": wish} if wish else {}))


@pytest.fixture
def frame(chromium, pages: dict[str, bytes], here: Server, apart: Apart, pace: Pacing) -> Iterator[Frame]:
    """The component in the window of the quick action."""

    def ask(method: str, url: str, headers: Mapping[str, str], document: Any) -> Any:
        answer = apart.run(apex, here, document["method"], document["given"])
        told = json.dumps({"status": answer.status_code, "document": answer.json})
        return SimpleNamespace(status_code=200, data=told.encode(), content_type="application/json")

    made = framed(chromium, pages, {f"{HOST}/apex": ask}, size=(900, 1020))
    errors: list[str] = []
    made.page.on("pageerror", lambda error: errors.append(str(error)))
    made.page.goto(f"{HOST}/record?record={DEAL}")
    yield made
    pace.go()
    made.page.context.close()
    assert errors == []


def write(page: Page) -> None:
    page.get_by_role("button", name="Write").click()


def text_of(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Text", exact=True)


def state_of(page: Page) -> Locator:
    return page.locator("[data-id=state]")


def told(document: Any, status: int = 200) -> tuple[int, Any]:
    """An answer of Apex in place of the server's."""
    return (200, {"status": status, "document": document})


def test_text_arrives_grey_until_it_is_checked_and_then_whole(frame, pace, model, pictures):
    page = frame.page
    pace.to("The last order of Filter")
    page.get_by_label("Your wish").fill("They have just moved their plant.")
    write(page)
    expect(page.locator(".arriving")).to_have_text(re.compile("^The last order of F"))
    expect(page.locator(".sheet p").first).to_have_text("Filter F-20: same again")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    grey = page.locator(".arriving").evaluate("node => getComputedStyle(node).color")
    if pictures:
        page.screenshot(path=pictures / "salesforce-arriving.png")

    pace.go()
    expect(text_of(page)).to_have_value(re.compile(r"The last order of Filter F-20 was on 4 May 2026\."))
    assert grey == "rgb(105, 105, 105)"
    assert "They have just moved their plant." in str(model.requests[-1]["messages"])


def test_rep_reads_edits_and_approves_in_the_window(frame, salesforce, pictures):
    page = frame.page
    write(page)
    expect(page.get_by_role("heading", name="To Dana Reyes")).to_be_visible()
    expect(page.locator("[data-id=evidence]")).to_contain_text("4 May 2026")
    if pictures:
        page.screenshot(path=pictures / "salesforce-panel.png")
    text_of(page).fill(text_of(page).input_value() + "\nBest regards")
    text_of(page).blur()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    page.get_by_role("button", name="Approve").click()

    expect(state_of(page)).to_contain_text("Saved in Salesforce")
    assert page.title() == "refreshed"
    assert len(tasks(salesforce, DEAL)) == 1


def test_another_kind_is_chosen_from_the_list(frame):
    page = frame.page
    page.get_by_role("combobox", name="What shall be written?").click()
    page.get_by_role("option", name="Meeting brief").click()
    write(page)

    expect(page.get_by_role("heading", name="Internal note")).to_be_visible()


def test_record_that_the_user_may_not_see_is_told(frame):
    frame.page.goto(f"{HOST}/record?record=006A00000010999IAA")
    write(frame.page)

    expect(state_of(frame.page)).to_contain_text("This record is not yours to see.")


def test_writing_can_be_stopped(frame):
    frame.instead += [told(canned("writing")), told(canned("writing"))]
    write(frame.page)
    expect(frame.page.get_by_role("button", name="Write")).to_be_disabled()
    frame.instead[:] = [told(canned("stopped"))]
    frame.page.get_by_role("button", name="Stop").click()

    expect(state_of(frame.page)).to_have_text("Stopped. Nothing was written.")
    expect(frame.page.get_by_role("button", name="Write")).to_be_enabled()


def test_doubtful_sentence_stands_out_and_cannot_be_approved(frame):
    sentence = {"text": "It is free.", "role": "claim", "evidence": [], "verdict": "unsupported", "action": "kept",
                "reason": "no fact says so"}  # fmt: skip
    frame.instead.append(told(canned("proposed", subject="S", body="It is free.", sentences=[sentence])))
    write(frame.page)

    expect(frame.page.locator("[data-id=evidence] .slds-text-color_error")).to_contain_text("no fact says so")
    expect(frame.page.get_by_role("button", name="Approve")).to_be_disabled()


@pytest.mark.parametrize("status", [0, 401, 403, 404, 409, 422, 429, 500, 502, 503])
def test_problem_is_told_with_its_reason(frame, status):
    frame.instead.append(told({"detail": "The reason."}, status))
    write(frame.page)

    expect(state_of(frame.page)).to_contain_text("The reason.")
    expect(state_of(frame.page)).to_have_class("slds-text-color_error")
    expect(frame.page.get_by_role("button", name="Write")).to_be_enabled()


def test_apex_that_does_not_answer_is_told(frame):
    frame.instead.append(None)
    write(frame.page)

    expect(state_of(frame.page)).to_contain_text("The server did not answer")


def test_panel_can_be_used_by_everyone(frame):
    frame.instead.append(told(canned("proposed", subject="S", body="Good.")))
    write(frame.page)
    expect(text_of(frame.page)).to_have_value("Good.")

    assert Axe().run(frame.page, context="#panel").violations_count == 0
