"""Orbis Dairy in a real Odoo: made by its API as an administrator, the same that the fake has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Call = Callable[..., Any]
"""`call(model, method, ids=None, **arguments)`: a call of JSON-2."""


def stamp(days_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).strftime("%Y-%m-%d %H:%M:%S")


def make(call: Call, model: str, **values: Any) -> int:
    return int(call(model, "create", vals_list=[values])[0])


def find(call: Call, model: str, *domain: Any) -> int:
    return int(call(model, "search", domain=list(domain), limit=1)[0])


def seed(call: Call) -> dict[str, int]:
    """The ids of what was made: company, contact, deal, products, orders."""
    owner = find(call, "res.users", ["login", "=", "demo"])
    ids = {"company": make(call, "res.partner", name="Orbis Dairy", is_company=True, city="Leeds", user_id=owner,
                           website="https://www.orbis.example")}  # fmt: skip
    ids["contact"] = make(call, "res.partner", name="Dana Reyes", email="dana@orbis.example", function="Buyer",
                          parent_id=ids["company"])  # fmt: skip
    ids["filter"] = make(call, "product.product", name="Filter F-20", default_code="F-20", list_price=420.0)
    ids["controller"] = make(call, "product.product", name="Controller C-7", default_code="C-7", list_price=2600.0)
    for n, days in enumerate((310, 250, 190, 130, 70)):
        ids[f"order{n}"] = _order(call, ids, days)
    proposition = find(call, "crm.stage", ["name", "=", "Proposition"])
    ids["deal"] = make(call, "crm.lead", name="Line 3 controls", type="opportunity", partner_id=ids["contact"],
                       expected_revenue=11250.0, user_id=owner, stage_id=proposition)  # fmt: skip
    line = {"product_id": ids["controller"], "product_uom_qty": 5, "price_unit": 2500.0}
    until = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    ids["quote"] = make(call, "sale.order", partner_id=ids["contact"], opportunity_id=ids["deal"], user_id=owner,
                        validity_date=until, order_line=[[0, 0, line]])  # fmt: skip
    call("sale.order", "action_quotation_sent", [ids["quote"]])
    incoming(call, ids["deal"], ids["contact"], "What is the delivery time of the C-7?")
    make(call, "calendar.event", name="Visit", start=stamp(9), stop=stamp(8.95), opportunity_id=ids["deal"],
         partner_ids=[[6, 0, [ids["contact"]]]])  # fmt: skip
    return ids


def _order(call: Call, ids: dict[str, int], days: float) -> int:
    line = {"product_id": ids["filter"], "product_uom_qty": 10, "price_unit": 400.0}
    order = make(call, "sale.order", partner_id=ids["contact"], order_line=[[0, 0, line]])
    call("sale.order", "action_confirm", [order])
    call("sale.order", "write", [order], vals={"date_order": stamp(days)})
    return order


def incoming(call: Call, deal: int, contact: int, text: str) -> int:
    """A mail of the customer in the deal's chatter, as the mail gateway posts it."""
    posted = call("crm.lead", "message_post", [deal], body=f"<p>{text}</p>", body_is_html=True, message_type="email",
                  subtype_xmlid="mail.mt_comment", author_id=contact, email_from="dana@orbis.example",
                  subject="Delivery time?")  # fmt: skip
    return int(posted[0] if isinstance(posted, list) else posted)
