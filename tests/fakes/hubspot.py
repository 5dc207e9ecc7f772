"""A HubSpot with state: objects, ties, history, lists, consent, unique properties; token and rate limits included."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.fakes.server import FakeServer, Request

OBJECTS = r"/crm/objects/2026-09/([a-z_]+)"
TOKEN = "pat-eu1-token-of-the-tests"
PORTAL = "62515"
STAMP = "2026-11-20T08:00:00.000Z"
PIPELINES = [
    {
        "id": "default",
        "label": "Sales",
        "stages": [
            {"id": "qualifiedtobuy", "label": "Qualified", "metadata": {"isClosed": "false", "probability": "0.2"}},
            {"id": "presentationscheduled", "label": "Proposal", "metadata": {"isClosed": "false"}},
            {"id": "998877", "label": "Haggling", "metadata": {"isClosed": "false", "probability": "0.7"}},
            {"id": "closedwon", "label": "Won", "metadata": {"isClosed": "true", "probability": "1.0"}},
            {"id": "closedlost", "label": "Lost", "metadata": {"isClosed": "true", "probability": "0.0"}},
        ],
    }
]


class FakeHubSpot(FakeServer):
    """Reads only the properties asked for, as HubSpot does, and answers 403 for kinds whose scope is taken away."""

    ROUTES = (
        ("POST", OBJECTS + r"/batch/read", "read_many"),
        ("POST", OBJECTS + r"/batch/upsert", "upsert"),
        ("POST", OBJECTS + r"/search", "search"),
        ("GET", OBJECTS + r"/([^/]+)", "read"),
        ("PATCH", OBJECTS + r"/([^/]+)", "update"),
        ("GET", OBJECTS, "list_all"),
        ("POST", OBJECTS, "create"),
        ("PUT", r"/crm/objects/2026-09/(\w+)/(\w+)/associations/default/(\w+)/(\w+)", "associate"),
        ("POST", r"/crm/associations/2026-09/(\w+)/(\w+)/batch/read", "associated"),
        ("GET", r"/crm/owners/2026-09", "owners"),
        ("GET", r"/crm/pipelines/2026-09/(\w+)", "pipelines"),
        ("GET", r"/crm/properties/2026-09/(\w+)", "properties"),
        ("GET", r"/crm/lists/2026-09/(\d+)/memberships", "members"),
        ("POST", r"/communication-preferences/2026-09/statuses/batch/unsubscribe-all/read", "consent"),
        ("POST", r"/communication-preferences/2026-09/statuses/batch/read", "subscriptions"),
        ("GET", r"/communication-preferences/2026-09/definitions", "types"),
        ("GET", r"/marketing/emails/2026-09", "mails"),
        ("POST", r"/marketing/emails/2026-09", "create_mail"),
        ("POST", r"/oauth/2026-09/token", "token"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.ties: set[tuple[str, str, str, str]] = set()
        self.unsubscribed: set[str] = set()
        self.unsubscribed_from: set[tuple[str, int]] = set()
        """Addresses and the number of the type of mail."""
        self.lists: dict[str, list[str]] = {}
        self.marketing: list[dict[str, Any]] = []
        self.without_scope: set[str] = set()
        self.unique: str | None = None
        self.tokens = {TOKEN}
        self.page = 100
        self._ids = itertools.count(70_001)

    @property
    def deals(self) -> dict[str, dict[str, Any]]:
        return {id_: thing for id_, thing in self.things["deals"].items() if not thing["archived"]}

    def put(self, kind: str, id_: str, **properties: Any) -> str:
        """A record as if a user had made it."""
        made = properties.get("createdate", STAMP)
        values = {key: None if value is None else str(value) for key, value in properties.items()}
        history = {key: [{"value": value, "timestamp": made}] for key, value in values.items() if value is not None}
        kept = {"properties": values, "history": history, "archived": False, "made": made, "changed": max(made, STAMP)}
        self.things[kind][id_] = kept
        return id_

    def tie(self, kind: str, id_: str, to: str, *others: str) -> None:
        for other in others:
            self.ties |= {(kind, id_, to, other), (to, other, kind, id_)}

    def move(self, deal: str, stage: str, at: str) -> None:
        """A user moves a deal."""
        self.change("deals", deal, at, dealstage=stage)

    def change(
        self, kind: str, id_: str, at: str, *, source: str = "CRM_UI", by: str = "userId:777", **values: str
    ) -> None:
        """Somebody changes properties; HubSpot remembers who and when."""
        thing = self.things[kind][id_]
        thing["properties"] |= values
        thing["changed"] = at
        for name, value in values.items():
            entry = {"value": value, "timestamp": at, "sourceType": source, "sourceId": by}
            thing["history"].setdefault(name, []).insert(0, entry)

    def archive(self, kind: str, id_: str, at: str = "2026-11-21T08:00:00.000Z") -> None:
        self.things[kind][id_] |= {"archived": True, "changed": at}

    def written(self, *kinds: str) -> int:
        return sum(len(self.things[kind]) for kind in kinds or ("notes", "tasks", "emails"))

    def refuses(self, request: Request) -> tuple[int, Any] | None:
        if request.path.startswith("/oauth/"):
            return None
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, _error("EXPIRED_AUTHENTICATION", "The access token is expired or invalid")
        kind = request.path.split("/")[4] if request.path.startswith("/crm/objects/") else ""
        if kind in self.without_scope:
            return 403, _error("MISSING_SCOPES", f"This app hasn't been granted all required scopes for {kind}")
        return None

    def read(self, request: Request, kind: str, id_: str) -> tuple[int, Any]:
        by = request.one("idProperty")
        if by:
            id_ = next((i for i, t in self.things[kind].items() if t["properties"].get(by) == id_), "none")
        thing = self.things[kind].get(id_)
        if thing is None or thing["archived"]:
            return 404, _error("OBJECT_NOT_FOUND", f"Object not found. objectId: {id_}")
        shown = self._shown(
            kind, id_, request.query.get("properties", []), request.query.get("propertiesWithHistory", [])
        )
        return 200, shown | self._ties(kind, id_, request.query.get("associations", []))

    def read_many(self, request: Request, kind: str) -> tuple[int, Any]:
        body, found, errors = request.body, [], []
        if len(body["inputs"]) > (50 if body["propertiesWithHistory"] else 100):
            return 400, _error(
                "VALIDATION_ERROR", "The maximum number of inputs supported in a batch request was exceeded"
            )
        for entry in body["inputs"]:
            thing = self.things[kind].get(entry["id"])
            if thing is None or thing["archived"]:
                errors.append({"status": "error", "category": "OBJECT_NOT_FOUND", "message": "gone"})
            else:
                found.append(self._shown(kind, entry["id"], body["properties"], body["propertiesWithHistory"]))
        answer = {"status": "COMPLETE", "results": found, "startedAt": STAMP, "completedAt": STAMP}
        return (207, answer | {"numErrors": len(errors), "errors": errors}) if errors else (200, answer)

    def search(self, request: Request, kind: str) -> tuple[int, Any]:
        body = request.body
        filters = body["filterGroups"][0]["filters"]
        ids = [id_ for id_, thing in self.things[kind].items() if not thing["archived"]]
        ids = [id_ for id_ in ids if all(self._fits(kind, id_, one) for one in filters)]
        ids.sort(key=lambda id_: (self.things[kind][id_]["changed"], id_))
        start, size = int(body["after"]), min(body["limit"], self.page)
        shown = [self._shown(kind, id_, body["properties"], ()) for id_ in ids[start : start + size]]
        return 200, {"total": len(ids), "results": shown, **_next(start + size, len(ids))}

    def _fits(self, kind: str, id_: str, one: dict[str, str]) -> bool:
        if one["propertyName"] == "associations.company":
            return (kind, id_, "companies", one["value"]) in self.ties
        changed = self.things[kind][id_]["changed"]
        return _ms(changed) >= int(one["value"])

    def list_all(self, request: Request, kind: str) -> tuple[int, Any]:
        archived = request.one("archived") == "true"
        ids = sorted(id_ for id_, thing in self.things[kind].items() if thing["archived"] == archived)
        start, size = int(request.one("after", "0")), min(int(request.one("limit", "10")), self.page)
        names, ties = request.query.get("properties", []), request.query.get("associations", [])
        past = request.query.get("propertiesWithHistory", [])
        if past and size > 50:
            return 400, _error("VALIDATION_ERROR", "Cannot request more than 50 objects with history")
        shown = [self._shown(kind, id_, names, past) | self._ties(kind, id_, ties) for id_ in ids[start : start + size]]
        return 200, {"results": shown, **_next(start + size, len(ids))}

    def create(self, request: Request, kind: str) -> tuple[int, Any]:
        bad = _validation(request.body["properties"])
        if bad:
            return 400, bad
        id_ = self.put(kind, str(next(self._ids)), **request.body["properties"])
        names = {202: "contacts", 204: "contacts", 198: "contacts", 190: "companies", 192: "companies"}
        names |= {186: "companies", 214: "deals", 216: "deals", 210: "deals", 228: "tickets"}
        for tie in request.body["associations"]:
            self.tie(kind, id_, names[tie["types"][0]["associationTypeId"]], tie["to"]["id"])
        return 201, self._shown(kind, id_, request.body["properties"], ())

    def upsert(self, request: Request, kind: str) -> tuple[int, Any]:
        entry = request.body["inputs"][0]
        if entry["idProperty"] != self.unique:
            return 400, _error("VALIDATION_ERROR", f"Property {entry['idProperty']} is not a unique property")
        old = [i for i, t in self.things[kind].items() if t["properties"].get(self.unique) == entry["id"]]
        id_ = old[0] if old else str(next(self._ids))
        self.put(kind, id_, **entry["properties"])
        result = self._shown(kind, id_, (), ()) | {"new": not old}
        return 200, {"status": "COMPLETE", "results": [result], "startedAt": STAMP, "completedAt": STAMP}

    def update(self, request: Request, kind: str, id_: str) -> tuple[int, Any]:
        bad = _validation(request.body["properties"])
        if bad:
            return 400, bad
        self.things[kind][id_]["properties"] |= request.body["properties"]
        return 200, self._shown(kind, id_, (), ())

    def associate(self, request: Request, kind: str, id_: str, to: str, other: str) -> tuple[int, Any]:
        self.tie(kind, id_, to, other)
        return 200, {"status": "COMPLETE", "results": [], "startedAt": STAMP, "completedAt": STAMP}

    def associated(self, request: Request, kind: str, to: str) -> tuple[int, Any]:
        results = []
        for entry in request.body["inputs"]:
            others = self._tied(kind, entry["id"], to)
            start = int(entry.get("after", "0"))
            shown = [{"toObjectId": other, "associationTypes": []} for other in others[start : start + self.page]]
            if shown:
                results.append({"from": {"id": entry["id"]}, "to": shown, **_next(start + self.page, len(others))})
        return 200, {"status": "COMPLETE", "results": results, "startedAt": STAMP, "completedAt": STAMP}

    def owners(self, request: Request) -> tuple[int, Any]:
        owner = {"id": "4455", "userId": 777, "email": "rep@seller.example", "firstName": "Jonas", "lastName": "Brandt"}
        return 200, {"results": [owner | {"archived": False, "type": "PERSON"}]}

    def pipelines(self, request: Request, kind: str) -> tuple[int, Any]:
        return 200, {"results": PIPELINES if kind == "deals" else []}

    def properties(self, request: Request, kind: str) -> tuple[int, Any]:
        return 200, {"results": [{"name": name} for name in ("dealname", "amount", "wettbewerber")]}

    def members(self, request: Request, list_id: str) -> tuple[int, Any]:
        if list_id not in self.lists:
            return 404, _error("OBJECT_NOT_FOUND", "no such list")
        ids, start = self.lists[list_id], int(request.one("after", "0"))
        shown = [{"recordId": id_, "membershipTimestamp": STAMP} for id_ in ids[start : start + self.page]]
        return 200, {"results": shown, "total": len(ids), **_next(start + self.page, len(ids))}

    def consent(self, request: Request) -> tuple[int, Any]:
        results = [
            {
                "subscriberIdString": email,
                "wideStatuses": [{"status": "UNSUBSCRIBED" if email in self.unsubscribed else "SUBSCRIBED"}],
            }
            for email in request.body["inputs"]
        ]
        return 200, {"status": "COMPLETE", "results": results, "startedAt": STAMP, "completedAt": STAMP}

    def subscriptions(self, request: Request) -> tuple[int, Any]:
        results = [
            {
                "subscriberIdString": email,
                "statuses": [
                    {"subscriptionId": one, "status": "UNSUBSCRIBED"}
                    for who, one in sorted(self.unsubscribed_from)
                    if who == email
                ],
            }
            for email in request.body["inputs"]
        ]
        return 200, {"status": "COMPLETE", "results": results, "startedAt": STAMP, "completedAt": STAMP}

    def types(self, request: Request) -> tuple[int, Any]:
        types = [{"id": "111", "name": "Marketing"}, {"id": "222", "name": "One to one"}]
        return 200, {"status": "COMPLETE", "results": types, "startedAt": STAMP, "completedAt": STAMP}

    def mails(self, request: Request) -> tuple[int, Any]:
        return 200, {"total": len(self.marketing), "results": self.marketing}

    def create_mail(self, request: Request) -> tuple[int, Any]:
        self.marketing.append({"id": str(next(self._ids)), "state": "DRAFT", **request.body})
        return 201, self.marketing[-1]

    def token(self, request: Request) -> tuple[int, Any]:
        token = f"access-token-{next(self._ids)}"
        self.tokens = {token}
        return 200, {"access_token": token, "refresh_token": "refresh-token-again", "expires_in": 1800}

    def _shown(self, kind: str, id_: str, names: Iterable[str], history: Iterable[str]) -> dict[str, Any]:
        thing = self.things[kind][id_]
        values = {name: thing["properties"].get(name) for name in names}
        shown = {"id": id_, "properties": values, "createdAt": thing["made"], "updatedAt": thing["changed"]}
        shown["archived"] = thing["archived"]
        if thing["archived"]:
            shown["archivedAt"] = thing["changed"]
        past = {name: thing["history"].get(name, []) for name in history}
        return shown | ({"propertiesWithHistory": past} if past else {})

    def _ties(self, kind: str, id_: str, wanted: Iterable[str]) -> dict[str, Any]:
        parts = {}
        for to in wanted:
            others = self._tied(kind, id_, to)
            if others:
                shown = [{"id": other, "type": f"{kind}_to_{to}"} for other in others[: self.page]]
                # HubSpot answers "line items" where it is asked for line_items.
                parts[to.replace("_", " ")] = {"results": shown, **_next(self.page, len(others))}
        return {"associations": parts} if parts else {}

    def _tied(self, kind: str, id_: str, to: str) -> list[str]:
        found = sorted(tie[3] for tie in self.ties if tie[:3] == (kind, id_, to))
        return [other for other in found if not self.things[to].get(other, {}).get("archived")]


def _validation(properties: dict[str, str]) -> dict[str, Any] | None:
    """Accounts may want fields that the seller's admin chose."""
    if properties.get("hs_task_subject") == "":
        return _error("VALIDATION_ERROR", "Property values were not valid") | {
            "errors": [{"message": 'Property "hs_task_subject" is required'}]
        }
    return None


def _error(category: str, message: str) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "correlationId": "c-1"}


def _next(position: int, total: int) -> dict[str, Any]:
    return {"paging": {"next": {"after": str(position)}}} if position < total else {}


def _ms(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp() * 1000)


def with_orbis(fake: FakeHubSpot) -> FakeHubSpot:
    """Orbis Dairy (7001) with Dana (501) and an open deal (9001); two won deals with lines behind it."""
    fake.put("companies", "7001", name="Orbis Dairy", domain="orbis.example", country="United Kingdom",
             hubspot_owner_id="4455")  # fmt: skip
    fake.put("contacts", "501", firstname="Dana", lastname="Reyes", email="dana@orbis.example", hs_language="en-gb",
             associatedcompanyid="7001", lifecyclestage="customer")  # fmt: skip
    fake.put("deals", "9001", dealname="Line 3 controls", amount="12500.00", deal_currency_code="EUR",
             dealstage="presentationscheduled", pipeline="default", createdate="2026-09-01T08:00:00Z",
             closedate="2026-12-15T00:00:00Z", hubspot_owner_id="4455", wettbewerber="Rival A;Rival B",
             hs_deal_stage_probability="0.4")  # fmt: skip
    for id_, day in (("9002", "2025-11-03"), ("9003", "2026-05-04")):
        fake.put("deals", id_, dealname=f"Order {id_}", amount="4000.00", deal_currency_code="EUR", pipeline="default",
                 dealstage="closedwon", hs_is_closed="true", hs_is_closed_won="true",
                 closedate=f"{day}T10:00:00Z", createdate=f"{day}T08:00:00Z")  # fmt: skip
        fake.put("line_items", f"{id_}1", name="Filter F-20", quantity="10", price="400.00", hs_product_id="301")
        fake.tie("deals", id_, "line_items", f"{id_}1")
        fake.tie("deals", id_, "companies", "7001")
    fake.put("line_items", "8001", name="Controller C-7", quantity="5", price="2500.00", hs_product_id="302",
             hs_line_item_currency_code="EUR")  # fmt: skip
    fake.put("products", "302", name="Controller C-7", hs_sku="C-7", price="2600.00", hs_cost_of_goods_sold="1500")
    fake.put("products", "301", name="Filter F-20", hs_sku="F-20", price="420.00")
    fake.put("notes", "6001", hs_note_body="<p>Budget &amp; timing agreed</p>", hs_timestamp="2026-11-02T09:00:00Z",
             hubspot_owner_id="4455")  # fmt: skip
    fake.put("emails", "6101", hs_email_subject="Delivery time?", hs_email_direction="INCOMING_EMAIL",
             hs_email_text="What is the delivery time of the C-7?", hs_timestamp="2026-11-18T10:00:00Z",
             hs_email_headers='{"from":{"email":"dana@orbis.example"}}')  # fmt: skip
    fake.put("tickets", "5001", subject="Line 2 stopped", content="It stopped.", hs_pipeline_stage="1",
             hs_ticket_priority="HIGH", createdate="2026-10-01T08:00:00Z")  # fmt: skip
    fake.tie("deals", "9001", "companies", "7001")
    fake.tie("deals", "9001", "contacts", "501")
    fake.tie("deals", "9001", "line_items", "8001")
    fake.tie("deals", "9001", "notes", "6001")
    fake.tie("deals", "9001", "emails", "6101")
    fake.tie("tickets", "5001", "companies", "7001")
    fake.tie("contacts", "501", "companies", "7001")
    return fake
