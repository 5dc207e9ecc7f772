"""What a new user sees in the first minute, in a real browser: drafts, their proof, a decision, and what came of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import as_a_new_user
from tests.browser.words import hours_ago

EVENT = {
    "type": "deal.stage_changed",
    "object": {"type": "deal", "id": "D-101"},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory, host):
    """One of its own: what other tests asked for would stand before what waits since the start."""
    yield from as_a_new_user(tmp_path_factory.mktemp("flow"), host)


def test_the_draft_of_an_event_waits_within_a_minute_of_the_start(visit, demo):
    page = visit(demo).page

    expect(page).to_have_url(re.compile(r"/console$"))
    expect(page.locator("a.row").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Lanternhouse Tea Rooms Ltd")).to_be_visible(timeout=60_000)


def test_a_draft_that_an_event_makes_appears_without_a_reload(visit, demo):
    page = visit(demo).page
    expect(page.locator("a.row").first).to_be_visible(timeout=60_000)

    demo.webhook({**EVENT, "id": "evt-live", "at": hours_ago(0)})

    expect(page.locator("a.row", has_text="Marlowe Foods plc")).to_be_visible()


def test_a_click_asks_for_a_draft_and_shows_it(visit, demo):
    page = visit(demo).open("/console/new")
    page.get_by_role("searchbox").fill("church street")
    page.get_by_role("button", name="Find").click()

    page.get_by_role("link", name="Divider for the Church Street shop").click()
    page.get_by_role("button", name="Write the draft").click()

    expect(page.locator(".seal.good")).to_be_visible()
    expect(page.locator(".sheet .text")).to_contain_text("Owen Prichard")


def test_a_sentence_shows_its_facts_and_a_fact_its_sentences(visit, demo):
    page = open_draft(visit(demo).page, "Lanternhouse Tea Rooms Ltd")
    sentence = page.locator(".s", has_text="6 to 8 weeks")
    fact = page.locator("#proof .fact", has_text="lead time of Spira 60 Plus")

    sentence.hover()
    expect(fact).to_have_class(re.compile("lit"))
    expect(fact).to_contain_text("Product P-SP60P")
    expect(fact).to_contain_text("lead time")
    expect(page.locator("#proof .fact", has_text="LQ-1421").first).not_to_have_class(re.compile("lit"))

    fact.hover()
    expect(sentence).to_have_class(re.compile("lit"))


def test_an_edit_is_checked_while_typing_and_approval_is_dead_until_it_is_supported(visit, demo):
    page = open_draft(visit(demo).page, "Lanternhouse Tea Rooms Ltd")
    page.get_by_role("link", name="Edit").click()
    body = page.get_by_label("Text", exact=True)
    was = body.input_value()

    hello, _, rest = was.partition("\n\n")
    body.fill(f"{hello}\n\nWe give you a discount of 35 %. {rest}")
    expect(page.locator("#verdicts")).to_contain_text("1 sentence needs you")
    page.get_by_role("button", name="Save and check").click()

    expect(page.locator(".s.needs")).to_have_text("We give you a discount of 35 %.")
    expect(page.locator("#approve")).to_have_attribute("aria-disabled", "true")

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Text", exact=True).fill(was)
    expect(page.locator("#verdicts")).to_contain_text("Every sentence is supported.")
    page.keyboard.press("Control+Enter")

    expect(page.locator(".seal.good")).to_be_visible()
    expect(page.locator("#approve")).not_to_have_attribute("aria-disabled", "true")


def test_an_approved_draft_is_in_the_local_crm_exactly_once(visit, demo):
    page = open_draft(visit(demo).page, "Mühlenbäckerei Hartwig KG")

    page.locator("#approve").dblclick()

    expect(page.locator(".seal")).to_contain_text("Written to the local CRM as A-")
    page.get_by_role("link", name="See it there").click()
    expect(page.get_by_text("written by this assistant")).to_be_visible()
    page.get_by_role("link", name="Teiler für zwei Filialen").click()
    expect(page.locator(".timeline li.ours")).to_have_count(1)


def test_somebody_else_was_faster_is_said_plainly(visit, demo):
    page = open_draft(visit(demo).page, "Birchfield Delis Ltd")
    page.get_by_role("link", name="Edit").click()
    other = visit(demo).open(page.url[len(demo.address) :].split("?")[0])
    other.get_by_text("Reject", exact=True).click()
    other.get_by_label("Why?", exact=False).fill("Written by phone instead.")
    other.get_by_role("button", name="Reject this draft").click()
    expect(other.locator(".seal")).to_contain_text("Rejected by admin")

    page.get_by_label("Text", exact=True).fill("Hello,\n\nlet me know.")
    page.get_by_role("button", name="Save and check").click()

    expect(page.locator("#notice")).to_contain_text("rejected")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Hello,\n\nlet me know.")


def test_a_rejected_draft_keeps_its_reason(visit, demo):
    draft = demo.draft(kind="summary", deal_id="D-108")["id"]
    page = visit(demo).open(f"/console/drafts/{draft}")
    page.get_by_text("Reject", exact=True).click()
    page.get_by_label("Why?", exact=False).fill("They decided last week.")
    page.get_by_role("button", name="Reject this draft").click()
    expect(page.locator(".seal")).to_contain_text("Rejected by admin")

    page.goto(f"{demo.address}/console?show=closed")
    page.locator(f"a.row[href$='{draft}']").click()

    expect(page.locator(".history")).to_contain_text("They decided last week.")


def test_keyboard_alone_finds_opens_and_approves_a_draft(visit, demo):
    page = visit(demo).page
    expect(page.locator("a.row").first).to_be_visible(timeout=60_000)

    tab_to(page, lambda: "Thistle & Rye" in page.evaluate("document.activeElement.innerText"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-draft]")).to_be_visible()
    tab_to(page, lambda: page.evaluate("document.activeElement.matches('[data-s]')"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#proof .fact.lit").first).to_be_visible()
    tab_to(page, lambda: page.evaluate("document.activeElement.id") == "approve")
    page.keyboard.press("Enter")

    expect(page.locator(".seal")).to_contain_text("Written to the local CRM")


def open_draft(page, company: str):
    """Opens the waiting draft for a company, as soon as it is there."""
    page.locator("a.row", has_text=company).first.click(timeout=60_000)
    expect(page.locator("[data-draft]")).to_be_visible()
    return page


def tab_to(page, there, most: int = 60) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if there():
            return
    raise AssertionError("not reached with the Tab key")
