"""Records what a real Odoo answers, for the tests without one: `… recording URL DATABASE KEY ADMIN_KEY`.

What is kept is the demo company of `seeding.py`; of the description of fields only those that we ask for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.odoo.connector import OdooConnector
from connectors.odoo.syncing import TREES
from connectors.odoo.trees import ROOTS, Tree
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


def _keep(file: Path, document: Any) -> None:
    lines = json.dumps(document, indent=None, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    file.write_text(lines.replace('},"', '},\n"') + "\n", "utf-8")


def connect(url: str, database: str, key: str, **more: Any) -> OdooConnector:
    options = {"base_url": url, "database": database, "api_key": key, "webhook_secret": "-" * 32}
    return OdooConnector("acme", options | more, Services(MemoryLimiter(), MemoryVault()))


def main() -> None:
    url, database, key, admin_key = sys.argv[1:]
    record(connect(url, database, key), connect(url, database, admin_key)._client.call, RECORDED)


if __name__ == "__main__":
    main()
