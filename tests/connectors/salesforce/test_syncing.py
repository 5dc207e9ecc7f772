"""The mirror is filled page by page: changes, events, deletions, merges, and cursors that go on anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmplugin.domain.event import ObjectRef
from crmplugin.errors import UsageError
from tests.connectors.cases.salesforce import AT, LEAD, make_connector
from tests.fakes.salesforce import DANA, DEAL, WON_1, WON_2


def pull(connector: Any, since: datetime | None = None) -> list[Any]:
    pages = [connector.changes_since(since)]
    while pages[-1].cursor:
        pages.append(connector.changes_since(since, cursor=pages[-1].cursor))
    return pages


def test_pull_gives_all_then_changes_events_deletions_and_merges(org):
    connector = make_connector(org, page_size=1)
    first = pull(connector)
    org.move(DEAL, "Negotiation/Review", "2026-11-21T08:00:00.000+0000")
    org.touch("Opportunity", WON_1, "2026-11-21T08:05:00.000+0000", IsDeleted=True)
    org.put("Contact", "003A0000000TwinIAA", LastName="Reyes", IsDeleted=True, MasterRecordId=DANA)
    org.touch("Contact", "003A0000000TwinIAA", "2026-11-21T08:06:00.000+0000")
    later = pull(connector, datetime(2026, 11, 21, tzinfo=UTC))

    assert {d["id"] for page in first for d in page.records.get("deals", ())} == {DEAL, WON_1, WON_2}
    assert [event for page in first for event in page.events] == []
    assert [(e.type, e.object.id, e.at) for page in later for e in page.events] == [
        ("deal.stage_changed", DEAL, datetime(2026, 11, 21, 8, tzinfo=UTC))
    ]
    assert [ref for page in later for ref in page.deleted] == [ObjectRef("deal", WON_1)]
    assert [pair for page in later for pair in page.merged] == [
        (ObjectRef("contact", "003A0000000TwinIAA"), ObjectRef("contact", DANA))
    ]
    assert first[-1].up_to == AT - timedelta(seconds=30)


def test_converted_lead_lives_on_in_its_contact(org):
    connector = make_connector(org)
    org.put("Lead", LEAD, LastName="Lind", Email="bo@x.example", IsConverted=False)
    before = [one["id"] for page in pull(connector) for one in page.records.get("contacts", ())]
    org.touch("Lead", LEAD, "2026-11-21T08:00:00.000+0000", IsConverted=True, ConvertedContactId=DANA)

    later = pull(connector, datetime(2026, 11, 21, tzinfo=UTC))

    assert before == [DANA, LEAD]
    assert [pair for page in later for pair in page.merged] == [
        (ObjectRef("contact", LEAD), ObjectRef("contact", DANA))
    ]
    assert [one["id"] for page in later for one in page.records.get("contacts", ())] == []


def test_pull_goes_on_at_its_cursor_in_another_process(org):
    half = make_connector(org, page_size=1).changes_since(None)

    rest = make_connector(org, page_size=1).changes_since(None, cursor=half.cursor)

    assert rest.records.keys() >= {"companies"} or rest.cursor


@pytest.mark.parametrize("cursor", [
    "x", "Alien;;;2026-11-21T00:00:00+00:00", "Contact;2026-11-21T00:00:00Z;;2026-11-21T00:00:00+00:00",
    f"Contact;yesterday;{DANA};2026-11-21T00:00:00+00:00",
    "Contact;2026-11-21T00:00:00Z;' OR Id != ';2026-11-21T00:00:00+00:00",
])  # fmt: skip
def test_foreign_cursor_is_refused(org, cursor):
    with pytest.raises(UsageError):
        make_connector(org).changes_since(None, cursor=cursor)
