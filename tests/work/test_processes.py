"""Real servers that are killed: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter

import psutil
import pytest
import requests

from crmplugin.cli.output import open_assistant
from tests.work.servers import RUN, Server, environ, run, wait_until

KINDS = {"qualification", "meeting_brief"}
RECORDS = {
    "seller": {"name": "Meridian", "timezone": "Europe/London", "currency": "GBP", "country": "GB"},
    "users": [{"id": "U-1", "name": "Ann Ray"}],
    "companies": [{"id": "CO-1", "name": "Kestrel Foods", "country": "GB"}],
    "contacts": [
        {"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "last_name": "Shah", "email": "a@k.example"}
    ],
}


def deal(n: int) -> dict[str, object]:
    return {
        "id": f"D-{n}",
        "name": f"Deal {n}",
        "company_id": "CO-1",
        "primary_contact_id": "C-1",
        "contact_ids": ["C-1"],
        "owner_id": "U-1",
        "status": "open",
        "stage": "New",
        "stage_kind": "new",
        "amount": "900.00",
        "currency": "GBP",
        "created_at": "2026-03-01T09:00:00Z",
    }


def created(n: int) -> dict[str, object]:
    """An event that makes two internal notes, which are written into the CRM at once."""
    records = {"deals": [deal(n)], **(RECORDS if n == 0 else {})}
    return {"id": f"evt-{n}", "type": "deal.created", "object": {"type": "deal", "id": f"D-{n}"}, "records": records}


@pytest.fixture
def var(tmp_path):
    return tmp_path / "var"


@pytest.fixture
def start(var):
    """Starts servers on the files of this test: `start("--no-demo")`."""
    servers = []

    def _start(*args):
        servers.append(Server(var, *args))
        return servers[-1]

    yield _start
    for server in servers:
        server.clean_up()


def settled(server: Server, events: int) -> list[dict[str, object]]:
    """All events, when each is done and none of its drafts is on its way any more."""
    items = server.get("/api/v1/events?limit=200").json()["items"]
    drafts = server.get("/api/v1/drafts?limit=200").json()["items"]
    moving = [d for d in drafts if d["status"] in ("writing", "proposed", "approved", "writing_back")]
    done = [e for e in items if e["state"] == "done"]
    return items if len(done) == events and not moving and len(drafts) == 2 * events else []


def notes_by_source() -> Counter[str]:
    with open_assistant() as assistant:
        sources = [doc.get("source") for doc in assistant.records.iterate_docs("local", "activities")]
    return Counter(source for source in sources if source and source.startswith("crmplugin:"))


def test_killed_between_2xx_and_draft_nothing_is_lost_and_nothing_doubled(var, start):
    n = 0
    for _ in range(2):
        server = start("--no-demo")
        for _ in range(4):
            assert server.webhook(created(n)).status_code == 202
            n += 1
        server.kill()

    server = start("--no-demo")
    events = wait_until(lambda: settled(server, n), 60)
    drafts = server.get("/api/v1/drafts?limit=200").json()["items"]
    server.stop()

    assert len(events) == 8
    assert Counter((d["event"], d["kind"]) for d in drafts) == Counter(
        (f"evt-{i}", kind) for i in range(8) for kind in KINDS
    )
    written = {"crmplugin:" + d["id"] for d in drafts if d["status"] == "written"}
    assert {d["status"] for d in drafts} <= {"written", "no_message"}
    assert notes_by_source() == Counter(written)


def test_killed_between_approval_and_writing_it_is_written_once(var, start):
    server = start("--no-demo")
    server.webhook(created(0))
    wait_until(lambda: settled(server, 1))
    ids = [server.post("/api/v1/drafts?wait=20", {"kind": "summary", "deal_id": "D-0"}).json()["id"] for _ in range(4)]
    proposed = [i for i in ids if server.get(f"/api/v1/drafts/{i}").json()["status"] == "proposed"]
    for draft_id in proposed:
        assert server.post(f"/api/v1/drafts/{draft_id}/approve").status_code == 200
    server.kill()

    server = start("--no-demo")
    for draft_id in proposed:
        wait_until(lambda i=draft_id: server.get(f"/api/v1/drafts/{i}").json()["status"] == "written")
    server.stop()

    assert proposed
    counted = notes_by_source()
    assert [counted["crmplugin:" + i] for i in proposed] == [1] * len(proposed)


def test_killed_worker_is_replaced_and_its_jobs_go_on(var, start):
    server = start("--no-demo")
    server.webhook(created(0))
    (pid,) = server.worker_pids()

    os.kill(pid, signal.SIGKILL)

    wait_until(lambda: pid not in server.worker_pids() and server.worker_pids() and server._answers())
    assert wait_until(lambda: settled(server, 1), 40)
    server.stop()


@pytest.mark.embedded
def test_second_server_on_the_same_files_is_refused_with_a_sentence(var, start):
    server = start("--no-demo")

    second = run(var, "serve", "--port", "0")
    worker = run(var, "worker")
    other_port = run(var.parent / "other", "serve", "--port", server.address.rpartition(":")[2])

    assert (second.returncode, worker.returncode, other_port.returncode) == (1, 1, 1)
    assert "already runs on the files in" in second.stderr
    assert "already runs on the files in" in worker.stderr
    assert "cannot listen on" in other_port.stderr
    assert "Traceback" not in second.stderr + other_port.stderr
    assert server.stop() == 0


def test_real_server_refuses_twenty_megabytes_and_goes_on(var, start):
    server = start("--no-demo")

    response = requests.post(server.address + "/webhooks/local", data=b"x" * 20_000_000, timeout=30)

    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert server.get("/readyz").status_code == 200
    server.stop()


def test_first_start_loads_the_sample_and_makes_drafts_by_events(var, start):
    server = start()

    drafts = wait_until(
        lambda: [d for d in server.get("/api/v1/drafts").json()["items"] if d["status"] == "proposed"], 40
    )
    link = server.link_line.rpartition(" ")[2].strip()

    assert {d["origin"] for d in drafts} == {"event"}
    assert requests.get(link, timeout=10, allow_redirects=False).status_code == 303
    assert requests.get(link, timeout=10, allow_redirects=False).status_code == 401
    server.stop()


def test_polite_stop_leaves_no_process(var, start):
    server = start("--no-demo")
    pids = server.worker_pids()

    assert server.stop() == 0

    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_jobs_can_be_done_by_a_process_of_their_own(var, start):
    server = start("--no-demo", "--no-worker")
    server.webhook(created(0))
    assert server.get("/api/v1/events/evt-0").json()["state"] == "stored"

    with (var.parent / "worker.log").open("ab") as log:
        worker = subprocess.Popen([*RUN, "worker"], env=environ(var), stderr=log)
    try:
        assert wait_until(lambda: settled(server, 1), 40)
        streamed = requests.post(
            server.address + "/api/v1/drafts",
            json={"kind": "summary", "deal_id": "D-0"},
            headers={"Authorization": f"Bearer {server.token}", "Accept": "text/event-stream"},
            timeout=30,
        )
        assert "event: done" in streamed.text
    finally:
        worker.terminate()
        worker.wait(20)
        server.stop()
