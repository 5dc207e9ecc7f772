"""`campaign`: a segment, a goal, approved words, and a message for each recipient."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crmplugin.cli.output import json_option, print_json
from crmplugin.cli.rights import caller
from crmplugin.cli.work_commands import cursor_option, limit_option, open_desk
from crmplugin.errors import UsageError

if TYPE_CHECKING:
    from crmplugin.journeys.desk import Desk

Command = TypeVar("Command", bound=Callable[..., Any])
FORMATS = ("csv", "eml", "html", "json", "crm")
campaign_argument = click.argument("campaign_id", metavar="CAMPAIGN")


@click.group("campaign", help="Campaigns for marketing.\n\nExample: crmplugin campaign create spring.json")
def campaign_group() -> None: ...


def _command(name: str, text: str, example: str) -> Callable[[Command], Command]:
    """A command of the group about one campaign."""

    def decorate(command: Command) -> Command:
        help_text = f"{text}\n\nExample: crmplugin campaign {example}"
        return campaign_group.command(name, help=help_text)(json_option(command))  # type: ignore[return-value]

    return decorate


@_command("create", "Keeps a campaign from a JSON file: segment, goal, channels.", "create spring.json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def create_command(file: Path, as_json: bool) -> None:
    from crmplugin.journeys.campaigns import create_campaign

    try:
        wish = json.loads(file.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is no JSON document: {error}") from None
    if not isinstance(wish, dict):
        raise UsageError(f"{file}: expected an object with segment_id, goal, channels …")
    with open_desk() as desk:
        _show(desk, create_campaign(desk, wish, caller()), as_json)


@_command("preview", "Who gets it, who does not and why, what it costs, three messages.", "preview 3f2a")
@campaign_argument
def preview_command(campaign_id: str, as_json: bool) -> None:
    from crmplugin.journeys.campaigns import preview_campaign

    with open_desk() as desk:
        found = preview_campaign(desk, campaign_id)
    if as_json:
        print_json(found)
        return
    for channel, counts in found["channels"].items():
        click.echo(f"{channel}: {counts['matched']} recipients, {counts['left']} left")
        for reason, count in counts["removed"].items():
            click.echo(f"  {count} left out: {reason}")
    click.echo(found["plan"]["advice"])
    for sample in found["samples"]:
        text = sample.get("body") or sample["problem"]
        click.echo(f"\n--- {sample['contact_id']}\n{sample.get('subject') or ''}\n\n{text}")


@_command("approve", "Approves the words.", "approve 3f2a")
@campaign_argument
def approve_command(campaign_id: str, as_json: bool) -> None:
    from crmplugin.journeys.campaigns import approve_campaign

    with open_desk() as desk:
        _show(desk, approve_campaign(desk, campaign_id, caller()), as_json)


@_command("run", "Makes the messages: here, with a progress bar, unless a server does it.", "run 3f2a")
@campaign_argument
@click.option("--queue", is_flag=True, help="Leave it to the server or the workers, and come back at once.")
def run_command(campaign_id: str, queue: bool, as_json: bool) -> None:
    from crmplugin.journeys.campaign_run import start_campaign

    with open_desk() as desk:
        _go(desk, start_campaign(desk, campaign_id, caller()), queue, as_json)


@_command("resume", "Goes on with a paused campaign.", "resume 3f2a")
@campaign_argument
@click.option("--queue", is_flag=True, help="Leave it to the server or the workers, and come back at once.")
def resume_command(campaign_id: str, queue: bool, as_json: bool) -> None:
    from crmplugin.journeys.campaign_run import resume_campaign

    with open_desk() as desk:
        _go(desk, resume_campaign(desk, campaign_id, caller()), queue, as_json)


@_command("pause", "Stops after the messages in work.", "pause 3f2a")
@campaign_argument
def pause_command(campaign_id: str, as_json: bool) -> None:
    from crmplugin.journeys.campaign_run import pause_campaign

    with open_desk() as desk:
        _show(desk, pause_campaign(desk, campaign_id, caller()), as_json)


@_command("status", "How far it is, what it cost, what came of it.", "status 3f2a")
@campaign_argument
def status_command(campaign_id: str, as_json: bool) -> None:
    from crmplugin.journeys.campaigns import get_campaign

    with open_desk() as desk:
        _show(desk, get_campaign(desk, campaign_id), as_json)


@campaign_group.command("list", help="Campaigns, newest first.\n\nExample: crmplugin campaign list")
@limit_option
@cursor_option
@json_option
def list_command(limit: int, cursor: str | None, as_json: bool) -> None:
    from crmplugin.journeys.campaign_rows import campaign_of
    from crmplugin.journeys.campaign_view import summary_json

    with open_desk() as desk:
        page = desk.campaigns.list(limit=limit, cursor=cursor, connections=caller().connections)
        items = [summary_json(campaign_of(row)) for row in page.items]
    if as_json:
        print_json({"items": items, "next": page.next})
        return
    for item in items:
        click.echo(f"{item['id']}  {item['status']}  {item['name']}")


@_command("export", "Lets out what may leave now, into a file or into the CRM.", "export 3f2a --out spring.csv")
@campaign_argument
@click.option("--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: its own name.")
@click.option("--test-to", metavar="ADDRESS", help="Only send three of the mails to this address, by `smtp_url`.")
def export_command(campaign_id: str, form: str, out: Path | None, test_to: str | None, as_json: bool) -> None:
    from crmplugin.journeys.campaign_export import export_campaign, push_to_crm, trial_mails

    with open_desk() as desk:
        if test_to:
            mails = trial_mails(desk, campaign_id, test_to)
            done: dict[str, Any] = {"sent_to": test_to, "mails": _send_test(desk, mails)}
        elif form == "crm":
            done = {"written": push_to_crm(desk, campaign_id, caller())}
        else:
            file = export_campaign(desk, campaign_id, caller(), form=form)
            path = out or Path(file.name)
            path.write_bytes(file.data)
            done = {"file": str(path), "bytes": len(file.data)}
        done = {**done, "states": desk.campaigns.counts(campaign_id), "reasons": desk.campaigns.reasons(campaign_id)}
    if as_json:
        print_json(done)
        return
    for key, value in done.items():
        click.echo(f"{key}: {value}")


def _send_test(desk: Desk, mails: list[Any]) -> int:
    from crmplugin.journeys.outbox import send

    return send(mails, desk.settings.smtp_url)


def _go(desk: Desk, campaign: Any, queue: bool, as_json: bool) -> None:
    """Does the lanes in this process, unless a worker has these files, or many share one database."""
    from crmplugin.cli.serve import hold_locks
    from crmplugin.journeys.campaigns import get_campaign

    embedded = desk.settings.database_url.startswith("sqlite")
    if embedded and not queue:
        try:
            with hold_locks(desk.settings, ["work"]):
                _run_here(desk, campaign)
        except UsageError as busy:
            click.echo(f"left to the server: {busy}", err=True)
    _show(desk, get_campaign(desk, campaign.id), as_json)


def _run_here(desk: Desk, campaign: Any) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from crmplugin.journeys.campaign_run import LANES, run_lane

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    waiting = desk.campaigns.counts(campaign.id).get("waiting", 0)
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("messages", total=waiting)
        for lane in range(LANES[campaign.mode]):
            run_lane(desk, campaign.id, run=campaign.run, lane=lane, tell=lambda n: bar.advance(task, n))


def _show(desk: Desk, campaign: Any, as_json: bool) -> None:
    from crmplugin.journeys.campaign_view import campaign_json

    document = campaign_json(desk, campaign)
    if as_json:
        print_json(document)
        return
    progress = document["progress"]
    click.echo(f"campaign {document['id']}: {document['status']} · {document['name']}")
    if progress["total"]:
        states = ", ".join(f"{n} {state}" for state, n in sorted(progress["states"].items()))
        click.echo(f"{progress['settled']} of {progress['total']} settled: {states}")
    for reason, count in progress["reasons"].items():
        click.echo(f"  {count} without a message: {reason}")
    if document["problem"]:
        click.echo(f"! {document['problem']}")


COMMANDS = [campaign_group]
"""Commands of this module."""
