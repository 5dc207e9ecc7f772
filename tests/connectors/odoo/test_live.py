"""The whole way through a real Odoo 19, from webhook to button. Run by `bin/test -m long tests/connectors/odoo -s`.

The tests stand in the order of a day: the module is installed, a deal moves, our server dies, the network is cut,
events are missed, a mailing is prepared, a rep presses the button. `CRMPLUGIN_ODOO_PICTURES` names a
folder for pictures.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from connectors.odoo.connector import OdooConnector
from connectors.tracing import traced
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmRefused
from crmplugin.ports import CampaignMessage, CampaignPush
from tests.browser.conftest import chromium  # noqa: F401  the fixture of the browser tests
from tests.browser.served import Served, free_port
from tests.connectors.odoo.lab import DATABASE, Cable, Odoo, running_odoo
from tests.connectors.odoo.recording import connect
from tests.connectors.odoo.seeding import find, incoming, make, seed
from tests.work.servers import RUN, environ, wait_until

pytestmark = pytest.mark.long

PICTURES = os.environ.get("CRMPLUGIN_ODOO_PICTURES")
HOOK_SECRET = "s3cr3t-in-the-address-of-the-webhook"
PANEL_SECRET = "panel-secret-of-the-live-test-000000"
SETTINGS = """
public_url = "{address}"
var = "{var}"
masking = true
[connections.acme]
crm = "odoo"
base_url = "{odoo}"
database = "{database}"
api_key = "{key}"
webhook_secret = "{hook}"
panel_secret = "{panel}"
poll_minutes = 1
stages = {{ "Negotiation" = "negotiation" }}
[[playbook]]
when = "deal.stage_changed"
where = {{ stage_kind = ["negotiation"] }}
draft = ["negotiation_note", "follow_up"]
channel = "email"
"""
SELLER = {"format": "crmplugin-records/1", "seller": {
    "name": "Halden Controls", "legal_name": "Halden Controls GmbH", "country": "DE", "currency": "USD",
    "postal_address": "Torstraße 99, 10119 Berlin", "timezone": "Europe/Berlin"}}  # fmt: skip


@dataclass
class Live:
    """A real Odoo, our server, and the line between them."""

    odoo: Odoo
    cable: Cable
    var: Path
    port: int
    ids: dict[str, int]
    server: Any = None

    def serve(self) -> None:
        config = {"CRMPLUGIN_CONFIG": str(self.var.parent / "crmplugin.toml")}
        self.server = Served(self.var, "--port", str(self.port), "--no-demo", more=config)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = environ(self.var) | {"CRMPLUGIN_CONFIG": str(self.var.parent / "crmplugin.toml")}
        return subprocess.run([*RUN, *arguments], env=env, capture_output=True, text=True, timeout=120, check=False)

    def open_deal(self, name: str) -> int:
        """A new deal of Dana's, of the rep `demo`, whose first drafts are there."""
        owner = find(self.odoo.call, "res.users", ["login", "=", "demo"])
        deal = make(self.odoo.call, "crm.lead", name=name, type="opportunity", partner_id=self.ids["contact"],
                    user_id=owner)  # fmt: skip
        made = time.monotonic()
        # A stage that is set within two seconds of the making is the one it was made with.
        soon(lambda: len(self.drafts(deal)) == 2 and time.monotonic() - made > 3)
        return deal

    @property
    def connector(self) -> OdooConnector:
        return connect(self.odoo.url, DATABASE, self.odoo.key)

    def move(self, deal: int, stage: str) -> float:
        """Moves a deal as a person does, and gives back how long Odoo's own request took."""
        began = time.monotonic()
        stage_id = find(self.odoo.call, "crm.stage", ["name", "=", stage])
        self.odoo.call("crm.lead", "write", [deal], vals={"stage_id": stage_id})
        return time.monotonic() - began

    def drafts(self, deal: int) -> list[Any]:
        found = self.server.api("/api/v1/drafts?connection=acme&limit=200")["items"]
        return [one for one in found if one["about"] == {"type": "deal", "id": str(deal)}]

    def draft(self, deal: int, kind: str, *statuses: str, seconds: float = 60.0) -> Any:
        return soon(
            lambda: next((d for d in self.drafts(deal) if d["kind"] == kind and d["status"] in statuses), None), seconds
        )

    def approve(self, draft_id: str) -> None:
        headers = {"Authorization": f"Bearer {self.server._token}"}
        url = f"{self.server.address}/api/v1/drafts/{draft_id}/approve"
        answer = requests.post(url, json={}, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text

    def written(self, deal: int) -> tuple[list[Any], list[Any]]:
        """Our notes and activities on a deal, as an administrator sees them in Odoo."""
        ours = [["model", "=", "crm.lead"], ["res_id", "=", deal], ["message_id", "ilike", "crmplugin:"]]
        notes = self.odoo.call("mail.message", "search_read", domain=ours, fields=["message_id", "body"])
        ours = [["res_model", "=", "crm.lead"], ["res_id", "=", deal], ["note", "ilike", "Ref crmplugin:"]]
        tasks = self.odoo.call("mail.activity", "search_read", domain=ours, fields=["summary", "note"])
        return notes, tasks


def soon(condition: Any, seconds: float = 60.0) -> Any:
    """The first true answer."""
    kept: list[Any] = []
    wait_until(lambda: kept.append(condition()) or kept[-1], seconds)
    return kept[-1]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder, port = tmp_path_factory.mktemp("live"), free_port()
    with running_odoo() as odoo:
        cable, var = Cable(odoo.url), folder / "var"
        var.mkdir()
        text = SETTINGS.format(address=f"http://127.0.0.1:{port}", var=var, odoo=cable.url, database=DATABASE,
                               key=odoo.key, hook=HOOK_SECRET, panel=PANEL_SECRET)  # fmt: skip
        (folder / "crmplugin.toml").write_text(text, "utf-8")
        made = Live(odoo, cable, var, port, seed(odoo.call))
        (folder / "seller.json").write_text(json.dumps(SELLER), "utf-8")
        assert made.run("import", str(folder / "seller.json"), "--connection", "acme").returncode == 0
        made.serve()
        set_up(made)
        try:
            yield made
        finally:
            made.server.kill()
            cable.close()


def set_up(live: Live) -> None:
    """What the administrator does in Odoo's settings, the automation rules included."""
    address = f"http://127.0.0.1:{live.port}"
    values = {
        "crmplugin_url": address, "crmplugin_connection": "acme", "crmplugin_panel_secret": PANEL_SECRET,
        "crmplugin_webhook_url": f"{address}/webhooks/acme?token={HOOK_SECRET}",
    }  # fmt: skip
    settings = make(live.odoo.call, "res.config.settings", **values)
    live.odoo.call("res.config.settings", "action_crmplugin_rules", [settings])


def test_modules_own_tests_are_green(live):
    found = re.search(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", live.odoo.tested)

    assert found is not None
    assert (found[1], found[2]) == ("0", "0")
    assert int(found[3]) >= 11


def test_connection_is_well_and_a_key_of_more_than_90_days_is_refused(live):
    done = live.run("connections", "test", "acme", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    refused = live.odoo.shell(
        "bot = env['res.users'].search([('login', '=', 'crmplugin-live')])\n"
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


def test_three_events_missed_while_down_become_drafts(live):
    deals = [live.open_deal(f"Missed {n}") for n in range(3)]
    live.server.kill()
    for deal in deals:
        live.move(deal, "Negotiation")
    live.serve()
    began = time.monotonic()

    for deal in deals:
        live.draft(deal, "negotiation_note", "written", "proposed", seconds=100)

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


def test_segment_leaves_out_opt_outs_and_the_blacklist(live):
    call = live.odoo.call
    list_id = make(call, "mailing.list", name="Filters")
    people = {
        name: make(call, "mailing.contact", name=name, email=f"{name}@orbis.example", list_ids=[[6, 0, [list_id]]])
        for name in ("iris", "out", "black", "fine")
    }
    partner = make(call, "res.partner", name="Iris Falk", email="iris@orbis.example")
    out = find(call, "mailing.subscription", ["contact_id", "=", people["out"]], ["list_id", "=", list_id])
    call("mailing.subscription", "write", [out], vals={"opt_out": True})
    make(call, "mail.blacklist", email="black@orbis.example")

    page = live.connector.find_segment(f"list:{list_id}")

    members = {contact["email"]: contact["id"] for contact in page.contacts}
    assert members["iris@orbis.example"] == str(partner)
    assert set(page.opted_out["email"]) == {members["out@orbis.example"], members["black@orbis.example"]}


def test_campaign_is_one_mailing_that_waits(live):
    message = CampaignMessage(str(live.ids["contact"]), "dana@orbis.example", "Filters", "Hello")
    push = CampaignPush("c-1", "Autumn", "email", "en", "Filters", "Hello", "<p>Hello</p>", (message,))

    first, second = (
        live.connector.push_campaign(push, marker="crmplugin:c-live", at=datetime.now(UTC)) for _ in range(2)
    )

    fields = ["state", "subject", "mailing_domain", "mailing_model_real"]
    (mailing,) = live.odoo.call("mailing.mailing", "search_read", fields=fields,
                                domain=[["name", "ilike", "crmplugin:c-live"]])  # fmt: skip
    assert first == second == f"mailing.mailing:{mailing['id']}"
    assert (mailing["state"], mailing["mailing_model_real"]) == ("draft", "res.partner")


def test_deleted_key_and_missing_rights_are_told(live):
    with pytest.raises(CrmRefused, match="Invalid apikey"):
        connect(live.odoo.url, DATABASE, "0" * 40).read_context(Subject("deal", "1"))


def test_eighteen_and_seventeen_s_way_in_reads_the_same(live):
    subject = Subject("deal", str(live.ids["deal"]))
    old = OdooConnector(
        "acme",
        {"base_url": live.odoo.url, "database": DATABASE, "api_key": live.odoo.key, "webhook_secret": HOOK_SECRET,
         "protocol": "xmlrpc", "login": "crmplugin-live"},
        live.connector._services,
    )  # fmt: skip

    assert old.read_context(subject).orders == live.connector.read_context(subject).orders


def test_two_hundred_reads_at_eight_in_parallel(live):
    connector, subject = live.connector, Subject("deal", str(live.ids["deal"]))
    connector.read_context(subject)
    with traced() as trace:
        connector.read_context(subject)
    began = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: connector.read_context(subject), range(200)))

    took_s = time.monotonic() - began
    print(f"\n200 whole deals at 8 in parallel: {took_s:.1f} s, {took_s / 200 * 1000:.0f} ms each")
    assert (len(trace.calls), trace.rounds) == (1, 1)
    assert all(len(context.orders) == 5 for context in read)


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
    page.close()
    assert shown == draft["subject"]
    assert audit["created_by"] == f"user:{demo}"
    _, tasks = live.written(deal)
    assert sum(f"Ref crmplugin:{draft['id']}" in task["note"] for task in tasks) == 1


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
