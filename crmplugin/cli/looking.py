"""`timeline` and `prospects`: one customer over all channels; leads by the owner's rules."""

from __future__ import annotations

from pathlib import Path

import click

from crmplugin.cli.output import (
    as_of_option,
    connection_option,
    json_option,
    now,
    open_assistant,
    print_json,
    read_as_of,
    read_subject,
    subject_options,
)


@click.command(
    "timeline",
    help="Everything that happened with a customer over all channels, oldest first; the same talk recorded by two "
    "systems once.\n\nExample: crmplugin timeline --company CO-1",
)
@connection_option
@subject_options
@as_of_option
@json_option
def timeline_command(connection: str, as_of: str | None, as_json: bool, **given: str | None) -> None:
    from crmplugin.analysis.timeline import timeline
    from crmplugin.journeys.present import to_json

    subject = read_subject(given)
    with open_assistant() as assistant:
        moment = read_as_of(as_of, assistant.seller_zone(connection)) or now()
        entries = timeline(assistant.tools(connection).read_context(subject), now=moment)
    if as_json:
        print_json({"items": to_json(entries)})
        return
    for e in entries:
        words = e.title or e.text or ""
        click.echo(f"{e.at:%Y-%m-%d %H:%M}  {e.channel:<12} {e.kind:<15} {words[:70]}  [{', '.join(e.ids)}]")


@click.command(
    "prospects",
    help="Leads in the order of your own rules, with reasons. RULES.toml holds [[rule]] tables: id, field (such as "
    "company.industry), any_of or min and max or known, points, text.\n\nExample: crmplugin prospects rules.toml",
)
@click.argument("rules", metavar="RULES.toml", type=click.Path(path_type=Path))
@connection_option
@click.option("--top", type=click.IntRange(1, 10_000), default=20, show_default=True)
@as_of_option
@json_option
def prospects_command(rules: Path, connection: str, top: int, as_of: str | None, as_json: bool) -> None:
    from crmplugin.journeys.prospects import find_prospects, load_rules, prospects_document

    read, least = load_rules(rules)
    with open_assistant() as assistant:
        assistant.connection(connection)
        moment = read_as_of(as_of, assistant.seller_zone(connection)) or now()
        found = find_prospects(connection, read, records=assistant.records, now=moment, qualified_from=least)
    document = prospects_document(found, top=top)
    if as_json:
        print_json(document)
        return
    for n, item in enumerate(document["items"], start=1):
        marks = [word for word in ("qualified", "referral") if item[word]]
        marks += [f"opted out of {', '.join(item['opted_out'])}"] if item["opted_out"] else []
        click.echo(f"{n:>3}  {item['score']:g}  {item['contact_id']}  {'; '.join(marks)}")
        for reason in item["reasons"]:
            click.echo(f"       {reason['points']:+g}  {reason['text']}")
    click.echo(f"{document['leads']} leads: " + ", ".join(f"{n} {s}" for s, n in document["by_source"].items()))


COMMANDS = [timeline_command, prospects_command]
"""Commands of this module."""
