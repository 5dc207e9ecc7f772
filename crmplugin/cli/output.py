"""What the commands share on their way in and out: options, the open assistant, JSON on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from crmplugin.domain.crm import Subject
from crmplugin.errors import UsageError

if TYPE_CHECKING:
    from crmplugin.wiring import Assistant

Command = TypeVar("Command", bound=Callable[..., Any])

SUBJECTS = ("deal", "company", "contact", "ticket", "activity")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
connection_option = click.option("--connection", default="local", show_default=True, help="Which CRM connection.")
as_of_option = click.option(
    "--as-of", metavar="TIME", help="What counts as now: an instant (RFC 3339), or a date = 12:00 in the seller's zone."
)


def subject_options(command: Command) -> Command:
    """Adds --deal, --company, --contact, --ticket and --activity."""
    for name in reversed(SUBJECTS):
        command = click.option(f"--{name}", metavar="ID", help=f"The {name} it is about.")(command)
    return command


def read_subject(given: dict[str, str | None]) -> Subject:
    """The one subject among the options. Raises UsageError for none or several."""
    named = [(k, v) for k, v in given.items() if v]
    if len(named) != 1:
        which = "none" if not named else " and ".join(f"--{k}" for k, _ in named)
        raise UsageError(f"give exactly one of --{', --'.join(SUBJECTS)}: {which} was given")
    return Subject(named[0][0], named[0][1])  # type: ignore[arg-type]


def read_as_of(text: str | None, zone: str | None) -> datetime | None:
    """An instant from RFC 3339, or 12:00 in the seller's zone from a date."""
    if not text:
        return None
    try:
        if len(text) == len("2026-03-11"):
            return datetime.combine(date.fromisoformat(text), time(12), ZoneInfo(zone or "UTC"))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of: expected an instant such as 2026-03-11T09:00:00Z or a date, got {text!r}") from None
    if moment.tzinfo is None:
        raise UsageError(f"--as-of: the instant {text!r} needs a zone, such as a trailing Z")
    return moment


def now() -> datetime:
    """The clock of the command line."""
    return datetime.now(UTC)


@contextmanager
def open_assistant() -> Iterator[Assistant]:
    """The assistant over the settings of this environment; closed afterwards."""
    import os

    from crmplugin.settings import load_settings
    from crmplugin.wiring import Assistant

    assistant = Assistant(load_settings(os.environ))
    try:
        yield assistant
    finally:
        assistant.close()


def print_json(document: Any) -> None:
    """One JSON document, readable, in Unicode."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
