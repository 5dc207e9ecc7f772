"""Limits of the other side: jobs sleep, hold no thread, and come to their end; a person is not kept waiting."""

from __future__ import annotations

import time

import pytest

from crmplugin import wiring
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmUnavailable, StoreError
from crmplugin.journeys.ask import Ask, ask_for_drafts, start_draft
from crmplugin.journeys.import_records import import_document
from crmplugin.llm.scripted import Reply, scripted_model
from crmplugin.work import workflows
from crmplugin.work.workflows import MAX_ATTEMPTS, MAX_WAITS
from tests.work.servers import wait_until

RECORDS = {
    "format": "crmplugin-records/1",
    "seller": {"name": "Meridian", "timezone": "Europe/London", "currency": "GBP", "country": "GB"},
    "companies": [{"id": "CO-1", "name": "Kestrel Foods", "country": "GB"}],
    "contacts": [{"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "email": "a@k.example"}],
    "deals": [
        {
            "id": "D-0", "name": "Deal", "company_id": "CO-1", "primary_contact_id": "C-1", "contact_ids": ["C-1"],
            "status": "open", "stage": "New", "stage_kind": "new", "amount": "900.00", "currency": "GBP",
        }
    ],
}  # fmt: skip
BUSY = Reply(status=429, headers={"Retry-After": "1"})
GOOD = Reply("context\tD-0.amount\tThe deal is worth 900 GBP.")


@pytest.fixture
def model():
    """A model that is busy the first time; `asked` are the moments at which it was called."""
    asked: list[float] = []

    def script(_body):
        asked.append(time.monotonic())
        return BUSY if len(asked) == 1 else GOOD

    with scripted_model(script) as running:
        running.asked = asked
        yield running


@pytest.fixture
def desk(model, clean_environment, monkeypatch):
    for name, value in model.environment.items():
        monkeypatch.setenv(name, value)
    office = wiring.open_office()
    import_document(RECORDS, connection="local", records=office.desk.records)
    yield office.desk
    office.close()


def write(desk, origin: str, priority: int):
    request = Request("local", "summary", Subject("deal", "D-0"))
    ask_for_drafts(desk, [Ask(f"by-{origin}", request, origin, desk.clock())])
    start_draft(desk, f"by-{origin}", connection="local", priority=priority)
    return wait_until(lambda: (d := desk.drafts.get(f"by-{origin}")).status == "proposed" and d).document


def test_draft_that_nobody_waits_for_sleeps_until_the_model_is_free(desk, model):
    document = write(desk, "event", 10)

    assert document["writer"] == "model"
    assert model.asked[1] - model.asked[0] >= 1.0
    wait_until(lambda: workflows.Workplace.busy() == 0)


def test_draft_that_a_person_waits_for_is_the_template_writers_at_once(desk, model):
    document = write(desk, "click", 1)

    assert document["writer"] == "template"
    assert [warning["code"] for warning in document["warnings"]] == ["model_fell_back"]
    assert len(model.asked) == 1


def test_named_wait_is_no_failed_attempt_and_is_spread():
    payload = {"attempts": 3, "waits": 7}

    later = [workflows._later(payload, CrmUnavailable("busy", 10.0)) for _ in range(50)]

    assert {tuple(changes.items()) for changes, _ in later} == {(("waits", 8),)}
    assert all(10.0 <= delay <= 15.0 for _, delay in later)
    assert len({round(delay, 3) for _, delay in later}) > 10


def test_outage_is_waited_out_for_most_of_a_day_and_then_buried():
    delays = [workflows._later({"attempts": n}, StoreError("gone"))[1] for n in range(1, MAX_ATTEMPTS)]

    assert 20 * 3600 < sum(delays) < 26 * 3600
    assert workflows._later({"attempts": MAX_ATTEMPTS}, StoreError("gone")) is None
    assert workflows._later({"waits": MAX_WAITS, "attempts": MAX_ATTEMPTS}, CrmUnavailable("busy", 1.0)) is None
