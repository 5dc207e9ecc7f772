"""`audit` and `vault`: what happened, and the credentials that are kept here."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from crmplugin.cli.output import connection_option, json_option, now, open_assistant, print_json
from crmplugin.cli.rights import caller
from crmplugin.errors import NotFound, UsageError
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
    from crmplugin.store.audit import Entry

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
        body = {"sealed": sealed, "old_key_kept": not forget_old}
        assistant.audit.add(Entry("vault.rotated", now(), caller().name, body=body))
    if as_json:
        print_json({"sealed": sealed, "old_key_kept": not forget_old})
    else:
        kept = "the old key is forgotten" if forget_old else "the old key still opens; --forget-old ends that"
        click.echo(f"{sealed} credentials are sealed with the newest key; {kept}")


@click.group("audit", help="What happened, in a chain that shows tampering.\n\nExample: crmplugin audit verify")
def audit_group() -> None: ...


@audit_group.command(
    "verify",
    help="Looks at every row: changed, removed, reordered? Exit 0 good, 1 not. The head that it prints is worth noting "
    "down elsewhere; --head says later whether it is still in the chain.\n\nExample: crmplugin audit verify",
)
@click.option("--head", metavar="SEQ:HASH", help="A head that an earlier look gave.")
@json_option
def verify_audit(head: str | None, as_json: bool) -> None:
    with open_assistant() as assistant:
        verdict = assistant.audit.verify(head)
    good = not verdict.problems
    if as_json:
        print_json({"good": good, "rows": verdict.rows, "head": verdict.head, "problems": list(verdict.problems)})
    else:
        for problem in verdict.problems:
            click.echo(f"MEND {problem}")
        click.echo(f"{verdict.rows} rows, head {verdict.head}: {'as they were written' if good else 'tampered with'}")
    sys.exit(0 if good else 1)


@audit_group.command(
    "show", help="Rows, the last ones or those of a draft.\n\nExample: crmplugin audit show --kind draft.approved"
)
@click.argument("draft", required=False)
@click.option("--kind", "kinds", multiple=True, help="Only rows of this kind; may be repeated.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--personal", is_flag=True, help="With personal parts (texts, reasons), where they are still there.")
@json_option
def show_audit(draft: str | None, kinds: tuple[str, ...], limit: int, personal: bool, as_json: bool) -> None:
    from crmplugin.journeys.audit import row_json, told

    with open_assistant() as assistant:
        rows = list(assistant.audit.rows(draft=draft, kinds=kinds, newest=limit))
    if as_json:
        print_json({"items": [row_json(row, personal=personal) for row in rows], "next": None})
        return
    for row in rows:
        click.echo(
            f"{row.seq}  {row.at:%Y-%m-%d %H:%M:%S}  {row.kind}  {row.by or '-'}  {row.draft or ''}  {told(row.body)}"
        )


@audit_group.command(
    "replay",
    help="Makes a draft again from what was kept of it, without a model, and compares: exit 0 the same to the byte, 1 "
    "not.\n\nExample: crmplugin audit replay 3f2a…",
)
@click.argument("draft")
@json_option
def replay_audit(draft: str, as_json: bool) -> None:
    from crmplugin.journeys.audit import replay_draft

    with open_assistant() as assistant:
        replay = replay_draft(draft, audit=assistant.audit, tools=assistant.tools)
    if as_json:
        print_json(asdict(replay))
    elif replay.same:
        click.echo(f"draft {draft} comes out the same: {replay.now}")
    else:
        why = f"; since then these changed: {', '.join(replay.changed)}" if replay.changed else ""
        click.echo(f"draft {draft} comes out otherwise ({replay.then} then, {replay.now} now){why}")
    sys.exit(0 if replay.same else 1)


@audit_group.command(
    "export", help="Every row as a line of JSON, in order.\n\nExample: crmplugin audit export > audit.jsonl"
)
@click.option("--connection", help="Only rows of this connection.")
@click.option("--personal", is_flag=True, help="With personal parts, where they are still there.")
def export_audit(connection: str | None, personal: bool) -> None:
    from crmplugin.journeys.audit import row_json
    from crmplugin.journeys.telling import tell_export

    with open_assistant() as assistant:
        assistant.audit.seal_chain()
        for row in assistant.audit.rows(connection=connection):
            click.echo(json.dumps(row_json(row, personal=personal), ensure_ascii=False))
        tell_export(assistant.audit, "audit", by=caller().name, at=now(), connection=connection, personal=int(personal))


@click.command(
    "erase",
    help="Takes a person out of everything: record, activities, drafts, streams, events, campaigns, jobs, audit. Their "
    "addresses stay suppressed, as hashes. It cannot be undone.\n\nExample: crmplugin erase --contact C-7",
)
@connection_option
@click.option("--contact", "contact_id", metavar="ID", required=True)
@click.option("--despite-hold", is_flag=True, help="Also when the person is under legal hold.")
@json_option
def erase_command(connection: str, contact_id: str, despite_hold: bool, as_json: bool) -> None:
    import os

    from crmplugin.journeys.erase import erase_person
    from crmplugin.settings import load_settings
    from crmplugin.wiring import open_office

    office = open_office(load_settings(os.environ), work=False, take=False)
    try:
        if connection not in office.desk.settings.connections:
            raise NotFound(f"no connection {connection!r}: see `crmplugin connections list`")
        done = erase_person(office.desk, connection, contact_id, by=caller().name, despite_hold=despite_hold)
    finally:
        office.close()
    if as_json:
        print_json({"connection": connection, "contact": contact_id, "known": done.known, "erased": dict(done.counts)})
    else:
        what = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in done.counts.items()) or "nothing was kept"
        click.echo(f"contact {contact_id} of {connection}: {what}")


COMMANDS = [vault_group, audit_group, erase_command]
"""Commands of this module."""
