"""`serve` and `worker`: a server on this machine, or jobs only. The other commands of this group stand beside."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmplugin.cli import access_commands, work_commands
from crmplugin.errors import UsageError
from crmplugin.settings import Settings, load_settings

if TYPE_CHECKING:
    from crmplugin.work.office import Office

QUEUES = ("click", "event", "campaign")


@click.command(
    "serve",
    help="Web server and worker in one; the first start loads a sample company into the empty store.\n\n"
    "Example: crmplugin serve --port 8080",
)
@click.option("--host", help="Address to listen on; default from the settings, 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default 8000, 0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; more than one needs PostgreSQL.")
@click.option("--no-worker", is_flag=True, help="Web only: jobs are left to `crmplugin worker`.")
@click.option("--demo/--no-demo", default=True, help="Whether an empty store gets the sample company.")
def serve_command(host: str | None, port: int | None, workers: int | None, no_worker: bool, demo: bool) -> None:
    from crmplugin.cli import serving

    settings = load_settings(os.environ)
    plan = serving.Plan(
        host=host or settings.host,
        port=settings.port if port is None else port,
        workers=workers or settings.workers,
        work=not no_worker,
        demo=demo,
    )
    _check_processes(settings, plan.workers)
    with hold_locks(settings, ["serve", "work"] if plan.work else ["serve"]):
        serving.serve(settings, plan)


def _check_processes(settings: Settings, workers: int) -> None:
    if workers > 1 and settings.database_url.startswith("sqlite"):
        raise UsageError("SQLite takes one process: leave --workers at 1, or set CRMPLUGIN_DATABASE_URL to PostgreSQL")


@click.command(
    "worker",
    help="Does jobs without a web server; any number of them on one PostgreSQL.\n\n"
    "Example: crmplugin worker --queues event,campaign",
)
@click.option("--queues", default=",".join(QUEUES), show_default=True, help="Which queues, with commas.")
@click.option(
    "--metrics-port",
    type=click.IntRange(1, 65535),
    help="Serve this worker's own metrics on the settings' host, 127.0.0.1.",
)
def worker_command(queues: str, metrics_port: int | None) -> None:
    from crmplugin.cli.logs import set_up_logs
    from crmplugin.cli.serving import spare_the_collector
    from crmplugin.wiring import open_office

    settings = load_settings(os.environ)
    set_up_logs(settings.log_level)
    names = _queue_names(queues)
    with hold_locks(settings, ["work"]):
        office = open_office(settings, take=False, queues=names)
        _serve_metrics(settings.host, metrics_port)
        spare_the_collector()
        click.echo(f"crmplugin works on {', '.join(names)}; end it with Ctrl-C", err=True)
        try:
            _wait_for_the_end()
        finally:
            leave(office)


def leave(office: Office) -> None:
    """Closes a server's office, and ends the process at once when jobs hang: the interpreter would wait for them."""
    if not office.close():
        logging.shutdown()
        os._exit(0)


def _serve_metrics(host: str, port: int | None) -> None:
    if port is None:
        return
    from prometheus_client import start_http_server

    try:
        start_http_server(port, addr=host)
    except OSError as error:
        raise UsageError(f"--metrics-port {port}: {error.strerror}; take another one") from None


def _queue_names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in QUEUES:
            raise UsageError(f"--queues: no queue {name!r}; there are {', '.join(QUEUES)}")
    return names or QUEUES


def _wait_for_the_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


@contextmanager
def hold_locks(settings: Settings, names: list[str]) -> Iterator[None]:
    """Holds `var/<name>.lock` for this process and its children. Raises UsageError when somebody else does.

    Only embedded: on PostgreSQL any number of processes may work on one database.
    """
    files = []
    if settings.database_url.startswith("sqlite"):
        files = [_lock(settings.var / f"{name}.lock") for name in names]
    try:
        yield
    finally:
        for file in files:
            os.close(file)


def _lock(path: Path) -> int:
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(handle)
        raise UsageError(
            f"crmplugin already runs on the files in {path.parent} (process {holder}): stop it, or set CRMPLUGIN_VAR"
        ) from None
    os.truncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


COMMANDS = [serve_command, worker_command, *work_commands.COMMANDS, *access_commands.COMMANDS]
