"""The contract cases, over every registered connector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from crmplugin.errors import CrmUnavailable, NotFound, NotGenuine
from tests.connectors.contract import CONNECTORS, CRMS, Delivery, World, case_of, crms_that
from tests.connectors.strict import only

FILES = ("README.md", "__init__.py", "connector.py", "mapping.py", "verify.py")
FILES_OF_A_VENDOR = ("client.py", "ui")


def verify(world: World, delivery: Delivery) -> None:
    world.connector.verify_webhook(delivery.headers, delivery.body, url=delivery.url, now=delivery.at)


@pytest.fixture
def world(crm: str, tmp_path: Path) -> Iterator[World]:
    with case_of(crm).world(tmp_path) as made:
        yield made


@pytest.mark.parametrize("crm", CRMS)
def test_folder_has_the_same_files_as_every_other(crm):
    wanted = FILES if crm == "local" else FILES + FILES_OF_A_VENDOR

    assert [name for name in wanted if not (CONNECTORS / crm / name).exists()] == []


@pytest.mark.parametrize("crm", CRMS)
def test_genuine_webhook_is_accepted(crm, world):
    verify(world, case_of(crm).deliver())


@pytest.mark.parametrize("crm", crms_that("body"))
def test_spoilt_body_is_refused(crm, world):
    delivery = case_of(crm).deliver()

    with pytest.raises(NotGenuine):
        verify(world, replace(delivery, body=delivery.body + b" "))


@pytest.mark.parametrize("crm", CRMS)
def test_spoilt_proof_is_refused(crm, world):
    case = case_of(crm)

    with pytest.raises(NotGenuine):
        verify(world, case.spoilt(case.deliver()))


@pytest.mark.parametrize("crm", CRMS)
def test_webhook_without_headers_is_refused(crm, world):
    with pytest.raises(NotGenuine):
        verify(world, replace(case_of(crm).deliver(), headers={}))


@pytest.mark.parametrize("seconds", [-3600, 3600])
@pytest.mark.parametrize("crm", crms_that("clock"))
def test_webhook_of_another_hour_is_refused(crm, seconds, world):
    delivery = case_of(crm).deliver()

    with pytest.raises(NotGenuine):
        verify(world, replace(delivery, at=delivery.at + timedelta(seconds=seconds)))


@pytest.mark.parametrize("crm", crms_that("secret"))
def test_other_secret_is_refused(crm, world):
    with pytest.raises(NotGenuine):
        verify(world, case_of(crm).deliver(secret="a-secret-of-somebody-else"))


@pytest.mark.parametrize("crm", CRMS)
def test_same_event_twice_has_the_same_id(crm, world):
    delivery = case_of(crm).deliver()

    first, second = (
        world.connector.read_events(delivery.body, received_at=delivery.at + timedelta(seconds=n)) for n in range(2)
    )

    assert [event.id for event in first.events] == [event.id for event in second.events] != []


@pytest.mark.parametrize("crm", CRMS)
def test_answer_to_a_webhook_is_2xx_even_when_nothing_is_new(crm, world):
    delivery = case_of(crm).deliver()
    reading = world.connector.read_events(delivery.body, received_at=delivery.at)

    status, _, _ = world.connector.acknowledge(reading, [False] * len(reading.events))

    assert 200 <= status < 300


@pytest.mark.parametrize("crm", crms_that("pages"))
def test_changes_are_read_over_a_page_boundary(crm, world):
    deals, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = world.connector.changes_since(None, cursor=cursor)
        deals += [deal["id"] for deal in page.records.get("deals", ())]
        cursor, pages = page.cursor, pages + 1

    assert pages > 1
    assert len(deals) == len(set(deals)) == len(world.fake.deals)


@pytest.mark.parametrize("crm", crms_that("rate_limit"))
def test_rate_limit_of_minutes_ends_the_call_with_the_time_to_wait(crm, world):
    world.fake.fail("GET", ".*", 429, headers={"Retry-After": "120"}, times=50)
    world.fake.fail("POST", ".*", 429, headers={"Retry-After": "120"}, times=50)

    with pytest.raises(CrmUnavailable) as raised:
        world.connector.read_context(world.deal)

    assert raised.value.retry_after_s == pytest.approx(120, abs=5)


@pytest.mark.parametrize("crm", CRMS)
def test_deleted_deal_is_not_found(crm, world):
    with pytest.raises(NotFound):
        world.connector.read_context(world.gone)


@pytest.mark.parametrize("crm", CRMS)
def test_deal_is_read_whole(crm, world):
    context = world.connector.read_context(world.deal)

    assert context.deal is not None
    assert context.deal.id == world.deal.id
    assert context.company is not None
    assert context.crm == crm


@pytest.mark.parametrize("crm", CRMS)
def test_write_back_twice_with_one_key_makes_one(crm, world):
    before, now = world.written(), case_of(crm).deliver().at

    first = world.connector.write_back(world.draft, marker="crmplugin:draft-1", at=now)
    found = world.connector.find_written("crmplugin:draft-1", draft=world.draft)

    assert found == first
    assert world.written() == before + 1


def test_local_crm_asks_nobody_for_anything(tmp_path):
    with case_of("local").world(tmp_path) as world, only():
        delivery = case_of("local").deliver()
        verify(world, delivery)
        world.connector.read_context(world.deal)
        written = world.connector.write_back(world.draft, marker="crmplugin:draft-1", at=delivery.at)

        assert world.connector.find_written("crmplugin:draft-1", draft=world.draft) == written
