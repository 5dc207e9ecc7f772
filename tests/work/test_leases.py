"""Workers that die or freeze: others see it by their leases, and take over."""

from __future__ import annotations

import pytest

from crmplugin.store.database import migrate, open_engine
from crmplugin.store.leases import LeaseStore
from crmplugin.work.leases import TTL_S, LeaseKeeper, LeaseLost


class Clock:
    """Seconds that a test moves on."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Reaped:
    """What a keeper was told to take over."""

    def __init__(self) -> None:
        self.gone: list[list[str]] = []

    def __call__(self, gone, versions) -> None:
        self.gone += [list(gone)] if gone else []


@pytest.fixture
def store(postgres_url):
    engine = open_engine(postgres_url)
    migrate(engine)
    yield LeaseStore(engine)
    engine.dispose()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reaped():
    return Reaped()


@pytest.fixture
def keeper(store, clock, reaped):
    """A worker that has held its lease for long enough to judge others."""
    made = LeaseKeeper(store, "me", version="2", holders=lambda: {"me", "other"}, take_over=reaped, clock=clock)
    made.renew()
    clock.now += TTL_S / 2
    made.renew()
    clock.now += TTL_S / 2 + 0.1
    made.renew()
    return made


def test_holder_without_a_lease_is_reaped_and_one_with_a_lease_is_not(keeper, store, reaped):
    store.renew("other", version="2", ttl_s=30)
    keeper.reap()
    assert reaped.gone == []

    store.release(["other"])
    keeper.reap()

    assert reaped.gone == [["other"]]


def test_lease_that_ran_out_is_reaped_and_forgotten(keeper, store, reaped):
    store.renew("other", version="2", ttl_s=-0.1)

    keeper.reap()

    assert reaped.gone == [["other"]]
    assert store.count() == (1, 0)


def test_who_had_no_answer_from_the_database_judges_nobody_at_first(keeper, clock, reaped):
    clock.now += TTL_S + 1
    keeper.renew()

    keeper.reap()

    assert reaped.gone == []


def test_lease_of_one_who_stood_still_is_lost_until_it_is_renewed(keeper, clock):
    keeper.check()
    clock.now += TTL_S + 0.1
    with pytest.raises(LeaseLost):
        keeper.check()

    keeper.renew()

    keeper.check()


def test_stop_ends_the_lease(keeper, store):
    keeper.stop()

    assert store.alive() == {}


def test_transaction_that_stands_still_is_ended_by_the_database(postgres_url):
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()
    engine.dispose()

    assert found == "10s"
