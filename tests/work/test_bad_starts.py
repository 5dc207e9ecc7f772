"""What a stranger or another program can do to a start, and markup that a model sends."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_draft
from crmplugin.llm.scripted import Reply, scripted_model
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from tests.web.conftest import RECORDS, documents
from tests.work.servers import run

MARKUP = "<script>alert(1)</script><b onclick=alert(2)>now</b>"


def test_a_port_that_is_taken_is_said_with_what_to_do(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        done = run(tmp_path / "var", "serve", "--no-demo", "--port", port)

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_markup_of_a_model_is_text_wherever_it_is_shown(tmp_path):
    lines = f"subject\t\tYour deal\ncontext\tD-1.name\tFlow meters {MARKUP}\nask\t\tShall we talk {MARKUP}?"
    with scripted_model(lambda body: Reply(lines)) as model:
        environ = {"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path / "var"), **model.environment}
        house = Assistant(load_settings(environ))
        house.records.upsert_many("local", documents({**RECORDS, "tickets": []}))
        request = Request("local", "summary", Subject("deal", "D-1"), writer="model")
        draft = make_draft(request, tools=house.tools("local"), draft_id="d", now=datetime.now(UTC))
        house.close()

    assert model.requests
    assert draft.status == "proposed"
    assert "<script" not in (draft.html or "")
    assert "<b onclick" not in (draft.html or "")
