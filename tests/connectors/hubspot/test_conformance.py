"""Every request the connector can make is one that HubSpot's own description allows; what it answers can be read."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hubspot import mapping
from connectors.hubspot.events import read_events
from connectors.hubspot.mapping import ACTIVITY_TYPES, COLLECTIONS, RULED, Account, links_of, to_document
from crmplugin.domain.crm import Subject
from crmplugin.domain.records import build
from tests.connectors.cases.hubspot import AT, make_connector
from tests.connectors.drafts import AT as DRAFTED_AT
from tests.connectors.drafts import make_draft
from tests.connectors.hubspot.test_syncing import make_campaign, pull
from tests.connectors.specs import Book, hubspot_book
from tests.fakes.hubspot import FakeHubSpot, with_orbis
from tests.fakes.server import Request

DEAL = Subject("deal", "9001")
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
USED = (
    "GET /crm/objects/2026-09/{objectType}/{objectId}", "POST /crm/objects/2026-09/{objectType}/batch/read",
    "POST /crm/objects/2026-09/{objectType}/search", "GET /crm/objects/2026-09/{objectType}",
    "POST /crm/objects/2026-09/{objectType}", "PATCH /crm/objects/2026-09/{objectType}/{objectId}",
    "POST /crm/objects/2026-09/{objectType}/batch/upsert",
    "PUT /crm/objects/2026-09/{fromObjectType}/{fromObjectId}/associations/default/{toObjectType}/{toObjectId}",
    "POST /crm/associations/2026-09/{fromObjectType}/{toObjectType}/batch/read", "GET /crm/owners/2026-09",
    "GET /crm/pipelines/2026-09/{objectType}", "GET /crm/properties/2026-09/{objectType}",
    "GET /crm/lists/2026-09/{listId}/memberships",
    "POST /communication-preferences/2026-09/statuses/batch/unsubscribe-all/read",
    "POST /communication-preferences/2026-09/statuses/batch/read", "GET /communication-preferences/2026-09/definitions",
    "GET /marketing/emails/2026-09", "POST /marketing/emails/2026-09",
)  # fmt: skip
"""Calls of the connector, as the description names them."""


@pytest.fixture(scope="module")
def book() -> Book:
    return hubspot_book()


@pytest.fixture(scope="module")
def requests() -> Iterator[list[Request]]:
    """What the connector sends when every verb is used in every way."""
    fake = with_orbis(FakeHubSpot())
    fake.page, fake.unique, fake.lists["12"] = 2, "crmplugin_draft_key", ["501"]
    with fake.running():
        _use_everything(fake)
        yield list(fake.requests)


def _use_everything(fake: FakeHubSpot) -> None:
    connector = make_connector(fake, fields={"deal.competitors": "wettbewerber"}, subscription_id="111")
    for kind in ("quotes", "orders"):
        fake.tie(kind, fake.put(kind, f"{kind}-1"), "line_items", "8001")
    fake.tie("deals", "9001", "quotes", "quotes-1")
    fake.tie("contacts", "501", "leads", fake.put("leads", "3601", hs_lead_name="Dana"))
    for subject in (DEAL, Subject("company", "7001"), Subject("contact", "501"), Subject("ticket", "5001")):
        connector.read_context(subject)
    connector.read_context(Subject("activity", "emails:6101"))
    for target in ("note", "task", "logged_email", "property:deal_summary"):
        for key in (None, "crmplugin_draft_key"):
            writer = make_connector(fake, write_back={"email": target}, key_property=key)
            writer.write_back(make_draft(DEAL), marker="crmplugin:draft-1", at=DRAFTED_AT)
            writer.find_written("crmplugin:draft-1", draft=make_draft(DEAL))
    pull(connector)
    pull(connector, SINCE)
    connector.find_segment("12")
    connector.push_campaign(make_campaign(), marker="crmplugin:c-1", at=AT)
    connector.may_see("4455", DEAL)
    connector.diagnose()


def test_every_request_is_allowed_by_the_description(book, requests):
    assert [problem for request in requests for problem in book.problems(request)] == []


def test_every_call_of_the_client_was_tried(book, requests):
    found = {f"{op.method.upper()} {op.path}" for r in requests if (op := book.find(r)) is not None}

    assert found == set(USED)


def test_check_finds_a_wrong_parameter_a_wrong_body_and_a_wrong_path(book):
    wrong = [
        Request("GET", "/crm/owners/2026-09", {"size": ["5"]}, {}, None),
        Request("POST", "/crm/objects/2026-09/notes", {}, {}, {"properties": {"a": 1}}),
        Request("GET", "/crm/owners/v3", {}, {}, None),
    ]

    assert all(book.problems(request) for request in wrong)


TEXTS = st.none() | st.text(max_size=30) | st.sampled_from(
    ["true", "false", "0.5", "-1", "1e999", "NaN", "2026-11-21T09:30:00Z", "1795000000123", "2026-02-30", "<p>x", "EUR"]
)  # fmt: skip
IDS = st.from_regex(r"[0-9]{1,18}", fullmatch=True)


@st.composite
def things(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A record as the description allows it: any property a text or null, any ties, any past."""
    names = [*mapping.FIELDS[kind].values(), *RULED[kind], "custom_one", "ünknown"]
    entry = st.fixed_dictionaries({"value": TEXTS, "timestamp": TEXTS})
    tie = st.fixed_dictionaries({"results": st.lists(st.fixed_dictionaries({"id": IDS, "type": st.text(max_size=9)}))})
    return {
        "id": draw(IDS),
        "properties": draw(st.dictionaries(st.sampled_from(names), TEXTS)),
        "propertiesWithHistory": draw(st.dictionaries(st.sampled_from(["dealstage", "hs_status"]), st.lists(entry))),
        "associations": draw(st.dictionaries(st.sampled_from(["contacts", "companies", "line items", "deals"]), tie)),
        "updatedAt": "2026-11-20T08:00:00.000Z",
    }


@pytest.mark.parametrize("kind", COLLECTIONS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_allowed_record_is_mapped_and_nothing_unknown_is_lost(kind, data):
    thing = data.draw(things(kind))
    document = to_document(kind, thing, links_of(thing), Account())

    build(COLLECTIONS[kind], document)
    assert document["id"] == (f"{kind}:{thing['id']}" if kind in ACTIVITY_TYPES else thing["id"])
    kept = document.get("x_hubspot", {})
    for name in ("custom_one", "ünknown"):
        value = thing["properties"].get(name)
        assert not value or kept[name] == value.replace("\0", "").encode("utf-8", "replace").decode()


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Any]]:
    """Answers of HubSpot's retired v1 and v2 APIs."""
    named = os.environ.get("PUBLIC_DATA_DIR")
    if not named or not Path(named).is_dir():
        pytest.skip("PUBLIC_DATA_DIR is unset or not a folder: recorded payloads are not part of the project")
    with gzip.open(Path(named) / "webhooks" / "hubspot_api_recorded.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_recorded_answers_are_mapped_without_inventing_values(recorded):
    """Their property envelopes are not today's: nothing of them may be taken for a value, and none may crash."""
    for record in recorded:
        answer = record["response_json"]
        entries = answer.get("contacts") or answer.get("companies") or [answer] if isinstance(answer, dict) else []
        for entry in entries:
            thing = {"id": str(entry.get("vid") or entry.get("companyId") or 1), **entry}
            document = to_document("contacts", thing, links_of(thing), Account())
            assert set(document) <= {"id", "x_hubspot"}


def test_recorded_answers_are_refused_by_name_as_webhooks(recorded):
    for record in recorded:
        body = json.dumps([record["response_json"]]).encode()
        reading = read_events(body, connection="acme", received_at=AT)
        assert reading.events == ()
        assert reading.refused[0]["reason"]


def test_recorded_errors_are_told_in_hubspots_words(recorded):
    from connectors.hubspot.client import explain
    from connectors.transport import Answer

    failed = [r for r in recorded if r["status"] >= 400 and isinstance(r["response_json"], dict)]

    assert failed
    for record in failed:
        words = explain(Answer(record["status"], {}, b"", record["response_json"]))
        assert str(record["response_json"].get("message") or "") in words
