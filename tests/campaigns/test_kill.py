"""kill -9 in the middle of a campaign: every recipient exactly once, no answer of a model paid twice."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from crmplugin.llm.scripted import Reply, scripted_model
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from tests.campaigns.conftest import make_wish, make_world
from tests.web.conftest import documents
from tests.work.servers import Server, environ, wait_until

RECIPIENTS = 40
LANES = 12


def answer(body: dict[str, Any]) -> Reply:
    return Reply("subject\t\tA short question\nask\t\tIs there still a need for it?", first_s=0.3)


def written_for(model: Any) -> Counter[str]:
    """First requests by the recipient whose orders they name; a repair is another call."""
    firsts = [r for r in model.requests if len(r["messages"]) == 2]
    found = (re.search(r"O-(\d+)-\d", r["messages"][1]["content"]) for r in firsts)
    return Counter(m[1] for m in found if m)


@pytest.mark.embedded
@pytest.mark.parametrize("kills", [2, pytest.param(5, marks=pytest.mark.long)])
def test_killed_in_the_middle_every_recipient_has_one_message(tmp_path, kills):
    var = tmp_path / "var"
    house = Assistant(load_settings(environ(var)))
    house.records.upsert_many("local", documents(make_world(RECIPIENTS)))
    house.close()
    with scripted_model(answer) as model:
        server = Server(var, "--no-demo", more=model.environment)
        made = server.post("/api/v1/campaigns", make_wish(mode="personal")).json()
        path = f"/api/v1/campaigns/{made['id']}"
        assert server.post(f"{path}/approve").status_code == 200
        assert server.post(f"{path}/run").status_code == 202
        for _ in range(kills):
            before = len(model.requests)
            wait_until(lambda before=before: len(model.requests) > before + 4, 60)
            server.kill()
            server = Server(var, "--no-demo", more=model.environment)
        done = wait_until(lambda: (a := server.get(path).json())["status"] == "done" and a, 120)
        people = server.get(f"{path}/recipients?limit=200").json()["items"]
        server.stop()

    states = Counter(p["state"] for p in people)
    asked = written_for(model)
    assert done["progress"]["settled"] == RECIPIENTS
    assert states == {"drafted": RECIPIENTS}
    assert sorted(asked, key=int) == [str(n) for n in range(1, RECIPIENTS + 1)]
    assert sum(asked.values()) - RECIPIENTS <= kills * LANES  # only what was in flight at a kill
