"""Briefs, template drafts and checks per second over the sample company, one process, one thread.

Run: python -m bench.drafts
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from crmplugin import demo
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_brief, make_draft, recheck
from crmplugin.wiring import open_scratch


def main() -> None:
    """Prints one table."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.json"
        path.write_text(json.dumps(demo.load(now.date())), encoding="utf-8")
        with open_scratch([str(path)]) as (assistant, _):
            tools = assistant.tools("local")
            requests = [
                Request("local", "follow_up", Subject("deal", d.id), writer="template")
                for d in assistant.records.iterate("local", "deals")
            ]
            drafts = [make_draft(r, tools=tools, draft_id="warm", now=now) for r in requests]
            proposed = [d for d in drafts if d.status == "proposed"]
            rows = [
                ("brief", _rate(lambda r: make_brief(r, tools=tools, now=now), requests)),
                ("draft", _rate(lambda r: make_draft(r, tools=tools, draft_id="x", now=now), requests)),
                ("check", _rate(lambda d: recheck(d, d.subject, d.body or "", tools=tools), proposed)),
            ]
    _print(rows, f"{len(requests)} deals, {len(proposed)} proposed")


def _rate(work: Callable[[Any], object], items: list[Any], seconds: float = 3.0) -> tuple[float, list[float]]:
    """Items a second, and the time of each in ms."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for item in items:
            start = time.perf_counter()
            work(item)
            times.append((time.perf_counter() - start) * 1000)
    return len(times) / (sum(times) / 1000), sorted(times)


def _print(rows: list[tuple[str, tuple[float, list[float]]]], title: str) -> None:
    table = Table("what", "a second", "p50 ms", "p99 ms", title=title)
    for name, (rate, times) in rows:
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
        table.add_row(name, f"{rate:.0f}", f"{p50:.2f}", f"{p99:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
