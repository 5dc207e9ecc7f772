"""An approved draft becomes one record: tasks, notes, draft mails, fields; conflicts and refusals in words."""

from __future__ import annotations

import pytest

from crmplugin.errors import CrmRefused
from tests.connectors.cases.salesforce import AT, MARKER, SUBJECT, draft_for, make_connector
from tests.fakes.salesforce import DANA, DEAL, REP, ROBOT, STAMP

LATER = "2026-11-21T10:00:00.000+0000"


def test_mail_becomes_a_task_tied_to_deal_person_and_owner(org):
    result = make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    task = org.things["Task"][result]
    assert (task["Subject"], task["WhatId"], task["WhoId"], task["OwnerId"]) == ("Your quote Q-118", DEAL, DANA, REP)
    assert (task["ActivityDate"], task["Status"]) == ("2026-11-21", "Not Started")
    assert [row["Key__c"] for row in org.things["AI_Draft__c"].values()] == [MARKER]


@pytest.mark.parametrize("target", ["note", "task", "draft_email", "field:Summary__c"])
def test_every_target_is_written_once_however_often_it_is_sent(org, target):
    org.things["Opportunity"][DEAL]["Summary__c"] = None
    connector = make_connector(org, write_back={"email": target})
    before = org.written()

    first = connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)
    again = connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert first == again == connector.find_written(MARKER)
    assert org.written() == before + (target[:5] != "field")
    assert bool(org.things["Opportunity"][DEAL]["Summary__c"]) == (target[:5] == "field")


def test_500_after_the_write_is_sent_again_and_refused_by_the_key(org):
    connector = make_connector(org)
    before = org.written()
    org.fail("POST", ".*/composite", 500, after=True, times=2)  # of the look before, and of the write

    result = connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.written() == before + 1
    assert result == connector.find_written(MARKER)


def test_deal_moved_since_the_draft_is_a_conflict_and_nothing_is_written(org):
    org.move(DEAL, "Closed Lost", LATER)
    before = org.written()

    with pytest.raises(CrmRefused, match="the stage of deal"):
        make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.written() == before


@pytest.mark.parametrize(("text", "at", "by", "refused"), [
    ("Of the rep", LATER, REP, True), ("", LATER, REP, False), ("Of the rep", STAMP, REP, False),
    ("Of ours", LATER, ROBOT, False),
], ids=["saved since", "empty", "saved before", "saved by us"])  # fmt: skip
def test_text_that_a_rep_put_into_the_field_since_is_not_lost(org, text, at, by, refused):
    org.touch("Opportunity", DEAL, at, Summary__c=text, LastModifiedById=by)
    connector = make_connector(org, write_back={"email": "field:Summary__c"})

    if refused:
        with pytest.raises(CrmRefused, match="Summary__c holds a text"):
            connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)
    else:
        connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.things["Opportunity"][DEAL]["Summary__c"].startswith(text if refused else "Hello Dana")


def test_deleted_deal_says_reject(org):
    org.things["Opportunity"][DEAL]["IsDeleted"] = True

    with pytest.raises(CrmRefused, match="Reject draft draft-1"):
        make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)


RULE = [{"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Close date is past", "fields": ["CloseDate"]}]
REQUIRED = [
    {"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Reason__c]", "fields": []}
]


@pytest.mark.parametrize(("target", "kind", "rule", "words"), [
    ("field:Summary__c", "Opportunity", RULE, r"Close date is past \(CloseDate\)"),
    ("task", "Task", REQUIRED, r"Required fields are missing: \[Reason__c\]"),
    ("note", "ContentNote", RULE, "Close date is past"),
    ("draft_email", "EmailMessage", RULE, "Close date is past"),
])  # fmt: skip
def test_rule_of_the_org_is_told_in_its_words_and_nothing_is_left_behind(org, target, kind, rule, words):
    connector = make_connector(org, write_back={"email": target})
    org.things["Opportunity"][DEAL]["Summary__c"] = None
    org.rules[kind] = rule
    before = org.written()

    with pytest.raises(CrmRefused, match=words):
        connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)
    org.rules.clear()

    assert (org.things["AI_Draft__c"], org.written()) == ({}, before)
    assert connector.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)


def test_org_without_the_package_writes_nothing_and_names_the_mend(org):
    org.absent.add("AI_Draft__c")
    before = org.written()

    with pytest.raises(CrmRefused, match="deploy connectors/salesforce/ui"):
        make_connector(org).write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert org.written() == before
