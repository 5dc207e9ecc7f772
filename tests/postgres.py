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

ROOM_IN_MEMORY_BYTES = 4_000_000_000
HASTE = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off "
    "-c wal_level=minimal -c max_wal_senders=0 -c max_connections=300"
)
"""What is written here need not outlive the run."""

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
    folder = tempfile.mkdtemp(prefix="crmplugin-pg-", dir=_in_memory())
    data = f"{folder}/data"
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    _run(binaries / "initdb", "-D", data, "-U", "crmplugin", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} {HASTE}"
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
        connection.execute(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
    return f"postgresql://crmplugin@/{name}?host={folder}"


def drop_database(folder: str, url: str) -> None:
    """Takes a database away, whoever is still connected: a run makes hundreds."""
    name = url.partition("@/")[2].partition("?")[0]
    with psycopg.connect(f"host={folder} user=crmplugin dbname=postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _in_memory() -> str | None:
    """A folder in memory, when there is much of it."""
    shm = Path("/dev/shm")
    return str(shm) if shm.is_dir() and shutil.disk_usage(shm).free > ROOM_IN_MEMORY_BYTES else None


def _run(*command: object) -> None:
    given = [str(c) for c in command]
    if os.getuid() == 0:
        given = ["runuser", "-u", "postgres", "--", *given]
    done = subprocess.run(given, capture_output=True, text=True, cwd="/tmp", stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{given}: {done.stdout}{done.stderr}")
