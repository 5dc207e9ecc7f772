"""`recommend`: products for one company, or lists in bulk."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from crmplugin.cli.output import json_option, print_json
from crmplugin.errors import UsageError

MOST = 200


@click.command(
    "recommend",
    help="Lists in bulk: FILE.jsonl has one customer a line, "
    '{"customer_id", "history": [{"date", "items"}]}; --out gets {"customer_id", "items", "scores"} a line. '
    "The methods tune themselves on these histories."
    "\n\nExample: crmplugin recommend --baskets histories.jsonl --out lists.jsonl --top 10",
)
@click.option("--baskets", metavar="FILE.jsonl", type=click.Path(path_type=Path), help="Purchase histories to read.")
@click.option("--out", metavar="FILE.jsonl", type=click.Path(path_type=Path), help="Where the lists go.")
@click.option("--top", type=click.IntRange(1, MOST), default=10, show_default=True, help="Products per customer.")
@json_option
def recommend_command(baskets: Path | None, out: Path | None, top: int, as_json: bool) -> None:
    if baskets is None or out is None:
        raise UsageError("give --baskets FILE.jsonl and --out FILE.jsonl")
    _in_bulk(baskets, out, top, as_json)


def _in_bulk(source: Path, target: Path, top: int, as_json: bool) -> None:
    from crmplugin.journeys.recommend_baskets import recommend_baskets

    began = time.monotonic()
    report = recommend_baskets(source, target, top=top)
    if as_json:
        print_json(
            {"file": str(target), "customers": report.customers, "items": report.items,
             "repeat_method": report.repeat_method, "new_method": report.new_method}
        )  # fmt: skip
        return
    click.echo(
        f"{target}: {report.customers} customers, {report.items} items, {time.monotonic() - began:.1f} s "
        f"(repeat list by {report.repeat_method}, new list by {report.new_method})",
        file=sys.stderr,
    )


COMMANDS = [recommend_command]
"""Commands of this module."""
