"""`events` and `jobs`: what came in, what became of it, dead letters again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from crmplugin.cli.output import json_option, print_json
from crmplugin.cli.rights import caller
from crmplugin.errors import UsageError
from crmplugin.settings import load_settings

if TYPE_CHECKING:
    from crmplugin.journeys.desk import Desk

limit_option = click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
cursor_option = click.option("--cursor", help="Go on where an earlier list ended.")
of_connection = click.option("--connection", help="Which CRM connection, when two have that id.")


@contextmanager
def open_desk() -> Iterator[Desk]:
    """The desk over the settings of this environment, without doing jobs."""
    from crmplugin.wiring import open_office

    office = open_office(load_settings(os.environ), work=False, take=False)
    try:
        yield office.desk
    finally:
        office.close()


@click.group("events", help="What came in.\n\nExample: crmplugin events list --state dead")
def events_group() -> None: ...


@events_group.command("list", help="Events, newest first.\n\nExample: crmplugin events list --json")
@click.option("--connection")
@click.option("--state", type=click.Choice(["stored", "working", "done", "ignored", "dead"]))
@limit_option
@cursor_option
@json_option
def list_events(connection: str | None, state: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    from crmplugin.web.shapes import event_answer

    with open_desk() as desk:
        mine = caller().connections
        page = desk.events.list(limit=limit, cursor=cursor, connection=connection, connections=mine, state=state)
        drafts = desk.drafts.of_events([(row.connection, row.id) for row in page.items])
        items = [event_answer(row, drafts.get((row.connection, row.id), ())) for row in page.items]
    _print_list(items, page.next, as_json, ("received_at", "connection", "id", "type", "state", "reason"))


@events_group.command("show", help="One event.\n\nExample: crmplugin events show evt-17")
@click.argument("event_id")
@of_connection
@json_option
def show_event(event_id: str, connection: str | None, as_json: bool) -> None:
    from crmplugin.web.shapes import event_answer

    with open_desk() as desk:
        row = desk.events.get(connection, event_id)
        answer = event_answer(row, desk.drafts.of_event(row.connection, row.id))
    _print_one(answer, as_json)


@events_group.command(
    "replay",
    help="Works on an event once more, or on all that are dead.\n\nExample: crmplugin events replay evt-17\n\n"
    "Example: crmplugin events replay --dead",
)
@click.argument("event_id", required=False)
@click.option("--dead", is_flag=True, help="All dead events (of --connection, when given).")
@of_connection
@json_option
def replay_command(event_id: str | None, dead: bool, connection: str | None, as_json: bool) -> None:
    from crmplugin.journeys.replay import replay_dead, replay_event
    from crmplugin.web.shapes import event_answer

    _check_one(event_id, dead, "an event's id")
    if event_id is None:
        with open_desk() as desk:
            ids = [row.id for row in replay_dead(desk, connection)]
        _print_done("replayed", ids, as_json)
        return
    with open_desk() as desk:
        row = replay_event(desk, desk.events.get(connection, event_id))
        answer = event_answer(row, desk.drafts.of_event(row.connection, row.id))
    _print_one(answer, as_json)


@click.group("jobs", help="What is done about it.\n\nExample: crmplugin jobs list --state dead")
def jobs_group() -> None: ...


@jobs_group.command("list", help="Jobs, newest first.\n\nExample: crmplugin jobs list --json")
@click.option("--state", type=click.Choice(["waiting", "running", "done", "dead", "cancelled"]))
@limit_option
@cursor_option
@json_option
def list_jobs(state: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    from crmplugin.web.shapes import job_answer

    with open_desk() as desk:
        jobs, following = desk.jobs.list(limit=limit, cursor=cursor, state=state)
    mine = [job for job in jobs if job.connection is None or caller().sees(job.connection)]
    _print_list(
        [job_answer(job) for job in mine], following, as_json, ("id", "kind", "state", "attempts", "wait_reason")
    )


@jobs_group.command("show", help="One job.\n\nExample: crmplugin jobs show local/evt-17")
@click.argument("job_id")
@json_option
def show_job(job_id: str, as_json: bool) -> None:
    from crmplugin.errors import NotFound
    from crmplugin.web.shapes import job_answer

    with open_desk() as desk:
        job = desk.jobs.find(job_id)
    if job is None:
        raise NotFound(f"there is no job {job_id}; see `crmplugin jobs list`")
    _print_one(job_answer(job), as_json)


@jobs_group.command(
    "retry",
    help="Runs a dead or cancelled job again, or all that are dead.\n\nExample: crmplugin jobs retry local/evt-17\n\n"
    "Example: crmplugin jobs retry --dead",
)
@click.argument("job_id", required=False)
@click.option("--dead", is_flag=True, help="All dead jobs.")
@json_option
def retry_job(job_id: str | None, dead: bool, as_json: bool) -> None:
    from crmplugin.journeys.replay import retry_dead
    from crmplugin.web.shapes import job_answer

    _check_one(job_id, dead, "a job's id")
    if job_id is None:
        with open_desk() as desk:
            ids = [job.id for job in retry_dead(desk)]
        _print_done("retried", ids, as_json)
        return
    with open_desk() as desk:
        job = desk.jobs.retry(job_id)
    _print_one(job_answer(job), as_json)


@jobs_group.command("cancel", help="Ends a waiting or running job.\n\nExample: crmplugin jobs cancel local/evt-17")
@click.argument("job_id")
@json_option
def cancel_job(job_id: str, as_json: bool) -> None:
    from crmplugin.errors import StateConflict
    from crmplugin.web.shapes import job_answer

    with open_desk() as desk:
        if not desk.jobs.cancel(job_id):
            raise StateConflict(f"job {job_id} is not waiting or running: there is nothing to cancel")
        job = desk.jobs.find(job_id)
        assert job is not None
        if job.kind == "event" and job.connection and job.event:
            desk.events.settle(job.connection, job.event, "ignored", "its job was cancelled by hand")
    _print_one(job_answer(job), as_json)


def _check_one(id_: str | None, dead: bool, what: str) -> None:
    if (id_ is None) != dead:
        raise UsageError(f"give {what}, or --dead for all that are dead")


def _print_done(done: str, ids: list[str], as_json: bool) -> None:
    if as_json:
        print_json({done: ids})
    else:
        click.echo(f"{len(ids)} {done}")


def _print_list(items: list[dict[str, Any]], following: str | None, as_json: bool, columns: tuple[str, ...]) -> None:
    if as_json:
        print_json({"items": items, "next": following})
        return
    for item in items:
        click.echo("  ".join(str(item[column]) for column in columns if item[column] is not None))
    if following:
        click.echo(f"more: --cursor {following}", err=True)


def _print_one(item: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    for name, value in item.items():
        click.echo(f"{name}: {value if value is not None else '-'}")


COMMANDS = [events_group, jobs_group]
"""Commands of this module."""
