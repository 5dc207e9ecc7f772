"""Real servers as processes of their own, for tests that kill them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests

from connectors.local.verify import sign
from crmplugin.store.access import AccessStore
from crmplugin.store.database import open_engine

SECRET = "secret-of-the-process-tests"
RUN = [sys.executable, "-c", "from crmplugin.cli import main; main()"]
KEPT = ("CRMPLUGIN_DATABASE_URL",)


def environ(var: Path) -> dict[str, str]:
    own = {"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(var), "CRMPLUGIN_CONNECTIONS__LOCAL__WEBHOOK_SECRET": SECRET}
    foreign = ("CRMPLUGIN_", "OPENAI_", "COVERAGE_")
    kept = {k: v for k, v in os.environ.items() if k in KEPT or not k.startswith(foreign)}
    return kept | own


def run(var: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """One command of the command line."""
    done = subprocess.run([*RUN, *args], env=environ(var), capture_output=True, text=True, timeout=60, check=False)
    with suppress(OSError), (var.parent / "commands.log").open("a", encoding="utf-8") as log:  # a disk may be read-only
        log.write(done.stderr)
    return done


class Server:
    """`crmplugin serve` on a free port. `address` is known when it answers."""

    def __init__(self, var: Path, *args: str, more: Mapping[str, str] | None = None) -> None:
        self._log = (var.parent / "serve.log").open("ab")
        command = [*RUN, "serve", "--port", "0", *args]
        self.process = subprocess.Popen(
            command,
            env=environ(var) | dict(more or {}),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=var.parent,
        )
        assert self.process.stdout is not None
        first, self.link_line = self.process.stdout.readline(), self.process.stdout.readline()
        found = re.search(r"http://\S+", first)
        assert found, f"no address in {first!r}; the log ends with {Path(self._log.name).read_text()[-2000:]}"
        self.address = found[0]
        wait_until(self._answers)
        self.token = _make_token(var)

    def _answers(self) -> bool:
        try:
            return requests.get(self.address + "/healthz", timeout=2).ok
        except requests.ConnectionError:
            return False

    def get(self, path: str) -> requests.Response:
        return requests.get(self.address + path, headers=self._headers(), timeout=30)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return requests.post(self.address + path, json=body, headers=self._headers(), timeout=30)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def webhook(self, document: Any) -> requests.Response:
        body = json.dumps(document).encode()
        headers = {"X-Crmplugin-Signature": sign(body, secret=SECRET, now=datetime.now(UTC))}
        return requests.post(self.address + "/webhooks/local", data=body, headers=headers, timeout=30)

    def worker_pids(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def kill(self) -> None:
        """kill -9 of the supervisor, and waiting until its worker is gone too."""
        workers = self.worker_pids()
        self.process.kill()
        self._end()
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers))

    def stop(self) -> int:
        """A polite end; gives back the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(30)
        self.process.stdout.close()  # type: ignore[union-attr]
        self._log.close()
        return code

    def clean_up(self) -> None:
        """Ends it if a test that failed did not."""
        if self.process.poll() is None:
            self.kill()


def _make_token(var: Path) -> str:
    engine = open_engine(environ(var).get("CRMPLUGIN_DATABASE_URL", f"sqlite:///{var}/crmplugin.sqlite"))
    _, token = AccessStore(engine).create_token("admin", at=datetime.now(UTC))
    engine.dispose()
    return token


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true answer of a condition; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")
