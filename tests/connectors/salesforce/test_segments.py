"""Campaign members and list views with wishes read now; campaigns that go in as planned."""

from __future__ import annotations

import pytest

from crmplugin.errors import CrmRefused, NotFound
from crmplugin.ports import CampaignMessage, CampaignPush
from tests.connectors.cases.salesforce import AT, LEAD, make_connector
from tests.fakes.salesforce import DANA, DEAL, FakeSalesforce

LATER = "2026-11-21T10:00:00.000+0000"


CAMPAIGN = "701A000000CampaIAA"


def members(org: FakeSalesforce) -> None:
    org.put("Campaign", CAMPAIGN, Name="Autumn")
    org.put("Contact", "003A000000NoMaiIAA", LastName="Lind", Email="bo@x.example", HasOptedOutOfEmail=True)
    org.put("Lead", LEAD, LastName="Kern", Email="k@x.example", EmailBouncedDate=LATER, DoNotCall=True, Phone="1")
    for n, person in enumerate((DANA, "003A000000NoMaiIAA", LEAD)):
        field = "LeadId" if person == LEAD else "ContactId"
        org.put("CampaignMember", f"00vA000000Memb{n}IAA", CampaignId=CAMPAIGN, **{field: person})


def test_campaign_members_come_with_wishes_read_now(org):
    members(org)
    connector = make_connector(org)
    first = connector.find_segment(CAMPAIGN)
    org.things["Contact"][DANA]["HasOptedOutOfEmail"] = True
    second = connector.find_segment(CAMPAIGN)

    assert {c["id"] for c in first.contacts} == {DANA, "003A000000NoMaiIAA", LEAD}
    assert first.opted_out["email"] == ("003A000000NoMaiIAA", LEAD)
    assert LEAD in first.opted_out["phone"]
    assert DANA in second.opted_out["email"]


def test_hidden_opt_out_leaves_everybody_out(org):
    members(org)
    org.hidden = {("Contact", "HasOptedOutOfEmail"), ("Lead", "HasOptedOutOfEmail")}

    page = make_connector(org).find_segment(CAMPAIGN)

    assert set(page.opted_out["email"]) == {c["id"] for c in page.contacts}


def test_list_view_is_read_and_an_unknown_segment_is_named(org):
    org.put("ListView", "00BA0000000ViewIAA", SobjectType="Contact")
    org.views["00BA0000000ViewIAA"] = [DANA]
    connector = make_connector(org)

    assert [c["id"] for c in connector.find_segment("00BA0000000ViewIAA").contacts] == [DANA]
    for unknown in ("701A000000NobodIAA", "00BA000000NobodIAA", DEAL, "7"):
        with pytest.raises(NotFound):
            connector.find_segment(unknown)


REPORT = "00OA0000000ReporAA"


def cell(value: str, label: str = "") -> dict[str, str]:
    return {"value": value, "label": label or value}


def report(*rows: list[dict[str, str]], **more: object) -> dict[str, object]:
    """A report's answer: rows lie by group, a tabular report has one group."""
    half = len(rows) // 2
    groups = {"0!T": {"rows": [{"dataCells": row} for row in rows[:half]]},
              "T!T": {"rows": [{"dataCells": row} for row in rows[half:]]}}  # fmt: skip
    return {"allData": True, "factMap": groups, "attributes": {"reportName": "Autumn"}, **more}


def test_report_is_read_with_wishes_of_now_each_person_once(org):
    members(org)
    rows = [[cell(person, "Somebody"), cell("Prospecting")] for person in (DANA, LEAD, "003A000000NoMaiIAA", DANA)]
    org.reports[REPORT] = report(*rows)

    page = make_connector(org).find_segment(REPORT)

    assert {one["id"] for one in page.contacts} == {DANA, LEAD, "003A000000NoMaiIAA"}
    assert set(page.opted_out["email"]) == {LEAD, "003A000000NoMaiIAA"}
    assert page.cursor is None


@pytest.mark.parametrize(("answer", "words"), [
    (report([cell("Prospecting")], [cell("001A000000OrbisIAA")]), "names no contact or lead"),
    (report([cell(DANA)], [cell(DANA)], allData=False), "2,000"),
])  # fmt: skip
def test_report_that_cannot_be_a_segment_says_what_to_do(org, answer, words):
    org.reports[REPORT] = answer

    with pytest.raises(CrmRefused, match=words):
        make_connector(org).find_segment(REPORT)


def test_report_that_is_not_shared_is_not_found(org):
    with pytest.raises(NotFound, match="share its folder"):
        make_connector(org).find_segment(REPORT)


def campaign(*ids: str) -> CampaignPush:
    messages = tuple(CampaignMessage(one, f"{one}@x.example", "Autumn", f"Hello {one}") for one in ids)
    return CampaignPush("c-1", "Autumn", "email", "en", "Autumn offer", "Hello", "<p>Hello</p>", messages)


def test_campaign_goes_in_as_planned_once_with_members_and_texts(org):
    connector = make_connector(org)
    org.fail("POST", ".*/composite/sobjects", 500, after=True)

    first = connector.push_campaign(campaign(DANA), marker="crmplugin:campaign-1", at=AT)
    again = connector.push_campaign(campaign(DANA), marker="crmplugin:campaign-1", at=AT)

    made = org.things["Campaign"][first]
    assert (first, made["Status"], made["IsActive"]) == (again, "Planned", False)
    assert [one["ContactId"] for one in org.things["CampaignMember"].values()] == [DANA]
    assert sorted(str(one.get("Body__c")) for one in org.things["AI_Draft__c"].values()) == [f"Hello {DANA}", "None"]
    assert len(org.things["ContentNote"]) == 1


def test_recipient_who_is_nobody_of_salesforce_is_refused(org):
    with pytest.raises(CrmRefused, match="neither contact nor lead"):
        make_connector(org).push_campaign(campaign("501"), marker="m", at=AT)
