"""What HubSpot's webhooks mean in our words. Payloads written by hand from the vendor's guide."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hubspot.events import read_events
from crmplugin.domain.event import EVENT_TYPES, ObjectRef
from crmplugin.errors import TooLarge, Unreadable
from crmplugin.ports import Reading

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def entry(**changes: Any) -> dict[str, Any]:
    base = {
        "eventId": 1, "subscriptionId": 2, "portalId": 62515, "appId": 54321, "occurredAt": 1795000000123,
        "subscriptionType": "object.propertyChange", "attemptNumber": 0, "objectId": 9001, "objectTypeId": "0-3",
        "propertyName": "amount", "propertyValue": "1", "changeSource": "CRM_UI", "sourceId": "userId:777",
    }  # fmt: skip
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def read(*entries: Any, **more: Any) -> Reading:
    return read_events(json.dumps(list(entries)).encode(), connection="acme", received_at=NOW, **more)


MEANINGS = {
    "deal made": ({"subscriptionType": "object.creation"}, "deal.created"),
    "deal moved": ({"propertyName": "dealstage", "propertyValue": "presentationscheduled"}, "deal.stage_changed"),
    "deal won": ({"propertyName": "dealstage", "propertyValue": "closedwon"}, "deal.won"),
    "deal lost": ({"propertyName": "dealstage", "propertyValue": "closedlost"}, "deal.lost"),
    "deal changed": ({"propertyName": "amount"}, "deal.updated"),
    "deal deleted": ({"subscriptionType": "object.deletion"}, "record.deleted"),
    "classic name": ({"subscriptionType": "deal.propertyChange", "objectTypeId": None}, "deal.updated"),
    "old key": ({"subscriptionType": None, "eventType": "deal.creation", "objectTypeId": None}, "deal.created"),
    "opt-out": (
        {"subscriptionType": "contact.propertyChange", "propertyName": "hs_email_optout", "propertyValue": "true"},
        "contact.opted_out",
    ),
    "opt-out taken back": (
        {"subscriptionType": "contact.propertyChange", "propertyName": "hs_email_optout", "propertyValue": "false"},
        "contact.changed",
    ),
    "privacy": ({"subscriptionType": "contact.privacyDeletion", "objectTypeId": None}, "contact.erased"),
    "ticket": ({"subscriptionType": "object.creation", "objectTypeId": "0-5"}, "ticket.opened"),
    "ticket closed": (
        {"objectTypeId": "0-5", "propertyName": "hs_pipeline_stage", "propertyValue": "4"},
        "ticket.resolved",
    ),
    "quote": (
        {"objectTypeId": "0-14", "propertyName": "hs_status", "propertyValue": "APPROVAL_NOT_NEEDED"},
        "quote.sent",
    ),
    "mail in": (
        {"objectTypeId": "0-49", "propertyName": "hs_email_direction", "propertyValue": "INCOMING_EMAIL"},
        "message.received",
    ),
    "meeting": (
        {"objectTypeId": "0-47", "propertyName": "hs_meeting_outcome", "propertyValue": "COMPLETED"},
        "meeting.ended",
    ),
    "order": ({"subscriptionType": "object.creation", "objectTypeId": "0-123"}, "order.placed"),
}


@pytest.mark.parametrize(("changes", "type_"), MEANINGS.values(), ids=MEANINGS)
def test_change_becomes_our_event(changes, type_):
    assert read(entry(**changes)).events[0].type == type_


def test_merge_names_the_survivor():
    merge = entry(
        subscriptionType="object.merge", objectId=9100, primaryObjectId=9001, mergedObjectIds=[9002], newObjectId=9100
    )

    event = read(merge).events[0]

    assert (event.type, event.object) == ("record.merged", ObjectRef("deal", "9001"))


def test_association_is_about_the_object_it_comes_from():
    tie = entry(subscriptionType="object.associationChange", objectId=None, fromObjectId=9001, toObjectId=501)

    event = read(tie).events[0]

    assert (event.type, event.object) == ("deal.updated", ObjectRef("deal", "9001"))


def test_mail_is_named_with_its_kind():
    mail = entry(objectTypeId="0-49", propertyName="hs_email_direction", propertyValue="INCOMING_EMAIL")

    assert read(mail).events[0].object == ObjectRef("activity", "emails:9001")


@pytest.mark.parametrize(
    "changes",
    [
        {"objectTypeId": "2-998877"},
        {"objectTypeId": "0-49", "propertyName": "hs_email_direction", "propertyValue": "EMAIL"},
        {"subscriptionType": "conversation.newMessage", "objectTypeId": None},
        {"subscriptionType": "object.creation", "objectTypeId": "0-46"},
    ],
)
def test_what_we_do_not_use_is_kept_by_name_and_ignored(changes):
    reading = read(entry(**changes))

    assert reading.ignored == 1
    assert reading.events[0].type.startswith("hubspot.")
    assert reading.events[0].type not in EVENT_TYPES


def test_repeated_delivery_has_the_same_id_and_another_change_another():
    ids = [read(entry(attemptNumber=n)).events[0].id for n in range(3)]
    others = [read(entry(**change)).events[0].id for change in ({"eventId": 2}, {"occurredAt": 5}, {"objectId": 1})]

    assert len(set(ids)) == 1
    assert len(set(ids + others)) == 4


def test_own_change_is_an_echo_and_a_users_is_none():
    ours = entry(changeSource="INTEGRATION", sourceId="54321")

    assert read(ours).events[0].echo
    assert not read(entry()).events[0].echo
    assert not read(entry(changeSource="INTEGRATION", sourceId="99")).events[0].echo


def test_custom_stage_means_what_the_settings_say():
    won = entry(propertyName="dealstage", propertyValue="55")

    assert read(won, stages={"55": "won"}).events[0].type == "deal.won"


def test_other_portal_is_refused_by_name():
    reading = read(entry(portalId=1), entry(), portal="62515")

    assert len(reading.events) == 1
    assert reading.refused == ({"id": "[0]", "reason": "portal 1 is not this connection's portal_id"},)


@pytest.mark.parametrize("bad", [17, "x", None, {}, {"subscriptionType": 5}, {"subscriptionType": "deal.creation"}])
def test_bad_entry_is_refused_and_the_rest_counts(bad):
    reading = read(bad, entry())

    assert (len(reading.events), len(reading.refused)) == (1, 1)


@pytest.mark.parametrize("body", [b"", b"{", b'"x"', b"17", b"null", b"\xff", b"[" * 100_000])
def test_body_that_is_no_array_is_unreadable(body):
    with pytest.raises(Unreadable):
        read_events(body, connection="acme", received_at=NOW)


def test_more_than_hundred_entries_are_too_many():
    with pytest.raises(TooLarge):
        read(*[entry()] * 101)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda s: st.lists(s, max_size=3))
NAMES = st.sampled_from([*entry(), "primaryObjectId", "fromObjectId", "toObjectId", "changeFlag"])


@given(st.lists(st.dictionaries(NAMES, JSON, max_size=14), max_size=5))
def test_no_payload_crashes_the_reading(entries):
    reading = read_events(json.dumps(entries).encode(), connection="acme", received_at=NOW)

    assert len(reading.events) + len(reading.refused) == len(entries)
    assert all(len(event.id) <= 255 and event.id.isprintable() for event in reading.events)
    assert [event.raw for event in reading.events] == [e for e in entries if e in [x.raw for x in reading.events]]


VALID = st.fixed_dictionaries(
    {
        "eventId": st.integers(1), "subscriptionId": st.integers(1), "portalId": st.just(62515),
        "appId": st.integers(1),
        "occurredAt": st.integers(1_500_000_000_000, 2_000_000_000_000), "attemptNumber": st.integers(0, 10),
        "subscriptionType": st.sampled_from([
            f"{kind}.{change}" for kind in ("object", "deal", "contact", "company", "ticket", "conversation")
            for change in ("creation", "deletion", "restore", "merge", "propertyChange", "associationChange",
                           "privacyDeletion", "newMessage")]),
        "objectTypeId": st.from_regex(r"[0-9]-[0-9]{1,3}", fullmatch=True), "objectId": st.integers(1, 10**17),
    },
    optional={
        "propertyName": st.sampled_from(["dealstage", "amount", "hs_email_optout", "hs_pipeline_stage", "odd_one"]),
        "propertyValue": st.none() | st.text(max_size=20), "changeSource": st.sampled_from(["CRM_UI", "INTEGRATION"]),
        "sourceId": st.text(max_size=12), "isSensitive": st.booleans(), "changeFlag": st.just("NEW"),
    },
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(VALID, st.dictionaries(st.from_regex(r"new_[a-z]{1,8}", fullmatch=True), JSON_VALUES, max_size=3))
def test_any_valid_change_is_one_event_that_keeps_every_field(change, unknown):
    reading = read(change | unknown)

    assert (len(reading.events), reading.refused) == (1, ())
    assert reading.events[0].raw == change | unknown
