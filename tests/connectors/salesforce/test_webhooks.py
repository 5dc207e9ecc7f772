"""Outbound messages, callouts and Canvas: genuine or not, read or refused by name, acknowledged in their own form."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.mapping import Org, to_document
from connectors.salesforce.verify import ORGANIZATION, USER
from connectors.signatures import STAMPED, stamp
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotGenuine, TooLarge, Unreadable
from crmplugin.ports import PanelCall, Services
from tests.connectors.cases.salesforce import AT, BODY, CALLOUT, OPTIONS, PANEL, TOKEN, URL
from tests.fakes.salesforce import DEAL, ORG, REP, ROBOT

CANVAS_SECRET = "canvas-consumer-secret-EXAMPLE"
CONTEXT = (
    "eyJhbGdvcml0aG0iOiJITUFDU0hBMjU2IiwiaXNzdWVkQXQiOjE3OTUzMDAwMDAwMDAsInVzZXJJZCI6IjAwNUEwMDAwMDAwQWJjRElBUyIsImNsaW"
    "VudCI6eyJpbnN0YW5jZVVybCI6Imh0dHBzOi8vYWNtZS5teS5zYWxlc2ZvcmNlLmNvbSIsIm9hdXRoVG9rZW4iOiIwMERURVNUIVRPS0VOIn0sImNv"
    "bnRleHQiOnsidXNlciI6eyJ1c2VySWQiOiIwMDVBMDAwMDAwMEFiY0RJQVMiLCJ1c2VyTmFtZSI6InJlcEBhY21lLmV4YW1wbGUifSwib3JnYW5pem"
    "F0aW9uIjp7Im9yZ2FuaXphdGlvbklkIjoiMDBEQTAwMDAwMDBYeVphTUFLIn0sImVudmlyb25tZW50Ijp7InJlY29yZCI6eyJJZCI6IjAwNkEwMDAw"
    "MDAxT3BwUUlBVyJ9fX19"
)
SIGNED = f"sf57Kwjclmco/YDLNoDBQRDQK4L3L54ExWB9t5SolkE=.{CONTEXT}"
ISSUED = datetime.fromtimestamp(1795300000, UTC)
WORKED = {"StageName": "Negotiation", "LastStageChangeDate": "2026-11-21T09:29:58.000Z", "IsClosed": "false",
          "LastModifiedDate": "2026-11-21T09:29:58.000Z", "CreatedDate": "2026-10-01T08:00:00.000Z"}  # fmt: skip


def make(**options: Any) -> SalesforceConnector:
    services = Services(MemoryLimiter(), MemoryVault(), clock=lambda: AT)
    given = {**OPTIONS, "base_url": "https://acme.my.salesforce.com", "canvas_secret": CANVAS_SECRET, **options}
    return SalesforceConnector("acme", given, services)


def message(*fields: dict[str, str], org: str = ORG, kind: str = "Opportunity", head: str = "") -> bytes:
    """An outbound message as Salesforce sends it."""
    entries = "".join(
        f'<Notification><Id>04lA00000000000{n}</Id><sObject xsi:type="sf:{kind}" '
        'xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{DEAL}</sf:Id>{''.join(f'<sf:{k}>{v}</sf:{k}>' for k, v in one.items())}</sObject></Notification>"
        for n, one in enumerate(fields)
    )
    return (
        f'{head}<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{org}</OrganizationId>'
        f'<ActionId>04kA0000000AbCdIAK</ActionId><SessionId xsi:nil="true"/>{entries}</notifications></soapenv:Body>'
        "</soapenv:Envelope>"
    ).encode()


def verify(connector: SalesforceConnector, body: bytes, *, url: str, headers: dict[str, str] | None = None) -> None:
    connector.verify_webhook(headers or {}, body, url=url, now=AT)


@pytest.mark.parametrize("url", [f"{URL}/{TOKEN}", f"{URL}?token={TOKEN}"])
def test_message_with_our_token_and_org_is_genuine_also_with_the_short_id(url):
    verify(make(), message(WORKED), url=url)
    verify(make(), message(WORKED, org=ORG[:15]), url=url)


@pytest.mark.parametrize("url", [URL, f"{URL}/{TOKEN}x", f"{URL}/{TOKEN[:-1]}", f"{URL}?token=", f"{URL}/{TOKEN}/x"])
def test_message_without_the_token_is_refused(url):
    with pytest.raises(NotGenuine):
        verify(make(), message(WORKED), url=url)


@pytest.mark.parametrize("org", ["00DA0000000Other12", "", ORG[:14]])
def test_message_of_another_org_is_refused(org):
    with pytest.raises(NotGenuine):
        verify(make(), message(WORKED, org=org), url=f"{URL}/{TOKEN}")


def test_old_token_is_taken_while_it_is_changed():
    verify(make(old_webhook_token="o" * 30), message(WORKED), url=f"{URL}/{'o' * 30}")


def test_flow_with_our_token_as_bearer_is_genuine():
    verify(make(), BODY, url=URL, headers={"authorization": f"Bearer {TOKEN}"})
    with pytest.raises(NotGenuine):
        verify(make(), BODY, url=URL, headers={"authorization": f"Basic {TOKEN}"})


def test_wrong_signature_is_refused_whatever_token_comes_with_it():
    headers = {STAMPED: stamp(BODY, secret="other", now=AT), "Authorization": f"Bearer {TOKEN}"}

    with pytest.raises(NotGenuine):
        verify(make(), BODY, url=URL, headers=headers)
    verify(make(), BODY, url=URL, headers={STAMPED: stamp(BODY, secret=CALLOUT, now=AT)})


SIGNED_BODY = b'{"object":"Opportunity","record_id":"006A0000001OppQIAW","event":"deal.stage_changed"}'
SIGNATURE = "t=1795253400,v1=c88d5a2d6314b844341e4c4bbe76f876644a6656f35e0821b67e3fc6cc29752e"
"""Made with openssl over "1795253400." and the body, with the secret of the tests."""


def test_signature_of_apex_is_hmac_over_time_and_body():
    verify(make(), SIGNED_BODY, url=URL, headers={STAMPED: SIGNATURE})
    event = make().read_events(SIGNED_BODY, received_at=AT).events[0]

    assert (event.type, event.object.id) == ("deal.stage_changed", "006A0000001OppQIAW")


SPOILT_SIGNATURES = [
    SIGNATURE[:-1] + "f", SIGNATURE.replace("t=1795253400", "t=1795253401"), SIGNATURE.partition(",")[2],
    "t=1795253400", SIGNATURE.replace("v1", "v0"), SIGNATURE.replace("t=1795253400", "t=soon"), "", "é",
]  # fmt: skip


@pytest.mark.parametrize("value", SPOILT_SIGNATURES)
def test_spoilt_signature_is_refused(value):
    with pytest.raises(NotGenuine):
        verify(make(), SIGNED_BODY, url=URL, headers={STAMPED: value})


@pytest.mark.parametrize("minutes", [-6, 6])
def test_signature_of_another_time_is_refused(minutes):
    with pytest.raises(NotGenuine):
        make().verify_webhook({STAMPED: SIGNATURE}, SIGNED_BODY, url=URL, now=AT + timedelta(minutes=minutes))


AS_DOCUMENTED = b"""<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00DA0000000XyZaMAK</OrganizationId>
   <ActionId>04kA0000000AbCdIAK</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/68.0/00DA0000000XyZa</EnterpriseUrl>
   <PartnerUrl>https://acme.my.salesforce.com/services/Soap/u/68.0/00DA0000000XyZa</PartnerUrl>
   <Notification>
    <Id>04lA000000QwErtIAF</Id>
    <sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>006A0000001OppQIAW</sf:Id><sf:StageName>Negotiation</sf:StageName>
    </sObject>
   </Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""


def test_message_as_documented_is_genuine_read_and_acknowledged():
    connector = make()

    verify(connector, AS_DOCUMENTED, url=f"{URL}/{TOKEN}")
    reading = connector.read_events(AS_DOCUMENTED, received_at=AT)

    assert [(e.id, e.type, e.object.id, e.at) for e in reading.events] == [
        ("sf-04lA000000QwErtIAF", "deal.updated", "006A0000001OppQIAW", AT)
    ]
    assert connector.acknowledge(reading, [True])[2] == (
        b'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        b'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse '
        b'xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse></soapenv:Body>'
        b"</soapenv:Envelope>"
    )


def test_more_notifications_than_salesforce_sends_are_unreadable():
    assert len(make().read_events(message(*[WORKED] * 100), received_at=AT).events) == 100
    with pytest.raises(Unreadable, match="101"):
        make().read_events(message(*[WORKED] * 101), received_at=AT)


def test_message_becomes_an_event_for_each_notification_and_is_acknowledged_in_soap():
    connector = make()
    moved = WORKED | {"LastModifiedById": REP}
    lost = moved | {"IsClosed": "true", "IsWon": "false"}
    edited = moved | {"LastModifiedDate": "2026-11-21T09:40:00.000Z"}
    echoed = edited | {"LastModifiedById": ROBOT}

    reading = connector.read_events(message(moved, lost, edited, echoed), received_at=AT)
    status, headers, body = connector.acknowledge(reading, [True] * 4)

    assert [(e.id, e.type, e.echo) for e in reading.events] == [
        ("sf-04lA000000000000", "deal.stage_changed", False), ("sf-04lA000000000001", "deal.lost", False),
        ("sf-04lA000000000002", "deal.updated", False), ("sf-04lA000000000003", "deal.updated", True),
    ]  # fmt: skip
    assert reading.events[0].at == datetime(2026, 11, 21, 9, 29, 58, tzinfo=UTC)
    assert (status, headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    ack = fromstring(body).find(".//{http://soap.sforce.com/2005/09/outbound}Ack")
    assert ack.text == "true"


def test_settings_say_what_a_message_means():
    connector = make(messages={"04kA0000000AbCd": "quote.sent"})

    assert connector.read_events(message(WORKED), received_at=AT).events[0].type == "quote.sent"


def test_empty_message_and_message_without_ids_are_acknowledged_too():
    connector = make()
    for body in (message(), message(WORKED).replace(b"<Id>04lA000000000000</Id>", b"")):
        reading = connector.read_events(body, received_at=AT)

        assert reading.events == ()
        assert reading.refused[0]["reason"]
        assert b"<Ack>true</Ack>" in connector.acknowledge(reading, [])[2]


ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "http://evil.example/x.dtd">'


@pytest.mark.parametrize("head", [ENTITY, OUTSIDE, "<!DOCTYPE x>", "<x", '<?xml version="1.0" encoding="utf-99"?>'])
def test_entities_dtds_and_broken_xml_are_unreadable(head):
    with pytest.raises(Unreadable):
        make().read_events(message(WORKED, head=head), received_at=AT)


def test_callout_says_what_happened_and_the_same_twice_is_one():
    first, again = (make().read_events(BODY, received_at=AT + timedelta(days=n)).events[0] for n in range(2))

    assert (first.id, first.type, first.object.id, first.echo) == (again.id, "deal.stage_changed", DEAL, False)
    assert first.at == AT


BAD = [b"", b"[]", b"{", b"5", b'[{"object":"Opportunity"}]', b'[{"object":5,"record_id":"006A0000001OppQIAW"}]',
       b'[{"object":"Opportunity","record_id":"x"}]', b"\xff", b"[" * 9000,
       b'[{"object":"Opportunity","record_id":"006A0000001OppQIAW","organization_id":"00DA0000000Othe"}]',
       b'[{"object":"Opportunity","record_id":"006A0000001OppQIAW","fields":[1]}]']  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_callout_of_another_form_is_unreadable(body):
    with pytest.raises(Unreadable):
        make().read_events(body, received_at=AT)


def test_good_records_of_a_callout_are_kept_beside_bad_ones_and_too_many_are_too_large():
    entries = [json.loads(BODY), {"object": "Account"}, {"object": "Gadget__c", "record_id": "a02A000000GadgeIAA"}]
    reading = make().read_events(json.dumps(entries).encode(), received_at=AT)

    assert [e.type for e in reading.events] == ["deal.stage_changed", "salesforce.Gadget__c"]
    assert (reading.refused[0]["id"], reading.ignored) == ("1", 1)
    with pytest.raises(TooLarge):
        make().read_events(json.dumps([{}] * 1001).encode(), received_at=AT)


JSONS = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: (
    st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["object", "record_id", "fields", "event", "occurred_at"]), inner, max_size=4)
), max_leaves=12)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JSONS)
def test_any_json_is_read_or_unreadable(document):
    try:
        reading = make().read_events(json.dumps(document).encode(), received_at=AT)
    except Unreadable:
        return
    assert reading.events


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*WORKED, "IsWon", "IsDeleted", "Amount"]), st.text("0123456789TZ:-. aé", max_size=30)
    )
)
def test_any_fields_of_a_message_are_an_event(fields):
    reading = make().read_events(message(fields), received_at=AT)

    assert [e.object.id for e in reading.events] == [DEAL]
    assert reading.events[0].raw["fields"].items() >= {k: v for k, v in fields.items() if v}.items()


def canvas(value: str, **options: Any) -> Any:
    body = urlencode({"signed_request": value}).encode()
    return make(**options).verify_panel(PanelCall("POST", f"{URL}/canvas", {}, body), now=ISSUED)


def test_canvas_vector_names_user_and_record():
    visitor = canvas(SIGNED)

    assert len(SIGNED) == 521
    assert (visitor.user_id, visitor.email) == ("005A0000000AbcDIAS", "rep@acme.example")
    assert visitor.subject == Subject("deal", DEAL)


SPOILT = [SIGNED[1:], SIGNED[:-4], CONTEXT, "", ".", f".{CONTEXT}", SIGNED.replace(".", ".."), "é.é"]


@pytest.mark.parametrize("value", SPOILT)
def test_spoilt_signed_request_is_refused(value):
    with pytest.raises(NotGenuine):
        canvas(value)


def test_signed_request_of_another_secret_org_or_hour_is_refused():
    for options in ({"canvas_secret": "other"}, {"organization_id": "00DA0000000OtheAAA"}):
        with pytest.raises(NotGenuine):
            canvas(SIGNED, **options)
    body = urlencode({"signed_request": SIGNED}).encode()
    for hours in (-1, 1):
        with pytest.raises(NotGenuine):
            make().verify_panel(PanelCall("POST", URL, {}, body), now=ISSUED + timedelta(hours=hours))


def test_apex_with_the_panel_secret_names_its_user():
    good = {"Authorization": f"Bearer {PANEL}", USER: REP, ORGANIZATION: ORG}

    assert make().verify_panel(PanelCall("POST", URL, good, b"{}"), now=AT).user_id == REP
    bad: list[dict[str, str]] = [
        {"Authorization": "Bearer x"},
        {ORGANIZATION: "00DA0000000Othe"},
        {USER: "me"},
        {USER: ""},
    ]
    for change in bad:
        with pytest.raises(NotGenuine):
            make().verify_panel(PanelCall("POST", URL, good | change, b"{}"), now=AT)


DATA = Path(os.environ.get("PUBLIC_DATA_DIR", "")) / "webhooks"
recorded = pytest.mark.skipif(not os.environ.get("PUBLIC_DATA_DIR"), reason="PUBLIC_DATA_DIR unset or not a folder")


@recorded
def test_recorded_message_is_of_another_org_and_its_records_are_refused_by_name():
    body = (DATA / "salesforce_outbound" / "OutboundMessage1.xml").read_bytes()
    connector = make(organization_id="0123456789ABCDENNN")

    verify(connector, body, url=f"{URL}/{TOKEN}")
    reading = connector.read_events(body, received_at=AT)

    assert [(e.id, e.type) for e in reading.events] == [
        ("sf-04l37000000L0E5AAK", "salesforce.Lead1"), ("sf-14l37000123L0E5AAK", "salesforce.Lead2"),
        ("sf-24l37123450L0E5AAK", "salesforce.Lead3"),
    ]  # fmt: skip
    assert reading.events[0].raw["fields"]["LastName"] == "Nielsen"
    with pytest.raises(NotGenuine):
        verify(make(), body, url=f"{URL}/{TOKEN}")


@recorded
@pytest.mark.parametrize("kind", ["Opportunity", "Contact", "Task"])
def test_recorded_answers_are_mapped_or_refused(kind):
    seen = 0
    for file in sorted((DATA / "salesforce_rest").glob("query_*success*.json")):
        for record in json.loads(file.read_text("utf-8")).get("records", ()):
            document = to_document(kind, {**record, "Id": DEAL}, Org())
            seen += 1
            left = {k for k, v in record.items() if k not in ("attributes", "Name") and v and not isinstance(v, dict)}
            assert left <= set(document["x_salesforce"]) | {"Id"}
    assert seen >= 1
