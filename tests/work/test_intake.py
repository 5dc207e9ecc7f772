"""Taking events in on PostgreSQL: requests share a commit, a bad one refuses nobody else's, a crash loses none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from crmplugin.domain.event import Event, ObjectRef
from crmplugin.errors import StoreError, UsageError
from crmplugin.work.intake import BREATH_S, LONGEST_REST_S, _breath_s
from crmplugin.work.sweeps import sweep
from tests.work.servers import wait_until


@pytest.fixture
def office(postgres_url, monkeypatch, open_office):
    monkeypatch.setenv("CRMPLUGIN_DATABASE_URL", postgres_url)
    return open_office(work=False)


def event(name: str) -> Event:
    now = datetime.now(UTC)
    return Event(name, "local", "deal.created", now, ObjectRef("deal", "D-1"), received_at=now)


def test_two_hundred_at_once_are_kept_once_and_each_gets_its_job(office):
    names = [f"e-{n % 100}" for n in range(200)]

    with ThreadPoolExecutor(50) as pool:
        new = list(pool.map(lambda name: office.desk.intake.take([event(name)])[0], names))

    assert sum(new) == 100
    wait_until(lambda: sum(office.jobs.load().jobs.values()) == 100)


def test_twins_within_one_call_are_one(office):
    assert office.desk.intake.take([event("e-1"), event("e-2"), event("e-1")]) == [True, True, False]


def test_event_that_the_database_cannot_keep_refuses_nobody_elses(office):
    def take(n: int) -> bool | str:
        try:
            return office.desk.intake.take([event(f"e-{n}" * (100 if n == 7 else 1))])[0]
        except (StoreError, UsageError) as error:
            return type(error).__name__

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(take, range(20)))

    assert answers.count(True) == 19
    assert answers[7] == "UsageError"  # what no database could keep is the sender's to mend


def test_event_whose_job_was_never_added_gets_it_by_a_sweep(office):
    delivery = office._intake._delivery
    kept = delivery.keep([_row(office, "e-1")])

    sweep(office.desk, patience=timedelta(0))

    assert [row.id for row in kept] == ["e-1"]
    assert office.jobs.find("local/e-1") is not None


def _row(office, name):
    from crmplugin.work.intake import _entry, _row_of

    return _row_of(_entry(event(name)))


def test_forwarder_lets_acknowledgements_go_first_but_no_event_waits_long():
    now = datetime.now(UTC)

    assert _breath_s(0.1, now) == pytest.approx(0.4)
    assert _breath_s(3.0, now) == LONGEST_REST_S
    assert _breath_s(0.001, now) == BREATH_S
    assert _breath_s(3.0, now - timedelta(seconds=6)) == BREATH_S
