"""`sync`: a CRM into the mirror."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from crmplugin.cli.output import json_option, print_json, read_as_of
from crmplugin.errors import UsageError

if TYPE_CHECKING:
    from crmplugin.journeys.sync import Progress, SyncReport

REFUSED_PRINTED = 20


@click.command(
    "sync",
    help="Pulls a CRM into the mirror: everything the first time, later what has changed. Ended half-way it goes on "
    "where it was. Reading everything raises no events.\n\n"
    "Example: crmplugin sync acme\n\nExample: crmplugin sync acme --since 2026-03-01",
)
@click.argument("connection")
@click.option("--since", metavar="TIME", help="Only what changed since then: an instant (RFC 3339), or a date = 12:00.")
@json_option
def sync_command(connection: str, since: str | None, as_json: bool) -> None:
    from crmplugin.cli.work_commands import open_desk
    from crmplugin.journeys.present import to_json
    from crmplugin.journeys.sync import sync

    with open_desk() as desk, _progress_bar() as progress:
        _check(connection, {name: made.crm for name, made in desk.settings.connections.items()})
        moment = read_as_of(since, desk.records.seller(connection).timezone)
        report = sync(desk, connection, since=moment, progress=progress)
    if as_json:
        print_json(to_json(report))
    else:
        _print(report)


def _check(connection: str, crms: dict[str, str]) -> None:
    if connection not in crms:
        raise UsageError(f"no connection {connection!r}: the settings have {', '.join(sorted(crms))}")
    if crms[connection] == "local":
        raise UsageError("the local CRM is the store itself: use `crmplugin import` to bring records in")


def _print(report: SyncReport) -> None:
    again = ", went on where an earlier one ended" if report.resumed else ""
    click.echo(
        f"{report.taken} taken, {report.updated} updated, {report.unchanged} unchanged, {report.deleted} deleted, "
        f"{report.merged} merged, {report.events} events{again}"
    )
    for row in report.refused[:REFUSED_PRINTED]:
        click.echo(f"refused {row['collection']} {row['id']}: {row['reason']}", err=True)
    if len(report.refused) > REFUSED_PRINTED:
        click.echo(f"… and {len(report.refused) - REFUSED_PRINTED} more, see --json", err=True)


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


COMMANDS = [sync_command]
