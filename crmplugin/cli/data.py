"""`backup`, `restore` and `export`: everything of this installation out of it, and back."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crmplugin.cli.output import json_option, now, print_json
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


COMMANDS = [backup_command, restore_command]
"""Commands of this module."""
