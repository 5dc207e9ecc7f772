"""What is wrong with a connection, and its mend in words."""

from __future__ import annotations

import pytest

from crmplugin.errors import SettingsError
from tests.connectors.cases.salesforce import make_connector
from tests.connectors.salesforce.test_strict import HOST, connector
from tests.connectors.strict import Exchange, only


def test_diagnosis_of_a_good_org_is_good(org):
    checks = make_connector(org).diagnose()

    assert [check for check in checks if not check[1] and check[0] != "clock"] == []


BAD = [
    ({"client_secret": "wrong-secret-0123456789"}, {}, "access token", "copy it again"),
    ({}, {"sign_in_problem": "no client credentials user enabled"}, "access token", "as Run As"),
    ({}, {"sign_in_problem": "client identifier invalid"}, "access token", "consumer key"),
    ({}, {"sign_in_problem": "user hasn't approved this consumer"}, "access token", "Pre-authorise"),
    ({}, {"sign_in_problem": "request not supported on this domain"}, "access token", "My Domain"),
    ({}, {"sign_in_problem": "something new"}, "access token", "is it enabled"),
    ({"api_version": "99.0"}, {}, "API version", "up to 68.0"),
    ({"organization_id": "00DA0000000OtheAAA"}, {}, "organization", "00DA0000000XyZaMAK"),
    ({}, {"hidden": {("Contact", "HasOptedOutOfEmail")}}, "Contact.HasOptedOutOfEmail", "field-level security"),
    ({}, {"absent": {"AI_Draft__c"}}, "write once (AI_Draft__c)", "deploy connectors/salesforce/ui"),
    ({}, {"absent": {"Case"}}, "read Case", 'leave_out = ["Case"]'),
    ({"fields": {"deal.competitors": "Wrong__c"}}, {}, "field Wrong__c", "API name"),
    ({}, {"remaining": 10}, "calls of the day", "Only 10 of 100000"),
]


@pytest.mark.parametrize(("options", "state", "name", "mend"), BAD, ids=[f"{row[2]}: {row[3]}" for row in BAD])
def test_diagnosis_names_the_mend(org, options, state, name, mend):
    for key, value in state.items():
        setattr(org, key, value)

    checks = {check: (good, words) for check, good, words in make_connector(org, **options).diagnose()}

    assert checks[name][0] is False
    assert mend in checks[name][1]


def diagnosed(*exchanges: Exchange) -> dict[str, tuple[bool, str]]:
    with only(*exchanges):
        return {name: (good, mend) for name, good, mend in connector(signed_in=False).diagnose()}


VERSIONS = [{"label": "Winter", "url": "/services/data/v68.0", "version": "68.0"}]
REFUSED = Exchange("POST", f"{HOST}/services/oauth2/token", {"error": "invalid_client"}, 400)


@pytest.mark.parametrize(("theirs", "good"), [("09:30:20", True), ("09:33:00", False), ("09:27:00", False)])
def test_clock_is_told_even_when_the_token_is_refused(theirs, good):
    headers = {"Date": f"Sat, 21 Nov 2026 {theirs} GMT"}

    checks = diagnosed(Exchange("GET", f"{HOST}/services/data/", VERSIONS, headers=headers), REFUSED)

    assert checks["clock"][0] is good
    assert checks["clock"][1] == "" or "180 s off Salesforce's: set it by NTP" in checks["clock"][1]
    assert checks["access token"][0] is False


@pytest.mark.parametrize(("answer", "status"), [({"error": "no such page"}, 404), ("Welcome", 200), ([], 200)])
def test_host_that_is_not_salesforces_is_told_and_gets_no_secret(answer, status):
    checks = diagnosed(Exchange("GET", f"{HOST}/services/data/", answer, status))

    assert list(checks) == ["address"]
    assert "My Domain" in checks["address"][1]


def test_token_without_the_scope_is_told():
    body = [{"errorCode": "INVALID_SESSION_ID", "message": "This session is not valid for use with the REST API"}]
    token = Exchange("POST", f"{HOST}/services/oauth2/token", {"access_token": "t", "token_type": "Bearer"})
    limits = Exchange("GET", f"{HOST}/services/data/v68.0/limits", body, 401)

    checks = diagnosed(Exchange("GET", f"{HOST}/services/data/", VERSIONS), token, token, limits, limits)

    assert "scope Manage user data via APIs (api)" in checks["access token"][1]


def test_user_without_the_api_permission_is_told():
    body = [{"errorCode": "API_CURRENTLY_DISABLED", "message": "API is disabled for this User"}]
    token = Exchange("POST", f"{HOST}/services/oauth2/token", {"access_token": "t", "token_type": "Bearer"})
    limits = Exchange("GET", f"{HOST}/services/data/v68.0/limits", body, 403)

    checks = diagnosed(Exchange("GET", f"{HOST}/services/data/", VERSIONS), token, limits)

    assert "API Enabled" in checks["access token"][1]


def test_stage_without_meaning_is_named(org):
    org.put("OpportunityStage", "01JOwn", ApiName="Verhandlung", IsClosed=False, IsActive=True)

    assert "Verhandlung" in make_connector(org).diagnose()[-1][2]


WRONG = [
    {"base_url": "https://login.salesforce.com"}, {"webhook_token": "short"}, {"client_secret": ""},
    {"organization_id": ""}, {"write_back": {"email": "fax"}}, {"stages": {"New": "fresh"}}, {"messages": {"04k": "x"}},
    {"private_key": "not a key", "username": "bot@acme.example"},
]  # fmt: skip


@pytest.mark.parametrize("options", WRONG, ids=lambda one: next(iter(one)))
def test_settings_that_cannot_work_are_refused_at_the_start(org, options):
    with pytest.raises(SettingsError, match="connections.acme"):
        make_connector(org, **options)
