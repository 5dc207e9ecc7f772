"""Reading a CRM that does not call twice: the mirror, what was missed, what is gone, over a CRM with state."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crmplugin import wiring
from crmplugin.domain.crm import Subject
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.errors import CrmUnavailable
from crmplugin.journeys.import_records import import_document
from crmplugin.journeys.sync import poll, renew, sync
from tests.fakes.connector import register
from tests.fakes.crm import Trouble, fake_crm
from tests.work.servers import wait_until

HOUR = 3600.0


@pytest.fixture
def running():
    with fake_crm() as found:
        yield found


@pytest.fixture
def crm(running):
    """A CRM with one account, as it was an hour ago."""
    fake, _ = running
    old = time.time() - HOUR
    fake.put("users", {"id": "U-1", "name": "Ann Ray"}, at=old)
    fake.put("companies", {"id": "CO-1", "name": "Kestrel Foods", "country": "GB"}, at=old)
    contact = {"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "last_name": "Shah", "email": "a@k.example"}
    fake.put("contacts", contact, at=old)
    fake.put("products", {"id": "P-1", "name": "Blue Widget", "list_price": "12.00", "currency": "GBP"}, at=old)
    for n in range(120):
        fake.put("deals", deal(n), at=old + n)
    return fake


def deal(n: int, **more):
    return {
        "id": f"D-{n}",
        "name": f"Deal {n}",
        "company_id": "CO-1",
        "contact_ids": ["C-1"],
        "primary_contact_id": "C-1",
        "product_ids": ["P-1"],
        "status": "open",
        "stage": "New",
        "stage_kind": "new",
        "amount": "900.00",
        "currency": "GBP",
        "created_at": "2026-03-01T09:00:00Z",
    } | more


@pytest.fixture
def settings(running, clean_environment, monkeypatch):
    register()
    config = clean_environment / "crmplugin.toml"
    config.write_text(f'[connections.acme]\ncrm = "fake"\nbase_url = "{running[1]}"\nsecret = "s"\n')
    monkeypatch.setenv("CRMPLUGIN_CONFIG", str(config))


@pytest.fixture
def open_office(settings):
    offices = []

    def _open(**options):
        offices.append(wiring.open_office(**options))
        return offices[-1]

    yield _open
    for office in offices:
        office.close()


@pytest.fixture
def desk(open_office, crm):
    return open_office(work=False).desk


def test_everything_comes_into_the_mirror_and_raises_no_events(desk):
    seen = []

    report = sync(desk, "acme", progress=lambda done, total: seen.append((done, total)))

    assert (report.pages, report.taken, report.events) == (3, 124, 0)
    assert seen == [(50, 124), (100, 124), (124, 124)]
    assert desk.records.counts("acme")["deals"] == 120
    assert desk.events.list(connection="acme").items == ()


def test_mirror_feeds_names_and_population(desk, crm):
    crm.put("deals", deal(0, status="won", closed_at="2026-03-05T09:00:00Z", stage_kind="won"))

    sync(desk, "acme")

    tools = desk.tools("acme")
    assert [name.text for _, _, name in tools.names().find("A word to Kestrel Foods.")] == ["Kestrel Foods"]
    assert [row["id"] for row in tools.population().closed_deals] == ["D-0"]


def test_second_read_brings_what_changed_and_its_events_once(desk, crm):
    sync(desk, "acme")
    crm.put("deals", {"id": "D-7", "stage": "Proposal", "stage_kind": "proposal"})

    first, second = sync(desk, "acme"), sync(desk, "acme")
    desk.intake.settle(5)

    assert (first.updated, first.events) == (1, 1)
    assert (second.updated, second.events) == (0, 0)
    assert desk.records.read_one("acme", "deals", "D-7").stage == "Proposal"
    (event,) = desk.events.list(connection="acme").items
    assert (event.type, event.document["object"]) == ("deal.stage_changed", {"type": "deal", "id": "D-7"})


def test_interrupted_read_goes_on_at_its_page(desk, crm):
    def stop(done, total):
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(desk, "acme", progress=stop)
    calls = crm.calls["GET changes"]

    report = sync(desk, "acme")

    assert crm.calls["GET changes"] == calls + 1
    assert (report.resumed, report.pages, report.taken) == (True, 1, 24)
    assert desk.records.counts("acme")["deals"] == 120


def test_look_that_was_interrupted_is_followed_by_another_at_once(desk, crm):
    sync(desk, "acme")
    for n in range(60):
        crm.put("deals", {"id": f"D-{n}", "stage": "Proposal"})

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(desk, "acme", progress=stop)
    calls = crm.calls["GET changes"]

    report = poll(desk, "acme")

    assert (report.resumed, report.events) == (True, 10)
    assert crm.calls["GET changes"] > calls + 1
    assert not desk.syncs.get("acme").under_way


def test_what_a_webhook_told_is_not_told_again(desk, crm):
    sync(desk, "acme")
    at = time.time()
    crm.put("deals", {"id": "D-3", "stage": "Proposal"}, at=at)
    told = Event(
        "delivery-1", "acme", "deal.stage_changed", datetime.fromtimestamp(at, UTC), ObjectRef("deal", "D-3"),
        received_at=datetime.now(UTC),
    )  # fmt: skip
    desk.intake.take([told])
    desk.intake.settle(5)

    assert poll(desk, "acme").events == 0

    crm.put("deals", {"id": "D-3", "stage": "Closing"}, at=at + 30)
    assert poll(desk, "acme").events == 1


def test_deleted_and_merged_records_leave_the_mirror_and_are_told(desk, crm):
    sync(desk, "acme")
    crm.put("contacts", {"id": "C-2", "company_id": "CO-1", "last_name": "Shah"})
    poll(desk, "acme")
    crm.remove("deal", "deals", "D-5")
    crm.remove("contact", "contacts", "C-2", into="C-1")

    report = poll(desk, "acme")
    desk.intake.settle(5)

    assert (report.deleted, report.merged) == (1, 1)
    assert desk.records.read_one("acme", "deals", "D-5") is None
    assert desk.records.existing_ids("acme", "contacts", ["C-1", "C-2"]) == {"C-1"}
    told = {(e.type, e.document["object"]["id"]) for e in desk.events.list(connection="acme").items}
    assert {("record.deleted", "D-5"), ("record.merged", "C-2")} <= told


def test_broken_record_is_refused_by_name_and_the_rest_comes_in(desk, crm):
    crm.put("deals", deal(1, amount="a lot"))

    report = sync(desk, "acme")

    assert [(row["collection"], row["id"]) for row in report.refused] == [("deals", "D-1")]
    assert desk.records.counts("acme")["deals"] == 119


def test_second_reader_waits_until_the_first_has_ended_or_is_long_gone(desk):
    assert desk.syncs.hold("acme", "another process", now=desk.clock())

    with pytest.raises(CrmUnavailable, match="another process"):
        sync(desk, "acme")

    later = replace(desk, clock=lambda: datetime.now(UTC) + timedelta(minutes=5))
    assert sync(later, "acme").taken == 124


def test_reader_keeps_its_place_however_long_a_page_takes(desk):
    started, late = datetime.now(UTC), []
    slow = replace(desk, clock=lambda: started + timedelta(minutes=len(late)))

    def take_long(done: int, total: int | None) -> None:
        late.append(done)
        wait_until(lambda: slow.syncs.held_until("acme") > slow.clock())
        assert not slow.syncs.hold("acme", "another process", now=slow.clock())

    assert sync(slow, "acme", progress=take_long, keep_s=0.01).taken == 124
    assert len(late) > 1
    assert slow.syncs.held_until("acme") is None


def test_place_of_a_reader_that_died_is_free_within_a_poll_of_a_minute(desk):
    desk.syncs.hold("acme", "a process that is dead", now=desk.clock())
    later = replace(desk, clock=lambda: datetime.now(UTC) + timedelta(seconds=21))

    assert sync(later, "acme").taken == 124


def test_crm_that_is_down_leaves_the_place_and_says_so(desk, crm):
    sync(desk, "acme")
    crm.put("deals", {"id": "D-9", "stage": "Closing"})
    crm.trouble = Trouble(fail=1.0)
    with pytest.raises(CrmUnavailable):
        poll(desk, "acme")
    assert "500" in desk.syncs.get("acme").problem

    crm.trouble = Trouble()

    assert poll(desk, "acme").events == 1
    assert desk.syncs.get("acme").problem is None


def test_events_missed_while_we_were_down_become_drafts_within_one_interval(open_office, crm):
    first = open_office()
    wait_until(lambda: first.desk.syncs.get("acme").up_to)
    first.close()
    crm.put("deals", {"id": "D-11", "stage": "Proposal", "stage_kind": "proposal"})

    desk = open_office().desk
    poll(desk, "acme")  # what the next slot of the clock does

    event = wait_until(lambda: next(iter(desk.events.list(connection="acme", state="done").items), None))
    assert event.document["object"]["id"] == "D-11"
    assert len(desk.drafts.of_event("acme", event.id)) == 1


def test_server_looks_by_itself_and_renews(open_office, crm):
    desk = open_office().desk

    wait_until(lambda: desk.syncs.get("acme").finished_at and desk.syncs.get("acme").renew_at)

    assert crm.calls["GET changes"] >= 1
    assert desk.syncs.get("acme").renew_at > datetime.now(UTC) + timedelta(hours=23)
    assert renew(desk, "acme") is None


def test_context_of_a_vendor_is_joined_with_what_its_owner_laid_down(desk):
    owners = {
        "format": "crmplugin-records/1",
        "seller": {"name": "Meridian", "timezone": "Europe/London", "currency": "GBP", "country": "GB"},
        "policy": {"floor_margin_pct": "20"},
        "voice": {"person": "we", "max_exclaim": 1},
        "claims": [{"id": "CL-1", "text": "Made in Leeds", "proof": "works visit"}],
        "articles": [{"id": "AR-1", "title": "How to fit it", "body": "Turn.", "public": True}],
        "slots": [{"id": "SL-1", "kind": "meeting", "starts_at": "2030-01-01T09:00:00Z"}],
        "fx_rates": [{"id": "FX-1", "from": "EUR", "to": "GBP", "rate": "0.85", "on": "2026-03-01"}],
        "offers": [{"id": "OF-1", "text": "Two for one"}],
        "segments": [{"id": "SG-1", "name": "All", "where": {}}],
        "prices": [{"id": "PR-1", "product_id": "P-1", "min_quantity": "10", "unit_price": "9.00", "currency": "GBP"}],
        "products": [{"id": "P-1", "cost": "7.00", "currency": "GBP"}],
    }
    report = import_document(owners, connection="acme", records=desk.records)

    context = desk.tools("acme").read_context(Subject("deal", "D-4"))

    assert report.refused == ()
    assert context.deal.id == "D-4"
    assert context.seller.name == "Meridian"
    assert context.policy.floor_margin_pct == 20
    assert context.voice.max_exclaim == 1
    for name in ("claims", "articles", "slots", "fx_rates", "offers", "segments"):
        assert [record.id for record in getattr(context, name)] == [owners[name][0]["id"]]
    assert [price.id for price in context.prices] == ["PR-1"]
    assert [(p.name, p.list_price, p.cost) for p in context.products] == [("Blue Widget", 12, 7)]


def test_command_reads_and_says_what_came(crmplugin, settings, crm):
    first = crmplugin("sync", "acme", "--json")
    second = crmplugin("sync", "acme", "--since", "2026-01-01")

    assert first.json["taken"] == 124
    assert "0 taken, 0 updated, 124 unchanged" in second.out
    assert crmplugin("sync", "local").err.startswith("the local CRM is the store itself")
    assert "no connection 'other'" in crmplugin("sync", "other").err
