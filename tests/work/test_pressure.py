"""Saying no in time, and seeing why: full disks and memory, dead letters again, what the metrics say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.local.verify import sign
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.errors import Overloaded
from crmplugin.store.access import AccessStore
from crmplugin.web.app import create_app
from crmplugin.work.pressure import LEAST_FREE_DISK, LEAST_FREE_MEMORY, Pressure, free_memory
from tests.work.servers import wait_until

PLENTY = 10**12


class Room:
    """How much is free; a test says so."""

    disk, memory, now = PLENTY, PLENTY, 0.0

    def pressure(self) -> Pressure:
        return Pressure(
            Path("."), free_disk=lambda _: self.disk, free_memory=lambda: self.memory, clock=lambda: self.now
        )


@pytest.mark.parametrize(
    ("name", "free", "sentence"),
    [("disk", LEAST_FREE_DISK - 1, "MB are free under"), ("memory", LEAST_FREE_MEMORY - 1, "MB of memory are free")],
)
def test_too_little_room_refuses_and_room_again_takes(name, free, sentence):
    room = Room()
    pressure = room.pressure()
    pressure()
    setattr(room, name, free)
    room.now = 1.0

    with pytest.raises(Overloaded, match=sentence):
        pressure()

    setattr(room, name, PLENTY)
    room.now = 2.0
    pressure()


def test_it_looks_at_most_twice_a_second():
    room = Room()
    pressure = room.pressure()
    pressure()
    room.disk = 0

    room.now = 0.4
    pressure()
    room.now = 0.5
    with pytest.raises(Overloaded):
        pressure()


def test_memory_of_a_container_counts_where_it_is_less(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\n")
    for name, text in {
        "memory.max": "536870912",
        "memory.current": "500000000",
        "memory.stat": "file 5\ninactive_file 1000000\n",
    }.items():
        (tmp_path / name).write_text(text)

    assert free_memory(meminfo, tmp_path) == 536870912 - 500000000 + 1000000
    (tmp_path / "memory.max").write_text("max")
    assert free_memory(meminfo, tmp_path) == 4000000 * 1024
    assert free_memory(tmp_path / "none", tmp_path / "none") is None


@pytest.fixture
def desk(open_office, monkeypatch):
    monkeypatch.setenv("CRMPLUGIN_CONNECTIONS__LOCAL__WEBHOOK_SECRET", "s" * 32)
    return open_office(work=False).desk


def test_webhook_under_pressure_is_503_and_nothing_is_taken(desk):
    from connectors.registry import open_connector

    def refuse():
        raise Overloaded("only 3 MB are free")

    def connector(name):
        return open_connector(desk.settings.connections[name], records=desk.records, services=None)

    client = create_app(replace(desk, pressure=refuse, connector=connector)).test_client()
    body = json.dumps({"id": "e-1", "type": "deal.created", "object": {"type": "deal", "id": "D-1"}}).encode()
    headers = {"X-Crmplugin-Signature": sign(body, secret="s" * 32, now=datetime.now(UTC))}

    answer = client.post("/webhooks/local", data=body, headers=headers)

    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "overloaded", True)
    assert int(answer.headers["Retry-After"]) > 0
    assert desk.events.list().items == ()


def metrics_of(desk) -> dict[str, float]:
    _, token = AccessStore(desk.records._engine).create_token("admin", at=datetime.now(UTC))
    answer = create_app(desk).test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found[sample.name + "".join(f" {v}" for v in sample.labels.values())] = sample.value
    return found


def take(desk, name):
    now = datetime.now(UTC)
    desk.intake.take([Event(name, "local", "deal.created", now, ObjectRef("deal", "D-1"), received_at=now)])
    desk.intake.settle(5)


def test_metrics_say_what_waits_and_for_how_long(open_office):
    desk = open_office(work=False).desk
    take(desk, "e-1")

    found = metrics_of(desk)

    assert found["crmplugin_events local stored deal.created"] == 1
    assert found["crmplugin_jobs waiting"] == 1
    assert 0 <= found["crmplugin_oldest_job_seconds"] < 60
    assert found["crmplugin_disk_free_bytes"] > 0
    assert "crmplugin_reaps_total" in found


def test_all_dead_events_are_worked_on_again(crmplugin, open_office):
    desk = open_office(work=False).desk
    for n in range(3):
        take(desk, f"e-{n}")
        wait_until(lambda job=f"local/e-{n}": desk.jobs.cancel(job))
        desk.events.settle("local", f"e-{n}", "dead" if n else "done", "it failed")

    answer = crmplugin("events", "replay", "--dead", "--json")

    assert sorted(answer.json["replayed"]) == ["e-1", "e-2"]
    jobs, _ = desk.jobs.list(limit=20, cursor=None, state="waiting")
    assert sorted(job.id for job in jobs) == ["local/e-1/r1", "local/e-2/r1"]


@pytest.mark.parametrize("command", [("events", "replay"), ("jobs", "retry")])
def test_one_or_all_has_to_be_said(crmplugin, command):
    assert "or --dead for all that are dead" in crmplugin(*command).err
    assert "or --dead for all that are dead" in crmplugin(*command, "x", "--dead").err
