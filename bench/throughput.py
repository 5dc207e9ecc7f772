"""The whole path a second: event in, two reads of the CRM, a model, the checks, the write-back.

    python -m bench.throughput [--events 300] [--postgresql] [--workers 2]

A CRM whose calls take 20 ms and a model that takes 200 ms stand beside it (the bars are 75 a second in one process, and
50 more for each added worker on PostgreSQL). They share the machine, and the figures say how many cores it has; what a
path costs is the processor time of our processes alone, after twenty paths that warm them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fakes.crm import Trouble
from tests.postgres import cluster, make_database
from tests.torture import harness
from tests.torture.harness import Plan, World

CRM_S, MODEL_S = 0.02, 0.2
ONE_PROCESS, ADDED = 75.0, 50.0
WARM = 20


def run(name: str, url: str, folder: Path, events: int, workers: int) -> float:
    """Paths a second, from the first event until the last note."""
    plan = Plan(events=events + WARM, kills=0, pause_s=(1, 1), settle_s=600, model_s=MODEL_S)
    folder.mkdir()
    with harness.open_world(folder, url, plan) as world:
        world.crm.trouble = Trouble(delay_s=CRM_S)
        world.serve(*(["--no-worker"] if workers else []))
        harness.wait_for_server(world)
        for n in range(workers):
            world.launch(f"worker-{n}", "worker")
        time.sleep(3 if workers else 0)
        for n in range(WARM):
            harness.post(world, n)
        _wait_for_notes(world, WARM)
        began, spent = time.monotonic(), _spent_s(world)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: harness.post(world, n), range(WARM, WARM + events)))
        _wait_for_notes(world, WARM + events)
        rate, cost = events / (time.monotonic() - began), (_spent_s(world) - spent) / events
    bar = ONE_PROCESS + ADDED * max(0, workers - 1)
    print(
        f"{name:34} {rate:6.1f} paths/s   bar {bar:3.0f}   {rate / bar:4.0%} of it   {cost * 1000:4.0f} ms of processor"
        f" a path   load {os.getloadavg()[0]:.0f}",
        flush=True,
    )
    return rate


def _spent_s(world: World) -> float:
    """Processor time of our own processes so far."""
    return sum(sum(one.cpu_times()[:2]) for process in world.processes for one in process.tree())


def _wait_for_notes(world: World, n: int) -> None:
    while len(world.crm.notes) < n:
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        run("SQLite, one process", f"sqlite:///{folder}/a/var/crmplugin.sqlite", folder / "a", given.events, 0)
        if given.postgresql:
            with cluster() as database:
                for n in range(1, given.workers + 1):
                    url = make_database(database)
                    run(f"PostgreSQL, web and {n} worker(s)", url, folder / f"b{n}", given.events, n)


if __name__ == "__main__":
    main()
