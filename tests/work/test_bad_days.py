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
import pytest

from tests.work.servers import Server, run, wait_until
from tests.work.test_processes import KINDS, created, settled

DISK_MB = 64


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
