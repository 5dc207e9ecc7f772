"""Rounds and requests that a CRM is asked for one draft: counted, and timed against a fake that takes 50 ms a call.

Run: python -m bench.rounds
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from connectors.tracing import Trace, traced
from crmplugin.domain.crm import Subject
from tests.connectors.cases import hubspot as hubspot_case
from tests.connectors.cases import pipedrive as pipedrive_case
from tests.connectors.cases import salesforce as salesforce_case
from tests.connectors.drafts import AT, make_draft
from tests.connectors.hubspot import test_journey as hubspot_journey
from tests.connectors.journey import server
from tests.fakes import hubspot, pipedrive, salesforce

CALL_S = 0.05
DEAL = Subject("deal", "9001")
CRMS: Mapping[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
    "HubSpot": (hubspot_case.make_connector, lambda: hubspot.with_orbis(hubspot.FakeHubSpot())),
    "Pipedrive": (pipedrive_case.make_connector, lambda: pipedrive.with_orbis(pipedrive.FakePipedrive())),
    "Salesforce": (salesforce_case.make_connector, lambda: salesforce.with_orbis(salesforce.FakeSalesforce())),
}
"""CRM -> how a connector to its fake is made, and the fake with a deal and two earlier ones with lines."""


PUBLIC = "https://assist.example.com"
OPTIONS: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "HubSpot": hubspot_journey.options_of,
    "Pipedrive": lambda fake: {**pipedrive_case.OPTIONS, "base_url": fake.url, "poll_minutes": 1440},
    "Salesforce": lambda fake: {**salesforce_case.OPTIONS, "base_url": fake.url, "poll_minutes": 1440},
}
"""CRM -> the settings of a connection to its fake."""


def main() -> None:
    """Prints one table."""
    table = Table("CRM", "what", "rounds", "requests", "ms at 50 ms a call", title="Per draft")
    for crm in CRMS:
        for what, trace, ms in measured(crm):
            table.add_row(crm, what, str(trace.rounds), str(len(trace.calls)), f"{ms:.0f}")
        table.add_section()
    Console().print(table)


def measured(crm: str) -> Iterator[tuple[str, Trace, float]]:
    """What was done, its trace, and how long it took in ms."""
    make_connector, make_fake = CRMS[crm]
    deal = Subject("deal", salesforce.DEAL) if crm == "Salesforce" else DEAL
    with ExitStack() as stack:
        fake = stack.enter_context(make_fake().running())
        fake.delay_s = CALL_S
        whole, short = make_connector(fake), make_connector(fake, earlier_lines=False)
        steps: list[tuple[str, Callable[[], Any]]] = [
            ("read, cold, lines of earlier deals", lambda: whole.read_context(deal)),
            ("read again, lines of earlier deals", lambda: whole.read_context(deal)),
            ("read, cold, without earlier lines", lambda: short.read_context(deal)),
            ("read again, without earlier lines", lambda: short.read_context(deal)),
            ("write back", lambda: whole.write_back(make_draft(deal), marker="crmplugin:bench", at=AT)),
        ]
        if crm == "Salesforce":  # One composite brings the lines of earlier deals: there is no shorter way.
            steps = [steps[0], steps[1], steps[-1]]
        for what, step in steps:
            yield what, *timed(step)
        yield "open a draft that is already written", *prepared(crm, fake, deal)


def timed(step: Callable[[], Any]) -> tuple[Trace, float]:
    started = time.perf_counter()
    with traced() as trace:
        step()
    return trace, (time.perf_counter() - started) * 1000


def prepared(crm: str, fake: Any, deal: Subject) -> tuple[Trace, float]:
    """The list of a deal's drafts and the newest one, through our server, after it was written."""
    with TemporaryDirectory() as var, server(Path(var), OPTIONS[crm](fake), crm=crm.lower(), public_url=PUBLIC) as here:
        asked = {"connection": "acme", "kind": "meeting_brief", "deal_id": deal.id}
        written = here.post("/api/v1/drafts?wait=60", asked).json
        assert written["status"] == "proposed", written

        def click() -> None:
            [first] = here.get(f"/api/v1/drafts?deal={deal.id}&connection=acme")["items"]
            assert here.get(f"/api/v1/drafts/{first['id']}")["body"]

        return timed(click)


if __name__ == "__main__":
    main()
