"""`import`: records and tables into the store."""

from __future__ import annotations

import sys

import click

from crmplugin.cli.output import connection_option, json_option, open_assistant, print_json

EXIT_NOTHING_IN, EXIT_SOME_REFUSED = 1, 5


@click.command(
    "import",
    help="Records (crmplugin-records/1, JSON or JSON Lines) into the store. Exit 0 all in, 5 some refused, "
    "1 nothing in.\n\nExample: crmplugin import records.json",
)
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@connection_option
@json_option
def import_command(paths: tuple[str, ...], connection: str, as_json: bool) -> None:
    from crmplugin.journeys.import_records import import_records
    from crmplugin.journeys.present import to_json

    with open_assistant() as assistant:
        assistant.connection(connection)
        report = import_records(paths, connection=connection, records=assistant.records)
    if as_json:
        print_json(to_json(report))
    else:
        click.echo(f"{report.taken} taken, {report.updated} updated, {report.unchanged} unchanged")
        for row in report.refused:
            click.echo(f"refused {row['file']}:{row['line'] or '-'} {row['key'] or ''}: {row['reason']}", err=True)
    if report.refused:
        took_any = report.taken or report.updated or report.unchanged
        sys.exit(EXIT_SOME_REFUSED if took_any else EXIT_NOTHING_IN)


COMMANDS = [import_command]
