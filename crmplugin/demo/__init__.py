"""The sample company that ships with the product: one records document whose times slide with "today".

The TOML files beside this module are the data, in the records format plus the shorthands of `expand`; `README.md`
tells who is who and which account shows what. Nothing here is random: the same day gives the same document.
"""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files
from typing import Any

from crmplugin.demo.dates import fill_text, resolve
from crmplugin.demo.expand import (
    Record,
    add_wordings,
    expand_deal,
    expand_order,
    expand_price_list,
    expand_quote,
    expand_rhythm,
    expand_talk,
    fill_contact,
    newest_sent,
    price_deal,
    set_ends,
)

FORMAT = "crmplugin-records/1"
FILES = (
    "seller", "people", "catalogue", "deals", "quotes", "orders", "contracts", "mails", "tickets",
    "articles", "claims", "wordings", "policy", "voice",
)  # fmt: skip
SHORTHANDS = ("price_lists", "rhythms", "talks", "wordings")
"""Keys of the files that are not collections of the format; `expand` writes them out."""


def load(today: date) -> dict[str, Any]:
    """One `crmplugin-records/1` document as of that day, plain enough for `json.dumps`."""
    data = _read_files()
    zone = data["seller"]["timezone"]
    companies = {company["id"]: company for company in data["companies"]}
    _write_out(data, companies, zone)
    data = slide(data, today, zone)
    _price(data, companies, today)
    data["activities"] = sorted(map(set_ends, data["activities"]), key=lambda activity: activity["at"])
    return {"format": FORMAT, **{key: value for key, value in data.items() if key not in SHORTHANDS}}


def events(today: date) -> list[dict[str, Any]]:
    """Webhook bodies that a demo start posts to the local CRM, so that drafts wait within the first minute."""
    found: list[dict[str, Any]] = slide(_read("events"), today, "UTC")["events"]
    return found


def slide(value: Any, today: date, zone: str) -> Any:
    """The value with every time notation resolved and every day inside a text written out."""
    if isinstance(value, dict):
        return {key: slide(part, today, zone) for key, part in value.items()}
    if isinstance(value, list):
        return [slide(part, today, zone) for part in value]
    if not isinstance(value, str):
        return value
    return resolve(value, today, zone) if value.startswith("@") else fill_text(value, today)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))


def _read_files() -> dict[str, Any]:
    """All data files as one; lists of the same name are joined in the order of FILES."""
    data: dict[str, Any] = {}
    for name in FILES:
        for key, value in _read(name).items():
            data[key] = data[key] + value if isinstance(value, list) and key in data else value
    return data


def _write_out(data: dict[str, Any], companies: dict[str, Record], zone: str) -> None:
    """Deals, orders at a rhythm and talks in full; their times still are offsets."""
    data["products"] = [add_wordings(product, data["wordings"]) for product in data["products"]]
    data["contacts"] = [fill_contact(contact, companies[contact["company_id"]]) for contact in data["contacts"]]
    expanded = [expand_deal(deal, companies) for deal in data["deals"]]
    data["deals"] = [deal for deal, _ in expanded]
    data["stage_changes"] = [change for _, changes in expanded for change in changes]
    data["orders"] += [order for rhythm in data["rhythms"] for order in expand_rhythm(rhythm)]
    deals = {deal["id"]: deal for deal in data["deals"]}
    data["activities"] = [activity for talk in data["talks"] for activity in expand_talk(talk, deals, companies, zone)]


def _price(data: dict[str, Any], companies: dict[str, Record], today: date) -> None:
    """Prices on the lines of deals, quotes and orders, and the totals that follow from them."""
    data["prices"] += expand_price_list(data["price_lists"])
    names = {product["id"]: product["name"] for product in data["products"]}
    deals = {deal["id"]: deal for deal in data["deals"]}
    data["quotes"] = [expand_quote(quote, deals, data["prices"], names) for quote in data["quotes"]]
    quotes = newest_sent(data["quotes"])
    data["line_items"] = [
        item for deal in data["deals"] for item in price_deal(deal, quotes.get(deal["id"]), data["prices"], names)
    ]
    orders = [expand_order(order, companies, data["prices"], today) for order in data["orders"]]
    data["orders"] = sorted(orders, key=lambda order: order["ordered_at"])
