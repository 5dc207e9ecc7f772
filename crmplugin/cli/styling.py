"""`style`: what was learned from a rep's approved drafts; everybody can read it, change it and delete it."""

from __future__ import annotations

from typing import Any

import click

from crmplugin.cli.output import connection_option, json_option, now, open_assistant, print_json
from crmplugin.errors import NotFound

KEY = (
    click.argument("user_id", metavar="USER"),
    click.argument("kind"),
    click.argument("language"),
)


def key_arguments(command: Any) -> Any:
    """Rep, kind and language, in this order."""
    for argument in reversed(KEY):
        command = argument(command)
    return command


@click.group("style", help="Style sheets of reps, learned from their edits.\n\nExample: crmplugin style list")
def style_group() -> None: ...


@style_group.command("list", help="The sheets there are.\n\nExample: crmplugin style list --user U-1 --json")
@connection_option
@click.option("--user", "user_id", metavar="USER", help="Only this rep's.")
@json_option
def list_styles(connection: str, user_id: str | None, as_json: bool) -> None:
    from crmplugin.journeys.styles import style_json

    with open_assistant() as assistant:
        sheets = assistant.styles.list(connection, user_id)
    if as_json:
        print_json({"items": [style_json(sheet) for sheet in sheets]})
        return
    for sheet in sheets:
        how = "edited by hand" if sheet.edited else f"from {sheet.drafts} approved drafts"
        click.echo(f"{sheet.user_id}  {sheet.kind}  {sheet.language}  {sheet.words or '-'} words  {how}")
        click.echo("".join(f"    likes: {phrase}\n" for phrase in sheet.phrases_used), nl=False)
        click.echo("".join(f"    takes out: {phrase}\n" for phrase in sheet.phrases_removed), nl=False)


@style_group.command(
    "edit",
    help="Changes a sheet; from then on it is not learned over.\n\n"
    "Example: crmplugin style edit U-1 follow_up en --words 60 --greeting 'Hi {first},'",
)
@key_arguments
@connection_option
@click.option("--words", type=click.IntRange(1, 1000), help="Usual length of the body.")
@click.option("--greeting", metavar="TEXT", help="With {first} or {last} for the name.")
@click.option("--like", "phrases_used", multiple=True, metavar="TEXT", help="A sentence to use, … for facts.")
@click.option("--remove", "phrases_removed", multiple=True, metavar="TEXT", help="A sentence not to use.")
@json_option
def edit_style(user_id: str, kind: str, language: str, connection: str, as_json: bool, **given: Any) -> None:
    from crmplugin.journeys.styles import change_sheet, style_json

    changes = {name: list(v) if isinstance(v, tuple) else v for name, v in given.items() if v not in (None, ())}
    with open_assistant() as assistant:
        sheet = change_sheet(assistant.styles, connection, (user_id, kind, language), changes, at=now())
    if as_json:
        print_json(style_json(sheet))
    else:
        click.echo(f"the sheet of {user_id} for {kind} in {language} is changed; it is not learned over from now on")


@style_group.command(
    "erase", help="Deletes the sheets of a rep.\n\nExample: crmplugin style erase U-1 --kind follow_up"
)  # fmt: skip
@click.argument("user_id", metavar="USER")
@connection_option
@click.option("--kind", help="Only of this kind.")
@click.option("--language", help="Only in this language.")
@json_option
def erase_styles(user_id: str, connection: str, kind: str | None, language: str | None, as_json: bool) -> None:
    with open_assistant() as assistant:
        erased = assistant.styles.erase(connection, user_id, kind, language)
    if not erased:
        raise NotFound(f"no style sheet of {user_id} on {connection}: crmplugin style list shows those there are")
    if as_json:
        print_json({"erased": erased})
    else:
        click.echo(f"{erased} style sheets of {user_id} are deleted")


COMMANDS = [style_group]
