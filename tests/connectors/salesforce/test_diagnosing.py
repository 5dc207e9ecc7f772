"""What is wrong with a connection, and its mend in words."""

from __future__ import annotations

import pytest

from crmplugin.errors import SettingsError
from tests.connectors.cases.salesforce import make_connector


def test_diagnosis_of_a_good_org_is_good(org):
    checks = make_connector(org).diagnose()

    assert [check for check in checks if not check[1] and check[0] != "clock"] == []


BAD = [
    ({"client_secret": "wrong-secret-0123456789"}, {}, "access token", "Run As"),
    ({"organization_id": "00DA0000000OtheAAA"}, {}, "organization", "00DA0000000XyZaMAK"),
    ({}, {"hidden": {("Contact", "HasOptedOutOfEmail")}}, "Contact.HasOptedOutOfEmail", "field-level security"),
    ({}, {"absent": {"AI_Draft__c"}}, "write once (AI_Draft__c)", "deploy connectors/salesforce/ui"),
    ({}, {"absent": {"Case"}}, "read Case", 'leave_out = ["Case"]'),
    ({"fields": {"deal.competitors": "Wrong__c"}}, {}, "field Wrong__c", "API name"),
    ({}, {"remaining": 10}, "calls of the day", "Only 10 of 100000"),
]


@pytest.mark.parametrize(("options", "state", "name", "mend"), BAD, ids=[row[2] for row in BAD])
def test_diagnosis_names_the_mend(org, options, state, name, mend):
    for key, value in state.items():
        setattr(org, key, value)

    checks = {check: (good, words) for check, good, words in make_connector(org, **options).diagnose()}

    assert checks[name][0] is False
    assert mend in checks[name][1]


def test_stage_without_meaning_is_named(org):
    org.put("OpportunityStage", "01JOwn", ApiName="Verhandlung", IsClosed=False, IsActive=True)

    assert "Verhandlung" in make_connector(org).diagnose()[-1][2]


WRONG = [
    {"base_url": "https://login.salesforce.com"}, {"webhook_token": "short"}, {"client_secret": ""},
    {"organization_id": ""}, {"write_back": {"email": "fax"}}, {"stages": {"New": "fresh"}}, {"messages": {"04k": "x"}},
]  # fmt: skip


@pytest.mark.parametrize("options", WRONG, ids=lambda one: next(iter(one)))
def test_settings_that_cannot_work_are_refused_at_the_start(org, options):
    with pytest.raises(SettingsError, match="connections.acme"):
        make_connector(org, **options)
