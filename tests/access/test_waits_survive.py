"""What waits for an approval waits on through kill -9, and is reminded of once, however often the server starts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select, update

from crmplugin.store.database import open_engine
from crmplugin.store.tables_access import audit
from crmplugin.store.tables_campaigns import campaigns
from crmplugin.store.tables_work import drafts
from tests.web.conftest import RECORDS
from tests.work.servers import Server, environ, wait_until

TABLE = """
[[approval]]
kind = ["summary", "campaign_message"]
roles = ["director"]
remind_hours = 24
"""
EVENT = {
    "id": "evt-1", "type": "deal.stage_changed", "at": "2026-03-10T14:05:00Z", "object": {"type": "deal", "id": "D-1"},
    "records": {name: RECORDS[name] for name in ("users", "companies", "contacts", "deals")},
}  # fmt: skip


@contextmanager
def opened(var: Path) -> Iterator[Connection]:
    engine = open_engine(environ(var).get("CRMPLUGIN_DATABASE_URL", f"sqlite:///{var}/crmplugin.sqlite"))
    with engine.begin() as db:
        yield db
    engine.dispose()


def let_time_pass(var: Path, hours: int) -> None:
    """As if the draft and the campaign had last changed so long ago."""
    with opened(var) as db:
        for table in (drafts, campaigns):
            db.execute(update(table).values(updated_at=datetime.now(UTC) - timedelta(hours=hours)))


def told(var: Path) -> list[str]:
    """What the audit says of waiting, sorted."""
    with opened(var) as db:
        rows = db.execute(select(audit.c.kind, audit.c.body).where(audit.c.kind.startswith("approval."))).all()
    return sorted(f"{kind.removeprefix('approval.')} {json.loads(body)['kind']}" for kind, body in rows)


def test_waiting_approvals_survive_kill_9_and_are_reminded_of_once(tmp_path):
    var = tmp_path / "var"
    (tmp_path / "crmplugin.toml").write_text(TABLE)
    more = {"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml")}
    server = Server(var, "--no-demo", more=more)
    try:
        server.webhook(EVENT)
        wait_until(lambda: server.get("/api/v1/events/evt-1").json().get("state") == "done")
        draft = server.post("/api/v1/drafts?wait=30", {"kind": "summary", "deal_id": "D-1"}).json()
        wish = {"segment": {}, "goal": "win_back", "channels": ["email"]}
        campaign = server.post("/api/v1/campaigns", wish).json()
        assert (draft["status"], campaign["status"]) == ("proposed", "created"), (draft, campaign)
        server.kill()

        let_time_pass(var, 25)
        server = Server(var, "--no-demo", more=more)
        wait_until(lambda: told(var) == ["reminded campaign", "reminded summary"])
        server.kill()

        server = Server(var, "--no-demo", more=more)  # it sweeps before it answers
        assert told(var) == ["reminded campaign", "reminded summary"]
        assert server.get(f"/api/v1/drafts/{draft['id']}").json()["status"] == "proposed"
        assert server.get(f"/api/v1/campaigns/{campaign['id']}").json()["status"] == "created"
    finally:
        server.clean_up()
