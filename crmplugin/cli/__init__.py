"""The command line `crmplugin`. Each command's module is imported when it is called, so that every start is fast."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from crmplugin import __version__
from crmplugin.cli.rights import guarded

COMMANDS = {
    "serve": "serve",
    "worker": "serve",
    "events": "serve",
    "jobs": "serve",
    "token": "serve",
    "sessions": "serve",
    "openapi": "serve",
    "connections": "serve",
    "connect": "connecting",
    "panel-link": "serve",
    "vault": "trust",
    "audit": "trust",
    "erase": "trust",
    "spending": "spending",
    "import": "importing",
    "sync": "syncing",
    "draft": "drafting",
    "brief": "drafting",
    "recommend": "recommending",
    "segments": "segmenting",
    "timeline": "looking",
    "prospects": "looking",
    "style": "styling",
    "check": "checking",
    "scan": "checking",
    "eval": "evaluating",
    "doctor": "operating",
    "migrate": "operating",
    "campaign": "campaigning",
    "reviews": "commenting",
    "backup": "data",
    "restore": "data",
    "export": "data",
}
"""Command name -> the module of this package that holds it (in its list `COMMANDS`)."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"crmplugin.cli.{COMMANDS[cmd_name]}")
        commands: list[click.Command] = module.COMMANDS
        return guarded(next(c for c in commands if c.name == cmd_name))


@click.command(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the stack trace of an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Personalised follow-ups, pitches and negotiation notes from CRM records. With no command it serves.

    Example: crmplugin draft follow_up --deal D-1
    """
    if ctx.invoked_subcommand is None:
        command = cli.get_command(ctx, "serve")
        assert command is not None
        ctx.invoke(command)


def main(args: list[str] | None = None) -> None:
    """Runs a command; an error on purpose is one sentence on stderr and exit 1, never a stack trace."""
    from crmplugin.errors import CrmPluginError

    given = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in given
    given = [a for a in given if a != "--debug"]
    try:
        cli.main(args=given, prog_name="crmplugin", standalone_mode=True)
    except CrmPluginError as error:
        if debug:
            raise
        click.echo(f"crmplugin: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if debug:
            raise
        click.echo(f"crmplugin: {error.filename or 'the system'}: {error.strerror or error}; mend that first", err=True)
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        click.echo(f"crmplugin: this should not happen ({type(error).__name__}: {error}); see --debug", err=True)
        sys.exit(1)
