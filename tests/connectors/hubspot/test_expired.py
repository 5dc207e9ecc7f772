"""A token that ends in the middle of the path, through our real server: event, draft, approval, written once."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.cases.hubspot import SECRET
from tests.connectors.hubspot.test_journey import PUBLIC, deal_with_open_ticket, draft_of, moved, send, tasks_of
from tests.connectors.journey import server
from tests.fakes.hubspot import PORTAL, FakeHubSpot, with_orbis


def test_token_that_ends_before_the_write_is_renewed_and_one_task_is_made(tmp_path: Path):
    fake = with_orbis(FakeHubSpot())
    deal = deal_with_open_ticket(fake, "9501")
    with fake.running():
        options = {"base_url": fake.url, "client_id": "c-1", "refresh_token": "r-1", "client_secret": SECRET,
                   "portal_id": PORTAL, "calls_per_second": 500, "poll_minutes": 1440}  # fmt: skip
        with server(tmp_path, options, crm="hubspot", public_url=PUBLIC) as here:
            send(here, moved(deal, 1))
            draft = draft_of(here, deal)
            fake.tokens = {"of-somebody-else"}
            here.post(f"/api/v1/drafts/{draft['id']}/approve", {})
            written = here.draft_when(draft["id"], "written", "failed")

    assert written["status"] == "written"
    assert len(tasks_of(fake, deal)) == 1
    assert len(fake.asked("POST", "/oauth/2026-09/token")) == 2
