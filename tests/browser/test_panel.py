"""The panel in the frame of another site: sandboxed, narrow, cookies blocked, opened once by a signed link."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

FRAME = """<!doctype html><title>A CRM</title><h1>Deal</h1>
<iframe src="{src}" width="400" height="700" sandbox="allow-scripts allow-same-origin allow-forms"></iframe>"""


@pytest.fixture
def crm(visit, demo, host):
    """`crm(link)`: a page of another site that frames the panel; gives back the visit and the frame."""

    def _crm(link: str):
        seen = visit(demo, role=None, width=500)
        origin, pages = host
        pages["/deal"] = FRAME.format(src=link.replace("&", "&amp;"))
        seen.page.goto(f"{origin}/deal")
        return seen, seen.page.frame_locator("iframe")

    return _crm


def test_the_prepared_draft_is_there_and_can_be_approved(crm, demo):
    demo.draft(kind="follow_up", deal_id="D-104")
    seen, frame = crm(demo.panel_link("D-104", "U-1"))

    expect(frame.locator(".sheet .text")).to_contain_text("Guten Tag Herr Steinhuber,")
    frame.locator("#approve").click()

    expect(frame.locator(".seal")).to_contain_text("Written to the local CRM")
    assert seen.context.cookies() == []


def test_one_click_writes_another_draft_in_the_frame(crm, demo):
    _, frame = crm(demo.panel_link("D-112", "U-1"))

    frame.get_by_role("button", name="Meeting brief").click()

    expect(frame.locator(".draft-head")).to_contain_text("Meeting brief")
    expect(frame.locator(".sheet")).to_be_visible()


def test_a_link_opens_once(crm, demo):
    link = demo.panel_link("D-104", "U-1")
    crm(link)

    _, frame = crm(link)

    expect(frame.locator("#problem")).to_contain_text("open the panel from the CRM again")


def test_a_forged_link_is_refused_with_a_sentence(crm, demo):
    link = re.sub(r"deal=D-104", "deal=D-105", demo.panel_link("D-104", "U-1"))

    _, frame = crm(link)

    expect(frame.locator("#problem")).to_contain_text("was not made here or was changed")


def test_a_colleagues_deal_is_not_shown(crm, demo):
    _, frame = crm(demo.panel_link("D-104", "U-2"))

    expect(frame.locator("#problem")).to_contain_text("of yours")
