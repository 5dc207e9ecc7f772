"""Records what a real Odoo answers, for the tests without one: `… recording URL DATABASE KEY ADMIN_KEY`.

What is kept is the demo company of `seeding.py`; of the description of fields only those that we ask for. With the
bot's LOGIN and the id of a DEAL in place of the administrator's key it keeps what XML-RPC answers, byte for byte.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.odoo import client as wire
from connectors.odoo.connector import OdooConnector
from connectors.odoo.syncing import TREES
from connectors.odoo.trees import ROOTS, Tree
from crmplugin.errors import CrmRefused
from crmplugin.ports import Services
from tests.connectors.odoo.seeding import seed

RECORDED = Path(__file__).parent / "recorded"
ALSO = ("res_model", "model", "res_id", "opportunity_id", "partner_ids", "company_id", "email_normalized")


def named(tree: Tree, found: set[str]) -> set[str]:
    for name, branch in tree.items():
        found.add(name)
        named(branch.get("fields", {}) if branch else {}, found)
    return found


def record(connector: OdooConnector, call: Any, folder: Path) -> None:
    """Writes fields.json and deal.json."""
    wanted = set(ALSO)
    for tree in (*ROOTS.values(), *TREES.values()):
        named(tree, wanted)
    client, schema = connector._client, connector._book.read()
    fields = {}
    for model in sorted(schema.models):
        described = client.call(model, "fields_get", attributes=["type", "relation", "relation_field"])
        fields[model] = {name: described[name] for name in sorted(described) if name in wanted}
    _keep(folder / "fields.json", fields)
    ids = seed(call)
    tree = client.tree("crm.lead", ids["deal"], schema.root("crm.lead"))
    _keep(folder / "deal.json", {"ids": ids, "answer": [tree]})


def record_xmlrpc(connector: OdooConnector, deal: int, folder: Path) -> None:
    """Writes a file for each answer: a deal, one that is gone, a model that the bot may not read, an activity."""
    client, schema = connector._client, connector._book.read()
    row: Mapping[str, Any] = {
        "id": "__import__.crmplugin_recorded", "res_model_id/id": "crm.model_crm_lead", "res_id": str(deal),
        "activity_type_id/id": "mail.mail_activity_data_email", "summary": "Recorded", "date_deadline": "2026-12-01",
    }  # fmt: skip
    asked = {
        "whoami": lambda: client.call("res.users", "context_get"),
        "deal": lambda: client.tree("crm.lead", deal, schema.root("crm.lead")),
        "gone": lambda: client.tree("crm.lead", 10**8, schema.root("crm.lead")),
        "refused": lambda: client.search("base.automation", [], ["name"]),
        "activity": lambda: client.call("mail.activity", "load", fields=[*row], data=[[*row.values()]]),
    }
    kept: list[bytes] = []
    read = wire._unmarshalled
    wire._unmarshalled = lambda body: kept.append(body) or read(body)  # type: ignore[func-returns-value]  # a spy
    for name, ask in asked.items():
        with suppress(CrmRefused):
            ask()
        # A traceback says where that Odoo was installed.
        (folder / f"{name}.xml").write_bytes(re.sub(rb'File "[^"]*/(?=odoo/)', b'File "', kept[-1]))


def _keep(file: Path, document: Any) -> None:
    lines = json.dumps(document, indent=None, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    file.write_text(lines.replace('},"', '},\n"') + "\n", "utf-8")


def connect(url: str, database: str, key: str, **more: Any) -> OdooConnector:
    options = {"base_url": url, "database": database, "api_key": key, "webhook_secret": "-" * 32}
    return OdooConnector("acme", options | more, Services(MemoryLimiter(), MemoryVault()))


def main() -> None:
    url, database, key, *more = sys.argv[1:]
    if len(more) == 2:
        old = connect(url, database, key, protocol="xmlrpc", login=more[0])
        folder = RECORDED / f"xmlrpc-{requests.get(f'{url}/web/version', timeout=10).json()['version_info'][0]}"
        folder.mkdir(exist_ok=True)
        record_xmlrpc(old, int(more[1]), folder)
        return
    (admin_key,) = more
    record(connect(url, database, key), connect(url, database, admin_key)._client.call, RECORDED)


if __name__ == "__main__":
    main()
