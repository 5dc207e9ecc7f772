"""A CRM that remembers and misbehaves: a server of its own, so that it outlives what talks to it.

It holds records of our format, tells what changed by its own modification time, takes notes, and counts every one it
took. Notes are no upserts: who writes twice finds two. `POST /trouble` makes it slow, busy, failing, or lose an answer
after it has taken a note.
"""

from __future__ import annotations

import json
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 50


@dataclass
class Trouble:
    """How it misbehaves: shares of calls from 0 to 1, and seconds."""

    delay_s: float = 0.0
    fail: float = 0.0
    busy: float = 0.0
    retry_after_s: float = 3.0
    lose_answer: float = 0.0
    late: float = 0.0
    late_s: float = 1.0
    cut: bool = False


@dataclass
class FakeCrm:
    """The state behind the server. `records`: collection -> id -> (document, when it changed)."""

    records: dict[str, dict[str, tuple[dict[str, Any], float]]] = field(default_factory=dict)
    gone: list[tuple[str, str, float, str | None]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    trouble: Trouble = field(default_factory=Trouble)
    lock: threading.Lock = field(default_factory=threading.Lock)
    random: random.Random = field(default_factory=lambda: random.Random(7))

    def put(self, collection: str, document: Mapping[str, Any], *, at: float | None = None) -> None:
        with self.lock:
            found = self.records.setdefault(collection, {})
            before = found.get(document["id"], ({}, 0.0))[0]
            found[document["id"]] = ({**before, **document}, at or time.time())

    def remove(self, kind: str, collection: str, id_: str, *, into: str | None = None) -> None:
        with self.lock:
            self.records.get(collection, {}).pop(id_, None)
            self.gone.append((kind, id_, time.time(), into))

    def changes(self, since: float | None, start: int) -> dict[str, Any]:
        """A page of what changed, oldest first. The cursor is how many were seen."""
        with self.lock:
            changed = [
                (at, name, document)
                for name, found in self.records.items()
                for document, at in found.values()
                if since is None or at >= since
            ]
            changed.sort(key=lambda entry: (entry[0], entry[1], entry[2]["id"]))
            gone = [row for row in self.gone if since is not None and row[2] >= since] if start == 0 else []
        page = changed[start : start + PAGE]
        more = start + PAGE < len(changed)
        return {
            "changed": [{"collection": name, "at": at, "document": document} for at, name, document in page],
            "gone": [{"type": kind, "id": id_, "into": into} for kind, id_, _, into in gone],
            "cursor": str(start + PAGE) if more else None,
            "total": len(changed),
            "now": time.time(),
        }

    def account(self, deal_id: str) -> dict[str, Any] | None:
        """Everything about a deal, as records of our format."""
        with self.lock:
            found = self.records.get("deals", {}).get(deal_id)
            if found is None:
                return None
            deal = found[0]
            contacts = [self._get("contacts", id_) for id_ in deal.get("contact_ids", ())]
            about = [d for d, _ in self.records.get("activities", {}).values() if d.get("deal_id") == deal_id]
            products = [self._get("products", id_) for id_ in deal.get("product_ids", ())]
            company = self._get("companies", deal.get("company_id"))
        return {"deal": deal, "company": company, "contacts": contacts, "activities": about, "products": products}

    def _get(self, collection: str, id_: Any) -> Any:
        return self.records.get(collection, {}).get(id_, (None, 0.0))[0]

    def take_note(self, note: dict[str, str]) -> str:
        with self.lock:
            self.notes.append(note)
            return f"note-{len(self.notes)}"

    def find_note(self, marker: str) -> str | None:
        with self.lock:
            markers = [note["marker"] for note in self.notes]
        return f"note-{markers.index(marker) + 1}" if marker in markers else None

    def chance(self, share: float) -> bool:
        with self.lock:
            return self.random.random() < share


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    crm: FakeCrm

    def do_GET(self) -> None:
        self._serve("GET", {})

    def do_POST(self) -> None:
        self._serve("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _serve(self, method: str, body: Any) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self.crm.lock:
            self.crm.calls[f"{method} {parts.path.split('/')[1]}"] += 1
        if parts.path in ("/trouble", "/records", "/state", "/remove"):
            self._answer(200, self._command(parts.path, body))
        elif not self._misbehave():
            self._route(method, parts.path, query, body)

    def _command(self, path: str, body: Any) -> Any:
        """What a test says to it, which never fails."""
        crm = self.crm
        if path == "/trouble":
            crm.trouble = Trouble(**body)
        elif path == "/records":
            for name, documents in body.items():
                for document in documents:
                    crm.put(name, document)
        elif path == "/remove":
            crm.remove(body["type"], body["collection"], body["id"], into=body.get("into"))
        counts = Counter(note["marker"] for note in crm.notes)
        return {"notes": counts, "calls": crm.calls}

    def _misbehave(self) -> bool:
        """Whether trouble was the answer."""
        trouble = self.crm.trouble
        if trouble.cut:
            self._hang_up()
            return True
        time.sleep(trouble.delay_s)
        if self.crm.chance(trouble.busy):
            self._answer(429, {"error": "busy"}, {"Retry-After": str(trouble.retry_after_s)})
            return True
        if self.crm.chance(trouble.fail):
            self._answer(500, {"error": "failed"})
            return True
        return False

    def _route(self, method: str, path: str, query: Mapping[str, str], body: Any) -> None:
        if path == "/changes":
            since = float(query["since"]) if "since" in query else None
            self._answer(200, self.crm.changes(since, int(query.get("cursor", "0"))))
        elif path.startswith("/deals/"):
            found = self.crm.account(path.rpartition("/")[2])
            self._answer(200 if found else 404, found or {"error": "no such deal"})
        elif path == "/notes" and method == "GET":
            self._answer(200, {"id": self.crm.find_note(query["marker"])})
        elif path == "/notes":
            self._take(body)
        else:
            self._answer(404, {"error": "no such path"})

    def _take(self, body: dict[str, str]) -> None:
        if self.crm.chance(self.crm.trouble.late):
            # Taken long after the caller has gone.
            threading.Timer(self.crm.trouble.late_s, self.crm.take_note, [body]).start()
            self._hang_up()
            return
        made = self.crm.take_note(body)
        if self.crm.chance(self.crm.trouble.lose_answer):
            self._hang_up()
            return
        self._answer(201, {"id": made})

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, document: Any, headers: Mapping[str, str] | None = None) -> None:
        payload = json.dumps(document).encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


@contextmanager
def fake_crm(crm: FakeCrm | None = None, *, port: int = 0) -> Iterator[tuple[FakeCrm, str]]:
    """A running CRM and its address."""
    made = crm or FakeCrm()
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"crm": made}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield made, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


if __name__ == "__main__":
    with fake_crm(port=int(sys.argv[1])):
        threading.Event().wait()
