"""A scripted model: a server on the loopback address that speaks streamed chat completions, for tests and demos.

It answers from a queue or a function, remembers every request, and misbehaves on demand: error status, silence, a cut.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE_CHARS = 12


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model does on one call: says `text`, or fails with `status`.

    first_s: silence before the first piece; piece_s: between pieces; cut_after: pieces after which the line drops;
    before_piece: called with the number of each piece before it is said, so a test can hold the text back.
    """

    text: str = ""
    status: int = 200
    first_s: float = 0.0
    piece_s: float = 0.0
    cut_after: int | None = None
    before_piece: Callable[[int], object] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    error: str = "scripted failure"


Script = Callable[[dict[str, Any]], Reply]


@dataclass
class ScriptedModel:
    """A running scripted model. `requests` are the bodies it got, in order; `headers` those of the last one."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    first_pieces_at: list[float] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What points a crmplugin process at it."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": "scripted", "CRMPLUGIN_MODEL": "scripted"}


def replies(*queue: Reply | str) -> Script:
    """A script that gives these in order and repeats the last."""
    left = [r if isinstance(r, Reply) else Reply(r) for r in queue]
    lock = threading.Lock()

    def script(_body: dict[str, Any]) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


@contextmanager
def scripted_model(script: Script, *, port: int = 0) -> Iterator[ScriptedModel]:
    """Runs the model on a free port of the loopback address until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    model = ScriptedModel(f"http://127.0.0.1:{server.server_address[1]}/v1")
    server.script, server.model = script, model  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.model.requests.append(body)  # type: ignore[attr-defined]
        reply: Reply = self.server.script(body)  # type: ignore[attr-defined]
        time.sleep(reply.first_s)
        try:
            if reply.status != 200:
                self._fail(reply)
            else:
                self._stream(reply, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _fail(self, reply: Reply) -> None:
        payload = json.dumps({"error": {"message": reply.error}}).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _stream(self, reply: Reply, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        pieces = [reply.text[i : i + PIECE_CHARS] for i in range(0, len(reply.text), PIECE_CHARS)]
        self.server.model.first_pieces_at.append(time.monotonic())  # type: ignore[attr-defined]
        for n, piece in enumerate(pieces):
            if reply.cut_after is not None and n >= reply.cut_after:
                return
            if reply.before_piece:
                reply.before_piece(n)
            self._send({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
            time.sleep(reply.piece_s)
        self._send({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if body.get("stream_options"):
            usage = {"prompt_tokens": _tokens(json.dumps(body["messages"])), "completion_tokens": _tokens(reply.text)}
            self._send({"choices": [], "usage": {**usage, "total_tokens": sum(usage.values())}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, chunk: dict[str, Any]) -> None:
        base = {"id": "scripted", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
        self.wfile.write(f"data: {json.dumps({**base, **chunk})}\n\n".encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: a test prints what it wants to."""


def _tokens(text: str) -> int:
    return len(text) // 4
