"""HubSpot's signatures, with vectors that its own client libraries reproduce."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.verify import decoded, verify
from connectors.in_memory import MemoryLimiter, MemoryVault
from crmplugin.errors import NotGenuine
from crmplugin.ports import PanelCall, Services
from tests.connectors.cases.hubspot import BODY, SECRET, URL

STAMP = "1795000000456"
NOW = datetime.fromtimestamp(1795000000.456, UTC)
HOOK = "https://assist.example.com"
QUERY = HOOK + "/hubspot/panel?userId=777&portalId=62515&userEmail=rep%40example.com&appId=54321"
CARD = '{"dealId":"9001","action":"follow_up_email","note":"Grüße"}'.encode()
ESCAPES = HOOK + (
    "/hubspot/panel?q=a%20b%26c%3Dd&next=https%3a%2F%2Fx.example%2Fp%3Fy%3D1&t=%2B%2C%3B%21%24%27%28%29%2A%40"
)
VENDOR = "https://www.example.com/webhook_uri"
VENDOR_V1 = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":'
    b'"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
)
ACTION = (
    b'{"callbackId":"ap-62515-1-1-0","origin":{"portalId":62515,"actionDefinitionId":2},"object":{"objectId":9001,'
    b'"objectType":"DEAL"},"inputFields":{"tone":"warm"}}'
)


def v3(signature: str, stamp: str = STAMP) -> dict[str, str]:
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}


def older(version: str, signature: str) -> dict[str, str]:
    return {"X-HubSpot-Signature-Version": version, "X-HubSpot-Signature": signature}


def check(headers, *, method="POST", url=URL, body=BODY, now=NOW, versions=("v1", "v2"), secrets=(SECRET,)):
    verify(headers, body, method=method, url=url, secrets=secrets, versions=versions, now=now)


GOOD_V3 = "ivWzQSwH1lAp7z57qBclbamD9spaQ+KdmudPxiPXWoo="
GENUINE = {
    "A v3": (v3(GOOD_V3), {}),
    "A v1": (older("v1", "fe3d7858843445eee4af3bc2785db0d8aeec68b76e3229cf8d44f99ed679c84f"), {}),
    "B v3 decoded": (v3("UI4Pxesibu6xUHeKwK1KvtFryECqsuTr/hQ4Gj++/Gc="), {"url": QUERY, "body": CARD}),
    "B v3 raw": (v3("wC+nM8xSU6KnL0LOmT9oU9s2v+z2BbnxpTehInBvmr4="), {"url": QUERY, "body": CARD}),
    "B v2": (
        older("v2", "eeca6e964514404829056516600e7c09b00068ff4777fa39e564cb484ddf1d81"),
        {"url": QUERY, "body": CARD},
    ),
    "C v3": (
        v3("aRMkcdRsmT+9+PBAvglO0FXSb8GW/epUryZ3cIXtB0o="),
        {"url": ESCAPES, "body": b"", "method": "GET"},
    ),
    "D v1": (
        older("v1", "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"),
        {"url": VENDOR, "body": VENDOR_V1},
    ),
    "D v2 GET": (
        older("v2", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"),
        {"url": VENDOR, "body": b"", "method": "GET"},
    ),
    "D v2 POST": (
        older("v2", "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"),
        {"url": VENDOR, "body": b'{"example_field":"example_value"}'},
    ),
    "D v3": (
        v3("K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=", "1693657560000"),
        {
            "url": VENDOR,
            "body": b"{'example_field':'example_value'}",
            "now": datetime.fromtimestamp(1693657560, UTC),
        },
    ),
    "E v2": (
        older("v2", "bd0d13bcd0aa6fd902154c19eded54768732c1b192d994023d423f2a6c7869d1"),
        {"url": HOOK + "/hubspot/actions/draft", "body": ACTION},
    ),
}


@pytest.mark.parametrize(("headers", "call"), GENUINE.values(), ids=GENUINE)
def test_published_vectors_are_genuine(headers, call):
    check(headers, **call)


def test_body_of_vector_a_is_317_bytes_on_one_line():
    assert len(BODY) == 317


def test_only_the_listed_escapes_are_undone_and_once():
    wanted = HOOK + "/hubspot/panel?q=a%20b%26c%3Dd&next=https://x.example/p?y%3D1&t=%2B,;!$'()*@"

    assert decoded(ESCAPES) == wanted
    assert decoded("https://x.example/?x=%2540") == "https://x.example/?x=%2540"


SPOILT = {
    "old": (v3(GOOD_V3), {"now": NOW + timedelta(milliseconds=300_001)}),
    "ahead": (v3(GOOD_V3), {"now": NOW - timedelta(milliseconds=60_001)}),
    "time no number": (v3(GOOD_V3, "abc"), {}),
    "time in other digits": (v3(GOOD_V3, "١٧٩٥"), {}),
    "time empty": (v3(GOOD_V3, ""), {}),
    "body with spaces": (v3(GOOD_V3), {"body": BODY.replace(b",", b", ")}),
    "http": (v3(GOOD_V3), {"url": URL.replace("https", "http")}),
    "another host": (v3(GOOD_V3), {"url": "https://internal:8000/webhooks/hubspot"}),
    "GET": (v3(GOOD_V3), {"method": "GET"}),
    "other secret": (v3(GOOD_V3), {"secrets": ("zzzzzzzz",)}),
    "no time": ({"X-HubSpot-Signature-v3": GOOD_V3}, {}),
    "no header": ({}, {}),
    "signature with umlaut": (v3("ä"), {}),
    "upper-case hex": (
        older("v1", "FE3D7858843445EEE4AF3BC2785DB0D8AEEC68B76E3229CF8D44F99ED679C84F"),
        {},
    ),
    "v1 not taken": (
        older("v1", "fe3d7858843445eee4af3bc2785db0d8aeec68b76e3229cf8d44f99ed679c84f"),
        {"versions": ()},
    ),
    "v3 spoilt beside a good v1": (
        v3("AAAA") | older("v1", "fe3d7858843445eee4af3bc2785db0d8aeec68b76e3229cf8d44f99ed679c84f"),
        {},
    ),
    "version called v3": (older("v3", GOOD_V3), {"versions": ("v3",)}),
}


@pytest.mark.parametrize(("headers", "call"), SPOILT.values(), ids=SPOILT)
def test_everything_else_is_not_genuine(headers, call):
    with pytest.raises(NotGenuine):
        check(headers, **call)


def old_call(versions: list[str]) -> None:
    """A webhook with a v1 signature and a workflow's step with a v2 signature, as HubSpot's older tools send them."""
    options = {"client_secret": SECRET, "access_token": "token-of-the-test", "signature_versions": versions}
    services = Services(MemoryLimiter(), MemoryVault(), clock=lambda: NOW)
    connector = HubSpotConnector("acme", options, services)
    headers, _ = GENUINE["A v1"]
    connector.verify_webhook(headers, BODY, url=URL, now=NOW)
    headers, call = GENUINE["E v2"]
    action = connector.read_action(PanelCall("POST", call["url"], headers, call["body"]), now=NOW)
    assert action.key == "ap-62515-1-1-0"


def test_older_signatures_are_taken_where_the_settings_name_them():
    old_call(["v1", "v2"])


@pytest.mark.parametrize("versions", [[], ["v1"], ["v2"]])
def test_older_signatures_are_refused_where_the_settings_do_not_name_them(versions):
    with pytest.raises(NotGenuine, match="signature_versions"):
        old_call(versions)


@pytest.mark.parametrize("ms", [-60_000, 0, 300_000])
def test_clock_may_differ_within_the_window(ms):
    check(v3(GOOD_V3), now=NOW + timedelta(milliseconds=ms))


def test_old_secret_is_taken_while_the_key_is_changed():
    check(v3(GOOD_V3), secrets=("new-secret", SECRET))
