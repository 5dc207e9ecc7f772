"""`segments`: saved predicates, and whom they mean today."""

from __future__ import annotations

from typing import Any

import click

from crmplugin.cli.output import (
    as_of_option,
    connection_option,
    json_option,
    now,
    open_assistant,
    print_json,
    read_as_of,
)

CHANNELS = ("email", "phone", "sms", "social", "letter")


@click.group("segments", help="Saved segments of customers.\n\nExample: crmplugin segments preview SG-1")
def segments_group() -> None:
    pass


@segments_group.command("list", help="The saved segments.\n\nExample: crmplugin segments list")
@connection_option
@json_option
def list_command(connection: str, as_json: bool) -> None:
    with open_assistant() as assistant:
        assistant.connection(connection)
        found = list(assistant.records.iterate_docs(connection, "segments"))
    if as_json:
        print_json({"items": found})
        return
    for segment in found:
        click.echo(f"{segment['id']}  {segment.get('name') or ''}")


@segments_group.command(
    "preview",
    help="Who a segment means today, who is left out and why, and who is left.\n\n"
    "Example: crmplugin segments preview SG-1 --channel email",
)
@click.argument("segment_id", metavar="SEGMENT")
@connection_option
@click.option("--channel", type=click.Choice(CHANNELS), default="email", show_default=True)
@as_of_option
@json_option
def preview_command(segment_id: str, connection: str, channel: Any, as_of: str | None, as_json: bool) -> None:
    from crmplugin.journeys.segments import find_segment, preview_document, preview_segment

    with open_assistant() as assistant:
        tools = assistant.tools(connection)
        segment = find_segment(connection, segment_id, records=assistant.records)
        found = preview_segment(
            connection, segment,
            records=assistant.records, population=tools.population(), read_context=tools.read_context,
            now=read_as_of(as_of, assistant.seller_zone(connection)) or now(), channel=channel,
        )  # fmt: skip
    document = preview_document(found)
    if as_json:
        print_json(document)
    else:
        _print(document)


def _print(found: Any) -> None:
    click.echo(f"{found['accounts']} accounts, {found['matched']} recipients, {found['left']} left")
    for reason, count in found["removed"].items():
        click.echo(f"  {count} left out: {reason}")
    for name in ("by_language", "by_currency"):
        counts = ", ".join(f"{key} {count}" for key, count in found[name].items())
        click.echo(f"{name.removeprefix('by_')}: {counts or '-'}")
    if found["advice"]:
        click.echo("so few: write to each of them with `crmplugin draft` instead of a campaign")


COMMANDS = [segments_group]
"""Commands of this module."""
