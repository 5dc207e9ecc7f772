"""The whole way through a real Odoo 19, from webhook to button. Run by `bin/test -m long tests/connectors/odoo -s`.

The tests stand in the order of a day: the module is installed, a deal moves, our server dies, the network is cut,
events are missed, a rep presses the button. `CRMPLUGIN_ODOO_PICTURES` names a folder for pictures.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from crmplugin.domain.crm import Subject
from tests.browser.conftest import chromium  # noqa: F401  the fixture of the browser tests
from tests.connectors.odoo.live import Live, soon
from tests.connectors.odoo.seeding import find, incoming, make

pytestmark = pytest.mark.long

PICTURES = os.environ.get("CRMPLUGIN_ODOO_PICTURES")


def test_modules_own_tests_are_green(live):
    found = re.search(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", live.odoo.tested)

    assert found is not None
    assert (found[1], found[2]) == ("0", "0")
    assert int(found[3]) >= 11


def test_connection_is_well_and_a_key_of_more_than_90_days_is_refused(live):
    done = live.run("connections", "test", "acme", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    refused = live.odoo.shell(
        "bot = env['res.users'].search([('login', '=', 'crmplugin-sales')])\n"
        "from datetime import datetime, timedelta\n"
        "own = env['res.users.apikeys'].with_user(bot)\n"
        "try:\n    own._check_expiration_date(datetime.now() + timedelta(days=91))\n"
        "except Exception as error:\n    print('SAID', error)\n\n"
    )
    assert "SAID You cannot exceed 90" in refused


def test_moved_deal_becomes_one_note_and_one_activity_whatever_dies(live):
    deal = live.ids["moved"] = live.open_deal("Line 4 controls")
    took_s = live.move(deal, "Negotiation")
    note, mail = (live.draft(deal, kind, "written", "proposed") for kind in ("negotiation_note", "follow_up"))

    live.cable.cut()
    live.approve(mail["id"])
    live.server.kill()
    live.serve()
    live.cable.mend()
    live.draft(deal, "follow_up", "written", seconds=180)
    live.draft(deal, "negotiation_note", "written", seconds=180)

    notes, tasks = live.written(deal)
    assert took_s < 1.0
    assert [one["message_id"] for one in notes].count(f"<crmplugin:{note['id']}@crmplugin>") == 1
    assert len(tasks) == 1
    assert f"Ref crmplugin:{mail['id']}" in tasks[0]["note"]
    facts = live.server.api(f"/api/v1/drafts/{mail['id']}")["facts"]
    assert any("order" in source["object"] for fact in facts for source in fact["source"]), "of real orders"


def test_answers_that_get_lost_and_a_server_that_dies_then_still_make_one(live):
    """Odoo has the note, and then the activity, when the line goes; our server dies before it can look."""
    deal = live.open_deal("Line 5 controls")
    live.cable.swallow("/message_post")
    live.move(deal, "Negotiation")
    soon(lambda: live.cable.swallowed == 1)
    live.restart()
    live.draft(deal, "negotiation_note", "written", seconds=180)
    mail = live.draft(deal, "follow_up", "proposed")
    live.cable.swallow("/mail.activity/load")
    live.approve(mail["id"])
    soon(lambda: live.cable.swallowed == 2)
    live.restart()
    live.draft(deal, "follow_up", "written", seconds=180)

    notes, tasks = live.written(deal)
    assert (len({one["message_id"] for one in notes}), len(notes), len(tasks)) == (3, 3, 1)


def test_three_events_missed_while_down_become_drafts(live):
    """Our server even dies while it reads: the place of the dead reader must not keep the next one waiting."""
    deals = [live.open_deal(f"Missed {n}") for n in range(3)]
    soon(live.is_read, 90)
    live.server.kill()
    for deal in deals:
        live.move(deal, "Negotiation")
    live.serve()
    began = time.monotonic()

    for deal in deals:
        live.draft(deal, "negotiation_note", "written", "proposed", seconds=120)

    print(f"\nthree missed events were drafts {time.monotonic() - began:.0f} s after the start (interval 60 s)")


def test_what_we_wrote_ourselves_made_no_draft(live):
    drafts = live.drafts(live.ids["moved"])
    events = live.server.api("/api/v1/events?connection=acme&limit=200")["items"]
    notes, tasks = live.written(live.ids["moved"])

    kinds = sorted(draft["kind"] for draft in drafts)
    assert kinds == ["follow_up", "meeting_brief", "negotiation_note", "qualification"]
    assert (len(notes), len(tasks)) == (3, 1)
    assert [event for event in events if event["state"] == "dead"] == []


def test_mail_that_comes_in_is_told(live):
    deal = make(live.odoo.call, "crm.lead", name="Question", type="opportunity", partner_id=live.ids["contact"])
    message = incoming(live.odoo.call, deal, live.ids["contact"], "Can you deliver on Friday?")

    events = soon(
        lambda: [e for e in live.server.api("/api/v1/events?connection=acme&limit=200")["items"]
                 if e["type"] == "message.received" and e["state"] == "done"], 60
    )  # fmt: skip
    context = live.connector.read_context(Subject("activity", f"message:{message}"))

    assert events
    assert (context.activity.direction, context.deal.id) == ("inbound", str(deal))


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.wait_for_timeout(400)
        page.screenshot(path=str(Path(PICTURES) / f"odoo-{name}.png"))


def signed_in(browser: Browser, live: Live, login: str) -> Page:
    page = browser.new_page(viewport={"width": 1180, "height": 760})
    page.goto(f"{live.odoo.url}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", login)
    page.click("button[type=submit]")
    page.wait_for_selector(".o_main_navbar")
    return page


def test_button_is_pressed_in_a_real_browser(live, chromium):  # noqa: F811
    page = signed_in(chromium, live, "demo")
    deal = live.open_deal("Two more controllers")
    page.goto(f"{live.odoo.url}/odoo/crm.lead/{deal}")
    page.wait_for_selector("button[name=action_crmplugin_draft]")
    picture(page, "button")
    page.click("button[name=action_crmplugin_draft]")
    page.wait_for_selector(".modal button[name=action_start]")
    page.fill(".modal [name=instruction] textarea", "Mention the visit")
    picture(page, "wizard")
    page.click(".modal button[name=action_start]")

    page.wait_for_selector(".modal button[name=action_approve]:visible", timeout=60_000)
    picture(page, "draft")
    draft = live.draft(deal, "follow_up", "proposed")
    page.click(".modal button[name=action_approve]")
    page.wait_for_selector(".modal .o_mail_composer_form_view, .modal [name=partner_ids]", timeout=60_000)
    picture(page, "composer")

    live.draft(deal, "follow_up", "written", seconds=60)
    shown = page.locator(".modal [name=subject] input").input_value()
    audit = live.server.api(f"/api/v1/drafts/{draft['id']}")
    demo = find(live.odoo.call, "res.users", ["login", "=", "demo"])
    _, tasks = live.written(deal)
    page.click(".modal button[name=action_send_mail]")
    page.wait_for_selector(".modal", state="detached")
    page.close()
    assert shown == draft["subject"]
    assert audit["created_by"] == f"user:{demo}"
    assert sum(f"Ref crmplugin:{draft['id']}" in task["note"] for task in tasks) == 1
    assert live.written(deal)[1] == [], "the mail was sent, so nothing is left to do"
    sent = [["model", "=", "crm.lead"], ["res_id", "=", deal], ["subject", "=", shown]]
    assert live.odoo.call("mail.message", "search_count", domain=sent) == 1


def test_button_of_a_contact_opens_the_same_window(live, chromium):  # noqa: F811
    page = signed_in(chromium, live, "demo")
    page.set_viewport_size({"width": 1600, "height": 760})
    page.goto(f"{live.odoo.url}/odoo/res.partner/{live.ids['contact']}")
    page.click("button[name=action_crmplugin_draft]")
    page.wait_for_selector(".modal button[name=action_start]")
    picture(page, "contact")
    page.click(".modal button[name=action_start]")
    page.wait_for_selector(".modal [name=status]:has-text('Waits for you'), .modal [name=reason]", timeout=60_000)
    page.close()


def test_window_tells_once_that_the_assistant_does_not_answer(live, chromium):  # noqa: F811
    page = signed_in(chromium, live, "demo")
    page.goto(f"{live.odoo.url}/odoo/crm.lead/{live.ids['moved']}")
    page.click("button[name=action_crmplugin_draft]")
    page.wait_for_selector(".modal button[name=action_start]")
    live.server.kill()
    page.click(".modal button[name=action_start]")
    page.wait_for_selector("text=The assistant does not answer", timeout=60_000)
    picture(page, "silent")
    live.serve()
    page.close()


def test_administrator_finds_the_settings(live, chromium):  # noqa: F811
    page = signed_in(chromium, live, "admin")
    page.goto(f"{live.odoo.url}/odoo/settings")
    page.locator(".settings_tab [data-key=crm]").first.click()
    rules = page.locator("button[name=action_crmplugin_rules]")
    rules.scroll_into_view_if_needed()
    picture(page, "settings")
    rules.click()
    page.wait_for_selector(".o_notification")
    page.close()

    found = live.odoo.call("base.automation", "search_count", domain=[["name", "=", "Deal assistant"]])
    assert found == 3
