"""Size of the prompts over the sample company, and what of them a server can keep from the one before.

Run: python -m bench.prompts
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import pairwise
from statistics import mean
from tempfile import TemporaryDirectory
from typing import get_args

from rich.console import Console
from rich.table import Table

from crmplugin.demo import load
from crmplugin.domain.brief import Kind, Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.import_records import import_document
from crmplugin.ports import Message
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from crmplugin.writing.model import fill_prompt, prompt_of
from crmplugin.writing.tokens import shared_prefix, tokens_of

DAY = date(2026, 3, 11)


def main() -> None:
    """Prints one row a kind."""
    table = Table(title="prompts of the sample company", box=None)
    for name in ("kind", "prompts", "tokens", "most", "identical prefix"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for kind, prompts in read_prompts().items():
        sizes = [tokens_of(p) for p in prompts]
        shares = [shared_prefix(a, b) for a, b in pairwise(prompts)]
        table.add_row(
            kind, str(len(prompts)), f"{mean(sizes):.0f}", str(max(sizes)), f"{mean(shares):.0%}" if shares else "-"
        )
    Console().print(table)


def read_prompts() -> dict[str, list[list[Message]]]:
    """The prompts of each kind over all deals, in their order."""
    now = datetime.combine(DAY, time(9), UTC)
    found: dict[str, list[list[Message]]] = {}
    with TemporaryDirectory() as folder:
        assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": folder}))
        document = load(DAY)
        import_document(document, connection="local", records=assistant.records)
        tools = assistant.tools("local")
        for deal in document["deals"]:
            for kind in get_args(Kind):
                if kind == "campaign_message":
                    continue
                request = Request("local", kind, Subject("deal", deal["id"]), as_of=now)
                brief = make_brief(request, tools=tools, now=now)
                if brief.plan:
                    found.setdefault(brief.plan.kind, []).append(fill_prompt(prompt_of(brief), brief))
        assistant.close()
    return found


if __name__ == "__main__":
    main()
