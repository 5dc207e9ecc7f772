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


channel_option = click.option("--channel", type=click.Choice(CHANNELS), default="email", show_default=True)


@segments_group.command(
    "preview",
    help="Who a segment means today, who is left out and why, and who is left.\n\n"
    "SEGMENT is a saved one, or with a CRM's connection a list of that CRM.\n\n"
    "Example: crmplugin segments preview SG-1 --channel email",
)
@click.argument("segment_id", metavar="SEGMENT")
@connection_option
@channel_option
@as_of_option
@json_option
def preview_command(segment_id: str, connection: str, channel: Any, as_of: str | None, as_json: bool) -> None:
    from crmplugin.journeys.crm_lists import find_list
    from crmplugin.journeys.segments import find_segment

    with open_assistant() as assistant:
        connector = assistant.connector(connection)
        listed = find_list(connection, segment_id, connector=connector, records=assistant.records)
        segment = listed.segment if listed else find_segment(connection, segment_id, records=assistant.records)
        document = _preview(assistant, connection, segment, channel, as_of, listed=listed)
    print_json(document) if as_json else _print(document)


@segments_group.command(
    "owners",
    help="Whom a helpful notice about a product concerns: its owners, and nobody else. A notice sells nothing, so an "
    "opt-out from promotion does not keep it back.\n\nExample: crmplugin segments owners FM-3000",
)
@click.argument("product_id", metavar="PRODUCT")
@connection_option
@channel_option
@as_of_option
@json_option
def owners_command(product_id: str, connection: str, channel: Any, as_of: str | None, as_json: bool) -> None:
    from crmplugin.errors import NotFound
    from crmplugin.journeys.segments import owners_of

    with open_assistant() as assistant:
        assistant.connection(connection)
        if assistant.records.read_doc(connection, "products", product_id) is None:
            raise NotFound(f"The connection {connection} has no product {product_id}; look the id up.")
        document = _preview(assistant, connection, owners_of(product_id), channel, as_of, notice=True)
    print_json(document) if as_json else _print(document)


def _preview(
    assistant: Any,
    connection: str,
    segment: Any,
    channel: Any,
    as_of: str | None,
    *,
    notice: bool = False,
    listed: Any = None,
) -> Any:
    from crmplugin.journeys.segments import preview_document, preview_segment

    tools = assistant.tools(connection)
    found = preview_segment(
        connection, segment,
        records=assistant.records, population=tools.population(), read_context=tools.read_context,
        now=read_as_of(as_of, assistant.seller_zone(connection)) or now(), channel=channel, notice=notice,
        listed=listed,
    )  # fmt: skip
    return preview_document(found)


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
