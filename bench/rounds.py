"""Rounds and requests that a CRM is asked for one draft: counted, and timed against a fake that takes 50 ms a call.

Run: python -m bench.rounds
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.table import Table

from connectors.tracing import Trace, traced
from crmplugin.domain.crm import Subject
from tests.connectors.cases.hubspot import make_connector
from tests.connectors.drafts import AT, make_draft
from tests.fakes.hubspot import FakeHubSpot, with_orbis

CALL_S = 0.05


def main() -> None:
    """Prints one table."""
    table = Table("CRM", "what", "rounds", "requests", "ms at 50 ms a call", title="Per draft")
    for crm, what, trace, ms in measured():
        table.add_row(crm, what, str(trace.rounds), str(len(trace.calls)), f"{ms:.0f}")
    Console().print(table)


def measured() -> Iterator[tuple[str, str, Trace, float]]:
    """CRM, what was done, its trace, and how long it took in ms."""
    with ExitStack() as stack:
        fake = stack.enter_context(with_orbis(FakeHubSpot()).running())
        fake.delay_s = CALL_S
        deal = Subject("deal", "9001")
        whole, short = make_connector(fake), make_connector(fake, earlier_lines=False)  # type: ignore[arg-type]
        steps: list[tuple[str, Callable[[], Any]]] = [
            ("read, cold, lines of earlier deals", lambda: whole.read_context(deal)),
            ("read again, lines of earlier deals", lambda: whole.read_context(deal)),
            ("read, cold, without earlier lines", lambda: short.read_context(deal)),
            ("read again, without earlier lines", lambda: short.read_context(deal)),
            ("write back", lambda: whole.write_back(make_draft(deal), marker="crmplugin:bench", at=AT)),
        ]
        for what, step in steps:
            started = time.perf_counter()
            with traced() as trace:
                step()
            yield "HubSpot", what, trace, (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
