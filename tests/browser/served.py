"""A real `crmplugin serve` for the browser, with a way in that needs no second process."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import requests

from connectors.local.verify import sign
from crmplugin.domain.crm import Subject
from crmplugin.journeys.launch import launch_url
from crmplugin.store.access import AccessStore
from crmplugin.store.database import open_engine
from tests.browser.words import RECORDS, hours_ago, question
from tests.work.servers import RUN, SECRET, environ, wait_until


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Served:
    """One server on a free port until `stop`. `link` is the one-time sign-in link that it printed."""

    def __init__(self, var: Path, *args: str, more: Mapping[str, str] | None = None) -> None:
        self.var = var
        self.database_url = dict(more or {}).get("CRMPLUGIN_DATABASE_URL", f"sqlite:///{var}/crmplugin.sqlite")
        self._log = (var.parent / f"{var.name}.log").open("ab")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*RUN, "serve", "--port", "0", *args],
            env=environ(var) | dict(more or {}),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=var.parent,
        )
        assert self.process.stdout is not None
        first, second = self.process.stdout.readline(), self.process.stdout.readline()
        found = re.search(r"http://\S+", first)
        assert found, f"no address in {first!r}; the log ends with {Path(self._log.name).read_text()[-2000:]}"
        self.address, self.link = found[0], second.split()[-1]
        wait_until(self._answers)
        self.answered_s = time.monotonic() - self.started
        self._token = self._access(lambda store: store.create_token("admin", at=datetime.now(UTC)))[1]

    def _answers(self) -> bool:
        try:
            return requests.get(self.address + "/healthz", timeout=2).ok
        except requests.ConnectionError:
            return False

    def _access(self, do: Any) -> Any:
        return self.store(lambda engine: do(AccessStore(engine)))

    def store(self, do: Any) -> Any:
        """What `do(engine)` gives back, on the server's own database."""
        engine = open_engine(self.database_url)
        try:
            return do(engine)
        finally:
            engine.dispose()

    def sign_in_link(self, role: str = "admin", user_id: str | None = None) -> str:
        """A new one-time link."""
        ends = datetime.now(UTC) + timedelta(hours=1)
        secret = self._access(lambda store: store.create_link(role, expires_at=ends, user_id=user_id))
        return f"{self.address}/sign-in/{secret}"

    def panel_link(self, deal: str, user: str, *, age_s: int = 0) -> str:
        """A signed launch of the panel, made so long ago."""
        key = (self.var / "signing.key").read_text("utf-8").strip()
        made = datetime.now(UTC) - timedelta(seconds=age_s)
        return launch_url(key, "local", Subject("deal", deal), user, base=self.address, now=made)

    def api(self, path: str) -> Any:
        """What the API answers to an admin."""
        answer = requests.get(self.address + path, headers={"Authorization": f"Bearer {self._token}"}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def draft(self, **wish: Any) -> Any:
        """A draft asked for over the API, finished or not after its wait."""
        headers = {"Authorization": f"Bearer {self._token}"}
        wait = wish.pop("wait", 30)
        answer = requests.post(f"{self.address}/api/v1/drafts?wait={wait}", json=wish, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def edit(self, draft_id: str, body: str) -> Any:
        """A draft's first version with another text."""
        headers = {"Authorization": f"Bearer {self._token}"}
        address = f"{self.address}/api/v1/drafts/{draft_id}"
        answer = requests.patch(address, json={"version": 1, "body": body}, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def webhook(self, document: Any) -> None:
        """Sends an event of the local CRM, and waits until it was worked on."""
        body = json.dumps(document).encode()
        headers = {"X-Crmplugin-Signature": sign(body, secret=SECRET, now=datetime.now(UTC))}
        requests.post(self.address + "/webhooks/local", data=body, headers=headers, timeout=60).raise_for_status()
        self.wait_for_event(document["id"])

    def wait_for_event(self, event_id: str) -> None:
        """Returns when an event was worked on; those of the sample company come a moment after the start."""
        wait_until(lambda: self._event_state(event_id) in ("done", "ignored"))

    def _event_state(self, event_id: str) -> str | None:
        """None for one that is taken but not yet handed on."""
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.get(f"{self.address}/api/v1/events/{event_id}", headers=headers, timeout=30)
        return answer.json()["state"] if answer.ok else None

    def take_records(self) -> None:
        """The records of the scripted model's story, by webhook."""
        records = {**RECORDS, "activities": [question(1, hours_ago(3))]}
        self.webhook({"id": "records", "type": "contact.changed", "at": "2026-01-01T00:00:00Z",
                      "object": {"type": "contact", "id": "C-1"}, "records": records})  # fmt: skip

    def kill(self) -> None:
        """Ends server and worker at once, as a crash does."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.stop()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()  # type: ignore[union-attr]
        self._log.close()
