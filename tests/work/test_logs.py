"""What a job logs says in which job, and says it whole."""

from __future__ import annotations

import json
import logging

import pytest

from crmplugin.errors import UsageError
from crmplugin.work.workflows import JobDead, _attempt
from tests.written import kept_log

ASKED = {"kind": "event", "job": "acme/evt-1", "connection": "acme", "event": "evt-1", "priority": 10}


def test_lines_of_a_job_name_it_and_keep_their_words(tmp_path):
    def work(payload):
        logging.getLogger("crmplugin.llm").info("masked before a model call", extra={"model": "small"})
        raise UsageError("the address is wrong")

    with kept_log(tmp_path / "x.log"):
        with pytest.raises(JobDead):
            _attempt(ASKED, work, lambda payload, reason: None)
        logging.getLogger("crmplugin.work").info("no job of anybody")
    inside, dead, outside = map(json.loads, (tmp_path / "x.log").read_text().splitlines())

    assert [line["message"] for line in (inside, dead)] == ["masked before a model call", "job is dead"]
    for line in (inside, dead):
        assert (line["job"], line["event"], line["connection"]) == ("acme/evt-1", "evt-1", "acme")
    assert (inside["model"], dead["reason"]) == ("small", "UsageError")
    assert "job" not in outside
