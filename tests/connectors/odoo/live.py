"""A real Odoo, our server before it, and the line between them, for the long tests."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from connectors.odoo.connector import OdooConnector
from tests.browser.served import Served, free_port
from tests.connectors.odoo.lab import DATABASE, Cable, Odoo, running_odoo
from tests.connectors.odoo.recording import connect
from tests.connectors.odoo.seeding import find, make, seed
from tests.work.servers import RUN, environ, wait_until

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

    def restart(self) -> None:
        """Our server dies and is started again."""
        self.server.kill()
        self.serve()

    def is_read(self) -> bool:
        """Whether our server reads Odoo just now."""
        with closing(sqlite3.connect(f"file:{self.var}/crmplugin.sqlite?mode=ro", uri=True)) as database:
            return database.execute("SELECT held_by FROM syncs WHERE held_by IS NOT NULL").fetchone() is not None

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
        """As the bot of our server, straight to Odoo."""
        return self.as_bot("marketing")

    def as_bot(self, name: str, **options: Any) -> OdooConnector:
        """As one of the users of `lab.BOTS`."""
        return connect(self.odoo.url, DATABASE, self.odoo.keys[name], **options)

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


@contextmanager
def running(folder: Path) -> Iterator[Live]:
    """All of it until the end, with what is kept in this folder."""
    port, var = free_port(), folder / "var"
    with running_odoo() as odoo:
        cable = Cable(odoo.url)
        var.mkdir()
        text = SETTINGS.format(address=f"http://127.0.0.1:{port}", var=var, odoo=cable.url, database=DATABASE,
                               key=odoo.keys["marketing"], hook=HOOK_SECRET, panel=PANEL_SECRET)  # fmt: skip
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
