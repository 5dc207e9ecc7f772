"""A deploy in the middle of work: jobs that an earlier version began come to their end under this one.

`earlier/` holds the databases of a server of version 1 that was killed: a draft whose model answer was paid and
remembered and whose repair was in flight, and an event whose job nobody had taken.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crmplugin import wiring
from crmplugin.llm.scripted import Reply, scripted_model
from crmplugin.work import workflows
from crmplugin.work.engine import EARLIER, VERSION
from tests.work.servers import wait_until

EARLIER_FILES = Path(__file__).parent / "earlier"
BEGUN = "273d8dfb6cc54b0e844ec0a9fe23eb43"
GOOD_LINE = "context\tD-0.amount\tThe deal is worth 900 GBP."


@pytest.fixture
def earlier_files(clean_environment: Path) -> Path:
    """`var/` as version 1 left it."""
    var = clean_environment / "var"
    var.mkdir(exist_ok=True)
    for name in ("crmplugin", "jobs"):
        connection = sqlite3.connect(var / f"{name}.sqlite")
        connection.executescript((EARLIER_FILES / f"{name}.sql").read_text())
        connection.close()
    return var


@pytest.mark.embedded
def test_jobs_of_the_version_before_are_finished_and_no_answer_is_paid_twice(earlier_files, monkeypatch):
    asked: list[str] = []

    def script(body):
        asked.append(body["messages"][-1]["content"])
        return Reply(GOOD_LINE)

    with scripted_model(script) as model:
        for name, value in model.environment.items():
            monkeypatch.setenv(name, value)
        office = wiring.open_office()
        desk = office.desk
        draft = wait_until(lambda: (d := desk.drafts.get(BEGUN)).status == "proposed" and d)
        event = wait_until(lambda: (e := desk.events.get("local", "evt-late")).state == "done" and e)

        sentences = [s["text"] for s in draft.document["sentences"] if s["action"] != "removed"]
        assert sum("123,456" in text for text in asked) == 1  # the repair that was in flight, and not the writing
        assert any("900" in text for text in sentences)
        assert not any("123,456" in text for text in sentences)
        assert len(desk.drafts.of_event("local", event.id)) == 2
        office.close()


def test_every_version_that_is_adopted_still_has_its_workflows():
    assert VERSION not in EARLIER
    assert {"accept_v1", "draft_v1", "write_back_v1"} <= set(dir(workflows))


def test_job_of_a_version_that_is_still_at_work_is_left_to_it(open_office, make_approved):
    office = open_office(work=False)
    draft_id = make_approved(office.desk)
    rows = office.jobs.rows
    rows.adopt([VERSION], mine="1", partition="x")

    office.jobs._take_over([], {"1"})
    left = rows.adopt(["1"], mine="1", partition="x")
    office.jobs._take_over([], {VERSION})

    assert draft_id
    assert left == 1
    assert rows.adopt(["1"], mine="1", partition="x") == 0
