"""Long hostile texts go through whatever reads a customer's or a caller's words, and none of it takes ages."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from crmplugin.analysis.hostile import scan_text
from crmplugin.llm.personal import find_personal, name_pattern
from tests.access.conftest import HERE
from tests.access.test_patterns import SEEDS
from tests.web.conftest import documents

LETTERS = 99_000
"""As long as an edited text may be; a mail may be longer, and is read this far."""
MOST_S = 15.0
"""Seconds of this process; twenty times what a text takes on two busy cores."""
MAIL = {
    "id": "A-long", "type": "email", "direction": "inbound", "at": "2026-03-01T10:00:00Z", "deal_id": "D-1",
    "company_id": "CO-1", "contact_ids": ["C-1"],
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS, ids=ascii)
def test_no_text_takes_ages(office, signed_in, seed):
    text = (seed * LETTERS)[:LETTERS]
    client = signed_in("admin")
    office.desk.records.upsert_many(HERE, documents({"activities": [MAIL | {"subject": text[:900], "body": text}]}))

    def edited() -> None:
        made = client.post("/api/v1/drafts?wait=60", json={"kind": "summary", "deal_id": "D-1"}).json["id"]
        change = {"version": 1, "subject": "x", "body": f"x {text}"}
        assert client.patch(f"/api/v1/drafts/{made}", json=change).status_code == 200

    what: dict[str, Callable[[], object]] = {
        "scan": lambda: scan_text(text),
        "mask": lambda: find_personal(text[:4000], name_pattern(["Amir Shah"])),
        "brief": lambda: client.get("/api/v1/briefs?deal=D-1"),
        "draft": lambda: client.post("/api/v1/drafts?wait=60", json={"kind": "follow_up", "deal_id": "D-1"}),
        "edit": edited,
    }
    took = {name: seconds(do) for name, do in what.items()}

    print(ascii(seed), took)
    assert {name: s for name, s in took.items() if s > MOST_S} == {}


def seconds(do: Callable[[], object]) -> float:
    began = time.process_time()
    assert getattr(do(), "status_code", 200) < 300
    return round(time.process_time() - began, 2)
