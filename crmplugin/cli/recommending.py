"""`recommend`: products for one company, or lists in bulk."""

from __future__ import annotations

import sys
import time
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
)
from crmplugin.domain.crm import Subject
from crmplugin.errors import UsageError

MOST = 200


@click.command(
    "recommend",
    help="Products for one company, with reasons; or lists in bulk: FILE.jsonl has one customer a line, "
    '{"customer_id", "history": [{"date", "items"}]}, and --out gets {"customer_id", "items", "scores"} a line. '
    "The methods tune themselves on the histories; each is used only where it beats plain counts on them."
    "\n\nExample: crmplugin recommend --company CO-1 --top 5",
)
@connection_option
@click.option("--company", metavar="ID", help="The company to recommend for.")
@click.option("--contact", metavar="ID", help="A contact without company, instead.")
@click.option("--baskets", metavar="FILE.jsonl", type=click.Path(path_type=Path), help="Purchase histories to read.")
@click.option("--out", metavar="FILE.jsonl", type=click.Path(path_type=Path), help="Where the lists go.")
@click.option("--top", type=click.IntRange(1, MOST), default=10, show_default=True, help="Products per customer.")
@as_of_option
@json_option
def recommend_command(
    connection: str, company: str | None, contact: str | None, baskets: Path | None, out: Path | None, top: int,
    as_of: str | None, as_json: bool,
) -> None:  # fmt: skip
    subjects = [(kind, id_) for kind, id_ in (("company", company), ("contact", contact)) if id_]
    if len(subjects) + (baskets is not None) != 1 or (baskets is None) != (out is None):
        raise UsageError("give either --company ID, or --baskets FILE.jsonl and --out FILE.jsonl")
    if baskets is not None and out is not None:
        _in_bulk(baskets, out, top, as_json)
    else:
        _for_one(connection, Subject(*subjects[0]), top, as_of, as_json)  # type: ignore[arg-type]


def _for_one(connection: str, subject: Subject, top: int, as_of: str | None, as_json: bool) -> None:
    from crmplugin.journeys.recommend import recommend_now, recommendation_document

    with open_assistant() as assistant:
        moment = read_as_of(as_of, assistant.seller_zone(connection))
        found = recommend_now(
            connection, subject,
            tools=assistant.tools(connection), records=assistant.records, fits=assistant.fits, as_of=moment, now=now(),
            top=top,
        )  # fmt: skip
    if as_json:
        print_json(recommendation_document(found))
        return
    for n, pick in enumerate(found.picks.items, start=1):
        click.echo(f"{n:>3}  {pick.product_id}  ({pick.list}, {pick.method}, n {pick.n})  {pick.reason}")
        if pick.evidence:
            click.echo(f"     {', '.join(pick.evidence)}")
    if found.picks.fallback:
        click.echo(f"! {found.picks.fallback}")
    for offer in found.offers.holding:
        click.echo(f"offer {offer.id}: {offer.text}")
    for reason, count in found.picks.left_out:
        click.echo(f"left out: {count} {reason}")


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
