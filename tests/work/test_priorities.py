"""Under load: clicks before events before campaigns, and one noisy connection starves nobody."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from crmplugin.journeys.ask import start_write_back
from crmplugin.journeys.desk import Desk
from tests.work.servers import wait_until

AT_ONCE = 4
NOISY_SHARE = 3
"""Three quarters of four places."""


class HeldCrm:
    """A CRM whose connections can be made to hang; counts who hangs there."""

    crm = "local"

    def __init__(self) -> None:
        self.hanging, self.inside, self.written = {"noisy", "other"}, Counter[str](), Counter[str]()
        self.go = threading.Event()

    def find_written(self, marker: str, *, draft: object = None) -> str | None:
        return None

    def write_back(self, draft, *, marker: str, at: object) -> str:
        if draft.connection in self.hanging:
            self.inside[draft.connection] += 1
            assert self.go.wait(60)
        self.written[draft.connection] += 1
        return f"note-of-{marker}"


@pytest.fixture
def crm():
    return HeldCrm()


@pytest.fixture
def start(open_office, crm, monkeypatch) -> Iterator[Callable[..., Desk]]:
    def _start(**options) -> Desk:
        monkeypatch.setenv("CRMPLUGIN_JOBS_AT_ONCE", str(AT_ONCE))
        return open_office(**options).desk

    yield _start
    crm.go.set()  # before the server is closed, which waits for what runs


@pytest.fixture
def write(make_proposed):
    """Adds the job that writes one draft of a connection back: `write(desk, "noisy", priority=10)`."""

    def _write(desk: Desk, connection: str, *, priority: int) -> str:
        draft_id = make_proposed(desk, connection=connection)
        row = desk.drafts.move(draft_id, "approved", at=desk.clock())
        start_write_back(desk, row, priority=priority)
        return draft_id

    return _write


def is_written(desk: Desk, draft_id: str) -> bool:
    return desk.drafts.get(draft_id).status == "written"


def test_noisy_connection_leaves_room_for_the_others(start, write, crm):
    desk = start()
    for _ in range(3 * AT_ONCE):
        write(desk, "noisy", priority=10)
    wait_until(lambda: crm.inside["noisy"] == NOISY_SHARE)

    quiet = [write(desk, "quiet", priority=10) for _ in range(3)]

    wait_until(lambda: all(is_written(desk, one) for one in quiet))
    assert (crm.inside["noisy"], crm.written["noisy"]) == (NOISY_SHARE, 0)


@pytest.mark.parametrize("take", [pytest.param(True, id="one process"), pytest.param(False, id="a worker of its own")])
def test_click_is_done_while_events_have_all_their_places(start, write, crm, take):
    desk = start(take=take)
    for connection in ("noisy", "other"):
        for _ in range(AT_ONCE):
            write(desk, connection, priority=10)
    wait_until(lambda: crm.inside.total() == AT_ONCE)

    clicked = write(desk, "quiet", priority=1)

    wait_until(lambda: is_written(desk, clicked))
    assert crm.written.total() == 1


def test_event_is_done_while_a_campaign_has_all_its_places(start, write, crm):
    desk = start()
    for _ in range(AT_ONCE):
        write(desk, "noisy", priority=30)
    wait_until(lambda: crm.inside["noisy"] == 1)

    written = write(desk, "quiet", priority=10)

    wait_until(lambda: is_written(desk, written))
    assert (crm.inside["noisy"], crm.written["noisy"]) == (1, 0)
