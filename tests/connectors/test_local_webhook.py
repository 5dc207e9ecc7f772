"""The local CRM's webhook: what is genuine, and what a body may hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.local.events import acknowledge, read_events
from connectors.local.verify import sign, verify
from crmplugin.errors import NotGenuine, TooLarge, Unreadable

NOW = datetime(2026, 3, 10, 14, 5, tzinfo=UTC)
BODY = b'{"id": "evt-17"}'
SECRET = "a-secret"


def check(header: str | None, body: bytes = BODY, secret: str = SECRET, now: datetime = NOW) -> None:
    verify({} if header is None else {"x-crmplugin-signature": header}, body, secret=secret, now=now)


def test_signature_of_the_published_form_is_genuine():
    # Computed with: printf '1773151500.{"id": "evt-17"}' | openssl dgst -sha256 -hmac a-secret
    check("t=1773151500,v1=2f37d31614ca0f27fb32561c3ee883bd81d0a80b8b1f745ad54bb5127f5711c6")


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_clock_may_differ_by_300_seconds_both_ways(seconds):
    check(sign(BODY, secret=SECRET, now=NOW), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, -86400 * 365 * 50])
def test_too_old_or_too_far_ahead_is_refused(seconds):
    with pytest.raises(NotGenuine):
        check(sign(BODY, secret=SECRET, now=NOW), now=NOW + timedelta(seconds=seconds))


GARBAGE = {
    "missing": None,
    "empty": "",
    "no comma": "t=1773151500",
    "only a hash": "v1=00",
    "two times": "t=1773151500,t=1773151500,v1=00",
    "text for a time": "t=now,v1=00",
    "negative time": "t=-5,v1=00",
    "huge time": "t=99999999999999999999,v1=00",
    "arabic digits": "t=١٧٧٣١٥١٥٠٠,v1=00",
    "hash with umlaut": "t=1773151500,v1=ä",
    "not even that": "§$%&/()=?,,,,====,,,,,,,,",
    "thousands of parts": "v1=0," * 5000,
}


@pytest.mark.parametrize("header", GARBAGE.values(), ids=GARBAGE)
def test_garbage_in_the_header_is_not_genuine(header):
    with pytest.raises(NotGenuine):
        check(header)


def test_other_body_or_secret_is_not_genuine():
    header = sign(BODY, secret=SECRET, now=NOW)

    with pytest.raises(NotGenuine):
        check(header, body=BODY + b" ")
    with pytest.raises(NotGenuine):
        check(header, secret="another")


def test_one_of_two_signatures_fits_while_a_key_is_changed():
    good = sign(BODY, secret=SECRET, now=NOW)

    check(good.replace(",v1=", ",v1=" + "0" * 64 + ",v1="))


def read(document: object) -> object:
    return read_events(json.dumps(document).encode(), connection="local", received_at=NOW)


def event(**changes: object) -> dict[str, object]:
    base = {
        "id": "evt-17",
        "type": "deal.created",
        "at": "2026-03-10T14:05:00Z",
        "object": {"type": "deal", "id": "D-1"},
    }
    return {k: v for k, v in {**base, **changes}.items() if v != "absent"}


def test_one_event_and_an_array_are_both_read():
    assert [e.id for e in read(event()).events] == ["evt-17"]
    assert [e.id for e in read([event(), event(id="evt-18")]).events] == ["evt-17", "evt-18"]
    assert read([]).events == ()


@pytest.mark.parametrize("body", [b"", b"{", b'"text"', b"17", b"null", b"\xff\xfe", b"[" * 100_000, b"[NaN]"])
def test_body_that_is_no_event_is_unreadable(body):
    with pytest.raises(Unreadable):
        read_events(body, connection="local", received_at=NOW)


def test_hundred_entries_are_taken_and_one_more_is_too_many():
    assert len(read([event(id=f"e{n}") for n in range(100)]).events) == 100
    with pytest.raises(TooLarge):
        read([event(id=f"e{n}") for n in range(101)])


BAD = {
    "no object at all": ("evt", "[0]"),
    "no id": (event(id="absent"), "[0]"),
    "id no text": (event(id=17), "[0]"),
    "id too long": (event(id="x" * 256), "x" * 255),
    "id with line break": (event(id="a\nb"), "a\nb"),
    "no type": (event(type=None), "evt-17"),
    "time without zone": (event(at="2026-03-10T14:05:00"), "evt-17"),
    "time no time": (event(at=5), "evt-17"),
    "unknown key": (event(colour="red"), "evt-17"),
    "no subject": (event(object="absent"), "evt-17"),
    "vendor's word": (event(object={"type": "opportunity", "id": "1"}), "evt-17"),
    "object id no text": (event(object={"type": "deal", "id": 1}), "evt-17"),
    "records no object": (event(records=[]), "evt-17"),
    "unknown collection": (event(records={"accounts": []}), "evt-17"),
    "bad record": (event(records={"deals": [{"id": "D-1", "amount": 5}]}), "evt-17"),
    "other format": (event(records={"format": "crmplugin-records/9"}), "evt-17"),
}


@pytest.mark.parametrize(("entry", "name"), BAD.values(), ids=BAD)
def test_bad_entry_is_refused_by_name_and_the_rest_counts(entry, name):
    reading = read([entry, event(id="good")])

    assert [e.id for e in reading.events] == ["good"]
    assert [r["id"] for r in reading.refused] == [name]


def test_refusal_names_the_path_of_a_bad_field():
    reading = read(event(records={"quotes": [{"id": "Q-1", "lines": [{"quantity": "many"}]}]}))

    assert reading.refused[0]["reason"].startswith("records.quotes[0].lines[0].quantity: expected ")


def test_unknown_event_is_kept_and_counted_as_ignored():
    reading = read(event(type="deal.sneezed", object={"type": "whatever"}))

    assert [e.type for e in reading.events] == ["deal.sneezed"]
    assert reading.ignored == 1


def test_our_own_write_back_is_an_echo():
    note = {"id": "A-9", "type": "note", "source": "crmplugin:1234"}
    reading = read(
        event(type="message.received", object={"type": "activity", "id": "A-9"}, records={"activities": [note]})
    )

    assert reading.events[0].echo


def test_answer_counts_new_double_ignored_and_refused():
    reading = read([event(), event(id="two"), event(id="odd", type="x.y"), event(id=5)])

    status, _, body = acknowledge(reading, [True, False, True])

    assert status == 202
    answer = json.loads(body)
    assert (answer["accepted"], answer["duplicates"], answer["ignored"]) == (1, 1, 1)
    assert answer["events"] == ["evt-17", "odd"]
    assert [r["id"] for r in answer["refused"]] == ["[3]"]
