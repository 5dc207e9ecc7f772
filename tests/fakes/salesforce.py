"""A Salesforce with state: objects and descriptions, SOQL, composites that are all or none, unique keys, a quota."""

from __future__ import annotations

import copy
import itertools
import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from connectors.salesforce.mapping import COLLECTIONS, Org, selected
from tests.fakes.server import FakeServer, Request
from tests.fakes.soql import Refusal, Row, Soql

ORG = "00DA0000000XyZaMAK"
CLIENT, SECRET = "3MVG9example-consumer-key", "example-consumer-secret-0123456789"
REP, ROBOT = "005A0000000RepOIAS", "005A0000000BotXIAS"
ROOT = "/services/data/v68.0"
STAMP = "2026-11-20T08:00:00.000+0000"
PREFIX = {"Opportunity": "006", "Account": "001", "Contact": "003", "Lead": "00Q", "Task": "00T", "Event": "00U",
          "EmailMessage": "02s", "Case": "500", "Order": "801", "Quote": "0Q0", "Campaign": "701", "AI_Draft__c": "a01",
          "ContentNote": "069", "ContentDocumentLink": "06A", "CampaignMember": "00v"}  # fmt: skip
NOTES = {"AttachedContentNotes": ("AttachedContentNote", "LinkedEntityId"), "Notes": ("Note", "ParentId")}
LINKS = {
    "Opportunity": {**NOTES, "OpportunityLineItems": ("OpportunityLineItem", "OpportunityId"),
                    "OpportunityContactRoles": ("OpportunityContactRole", "OpportunityId"),
                    "OpportunityHistories": ("OpportunityHistory", "OpportunityId"),
                    "Tasks": ("Task", "WhatId"), "Events": ("Event", "WhatId"), "Quotes": ("Quote", "OpportunityId")},
    "Case": {**NOTES},
    "Account": {**NOTES, "Contacts": ("Contact", "AccountId"), "Opportunities": ("Opportunity", "AccountId"),
                "Orders": ("Order", "AccountId"), "Cases": ("Case", "AccountId"),
                "Contracts": ("Contract", "AccountId")},
    "Contact": {**NOTES, "Tasks": ("Task", "WhoId"), "Events": ("Event", "WhoId")},
    "Lead": {**NOTES, "Tasks": ("Task", "WhoId"), "Events": ("Event", "WhoId")},
    "Order": {"OrderItems": ("OrderItem", "OrderId")},
    "Quote": {"QuoteLineItems": ("QuoteLineItem", "QuoteId")},
    "ContactPointEmail": {"ContactPointConsents": ("ContactPointConsent", "ContactPointId")},
}  # fmt: skip
CONSENTS = ("Individual", "ContactPointTypeConsent", "ContactPointEmail", "ContactPointConsent",
            "CommSubscriptionConsent")  # fmt: skip
TERM = ("PrivacyConsentStatus", "EffectiveFrom", "EffectiveTo")
ALSO = {
    "CampaignMember": ("CampaignId", "ContactId", "LeadId", "Status"),
    "ListView": ("SobjectType",), "UserRecordAccess": ("UserId", "RecordId", "HasReadAccess"),
    "EmailMessageRelation": ("EmailMessageId", "RelationId"), "OpportunityStage": ("ApiName", "IsClosed", "IsActive"),
    "OpportunityContactRole": ("OpportunityId", "ContactId", "Role", "IsPrimary"),
    "OrderItem": ("OrderId", "Product2Id", "Quantity", "UnitPrice", "Product2"), "OpportunityHistory": ("CreatedById",),
    "QuoteLineItem": ("QuoteId", "Product2Id", "Quantity", "UnitPrice", "Discount"),
    "AI_Draft__c": ("Key__c", "About_Id__c", "Record_Id__c", "Subject__c", "Body__c"),
    "ContentNote": ("Title", "Content"), "ContentDocumentLink": ("ContentDocumentId", "LinkedEntityId", "ShareType"),
    "Individual": ("HasOptedOutSolicit", "HasOptedOutProcessing", "ShouldForget"),
    "ContactPointTypeConsent": ("PartyId", "ContactPointType", *TERM),
    "ContactPointEmail": ("ParentId", "EmailAddress"),
    "ContactPointConsent": ("ContactPointId", *TERM), "CommSubscriptionConsent": ("ConsentGiverId", *TERM),
    "Task": ("Priority",), "Campaign": ("Name", "Status", "IsActive", "Description"),
}  # fmt: skip
RELATIONS = {"Owner": ("OwnerId", "User"), "Product2": ("Product2Id", "Product2")}
ALWAYS = ("Id", "SystemModstamp", "CreatedDate", "IsDeleted", "MasterRecordId")
UNIQUE = {"AI_Draft__c": "Key__c"}


class FakeSalesforce(FakeServer):
    """One org. `hidden`: (object, field) our user may not see; `absent`: objects; `rules`: object -> its refusal."""

    ROUTES = (
        ("POST", "/services/oauth2/token", "token"),
        ("GET", "/services/data/", "versions"),
        ("POST", ROOT + "/composite", "composite"),
        ("POST", ROOT + r"/composite/sobjects", "create_many"),
        ("PATCH", ROOT + r"/composite/sobjects/(\w+)/(\w+)", "upsert_many"),
        ("GET", ROOT + r"/(query|queryAll)/?", "query"),
        ("GET", ROOT + r"/query/(01g\w+)", "more"),
        ("GET", ROOT + r"/limits", "limits"),
        ("GET", ROOT + r"/connect/organization", "organization"),
        ("GET", ROOT + r"/analytics/reports/(\w+)", "report"),
        ("GET", ROOT + r"/sobjects/(\w+)/listviews/(\w+)/results", "view"),
        ("GET", ROOT + r"/sobjects/(\w+)/describe", "describe"),
        ("GET", ROOT + r"/sobjects/(\w+)/(\w+)/([^/]+)", "read_by_key"),
        ("GET", ROOT + r"/sobjects/(\w+)/(\w+)", "read"),
        ("POST", ROOT + r"/sobjects/(\w+)", "create"),
        ("PATCH", ROOT + r"/sobjects/(\w+)/(\w+)", "update"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, dict[str, Row]] = defaultdict(dict)
        self.views: dict[str, list[str]] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.hidden: set[tuple[str, str]] = set()
        self.absent: set[str] = {"Quote", "QuoteLineItem", *CONSENTS}
        self.currency: str | None = "EUR"
        self.multi_currency = False
        self.remaining = 90_000
        self.sign_in_problem = ""
        self.unasked: set[str] = set()
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.page = 2000
        self.tokens: set[str] = set()
        self._ids, self._pages = itertools.count(7001), {}  # type: ignore[var-annotated]
        self._soql = Soql(self)

    # What tests set up and count.

    @property
    def deals(self) -> dict[str, Row]:
        return {id_: row for id_, row in self.things["Opportunity"].items() if not row.get("IsDeleted")}

    def put(self, kind: str, id_: str, **values: Any) -> str:
        base = {"CreatedDate": STAMP, "SystemModstamp": STAMP, "LastModifiedDate": STAMP, "IsDeleted": False}
        self.things[kind][id_] = {"Id": id_, **base, **values}
        return id_

    def touch(self, kind: str, id_: str, at: str, **values: Any) -> None:
        self.things[kind][id_] |= {"SystemModstamp": at, "LastModifiedDate": at, "LastModifiedById": REP} | values

    def move(self, id_: str, stage: str, at: str, **values: Any) -> None:
        """A rep moves a deal: its history says so."""
        self.touch("Opportunity", id_, at, StageName=stage, LastStageChangeDate=at, **values)
        deal = self.things["Opportunity"][id_]
        self.put("OpportunityHistory", f"008A{next(self._ids):011}AAA", OpportunityId=id_, StageName=stage,
                 Amount=deal.get("Amount"), CloseDate=deal.get("CloseDate"), CreatedDate=at, SystemModstamp=at,
                 CreatedById=REP)  # fmt: skip

    def written(self, *kinds: str) -> int:
        made = kinds or ("Task", "EmailMessage", "ContentNote")
        return sum(len(self.things[kind]) for kind in made)

    def forget_tokens(self) -> None:
        """All tokens are over, as after an admin ended the sessions."""
        self.tokens.clear()

    # What SOQL asks of it.

    def rows(self, kind: str, deleted_too: bool) -> list[Row]:
        if kind in self.absent or kind not in {*COLLECTIONS, *ALSO}:
            raise Refusal("INVALID_TYPE", f"sObject type '{kind}' is not supported.")
        return [row for row in self.things[kind].values() if deleted_too or not row.get("IsDeleted")]

    def known(self, kind: str) -> set[str]:
        standard = selected(kind, Org()) if kind in COLLECTIONS else ("Id",)
        names = {path.partition(".")[0] for path in standard} | set(ALSO.get(kind, ())) | set(ALWAYS)
        names |= {key for row in self.things[kind].values() for key in row if key.endswith("__c")}
        names -= set() if self.multi_currency else {"CurrencyIsoCode"}
        names -= {"IndividualId"} if "Individual" in self.absent else set()
        return names - {field for of, field in self.hidden if of == kind}

    def children(self, kind: str) -> dict[str, tuple[str, str]]:
        return {name: to for name, to in LINKS.get(kind, {}).items() if to[0] not in self.absent}

    def related(self, kind: str, relation: str, row: Row) -> Row | None:
        field, of = RELATIONS.get(relation, (relation + "Id", relation))
        return self.things[of].get(str(row.get(field)))

    def page_of(self, rows: list[Row]) -> Any:
        return self._paged(rows)

    # Routes.

    def refuses(self, request: Request) -> tuple[int, Any] | None:
        token = {k.lower(): v for k, v in request.headers.items()}.get("authorization", "").removeprefix("Bearer ")
        if request.path in ("/services/oauth2/token", "/services/data/") or token in self.tokens:
            return None
        return 401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]

    def token(self, request: Request) -> tuple[int, Any]:
        form = parse_qs(request.raw.decode())
        if self.sign_in_problem or form.get("client_secret") != [SECRET]:
            return 400, {
                "error": "invalid_grant",
                "error_description": self.sign_in_problem or "invalid client credentials",
            }
        token = f"00DA!token{next(self._ids)}"
        self.tokens.add(token)
        return 200, {"access_token": token, "instance_url": self.url, "token_type": "Bearer", "issued_at": "1795300000"}

    def versions(self, request: Request) -> tuple[int, Any]:
        return 200, [{"label": "Winter", "url": f"/services/data/v{one}", "version": one} for one in ("67.0", "68.0")]

    def composite(self, request: Request) -> tuple[int, Any]:
        parts = request.body["compositeRequest"]
        questions = [one for one in parts if one["method"] == "GET" and "/query" in one["url"]]
        if len(parts) > 25 or len(questions) > 5:
            return 400, [{"errorCode": "LIMIT_EXCEEDED", "message": "too many subrequests"}]
        before, answers = copy.deepcopy(dict(self.things)), list[dict[str, Any]]()
        for part in parts:
            status, body = self._part(part, {one["referenceId"]: one for one in answers})
            answers.append(
                {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": part["referenceId"]}
            )
            if status >= 400 and request.body.get("allOrNone"):
                self.things = defaultdict(dict, before)
                return 200, {"compositeResponse": _halted(parts, answers[-1])}
        return 200, {"compositeResponse": answers}

    def _part(self, part: dict[str, Any], done: dict[str, Any]) -> tuple[int, Any]:
        url, body = _filled(part["url"], done), _filled(part.get("body"), done)
        parts = urlsplit(url)
        inner = Request(part["method"], unquote(parts.path), parse_qs(parts.query), {}, body)
        for method, pattern, name in self.ROUTES:
            found = re.fullmatch(pattern, inner.path)
            if found and method == inner.method:
                status, document = getattr(self, name)(inner, *found.groups())
                return status, document
        raise AssertionError(f"no such part in this fake: {part['method']} {url}")

    def query(self, request: Request, how: str) -> tuple[int, Any]:
        try:
            rows = self._soql.run(request.one("q"), deleted_too=how == "queryAll")
        except Refusal as refusal:
            return 400, [{"message": refusal.message, "errorCode": refusal.code}]
        return 200, self._paged(rows)

    def _paged(self, rows: list[Row]) -> dict[str, Any]:
        page: dict[str, Any] = {"totalSize": len(rows), "done": len(rows) <= self.page, "records": rows[: self.page]}
        if len(rows) > self.page:
            name = f"01gA{next(self._ids):011}AAA"
            self._pages[name] = rows[self.page :]
            page["nextRecordsUrl"] = f"{ROOT}/query/{name}"
        return page

    def more(self, request: Request, name: str) -> tuple[int, Any]:
        return 200, self._paged(self._pages.pop(name))

    def limits(self, request: Request) -> tuple[int, Any]:
        return 200, {"DailyApiRequests": {"Max": 100_000, "Remaining": self.remaining}}

    def organization(self, request: Request) -> tuple[int, Any]:
        features = {"multiCurrency": self.multi_currency, "defaultCurrencyIsoCode": self.currency}
        return 200, {"orgId": ORG, "name": "Halden Controls", "features": features}

    def report(self, request: Request, id_: str) -> tuple[int, Any]:
        if id_ not in self.reports or request.one("includeDetails") != "true":
            return 404, [{"errorCode": "NOT_FOUND", "message": "The data you’re trying to access is unavailable."}]
        return 200, self.reports[id_]

    def describe(self, request: Request, kind: str) -> tuple[int, Any]:
        if kind in self.absent or kind not in {*COLLECTIONS, *ALSO}:
            return 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
        fields = [{"name": name, "unique": UNIQUE.get(kind) == name} for name in sorted(self.known(kind))]
        children = [{"childSObject": to[0], "relationshipName": name} for name, to in self.children(kind).items()]
        return 200, {"name": kind, "createable": True, "fields": fields, "childRelationships": children}

    def read(self, request: Request, kind: str, id_: str) -> tuple[int, Any]:
        row = self.things[kind].get(id_)
        if row is None or row.get("IsDeleted") or kind in self.absent:
            return 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
        wanted = request.one("fields").split(",") if request.one("fields") else list(row)
        return 200, {"attributes": {"type": kind}, "Id": row["Id"], **{name: row.get(name) for name in wanted}}

    def read_by_key(self, request: Request, kind: str, field: str, key: str) -> tuple[int, Any]:
        row = next((one for one in self.things[kind].values() if one.get(field) == unquote(key)), None)
        return self.read(request, kind, row["Id"] if row else "none")

    def create(self, request: Request, kind: str) -> tuple[int, Any]:
        if kind in self.absent:
            return 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
        if kind in self.rules:
            return 400, self.rules[kind]
        strange = sorted(set(request.body) - self.known(kind))
        if strange:
            message = f"No such column '{strange[0]}' on sobject of type {kind}"
            return 400, [{"errorCode": "INVALID_FIELD", "message": message, "fields": []}]
        if kind == "CampaignMember" or kind in UNIQUE:
            keys = ("CampaignId", "ContactId", "LeadId") if kind == "CampaignMember" else (UNIQUE[kind],)
            if any(all(one.get(k) == request.body.get(k) for k in keys) for one in self.things[kind].values()):
                return 400, [{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": []}]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        id_ = f"{PREFIX[kind]}A{next(self._ids):011}AAA"
        self.put(kind, id_, CreatedDate=now, SystemModstamp=now, CreatedById=ROBOT, **request.body)
        return 201, {"id": id_, "success": True, "errors": []}

    def update(self, request: Request, kind: str, id_: str) -> tuple[int, Any]:
        if id_ not in self.things[kind]:
            return 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
        if kind in self.rules:
            return 400, self.rules[kind]
        self.things[kind][id_] |= request.body
        return 204, None

    def create_many(self, request: Request) -> tuple[int, Any]:
        return 200, [self._saved(record, self.create) for record in request.body["records"]]

    def upsert_many(self, request: Request, kind: str, field: str) -> tuple[int, Any]:
        def save(one: Request, of: str) -> tuple[int, Any]:
            known = next((r for r in self.things[of].values() if r.get(field) == one.body[field]), None)
            if known is None:
                return self.create(one, of)
            known |= one.body
            return 200, {"id": known["Id"], "success": True, "errors": []}

        return 200, [self._saved(record, save) for record in request.body["records"]]

    def _saved(self, record: dict[str, Any], save: Any) -> dict[str, Any]:
        values = {key: value for key, value in record.items() if key != "attributes"}
        status, answer = save(Request("POST", "", {}, {}, values), record["attributes"]["type"])
        if status < 400:
            return dict(answer)
        errors = [{"statusCode": one["errorCode"], "message": one["message"], "fields": []} for one in answer]
        return {"success": False, "errors": errors}

    def view(self, request: Request, kind: str, id_: str) -> tuple[int, Any]:
        start, size = int(request.one("offset", "0")), int(request.one("limit", "25"))
        ids = self.views[id_][start : start + size]
        rows = [{"columns": [{"fieldNameOrPath": "Name", "value": "x"}, {"fieldNameOrPath": "Id", "value": one}]}
                for one in ids]  # fmt: skip
        return 200, {"done": start + size >= len(self.views[id_]), "size": len(ids), "records": rows}


def _filled(value: Any, done: dict[str, Any]) -> Any:
    """References to earlier parts, `@{record.id}`."""
    if isinstance(value, dict):
        return {key: _filled(one, done) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    return re.sub(r"@\{(\w+)\.(\w+)\}", lambda found: str(done[found[1]]["body"][found[2]]), value)


def _halted(parts: list[dict[str, Any]], failed: dict[str, Any]) -> list[dict[str, Any]]:
    """All or none: who did not fail says that the whole was stopped."""
    stopped = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back since another failed."}]
    return [
        failed if part["referenceId"] == failed["referenceId"]
        else {"body": stopped, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": part["referenceId"]}
        for part in parts
    ]  # fmt: skip


ACCOUNT, DANA, DEAL, GONE = "001A000000OrbisIAA", "003A0000000DanaIAA", "006A0000001OppQIAW", "006A0000001GoneIAA"
WON_1, WON_2 = "006A0000001Won1IAA", "006A0000001Won2IAA"


def with_orbis(fake: FakeSalesforce) -> FakeSalesforce:
    """Orbis Dairy with Dana, an open deal, and two won ones with products behind it."""
    fake.put("User", REP, Name="Jonas Brandt", Email="rep@seller.example", Title="Account executive", IsActive=True,
             TimeZoneSidKey="Europe/Berlin", LanguageLocaleKey="de")  # fmt: skip
    fake.put("Account", ACCOUNT, Name="Orbis Dairy", Website="https://www.orbis.example/", Industry="Food",
             NumberOfEmployees=240, OwnerId=REP, BillingStreet="1 Quay", BillingCity="Leeds",
             BillingCountry="United Kingdom")  # fmt: skip
    fake.put("Contact", DANA, FirstName="Dana", LastName="Reyes", Email="dana@orbis.example", AccountId=ACCOUNT,
             Title="Plant manager", HasOptedOutOfEmail=False, DoNotCall=False)  # fmt: skip
    fake.put("Opportunity", DEAL, Name="Line 3 controls", Amount=12500.0, StageName="Proposal/Price Quote",
             IsClosed=False, IsWon=False, CloseDate="2026-12-15", Probability=40, AccountId=ACCOUNT, OwnerId=REP,
             CreatedDate="2026-10-01T08:00:00.000+0000", Rivals__c="Rival A;Rival B")  # fmt: skip
    fake.put("OpportunityContactRole", "00KA000000Role1IAA", OpportunityId=DEAL, ContactId=DANA, IsPrimary=True)
    for n, (stage, at) in enumerate((("Prospecting", "2026-10-01"), ("Proposal/Price Quote", "2026-11-02"))):
        fake.put("OpportunityHistory", f"008A0000000000{n}IAA", OpportunityId=DEAL, StageName=stage, Amount=12500.0,
                 CloseDate="2026-12-15", CreatedDate=f"{at}T08:00:00.000+0000")  # fmt: skip
    for n, (id_, day) in enumerate(((WON_1, "2025-11-03"), (WON_2, "2026-05-04"))):
        fake.put("Opportunity", id_, Name=f"Order {n + 1}", Amount=4000.0, StageName="Closed Won", IsClosed=True,
                 IsWon=True, CloseDate=day, AccountId=ACCOUNT, OwnerId=REP)  # fmt: skip
        fake.put("OpportunityLineItem", f"00kA0000000Lin{n}IAA", OpportunityId=id_, Product2Id="01tA000000FilteIAA",
                 Quantity=10.0, UnitPrice=400.0)  # fmt: skip
    fake.put("OpportunityLineItem", "00kA0000000Lin9IAA", OpportunityId=DEAL, Product2Id="01tA000000ContrIAA",
             Quantity=5.0, UnitPrice=2500.0, Discount=10.0)  # fmt: skip
    fake.put("Product2", "01tA000000FilteIAA", Name="Filter F-20", ProductCode="F-20", Family="Filters", IsActive=True)
    fake.put("Product2", "01tA000000ContrIAA", Name="Controller C-7", ProductCode="C-7", IsActive=True)
    fake.put("Event", "00UA000000VisitIAA", Subject="Visit", StartDateTime="2026-11-10T09:00:00.000+0000", WhatId=DEAL,
             EndDateTime="2026-11-10T10:00:00.000+0000", WhoId=DANA, AccountId=ACCOUNT, OwnerId=REP)  # fmt: skip
    fake.put("EmailMessage", "02sA0000000MailIAA", Subject="Delivery time?", Incoming=True, Status="0",
             TextBody="What is the delivery time of the C-7?", FromAddress="Dana@orbis.example", RelatedToId=DEAL,
             ToAddress="rep@seller.example", MessageDate="2026-11-18T10:00:00.000+0000",
             ActivityId="00TA000000LoggeIAA")  # fmt: skip
    fake.put("Task", "00TA000000LoggeIAA", Subject="Email: Delivery time?", TaskSubtype="Email", IsClosed=True,
             WhatId=DEAL, AccountId=ACCOUNT, OwnerId=REP)  # fmt: skip
    fake.put("Task", "00TA0000000CallIAA", Subject="Call", TaskSubtype="Call", CallType="Outbound", IsClosed=True,
             Description="Budget agreed", CompletedDateTime="2026-11-12T09:00:00.000+0000", WhatId=DEAL, WhoId=DANA,
             AccountId=ACCOUNT, OwnerId=REP)  # fmt: skip
    for name, closed in (("Prospecting", False), ("Proposal/Price Quote", False), ("Closed Won", True)):
        fake.put("OpportunityStage", f"01J{name[:5]}", ApiName=name, IsClosed=closed, IsActive=True)
    fake.put("UserRecordAccess", "access-1", UserId=REP, RecordId=DEAL, HasReadAccess=True)
    return fake
