"""How pages look and hold: widths, themes, languages, hostile content. Also makes the pictures."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

HOSTILE = '<script>document.title="owned"</script><img src=x onerror=document.title="owned">\u202e\u2066"\'&amp;'
LONG = "Verwaltungsgesellschaftsgebäudereinigungsmittelhersteller " * 40


def test_dark_and_light_are_different_and_readable(visit, demo):
    for theme in ("light", "dark"):
        page = visit(demo, theme=theme).page
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate(CONTRAST, "h1") >= 7
        assert page.evaluate(CONTRAST, ".soft") >= 4.5


def test_on_a_narrow_page_the_proof_comes_up_from_below(visit, demo):
    demo.wait_for_event("demo-1")  # it brings the mail that the draft answers
    draft = demo.draft(kind="follow_up", deal_id="D-142")["id"]
    page = visit(demo, width=400, height=760).open(f"/console/drafts/{draft}")
    place = page.locator(".s", has_text="6 to 8 weeks")

    place.click()

    expect(page.locator("#drawer")).to_contain_text("lead time of Spira 60 Plus")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#drawer")).to_be_hidden()
    expect(place).to_be_focused()


@pytest.mark.parametrize(
    ("locale", "heading"),
    [
        ("de-DE", "Wartet auf Sie"),
        ("fr-FR", "En attente de vous"),
        ("es-MX", "Le esperan"),
        ("pt-BR", "Waiting for you"),
    ],
)
def test_the_interface_speaks_the_browsers_language(visit, demo, locale, heading):
    page = visit(demo, locale=locale, width=320).page

    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == (locale[:2] if locale[:2] != "pt" else "en")
    for path in ("/console/rules", "/console/people", "/console/figures", "/console/new?about=deal:D-101"):
        page.goto(demo.address + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (locale, path)


def test_a_name_from_right_to_left_breaks_no_line(visit, demo):
    company = {"id": "CO-R", "name": "مخبز النور للحلويات", "country": "AE"}
    deal = {"id": "D-R", "name": "فرن جديد", "company_id": "CO-R", "owner_id": "U-2", "amount": "900.00",
            "currency": "GBP", "status": "open", "stage": "Proposal", "stage_kind": "proposal"}  # fmt: skip
    demo.webhook(
        {
            "id": "evt-r",
            "type": "contact.changed",
            "at": "2026-01-01T00:00:00Z",
            "object": {"type": "company", "id": "CO-R"},
            "records": {"companies": [company], "deals": [deal]},
        }
    )
    note = demo.draft(kind="summary", deal_id="D-R")
    page = visit(demo, width=400).open(f"/console/drafts/{note['id']}")

    head = page.locator(".draft-head p")
    expect(head).to_have_text("Summary · فرن جديد · £900 · Waiting for you")
    name, amount = head.locator("bdi").bounding_box(), head.locator(".number").bounding_box()
    assert name["x"] < amount["x"]


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

    draft = f"/console/drafts/{note['id']}"
    for path in (draft, f"{draft}?edit=1", f"{draft}/facts", "/console?show=held", "/console?show=done",
                 "/console/records/local/deals/D-X", "/console/records/local/companies/CO-X",
                 "/console/records/local/contacts/C-X", "/console/new?q=script", "/console/new?about=deal:D-X",
                 "/console/deals?by=changed&health=1", "/console/events", "/console/people",
                 f"/console/audit?draft={note['id']}"):  # fmt: skip
        page = seen.open(path)
        assert page.title() != "owned", path
        assert page.locator("img").count() == 0, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_hostile_names_are_text_in_the_panel_too(visit, demo):
    mail = {"id": "A-HX", "type": "email", "direction": "inbound", "at": "2026-01-02T00:00:00Z", "deal_id": "D-106",
            "company_id": "CO-06", "subject": HOSTILE, "body": HOSTILE + " 😀" * 500}  # fmt: skip
    demo.webhook({"id": "evt-hx", "type": "contact.changed", "at": "2026-01-01T00:00:00Z",
                  "object": {"type": "deal", "id": "D-106"}, "records": {"activities": [mail]}})  # fmt: skip
    page = visit(demo, role=None, width=400).page
    page.goto(demo.panel_link("D-106", "U-1"))

    page.get_by_role("link", name="Customer", exact=True).click()

    expect(page.locator(".timeline")).to_contain_text("<script>document.title")
    assert page.title() != "owned"
    assert page.locator("img").count() == 0


PICTURES = (
    ("console", "/console", 1280, "light", "a.row:has-text('Lanternhouse')", ".s:has-text('6 to 8 weeks')"),
    ("console-dark", "/console", 1280, "dark", "a.row:has-text('Lanternhouse')", ".s:has-text('6 to 8 weeks')"),
    ("console-narrow", "/console", 400, "light", "a.row:has-text('Lanternhouse')", None),
    ("waiting", "/console", 1280, "light", None, None),
    ("deals", "/console/deals?health=1", 1280, "light", None, None),
    ("customer", "/console/records/local/companies/CO-01", 1280, "light", None, None),
    ("rules", "/console/rules?collection=policy", 1280, "dark", None, None),
)
"""Name, page, width, theme, what is clicked, what the pointer rests on."""


def test_pictures_of_the_console(visit, demo, pictures):
    """Shows the README what a reader would see; only where CRMPLUGIN_PICTURES names a folder."""
    for name, path, width, theme, clicked, pointed in PICTURES if pictures else ():
        page = visit(demo, width=width, height=860, theme=theme).page
        expect(page.locator("a.row", has_text="Lanternhouse").first).to_be_visible(timeout=90_000)
        page.goto(demo.address + path)
        if clicked:
            page.locator(clicked).first.click()
        if pointed:
            page.locator(pointed).hover()
        page.wait_for_timeout(400)
        page.screenshot(path=pictures / f"{name}.png")


def test_pictures_of_the_panel(visit, demo, pictures):
    """The panel as wide as a CRM shows it, in both themes."""
    for theme in ("light", "dark") if pictures else ():
        demo.draft(kind="follow_up", deal_id="D-103")
        page = visit(demo, role=None, width=400, height=860, theme=theme).page
        page.goto(demo.panel_link("D-103", "U-2"))
        page.locator(".sheet .text").wait_for()
        page.wait_for_timeout(400)
        page.screenshot(path=pictures / f"panel{'-dark' if theme == 'dark' else ''}.png")


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
