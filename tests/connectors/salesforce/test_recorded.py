"""Answers of a real Salesforce, recorded by others: read, mapped, or told in its own words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from connectors.salesforce.mapping import COLLECTIONS, Org, to_document
from crmplugin.domain.records import build
from crmplugin.errors import CrmRefused, NotFound
from tests.connectors.cases.salesforce import AT, MARKER, SUBJECT, draft_for
from tests.connectors.salesforce.test_strict import (
    DATA,
    FOUND,
    HALTED,
    HOST,
    LOOK,
    NOBODY,
    SMALL_ORG,
    WRITING,
    composite,
    connector,
    known,
    query,
)  # fmt: skip
from tests.connectors.strict import Exchange, only
from tests.fakes.salesforce import DEAL, REP

DATA_DIR = Path(os.environ.get("PUBLIC_DATA_DIR", "")) / "webhooks" / "salesforce_rest"
pytestmark = pytest.mark.skipif(not os.environ.get("PUBLIC_DATA_DIR"), reason="PUBLIC_DATA_DIR unset or not a folder")
OPEN = composite(LOOK, ("subject", 200, {"Id": DEAL, "OwnerId": REP}), ("changes", 200, NOBODY))


def recorded(name: str) -> Any:
    return json.loads((DATA_DIR / f"{name}.json").read_text("utf-8"))


REFUSALS = {
    "query_error_response": "error_message",
    "write_error_response": "No such column 'foo' on sobject of type Bar",
    "upsert_error_response": "Provided external ID field does not exist or is not accessible: Namez",
    "delete_error_response": "Provided external ID field does not exist or is not accessible: rid",
    "search_error_response": "No search term found",
    "sobject_describe_error_response": "The requested resource does not exist",
    "sobject_find_error_response": "is not accessible: 23foo",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_recorded_refusal_of_a_query_is_told_in_its_own_words(name):
    refusal = Exchange("GET", f"{DATA}/query", recorded(name), 400)

    with only(refusal), pytest.raises(CrmRefused, match=REFUSALS[name]):
        connector().may_see(REP, SUBJECT)


@pytest.mark.parametrize("name", ["write_error_response", "upsert_error_response"])
def test_recorded_refusal_within_a_write_back_is_told_in_its_own_words(name):
    refused = composite(WRITING, ("key", 400, [HALTED]), ("record", 400, recorded(name)), ("done", 400, [HALTED]),
                        whole=True)  # fmt: skip

    with only(OPEN, refused), pytest.raises(CrmRefused, match=REFUSALS[name]):
        connector().write_back(draft_for(SUBJECT), marker=MARKER, at=AT)


@pytest.mark.parametrize(
    ("name", "id_"), [("create_success_response", "some_id"), ("upsert_created_success_response", "foo")]
)
def test_recorded_success_gives_the_id_of_what_was_made(name, id_):
    made = composite(WRITING, ("key", 201, {"id": "a01"}), ("record", 201, recorded(name)), ("done", 204, None),
                     whole=True)  # fmt: skip

    with only(OPEN, made):
        assert connector().write_back(draft_for(SUBJECT), marker=MARKER, at=AT) == id_


@pytest.mark.parametrize("name", ["sobject_find_success_response", "sobject_select_success_response"])
def test_recorded_record_found_by_its_key_is_what_was_written(name):
    with only(Exchange("GET", FOUND.url, recorded(name))):
        assert connector().find_written(MARKER) == "23foo"


def test_recorded_key_that_is_not_there_was_never_written():
    with only(Exchange("GET", FOUND.url, recorded("sobject_find_error_response"), 404)):
        assert connector().find_written(MARKER) is None


def test_recorded_pages_are_read_to_the_last():
    asked = known()
    first = Exchange("GET", f"{DATA}/query", recorded("query_paginated_first_page_response"))
    last = Exchange("GET", f"{HOST}/services/data/v26.0/query/01gD", recorded("query_paginated_last_page_response"))

    with only(first, last):
        page = asked.changes_since(None)

    assert [c["x_salesforce"]["Text_Label"] for c in page.records["companies"]] == ["First Page", "Last Page"]


def test_recorded_empty_answer_is_a_deal_that_is_not_there():
    empty = recorded("query_empty_response")
    asked = known()

    with only(composite(None, ("subject", 200, empty), ("account", 200, empty))), pytest.raises(NotFound):
        asked.read_context(SUBJECT)


def test_recorded_descriptions_say_which_fields_there_are():
    described = [("Opportunity", 200, recorded("sobject_describe_success_response")),
                 ("Account", 404, recorded("sobject_describe_error_response"))]  # fmt: skip
    asked = connector()
    with only(composite(None, *described), SMALL_ORG[1], Exchange("GET", f"{DATA}/query", NOBODY)):
        asked.changes_since(None)

    # Of the recorded object's fields these are asked for; of an object that it may not see, nothing is.
    soql = (
        "SELECT Id,Name,CreatedDate,OwnerId,LastModifiedDate,LastModifiedById,Owner.Name,Owner.Email,Owner.Phone,"
        f"Owner.Title FROM Opportunity WHERE Id = '{DEAL}'"
    )
    with only(composite([query("subject", soql)])), pytest.raises(CrmRefused, match="without an answer"):
        asked.read_context(SUBJECT)


def test_recorded_list_view_of_accounts_has_no_people():
    view = {"records": [{"Id": "00BA0000000ViewIAA", "SobjectType": "Contact"}], "done": True}
    asked = known()
    results = Exchange("GET", f"{DATA}/sobjects/Contact/listviews/00BA0000000ViewIAA/results",
                       recorded("list_view_results_success_response"))  # fmt: skip

    with only(Exchange("GET", f"{DATA}/query", view), results):
        page = asked.find_segment("00BA0000000ViewIAA")

    assert page.contacts == ()


OTHERS = (
    "query_success_response", "query_aggregate_success_response", "org_query_response", "recent_success_response",
    "search_success_response", "sobject_find_success_response", "query_paginated_first_page_response",
)  # fmt: skip


@pytest.mark.parametrize("kind", COLLECTIONS)
@pytest.mark.parametrize("name", OTHERS)
def test_recorded_records_are_mapped_as_any_object_and_nothing_is_lost(name, kind):
    answer = recorded(name)
    records = answer if isinstance(answer, list) else answer.get("records", [answer])

    for record in records:
        document = to_document(kind, {**record, "Id": DEAL}, Org())

        build(COLLECTIONS[kind], document)
        kept = {
            k for k, v in record.items() if k not in ("attributes", "Id") and v not in (None, "") and k[-3:] != "__r"
        }
        assert kept <= {*document.get("x_salesforce", {}), *FITTING}
    assert records


FITTING = frozenset({"Name", "OwnerId", "CreatedById", "LastModifiedById", "IsDeleted", "CampaignId"})
"""Fields of the recordings that some of our objects have a word for."""
HANDLED = {
    *REFUSALS, *OTHERS, "create_success_response", "upsert_created_success_response", "sobject_select_success_response",
    "query_paginated_last_page_response", "query_empty_response", "sobject_describe_success_response",
    "list_view_results_success_response",
}  # fmt: skip
NEVER_ASKED = {
    "describe_sobjects_success_response", "get_deleted_success_response", "get_updated_success_response",
    "list_sobjects_success_response", "upsert_multiple_error_response",
}  # fmt: skip
"""Answers to questions that the connector does not put: it finds deletions by `queryAll`, and describes one by one."""


def test_every_recording_is_tried_or_named():
    assert {file.stem for file in DATA_DIR.glob("*.json")} == HANDLED | NEVER_ASKED
