"""Disks that fill or refuse, process groups that die: a clear answer, nothing half-written, and the server goes on."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.work.servers import Server, run, wait_until
from tests.work.test_processes import KINDS, created, settled

DISK_MB = 64
UNMENDED = 4
"""From this exit code on, fsck has left errors uncorrected."""


@dataclass(frozen=True)
class Disk:
    """A folder whose room can end: a file system of its own, or (who may not mount one) files that may not grow."""

    folder: Path
    mounted: bool

    @contextmanager
    def full_for(self, server: Server) -> Iterator[None]:
        """While it lasts the server can keep nothing more."""
        if self.mounted:
            ballast = fill(self.folder)
            yield
            ballast.unlink()
            return
        processes = [psutil.Process(pid) for pid in (server.process.pid, *server.worker_pids())]
        with _files_at_most(1, *processes):
            yield

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """While it lasts no command that is started can write a file."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)
            yield
            return
        # A limit goes on to the processes that are started.
        with _files_at_most(0, psutil.Process()):
            yield


@contextmanager
def _files_at_most(size_bytes: int, *processes: psutil.Process) -> Iterator[None]:
    usual = {process: process.rlimit(psutil.RLIMIT_FSIZE) for process in processes}
    for process, (_, hard) in usual.items():
        process.rlimit(psutil.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        for process, limits in usual.items():
            process.rlimit(psutil.RLIMIT_FSIZE, limits)


class FailingDisk:
    """A folder that turns read-only under open files, as a file system does that met an error on its disk.

    Who may not mount a file system gets files that may not grow instead.
    """

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder, self._image = folder, image
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(DISK_MB * 2**20)
        subprocess.run(["/sbin/mkfs.ext4", "-q", image], check=True)
        self.mounted = self._mount()

    def fail_under(self, server: Server) -> None:
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,abort", self.folder], check=True)
            return
        for pid in (server.process.pid, *server.worker_pids()):
            process = psutil.Process(pid)
            process.rlimit(psutil.RLIMIT_FSIZE, (0, process.rlimit(psutil.RLIMIT_FSIZE)[1]))

    def mend(self) -> None:
        """What an operator does when nothing uses it any more: check the file system and mount it again."""
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)
            assert (
                subprocess.run(["/sbin/fsck.ext4", "-p", self._image], capture_output=True, check=False).returncode < 4
            )
            assert self._mount()

    def take_away(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=True)

    def _mount(self) -> bool:
        mount = ["mount", "-o", "loop", self._image, self.folder]
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield Disk(folder, mounted)
    if mounted:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[FailingDisk]:
    disk = FailingDisk(tmp_path / "disk", tmp_path / "disk.img")
    yield disk
    disk.take_away()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server without the sample on files of its own: on the small disk where a test asks for one."""
    small = "small_disk" in request.fixturenames
    folder = request.getfixturevalue("small_disk").folder if small else request.getfixturevalue("tmp_path")
    made = Server(folder / "var", "--no-demo")
    yield made
    made.clean_up()


def fill(folder: Path) -> Path:
    """A file that takes all the space there is."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            return path


@pytest.mark.embedded
def test_full_disk_refuses_what_it_cannot_keep_and_takes_it_later(small_disk: Disk, server: Server):
    assert server.webhook(created(0)).status_code == 202
    wait_until(lambda: settled(server, 1))

    with small_disk.full_for(server):
        refused = server.webhook(created(1))
        alive = server.get("/healthz")
    taken = wait_until(lambda: (r := server.webhook(created(1))).status_code == 202 and r)

    assert refused.status_code == 503
    assert refused.json()["retryable"]
    assert int(refused.headers["Retry-After"]) > 0
    assert alive.status_code == 200
    assert taken.json()["accepted"] + taken.json()["duplicates"] == 1
    assert wait_until(lambda: settled(server, 2), 60)


@pytest.mark.embedded
def test_read_only_files_stop_the_start_with_a_sentence(small_disk: Disk):
    var = small_disk.folder / "var"
    assert run(var, "migrate").returncode == 0

    with small_disk.read_only():
        served, drafted = run(var, "serve", "--port", "0"), run(var, "import", __file__)

    assert (served.returncode, drafted.returncode) == (1, 1)
    assert "Traceback" not in served.stderr + drafted.stderr
    assert "this should not happen" not in served.stderr


@pytest.mark.embedded
def test_files_that_turn_read_only_refuse_what_they_cannot_keep_and_lose_nothing(failing_disk: FailingDisk):
    var = failing_disk.folder / "var"
    first = Server(var, "--no-demo")
    assert first.webhook(created(0)).status_code == 202
    wait_until(lambda: settled(first, 1))

    failing_disk.fail_under(first)
    refused = _refusals(first)
    alive, shown = first.get("/healthz"), first.get("/api/v1/drafts")
    first.kill()
    failing_disk.mend()
    second = Server(var, "--no-demo")
    taken = second.webhook(created(1))
    settled_again = wait_until(lambda: settled(second, 2), 60)
    second.stop()

    assert refused == [(503, True, True)] * 2
    assert (alive.status_code, shown.status_code) == (200, 200)
    assert taken.json()["accepted"] == 1
    assert len(settled_again) == 2


@pytest.mark.on_postgresql
def test_database_that_turns_read_only_refuses_what_it_cannot_keep_and_takes_it_later(
    server: Server, database_url: str
):
    assert server.webhook(created(0)).status_code == 202
    wait_until(lambda: settled(server, 1))

    _set_read_only(database_url, "on")
    refused = _refusals(server)
    alive, shown = server.get("/healthz"), server.get("/api/v1/drafts")
    _set_read_only(database_url, "off")
    taken = wait_until(lambda: (r := server.webhook(created(1))).status_code == 202 and r)

    assert refused == [(503, True, True)] * 2
    assert (alive.status_code, shown.status_code) == (200, 200)
    assert taken.json()["accepted"] == 1
    assert wait_until(lambda: settled(server, 2), 60)


def _refusals(server: Server) -> list[tuple[int, bool, bool]]:
    """What a webhook and a click get: status, whether to try again, whether it says when."""
    click = {"kind": "summary", "deal_id": "D-0"}
    answers = server.webhook(created(1)), server.post("/api/v1/drafts", click)
    return [(a.status_code, a.json()["retryable"], int(a.headers.get("Retry-After", 0)) > 0) for a in answers]


def _set_read_only(url: str, state: str) -> None:
    """What a fail-over to a standby does: every connection ends, and the next ones may only read."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {state}')
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )


@pytest.mark.embedded
def test_killed_group_leaves_nobody_and_its_work_is_done_once(tmp_path: Path):
    var = tmp_path / "var"
    first = Server(var, "--no-demo")
    assert first.webhook(created(0)).status_code == 202
    pids = [first.process.pid, *first.worker_pids()]

    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    first._end()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    second = Server(var, "--no-demo")
    wait_until(lambda: settled(second, 1), 60)
    drafts = second.get("/api/v1/drafts").json()["items"]
    second.stop()

    assert sorted(d["kind"] for d in drafts) == sorted(KINDS)
