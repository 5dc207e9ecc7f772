"""Every page walked through: with the Tab key alone, and in each language for words that were left in English."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.reading import Reading, english_left

PAGES = (
    "/console", "/console?show=held", "/console/new", "/console/new?about=deal:D-101", "/console/deals?health=1",
    "/console/campaigns", "/console/figures", "/console/events", "/console/jobs", "/console/connections",
    "/console/rules",
    "/console/rules?collection=policy", "/console/prompts", "/console/styles", "/console/audit?look=1",
    "/console/people",
    "/console/records/local/deals/D-101", "/console/records/local/companies/CO-01", "/console/drafts/unknown",
)  # fmt: skip
WALKED = tuple(path.replace("D-101", "D-1").replace("CO-01", "CO-1").replace("unknown", "") for path in PAGES)
"""The same pages on a server with few records, so that a walk ends."""
LANGUAGES = ("de", "fr", "es")

FOLLOW = """
() => {
  const visible = node => node.checkVisibility({ checkVisibilityCSS: true }) && node.getClientRects().length > 0;
  const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  window.stops = [...document.querySelectorAll(kinds)].filter(n => n.tabIndex >= 0 && !n.disabled && visible(n));
  window.seen = [];
  window.walk?.abort();
  window.walk = new AbortController();
  document.addEventListener("focusin", ({ target }) => {
    const style = getComputedStyle(target);
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    seen.push({ n: stops.indexOf(target), ring, what: target.outerHTML.slice(0, 120) });
  }, { signal: window.walk.signal });
  return stops.length;
}
"""
"""Counts what can be reached, and from then on notes where the focus goes and whether that can be seen."""
DEAD_ENDS = "[onclick], [role=button]:not(button), [role=link]:not(a), a:not([href]), [tabindex^='1']"
"""What a pointer could do and the Tab key could not."""


MORE = 8
"""Stops beside those of the page: the browser itself, and the proof that a sentence brings up on its way."""


def walk(page, name):
    """Tabs through a page: everything that can be done is reached once, in the order it stands in, and seen."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    page.evaluate("document.activeElement.blur()")
    count = page.evaluate(FOLLOW)
    for _ in range(count + MORE):
        page.keyboard.press("Tab")

    seen = [stop for stop in page.evaluate("seen") if stop["n"] >= 0][:count]
    order = [stop["n"] for stop in seen]
    began = order[0] if order else 0  # where a page puts the focus first, its walk begins
    assert order == [(began + n) % count for n in range(count)], name
    assert [stop["what"] for stop in seen if not stop["ring"]] == [], name
    assert page.locator(DEAD_ENDS).count() == 0, name


def test_every_page_can_be_walked_with_the_tab_key(visit, modelled):
    draft = modelled.draft(kind="summary", deal_id="D-1")["id"]
    page = visit(modelled).page

    for path in (*WALKED, f"/console/drafts/{draft}", f"/console/drafts/{draft}?edit=1"):
        page.goto(modelled.address + path)
        walk(page, path)


def test_the_panel_can_be_walked_with_the_tab_key(visit, modelled):
    modelled.draft(kind="follow_up", deal_id="D-1")
    page = visit(modelled, role=None, width=400).page
    page.goto(modelled.panel_link("D-1", "U-1"))
    expect(page.locator("#approve")).to_be_visible()

    walk(page, "panel")
    page.get_by_role("link", name="Customer", exact=True).click()
    expect(page.locator(".timeline")).to_be_visible()
    walk(page, "panel, customer")


@pytest.fixture(scope="module")
def drafts(demo):
    return [demo.draft(kind="follow_up", deal_id=deal)["id"] for deal in ("D-106", "D-101")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_says_a_word_in_english(demo, drafts, language):
    """What records, drafts and programs say stands in elements of its own; all else is in the reader's language."""
    reader = requests.Session()
    reader.headers.update({"Accept": "text/html", "Accept-Language": language})
    reader.get(demo.sign_in_link())

    left = {}
    for path in (*PAGES, *(f"/console/drafts/{id_}" for id_ in drafts), f"/console/drafts/{drafts[0]}/facts"):
        page = reader.get(demo.address + path).text
        assert Reading(page).language == language, path
        left[path] = english_left(page, language)
    panel = requests.get(demo.panel_link("D-106", "U-1"), headers=dict(reader.headers), timeout=30).text
    assert {path: texts for path, texts in {**left, "panel": english_left(panel, language)}.items() if texts} == {}
