"""The shorthands of the sample data, written out as records: deal paths, priced lines, rhythms of orders, talks.

Deals, talks and rhythms are written out before the times are resolved; prices, quotes and orders after it, because a
price depends on the day.
All amounts are Decimal strings in the currency of the company (or of the quote or order that names its own). Whatever
a data file says in full stays as it says it; a shorthand only fills what is absent.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crmplugin.demo.dates import resolve

Record = dict[str, Any]
HISTORY_DAYS = 548
"""Orders go back eighteen months."""

STAGES = {
    "Equipment": {
        "New": ("new", 10), "Qualified": ("qualified", 20), "Proposal": ("proposal", 40),
        "Negotiation": ("negotiation", 65), "Closing": ("closing", 85), "Won": ("won", 100), "Lost": ("lost", 0),
    },
    "Service": {
        "Enquiry": ("new", 10), "Site check": ("qualified", 30), "Offer": ("proposal", 50),
        "Terms": ("negotiation", 70), "Signature": ("closing", 90), "Won": ("won", 100), "Lost": ("lost", 0),
    },
}  # fmt: skip
"""Per pipeline: stage -> its kind and its probability in percent."""

WAYS = {
    "in": ("email", "inbound"), "out": ("email", "outbound"), "auto-in": ("email", "inbound"),
    "auto-out": ("email", "outbound"), "bounce": ("email", "outbound"), "call-in": ("call", "inbound"),
    "call-out": ("call", "outbound"), "meeting": ("meeting", "outbound"), "visit": ("visit", "outbound"),
    "note": ("note", "internal"), "chat-in": ("chat", "inbound"), "chat-out": ("chat", "outbound"),
    "form": ("form", "inbound"), "sms-in": ("sms", "inbound"), "sms-out": ("sms", "outbound"),
    "social-in": ("social", "inbound"),
    "social-out": ("social", "outbound"), "letter-out": ("letter", "outbound"), "task-us": ("task", "internal"),
    "task-them": ("task", "internal"),
}  # fmt: skip
"""Word in a talk -> type and direction of the activity."""


def cents(amount: Decimal) -> str:
    """The amount as a decimal string with two digits after the point."""
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


def expand_price_list(lists: list[Record]) -> list[Record]:
    """One general price for each product and currency of the compact price lists."""
    return [
        {"id": f"PR-{entry['name']}-{entry['currency']}-{product}", "product_id": product, "unit_price": price,
         "currency": entry["currency"], "valid_from": entry.get("valid_from"),
         "valid_until": entry.get("valid_until")}
        for entry in lists
        for product, price in entry["prices"].items()
    ]  # fmt: skip


def price_on(prices: list[Record], product: str, company: str, quantity: Decimal, currency: str, day: str) -> str:
    """The lowest unit price that holds that day: the company's own rows first, then the general ones."""
    rows = [
        row for row in prices
        if row["product_id"] == product and row["currency"] == currency
        and row.get("company_id") in (None, company) and Decimal(str(row.get("min_quantity") or 0)) <= abs(quantity)
        and (row.get("valid_from") or "0000") <= day <= (row.get("valid_until") or "9999")
    ]  # fmt: skip
    own = [row for row in rows if row.get("company_id")] or rows
    if not own:
        raise ValueError(f"no price for {product} in {currency} on {day}")
    return str(min(own, key=lambda row: Decimal(row["unit_price"]))["unit_price"])


def expand_lines(lines: list[list[Any]], prices: list[Record], company: str, currency: str, day: str) -> list[Record]:
    """`["P-D30", 2]` or `["P-D30", 2, "8900.00"]` as lines with product, quantity and unit price."""
    full = []
    for product, quantity, *price in lines:
        found = price[0] if price else price_on(prices, product, company, Decimal(str(quantity)), currency, day)
        full.append({"product_id": product, "quantity": quantity, "unit_price": found})
    return full


def sum_lines(lines: list[Record], *, discount_pct: Any = 0, freight: Any = 0) -> str:
    """Quantity times price of all lines, less the discount, plus freight."""
    gross = sum((Decimal(str(line["quantity"])) * Decimal(line["unit_price"]) for line in lines), Decimal(0))
    return cents(gross * (100 - Decimal(str(discount_pct or 0))) / 100 + Decimal(str(freight or 0)))


def fill_contact(contact: Record, company: Record) -> Record:
    """The contact with what it takes from its company; nobody is new unless the data says so."""
    taken = {key: company[key] for key in ("language", "country", "timezone")}
    return {"status": "active", "created_at": "@-370d 09:00", **taken, **contact}


def add_wordings(product: Record, wordings: list[Record]) -> Record:
    """The product with its features in other languages after its own."""
    rows = [row for row in wordings if row["product_id"] == product["id"]]
    own = [{key: value for key, value in row.items() if key != "product_id"} for row in rows]
    return {**product, "features": [*product.get("features", []), *own]} if own else product


def expand_deal(deal: Record, companies: dict[str, Record]) -> tuple[Record, list[Record]]:
    """A deal and its stage changes from `path = "New 60 > Proposal 41"`: stages entered so many working days ago."""
    company = companies[deal["company_id"]]
    steps = [step.rsplit(" ", 1) for step in deal.pop("path").split(" > ")]
    moves = [(stage, f"@-{days}bd 09:40") for stage, days in steps]
    stages = STAGES[deal.setdefault("pipeline", "Equipment")]
    kind, probability = stages[moves[-1][0]]
    full = {
        "owner_id": company["owner_id"], "currency": company["currency"], "stage": moves[-1][0], "stage_kind": kind,
        "status": kind if kind in ("won", "lost") else "open", "created_at": moves[0][1], "probability": probability,
        "primary_contact_id": (deal.get("contact_ids") or [None])[0], **closing_times(moves), **deal,
    }  # fmt: skip
    return full, stage_changes(deal["id"], moves)


def closing_times(moves: list[tuple[str, str]]) -> Record:
    """`closed_at` of the last win or loss, and `reopened_at` when the deal moved on after a loss."""
    closed = [at for stage, at in moves if stage in ("Won", "Lost")]
    reopened = [after for (stage, _), (_, after) in zip(moves, moves[1:], strict=False) if stage == "Lost"]
    times = {"closed_at": closed[-1]} if closed else {}
    return {**times, "reopened_at": reopened[-1]} if reopened else times


def stage_changes(deal: str, moves: list[tuple[str, str]]) -> list[Record]:
    stages = [None, *(stage for stage, _ in moves)]
    return [
        {"id": f"SC-{deal}-{n}", "deal_id": deal, "from": before, "to": stage, "at": at}
        for n, (before, (stage, at)) in enumerate(zip(stages, moves, strict=False), 1)
    ]


def newest_sent(quotes: list[Record]) -> dict[str, Record]:
    """Deal id -> the quote that was sent last."""
    sent = [quote for quote in quotes if quote.get("sent_at")]
    return {quote["deal_id"]: quote for quote in sorted(sent, key=lambda quote: str(quote["sent_at"]))}


def price_deal(deal: Record, quote: Record | None, prices: list[Record], names: dict[str, str]) -> list[Record]:
    """The line items of a deal: those of its quote, freight too, else its own lines at the prices of its first day.

    Fills the deal's products, discount and, where it names none, its amounts.
    """
    currency, own = str(deal["currency"]), deal.pop("lines", [])
    lines = (
        quote["lines"] if quote else expand_lines(own, prices, deal["company_id"], currency, deal["created_at"][:10])
    )
    if not lines:
        return []
    discount, freight = (quote or deal).get("discount_pct"), (quote or {}).get("freight")
    deal.setdefault("list_amount", sum_lines(lines))
    deal.setdefault("amount", quote["total"] if quote else sum_lines(lines, discount_pct=discount))
    deal.setdefault("discount_pct", discount)
    deal.setdefault("product_ids", [line["product_id"] for line in lines])
    items = [line_item(line, names[line["product_id"]], discount) for line in lines]
    items += [{"description": "Freight", "quantity": 1, "unit_price": freight}] if freight else []
    return [
        {"id": f"LI-{deal['id']}-{n}", "deal_id": deal["id"], "currency": currency, **item}
        for n, item in enumerate(items, 1)
    ]


def line_item(line: Record, description: str, discount_pct: Any) -> Record:
    taken = {key: line[key] for key in ("product_id", "quantity", "unit_price")}
    return {**taken, "description": description, "discount_pct": discount_pct}


def expand_quote(quote: Record, deals: dict[str, Record], prices: list[Record], names: dict[str, str]) -> Record:
    """A quote with priced lines and, unless it says another one, the total of its lines, discount and freight."""
    deal = deals[quote["deal_id"]]
    currency = str(quote.setdefault("currency", deal["currency"]))
    day = (quote.get("sent_at") or deal["created_at"])[:10]
    lines = expand_lines(quote["lines"], prices, deal["company_id"], currency, day)
    for n, line in enumerate(lines, 1):
        line.update(id=f"{quote['id']}-{n}", description=names[line["product_id"]])
    total = sum_lines(lines, discount_pct=quote.get("discount_pct"), freight=quote.get("freight"))
    return {"timezone": "Europe/Berlin", "total": total, **quote, "lines": lines}


def expand_rhythm(rhythm: Record) -> list[Record]:
    """Orders at a fixed rhythm: every so many days, the last one `last` days ago, each moved by the wobble in turn."""
    wobble = rhythm.get("wobble", [0])
    days = [rhythm["last"] + k * rhythm["every"] + (wobble[k % len(wobble)] if k else 0) for k in range(99)]
    days = [ago for ago in days if ago <= min(HISTORY_DAYS, rhythm.get("since", HISTORY_DAYS))]
    return [
        {"id": f"{rhythm['id']}-{n}", "company_id": rhythm["company_id"], "contact_id": rhythm.get("contact_id"),
         "ordered": f"@-{ago}d", "delivered": rhythm.get("takes", 4), "paid": rhythm.get("paid", 24),
         "lines": [list(line) for line in rhythm["lines"]]}
        for n, ago in enumerate(reversed(days), 1)
    ]  # fmt: skip


def expand_order(order: Record, companies: dict[str, Record], prices: list[Record], today: date) -> Record:
    """An order with priced lines, total and times: `ordered` a day, `delivered` and `paid` calendar days after it."""
    company = companies[order["company_id"]]
    zone, currency = company["timezone"], str(order.pop("currency", company["currency"]))
    ordered = date.fromisoformat(order.pop("ordered"))
    delivered, paid = order.pop("delivered", None), order.pop("paid", None)
    lines = expand_lines(order.pop("lines"), prices, company["id"], currency, ordered.isoformat())
    return {
        "number": f"L{order['id']}", "currency": currency, **order,
        "ordered_at": moment(ordered, "10:20", zone), "due_at": moment(ordered + timedelta(days=30), "12:00", zone),
        "delivered_at": past(ordered, delivered, "13:30", zone, today),
        "paid_at": past(ordered, paid, "09:00", zone, today),
        "total": sum_lines(lines, freight=order.get("freight")), "lines": lines,
    }  # fmt: skip


def moment(day: date, at: str, zone: str) -> str:
    return resolve(f"@+0bd {at} {zone}", day)


def past(start: date, days: int | None, at: str, zone: str, today: date) -> str | None:
    """The moment so many days after the start, or None when there is none or it is still to come."""
    if days is None or start + timedelta(days=days) >= today:
        return None
    return moment(start + timedelta(days=days), at, zone)


def expand_talk(talk: Record, deals: dict[str, Record], companies: dict[str, Record], seller_zone: str) -> list[Record]:
    """The activities of one talk; `lines` hold way, time, text and, if need be, a table of further fields.

    A time without a zone is local time of whoever acts: the company for inbound lines, the seller for all others.
    """
    deal = deals.get(talk.get("deal_id", ""), {})
    company = companies[talk.get("company_id") or deal["company_id"]]
    contacts = talk.get("contact_ids") or deal.get("contact_ids", [])[:1]
    common = {
        "deal_id": talk.get("deal_id"), "company_id": company["id"], "ticket_id": talk.get("ticket_id"),
        "contact_ids": contacts, "user_id": talk.get("user_id") or company["owner_id"],
    }  # fmt: skip
    return [
        expand_activity(f"{talk['id']}-{n}", line, talk, common, company["timezone"], seller_zone)
        for n, line in enumerate(talk["lines"], 1)
    ]


def expand_activity(id: str, line: list[Any], talk: Record, common: Record, their_zone: str, our_zone: str) -> Record:
    way, at, text, *more = line
    type_, direction = WAYS[way]
    at = at if "/" in at else f"{at} {their_zone if direction == 'inbound' else our_zone}"
    record = {"id": id, "type": type_, "direction": direction, "at": at, **common, "body": text.strip()}
    if type_ in ("email", "chat", "sms", "form", "social"):
        record["thread_id"] = talk["id"]
    if type_ == "email":
        record["subject"] = talk.get("subject")
    if type_ in ("meeting", "visit"):
        record.update(subject=talk.get("subject"))
    if type_ == "task":
        record.update(subject=record.pop("body"), owner_side=way.removeprefix("task-"))
    if way.startswith("auto") or way == "bounce":
        record.update(automatic=way.startswith("auto"), bounced=way == "bounce")
    return {**record, **(more[0] if more else {})}


def set_ends(activity: Record) -> Record:
    """The activity with `ends_at` worked out from `minutes`, once its time is resolved."""
    minutes = activity.pop("minutes", 60 if activity["type"] in ("meeting", "visit") else None)
    if minutes:
        activity["ends_at"] = (datetime.fromisoformat(activity["at"]) + timedelta(minutes=minutes)).isoformat()
    return activity
