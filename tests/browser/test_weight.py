"""How light the pages are: the panel's first load, and a list of ten thousand drafts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.ask import Ask, draft_row
from crmplugin.store.drafts import DraftStore

FIRST_LOAD_BYTES = 60_000
FIRST_LOAD_REQUESTS = 6


def test_the_panels_first_load_is_light(visit, demo):
    """Its bytes as they travel, headers aside, counted by the browser; more than one address is a request more."""
    demo.draft(kind="follow_up", deal_id="D-106")
    page = visit(demo, role=None, width=400).page
    answers = []
    page.on("response", lambda answer: answers.append(answer))

    page.goto(demo.panel_link("D-106", "U-1"))
    expect(page.locator(".sheet .text")).to_be_visible()
    page.wait_for_load_state("networkidle")

    weight = sum(answer.request.sizes()["responseBodySize"] for answer in answers)
    assert len(answers) <= FIRST_LOAD_REQUESTS, [answer.url for answer in answers]
    assert 5_000 < weight <= FIRST_LOAD_BYTES
    assert all(answer.headers.get("content-encoding") == "gzip" for answer in answers if answer.url.endswith(".css"))


@pytest.mark.long
def test_ten_thousand_drafts_are_a_page_like_any_other(visit, modelled):
    """Paged: the list holds a page of them, the next page comes, and ticking one blocks nothing."""
    modelled.store(lambda engine: fill(DraftStore(engine), 10_000))
    page = visit(modelled).open("/console?by=newest")
    expect(page.locator(".rows > li")).to_have_count(20)

    page.locator("input[name=draft]").first.check()
    expect(page.locator("#chosen")).to_have_text("1 chosen")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".rows > li")).to_have_count(20)
    page.goto(f"{modelled.address}/console?by=value&page=400")
    expect(page.locator(".rows > li")).to_have_count(20)

    assert page.evaluate("document.querySelectorAll('*').length") < 1500


def fill(store: DraftStore, count: int) -> None:
    """Many proposed notes about one deal; nothing of them is shown but a row."""
    now = datetime.now(UTC)
    request = Request("local", "summary", Subject("deal", "D-1"))
    store.create_all([
        replace(draft_row(Ask(f"many{n:05}", request, "api", now - timedelta(days=1, seconds=n))), status="proposed")
        for n in range(count)
    ])  # fmt: skip
