"""How often others may be called: one bucket for every thread and process on a database."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crmplugin.store.database import migrate, open_engine
from crmplugin.store.limits import SharedLimiter, open_limiter


def open_one(url: str, folder: str) -> SharedLimiter:
    engine = open_engine(url)
    migrate(engine)
    return open_limiter(engine, Path(folder))


@pytest.fixture
def limiter(database_url, tmp_path):
    opened = open_one(database_url, str(tmp_path))
    yield opened
    opened.close()


def test_burst_goes_at_once_and_the_next_calls_wait_their_turn(limiter):
    waits = [limiter.reserve("acme", per_second=10, burst=3) for _ in range(5)]

    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3] == pytest.approx(0.1, abs=0.05)
    assert waits[4] == pytest.approx(0.2, abs=0.05)


def test_buckets_do_not_know_each_other(limiter):
    limiter.reserve("acme", per_second=1, burst=1)

    assert limiter.reserve("other", per_second=1, burst=1) == 0.0


def test_hold_stops_everybody_and_a_shorter_one_does_not_end_it(limiter):
    limiter.hold("acme", 3.0)
    limiter.hold("acme", 0.5)

    assert limiter.reserve("acme", per_second=100, burst=10) == pytest.approx(3.0, abs=0.2)
    assert limiter.reserve("acme", per_second=100, burst=10) == pytest.approx(3.0, abs=0.2)


def test_hold_of_one_who_never_called_counts(limiter):
    limiter.hold("new", 2.0)

    assert limiter.reserve("new", per_second=5, burst=1) == pytest.approx(2.0, abs=0.2)


def test_a_long_wait_takes_nothing_so_that_the_queue_does_not_grow_without_calls(limiter):
    waits = [limiter.reserve("acme", per_second=1, burst=1) for _ in range(50)]

    assert sum(wait <= 2.0 for wait in waits) in (3, 4)
    assert max(waits) < 4.0


def test_an_unused_bucket_fills_up_but_not_over(limiter):
    for _ in range(3):
        limiter.reserve("acme", per_second=20, burst=2)
    time.sleep(0.3)

    waits = [limiter.reserve("acme", per_second=20, burst=2) for _ in range(3)]

    assert waits[:2] == [0.0, 0.0]
    assert waits[2] > 0.02


def call_for(url: str, folder: str, seconds: float) -> list[float]:
    """When this process may call, within so many seconds."""
    limiter = open_one(url, folder)
    until, turns = time.time() + seconds, []
    with ThreadPoolExecutor(4) as pool:

        def run() -> None:
            while (now := time.time()) < until:
                wait = limiter.reserve("acme", per_second=40, burst=5)
                turns.append(now + wait)
                time.sleep(wait)

        for done in [pool.submit(run) for _ in range(4)]:
            done.result()
    limiter.close()
    return turns


def test_two_processes_with_four_threads_each_keep_one_rate(database_url, tmp_path, limiter):
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        made = pool.starmap(call_for, [(database_url, str(tmp_path), 1.5)] * 2)

    turns = sorted(made[0] + made[1])
    fullest = max(sum(start <= turn < start + 1.0 for turn in turns) for start in turns)
    assert len(turns) > 40
    assert fullest <= 48  # 40 a second and the burst of 5, and what clocks of processes differ


def test_a_reservation_is_cheap(limiter):
    began = time.perf_counter()
    for _ in range(200):
        limiter.reserve("acme", per_second=1e6, burst=100)

    assert (time.perf_counter() - began) / 200 < 0.01
