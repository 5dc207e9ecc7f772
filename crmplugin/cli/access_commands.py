"""`token`, `connections`, `panel-link` and `openapi`: who may ask, what is connected, and how to call it."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from crmplugin.cli.output import connection_option, json_option, open_assistant, print_json
from crmplugin.cli.rights import caller
from crmplugin.settings import Settings, load_settings

ROLES = ("rep", "manager", "director", "marketing", "admin")


@click.group("token", help="API tokens with a role.\n\nExample: crmplugin token create --role rep")
def token_group() -> None: ...


@token_group.command(
    "create", help="Makes a token and shows it this once.\n\nExample: crmplugin token create --role manager --json"
)
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--name", help="What it is for.")
@click.option("--user", "user_id", help="The CRM user behind it: a rep then sees only that user's deals.")
@click.option("--connection", "connections", multiple=True, help="Only for this connection; may be repeated.")
@click.option("--days", type=click.IntRange(1), help="Ends after so many days; default never.")
@json_option
def create_token(
    role: str, name: str | None, user_id: str | None, connections: tuple[str, ...], days: int | None, as_json: bool
) -> None:
    _check_user(role, user_id, connections)
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=days) if days else None
    with open_assistant() as assistant:
        for connection in connections:
            assistant.connection(connection)
        token_id, secret = _access(assistant).create_token(
            role,
            at=now,
            name=name,
            user_id=user_id,
            connections=connections or None,
            expires_at=expires_at,
            by=caller().name,
        )
    if as_json:
        print_json({"id": token_id, "token": secret, "role": role})
    else:
        click.echo(secret)
        click.echo(f"token {token_id} with role {role}: keep it, it is not shown again", err=True)


@token_group.command("list", help="All tokens, without their secrets.\n\nExample: crmplugin token list")
@json_option
def list_tokens(as_json: bool) -> None:
    with open_assistant() as assistant:
        rows = _access(assistant).tokens()
    items = [_shown(row) for row in rows]
    if as_json:
        print_json({"items": items, "next": None})
        return
    for item in items:
        state = "revoked" if item["revoked_at"] else "valid"
        click.echo(f"{item['id']}  {item['role']}  {state}  {item['name'] or ''}".rstrip())


@token_group.command("revoke", help="Ends a token at once.\n\nExample: crmplugin token revoke 3f2a…")
@click.argument("token_id")
@json_option
def revoke_token(token_id: str, as_json: bool) -> None:
    with open_assistant() as assistant:
        _access(assistant).revoke_token(token_id, at=datetime.now(UTC), by=caller().name)
    if as_json:
        print_json({"id": token_id, "revoked": True})
    else:
        click.echo(f"token {token_id} is revoked")


@token_group.command("link", help="A one-time link to sign in with.\n\nExample: crmplugin token link --role manager")
@click.option("--role", default="admin", show_default=True, type=click.Choice(ROLES))
@click.option("--user", "user_id", help="The CRM user who signs in.")
@click.option("--connection", "connections", multiple=True, help="Only for this connection; may be repeated.")
@json_option
def create_link(role: str, user_id: str | None, connections: tuple[str, ...], as_json: bool) -> None:
    _check_user(role, user_id, connections)
    with open_assistant() as assistant:
        for connection in connections:
            assistant.connection(connection)
        settings = assistant.settings
        expires_at = datetime.now(UTC) + timedelta(minutes=settings.sign_in_minutes)
        secret = _access(assistant).create_link(
            role, expires_at=expires_at, user_id=user_id, connections=connections or None, by=caller().name
        )
    url = f"{base_url(settings)}/sign-in/{secret}"
    if as_json:
        print_json({"url": url, "role": role, "expires_at": expires_at.isoformat()})
    else:
        click.echo(url)


def _check_user(role: str, user_id: str | None, connections: tuple[str, ...]) -> None:
    """Raises UsageError for a rep's user on several connections: the same id is another person in another CRM."""
    if role == "rep" and user_id and len(connections) > 1:
        from crmplugin.errors import UsageError

        raise UsageError(f"--user {user_id} is a user of one CRM: name one --connection, or make a token for each")


def _access(assistant: Any) -> Any:
    from crmplugin.store.access import AccessStore

    return AccessStore(assistant.engine, assistant.audit)


def _shown(row: Any) -> dict[str, Any]:
    times = {name: getattr(row, name) for name in ("created_at", "expires_at", "revoked_at")}
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "user": row.user_id,
        "connections": list(row.connections) if row.connections is not None else None,
        **{name: value.isoformat() if value else None for name, value in times.items()},
    }


@click.group("sessions", help="Who is signed in.\n\nExample: crmplugin sessions list")
def sessions_group() -> None: ...


@sessions_group.command("list", help="Sessions that last.\n\nExample: crmplugin sessions list --json")
@json_option
def list_sessions(as_json: bool) -> None:
    with open_assistant() as assistant:
        rows = _access(assistant).sessions(now=datetime.now(UTC))
    items = [
        {**asdict(row), "created_at": row.created_at.isoformat(), "expires_at": row.expires_at.isoformat()}
        for row in rows
    ]
    if as_json:
        print_json({"items": items, "next": None})
        return
    for item in items:
        click.echo(f"{item['id']}  {item['role']}  {item['who'] or '-'}  since {item['created_at'][:16]}")


@sessions_group.command("end", help="Ends a session at once, or all.\n\nExample: crmplugin sessions end 3f2a41c0")
@click.argument("session_id", required=False)
@click.option("--all", "everybody", is_flag=True, help="Every session.")
def end_sessions(session_id: str | None, everybody: bool) -> None:
    from crmplugin.errors import UsageError

    if everybody == (session_id is not None):
        raise UsageError("give either the id of a session or --all")
    with open_assistant() as assistant:
        if session_id is not None:
            _access(assistant).end_named(session_id, by=caller().name)
            n = 1
        else:
            n = _access(assistant).end_all(by=caller().name)
    click.echo(f"{n} sessions ended")


@click.group("connections", help="The CRMs of the settings.\n\nExample: crmplugin connections list")
def connections_group() -> None: ...


@connections_group.command("list", help="All connections.\n\nExample: crmplugin connections list --json")
@json_option
def list_connections(as_json: bool) -> None:
    settings = load_settings(os.environ)
    items = [_connection(settings, name, secrets=False) for name in settings.connections if caller().sees(name)]
    if as_json:
        print_json({"items": items, "next": None})
        return
    for item in items:
        click.echo(f"{item['name']}  {item['crm']}  {item['webhook_url']}")


@connections_group.command(
    "show", help="One connection, its secrets when asked.\n\nExample: crmplugin connections show local --secrets --json"
)
@click.argument("name", default="local")
@click.option("--secrets", is_flag=True, help="Show the webhook secret.")
@json_option
def show_connection(name: str, secrets: bool, as_json: bool) -> None:
    settings = load_settings(os.environ)
    _check_name(settings, name)
    item = _connection(settings, name, secrets=secrets)
    if as_json:
        print_json(item)
        return
    for key, value in item.items():
        click.echo(f"{key}: {value if value is not None else '(shown with --secrets)'}")


@connections_group.command(
    "test", help="Checks a connection with real calls.\n\nExample: crmplugin connections test local"
)
@click.argument("name", default="local")
@json_option
def test_connection(name: str, as_json: bool) -> None:
    with open_assistant() as assistant:
        assistant.connection(name)
        checks = [
            {"name": check, "good": good, "text": text} for check, good, text in assistant.connector(name).diagnose()
        ]
    good = all(check["good"] for check in checks)
    if as_json:
        print_json({"name": name, "good": good, "checks": checks})
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check['good'] else 'MEND'} {check['name']}: {check['text']}")
    sys.exit(0 if good else 1)


def _check_name(settings: Settings, name: str) -> None:
    from crmplugin.errors import NotFound

    if name not in settings.connections:
        raise NotFound(f"no connection {name!r}: the settings have {', '.join(sorted(settings.connections))}")


def _connection(settings: Settings, name: str, *, secrets: bool) -> dict[str, Any]:
    connection = settings.connections[name]
    return {
        "name": name,
        "crm": connection.crm,
        "webhook_url": f"{base_url(settings)}/webhooks/{name}",
        "webhook_secret": connection.options.get("webhook_secret") if secrets else None,
    }


def base_url(settings: Settings) -> str:
    """The address at which this server is called from outside, without a slash at its end."""
    if settings.public_url:
        return settings.public_url
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


@click.command(
    "panel-link",
    help="A signed address that opens the panel for one record.\n\nExample: crmplugin panel-link --deal D-1 --user U-1",
)
@connection_option
@click.option("--deal", metavar="ID", required=True)
@click.option("--user", "user_id", metavar="ID", help="The CRM user who opens it.")
@json_option
def panel_link(connection: str, deal: str, user_id: str | None, as_json: bool) -> None:
    from crmplugin.domain.crm import Subject
    from crmplugin.journeys.launch import launch_url

    settings = load_settings(os.environ)
    _check_name(settings, connection)
    now, subject = datetime.now(UTC), Subject("deal", deal)
    url = launch_url(settings.signing_key, connection, subject, user_id, base=base_url(settings), now=now)
    if as_json:
        print_json({"url": url})
    else:
        click.echo(url)


@click.command("openapi", help="The OpenAPI document of the API.\n\nExample: crmplugin openapi > openapi.json")
@click.option("--swagger2", is_flag=True, help="As Swagger 2.0, which Power Platform reads.")
def openapi_command(swagger2: bool) -> None:
    from crmplugin.web.app import api_document

    document = api_document()
    if swagger2:
        from crmplugin.web.swagger2 import to_swagger2

        document = to_swagger2(document, base_url(load_settings(os.environ)))
    print_json(document)


COMMANDS = [token_group, sessions_group, connections_group, panel_link, openapi_command]
"""Commands of this module."""
