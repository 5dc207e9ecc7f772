"""The server process: what happens before granian forks its worker, and in the worker.

The supervisor prepares the store and prints the address; the worker has the application and the jobs. When the
supervisor is killed its worker must not live on, or a second start would share its port and files.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing import util as process_util
from typing import TYPE_CHECKING, Any

import click

from crmplugin.errors import UsageError
from crmplugin.settings import Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask

    from crmplugin.wiring import Assistant

PLAN_VARIABLE = "_CRMPLUGIN_PLAN"
SPARE_THREADS = 32
"""Threads for plain requests, beside one for each stream."""
KILL_TIMEOUT_S = 15
PR_SET_PDEATHSIG = 1
SWITCH_S = 0.001
GARBAGE = 10_000
"""New objects between two looks for garbage; Python's own 700 suit smaller programs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line."""

    host: str
    port: int
    workers: int
    work: bool
    demo: bool


def serve(settings: Settings, plan: Plan) -> None:
    """Serves until it is stopped. Raises UsageError when the port is taken."""
    from granian import Granian
    from granian.constants import Interfaces

    plan = replace(plan, port=_free_port(plan.host, plan.port))
    link = _prepare(settings, plan)
    os.environ[PLAN_VARIABLE] = json.dumps({**asdict(plan), "supervisor": os.getpid()})
    server = Granian(
        "crmplugin.cli.serving:create_worker_app",
        address=plan.host,
        port=plan.port,
        interface=Interfaces.WSGI,
        workers=plan.workers,
        blocking_threads=settings.streams + SPARE_THREADS,
        factory=True,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_TIMEOUT_S,
    )
    server.on_startup(lambda: _greet(settings, plan, link))
    server.serve()


def _free_port(host: str, port: int) -> int:
    """The port, when nobody has it; a free one for 0. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Without SO_REUSEPORT: granian's sockets would let a second server share the port unseen.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(f"cannot listen on {host}:{port} ({reason}): stop what does, or use --port") from None
        return int(probe.getsockname()[1])


def _prepare(settings: Settings, plan: Plan) -> str:
    """Brings the schema up to date, loads the demo where wanted, and makes the one-time sign-in link."""
    from crmplugin.store.access import AccessStore
    from crmplugin.wiring import Assistant

    now = datetime.now(UTC)
    assistant = Assistant(settings)
    try:
        if plan.demo and _is_empty(assistant):
            load_demo(assistant, now)
        access = AccessStore(assistant.engine, assistant.audit)
        access.forget_expired(now)
        return access.create_link("admin", expires_at=now + timedelta(minutes=settings.sign_in_minutes), by="serve")
    finally:
        assistant.close()


def _is_empty(assistant: Assistant) -> bool:
    from crmplugin.store.events import EventStore

    return not assistant.records.counts("local") and not EventStore(assistant.engine).list(limit=1).items


def load_demo(assistant: Assistant, now: datetime) -> None:
    """The sample company into the store, and its events where the worker will find them."""
    from crmplugin import demo
    from crmplugin.domain.records import check_record

    document = demo.load(now.date())
    batch = [(name, check_record(name, doc)) for name, doc in _entries(document)]
    assistant.records.upsert_many("local", batch)
    from crmplugin.wiring import open_office

    office = open_office(assistant.settings, work=False, take=False)
    try:
        body = json.dumps(demo.events(now.date())).encode()
        office.desk.intake.take(office.desk.connector("local").read_events(body, received_at=now).events)
    finally:
        office.close()


def _entries(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The records of a document as (collection, record)."""
    parts = {name: value for name, value in document.items() if name != "format"}
    return [(name, doc) for name, value in parts.items() for doc in (value if isinstance(value, list) else [value])]


def _greet(settings: Settings, plan: Plan, link: str) -> None:
    host = "127.0.0.1" if plan.host in ("0.0.0.0", "::") else plan.host
    address = f"http://[{host}]:{plan.port}" if ":" in host else f"http://{host}:{plan.port}"
    writer = settings.model.name or "template writer (CRMPLUGIN_MODEL is not set)"
    click.echo(f"crmplugin serves on {address} with {writer}")
    click.echo(f"Sign in once within {settings.sign_in_minutes} minutes: {address}/sign-in/{link}")
    sys.stdout.flush()


def create_worker_app() -> Flask:
    """The application in granian's worker process, with its jobs unless they are done elsewhere."""
    from crmplugin.cli.logs import set_up_logs
    from crmplugin.cli.serve import leave
    from crmplugin.web.app import create_app
    from crmplugin.wiring import open_office

    plan = json.loads(os.environ[PLAN_VARIABLE])
    _die_with(plan["supervisor"])
    # Drafting is computing: with the usual 5 ms each acknowledgement would wait that long for its turn.
    sys.setswitchinterval(SWITCH_S)
    settings = load_settings(os.environ)
    set_up_logs(settings.log_level)
    office = open_office(settings, work=plan["work"])
    # A forked process ends without atexit; this is what multiprocessing runs instead.
    process_util.Finalize(office, leave, (office,), exitpriority=10)
    app = create_app(office.desk)
    spare_the_collector()
    return app


def spare_the_collector() -> None:
    """Garbage is looked for less often, and not among what stays for as long as the process does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)


def _die_with(supervisor: int) -> None:
    """Makes the kernel kill this process when its supervisor dies, however it dies (Linux only)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before the line above
        os._exit(1)
