"""`vault`: the credentials that are kept here, and the key that seals them."""

from __future__ import annotations

import click

from crmplugin.cli.output import json_option, open_assistant, print_json
from crmplugin.errors import UsageError
from crmplugin.local_secrets import VAULT_KEY_FILE, add_key, keep_newest_key


@click.group("vault", help="Credentials that renew by themselves, encrypted.\n\nExample: crmplugin vault list")
def vault_group() -> None: ...


@vault_group.command("list", help="What is kept, without the values.\n\nExample: crmplugin vault list --json")
@json_option
def list_vault(as_json: bool) -> None:
    with open_assistant() as assistant:
        rows = assistant.vault.names()
    items = [{"connection": c, "name": n, "expires_at": at.isoformat() if at else None} for c, n, at in rows]
    if as_json:
        print_json({"items": items, "next": None})
        return
    for item in items:
        click.echo(f"{item['connection']}  {item['name']}  {item['expires_at'] or 'no end'}")


@vault_group.command(
    "rotate",
    help="Makes a new key in var/vault.key and seals everything under it; servers go on meanwhile and find it by "
    "themselves. The old key stays below the new one until --forget-old.\n\nExample: crmplugin vault rotate",
)
@click.option("--forget-old", is_flag=True, help="Make no new key; take out all keys but the newest.")
@json_option
def rotate_vault(forget_old: bool, as_json: bool) -> None:
    with open_assistant() as assistant:
        if assistant.settings.vault_key and not forget_old:
            add_hint = "put the new key in front of the old one there, restart, then run vault rotate --forget-old"
            raise UsageError(f"the keys stand in the setting vault_key: {add_hint}")
        file = assistant.settings.var / VAULT_KEY_FILE
        if not forget_old:
            add_key(file)
        sealed = assistant.vault.reseal()
        if forget_old and not assistant.settings.vault_key:
            keep_newest_key(file)
    if as_json:
        print_json({"sealed": sealed, "old_key_kept": not forget_old})
    else:
        kept = "the old key is forgotten" if forget_old else "the old key still opens; --forget-old ends that"
        click.echo(f"{sealed} credentials are sealed with the newest key; {kept}")


COMMANDS = [vault_group]
"""Commands of this module."""
