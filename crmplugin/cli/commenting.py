"""`reviews`: public comments from a table, each one an event."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crmplugin.cli.output import connection_option, json_option, print_json
from crmplugin.cli.work_commands import open_desk


@click.command(
    "reviews",
    help="Takes public comments and reviews from a CSV file (at, text, rating, author …); each makes a draft, and one "
    "that cannot wait alerts a person. The same file twice adds nothing.\n\nExample: crmplugin reviews reviews.csv",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@connection_option
@json_option
def reviews_command(file: Path, connection: str, as_json: bool) -> None:
    from crmplugin.journeys.comments import read_comments

    with open_desk() as desk:
        done = read_comments(desk, file, connection=connection)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{done['accepted']} taken, {done['duplicates']} known, {len(done['refused'])} refused")
        for row in done["refused"]:
            click.echo(f"refused line {row['line']}: {row['reason']}", err=True)
    sys.exit(5 if done["refused"] and (done["accepted"] or done["duplicates"]) else 1 if done["refused"] else 0)


COMMANDS = [reviews_command]
"""Commands of this module."""
