"""Every state a draft can be in, as a person meets it: both themes, three widths, and nothing an automated check of
accessibility objects to."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from crmplugin.store.drafts import DraftStore
from tests.browser.looking import check
from tests.browser.words import SLOWLY

PAGES = (
    "/console", "/console?show=closed", "/console/new", "/console/new?about=deal:D-101", "/console/deals",
    "/console/campaigns", "/console/figures", "/console/events", "/console/jobs", "/console/connections",
    "/console/rules", "/console/rules?collection=policy", "/console/prompts", "/console/styles",
    "/console/audit?look=1", "/console/people", "/console/records/local/deals/D-101",
    "/console/records/local/companies/CO-01", "/sign-in",
)  # fmt: skip

PANELS = (("D-112", "U-1", "ready"), ("D-S1", "U-2", "blocked"), ("D-S2", "U-2", "quiet"))
"""Deal, its owner, and the state that its panel opens with."""
CONSENT = {"email": {"state": "withdrawn", "at": "2026-01-01T00:00:00Z"}}
SILENT = {
    "companies": [{"id": "CO-S", "name": "Silent Mills Ltd", "country": "GB", "owner_id": "U-2"}],
    "contacts": [
        {"id": "C-S1", "company_id": "CO-S", "first_name": "Ida", "last_name": "Moss", "email": "ida@silent.example",
         "consent": CONSENT},
        {"id": "C-S2", "company_id": "CO-S", "first_name": "Ned", "last_name": "Moss", "email": "ned@silent.example"},
    ],
    "deals": [
        {"id": f"D-S{n}", "name": f"Mill {n}", "company_id": "CO-S", "contact_ids": [f"C-S{n}"],
         "primary_contact_id": f"C-S{n}", "owner_id": "U-2", "pipeline": "P", "stage": "New", "stage_kind": "new",
         "status": "open", "created_at": "2026-01-05T09:00:00Z"}
        for n in (1, 2)
    ],
}  # fmt: skip
"""A contact who wants no mail, and one to whom there is nothing to say."""


@pytest.fixture(scope="module")
def states(demo):
    """A draft in each state: text to read, needing the person, failed, held back, nothing to say, stopped."""
    ready = demo.draft(kind="summary", deal_id="D-112")["id"]
    needs = demo.draft(kind="summary", deal_id="D-112")
    demo.edit(needs["id"], needs["body"] + "\nWe promised them 35 % off.")
    failed = demo.draft(kind="summary", deal_id="D-112", wait=0)["id"]
    demo.store(lambda engine: _fail(DraftStore(engine), failed))
    demo.webhook({"id": "evt-states", "type": "contact.changed", "at": "2026-01-01T00:00:00Z",
                  "object": {"type": "contact", "id": "C-S1"}, "records": SILENT})  # fmt: skip
    blocked = demo.draft(kind="pitch", deal_id="D-S1")
    quiet = demo.draft(kind="follow_up", deal_id="D-S2")
    assert (blocked["status"], quiet["status"]) == ("blocked", "no_message")
    return {"ready": ready, "needs": needs["id"], "failed": failed, "blocked": blocked["id"], "quiet": quiet["id"]}


def _fail(store: DraftStore, draft_id: str) -> None:
    """Makes a draft a failed one, as a job that gives up does."""
    row = store.get(draft_id)
    if row.status == "writing":
        store.move(draft_id, "failed", at=datetime.now(UTC), reason="x", problem="the CRM did not answer: try again")


def test_every_page_is_accessible_and_fits(visit, demo):
    seen = visit(demo)
    expect(seen.page.locator("a.row").first).to_be_visible(timeout=90_000)

    for path in PAGES:
        page = seen.open(path)
        if page.locator("main[data-later]").count():
            expect(page.locator(".next-step").first).to_be_visible(timeout=90_000)
        check(page, path)


def test_every_state_is_accessible_and_fits(visit, demo, states):
    page = visit(demo).page

    for state, draft in states.items():
        page.goto(f"{demo.address}/console/drafts/{draft}")
        expect(page.locator(".sheet")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
        check(page, state)
    page.goto(f"{demo.address}/console/drafts/{states['needs']}?edit=1")
    check(page, "editing")


def test_the_panel_of_each_state_is_accessible_and_fits(visit, demo, states):
    """The panel of a record shows its newest draft; each of its tabs and folds."""
    for deal, user, state in PANELS:
        page = visit(demo, role=None).page
        page.goto(demo.panel_link(deal, user))
        expect(page.locator("main")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
        check(page, f"panel {state}")
    page.get_by_role("link", name="Customer", exact=True).click()
    expect(page.locator(".timeline")).to_be_visible()
    check(page, "panel customer")
    page.goto(demo.panel_link("D-112", "U-1", age_s=3600))
    expect(page.locator("#problem")).to_be_visible()
    check(page, "panel refused")


def test_what_needs_the_person_says_why_and_cannot_be_approved(visit, demo, states):
    page = visit(demo).open(f"/console/drafts/{states['needs']}")

    expect(page.locator(".s.needs")).to_have_text("We promised them 35 % off.")
    expect(page.locator(".reason")).to_contain_text("No record says so")
    expect(page.locator("#approve")).to_have_attribute("aria-disabled", "true")


def test_an_override_takes_a_name_and_a_reason(visit, demo):
    draft = demo.draft(kind="summary", deal_id="D-112")
    demo.edit(draft["id"], draft["body"] + "\nTheir baker likes tea.\nWe promised them 20 % off.")
    page = visit(demo, role="manager").open(f"/console/drafts/{draft['id']}")

    page.get_by_text("Approve in spite of it").first.click()
    page.get_by_label("Your reason").fill("Agreed on the phone today.")
    page.get_by_role("button", name="Approve in spite of it").click()

    expect(page.locator(".seal.good")).to_contain_text("by manager")
    expect(page.locator(".history")).to_contain_text("Agreed on the phone today.")


def test_a_failed_draft_says_the_cause_and_is_tried_again(visit, demo):
    draft = demo.draft(kind="summary", deal_id="D-112", wait=0)["id"]
    demo.store(lambda engine: _fail(DraftStore(engine), draft))
    page = visit(demo).open(f"/console/drafts/{draft}")
    if page.locator(".outcome").count():
        expect(page.locator(".outcome")).to_contain_text("Nothing was written to the CRM.")
        page.get_by_role("button", name="Try again").click()

    expect(page.locator(".seal.good")).to_be_visible()


def test_offline_is_said_and_nothing_is_lost(visit, modelled):
    seen = visit(modelled)
    page = seen.open("/console/new?about=deal:D-1")
    page.get_by_label("Anything it should take into account?").fill("be brief")
    seen.context.set_offline(True)

    page.get_by_role("button", name="Write the draft").click()

    expect(page.locator("#bar")).to_contain_text("You are offline.")
    expect(page.locator("#notice")).to_contain_text("Nothing is lost")
    expect(page.get_by_label("Anything it should take into account?")).to_have_value("be brief")
    seen.context.set_offline(False)
    page.get_by_role("button", name="Write the draft").click()
    expect(page.locator("#approve")).to_be_visible()
    seen.complaints.clear()


def test_signed_out_in_the_middle_leads_to_the_door(visit, demo, states):
    seen = visit(demo)
    page = seen.open(f"/console/drafts/{states['ready']}")
    seen.context.clear_cookies()

    page.get_by_role("link", name="Edit").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_what_takes_long_says_for_how_long(visit, modelled, pace):
    page = visit(modelled).open("/console/new?about=deal:D-1")
    held: list[Any] = []
    page.route("**/console/drafts", lambda route: held.append(route))

    page.get_by_label("Anything it should take into account?").fill(SLOWLY)
    page.get_by_role("button", name="Write the draft").click()

    expect(page.locator("#bar")).to_have_text(re.compile("Still working, [2-9] seconds so far"))
    held[0].continue_()
    expect(page.locator("#stream-text .arriving")).to_be_visible()
    expect(page.locator("#bar")).to_be_hidden()


def test_nothing_moves_for_who_wants_that(visit, modelled):
    page = visit(modelled, reduced_motion="reduce").page

    moving = "[...document.querySelectorAll('*')].filter(n => parseFloat(getComputedStyle(n).transitionDuration) > 0)"
    assert page.evaluate(f"{moving}.length") == 0
