"""The panel in the frames of other sites: their sizes and sandboxes, cookies blocked, opened once by a signed link."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

FULL = "allow-scripts allow-same-origin allow-forms allow-popups allow-downloads"
FRAMES = {
    "hubspot": (600, 700, "allow-scripts allow-same-origin allow-forms allow-popups"),
    "salesforce": (400, 500, FULL),
    "pipedrive": (360, 600, "allow-scripts allow-same-origin allow-forms allow-popups allow-modals"),
    "zoho": (480, 500, "allow-scripts allow-same-origin allow-forms"),
    "dynamics": (320, 480, None),
    "odoo": (900, 640, None),
    "twenty": (420, 640, "allow-scripts"),
    "espocrm": (700, 500, FULL),
}
"""Width, height and sandbox of the frame that each CRM shows a page of ours in; None: no sandbox."""
FRAME = """<!doctype html><html lang=en><title>A CRM</title><h1>Deal</h1>
<iframe title="Sales assistant" src="{src}" width="{width}" height="{height}"{sandbox}></iframe>"""


@pytest.fixture
def crm(visit, demo, host):
    """`crm(link, "hubspot")`: a page of another site that frames the panel; gives back the visit and the frame."""

    def _crm(link: str, name: str = "salesforce", **options):
        width, height, sandbox = FRAMES[name]
        seen = visit(demo, role=None, width=width + 40, height=height + 120, **options)
        origin, pages = host
        attribute = "" if sandbox is None else f' sandbox="{sandbox}"'
        pages[f"/{name}"] = FRAME.format(src=link.replace("&", "&amp;"), width=width, height=height, sandbox=attribute)
        seen.page.goto(f"{origin}/{name}")
        return seen, seen.page.frame_locator("iframe")

    return _crm


@pytest.mark.parametrize("name", FRAMES)
def test_the_panel_works_in_the_frame_of_each_crm(crm, demo, name):
    """A prepared draft is there, a sentence shows its facts, a click writes another, the customer is a tab away."""
    demo.draft(kind="follow_up", deal_id="D-106")
    seen, frame = crm(demo.panel_link("D-106", "U-1"), name)

    expect(frame.locator(".sheet .text")).to_contain_text("Frau Aebersold")
    frame.locator(".s.supported").first.click()
    expect(frame.locator("#drawer .fact, #proof .fact.lit").first).to_be_visible()
    frame.get_by_role("link", name="Customer", exact=True).click()
    expect(frame.locator(".timeline")).to_contain_text("from the customer")
    frame.get_by_role("link", name="Draft", exact=True).click()
    frame.get_by_role("button", name="Summary").click()
    expect(frame.locator(".draft-head")).to_contain_text("Summary")
    expect(frame.locator(".seal")).to_be_visible()

    assert seen.context.cookies() == []
    inside = seen.page.frames[1]
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_prepared_draft_can_be_approved_in_the_frame(crm, demo):
    demo.draft(kind="follow_up", deal_id="D-106")
    _, frame = crm(demo.panel_link("D-106", "U-1"))

    expect(frame.locator("#approve-effect")).to_contain_text("It becomes one activity of the record in the local CRM.")
    frame.locator("#approve").click()

    expect(frame.locator(".seal")).to_contain_text("Written to the local CRM")


def test_another_version_keeps_my_words_in_the_frame(crm, demo):
    demo.draft(kind="follow_up", deal_id="D-106")
    _, frame = crm(demo.panel_link("D-106", "U-1"), "odoo")
    frame.get_by_role("link", name="Edit").click()
    body = frame.get_by_label("Text", exact=True)
    expect(body).to_be_focused()
    was = body.input_value()
    body.fill(was.replace("\n\n", "\n\nThank you for your patience.\n\n", 1))
    frame.get_by_role("button", name="Save and check").click()
    expect(frame.locator(".sheet .text")).to_contain_text("Thank you for your patience.")

    frame.get_by_text("Another version", exact=True).click()
    expect(frame.get_by_label("Keep my changes in the text")).to_be_checked()
    frame.get_by_role("button", name="Write another version").click()

    expect(frame.locator(".draft-head")).to_contain_text("Waiting for you")
    expect(frame.locator(".sheet .text")).to_contain_text("Thank you for your patience.")


REFUSED = "Open the panel from the CRM again; your drafts are safe."


def test_a_link_opens_once(crm, demo):
    link = demo.panel_link("D-104", "U-1")
    _, first = crm(link)
    expect(first.locator("main")).to_be_visible()

    _, frame = crm(link)

    expect(frame.locator("#problem")).to_contain_text(REFUSED)


def test_a_forged_link_is_refused_with_a_sentence(crm, demo):
    link = re.sub(r"deal=D-104", "deal=D-105", demo.panel_link("D-104", "U-1"))

    _, frame = crm(link)

    expect(frame.locator("#problem")).to_contain_text(REFUSED)
    expect(frame.locator("#problem")).to_contain_text("was not made here or was changed")


def test_a_link_that_is_too_old_is_refused_in_the_readers_language(crm, demo):
    _, frame = crm(demo.panel_link("D-104", "U-1", age_s=3600), locale="de-DE")

    expect(frame.locator("#problem")).to_contain_text("Öffnen Sie das Panel im CRM noch einmal")


def test_a_pass_that_is_over_says_how_to_come_back(crm, demo):
    """What is on the page stays; what is asked for with the old pass is refused in words."""
    demo.draft(kind="follow_up", deal_id="D-106")
    seen, frame = crm(demo.panel_link("D-106", "U-1"))
    expect(frame.locator("#approve")).to_be_visible()
    over = {"authorization": "Bearer of-yesterday"}
    seen.page.route("**/pages**", lambda route: route.continue_(headers={**route.request.headers, **over}))

    frame.get_by_role("button", name="Summary").click()

    expect(frame.locator("#notice")).to_contain_text("You are signed out. Your time in this panel is over")
    expect(frame.locator("#approve")).to_be_visible()


def test_a_refused_launch_shows_nothing_of_the_console(crm, demo):
    _, frame = crm(demo.panel_link("D-104", "U-1", age_s=3600))

    expect(frame.locator("#problem")).to_be_visible()
    expect(frame.locator("header, nav")).to_have_count(0)


def test_a_colleagues_deal_is_not_shown(crm, demo):
    _, frame = crm(demo.panel_link("D-104", "U-2"))

    expect(frame.locator("#problem")).to_contain_text("This record is not yours")


def test_a_site_that_was_not_named_may_not_frame_the_panel(visit, demo, host):
    seen = visit(demo, role=None)
    origin, pages = host
    link = demo.panel_link("D-104", "U-1")
    pages["/other"] = FRAME.format(src=link.replace("&", "&amp;"), width=400, height=400, sandbox="")

    seen.page.goto(origin.replace("localhost", "127.0.0.1") + "/other")

    expect(seen.page.frame_locator("iframe").locator("main")).to_have_count(0)
    seen.complaints.clear()
    seen.origins.clear()
