"""Who runs a command, and may they? The rows stand in `web/rights.py`, beside those of the routes.

Whoever can start a command can read the files and keys that it works with: the user of the machine is an admin of the
installation, and the audit calls them `cli:<user>`. With a token in CRMPLUGIN_TOKEN a command runs as its holder, with
their role and on their connections.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from crmplugin.cli.output import SUBJECTS, now
from crmplugin.domain.access import Principal
from crmplugin.errors import AccessDenied, NotFound, StoreError
from crmplugin.settings_file import TOKEN_VARIABLE
from crmplugin.web.rights import COMMANDS, Right

if TYPE_CHECKING:
    from crmplugin.journeys.desk import Desk

_CALLER = "crmplugin.caller"


def caller() -> Principal:
    """Who runs the present command."""
    found: Principal = click.get_current_context().meta[_CALLER]
    return found


def guarded(command: click.Command) -> click.Command:
    """The command, or every command of the group, behind the table of rights."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            guarded(one)
    elif command.callback is not None and not hasattr(command.callback, "guards"):
        command.callback = _behind_table(command.callback)
    return command


def _behind_table(callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    def checked(*args: Any, **given: Any) -> Any:
        context = click.get_current_context()
        who = context.meta[_CALLER] = read_caller(os.environ)
        check_caller(name_of(context), who, given)
        return callback(*args, **given)

    checked.guards = True  # type: ignore[attr-defined]
    return checked


def name_of(context: click.Context) -> str:
    """The command's name with its group's: `token create`."""
    names: list[str] = []
    at: click.Context | None = context
    while at is not None and at.parent is not None:
        names.insert(0, at.info_name or "")
        at = at.parent
    return " ".join(names)


def read_caller(environ: Mapping[str, str]) -> Principal:
    """The holder of the token in the environment, else the user of the machine. Raises AccessDenied."""
    secret = environ.get(TOKEN_VARIABLE, "").strip()
    if not secret:
        return Principal(f"cli:{_user_of_machine()}", "admin")
    from crmplugin.settings import load_settings
    from crmplugin.store.access import AccessStore
    from crmplugin.store.database import open_engine

    engine = open_engine(load_settings(environ).database_url)
    try:
        found = AccessStore(engine).by_token(secret, now=now())
    except StoreError as error:
        raise AccessDenied(f"the token in {TOKEN_VARIABLE} cannot be looked up ({error})") from None
    finally:
        engine.dispose()
    if found is None:
        raise AccessDenied(f"{TOKEN_VARIABLE} holds no valid token: make one with `crmplugin token create`")
    return found


def _user_of_machine() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number that nobody named
        return str(os.getuid())


def check_caller(
    name: str,
    who: Principal,
    given: Mapping[str, Any],
    opened: Callable[[], AbstractContextManager[Desk]] | None = None,
) -> None:
    """Raises AccessDenied or NotFound for a command that somebody may not run on what the arguments name.

    `opened` gives the desk to look at; by default one over the settings of this environment.
    """
    right = COMMANDS.get(name)
    if right is None:
        raise AccessDenied(f"the command {name} has no row in the table of rights")
    if who.role not in right.roles:
        raise AccessDenied(f"a {who.role} may not run {name}: it takes one of {', '.join(sorted(right.roles))}")
    if who.connections is not None or who.bound:
        _check_scope(name, right, who, given, opened)


def _check_scope(
    name: str,
    right: Right,
    who: Principal,
    given: Mapping[str, Any],
    opened: Callable[[], AbstractContextManager[Desk]] | None,
) -> None:
    if right.about == "installation":
        _refuse_bound(name)
    elif right.about == "connection":
        _check_whole(name, who, given)
    elif right.about == "user":
        _check_user(who, given)
    elif (look := _LOOKS.get(right.about)) is not None:
        from crmplugin.cli.work_commands import open_desk

        with (opened or open_desk)() as desk:
            look(name, desk, who, given)


def _refuse_bound(name: str) -> None:
    raise AccessDenied(f"{name} is about the whole installation: it takes a token that is bound to no connection")


def _check_whole(name: str, who: Principal, given: Mapping[str, Any]) -> None:
    """A whole connection, which a rep with a user sees only a part of."""
    connection = given.get("connection") or given.get("name")
    if connection is None:
        _refuse_bound(name)
    check_sees(who, str(connection))
    if who.bound:
        raise AccessDenied(f"{name} is about all of {connection}, and this token sees only what belongs to one user")


def check_sees(who: Principal, connection: str) -> None:
    """Raises NotFound for a connection that is not this caller's."""
    if not who.sees(connection):
        raise NotFound(f"no connection {connection!r}; see `crmplugin connections list`")


def _check_user(who: Principal, given: Mapping[str, Any]) -> None:
    check_sees(who, given["connection"])
    mine = who.user_on(given["connection"])
    if who.bound and given["user_id"] != mine:
        raise AccessDenied(f"this token sees only what belongs to {mine}: name that user")


def _look_at_subject(name: str, desk: Desk, who: Principal, given: Mapping[str, Any]) -> None:
    from crmplugin.domain.crm import Subject
    from crmplugin.journeys.visibility import check_connection, check_subject

    check_connection(desk, who, given["connection"])
    for kind in SUBJECTS:
        if given.get(kind):
            check_subject(desk, who, given["connection"], Subject(kind, given[kind]))  # type: ignore[arg-type]


def _look_at_draft(name: str, desk: Desk, who: Principal, given: Mapping[str, Any]) -> None:
    from crmplugin.journeys.visibility import is_visible

    if given["draft"] is None:
        _refuse_bound(name)
    row = desk.drafts.find(given["draft"])
    if row is None or not is_visible(desk, who, row):
        raise NotFound(f"there is no draft {given['draft']} of yours")


def _look_at_campaign(name: str, desk: Desk, who: Principal, given: Mapping[str, Any]) -> None:
    if not who.sees(desk.campaigns.get(given["campaign_id"]).connection):
        raise NotFound(f"there is no campaign {given['campaign_id']}")


def _look_at_event(name: str, desk: Desk, who: Principal, given: Mapping[str, Any]) -> None:
    if given["event_id"] is None:
        _check_whole(name, who, given)
    elif given["connection"] is None:
        raise AccessDenied("say of which connection: add --connection, one of yours")
    else:
        check_sees(who, given["connection"])


def _look_at_job(name: str, desk: Desk, who: Principal, given: Mapping[str, Any]) -> None:
    if given["job_id"] is None:
        _refuse_bound(name)
    job = desk.jobs.find(given["job_id"])
    if job is None or job.connection is None or not who.sees(job.connection):
        raise NotFound(f"there is no job {given['job_id']}; see `crmplugin jobs list`")


_LOOKS: Mapping[str, Callable[[str, Desk, Principal, Mapping[str, Any]], None]] = {
    "subject": _look_at_subject,
    "draft": _look_at_draft,
    "campaign": _look_at_campaign,
    "event": _look_at_event,
    "job": _look_at_job,
}
