"""`check` and `scan`: the checks that drafts pass, for any text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from crmplugin.cli.output import as_of_option, json_option, now, open_assistant, print_json, read_as_of
from crmplugin.cli.rights import caller, check_sees
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Report
from crmplugin.errors import UsageError

EXIT_UNSUPPORTED = 4


@click.command(
    "check",
    help="Checks a text against facts. Exit 0 all supported, 4 otherwise.\n\n"
    "Example: crmplugin check --facts brief.json --text mail.txt",
)
@click.option("--facts", "facts_path", required=True, type=click.Path(exists=True, dir_okay=False),
              help="A brief as `brief --json` prints it, or a records file.")  # fmt: skip
@click.option("--text", "text_path", required=True, type=click.Path(exists=True, dir_okay=False),
              help="One sentence a line, or prose.")  # fmt: skip
@click.option("--deal", metavar="ID")
@click.option("--company", metavar="ID")
@click.option("--contact", metavar="ID")
@click.option("--language", metavar="CODE", help="Language of the text.")
@click.option("--audience", type=click.Choice(["customer", "internal"]), default="customer", show_default=True)
@click.option("--style", is_flag=True, help="Also judge style.")
@as_of_option
@json_option
def check_command(facts_path: str, text_path: str, language: str | None, audience: str, style: bool,
                  as_of: str | None, as_json: bool, **subject: Any) -> None:  # fmt: skip
    from crmplugin.checking.check import check_text
    from crmplugin.journeys.check_any import check_any, language_of, report_json

    text = _read_text(text_path)
    with _ground(facts_path, subject, language or language_of(text), audience, as_of) as ground:
        report = check_any(text, ground, check=partial(check_text, style=style), audience=audience)
    if as_json:
        print_json(report_json(report))
    else:
        _print_report(report)
    sys.exit(0 if report.supported else EXIT_UNSUPPORTED)


@contextmanager
def _ground(
    path: str, subject: dict[str, Any], language: str | None, audience: str, as_of: str | None
) -> Iterator[Any]:
    """The ground from a brief (names from its connection's store) or from a records file (in a store of its own)."""
    from crmplugin.journeys.check_any import ground_of_brief

    brief = _read_brief(path)
    if brief is None:
        with records_ground(path, subject, language, audience, as_of) as ground:
            yield ground
        return
    with open_assistant() as assistant:
        connection = brief.get("connection", "local")
        check_sees(caller(), connection)
        names = assistant.tools(connection if connection in assistant.connections else "local").names()
        yield ground_of_brief(brief, names, language)


def _read_brief(path: str) -> dict[str, Any] | None:
    """The brief that the file holds; None when it is not a brief (then it must be records)."""
    try:
        document = json.loads(_read_text(path))
    except ValueError:
        return None
    return document if isinstance(document, dict) and "facts" in document else None


@contextmanager
def records_ground(
    path: str, subject: dict[str, Any], language: str | None, audience: str, as_of: str | None
) -> Iterator[Any]:
    from crmplugin.journeys.check_any import ground_of_briefs, talk_days
    from crmplugin.journeys.draft import make_brief
    from crmplugin.wiring import open_scratch

    with open_scratch([path]) as (assistant, report):
        if report.refused:
            row = report.refused[0]
            raise UsageError(f"{path}, line {row['line'] or '-'}, {row['key'] or 'record'}: {row['reason']}")
        moment = read_as_of(as_of, assistant.seller_zone("local")) or now()
        tools = assistant.tools("local")
        kind = "follow_up" if audience == "customer" else "summary"
        subjects = _subjects(subject, assistant.records)
        briefs = [
            make_brief(Request("local", kind, s, language=language, as_of=moment), tools=tools, now=moment)  # type: ignore[arg-type]
            for s in subjects
        ]
        if not briefs:
            raise UsageError(f"{path} holds no deal, company or contact to check against")
        days = [fact for s in subjects for fact in talk_days(tools.read_context(s))]
        yield ground_of_briefs(briefs, tools.names(), language, more=days)


def _subjects(given: dict[str, Any], records: Any) -> list[Subject]:
    """The subject that was named, else every deal of the file, else every company."""
    named = [Subject(k, v) for k, v in given.items() if v]  # type: ignore[arg-type]
    if named:
        return named
    pairs: tuple[tuple[str, Any], ...] = (("deals", "deal"), ("companies", "company"))
    found = ([Subject(kind, r.id) for r in records.iterate("local", collection)] for collection, kind in pairs)
    return next((subjects for subjects in found if subjects), [])


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: expected UTF-8 text; byte {error.start} is not") from None


def _print_report(report: Report) -> None:
    for checked in report.sentences:
        sentence = checked.sentence
        click.echo(f"{sentence.verdict:12} {sentence.text}")
        if sentence.reason:
            click.echo(f"{'':12} {sentence.reason}")


@click.command(
    "scan",
    help='Looks for instructions hidden in CRM text: one JSON object {"id", "text"} a line.\n\n'
    "Example: crmplugin scan mails.jsonl --json",
)
@click.argument("paths", metavar="[FILE...]", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@json_option
def scan_command(paths: tuple[str, ...], as_json: bool) -> None:
    from crmplugin.checking.injection import scan_text

    for number, line in enumerate(_scan_lines(paths), start=1):
        item = _scan_item(line, number)
        if item is None:
            continue
        scan = scan_text(item["text"])
        spans = [list(s) for s in scan.spans]
        answer = {"id": item["id"], "suspicious": scan.suspicious, "rules": list(scan.rules), "spans": spans}
        if as_json:
            click.echo(json.dumps(answer, ensure_ascii=False))
        else:
            click.echo(f"{'suspicious' if scan.suspicious else 'clean':10} {item['id']} {', '.join(scan.rules)}")


def _scan_lines(paths: tuple[str, ...]) -> Iterator[str]:
    if not paths:
        yield from sys.stdin
    for path in paths:
        yield from _read_text(path).split("\n")


def _scan_item(line: str, number: int) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        item = json.loads(line)
    except ValueError:
        item = None
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise UsageError(f'line {number}: expected one JSON object with "id" and "text"')
    return {"id": item.get("id"), "text": item["text"]}


COMMANDS = [check_command, scan_command]
