"""Wishes that an org keeps beside the person are heard, in a draft's context, in a segment and in the mirror."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.tracing import traced
from crmplugin.domain.event import Event, ObjectRef
from tests.connectors.cases.salesforce import AT, SUBJECT, make_connector
from tests.connectors.salesforce.test_syncing import pull
from tests.fakes.salesforce import CONSENTS, DANA, FakeSalesforce

PERSON = "0PKA0000000DanaIAA"
YESTERDAY = datetime(2026, 11, 20, tzinfo=UTC)
BEFORE, AFTER = "2026-01-02T09:00:00.000+0000", "2027-01-02T09:00:00.000+0000"


@pytest.fixture
def private(org: FakeSalesforce) -> FakeSalesforce:
    """The org with Data Protection switched on, and an Individual behind Dana."""
    org.absent -= set(CONSENTS)
    org.things["Contact"][DANA]["IndividualId"] = PERSON
    org.put("Individual", PERSON)
    org.put("ContactPointEmail", "9VlA000000EmailIAA", ParentId=PERSON, EmailAddress="Dana@orbis.example")
    return org


def kind(org: FakeSalesforce, of: str, status: str, **term: str) -> None:
    n = len(org.things["ContactPointTypeConsent"])
    org.put("ContactPointTypeConsent", f"0ZYA00000000{n:03}IAA", PartyId=PERSON, ContactPointType=of,
            PrivacyConsentStatus=status, **term)  # fmt: skip


def consent_in_context(org: FakeSalesforce) -> dict[str, Any]:
    [dana] = make_connector(org).read_context(SUBJECT).contacts
    return {channel: (one.state, one.source) for channel, one in (dana.consent or {}).items()}


def test_no_by_kind_of_contact_point_is_a_no_on_its_channel(private):
    kind(private, "Email", "OptOut")
    kind(private, "Phone", "OptIn", EffectiveFrom=BEFORE)

    assert consent_in_context(private) == {
        "email": ("withdrawn", "ContactPointTypeConsent"), "phone": ("granted", "ContactPointTypeConsent"),
        "sms": ("granted", "ContactPointTypeConsent"),
    }  # fmt: skip


@pytest.mark.parametrize("term", [{"EffectiveFrom": AFTER}, {"EffectiveTo": BEFORE}])
def test_consent_that_is_not_in_force_today_says_nothing(private, term):
    kind(private, "Email", "OptOut", **term)

    assert consent_in_context(private) == {}


@pytest.mark.parametrize("status", ["Seen", "NotSeen", None, "new words"])
def test_neither_yes_nor_no_says_nothing(private, status):
    kind(private, "Email", status)

    assert consent_in_context(private) == {}


def test_a_no_stays_a_no_beside_a_yes_in_whatever_order(private):
    for status in ("OptIn", "OptOut", "OptIn"):
        kind(private, "Email", status)
    private.things["Contact"][DANA]["DoNotCall"] = True
    kind(private, "Phone", "OptIn")

    consents = consent_in_context(private)

    assert consents["email"] == ("withdrawn", "ContactPointTypeConsent")
    assert consents["phone"] == ("withdrawn", "DoNotCall")


@pytest.mark.parametrize("wish", ["HasOptedOutSolicit", "HasOptedOutProcessing", "ShouldForget"])
def test_wish_of_the_individual_counts_on_every_channel(private, wish):
    private.things["Individual"][PERSON][wish] = True

    said = ("withdrawn", f"Individual.{wish}")
    assert consent_in_context(private) == {"email": said, "phone": said, "sms": said}


@pytest.mark.parametrize(("address", "heard"), [("Dana@orbis.example", True), ("private@dana.example", False)])
def test_no_for_an_address_counts_for_that_address(private, address, heard):
    private.things["ContactPointEmail"]["9VlA000000EmailIAA"]["EmailAddress"] = address
    private.put("ContactPointConsent", "0ZZA0000000ConsIAA", ContactPointId="9VlA000000EmailIAA",
                PrivacyConsentStatus="OptOut")  # fmt: skip

    assert ("email" in consent_in_context(private)) is heard


def test_org_without_consent_objects_is_not_asked_and_one_with_them_takes_a_round_more(org):
    connector = make_connector(org)
    connector.read_context(SUBJECT)
    with traced() as without:
        connector.read_context(SUBJECT)
    org.absent -= set(CONSENTS)
    org.things["Contact"][DANA]["IndividualId"] = PERSON
    org.put("Individual", PERSON)
    fresh = make_connector(org)
    fresh.read_context(SUBJECT)
    with traced() as beside:
        fresh.read_context(SUBJECT)

    assert (without.rounds, len(without.calls)) == (1, 1)
    assert (beside.rounds, len(beside.calls)) == (2, 2)


def test_segment_leaves_out_whom_the_org_says_no_for_and_who_left_a_subscription(private):
    private.put("Campaign", "701A000000CampaIAA", Name="Autumn")
    private.put("Contact", "003A0000000BertIAA", LastName="Bert", Email="bert@orbis.example", Phone="1")
    for n, person in enumerate((DANA, "003A0000000BertIAA")):
        private.put("CampaignMember", f"00vA0000000Mem{n}IAA", CampaignId="701A000000CampaIAA", ContactId=person)
    private.put("CommSubscriptionConsent", "0eBA0000000SubsIAA", ConsentGiverId="003A0000000BertIAA",
                PrivacyConsentStatus="OptOut")  # fmt: skip
    kind(private, "Email", "OptOut")

    page = make_connector(private).find_segment("701A000000CampaIAA")

    assert set(page.opted_out["email"]) == {DANA, "003A0000000BertIAA"}
    assert [c.get("consent", {}).get("email", {}).get("state") for c in page.contacts] == ["withdrawn", None]


def test_mirror_has_the_wishes_too(private):
    kind(private, "Email", "OptOut")

    contacts = [one for page in pull(make_connector(private)) for one in page.records.get("contacts", ())]

    assert contacts[0]["consent"]["email"]["state"] == "withdrawn"


def test_person_who_wishes_to_be_forgotten_is_told_as_erased_once(private):
    connector = make_connector(private)
    private.put("Individual", PERSON, ShouldForget=True)
    private.things["Individual"][PERSON]["SystemModstamp"] = "2026-11-21T08:00:00.000+0000"

    def erased(since: datetime) -> list[Event]:
        return [one for page in pull(connector, since) for one in page.events if one.type == "contact.erased"]

    told = [*erased(YESTERDAY), *erased(YESTERDAY)]

    assert [event.object for event in told] == [ObjectRef("contact", DANA)] * 2
    assert told[0].id == told[1].id
    assert erased(AT) == []


def test_individual_that_our_user_may_not_see_on_the_person_stops_no_pull(private):
    private.hidden = {("Contact", "IndividualId"), ("Lead", "IndividualId")}

    assert pull(make_connector(private), YESTERDAY)[-1].cursor is None
    assert consent_in_context(private) == {}
