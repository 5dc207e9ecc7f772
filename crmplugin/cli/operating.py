"""`doctor` and `migrate`: is everything in order, and bring the database to today's schema."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from crmplugin.cli.output import json_option, open_assistant, print_json
from crmplugin.errors import CrmPluginError
from crmplugin.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, whether it is good, and what to do when not."""

    name: str
    good: bool
    text: str


@click.command("doctor", help="Checks settings, database, engine, model and connections.\n\nExample: crmplugin doctor")
@json_option
def doctor_command(as_json: bool) -> None:
    findings = list(_findings())
    if as_json:
        rows = [{"name": f.name, "good": f.good, "text": f.text} for f in findings]
        print_json({"good": all(f.good for f in findings), "checks": rows})
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.good else 'MEND'} {finding.name}: {finding.text}")
    sys.exit(0 if all(f.good for f in findings) else 1)


def _findings() -> Iterator[Finding]:
    try:
        settings = load_settings(os.environ)
    except CrmPluginError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, f"valid ({settings.source}); files under {settings.var}")
    for name, look in _LOOKS.items():
        yield from _guarded(name, look, settings)


def _guarded(name: str, look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """The findings of one look; whatever it raises becomes a finding."""
    try:
        yield from look(settings)
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what the doctor is there to say
        yield Finding(name, False, f"{type(error).__name__}: {error}")


def _look_at_database(settings: Settings) -> Iterator[Finding]:
    with open_assistant() as assistant:
        counts = assistant.records.counts("local")
        backend = assistant.engine.dialect.name
    yield Finding("database", True, f"{backend}, schema up to date, {sum(counts.values())} local records")


def _look_at_engine(settings: Settings) -> Iterator[Finding]:
    from importlib.metadata import version

    usable = os.access(settings.var, os.W_OK) if settings.var.exists() else True
    text = f"dbos {version('dbos')}, files under {settings.var}"
    yield Finding("engine", usable, text if usable else f"make {settings.var} writable for this user")


def _look_at_model(settings: Settings) -> Iterator[Finding]:
    if not settings.model.name:
        yield Finding("model", True, "none is set; the template writer writes every draft (CRMPLUGIN_MODEL sets one)")
        return
    from crmplugin.llm.chat import probe

    good, text = probe(settings.model)
    yield Finding("model", good, text)


def _look_at_connections(settings: Settings) -> Iterator[Finding]:
    with open_assistant() as assistant:
        for name in sorted(assistant.connections):
            for check, good, text in assistant.connector(name).diagnose():
                yield Finding(f"connection {name}, {check}", good, text or "fine")


_LOOKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "database": _look_at_database,
    "engine": _look_at_engine,
    "model": _look_at_model,
    "connections": _look_at_connections,
}


@click.command(
    "migrate",
    help="Brings the database to today's schema. With --back-to to an earlier one, for an older version of crmplugin: "
    "stop the server and make a backup first, for what newer tables hold goes.\n\nExample: crmplugin migrate",
)
@click.option("--back-to", metavar="REVISION", help="An earlier revision, such as 0100.")
def migrate_command(back_to: str | None) -> None:
    if back_to is None:
        with open_assistant() as assistant:
            click.echo(f"schema up to date ({assistant.engine.dialect.name})")
        return
    from crmplugin.cli.serve import hold_locks
    from crmplugin.store.database import move_back, open_engine

    settings = load_settings(os.environ)
    with hold_locks(settings, ["serve", "work"]):
        engine = open_engine(settings.database_url)
        try:
            move_back(engine, back_to)
        finally:
            engine.dispose()
    click.echo(
        f"the schema is at {back_to}: start the version of crmplugin that knows it, for this one moves it on again"
    )


COMMANDS = [doctor_command, migrate_command]
