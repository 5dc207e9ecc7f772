"""A throw-away PostgreSQL: a cluster in a temporary folder, a fresh database for each test that asks."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_numbers = itertools.count(1)


def find_binaries() -> Path | None:
    """The folder of the newest installed server's binaries."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@contextmanager
def cluster() -> Iterator[str]:
    """Runs a server on a socket in a temporary folder; gives the folder. Root starts it as the user `postgres`."""
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL is not installed: bin/test installs it when root")
    folder = tempfile.mkdtemp(prefix="crmplugin-pg-")
    data = f"{folder}/data"
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    _run(binaries / "initdb", "-D", data, "-U", "crmplugin", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=300"
    _run(binaries / "pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
    try:
        yield folder
    finally:
        _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def make_database(folder: str) -> str:
    """The URL of a new empty database in the cluster of this folder."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(f"host={folder} user=crmplugin dbname=postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql://crmplugin@/{name}?host={folder}"


def _run(*command: object) -> None:
    given = [str(c) for c in command]
    if os.getuid() == 0:
        given = ["runuser", "-u", "postgres", "--", *given]
    done = subprocess.run(given, capture_output=True, text=True, cwd="/tmp", stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{given}: {done.stdout}{done.stderr}")
