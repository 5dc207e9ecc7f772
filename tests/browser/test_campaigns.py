"""Marketing's way through a campaign in a real browser: from the segment to the file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.looking import check


def test_a_campaign_from_the_segment_to_the_file(visit, demo, pictures):
    page = visit(demo, role="marketing").open("/console/campaigns")
    page.get_by_label("Segment").select_option(label="Customers who have not ordered for two weeks")
    page.get_by_label("Goal").select_option(label="Win back who stopped ordering")
    page.get_by_label("Name").fill("Late autumn")
    page.get_by_role("button", name="Prepare the campaign").click()

    expect(page.get_by_role("heading", name="Late autumn")).to_be_visible()
    expect(page.get_by_text("left out: no permission on record")).to_be_visible()
    expect(page.locator(".sheet")).to_have_count(3)
    if pictures:
        page.screenshot(path=pictures / "campaign.png")
    check(page, "campaign prepared")
    page.get_by_role("button", name="Approve the words").click()
    page.get_by_role("button", name="Write the messages").click()
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=60_000)
    check(page, "campaign ready")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take as CSV").click()

    found = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text("utf-8-sig"), newline="")))
    assert len(found) >= 3
    assert len({row["to"] for row in found}) == len(found)
    assert all(row["text"] for row in found)


def test_a_segment_that_reaches_nobody_says_so_and_cannot_be_approved(visit, demo):
    page = visit(demo, role="marketing").open("/console/campaigns")
    page.get_by_label("Segment").select_option(label="German-speaking bakeries with a divider, quiet for four months")
    page.get_by_role("button", name="Prepare the campaign").click()

    expect(page.get_by_text("Nobody is left to write to")).to_be_visible()
    expect(page.get_by_role("button", name="Approve the words")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 400])
def test_the_page_of_campaigns_fits_a_narrow_screen(visit, demo, width):
    page = visit(demo, role="marketing", width=width, theme="dark").open("/console/campaigns")

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_rep_has_no_campaigns(visit, demo):
    made = visit(demo, role="rep", user_id="U-1")

    expect(made.page.get_by_role("link", name="Campaigns")).to_have_count(0)
