"""The contract cases of Salesforce, exchange by exchange: nothing else may be asked, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, quote

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.salesforce.connector import SalesforceConnector
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound, NotGenuine
from crmplugin.ports import Services
from tests.connectors.cases.salesforce import AT, MARKER, OPTIONS, SUBJECT, TOKEN, URL, Case, draft_for
from tests.connectors.salesforce.test_webhooks import WORKED, message
from tests.connectors.strict import Exchange, only
from tests.fakes.salesforce import ACCOUNT, CLIENT, DANA, DEAL, ORG, REP, SECRET

HOST = "https://acme.my.salesforce.com"
DATA = f"{HOST}/services/data/v68.0"
COMPOSITE, TOKENS = f"{DATA}/composite", f"{HOST}/services/oauth2/token"
ENDS = datetime(2026, 11, 21, 12, tzinfo=UTC)


def connector(*, signed_in: bool = True, **options: Any) -> SalesforceConnector:
    services = Services(MemoryLimiter(), MemoryVault(), clock=lambda: AT, sleep=lambda s: None)
    if signed_in:
        services.vault.put("acme", "access_token", "token-1", expires_at=ENDS)
    return SalesforceConnector("acme", {**OPTIONS, "base_url": HOST, **options}, services)


def query(name: str, soql: str) -> dict[str, Any]:
    return {"method": "GET", "url": f"/services/data/v68.0/query/?q={quote(soql, safe='')}", "referenceId": name}


def part(name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    asked = {"method": method, "url": f"/services/data/v68.0/sobjects/{path}", "referenceId": name}
    return asked if body is None else asked | {"body": body}


def composite(sent: Sequence[Any] | None, *answers: tuple[str, int, Any], whole: bool = False, **more: Any) -> Exchange:
    """A composite of these parts, and what came of each."""
    came = [{"referenceId": name, "httpStatusCode": status, "body": body} for name, status, body in answers]
    asked = None if sent is None else {"allOrNone": whole, "compositeRequest": list(sent)}
    return Exchange("POST", COMPOSITE, {"compositeResponse": came}, sent=asked, **more)


def described(name: str, *fields: str, children: Sequence[tuple[str, str]] = ()) -> tuple[str, int, Any]:
    lists = [{"relationshipName": many, "childSObject": one} for many, one in children]
    return (name, 200, {"fields": [{"name": field} for field in fields], "childRelationships": lists})


SMALL_ORG = [
    composite(
        None,
        described("Opportunity", "Id", "Name", "Amount", "AccountId",
                  children=[("OpportunityContactRoles", "OpportunityContactRole")]),
        described("OpportunityContactRole", "Id", "ContactId", "IsPrimary"),
        described("Account", "Id", "Name", children=[("Contacts", "Contact")]),
        described("Contact", "Id", "LastName", "Email"),
    ),
    Exchange("GET", f"{DATA}/connect/organization",
             {"orgId": ORG, "features": {"multiCurrency": False, "defaultCurrencyIsoCode": "EUR"}}),
]  # fmt: skip
"""What an org of four objects says of itself."""
NOBODY: dict[str, Any] = {"records": [], "done": True}
DEAL_QUERY = (
    "SELECT Id,Name,Amount,AccountId,(SELECT Id,ContactId,IsPrimary FROM OpportunityContactRoles) "
    f"FROM Opportunity WHERE Id = '{DEAL}'"
)
ACCOUNT_QUERY = (
    "SELECT Id,Name,(SELECT Id,LastName,Email FROM Contacts LIMIT 200) FROM Account WHERE Id IN "
    f"(SELECT AccountId FROM Opportunity WHERE Id = '{DEAL}')"
)
READING = [query("subject", DEAL_QUERY), query("account", ACCOUNT_QUERY)]


def known(**options: Any) -> SalesforceConnector:
    """A connector that knows its org."""
    made = connector(**options)
    first = Exchange("GET", f"{DATA}/query", NOBODY)
    with only(*SMALL_ORG, first):
        made.changes_since(None)
    return made


def test_deal_is_read_with_its_people_and_its_company_in_one_request():
    roles = {"records": [{"Id": "00K1", "ContactId": DANA, "IsPrimary": True}], "done": True}
    deal = {"Id": DEAL, "Name": "Line 3", "Amount": 12500.0, "AccountId": ACCOUNT, "OpportunityContactRoles": roles}
    people = {"records": [{"Id": DANA, "LastName": "Reyes", "Email": "dana@orbis.example"}], "done": True}
    company = {"Id": ACCOUNT, "Name": "Orbis Dairy", "Contacts": people}
    asked = known()

    with only(composite(READING, ("subject", 200, {"records": [deal], "done": True}),
                        ("account", 200, {"records": [company], "done": True}),
                        told={"Authorization": "Bearer token-1"})):  # fmt: skip
        context = asked.read_context(SUBJECT)

    assert (context.deal.name, context.deal.amount, context.deal.currency) == ("Line 3", Decimal("12500.0"), "EUR")
    assert (context.deal.primary_contact_id, [c.email for c in context.contacts]) == (DANA, ["dana@orbis.example"])
    assert context.company.name == "Orbis Dairy"


def test_deleted_deal_is_asked_for_once():
    asked = known()

    with only(composite(READING, ("subject", 200, NOBODY), ("account", 200, NOBODY))), pytest.raises(NotFound):
        asked.read_context(SUBJECT)


@pytest.mark.parametrize(("status", "body", "headers", "wait"), [
    (429, [], {"Retry-After": "120"}, 120),
    (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], {}, 900),
], ids=["busy", "quota"])  # fmt: skip
def test_long_limit_is_not_tried_against(status, body, headers, wait):
    asked = known()
    limit = Exchange("POST", COMPOSITE, body, status, headers=headers)

    with only(limit), pytest.raises(CrmUnavailable) as raised:
        asked.read_context(SUBJECT)

    assert raised.value.retry_after_s == pytest.approx(wait, abs=5)


def test_next_page_begins_where_the_last_ended():
    asked = known(page_size=1)
    row = {"Id": ACCOUNT, "Name": "Orbis Dairy", "SystemModstamp": "2026-11-20T08:00:00.000+0000"}
    start = "SELECT Id,Name,SystemModstamp,IsDeleted,MasterRecordId FROM Account"
    more = (
        f"{start} WHERE (SystemModstamp > 2026-11-20T08:00:00Z OR (SystemModstamp = 2026-11-20T08:00:00Z "
        f"AND Id > '{ACCOUNT}')) ORDER BY SystemModstamp, Id LIMIT 1"
    )

    with only(Exchange("GET", f"{DATA}/query", {"records": [row], "done": True},
                       query={"q": f"{start} ORDER BY SystemModstamp, Id LIMIT 1"})):  # fmt: skip
        page = asked.changes_since(None)
    with only(Exchange("GET", f"{DATA}/query", NOBODY, query={"q": more})):
        rest = asked.changes_since(None, cursor=page.cursor)

    assert [company["id"] for company in page.records["companies"]] == [ACCOUNT]
    assert rest.cursor.startswith("Contact;")


HISTORY = query(
    "changes",
    "SELECT StageName,Amount,CloseDate,CreatedDate,CreatedById FROM OpportunityHistory "
    f"WHERE OpportunityId = '{DEAL}' ORDER BY CreatedDate DESC LIMIT 50",
)
LOOK = [part("subject", "GET", f"Opportunity/{DEAL}?fields=OwnerId,AccountId,ContactId"), HISTORY]
OPEN = composite(LOOK, ("subject", 200, {"Id": DEAL, "OwnerId": REP}), ("changes", 200, NOBODY))
TASK = {
    "Subject": "Your quote Q-118", "Status": "Not Started", "Priority": "Normal", "ActivityDate": "2026-11-21",
    "Description": "Hello Dana,\nthe quote Q-118 is valid until 27 November.\nBest regards", "TaskSubtype": "Task",
    "WhatId": DEAL, "WhoId": DANA, "OwnerId": REP,
}  # fmt: skip
WRITING = [
    part("key", "POST", "AI_Draft__c", {"Key__c": MARKER, "About_Id__c": DEAL}),
    part("record", "POST", "Task", TASK),
    part("done", "PATCH", "AI_Draft__c/@{key.id}", {"Record_Id__c": "@{record.id}"}),
]
MADE = [("key", 201, {"id": "a01"}), ("record", 201, {"id": "00T7"}), ("done", 204, None)]
HALTED = {"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back"}
FOUND = Exchange(
    "GET", f"{DATA}/sobjects/AI_Draft__c/Key__c/crmplugin%3Adraft-1", {"Id": "a01", "Record_Id__c": "00T7"}
)
TWICE = composite(
    WRITING, ("key", 400, [{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found: Key__c"}]),
    ("record", 400, [HALTED]), ("done", 400, [HALTED]), whole=True,
)  # fmt: skip


def test_write_back_is_one_task_with_its_key_and_the_same_key_finds_it():
    asked = connector()
    with only(OPEN, composite(WRITING, *MADE, whole=True)):
        written = asked.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)
    with only(FOUND):
        found = asked.find_written(MARKER, draft=draft_for(SUBJECT))
    with only(OPEN, TWICE, FOUND):
        again = asked.write_back(draft_for(SUBJECT), marker=MARKER, at=AT)

    assert written == found == again == "00T7"


def test_write_that_may_have_been_taken_is_sent_again_because_the_key_refuses_it():
    with only(OPEN, composite(WRITING, whole=True, status=500), TWICE, FOUND):
        assert connector().write_back(draft_for(SUBJECT), marker=MARKER, at=AT) == "00T7"


def test_change_by_a_rep_since_the_draft_is_a_conflict_and_nothing_is_sent():
    rows = [
        {"StageName": "Closed Lost", "Amount": 1.0, "CreatedDate": "2026-11-21T09:31:00.000+0000", "CreatedById": REP},
        {"StageName": "Proposal", "Amount": 1.0, "CreatedDate": "2026-11-01T08:00:00.000+0000", "CreatedById": REP},
    ]
    moved = composite(LOOK, ("subject", 200, {"Id": DEAL}), ("changes", 200, {"records": rows, "done": True}))

    with only(moved), pytest.raises(CrmRefused, match="the stage of deal"):
        connector().write_back(draft_for(SUBJECT), marker=MARKER, at=AT)


def test_validation_rule_is_told_in_its_own_words_and_not_tried_again():
    rule = {"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Tasks need a reason", "fields": ["Reason__c"]}
    refused = composite(WRITING, ("key", 400, [HALTED]), ("record", 400, [rule]), ("done", 400, [HALTED]), whole=True)

    with only(OPEN, refused), pytest.raises(CrmRefused, match=r"Tasks need a reason \(Reason__c\)"):
        connector().write_back(draft_for(SUBJECT), marker=MARKER, at=AT)


ENDED = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]


def test_ended_session_is_renewed_once_and_the_call_made_again():
    rows = {"records": [{"RecordId": DEAL, "HasReadAccess": True}], "done": True}
    address = f"{DATA}/query"
    exchanges = [
        Exchange("GET", address, ENDED, 401, told={"Authorization": "Bearer token-1"}),
        Exchange("POST", TOKENS, {"access_token": "token-2", "token_type": "Bearer"}),
        Exchange("GET", address, rows, told={"Authorization": "Bearer token-2"}),
    ]

    with only(*exchanges):
        assert connector().may_see(REP, SUBJECT) is True


def test_session_that_is_ended_again_at_once_is_told():
    exchanges = [
        Exchange("GET", f"{DATA}/query", ENDED, 401, told={"Authorization": "Bearer token-1"}),
        Exchange("POST", TOKENS, {"access_token": "token-2", "token_type": "Bearer"}),
        Exchange("GET", f"{DATA}/query", ENDED, 401, told={"Authorization": "Bearer token-2"}),
    ]

    with only(*exchanges), pytest.raises(CrmRefused, match="Session expired"):
        connector().may_see(REP, SUBJECT)


def form_of(call: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.request.body).items()}


def signed_in_with(*answers: tuple[int, Any], **options: Any) -> list[dict[str, str]]:
    """What the token endpoint was sent, when it answered like this; Salesforce itself says yes to the rest."""
    rows = {"records": [{"RecordId": DEAL, "HasReadAccess": True}], "done": True}
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        for status, answer in answers:
            mock.add("POST", TOKENS, json=answer, status=status)
        if answers[-1][0] == 200:
            mock.add("GET", f"{DATA}/query", json=rows)
        try:
            assert connector(signed_in=False, **options).may_see(REP, SUBJECT) is True
        finally:
            sent = [form_of(call) for call in mock.calls if call.request.url == TOKENS]
    return sent


def test_client_credentials_are_what_salesforce_wants():
    [sent] = signed_in_with((200, {"access_token": "t", "token_type": "Bearer"}))

    assert sent == {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(("given", "audience"), [
    (None, "https://login.salesforce.com"), ("https://test.salesforce.com", "https://test.salesforce.com"),
])  # fmt: skip
def test_certificate_signs_an_assertion_for_the_user_that_ends_in_minutes(key, given, audience):
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    text = pem if given else pem.replace("\n", "\\n")
    options = {"client_secret": None, "private_key": text, "username": "bot@acme.example", "audience": given}

    [sent] = signed_in_with((200, {"access_token": "t", "token_type": "Bearer"}), **options)

    claims = jwt.decode(sent["assertion"], key.public_key(), algorithms=["RS256"], audience=audience,
                        options={"verify_exp": False})  # fmt: skip
    assert sent["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert (claims["iss"], claims["sub"]) == (CLIENT, "bot@acme.example")
    assert claims["exp"] == 1795253580  # 2026-11-21 09:33 UTC
    assert sorted(sent) == ["assertion", "grant_type"]


def test_user_who_is_not_pre_authorised_is_told_and_the_key_is_not(key):
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    refusal = {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}

    with pytest.raises(CrmRefused, match="user hasn't approved this consumer") as raised:
        signed_in_with((400, refusal), client_secret=None, private_key=pem, username="bot@acme.example")

    assert "PRIVATE KEY" not in str(raised.value)


def test_webhooks_are_judged_and_read_without_asking_anybody():
    delivery, asked = Case().deliver(), connector()

    with only():
        asked.verify_webhook(delivery.headers, delivery.body, url=delivery.url, now=delivery.at)
        asked.verify_webhook({}, message(WORKED), url=f"{URL}/{TOKEN}", now=AT)
        first, second = (asked.read_events(delivery.body, received_at=delivery.at) for _ in range(2))
        with pytest.raises(NotGenuine):
            asked.verify_webhook(delivery.headers, delivery.body + b" ", url=delivery.url, now=delivery.at)

    assert [event.id for event in first.events] == [event.id for event in second.events]
