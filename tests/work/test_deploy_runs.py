"""The commands of `deploy/`, with their environments, as processes of this machine: they serve, work and end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from crmplugin.store.database import open_engine
from crmplugin.store.events import EventStore
from tests.work.servers import RUN, SECRET, Server, environ, wait_until
from tests.work.test_processes import created

DEPLOY = Path(__file__).parents[2] / "deploy"


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def compose_service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"][name]
    return found


def of_image() -> dict[str, str]:
    """The settings that the Dockerfile gives every container."""
    line = next(x for x in (DEPLOY / "Dockerfile").read_text().splitlines() if x.startswith("ENV "))
    return dict(pair.split("=", 1) for pair in line.split()[1:])


def of_unit(name: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of a unit; instance 1 of a template."""
    text = (DEPLOY / name).read_text().replace("%i", "1")
    (command,) = re.findall(r"^ExecStart=\S+/crmplugin (.*)$", text, re.MULTILINE)
    (line,) = re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
    return command.split(), dict(pair.split("=", 1) for pair in line.split())


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a command with the environment of its file, whose paths become paths of this test."""
    running: list[subprocess.Popen[bytes]] = []
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "crmplugin.toml").write_text(f'[connections.local]\nwebhook_secret = "{SECRET}"\n')

    def here(value: str) -> str:
        for theirs, ours in (("/etc/crmplugin", "etc"), ("/var/lib/crmplugin/var", "var"), ("/run/secrets", "etc")):
            value = value.replace(theirs, str(tmp_path / ours))
        return value

    def _start(args: list[str], given: dict[str, str], **more: str) -> subprocess.Popen[bytes]:
        bare = {k: v for k, v in environ(tmp_path / "var").items() if not k.startswith("CRMPLUGIN_")}
        env = bare | {name: here(value) for name, value in given.items()} | more
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen([*RUN, *args], env=env, cwd=tmp_path, stdout=log, stderr=log))
        return running[-1]

    yield _start
    for process in running:
        process.kill()
        process.wait(20)


def webhook(port: str, n: int) -> requests.Response:
    sender = Server.__new__(Server)
    sender.address = f"http://127.0.0.1:{port}"
    return sender.webhook(created(n))


def answers(port: str) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).ok
    except requests.ConnectionError:
        return False


def is_done(url: str) -> bool:
    """Whether the event was worked on."""
    engine = open_engine(url)
    try:
        found = EventStore(engine).find("local", "evt-0")
        return found is not None and found.state == "done"
    finally:
        engine.dispose()


def end(*processes: subprocess.Popen[bytes]) -> list[int]:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    return [process.wait(20) for process in processes]


def test_compose_serves_works_and_ends(start, tmp_path, postgres_url):
    (tmp_path / "etc" / "database_url").write_text(postgres_url + "\n")
    port, metrics_port = free_port(), free_port()
    env = of_image() | compose_service("web")["environment"]
    web = start(compose_service("web")["command"].split(), env, CRMPLUGIN_PORT=port)
    wait_until(lambda: answers(port), 40)
    worker = start(compose_service("worker")["command"].replace("9100", metrics_port).split(), env)

    assert webhook(port, 0).status_code == 202

    wait_until(lambda: is_done(postgres_url), 40)
    assert "crmplugin_reaps_total" in requests.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5).text
    assert end(web, worker) == [0, 0]


@pytest.mark.embedded
def test_unit_serves_works_and_ends(start, tmp_path):
    port = free_port()
    command, env = of_unit("crmplugin.service")
    server = start(command, env, CRMPLUGIN_PORT=port)
    wait_until(lambda: answers(port), 40)

    assert webhook(port, 0).status_code == 202

    wait_until(lambda: is_done(f"sqlite:///{tmp_path}/var/crmplugin.sqlite"), 40)
    assert end(server) == [0]
