"""A Pipedrive with state: deals, people, organisations, products, activities, notes, mails, filters; both versions."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from tests.fakes.server import FakeServer, Request

TOKEN = "0123456789012345678901234567890123456789"
STAMP = "2026-11-20T08:00:00Z"
V1, V2 = "/api/v1", "/api/v2"
KINDS = "deals|persons|organizations|products|activities|pipelines|stages"
TIES = ("deal_id", "org_id", "person_id")
ASKED_FOR = (
    "marketing_status", "won_deals_count", "open_deals_count", "last_incoming_mail_time", "first_won_time",
)  # fmt: skip


class FakePipedrive(FakeServer):
    """Lists by the parameters given, pages by cursor (v2) or start (v1)."""

    ROUTES = (
        ("GET", V2 + r"/deals/products", "products_of_many"),
        ("GET", V2 + r"/deals/(\d+)/products", "products_of"),
        ("GET", V2 + r"/deals/archived", "archived"),
        ("GET", V2 + rf"/({KINDS})", "list_all"),
        ("GET", V2 + rf"/({KINDS})/(\d+)", "read"),
        ("POST", V2 + r"/(activities)", "create"),
        ("PATCH", V2 + r"/deals/(\d+)", "update"),
        ("GET", V1 + r"/(notes)", "old_list"),
        ("GET", V1 + r"/(notes)/(\d+)", "read"),
        ("POST", V1 + r"/(notes)", "create"),
        ("GET", V1 + r"/deals/(\d+)/mailMessages", "mails_of"),
        ("GET", V1 + r"/mailbox/mailMessages/(\d+)", "mail"),
        ("POST", r"/oauth/token", "token"),
        ("GET", V1 + r"/users", "users"),
        ("GET", V1 + r"/users/me", "me"),
        ("GET", V1 + r"/webhooks", "webhooks"),
        ("POST", V1 + r"/webhooks", "create_webhook"),
        ("GET", V1 + r"/(leads)", "old_list"),
        ("GET", V1 + r"/deals/(\d+)/changelog", "changelog"),
        ("GET", V1 + r"/recents", "recents"),
        ("GET", V1 + r"/(deals|persons|organizations)/(\d+)/permittedUsers", "permitted"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.filters: dict[str, list[int]] = {}
        self.hooks: list[dict[str, Any]] = []
        self.moves: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.permitted_to: dict[int, list[int]] = {}
        """Deal, person or organisation -> users who may see it, where that is not its owner alone."""
        self.campaigns = self.admin = True
        self.codes: set[str] = set()
        self.domain = ""
        self.page = 100
        self._ids = itertools.count(70_001)

    @property
    def deals(self) -> dict[int, dict[str, Any]]:
        return {id_: deal for id_, deal in self.things["deals"].items() if not deal.get("is_deleted")}

    def put(self, kind: str, id_: int, **values: Any) -> int:
        self.things[kind][id_] = {"id": id_, "add_time": STAMP, "update_time": STAMP, **values}
        return id_

    def change(self, kind: str, id_: int, at: str, *, source: str = "app", by: int = 777, **values: Any) -> None:
        """Somebody changes a record; of a deal the change is remembered."""
        thing = self.things[kind][id_]
        for key, value in values.items():
            entry = {"field_key": key, "old_value": thing.get(key), "new_value": value, "change_source": source}
            when = {"time": at.replace("T", " ").removesuffix("Z"), "actor_user_id": by}
            self.moves[id_].insert(0, entry | when)
        stamps = {"stage_id": "stage_change_time", "status": f"{values.get('status')}_time"}
        thing.update({**values, **{stamps[key]: at for key in values if key in stamps}, "update_time": at})

    def written(self, *kinds: str) -> int:
        return sum(len(self.things[kind]) for kind in kinds or ("notes", "activities"))

    def refuses(self, request: Request) -> tuple[int, Any] | None:
        if request.path == "/oauth/token":
            good = request.headers.get("Authorization") == "Basic YXBwLTE6YXBwLXNlY3JldA=="
            return None if good else (401, {"error": "invalid_client"})
        if request.headers.get("X-Api-Token", request.headers.get("x-api-token")) != TOKEN:
            return 401, {"success": False, "error": "unauthorized access", "errorCode": 401}
        return None

    def read(self, request: Request, kind: str, id_: str) -> tuple[int, Any]:
        thing = self.things[kind].get(int(id_))
        if refusal := self._without_campaigns(request, kind):
            return refusal
        if thing is None:
            return 404, {"success": False, "error": "not found"}
        if thing.get("is_deleted") and kind != "deals":
            return 404, {"success": False, "error": "not found"}
        return 200, {"success": True, "data": self._shown(request, kind, thing)}

    def _without_campaigns(self, request: Request, kind: str) -> tuple[int, Any] | None:
        asked = request.one("include_fields").split(",")
        if kind == "persons" and "marketing_status" in asked and not self.campaigns:
            return 403, {"success": False, "error": "Campaigns is not enabled"}
        return None

    def _shown(self, request: Request, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        """A record without the fields that come only when they are asked for."""
        asked = request.one("include_fields").split(",")
        return {key: value for key, value in thing.items() if key not in ASKED_FOR or key in asked}

    def archived(self, request: Request) -> tuple[int, Any]:
        return self.list_all(request, "deals", archived=True)

    def list_all(self, request: Request, kind: str, *, archived: bool = False) -> tuple[int, Any]:
        if refusal := self._without_campaigns(request, kind):
            return refusal
        found = [
            self._shown(request, kind, one)
            for one in self.things[kind].values()
            if self._fits(request, kind, one) and (one.get("is_archived") is True) == archived
        ]
        start, size = int(request.one("cursor", "0")), min(int(request.one("limit", "100")), self.page)
        following = str(start + size) if start + size < len(found) else None
        more = {"next_cursor": following}
        return 200, {"success": True, "data": found[start : start + size], "additional_data": more}

    def _fits(self, request: Request, kind: str, thing: dict[str, Any]) -> bool:
        if thing.get("is_deleted") is True and (kind != "deals" or request.one("status") != "deleted"):
            return False
        if request.one("status") == "deleted" and thing.get("is_deleted") is not True:
            return False
        if request.one("ids") and str(thing["id"]) not in request.one("ids").split(","):
            return False
        if request.one("filter_id") and thing["id"] not in self.filters.get(request.one("filter_id"), []):
            return False
        if request.one("updated_since") and thing["update_time"] < request.one("updated_since"):
            return False
        if kind == "persons" and request.one("deal_id"):
            deal = self.things["deals"].get(int(request.one("deal_id")), {})
            return bool(thing["id"] == deal.get("person_id"))
        if request.one("status") not in ("", "deleted", thing.get("status")):
            return False
        return all(str(thing.get(tie)) == request.one(tie) for tie in TIES if request.one(tie))

    def products_of(self, request: Request, id_: str) -> tuple[int, Any]:
        lines = [one for one in self.things["lines"].values() if one["deal_id"] == int(id_)]
        return 200, {"success": True, "data": lines, "additional_data": {"next_cursor": None}}

    def products_of_many(self, request: Request) -> tuple[int, Any]:
        ids = request.query["deal_ids"]
        lines = [one for one in self.things["lines"].values() if str(one["deal_id"]) in ids]
        return 200, {"success": True, "data": lines, "additional_data": {"next_cursor": None}}

    def create(self, request: Request, kind: str) -> tuple[int, Any]:
        if request.body.get("person_id") and kind == "activities":
            return 400, {"success": False, "error": "person_id is read-only"}
        id_ = self.put(kind, next(self._ids), **request.body)
        return 201, {"success": True, "data": self.things[kind][id_]}

    def update(self, request: Request, id_: str) -> tuple[int, Any]:
        deal = self.things["deals"][int(id_)]
        deal["custom_fields"] = {**deal.get("custom_fields", {}), **request.body.get("custom_fields", {})}
        return 200, {"success": True, "data": deal}

    def old_list(self, request: Request, kind: str) -> tuple[int, Any]:
        return self._paged(request, [one for one in self.things[kind].values() if self._fits(request, kind, one)])

    def _paged(self, request: Request, found: list[dict[str, Any]]) -> tuple[int, Any]:
        """One page as the first version of the API gives it."""
        start, size = int(request.one("start", "0")), min(int(request.one("limit", "100")), self.page)
        more = start + size < len(found)
        paging = {"start": start, "limit": size, "more_items_in_collection": more}
        paging |= {"next_start": start + size} if more else {}
        return 200, {"success": True, "data": found[start : start + size], "additional_data": {"pagination": paging}}

    def mails_of(self, request: Request, id_: str) -> tuple[int, Any]:
        found = [one for one in self.things["mails"].values() if one.get("deal_id") == int(id_)]
        shown = [{"object": "mailMessage", "data": {k: v for k, v in one.items() if k != "body"}} for one in found]
        return 200, {"success": True, "data": shown}

    def mail(self, request: Request, id_: str) -> tuple[int, Any]:
        return 200, {"success": True, "data": self.things["mails"][int(id_)]}

    def users(self, request: Request) -> tuple[int, Any]:
        return 200, {"success": True, "data": [{"id": 777, "name": "Jonas Brandt", "email": "rep@seller.example"}]}

    def token(self, request: Request) -> tuple[int, Any]:
        """OAuth of the app: each code once."""
        form = dict(pair.split("=", 1) for pair in request.raw.decode().split("&"))
        if form.get("code") not in self.codes:
            return 400, {"error": "invalid_grant", "message": "Invalid grant: authorization code is invalid"}
        self.codes.remove(form["code"])
        tokens = {"access_token": "a-1", "refresh_token": "r-1", "expires_in": 3600}
        return 200, tokens | {"api_domain": self.domain or self.url}

    def me(self, request: Request) -> tuple[int, Any]:
        access = [{"app": "sales", "admin": self.admin}]
        return 200, {"success": True, "data": {"id": 900, "name": "Assistant", "company_id": 7654321, "access": access}}

    def changelog(self, request: Request, id_: str) -> tuple[int, Any]:
        return 200, {"success": True, "data": self.moves[int(id_)], "additional_data": {"next_cursor": None}}

    def recents(self, request: Request) -> tuple[int, Any]:
        """Recent changes of the kinds asked for; what was deleted is switched off."""
        kinds = {"person": "persons", "organization": "organizations", "product": "products"}
        kinds |= {"activity": "activities", "note": "notes", "deal": "deals"}
        since = request.one("since_timestamp").replace(" ", "T") + "Z"
        found = [
            {"item": item, "id": id_, "data": _recent(item, id_, thing)}
            for item in request.one("items").split(",")
            for id_, thing in self.things[kinds[item]].items()
            if thing["update_time"] >= since
        ]
        return self._paged(request, found)

    def permitted(self, request: Request, kind: str, id_: str) -> tuple[int, Any]:
        thing = self.things[kind].get(int(id_))
        if thing is None:
            return 404, {"success": False, "error": "not found"}
        return 200, {"success": True, "data": self.permitted_to.get(int(id_), [thing.get("owner_id")])}

    def create_webhook(self, request: Request) -> tuple[int, Any]:
        if not request.body.get("name"):
            return 400, {"success": False, "error": "name is required"}
        self.hooks.append({"id": next(self._ids), "is_active": 1, **request.body})
        return 201, {"success": True, "data": self.hooks[-1]}

    def webhooks(self, request: Request) -> tuple[int, Any]:
        return 200, {"success": True, "data": self.hooks}


def _recent(item: str, id_: int, thing: dict[str, Any]) -> dict[str, Any]:
    """A record as it stands among the recent changes: deals say in their own way that they were deleted."""
    gone = thing.get("is_deleted") is True
    if item == "deal":
        return {"id": id_, "deleted": gone, "is_archived": thing.get("is_archived") is True}
    return {"id": id_, "active_flag": not gone}


def with_orbis(fake: FakePipedrive) -> FakePipedrive:
    """Orbis Dairy (7001) with Dana (501) and an open deal (9001); two won deals with products behind it."""
    fake.put("pipelines", 1, name="Sales")
    fake.put("stages", 4, name="Proposal", pipeline_id=1)
    fake.put("organizations", 7001, name="Orbis Dairy", owner_id=777,
             address={"value": "1 Quay, Leeds", "country": "United Kingdom", "locality": "Leeds"})  # fmt: skip
    fake.put("persons", 501, name="Dana Reyes", first_name="Dana", last_name="Reyes", org_id=7001,
             emails=[{"value": "dana@orbis.example", "primary": True}], marketing_status="subscribed")  # fmt: skip
    fake.put("deals", 9001, title="Line 3 controls", value=12500, currency="EUR", status="open", stage_id=4,
             pipeline_id=1, person_id=501, org_id=7001, owner_id=777, expected_close_date="2026-12-15", probability=40,
             custom_fields={"d4de1c1518b4531717c676029a45911c340390a6": "Rival A;Rival B"})  # fmt: skip
    for id_, day in ((9002, "2025-11-03"), (9003, "2026-05-04")):
        fake.put("deals", id_, title=f"Order {id_}", value=4000, currency="EUR", status="won", stage_id=4,
                 pipeline_id=1, person_id=501, org_id=7001, won_time=f"{day}T10:00:00Z")  # fmt: skip
        fake.put("lines", id_ * 10, deal_id=id_, product_id=301, name="Filter F-20", quantity=10, item_price=400,
                 discount=0, discount_type="percentage", currency="EUR")  # fmt: skip
    fake.put("lines", 8001, deal_id=9001, product_id=302, name="Controller C-7", quantity=5, item_price=2500,
             discount=10, discount_type="percentage", currency="EUR")  # fmt: skip
    fake.put("products", 301, name="Filter F-20", code="F-20", prices=[{"price": 420, "currency": "EUR"}])
    fake.put("products", 302, name="Controller C-7", code="C-7", prices=[{"price": 2600, "currency": "EUR"}])
    fake.put("notes", 6001, content="<p>Budget &amp; timing agreed</p>", deal_id=9001, org_id=7001, user_id=777)
    fake.put("activities", 6201, subject="Visit", type="meeting", due_date="2026-11-10", due_time="09:00", done=True,
             deal_id=9001, org_id=7001, owner_id=777, participants=[{"person_id": 501, "primary": True}])  # fmt: skip
    fake.put("mails", 6101, deal_id=9001, subject="Delivery time?", message_time="2026-11-18T10:00:00Z", sent_flag=0,
             snippet="What is the", body="<p>What is the delivery time of the C-7?</p>",
             **{"from": [{"email_address": "dana@orbis.example", "linked_person_id": 501}]})  # fmt: skip
    return fake
