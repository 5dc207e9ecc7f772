"""How long the brief of one account takes when half a million order lines are stored, and when ten times as many are.

Run: PUBLIC_DATA_DIR=… python -m bench.brief_at_scale [times, 10] [database URL]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import event

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.fit import refresh_fit
from crmplugin.journeys.import_tables import import_files
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from tests.journeys.test_import_online_retail import write_lines

NOW = datetime(2011, 12, 10, 10, tzinfo=UTC)
ACCOUNTS, BATCH = 200, 1_000


def main() -> None:
    """Prints one table, and the plan of every query that a brief makes."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    database = {"CRMPLUGIN_DATABASE_URL": sys.argv[2]} if len(sys.argv) > 2 else {}
    table = Table("data", "orders", "p50 ms", "p99 ms", "read p50 ms", title=f"brief of one of {ACCOUNTS} accounts")
    with tempfile.TemporaryDirectory() as folder:
        assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": folder, **database}))
        lines = write_lines(Path(folder) / "online_retail.csv")
        import_files([lines], connection="local", records=assistant.records, folder=Path(folder))
        table.add_row("as it is", *_measure(assistant))
        if times > 1:
            _repeat(assistant, times)
            table.add_row(f"{times} times", *_measure(assistant))
        plans = _plans(assistant)
        assistant.close()
    console = Console()
    console.print(table)
    for query, plan in plans.items():
        console.print(f"[dim]{query}[/dim]\n  {plan}", highlight=False)


def _requests(assistant: Assistant) -> list[Request]:
    ids = sorted(id_ for id_, _ in assistant.records.iterate_purchases("local"))
    step = max(1, len(ids) // ACCOUNTS)
    return [Request("local", "follow_up", Subject("company", id_), writer="template") for id_ in ids[::step][:ACCOUNTS]]


def _measure(assistant: Assistant) -> list[str]:
    tools, requests = assistant.tools("local"), _requests(assistant)
    make_brief(requests[0], tools=tools, now=NOW)
    briefs, reads = [], []
    for request in requests:
        start = time.process_time()
        tools.read_context(request.subject)
        middle = time.process_time()
        make_brief(request, tools=tools, now=NOW)
        reads.append((middle - start) * 1000)
        briefs.append((time.process_time() - middle) * 1000)
    briefs.sort()
    p50, p99 = briefs[len(briefs) // 2], briefs[int(len(briefs) * 0.99)]
    orders = assistant.records.counts("local")["orders"]
    return [f"{orders:,}", f"{p50:.1f}", f"{p99:.1f}", f"{sorted(reads)[len(reads) // 2]:.1f}"]


def _repeat(assistant: Assistant, times: int) -> None:
    """Gives every customer and order again, under other ids."""
    records = assistant.records
    originals = [("companies", d) for d in records.iterate_docs("local", "companies")]
    originals += [("orders", d) for d in records.iterate_docs("local", "orders")]
    for n in range(1, times):
        copies = [(collection, _renamed(doc, n)) for collection, doc in originals]
        for start in range(0, len(copies), BATCH):
            records.upsert_many("local", copies[start : start + BATCH])
    refresh_fit("local", records=records)


def _renamed(doc: dict[str, Any], n: int) -> dict[str, Any]:
    renamed = {**doc, "id": f"{doc['id']}~{n}"}
    if "company_id" in doc:
        renamed["company_id"] = f"{doc['company_id']}~{n}"
    return renamed


def _plans(assistant: Assistant) -> dict[str, str]:
    """How the database goes about each query of one brief."""
    asked: dict[str, Any] = {}

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            asked.setdefault(statement, parameters)

    tools, request = assistant.tools("local"), _requests(assistant)[0]
    event.listen(assistant.engine, "before_cursor_execute", note)
    make_brief(request, tools=tools, now=NOW)
    event.remove(assistant.engine, "before_cursor_execute", note)
    with assistant.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"
        plans = {
            query: connection.exec_driver_sql(f"{explain} {query}", parameters).fetchall()
            for query, parameters in asked.items()
        }
    return {" ".join(query.split())[:160]: _shown(rows) for query, rows in plans.items()}


def _shown(rows: Sequence[Any]) -> str:
    """The steps of a plan in one line; long lists of ids cut."""
    return "; ".join(" ".join(str(row[-1]).split())[:160] for row in rows)


if __name__ == "__main__":
    main()
