"""A CRM on the loopback interface: it keeps state, remembers what was asked, and misbehaves on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came; `query` keeps every value of a repeated key."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any
    raw: bytes = b""

    def one(self, key: str, default: str = "") -> str:
        return (self.query.get(key) or [default])[0]


@dataclass
class Trouble:
    """What goes wrong with requests that match, `times` in a row. `after`: the work is done before it goes wrong.

    With `delay_s` nothing but the time is wrong: the answer comes so much later.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    times: int = 1
    after: bool = False
    delay_s: float = 0.0


class FakeServer:
    """Routes are methods of a subclass, named in the table ROUTES (method, pattern, name); gives status, document."""

    ROUTES: tuple[tuple[str, str, str], ...] = ()

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.troubles: list[Trouble] = []
        self.delay_s = 0.0
        self.state = threading.RLock()
        self.url = ""

    def fail(self, method: str, path: str, status: int, **more: Any) -> None:
        """The next matching requests go wrong; `path` is a pattern of the whole path."""
        self.troubles.append(Trouble(method, path, status, **more))

    def asked(self, method: str, pattern: str = ".*") -> list[Request]:
        """What was asked so far."""
        return [r for r in self.requests if r.method == method and re.fullmatch(pattern, r.path)]

    def refuses(self, request: Request) -> tuple[int, Any] | None:
        """The answer to a request without valid credentials; None when they are good."""
        return None

    @contextmanager
    def running(self) -> Iterator[FakeServer]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        with self.state:
            self.requests.append(request)
            trouble = self._trouble(request)
        if self.delay_s:
            time.sleep(self.delay_s)
        if trouble and trouble.delay_s:
            time.sleep(trouble.delay_s)
            trouble = None
        if trouble and not trouble.after:
            return trouble.status, trouble.headers, trouble.body
        refusal = self.refuses(request)
        if refusal:
            return refusal[0], {}, refusal[1]
        status, document = self._routed(request)
        return (trouble.status, trouble.headers, trouble.body) if trouble else (status, {}, document)

    def _trouble(self, request: Request) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.method == request.method and re.fullmatch(trouble.path, request.path):
                trouble.times -= 1
                if trouble.times <= 0:
                    self.troubles.remove(trouble)
                return trouble
        return None

    def _routed(self, request: Request) -> tuple[int, Any]:
        for method, pattern, name in self.ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                route: Callable[..., tuple[int, Any]] = getattr(self, name)
                with self.state:
                    return route(request, *found.groups())
        raise AssertionError(f"no such route in this fake: {request.method} {request.path}")


def _handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = raw.decode("utf-8", "replace")
            query = parse_qs(parts.query, keep_blank_values=True)
            request = Request(self.command, parts.path, query, dict(self.headers.items()), body, raw)
            status, headers, document = fake.answer(request)
            out = (
                b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
            )
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: a failing test shows `requests`."""

    return Handler
