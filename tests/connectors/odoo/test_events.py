"""What a webhook of Odoo says, and that a poll says the same with the same ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.odoo.verify import sign, verify_webhook
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.errors import NotGenuine, Unreadable, UsageError
from tests.connectors.cases.odoo import AT, BODY, SECRET, URL, make_connector
from tests.fakes.odoo import FakeOdoo, with_orbis

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    with with_orbis(FakeOdoo()).running() as running:
        yield running


def body(**changes: Any) -> bytes:
    return json.dumps({**json.loads(BODY), **changes}).encode()


def read(given: bytes, **options: Any) -> Event:
    fake = FakeOdoo()
    fake.url = "https://odoo.example"
    (event,) = make_connector(fake, **options).read_events(given, received_at=AT).events
    return event


@pytest.mark.parametrize(
    ("changes", "type_"),
    [
        ({}, "deal.stage_changed"),
        ({"create_date": "2026-11-21 09:29:59"}, "deal.created"),
        ({"won_status": "won", "date_closed": "2026-11-21 09:29:59"}, "deal.won"),
        ({"won_status": "lost", "active": False, "date_closed": "2026-11-21 09:29:59"}, "deal.lost"),
        ({"won_status": None, "active": False, "date_closed": "2026-11-21 09:29:59"}, "deal.lost"),
        ({"won_status": None, "stage_id": 4, "date_closed": "2026-11-21 09:29:59"}, "deal.won"),
        ({"won_status": None, "stage_id": 2}, "deal.stage_changed"),
        ({"date_last_stage_update": "2026-11-10 08:00:00"}, "deal.updated"),
        ({"_action": "crmplugin record.deleted(#9)"}, "record.deleted"),
        ({"_model": "res.partner"}, "contact.changed"),
        ({"_model": "sale.order", "state": "sent"}, "quote.sent"),
        ({"_model": "sale.order", "state": "sale", "date_order": "2026-11-21 09:29:59"}, "order.placed"),
        ({"_model": "mail.message", "message_type": "email", "date": "2026-11-21 09:29:59"}, "message.received"),
        ({"_model": "project.task"}, "odoo.project.task"),
    ],
)
def test_times_of_the_record_say_what_happened(changes, type_):
    assert read(body(**changes)).type == type_


def test_event_names_its_record():
    assert read(BODY).object == ObjectRef("deal", "9001")
    assert read(body(_model="mail.message", message_type="email", date="2026-11-21 09:29:59")).object == ObjectRef(
        "activity", "message:9001"
    )
    assert read(body(_model="sale.order", state="sent", opportunity_id=14)).object == ObjectRef("deal", "14")


def test_what_the_bot_did_itself_is_an_echo():
    assert read(body(write_uid=7), user_id="7").echo
    assert not read(BODY, user_id="7").echo


def test_the_bots_number_is_learned_by_the_first_call(fake):
    connector = make_connector(fake)
    connector.diagnose()

    (event,) = connector.read_events(body(write_uid=7), received_at=AT).events

    assert event.echo


def test_webhook_of_another_of_our_companies_is_refused():
    fake = FakeOdoo()
    fake.url = "https://odoo.example"

    reading = make_connector(fake, company_ids=[1]).read_events(body(company_id=2), received_at=AT)

    assert (reading.events, [entry["id"] for entry in reading.refused]) == ((), ["crm.lead/9001"])


@pytest.mark.parametrize(
    "given",
    [b"", b"x", b"[]", b"{}", b"\xff", b'{"_model": "crm.lead", "_id": "1"}', b'{"_model": "crm.lead", "_id": true}',
     b'{"_model": 1, "_id": 1}', b'{"_model": "crm.lead", "_id": -3}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_webhook_of_a_rule_is_unreadable(given):
    with pytest.raises(Unreadable):
        read(given)


@pytest.mark.parametrize("url", [f"{URL}?token={SECRET}", f"{URL}/{SECRET}", f"{URL}/{SECRET}/"])
def test_secret_is_the_token_or_the_end_of_the_path(url):
    verify_webhook(JSON, url=url, secrets=["another", SECRET])


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        (URL, JSON),
        (f"{URL}?token=", JSON),
        (f"{URL}?token=x{SECRET}", JSON),
        (f"{URL}?token={SECRET}", {"Content-Type": "text/html"}),
        (f"{URL}?token=\ud800", JSON),
        ("https://assist.example.com", JSON),
    ],
)
def test_address_without_the_secret_is_refused(url, headers):
    with pytest.raises(NotGenuine):
        verify_webhook(headers, url=url, secrets=[SECRET])


def test_module_signs_as_the_vector_says():
    signed = b'{"record":{"model":"crm.lead","id":14},"user":{"id":2,"login":"admin"},"db":"crmlab"}'

    assert (
        sign("panel-secret-EXAMPLE", 1795300739, signed)
        == "9e8668e2ba6e7b118e4b103387b5a243d5b8be0cc5d1c8e1182e6a162c61568d"
    )


def changes(fake: FakeOdoo, since: datetime, **options: Any) -> list[Event]:
    connector, cursor, found = make_connector(fake, **options), None, []
    while True:
        page = connector.changes_since(since, cursor=cursor)
        found += page.events
        if page.cursor is None:
            return found
        cursor = page.cursor


def test_poll_tells_what_the_lost_webhook_would_have_told(fake):
    fake.things["crm.lead"][9001] |= {
        "date_last_stage_update": "2026-11-21 09:29:59", "write_date": "2026-11-21 09:29:59", "write_uid": 2,
    }  # fmt: skip

    (event,) = changes(fake, AT - timedelta(minutes=10))

    assert (event.id, event.type, event.object) == (read(BODY).id, "deal.stage_changed", ObjectRef("deal", "9001"))
    assert event.at == datetime(2026, 11, 21, 9, 29, 59, tzinfo=UTC)


def test_poll_finds_mail_meetings_orders_and_opt_outs(fake):
    now = "2026-11-21 09:25:00"
    fake.put("mail.message", 6200, model="crm.lead", res_id=9001, message_type="email", author_id=501, subtype_id=1,
             date=now, write_date=now, body="<p>Any news?</p>")  # fmt: skip
    fake.put("calendar.event", 6400, name="Demo", start="2026-11-21 09:00:00", stop=now, opportunity_id=9001)
    fake.things["sale.order"][810] |= {"state": "sale", "date_order": now, "write_date": now}
    fake.put("mail.blacklist", 3, email="dana@orbis.example", write_date=now)
    fake.fields["mail.blacklist"] = {"email": {"type": "char"}, "write_date": {"type": "datetime"}}
    fake.things["res.partner"][501]["is_blacklisted"] = True

    found = {event.type: event.object for event in changes(fake, AT - timedelta(minutes=10))}

    assert found == {
        "message.received": ObjectRef("activity", "message:6200"),
        "meeting.ended": ObjectRef("activity", "meeting:6400"),
        "order.placed": ObjectRef("order", "order:810"),
        "contact.opted_out": ObjectRef("contact", "501"),
    }


def test_poll_leaves_out_what_the_bot_did_and_what_was_before(fake):
    fake.things["crm.lead"][9001] |= {"write_date": "2026-11-21 09:29:59", "write_uid": 7}

    assert changes(fake, AT - timedelta(minutes=10)) == []


def test_stage_that_a_person_moved_before_the_bot_wrote_is_told(fake):
    fake.things["crm.lead"][9001] |= {
        "date_last_stage_update": "2026-11-21 09:28:00", "write_date": "2026-11-21 09:29:59", "write_uid": 7,
    }  # fmt: skip

    assert [event.type for event in changes(fake, AT - timedelta(minutes=10))] == ["deal.stage_changed"]


def test_whole_read_brings_records_and_no_events(fake):
    connector, cursor, kinds = make_connector(fake), None, dict[str, int]()
    while True:
        page = connector.changes_since(None, cursor=cursor)
        assert page.events == ()
        for name, records in page.records.items():
            kinds[name] = kinds.get(name, 0) + len(records)
        if page.cursor is None:
            break
        cursor = page.cursor

    assert {name: n for name, n in kinds.items() if n} == {
        "users": 1, "companies": 3, "contacts": 2, "products": 2, "deals": 3, "line_items": 1, "quotes": 1,
        "orders": 3, "activities": 3,
    }  # fmt: skip
    assert page.up_to == AT - timedelta(seconds=60)


@pytest.mark.parametrize("cursor", ["", "x", "crm.lead;a;2026-11-21", "sales;0;2026-11-21T00:00:00+00:00", ";;"])
def test_cursor_of_somebody_else_is_refused(fake, cursor):
    with pytest.raises(UsageError, match="start the pull again"):
        make_connector(fake).changes_since(None, cursor=cursor)
