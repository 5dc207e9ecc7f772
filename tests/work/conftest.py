"""A server in this process around a CRM that fails on demand."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.journeys.approve import approve
from crmplugin.journeys.ask import Ask, ask_for_drafts, blank_draft
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.present import to_json
from crmplugin.settings import load_settings
from crmplugin.store.access import Principal
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office

ADMIN = Principal("test", "admin")


class FakeCrm:
    """Remembers what was written. `troubles` are raised, one a call, before anything is written; `after` afterwards."""

    crm = "local"

    def __init__(self) -> None:
        self.written: list[str] = []
        self.looked_for: list[str] = []
        self.troubles: list[Exception] = []
        self.after: list[Exception] = []

    def find_written(self, marker: str, *, draft: Any = None) -> str | None:
        self.looked_for.append(marker)
        return f"note-of-{marker}" if marker in self.written else None

    def write_back(self, draft: Draft, *, marker: str, at: datetime) -> str:
        if self.troubles:
            raise self.troubles.pop(0)
        self.written.append(marker)
        if self.after:
            raise self.after.pop(0)
        return f"note-of-{marker}"


class HouseWithFakeCrm(Assistant):
    crm: FakeCrm

    def connector(self, name: str) -> Any:
        return self.crm


@pytest.fixture
def crm() -> FakeCrm:
    return FakeCrm()


@pytest.fixture
def open_office(clean_environment: Path, crm: FakeCrm) -> Iterator[Callable[..., Office]]:
    """Opens servers on the files of this test: `open_office(work=False)`."""
    opened: list[Office] = []

    def _open(**options: Any) -> Office:
        house = HouseWithFakeCrm(load_settings(os.environ))
        house.crm = crm
        opened.append(Office(house, **options))
        return opened[-1]

    yield _open
    for office in opened:
        office.close()


@pytest.fixture
def make_proposed() -> Callable[..., str]:
    """A draft that stands proposed with one supported sentence; gives back its id."""

    def make(desk: Desk, *, connection: str = "local", **more: Any) -> str:
        now = datetime.now(UTC)
        request = Request(connection, "follow_up", Subject("deal", "D-1"), channel="email")
        made = Ask(uuid.uuid4().hex, request, "api", now, **more)
        ask_for_drafts(desk, [made])
        sentence = {"text": "Your quote is ready.", "role": "claim", "evidence": [], "verdict": "supported"}
        document = to_json(blank_draft(made)) | {"body": "Your quote is ready.", "sentences": [sentence]}
        desk.drafts.move(made.draft_id, "proposed", at=now, document=document)
        return made.draft_id

    return make


@pytest.fixture
def make_approved(make_proposed: Callable[..., str]) -> Callable[[Desk], str]:
    def make(desk: Desk) -> str:
        draft_id = make_proposed(desk)
        approve(desk, draft_id, ADMIN)
        return draft_id

    return make
