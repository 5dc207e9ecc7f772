"""A thousand drafts whose model takes ten seconds each: how long all of them take, and the memory above idle.

    python -m bench.in_flight [--drafts 1000] [--seconds 10]

The bars are 14 s and 100 MB. Also printed: seconds from a start to the first answer (bar 2 s; the first start of all
compiles the program and makes the database, and what counts is every later one), and the CPU of an idle server.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path

from tests.fakes.crm import Trouble
from tests.torture import harness
from tests.torture.harness import Plan, Process

IDLE_S = 10.0


def resident_mb(process: Process) -> float:
    return sum(one.memory_info().rss for one in process.tree()) / 2**20


def cpu_s(process: Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in process.tree())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--drafts", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        # As installed: the program is compiled once. What this run compiles goes with its folder.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        plan = Plan(events=given.drafts, kills=0, pause_s=(1, 1), settle_s=600, model_s=given.seconds)
        with harness.open_world(folder, f"sqlite:///{folder}/var/crmplugin.sqlite", plan) as world:
            settings = folder / "crmplugin.toml"
            more = f"jobs_at_once = {2 * given.drafts}\nmodel_calls_at_once = {2 * given.drafts}\n"
            settings.write_text(more + settings.read_text())
            world.crm.trouble = Trouble()
            _start(world, "first start of all").end()
            serve = _start(world, "start to first answer", "   bar 2 s")
            time.sleep(3)
            before, idle = cpu_s(serve), resident_mb(serve)
            time.sleep(IDLE_S)
            print(f"idle                    {(cpu_s(serve) - before) / IDLE_S:6.1%} of a core, {idle:.0f} MB")
            _fly(world, serve, given.drafts, idle)


def _start(world: harness.World, name: str, bar: str = "") -> Process:
    began = time.monotonic()
    serve = world.serve()
    harness.wait_for_server(world, 120)
    took = time.monotonic() - began
    print(f"{name:23} {took:6.2f} s{bar}   {cpu_s(serve):.2f} s of CPU   load {os.getloadavg()[0]:.0f}", flush=True)
    return serve


def _fly(world: harness.World, serve: Process, drafts: int, idle: float) -> None:
    began, most, spent = time.monotonic(), idle, cpu_s(serve)
    sender = threading.Thread(target=harness.post_all, args=(world, threading.Event()))
    sender.start()
    while len(world.crm.notes) < drafts:
        most = max(most, resident_mb(serve))
        time.sleep(0.2)
    sender.join()
    took = time.monotonic() - began
    print(
        f"{drafts} drafts in flight   {took:6.1f} s   bar 14 s   {most - idle:.0f} MB above idle   bar 100 MB"
        f"   {(cpu_s(serve) - spent) / drafts * 1000:.0f} ms of CPU a draft   load {os.getloadavg()[0]:.0f}"
    )


if __name__ == "__main__":
    main()
