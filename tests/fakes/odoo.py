"""An Odoo 19 with state: models with the fields that a real one described, JSON-2, XML-RPC, keys, rights, webhooks.

Relations are ids; what points back (`order_ids`) is found by the field that points. Domains know what we use.
"""

from __future__ import annotations

import itertools
import json
import xmlrpc.client
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes.server import FakeServer, Request

RECORDED = Path(__file__).parents[1] / "connectors" / "odoo" / "recorded"
KEY = "0123456789abcdef0123456789abcdef01234567"
BOT = 7
STAMP = "2026-11-20 08:00:00"
FIELDS: dict[str, dict[str, dict[str, str]]] = json.loads((RECORDED / "fields.json").read_text("utf-8"))
MARKETING = {
    "mailing.list": {}, "mailing.subscription": {}, "mailing.contact": {}, "mailing.mailing": {}, "mailing.filter": {},
    "ir.filters": {}, "res.users.apikeys": {}, "ir.model": {}, "mail.blacklist": {},
}  # fmt: skip
"""Models that are only searched, so that their fields need no description."""


class Problem(Exception):
    """A refusal as Odoo words it."""

    def __init__(self, status: int, name: str, message: str) -> None:
        self.status, self.document = status, {"name": name, "message": message, "arguments": [message],
                                               "context": {}, "debug": f"Traceback … {KEY}"}  # fmt: skip
        super().__init__(message)


class FakeOdoo(FakeServer):
    """`put` makes records; `troubles` of the server misbehave; `hidden` is what rules keep from the bot."""

    ROUTES = (
        ("POST", r"/json/2/([a-z0-9_.]+)/([a-z_]+)", "json2"),
        ("POST", r"/xmlrpc/2/(common|object)", "xmlrpc"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.keys = {KEY}
        self.forbidden = {"ir.module.module"}
        self.hidden: set[tuple[str, int]] = set()
        self.groups = {"sales_team.group_sale_salesman_all_leads"}
        self.models = set(FIELDS) | set(MARKETING)
        self.external: dict[str, int] = {}
        self.fields = {model: dict(found) for model, found in FIELDS.items()}
        self.page = 1000
        self._ids = itertools.count(70_001)

    @property
    def deals(self) -> dict[int, dict[str, Any]]:
        return self.things["crm.lead"]

    def put(self, model: str, id_: int, /, **values: Any) -> int:
        times = {"create_date": STAMP, "write_date": STAMP, "write_uid": 2, "active": True}
        self.things[model][id_] = {"id": id_, **times, **values}
        return id_

    def written(self) -> int:
        return len(self.things["mail.message"]) + len(self.things["mail.activity"])

    def refuses(self, request: Request) -> tuple[int, Any] | None:
        if request.path.startswith("/xmlrpc"):
            return None
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key not in self.keys:
            return 401, {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey", "debug": "Traceback"}
        return None

    def json2(self, request: Request, model: str, method: str) -> tuple[int, Any]:
        body = dict(request.body)
        try:
            return 200, self.execute(model, method, body.pop("ids", None), body)
        except Problem as problem:
            return problem.status, problem.document

    def xmlrpc(self, request: Request, service: str) -> tuple[int, Any]:
        parameters, method = xmlrpc.client.loads(request.raw.decode())
        if service == "common":
            answer: Any = BOT if parameters[2] in self.keys else False
        else:
            _, _, key, model, name, positional, named = parameters
            try:
                if key not in self.keys:
                    raise xmlrpc.client.Fault(3, "Access Denied")
                if name == "write":
                    named = {"vals": positional[1], **named}
                answer = self.execute(model, name, positional[0] if positional else None, dict(named))
            except Problem as problem:
                fault = xmlrpc.client.Fault(2, f"Traceback (most recent call last):\n  …\n{problem}")
                return 200, xmlrpc.client.dumps(fault).encode()
            except xmlrpc.client.Fault as fault:
                return 200, xmlrpc.client.dumps(fault).encode()
        return 200, xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True).encode()

    def execute(self, model: str, method: str, ids: list[int] | None, arguments: dict[str, Any]) -> Any:
        if model not in self.models and model not in self.forbidden:
            raise Problem(404, "werkzeug.exceptions.NotFound", f"the model '{model}' does not exist")
        if method in ("has_access", "check_access_rights"):
            return model not in self.forbidden
        if model in self.forbidden:
            raise Problem(403, "odoo.exceptions.AccessError", f"You are not allowed to access '{model}' records.")
        call = getattr(self, f"do_{method}", None)
        if call is None:
            raise Problem(404, "werkzeug.exceptions.NotFound", f"no method {method} on {model}")
        return call(model, ids, arguments)

    def do_context_get(self, model: str, ids: Any, arguments: Any) -> Any:
        return {"lang": "en_US", "tz": "Europe/Brussels", "uid": BOT}

    def do_fields_get(self, model: str, ids: Any, arguments: Any) -> Any:
        return self.fields.get(model, {})

    def do_has_group(self, model: str, ids: list[int], arguments: dict[str, Any]) -> Any:
        return arguments["group_ext_id"] in self.groups

    def do_web_read(self, model: str, ids: list[int], arguments: dict[str, Any]) -> Any:
        if any((model, id_) in self.hidden for id_ in ids):
            raise Problem(403, "odoo.exceptions.AccessError", "Sorry, you don't have 'read' access to: - Lead.")
        found = [self.things[model][id_] for id_ in ids if id_ in self.things[model]]
        return [self._tree(model, one, arguments["specification"]) for one in found]

    def do_web_search_read(self, model: str, ids: Any, arguments: dict[str, Any]) -> Any:
        found = self._found(model, arguments | {"limit": None})
        shown = found[: min(arguments.get("limit") or 80, self.page)]
        return {"length": len(found), "records": [self._tree(model, one, arguments["specification"]) for one in shown]}

    def do_search_read(self, model: str, ids: Any, arguments: dict[str, Any]) -> Any:
        return [self._row(model, one, arguments["fields"]) for one in self._found(model, arguments)]

    def do_search_count(self, model: str, ids: Any, arguments: dict[str, Any]) -> Any:
        return len(self._found(model, arguments))

    def do_write(self, model: str, ids: list[int], arguments: dict[str, Any]) -> Any:
        for id_ in ids:
            self.things[model][id_].update(arguments["vals"])
        return True

    def do_message_post(self, model: str, ids: list[int], arguments: dict[str, Any]) -> Any:
        if "body_is_html" not in arguments:
            raise AssertionError("without body_is_html Odoo shows tags")
        return [
            self.put("mail.message", next(self._ids), model=model, res_id=ids[0], date=STAMP, is_internal=True,
                     message_type=arguments["message_type"], body=arguments["body"],
                     message_id=arguments.get("message_id", f"<{next(self._ids)}@odoo>"), author_id=False,
                     subtype_id=2, create_uid=BOT)
        ]  # fmt: skip

    def do_load(self, model: str, ids: Any, arguments: dict[str, Any]) -> Any:
        made = []
        for row in arguments["data"]:
            values = dict(zip(arguments["fields"], row, strict=True))
            xml_id = values.pop("id")
            if model == "mail.activity" and values["res_model_id/id"] not in (
                "crm.model_crm_lead",
                "base.model_res_partner",
            ):
                return {"ids": False, "messages": [{"type": "error", "message": "No matching record found"}]}
            if "res_id" in values:
                values["res_id"] = int(values["res_id"])
                values["res_model"] = "crm.lead" if "crm" in values["res_model_id/id"] else "res.partner"
            id_ = self.external.setdefault(f"{model}/{xml_id}", next(self._ids))
            self.put(model, id_, **values, state="draft")
            made.append(id_)
        return {"ids": made, "messages": [], "nextrow": 0}

    def _tree(self, model: str, thing: Mapping[str, Any], specification: Mapping[str, Any]) -> dict[str, Any]:
        tree: dict[str, Any] = {"id": thing["id"]}
        for name, branch in specification.items():
            about = self.fields.get(model, {}).get(name)
            if about is None and model not in MARKETING:
                raise Problem(500, "builtins.ValueError", f"Invalid field {name!r} on {model!r}")
            value = self._value(model, thing, name)
            related = (about or {}).get("relation")
            if not related or "fields" not in branch:
                tree[name] = value
            elif isinstance(value, list):
                chosen = sorted(value, reverse="desc" in branch.get("order", ""))[: branch.get("limit", 80)]
                tree[name] = [self._tree(related, self.things[related][one], branch["fields"]) for one in chosen]
            else:
                tree[name] = self._tree(related, self.things[related][value], branch["fields"]) if value else False
        return tree

    def _value(self, model: str, thing: Mapping[str, Any], name: str) -> Any:
        about = self.fields.get(model, {}).get(name, {})
        if name in thing or about.get("type") != "one2many":
            return thing.get(name, False)
        back, related = about.get("relation_field"), str(about.get("relation"))
        pointing = [one for one in self.things[related].values() if one.get(back) == thing["id"]]
        return [one["id"] for one in pointing if one.get("model", one.get("res_model", model)) == model]

    def _row(self, model: str, thing: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = {"id": thing["id"]}
        for name in fields:
            value, about = self._value(model, thing, name), self.fields.get(model, {}).get(name, {})
            if about.get("type") == "many2one" and value:
                related = self.things[about["relation"]].get(value, {})
                value = [value, related.get("name", "")]
            row[name] = value
        return row

    def _found(self, model: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        conditions = [one for one in arguments["domain"] if not isinstance(one, str)]
        any_of = "|" in arguments["domain"]
        fits = any if any_of and len(conditions) == arguments["domain"].count("|") + 1 else all
        found = [
            one
            for one in self.things[model].values()
            if fits([self._fits(model, one, condition) for condition in conditions])
        ]
        found.sort(key=lambda one: one["id"], reverse="desc" in str(arguments.get("order")))
        return found[: arguments.get("limit") or None]

    def _fits(self, model: str, thing: Mapping[str, Any], condition: list[Any]) -> bool:
        name, operator, wanted = condition
        value: Any = thing
        for part in name.split("."):
            value = value.get(part, False) if isinstance(value, Mapping) else False
        tests = {
            "=": lambda: value == wanted, "in": lambda: value in wanted, "not in": lambda: value not in wanted,
            ">": lambda: value > wanted, ">=": lambda: str(value) >= wanted, "<=": lambda: str(value) <= wanted,
            "<": lambda: str(value) < wanted, "ilike": lambda: wanted.lower() in str(value).lower(),
            "child_of": lambda: value == wanted,
        }  # fmt: skip
        return bool(tests[operator]())


def with_orbis(fake: FakeOdoo) -> FakeOdoo:
    """Orbis Dairy (7001) with Dana (501) and an open deal (9001), its quotation, and orders behind it."""
    put = fake.put
    put("res.currency", 1, name="EUR")
    put("res.country", 1, name="United Kingdom", code="GB")
    put("crm.stage", 1, name="New", sequence=0, is_won=False)
    put("crm.stage", 3, name="Proposition", sequence=2, is_won=False)
    put("crm.stage", 4, name="Won", sequence=70, is_won=True)
    put("crm.team", 1, name="Sales")
    put("res.partner", 90, name="Jonas Brandt", partner_share=False, commercial_partner_id=90)
    put("res.users", 777, name="Jonas Brandt", login="rep", email="rep@seller.example", partner_id=90, share=False)
    put("res.partner", 7001, name="Orbis Dairy", is_company=True, partner_share=True, commercial_partner_id=7001,
        city="Leeds", country_id=1, website="https://www.orbis.example/en", user_id=777)  # fmt: skip
    put("res.partner", 501, name="Dana Reyes", email="dana@orbis.example", email_normalized="dana@orbis.example",
        partner_share=True, parent_id=7001, commercial_partner_id=7001, function="Buyer", lang="en_GB",
        type="contact", is_company=False)  # fmt: skip
    put("crm.lead", 9001, name="Line 3 controls", type="opportunity", partner_id=501, stage_id=3, team_id=1,
        user_id=777, expected_revenue=11250.0, probability=40.0, company_currency=1, won_status="pending",
        date_last_stage_update="2026-11-18 09:00:00", create_date="2026-11-02 09:00:00", date_deadline="2026-12-15",
        duration_tracking={"1": 1382400, "3": 172800})  # fmt: skip
    put("crm.lead", 9002, name="Price list please", type="lead", contact_name="Ines Voss", partner_name="Voss Foods",
        email_from='"Ines Voss" <ines@voss.example>', stage_id=1, company_currency=1, won_status="pending")  # fmt: skip
    put("crm.lead", 9003, name="Too dear", type="opportunity", partner_id=7001, stage_id=3, active=False,
        won_status="lost", date_closed="2026-09-01 10:00:00", company_currency=1)  # fmt: skip
    put("product.product", 301, name="Filter F-20", default_code="F-20", list_price=420.0, currency_id=1)
    put("product.product", 302, name="Controller C-7", default_code="C-7", list_price=2600.0, currency_id=1,
        standard_price=1800.0)  # fmt: skip
    for n, day in enumerate(("2026-02-03", "2026-06-01", "2026-09-28")):
        put("sale.order", 800 + n, name=f"S0080{n}", state="sale", partner_id=501, date_order=f"{day} 10:00:00",
            amount_untaxed=4000.0, currency_id=1)  # fmt: skip
        put("sale.order.line", 8000 + n, order_id=800 + n, product_id=301, name="Filter F-20", product_uom_qty=10.0,
            price_unit=400.0, discount=0.0)  # fmt: skip
    put("sale.order", 810, name="S00810", state="sent", partner_id=501, opportunity_id=9001, currency_id=1,
        date_order="2026-11-18 09:00:00", validity_date="2026-12-18", amount_untaxed=11250.0)  # fmt: skip
    put("sale.order.line", 8100, order_id=810, product_id=302, name="Controller C-7", product_uom_qty=5.0,
        price_unit=2500.0, discount=10.0)  # fmt: skip
    put("sale.order.line", 8101, order_id=810, name="Options", display_type="line_section")
    put("mail.message.subtype", 1, name="Discussions", internal=False)
    put("mail.message.subtype", 2, name="Note", internal=True)
    put("mail.message", 6101, model="crm.lead", res_id=9001, message_type="email", author_id=501, subtype_id=1,
        date="2026-11-18 10:00:00", subject="Delivery time?", body="<p>What is the delivery time of the C-7?</p>",
        message_id="<1@orbis.example>", email_from="dana@orbis.example")  # fmt: skip
    put("mail.message", 6102, model="crm.lead", res_id=9001, message_type="notification", author_id=90, subtype_id=1,
        date="2026-11-18 09:00:00", body="", message_id="<2@odoo>")  # fmt: skip
    put("mail.activity.type", 2, name="Call", category="phonecall")
    put("mail.activity", 6201, res_model="crm.lead", res_id=9001, summary="Send drawings", activity_type_id=2,
        date_deadline="2026-11-24", user_id=777)  # fmt: skip
    put("calendar.event", 6301, name="Visit", start="2026-11-10 09:00:00", stop="2026-11-10 10:00:00",
        opportunity_id=9001, partner_ids=[501, 90], user_id=777)  # fmt: skip
    return fake
