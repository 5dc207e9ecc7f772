"""Odoo's fields and our words: one table of fields, and the values that need a rule.

Odoo says `false` for everything that is empty. People and companies are both `res.partner`; a person without a company
is an account of their own, so that purchases have one. What has no word of ours stays in `x_odoo`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from connectors.documents import checked, coerced, decimal_text, instant_text, plain_text
from connectors.reference import REFERENCE
from crmplugin.domain.records import Document

VENDOR = "odoo"
Thing = Mapping[str, Any]
COLLECTIONS: Mapping[str, str] = {
    "crm.lead": "deals", "contact": "contacts", "company": "companies", "product.product": "products",
    "quote": "quotes", "order": "orders", "line": "line_items", "mail.message": "activities",
    "mail.activity": "activities", "calendar.event": "activities", "helpdesk.ticket": "tickets", "res.users": "users",
}  # fmt: skip
FIELDS: Mapping[str, Mapping[str, str]] = {
    "crm.lead": {
        "name": "name", "probability": "probability", "close_date": "date_deadline",
        "created_at": "create_date", "stage": "stage_id", "pipeline": "team_id", "owner_id": "user_id",
        "currency": "company_currency", "lost_reason": "lost_reason_id",
    },
    "contact": {"email": "email", "phone": "phone", "title": "function", "timezone": "tz", "created_at": "create_date",
                "salutation": "title"},
    "company": {"name": "name", "industry": "industry_id", "city": "city", "region": "state_id", "timezone": "tz",
                "owner_id": "user_id"},
    "product.product": {
        "name": "name", "sku": "default_code", "list_price": "list_price", "unit": "uom_id",
        "category": "categ_id", "currency": "currency_id", "description": "description_sale", "active": "active",
    },
    "quote": {"number": "name", "deal_id": "opportunity_id", "valid_until": "validity_date",
              "currency": "currency_id", "total": "amount_untaxed"},
    "order": {"number": "name", "deal_id": "opportunity_id", "ordered_at": "date_order", "currency": "currency_id",
              "total": "amount_untaxed", "delivered_at": "effective_date"},
    "line": {"description": "name", "quantity": "product_uom_qty", "unit_price": "price_unit",
             "discount_pct": "discount", "product_id": "product_id"},
    "mail.message": {"subject": "subject", "at": "date"},
    "mail.activity": {"subject": "summary", "at": "create_date", "due_on": "date_deadline", "user_id": "user_id"},
    "calendar.event": {"subject": "name", "at": "start", "ends_at": "stop", "user_id": "user_id",
                       "deal_id": "opportunity_id"},
    "helpdesk.ticket": {"subject": "name", "opened_at": "create_date", "owner_name": "user_id"},
    "res.users": {"name": "name", "email": "email", "phone": "phone", "timezone": "tz"},
}  # fmt: skip
"""Our key -> Odoo's. The settings' `fields` go over it."""
NAMED = frozenset({"stage", "pipeline", "currency", "lost_reason", "industry", "region", "unit", "category",
                   "salutation", "owner_name"})  # fmt: skip
"""Keys that hold the name of a related record, where others hold its id."""
QUOTE_STATES = {"draft": "draft", "sent": "sent", "sale": "accepted", "done": "accepted", "cancel": "declined"}
ORDER_STATES = frozenset({"sale", "done"})
ACTIVITY_KINDS = {"phonecall": "call", "meeting": "meeting"}
MESSAGE_KINDS = {"email": "email", "email_outgoing": "email", "comment": "email", "sms": "sms", "whatsapp": "chat",
                 "snail_mail": "letter"}  # fmt: skip
PRIORITIES = {"0": "P4", "1": "P3", "2": "P2", "3": "P1"}
DEFAULT_STAGES = {"New": "new", "Qualified": "qualified", "Proposition": "proposal"}
"""What the stages mean that every new Odoo has; won ones say so themselves."""
MARK = "@crmplugin"


@dataclass(frozen=True, slots=True)
class Database:
    """What one Odoo has set up: own fields, the meaning of its stages by name or id, and who we are in it."""

    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""


def to_document(kind: str, thing: Thing, database: Database, **ties: Any) -> Document:
    """One record of Odoo as a document of ours; `ties` are ids that the reading knows."""
    collection = COLLECTIONS[kind]
    own = database.fields.get(collection, {})
    fields = {**FIELDS[kind], **own}
    document = {key: coerced(collection, key, _said(key, thing.get(name), collection)) for key, name in fields.items()}
    ruled = RULES[kind](thing, database) if kind in RULES else {}
    mine = {key for key in own if document.get(key) is not None}
    document |= {key: value for key, value in {**ruled, **ties}.items() if key not in mine and value is not None}
    document.setdefault("id", str(thing.get("id")))
    said = {name for key, name in fields.items() if document.get(key) is not None}
    return checked(collection, document, rest=_rest(thing, said), vendor=VENDOR)


def _said(key: str, value: Any, collection: str) -> Any:
    """A field's value: the id or name of what it points at; `false` means empty unless it is a yes or no."""
    if value is False and not _is_truth(collection, key):
        return None
    if isinstance(value, Mapping):
        return name_of(value) if key in NAMED else value.get("id")
    if isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], int):
        return value[1] if key in NAMED else value[0]
    return value


@cache
def _is_truth(collection: str, key: str) -> bool:
    return coerced(collection, key, False) is False


def _rest(thing: Thing, said: set[str]) -> dict[str, Any]:
    """What we have no word for: plain values, and the ids of what was not read with its fields."""
    return {
        name: value
        for name, value in thing.items()
        if name not in said and name != "id" and isinstance(value, str | int | float) and value is not False
    }


def id_of(value: Any) -> str | None:
    """The id of a related record, in any of Odoo's forms: number, [id, name], record; None for `false`."""
    if isinstance(value, Mapping):
        value = value.get("id")
    elif isinstance(value, list | tuple):
        value = value[0] if value else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def name_of(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("display_name") or "") or None
    if isinstance(value, list | tuple) and len(value) == 2:
        return str(value[1])
    return None


def text_of(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def account_of(partner: Thing) -> str | None:
    """The id of the account that a partner belongs to: the company, or a person without one."""
    return id_of(partner.get("commercial_partner_id")) or id_of(partner.get("id"))


def status_of(lead: Thing) -> str:
    """open, won or lost; databases before 19 have no `won_status`, and their webhooks name a stage by number alone."""
    said, stage = lead.get("won_status"), lead.get("stage_id")
    if said is not None:
        return str(said) if said in ("won", "lost") else "open"
    if lead.get("active") is False:
        return "lost"
    won = stage.get("is_won") is True if isinstance(stage, Mapping) else bool(lead.get("date_closed"))
    return "won" if won else "open"


def stage_kind(lead: Thing, database: Database) -> str | None:
    status = status_of(lead)
    if status != "open":
        return status
    if lead.get("type") == "lead":
        return "new"
    name, id_ = name_of(lead.get("stage_id")) or "", id_of(lead.get("stage_id")) or ""
    return database.stages.get(id_) or database.stages.get(name) or DEFAULT_STAGES.get(name)


def _deal(lead: Thing, database: Database) -> Document:
    status = status_of(lead)
    return {
        "status": status,
        "stage_kind": stage_kind(lead, database),
        "closed_at": instant_text(lead.get("date_closed") or lead.get("date_last_stage_update"))
        if status != "open"
        else None,
        "amount": decimal_text(lead.get("expected_revenue")) if lead.get("expected_revenue") else None,
    }


def _consent(thing: Thing) -> Document | None:
    """Only a blacklist is said: being on no list is not consent."""
    states = {}
    if thing.get("is_blacklisted") is True:
        states["email"] = {"state": "withdrawn", "source": "mail.blacklist"}
    if thing.get("phone_blacklisted") is True:
        states |= {channel: {"state": "withdrawn", "source": "phone.blacklist"} for channel in ("phone", "sms")}
    return states or None


def _contact(partner: Thing, database: Database) -> Document:
    first, last = names_of(text_of(partner.get("name")))
    bounced = partner.get("message_bounce")
    return {
        "first_name": first,
        "last_name": last,
        "company_id": account_of(partner),
        "language": language_of(partner.get("lang")),
        "country": _country(partner),
        "postal_address": _address(partner),
        "status": "inactive" if partner.get("active") is False
        else "bounced" if isinstance(bounced, int) and bounced > 0 else None,
        "consent": _consent(partner),
    }  # fmt: skip


def names_of(name: str | None) -> tuple[str | None, str | None]:
    """First and last name; Odoo keeps one field."""
    parts = (name or "").split()
    if len(parts) < 2:
        return None, (parts[0] if parts else None)
    return " ".join(parts[:-1]), parts[-1]


def language_of(value: Any) -> str | None:
    return value.split("_")[0].lower() if isinstance(value, str) and value else None


def _country(partner: Thing) -> str | None:
    country = partner.get("country_id")
    return (text_of(country.get("code")) or name_of(country)) if isinstance(country, Mapping) else name_of(country)


def _address(partner: Thing) -> str | None:
    town = " ".join(part for part in (text_of(partner.get("zip")), text_of(partner.get("city"))) if part)
    return ", ".join(part for part in (text_of(partner.get("street")), town) if part) or None


def _company(partner: Thing, database: Database) -> Document:
    website = text_of(partner.get("website")) or ""
    host = urlsplit(website if "//" in website else f"//{website}").hostname if website else None
    return {
        "domain": (host or "").removeprefix("www.") or None,
        "country": _country(partner),
        "postal_address": _address(partner),
        "language": language_of(partner.get("lang")),
    }


def _quote(order: Thing, database: Database) -> Document:
    state = str(order.get("state"))
    return {
        "id": f"quote:{order['id']}",
        "status": QUOTE_STATES.get(state),
        "sent_at": instant_text(order.get("date_order")) if state == "sent" else None,
        "lines": [_line_of(line) for line in lines_of(order)] or None,
    }


def _order(order: Thing, database: Database) -> Document:
    invoices = [one for one in order.get("invoice_ids") or () if isinstance(one, Mapping)]
    posted = [one for one in invoices if one.get("state") == "posted" and one.get("move_type") == "out_invoice"]
    paid = posted and all(one.get("payment_state") in ("paid", "reversed") for one in posted)
    due = sorted(str(one["invoice_date_due"]) for one in posted if one.get("invoice_date_due"))
    return {
        "id": f"order:{order['id']}",
        "paid_at": max((instant_text(one.get("write_date")) or "" for one in posted), default="") or None
        if paid
        else None,
        "due_at": instant_text(due[-1]) if due else None,
        "lines": [_line_of(line) for line in lines_of(order)] or None,
    }


def lines_of(order: Thing) -> list[Thing]:
    """The lines that are sold: not the headings and notes between them."""
    found = order.get("order_line") or ()
    return [line for line in found if isinstance(line, Mapping) and not line.get("display_type")]


def _line_of(line: Thing) -> Document:
    keys = {"quantity": "product_uom_qty", "unit_price": "price_unit", "discount_pct": "discount"}
    made: Document = {ours: decimal_text(line.get(name)) for ours, name in keys.items()}
    made |= {"id": str(line["id"]), "product_id": id_of(line.get("product_id"))}
    return {key: value for key, value in made.items() if value is not None}


def _product(product: Thing, database: Database) -> Document:
    # Odoo says 0.0 where no cost is kept.
    return {"cost": decimal_text(product["standard_price"]) if product.get("standard_price") else None}


def message_kind(message: Thing) -> str | None:
    """What a message is in our words; None for what Odoo notes by itself."""
    done = message.get("mail_activity_type_id")
    if isinstance(done, Mapping):
        return ACTIVITY_KINDS.get(str(done.get("category")), "note")
    subtype = message.get("subtype_id")
    internal = message.get("is_internal") is True or (isinstance(subtype, Mapping) and subtype.get("internal") is True)
    if "body" in message and not plain_text(message.get("body") or None):
        return None
    if message.get("message_type") == "comment" and internal:
        return "note"
    return MESSAGE_KINDS.get(str(message.get("message_type")))


def is_inbound(message: Thing) -> bool:
    """Whether somebody outside wrote it: a mail that came in, or a customer in the portal.

    A webhook names the author by number alone: then what came by mail counts.
    """
    author, kind = message.get("author_id"), message.get("message_type")
    outside = author.get("partner_share") is True if isinstance(author, Mapping) else kind == "email"
    return outside and kind in ("email", "comment", "sms", "whatsapp")


def _message(message: Thing, database: Database) -> Document:
    kind = message_kind(message) or "note"
    inbound = is_inbound(message)
    author = id_of(message.get("author_id"))
    people = [author] if inbound and author else [id_ for id_ in map(id_of, message.get("partner_ids") or ()) if id_]
    ours = marker_in(message.get("message_id"))
    return {
        "id": f"message:{message['id']}",
        "type": kind,
        "direction": "internal" if kind == "note" else "inbound" if inbound else "outbound",
        "body": REFERENCE.sub("", plain_text(message.get("body") or None) or "") or None,
        "contact_ids": people or None,
        "thread_id": id_of(message.get("parent_id")),
        "source": ours,
    }


def message_id(marker: str) -> str:
    """The Message-Id that our notes have: by it they are found again."""
    return f"<{marker}{MARK}>"


def marker_in(value: Any) -> str | None:
    text = str(value or "")
    return text[1 : -len(MARK) - 1] if text.startswith("<crmplugin:") and text.endswith(f"{MARK}>") else None


def _activity(activity: Thing, database: Database) -> Document:
    note = plain_text(activity.get("note") or None) or ""
    ours = REFERENCE.search(note)
    done = activity.get("active") is False
    kind = activity.get("activity_type_id")
    return {
        "id": f"activity:{activity['id']}",
        "type": "task",
        "direction": "internal",
        "owner_side": "us",
        "subject": text_of(activity.get("summary")) or name_of(kind),
        "body": REFERENCE.sub("", note) or None,
        "done_at": _done_at(activity) if done else None,
        "source": ours[1] if ours else None,
    }


def _done_at(activity: Thing) -> str | None:
    """When it was done: Odoo keeps the day, and the moment only as that of the last change, if it was on that day."""
    day, changed = text_of(activity.get("date_done")), text_of(activity.get("write_date"))
    return instant_text(changed if changed and changed.startswith(day or "") else day)


def _meeting(event: Thing, database: Database) -> Document:
    people = [id_ for id_ in map(id_of, event.get("partner_ids") or ()) if id_]
    return {
        "id": f"meeting:{event['id']}",
        "type": "meeting",
        "body": plain_text(event.get("description") or None),
        "contact_ids": people or None,
    }


def _ticket(ticket: Thing, database: Database) -> Document:
    stage = ticket.get("stage_id")
    closed = isinstance(stage, Mapping) and (stage.get("fold") is True or stage.get("closed") is True)
    ended = ticket.get("close_date") or ticket.get("closed_date")
    return {
        "number": text_of(ticket.get("ticket_ref")) or text_of(ticket.get("number")),
        "body": plain_text(ticket.get("description") or None),
        "priority": PRIORITIES.get(str(ticket.get("priority"))),
        "status": "closed" if closed or ticket.get("active") is False else "open",
        "resolved_at": instant_text(ended) if ended else None,
        "contact_id": id_of(ticket.get("partner_id")),
        "product_id": id_of(ticket.get("product_id")),
    }


def _user(user: Thing, database: Database) -> Document:
    return {
        "email": text_of(user.get("email")) or text_of(user.get("login")),
        "language": language_of(user.get("lang")),
    }


RULES: Mapping[str, Callable[[Thing, Database], Document]] = {
    "crm.lead": _deal, "contact": _contact, "company": _company, "quote": _quote, "order": _order,
    "product.product": _product, "mail.message": _message, "mail.activity": _activity, "calendar.event": _meeting,
    "helpdesk.ticket": _ticket, "res.users": _user,
}  # fmt: skip


def stranger(lead: Thing) -> tuple[Document | None, Document | None]:
    """The company and the person that a lead without a partner names itself, with the lead's id as theirs."""
    id_ = f"lead:{lead['id']}"
    company = text_of(lead.get("partner_name")) or text_of(lead.get("contact_name")) or text_of(lead.get("email_from"))
    if company is None:
        return None, None
    first, last = names_of(text_of(lead.get("contact_name")))
    person = {
        "id": id_, "company_id": id_, "first_name": first, "last_name": last, "lifecycle": "lead",
        "email": _address_in(lead.get("email_from")), "phone": text_of(lead.get("phone")),
        "title": text_of(lead.get("function")), "language": language_of(lead.get("lang_code")),
        "consent": _consent(lead),
    }  # fmt: skip
    return (
        checked("companies", {"id": id_, "name": company}, rest={}, vendor=VENDOR),
        checked("contacts", person, rest={}, vendor=VENDOR),
    )


def _address_in(value: Any) -> str | None:
    return parseaddr(value)[1] or None if isinstance(value, str) else None
