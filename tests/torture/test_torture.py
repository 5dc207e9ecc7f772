"""Nothing lost, nothing doubled, no answer paid twice: counted at the fakes after kills, freezes, cuts and full disks.

`pytest -m long tests/torture -s` runs the long form and prints what was counted.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.torture import harness
from tests.torture.harness import Plan, World

SHORT = Plan(events=25, kills=2, pause_s=(0.0, 0.3), settle_s=90)
SHORT_SPLIT = Plan(events=25, kills=1, pause_s=(0.0, 0.3), settle_s=90)
LONG = Plan(events=2_000, kills=100, pause_s=(0.0, 2.0), cuts=5, settle_s=180)
LEASE_S = 5.0

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="mounting a small file system needs root")


def run_embedded(world: World, begin: Callable[[], None] = lambda: None) -> harness.Count:
    """One server that does all, killed again and again; `begin` is called when it answers."""
    serve = world.serve()
    harness.wait_for_server(world)
    begin()
    return finish(world, [serve])


def run_split(world: World) -> harness.Count:
    """A web process and workers on one PostgreSQL: one worker never comes back, one is frozen and wakes up."""
    serve = world.serve("--no-worker")
    harness.wait_for_server(world)
    workers = [world.launch(f"worker-{n}", "worker") for n in range(2)]
    doomed = world.launch("doomed", "worker")
    frozen = threading.Thread(target=lambda: (time.sleep(4), harness.freeze(world, workers[1], LEASE_S + 3)))
    frozen.start()
    threading.Timer(5, lambda: (world.blow(doomed), doomed.end())).start()
    found = finish(world, [serve, workers[0]])
    frozen.join()
    return found


def finish(world: World, victims: list[harness.Process]) -> harness.Count:
    """Sends the events, torments, waits for quiet, counts."""
    sent = threading.Event()
    world.crm.trouble = harness.usual_trouble()
    sender = threading.Thread(target=harness.post_all, args=(world, sent), daemon=True)
    sender.start()
    kills = harness.torment(world, victims, sent.is_set)
    sender.join()
    unfinished = harness.settle(world, victims)
    found = harness.count(world, kills, unfinished)
    print(f"\n{found}", flush=True)
    return found


def assert_whole(found: harness.Count) -> None:
    assert found.unfinished == {}
    assert (found.lost, found.doubled, found.paid_twice, found.kept_and_paid_again) == ([], [], [], [])
    assert found.paid == found.events


@pytest.fixture
def embedded_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/var/crmplugin.sqlite"


@pytest.mark.embedded
def test_short_embedded(tmp_path, embedded_url):
    with harness.open_world(tmp_path, embedded_url, SHORT) as world:
        assert_whole(run_embedded(world))


@pytest.mark.long
@pytest.mark.embedded
def test_long_embedded(tmp_path, embedded_url):
    with harness.open_world(tmp_path, embedded_url, LONG) as world:
        assert_whole(run_embedded(world))


def test_short_with_workers(tmp_path, postgres_url):
    with harness.open_world(tmp_path, postgres_url, SHORT_SPLIT) as world:
        assert_whole(run_split(world))


@pytest.mark.long
def test_long_with_workers(tmp_path, postgres_url):
    with harness.open_world(tmp_path, postgres_url, LONG) as world:
        assert_whole(run_split(world))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@needs_root
@pytest.mark.long
@pytest.mark.embedded
def test_long_with_a_disk_that_fills_up(small_disk):
    plan = Plan(events=200, kills=6, pause_s=(0.0, 2.0), settle_s=200)
    with harness.open_world(small_disk, f"sqlite:///{small_disk}/var/crmplugin.sqlite", plan) as world:
        stop = threading.Event()
        filler = threading.Thread(target=fill_and_free, args=(small_disk, stop))
        found = run_embedded(world, filler.start)
        stop.set()
        filler.join()
        # An answer that could not be kept because the disk was full is lost only when its process is killed too.
        assert (found.unfinished, found.lost, found.doubled, found.kept_and_paid_again) == ({}, [], [], [])


def fill_and_free(folder: Path, stop: threading.Event) -> None:
    """Takes all the space for two seconds, again and again."""
    while not stop.wait(4.0):
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                stop.wait(2.0)
        ballast.unlink()
