"""`connect`: the settings of a new connection, and the steps in the CRM, out of the connector's own README."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from crmplugin.cli.output import json_option, print_json
from crmplugin.errors import UsageError

PUBLIC_URL = "https://assist.example.com"
EXAMPLE = "acme"
"""The server and the connection of every README."""


@click.command(
    "connect",
    help="Prints the settings and the steps that connect a CRM; asks nothing.\n\n"
    "Example: crmplugin connect hubspot --name acme --public-url https://assist.example.com",
)
@click.argument("crm")
@click.option("--name", default=EXAMPLE, show_default=True, help="What the connection is called in addresses.")
@click.option("--public-url", help="The address at which the CRM reaches this server.")
@click.option(
    "--set", "values", multiple=True, metavar="KEY=VALUE", help="A setting of the connection; may be repeated."
)
@click.option("--write", is_flag=True, help="Adds the block to crmplugin.toml (or CRMPLUGIN_CONFIG).")
@json_option
def connect(crm: str, name: str, public_url: str | None, values: tuple[str, ...], write: bool, as_json: bool) -> None:
    block = settings_block(crm, name, dict(_pair(value) for value in values))
    steps = _steps(crm, public_url or PUBLIC_URL, name)
    written = _write(name, block) if write else None
    hook = f"{(public_url or PUBLIC_URL).rstrip('/')}/webhooks/{name}"
    if as_json:
        print_json(
            {"crm": crm, "name": name, "settings": block, "webhook_url": hook, "steps": steps, "written": written}
        )
        return
    click.echo(f"# settings ({written or 'put this into crmplugin.toml, or use --write'})\n{block}")
    click.echo(f"# webhooks of the CRM go to\n{hook}\n\n# steps\n{steps}\n")
    click.echo(f"# then\ncrmplugin connections test {name}")


def settings_block(crm: str, name: str, values: dict[str, str]) -> str:
    """The TOML table of a connection: every required key, secrets from the environment, and what was given.

    Raises UsageError for a CRM or a key that is not known.
    """
    from connectors.registry import COMMON_KEYS, VENDORS

    if crm not in VENDORS or crm == "local":
        known = ", ".join(sorted(set(VENDORS) - {"local"}))
        raise UsageError(f"no connector for {crm!r}: there are {known}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name) or name == "local":
        raise UsageError(f"--name {name!r} is no good name: small letters, digits, - and _, and not local")
    vendor = VENDORS[crm]
    for key in values:
        if key not in {*vendor.required, *vendor.optional, *COMMON_KEYS}:
            known = ", ".join((*vendor.required, *vendor.optional))
            raise UsageError(f"--set {key}: {crm} has no such setting; it has {known}")
    asked = {key: f"env:{crm.upper()}_{key.upper()}" for key in (*vendor.required, *vendor.usual)}
    lines = [f"{key} = {_quoted(value)}" for key, value in {**asked, **values}.items()]
    return "\n".join([f"[connections.{name}]", f'crm = "{crm}"', *lines]) + "\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"--set {text!r}: expected KEY=VALUE")
    return key.strip(), value


def _steps(crm: str, public_url: str, name: str) -> str:
    """The part "Connect" of the connector's README, with this server's address and the connection's name in it."""
    import connectors

    text = (Path(connectors.__file__).parent / crm / "README.md").read_text("utf-8")
    found = re.search(r"^## Connect\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    steps = found[1].strip() if found else f"See connectors/{crm}/README.md."
    named = re.sub(rf"\b{EXAMPLE}\b(?!\.)", name, steps)
    return named.replace(PUBLIC_URL, public_url.rstrip("/"))


def _write(name: str, block: str) -> str:
    """Adds the block to the settings file. Raises UsageError when the connection stands there already."""
    file = Path(os.environ.get("CRMPLUGIN_CONFIG") or "crmplugin.toml")
    old = file.read_text("utf-8") if file.exists() else ""
    if f"[connections.{name}]" in old:
        raise UsageError(f"{file} has a connection {name} already: change it there, or choose another --name")
    file.write_text(f"{old.rstrip()}\n\n{block}" if old.strip() else block, "utf-8")
    return f"added to {file}"


COMMANDS: list[Any] = [connect]
"""Commands of this module."""
