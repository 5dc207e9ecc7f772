"""Durable acknowledgements against a no-op route of the same server, side by side in one run.

    python -m bench.acks [--seconds 5] [--postgresql]

Clients are processes of their own with connections that stay open; each event is new and signed beforehand. Prints
requests a second and the ratio to the no-op route, for: worker paused, jobs running, and on PostgreSQL a web process
with its worker elsewhere (the bars are 0.5, 0.2 and 0.3).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from connectors.local.verify import sign
from tests.postgres import cluster, drop_database, make_database
from tests.work.servers import RUN, SECRET, Server, environ

CLIENTS, CONNECTIONS = 2, 12
HEAD = "POST /webhooks/local HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nX-Crmplugin-Signature: {}\r\n\r\n"
NOOP = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
EVENT = "deal.stage_changed"


def events(first: int, count: int) -> Iterator[bytes]:
    """Requests with one new event each."""
    for n in range(first, first + count):
        about = {"type": "deal", "id": f"D-{n % 1000}"}
        body = json.dumps({"id": f"evt-{os.getpid()}-{n}", "type": EVENT, "object": about}).encode()
        yield HEAD.format(len(body), sign(body, secret=SECRET, now=datetime.now(UTC))).encode() + body


def _answer(sock: socket.socket) -> bytes:
    """The status of one answer, read to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(rest) < length:
        rest += sock.recv(65536)
    return head[9:12]


def client(address: str, noop: bool, seconds: float, number: int, out: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    """Sends over its connections for so long; puts out how many were taken, and each one's time in seconds."""
    parts = urlsplit(address)
    requests = [NOOP] * 4000 if noop else list(events(number * 1_000_000, int(2500 * seconds)))
    waits: list[float] = []
    lock = threading.Lock()
    until = time.perf_counter() + seconds

    def run() -> None:
        sock = socket.create_connection((parts.hostname, parts.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < until:
            with lock:
                request = requests[0] if noop else requests.pop() if requests else None
            if request is None:
                return
            began = time.perf_counter()
            sock.sendall(request)
            status = _answer(sock)
            assert status in (b"200", b"202"), status
            waits.append(time.perf_counter() - began)
        sock.close()

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.put(waits)


def measure(address: str, *, noop: bool, seconds: float) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their times in ms."""
    context = multiprocessing.get_context("spawn")
    out: multiprocessing.Queue[list[float]] = context.Queue()
    args = [(address, noop, seconds, n, out) for n in range(CLIENTS)]
    processes = [context.Process(target=client, args=one) for one in args]
    for process in processes:
        process.start()
    waits = [wait for _ in processes for wait in out.get()]
    for process in processes:
        process.join()
    return len(waits) / seconds, statistics.quantiles(waits, n=100)[98] * 1000


@contextmanager
def served(folder: Path, *args: str) -> Iterator[Server]:
    folder.mkdir()
    server = Server(folder / "var", "--no-demo", *args)
    try:
        yield server
    finally:
        server.kill()


def row(name: str, server: Server, seconds: float, bar: float) -> None:
    """No-op and acks in turns, so that the machine's other work falls on both."""
    noops, acks = [], []
    for _ in range(2):
        noops.append(measure(server.address, noop=True, seconds=seconds / 2))
        acks.append(measure(server.address, noop=False, seconds=seconds / 2))
    noop, ack = (sum(rate for rate, _ in found) / 2 for found in (noops, acks))
    p99 = max(late for _, late in acks)
    found = f"{name:28} no-op {noop:7.0f}/s   acks {ack:7.0f}/s   p99 {p99:4.0f} ms"
    print(f"{found}   ratio {ack / noop:4.2f}   bar {bar:3.1f}   {ack / noop / bar:4.0%} of it", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with served(Path(folder) / "a", "--no-worker") as server:
            row("SQLite, worker paused", server, given.seconds, 0.5)
        with served(Path(folder) / "b") as server:
            row("SQLite, jobs running", server, given.seconds, 0.2)
    if given.postgresql:
        on_postgresql(given.seconds)


def on_postgresql(seconds: float) -> None:
    with cluster() as folder, tempfile.TemporaryDirectory() as files:
        url = make_database(folder)
        os.environ["CRMPLUGIN_DATABASE_URL"] = url
        var = Path(files) / "c"
        worker = [*RUN, "worker"]
        with (
            served(var, "--no-worker") as server,
            subprocess.Popen(worker, env=environ(var / "var"), stderr=subprocess.DEVNULL) as working,
        ):
            row("PostgreSQL, worker elsewhere", server, seconds, 0.3)
            working.terminate()
        drop_database(folder, url)


if __name__ == "__main__":
    main()
