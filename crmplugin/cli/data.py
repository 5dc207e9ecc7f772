"""`backup`, `restore` and `export`: everything of this installation out of it, and back."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crmplugin.cli.output import connection_option, json_option, now, open_assistant, print_json
from crmplugin.cli.rights import caller
from crmplugin.errors import UsageError
from crmplugin.settings import load_settings

if TYPE_CHECKING:
    from crmplugin.journeys.backup import BackupReport


@click.command(
    "backup",
    help="Writes everything into one file while servers go on: records, drafts, events, the write-back ledger, access "
    "tokens (as hashes), and the local SECRETS under var/ (signing.key, local-webhook.secret). The file has mode 0600; "
    "keep it like a password. The settings file is not in it. It is read again and compared before it gets its name."
    "\n\nExample: crmplugin backup monday.zip",
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def backup_command(path: Path, as_json: bool) -> None:
    from crmplugin.journeys.backup import back_up

    began = time.monotonic()
    report = back_up(load_settings(os.environ), path)
    if as_json:
        print_json(_answer(report))
    else:
        click.echo(f"{_summary(report)}; compared with the database, {time.monotonic() - began:.1f} s")


@click.command(
    "restore",
    help="Brings a backup back, made on SQLite or PostgreSQL, by this version or an older one. Stop the server first. "
    "On SQLite the present files are moved into a folder beside; a PostgreSQL database must be new. The local secrets "
    "come back with mode 0600. Work that was on its way is done after the next start, and nothing is written twice."
    "\n\nExample: crmplugin restore monday.zip",
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only look whether the file is whole and can be restored.")
@json_option
def restore_command(path: Path, check: bool, as_json: bool) -> None:
    from crmplugin.cli.serve import hold_locks
    from crmplugin.journeys import backup

    settings = load_settings(os.environ)
    if check:
        _print(backup.look_at(path), None, "whole", as_json)
        return
    with hold_locks(settings, ["serve", "work"]):
        done = backup.restore(settings, path, now=now())
    _print(done.backup, done.aside, "restored", as_json)


def _print(report: BackupReport, aside: Path | None, verb: str, as_json: bool) -> None:
    if as_json:
        print_json({**_answer(report), "aside": None if aside is None else str(aside)})
        return
    click.echo(f"{verb}: {_summary(report)}")
    if aside is not None:
        click.echo(f"the files of before are in {aside}: delete them when all is well", err=True)


def _summary(report: BackupReport) -> str:
    rows, megabytes = sum(report.tables.values()), report.size / 1_000_000
    return f"{report.path}, {rows} rows in {len(report.tables)} tables, {megabytes:.1f} MB, made {report.made_at}"


def _answer(report: BackupReport) -> dict[str, Any]:
    return {
        "file": str(report.path),
        "made_at": report.made_at,
        "version": report.version,
        "revision": report.revision,
        "tables": dict(report.tables),
        "waiting_events": report.waiting,
        "secrets": list(report.secrets),
        "bytes": report.size,
    }


@click.command(
    "export",
    help="Everything of a connection (--all), or what is kept about one person (--contact), as crmplugin-records/1, on "
    "stdout or in FILE (mode 0600). A FILE whose name ends in .jsonl is JSON Lines. Drafts, decisions and events stand "
    "under x_ keys. `import` takes the records of --all again.\n\nExample: crmplugin export --all everything.jsonl",
)
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Everything of the connection.")
@click.option("--contact", metavar="ID", help="What is about this contact: record, activities, drafts, consent.")
@connection_option
def export_command(path: Path | None, everything: bool, contact: str | None, connection: str) -> None:
    from crmplugin.journeys.export import export_all, export_contact
    from crmplugin.journeys.telling import tell_export
    from crmplugin.store.export import open_extract

    if everything == (contact is not None):
        raise UsageError("give either --all or --contact ID")
    lines = path is not None and path.suffix == ".jsonl"
    with open_assistant() as assistant:
        assistant.connection(connection)
        with open_extract(assistant.engine, connection) as extract:
            if contact is not None:
                _put(export_contact(extract, contact, lines=lines, audit=assistant.audit), path)
            else:
                _put(export_all(extract, lines=lines), path)
        what = "all" if everything else "contact"
        tell_export(assistant.audit, what, by=caller().name, at=now(), connection=connection, contact=contact)


def _put(pieces: Iterator[str], path: Path | None) -> None:
    """Writes to stdout, or to a file that appears whole or not at all."""
    if path is None:
        sys.stdout.writelines(pieces)
        return
    try:
        handle, part = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        os.replace(part, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})") from error
    finally:
        Path(part).unlink(missing_ok=True)


COMMANDS = [backup_command, restore_command, export_command]
"""Commands of this module."""
