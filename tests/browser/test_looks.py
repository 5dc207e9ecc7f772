"""How pages look and hold: widths, themes, languages, hostile content, weight. Also makes the pictures."""

from __future__ import annotations

import zlib

import pytest
from playwright.sync_api import expect

PAGES = (
    "/console", "/console?show=closed", "/console/new", "/console/new?about=deal:D-101", "/console/events",
    "/console/jobs", "/console/connections", "/console/records/local/deals/D-101",
)  # fmt: skip
HOSTILE = '<script>document.title="owned"</script><img src=x onerror=document.title="owned">\u202e\u2066"\'&amp;'
LONG = "Verwaltungsgesellschaftsgebäudereinigungsmittelhersteller " * 40
FIRST_LOAD_BYTES = 60_000
FIRST_LOAD_REQUESTS = 6


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_scrolls_sideways(visit, demo, theme):
    seen = visit(demo, theme=theme)
    expect(seen.page.locator("a.row").first).to_be_visible(timeout=60_000)
    draft = seen.page.locator("a.row").first.get_attribute("href")

    for path in (*PAGES, draft, draft + "?edit=1", draft + "/facts"):
        page = seen.open(path)
        for width in (320, 400, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)


def test_dark_and_light_are_different_and_readable(visit, demo):
    for theme in ("light", "dark"):
        page = visit(demo, theme=theme).page
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate(CONTRAST, "h1") >= 7
        assert page.evaluate(CONTRAST, ".soft") >= 4.5


def test_on_a_narrow_page_the_proof_comes_up_from_below(visit, demo):
    seen = visit(demo, width=400, height=760)
    page = seen.page
    page.locator("a.row", has_text="Lanternhouse").first.click(timeout=60_000)
    place = page.locator(".s", has_text="6 to 8 weeks")

    place.click()

    expect(page.locator("#drawer")).to_contain_text("lead time of Spira 60 Plus")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#drawer")).to_be_hidden()
    expect(place).to_be_focused()


def test_interface_speaks_german_when_the_browser_does(visit, demo):
    page = visit(demo, locale="de-DE", width=320).page

    expect(page.get_by_role("heading", name="Wartet auf Sie")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hostile_names_are_shown_as_text(visit, demo):
    company = {"id": "CO-X", "name": HOSTILE + LONG, "country": "GB"}
    contact = {
        "id": "C-X",
        "company_id": "CO-X",
        "first_name": HOSTILE,
        "last_name": "X" * 100_000,
        "email": "x@x.example",
    }
    deal = {"id": "D-X", "name": HOSTILE, "company_id": "CO-X", "primary_contact_id": "C-X", "contact_ids": ["C-X"],
            "owner_id": "U-2", "pipeline": "P", "stage": HOSTILE, "stage_kind": "proposal",
            "status": "open"}  # fmt: skip
    demo.webhook({"id": "evt-x", "type": "contact.changed", "at": "2026-01-01T00:00:00Z",
                  "object": {"type": "contact", "id": "C-X"},
                  "records": {"companies": [company], "contacts": [contact], "deals": [deal]}})  # fmt: skip
    seen = visit(demo, width=400)
    expect(seen.page.locator("a.row").first).to_be_visible(timeout=60_000)
    note = demo.draft(kind="summary", deal_id="D-X")

    for path in (f"/console/drafts/{note['id']}", "/console?show=held", "/console/records/local/deals/D-X",
                 "/console/records/local/companies/CO-X", "/console/records/local/contacts/C-X",
                 "/console/new?q=script", "/console/new?about=deal:D-X"):  # fmt: skip
        page = seen.open(path)
        assert page.title() != "owned"
        assert page.locator("img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_first_load_is_light(visit, demo):
    seen = visit(demo)
    expect(seen.page.locator("a.row").first).to_be_visible(timeout=60_000)
    draft = seen.page.locator("a.row").first.get_attribute("href")
    fresh = visit(demo, role=None, storage_state=seen.context.storage_state())
    loaded = []
    fresh.page.on("response", lambda response: loaded.append(response))
    fresh.open(draft)
    fresh.page.wait_for_load_state("networkidle")

    weight = sum(len(zlib.compress(response.body())) for response in loaded)

    assert len(loaded) <= FIRST_LOAD_REQUESTS, [response.url for response in loaded]
    assert weight <= FIRST_LOAD_BYTES


def test_pictures_of_the_console(visit, demo, pictures):
    """Shows the README what a reader would see; only where CRMPLUGIN_PICTURES names a folder."""
    shots = (("console", 1280, "light"), ("console-dark", 1280, "dark"), ("console-narrow", 400, "light"))
    for name, width, theme in shots if pictures else ():
        page = visit(demo, width=width, height=860, theme=theme).page
        page.locator("a.row", has_text="Lanternhouse").first.click(timeout=60_000)
        page.locator(".s", has_text="6 to 8 weeks").hover()
        page.wait_for_timeout(300)
        page.screenshot(path=pictures / f"{name}.png")


CONTRAST = """
selector => {
  const node = document.querySelector(selector);
  const numbers = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const colours = [getComputedStyle(node).color, getComputedStyle(document.body).backgroundColor];
  const [a, b] = colours.map(numbers).map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
"""
