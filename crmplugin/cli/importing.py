"""`import`: records and tables into the store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from crmplugin.cli.output import connection_option, json_option, now, open_assistant, print_json
from crmplugin.cli.rights import caller

if TYPE_CHECKING:
    from crmplugin.journeys.import_records import ImportReport, Progress

EXIT_NOTHING_IN, EXIT_SOME_REFUSED = 1, 5
REFUSED_PRINTED = 20
STEPS = {"read": "reading", "write": "writing", "learn": "learning"}


@click.command(
    "import",
    help="Records (crmplugin-records/1, JSON or JSON Lines) and tables (CSV: exports of HubSpot, Pipedrive, "
    "Salesforce, Zoho, order lines, …; several together) into the store. A table with other headings gets a mapping "
    "file to fill in and give back. Exit 0 all in, 5 some refused, 1 nothing in.\n\n"
    "Example: crmplugin import records.json\n\nExample: crmplugin import deals.csv companies.csv\n\n"
    "Example: crmplugin import umsatz.csv --mapping umsatz.mapping.toml",
)
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@connection_option
@click.option(
    "--mapping", "mappings", metavar="FILE", multiple=True, type=click.Path(dir_okay=False),
    help="What the columns of a table mean; where no such file is, it is written when a table needs one.",
)  # fmt: skip
@json_option
def import_command(paths: tuple[str, ...], connection: str, mappings: tuple[str, ...], as_json: bool) -> None:
    from crmplugin.journeys.import_tables import import_files
    from crmplugin.journeys.present import to_json
    from crmplugin.journeys.telling import tell_import

    with open_assistant() as assistant, _progress_bar() as progress:
        assistant.connection(connection)
        report = import_files(
            paths, connection=connection, records=assistant.records, folder=assistant.settings.var,
            mappings=mappings, on_progress=progress,
        )  # fmt: skip
        if report.taken or report.updated:
            tell_import(assistant.audit, connection, report, by=caller().name, at=now())
    if as_json:
        print_json(to_json(report))
    else:
        _print(report)
    if report.refused_rows:
        took_any = report.taken or report.updated or report.unchanged
        sys.exit(EXIT_SOME_REFUSED if took_any else EXIT_NOTHING_IN)


def _print(report: ImportReport) -> None:
    click.echo(f"{report.taken} taken, {report.updated} updated, {report.unchanged} unchanged")
    for note in report.notes:
        click.echo(note, err=True)
    for row in report.refused[:REFUSED_PRINTED]:
        key = f" {row['key']}:" if row["key"] else ""
        click.echo(f"refused {row['file']}:{row['line'] or '-'}{key} {row['reason']}", err=True)
    if report.refused_rows > REFUSED_PRINTED:
        click.echo(f"… and {report.refused_rows - REFUSED_PRINTED:,} more refused", err=True)
    for path in report.refused_files:
        click.echo(f"refused rows with their reasons: {path}", err=True)


@contextmanager
def _progress_bar() -> Iterator[Progress | None]:
    """Shows how far an import is on stderr, where somebody looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(STEPS.get(step, step))
            bar.update(tasks[step], completed=done, total=total)

        yield show


COMMANDS = [import_command]
