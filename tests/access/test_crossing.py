"""Two CRMs with the same ids for everything: whatever is done in whatever order, nothing of one shows in the other."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.local.events import read_events
from tests.access.conftest import HERE, NAMES, THERE
from tests.web.conftest import make_event

# A worker's thread may draw from `random` (how long to wait) while Hypothesis makes an example.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")

MARKS = {HERE: ("Kestrel", "Shahkestrel", "26505", "26,505"), THERE: ("Osprey", "Shahosprey", "73311", "73,311")}
KINDS = ("summary", "meeting_brief", "follow_up", "pitch", "negotiation_note")
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["draft", "brief", "event", "list", "key", "edit", "versions", "regenerate", "record"]),
        st.sampled_from([HERE, THERE]),
        st.sampled_from(KINDS),
        st.integers(1, 3),
    ),
    min_size=4,
    max_size=10,
)


@pytest.fixture
def callers(signed_in):
    return {name: signed_in("admin", connections=[name]) for name in (HERE, THERE)}


class Run:
    """One sequence of operations; what each caller is told is kept."""

    def __init__(self, office, callers) -> None:
        self.office, self.callers = office, callers
        self.drafts: dict[str, list[str]] = {HERE: [], THERE: []}

    def do(self, what: str, where: str, kind: str, n: int) -> None:
        answer = getattr(self, f"_{what}")(self.callers[where], where, kind, n)
        if answer is not None:
            other = THERE if where == HERE else HERE
            told = answer.get_data(as_text=True)
            assert not [mark for mark in MARKS[other] if mark in told], (what, where, kind)

    def _draft(self, caller, where, kind, n):
        answer = caller.post("/api/v1/drafts?wait=30", json={"connection": where, "kind": kind, "deal_id": "D-1"})
        self.drafts[where].append(answer.json["id"])
        return answer

    def _key(self, caller, where, kind, n):
        wish = {"connection": where, "kind": "summary", "deal_id": "D-1"}
        answer = caller.post("/api/v1/drafts?wait=30", json=wish, headers={"Idempotency-Key": f"key-{n}"})
        assert answer.json["connection"] == where
        return answer

    def _brief(self, caller, where, kind, n):
        return caller.get(f"/api/v1/briefs?connection={where}&deal=D-1&kind={kind}")

    def _event(self, caller, where, kind, n):
        body = json.dumps(make_event(f"evt-cross-{n}")).encode()
        self.office.desk.intake.take(read_events(body, connection=where, received_at=datetime.now(UTC)).events)
        return caller.get("/api/v1/events")

    def _list(self, caller, where, kind, n):
        answer = caller.get("/api/v1/drafts?limit=200")
        assert {draft["connection"] for draft in answer.json["items"]} <= {where}
        return answer

    def _edit(self, caller, where, kind, n):
        return self._on_last(caller, where, lambda path: caller.patch(path, json={"version": 1, "body": "Hello."}))

    def _versions(self, caller, where, kind, n):
        return self._on_last(caller, where, lambda path: caller.get(f"{path}/versions"))

    def _regenerate(self, caller, where, kind, n):
        return self._on_last(caller, where, lambda path: caller.post(f"{path}/regenerate?wait=30"))

    def _record(self, caller, where, kind, n):
        return caller.get(f"/console/records/{where}/deals/D-1", headers={"Accept": "text/html"})

    def _on_last(self, caller, where, ask):
        """Asks about the newest draft of a connection; the other connection's caller gets nothing of it."""
        if not self.drafts[where]:
            return None
        path = f"/api/v1/drafts/{self.drafts[where][-1]}"
        other = self.callers[THERE if where == HERE else HERE]
        assert [other.get(path).status_code, other.get(f"{path}/versions").status_code] == [404, 404]
        return ask(path)


def check_crossing(office, callers, operations) -> None:
    run = Run(office, callers)
    for operation in operations:
        run.do(*operation)
    for name, caller in callers.items():
        counted = caller.get("/metrics").get_data(as_text=True)
        assert f'connection="{THERE if name == HERE else HERE}"' not in counted


@given(OPERATIONS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
def test_nothing_crosses(office, callers, operations):
    check_crossing(office, callers, operations)


@pytest.mark.long
@given(OPERATIONS)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_nothing_crosses_in_many_orders(office, callers, operations):
    check_crossing(office, callers, operations)


def test_the_marks_are_told_where_they_belong(callers):
    """The test above could not fail if the marks were never told at all."""
    for name, caller in callers.items():
        told = caller.get(f"/api/v1/briefs?connection={name}&deal=D-1").get_data(as_text=True)
        assert NAMES[name] in told
