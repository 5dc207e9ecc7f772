"""`spending`: what model calls cost, for whom, and how much of the limits is used today."""

from __future__ import annotations

from datetime import timedelta

import click

from crmplugin.cli.output import json_option, now, open_assistant, print_json
from crmplugin.cli.rights import caller


@click.command(
    "spending",
    help="What model calls cost by day, connection, person and kind, and today's limits.\n\n"
    "Example: crmplugin spending --days 7",
)
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 3660), help="How far back.")
@json_option
def spending_command(days: int, as_json: bool) -> None:
    from crmplugin.journeys.spending import used_rows

    with open_assistant() as assistant:
        mine = caller().connections
        rows = assistant.spending.rows((now() - timedelta(days=days - 1)).date(), mine)
        limits = used_rows(assistant.spending.used(mine))
    items = [
        {
            "day": row.day.isoformat(),
            "connection": row.connection,
            "person": row.person or None,
            "kind": row.kind,
            "cost": format(row.cost, "f"),
            "promised": format(row.promised, "f"),
            "calls": row.calls,
        }
        for row in rows
    ]
    if as_json:
        print_json({"items": items, "limits": limits, "next": None})
        return
    for item in items:
        who = f"{item['connection']}  {item['person'] or '-'}  {item['kind']}"
        click.echo(f"{item['day']}  {who}  {item['calls']} calls  {item['cost']}")
    for limit in limits:
        click.echo(f"today, {limit['whose']}: {shown(limit)}")


def shown(limit: dict[str, object]) -> str:
    """How much of a limit is used."""
    parts = [f"{limit['cost']} of {limit['most_cost']}"] if limit["most_cost"] is not None else []
    parts += [f"{limit['calls']} of {limit['most_calls']} calls"] if limit["most_calls"] is not None else []
    return ", ".join(parts)


COMMANDS = [spending_command]
"""Commands of this module."""
