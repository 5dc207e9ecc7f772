"""HubSpot's properties and our words: one table of fields, and the few values that need a rule.

All values arrive as texts or null. What has no word of ours stays in `x_hubspot`. Bodies are what outsiders wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.documents import checked, coerced, decimal_text, instant_text, plain_text, truth
from connectors.hubspot.events import STAGE_KINDS
from connectors.reference import REFERENCE
from crmplugin.domain.records import Document

VENDOR = "hubspot"
Links = Mapping[str, Sequence[str]]
"""Kind of HubSpot object -> ids that a record is tied to."""

COLLECTIONS: Mapping[str, str] = {
    "deals": "deals", "contacts": "contacts", "companies": "companies", "line_items": "line_items",
    "products": "products", "quotes": "quotes", "orders": "orders", "tickets": "tickets", "notes": "activities",
    "emails": "activities", "calls": "activities", "meetings": "activities", "tasks": "activities",
}  # fmt: skip
ACTIVITY_TYPES = {"notes": "note", "emails": "email", "calls": "call", "meetings": "meeting", "tasks": "task"}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "deals": {
        "name": "dealname", "amount": "amount", "currency": "deal_currency_code", "created_at": "createdate",
        "close_date": "closedate", "owner_id": "hubspot_owner_id", "next_step": "hs_next_step",
        "lost_reason": "closed_lost_reason",
    },
    "contacts": {
        "first_name": "firstname", "last_name": "lastname", "email": "email", "title": "jobtitle", "phone": "phone",
        "country": "country", "language": "hs_language", "timezone": "hs_timezone", "salutation": "salutation",
        "company_id": "associatedcompanyid", "created_at": "createdate", "source": "hs_analytics_source",
    },
    "companies": {
        "name": "name", "domain": "domain", "industry": "industry", "employees": "numberofemployees", "city": "city",
        "country": "country", "region": "state", "timezone": "timezone", "owner_id": "hubspot_owner_id",
    },
    "line_items": {
        "description": "name", "quantity": "quantity", "unit_price": "price", "product_id": "hs_product_id",
        "discount_pct": "hs_discount_percentage", "currency": "hs_line_item_currency_code",
    },
    "products": {
        "name": "name", "description": "description", "list_price": "price", "sku": "hs_sku",
        "cost": "hs_cost_of_goods_sold",
    },
    "quotes": {
        "number": "hs_quote_number", "total": "hs_quote_amount", "valid_until": "hs_expiration_date",
        "currency": "hs_currency",
    },
    "orders": {
        "number": "hs_order_name", "total": "hs_total_price", "currency": "hs_currency_code",
        "ordered_at": "hs_external_created_date", "freight": "hs_shipping_cost",
    },
    "tickets": {"subject": "subject", "opened_at": "createdate", "resolved_at": "closed_date"},
    "notes": {"at": "hs_timestamp", "user_id": "hubspot_owner_id"},
    "emails": {
        "at": "hs_timestamp", "user_id": "hubspot_owner_id", "subject": "hs_email_subject",
        "thread_id": "hs_email_thread_id",
    },
    "calls": {"at": "hs_timestamp", "user_id": "hubspot_owner_id", "subject": "hs_call_title"},
    "meetings": {
        "at": "hs_meeting_start_time", "ends_at": "hs_meeting_end_time", "user_id": "hubspot_owner_id",
        "subject": "hs_meeting_title",
    },
    "tasks": {
        "at": "hs_createdate", "due_at": "hs_timestamp", "user_id": "hubspot_owner_id", "subject": "hs_task_subject",
        "done_at": "hs_task_completion_date",
    },
}  # fmt: skip
"""Our key -> HubSpot's property. The settings' `fields` go over it."""

RULED: Mapping[str, tuple[str, ...]] = {
    "deals": ("dealstage", "pipeline", "hs_is_closed", "hs_is_closed_won", "hs_deal_stage_probability",
              "hs_lastmodifieddate", "hs_merged_object_ids", "description", "dealtype"),
    "contacts": ("lifecyclestage", "hs_buying_role", "hs_legal_basis", "hs_email_bad_address",
                 "hs_email_hard_bounce_reason_enum", "hs_marketable_status", "lastmodifieddate", "hs_merged_object_ids",
                 "hubspot_owner_id", "city"),
    "companies": ("lifecyclestage", "hs_lastmodifieddate", "hs_merged_object_ids", "description", "annualrevenue"),
    "line_items": ("description", "amount", "discount", "hs_sku", "recurringbillingfrequency",
                   "hs_recurring_billing_period", "hs_lastmodifieddate"),
    "products": ("hs_lastmodifieddate",),
    "quotes": ("hs_title", "hs_status", "hs_quote_link", "hs_createdate", "hs_lastmodifieddate"),
    "orders": ("hs_fulfillment_status", "hs_createdate", "hs_lastmodifieddate"),
    "tickets": ("content", "hs_pipeline_stage", "hs_ticket_priority", "hubspot_owner_id", "hs_lastmodifieddate",
                "source_type", "hs_merged_object_ids"),
    "notes": ("hs_note_body", "hs_lastmodifieddate"),
    "emails": ("hs_email_text", "hs_email_html", "hs_email_direction", "hs_email_status", "hs_email_headers",
               "hs_lastmodifieddate"),
    "calls": ("hs_call_body", "hs_call_direction", "hs_call_duration", "hs_call_disposition", "hs_lastmodifieddate"),
    "meetings": ("hs_meeting_body", "hs_internal_meeting_notes", "hs_meeting_outcome", "hs_timestamp",
                 "hs_lastmodifieddate"),
    "tasks": ("hs_task_body", "hs_task_status", "hs_task_priority", "hs_lastmodifieddate"),
}  # fmt: skip
"""Properties that are read for a rule below, or for the mirror."""

LEAD = ("hs_lead_name", "hs_lead_label", "hs_lead_type", "hs_pipeline_stage", "hubspot_owner_id", "hs_lastmodifieddate")
"""Properties of a lead, which is kept with its person."""
LINE_KEYS: Mapping[str, tuple[str, ...]] = {
    "orders": ("product_id", "quantity", "unit_price", "discount_pct"),
    "quotes": ("id", "product_id", "description", "quantity", "unit_price", "discount_pct"),
}
"""What a line of an order or a quote says, of all that a line item does."""
HISTORY: Mapping[str, tuple[str, ...]] = {"deals": ("dealstage",), "quotes": ("hs_status",)}
"""Properties whose past is read too."""
TICKET_STATUSES = {"1": "open", "2": "pending", "3": "open", "4": "closed"}
PRIORITIES = {"URGENT": "P1", "HIGH": "P2", "MEDIUM": "P3", "LOW": "P4"}
DIRECTIONS = {"EMAIL": "outbound", "INCOMING_EMAIL": "inbound", "INBOUND": "inbound", "OUTBOUND": "outbound"}
LIFECYCLES = {
    "subscriber": "lead", "lead": "lead", "marketingqualifiedlead": "lead", "salesqualifiedlead": "prospect",
    "opportunity": "prospect", "customer": "customer", "evangelist": "customer",
}  # fmt: skip
ROLES = {
    "DECISION_MAKER": "economic_buyer", "BUDGET_HOLDER": "economic_buyer", "CHAMPION": "champion", "END_USER": "user",
}  # fmt: skip
LEGAL_BASES = {"freely given consent from contact": "consent", "performance of a contract": "contract"}
PUBLISHED = ("APPROVED", "APPROVAL_NOT_NEEDED")


@dataclass(frozen=True, slots=True)
class Account:
    """What one account has set up: its fields, what its stages mean, and its people."""

    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Collection -> our key -> property, from the settings."""
    stages: Mapping[str, str] = field(default_factory=dict)
    """Stage id -> our stage kind; `ticket:<id>` -> ticket status."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Stage or pipeline id -> its name; closed stages also say `won` or `lost` in `stages`."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Owner id -> name."""
    currency: str | None = None
    opt_outs: tuple[str, ...] = ("hs_email_optout",)
    """Properties of a person that say "no mail from us"."""


def properties_of(kind: str, account: Account) -> list[str]:
    """What to ask for, each once."""
    if kind == "leads":
        return list(LEAD)
    more = account.opt_outs if kind == "contacts" else ()
    return list(dict.fromkeys((*fields_of(kind, account).values(), *RULED[kind], *more)))


def fields_of(kind: str, account: Account) -> dict[str, str]:
    """Our key -> property, the account's own over the standard ones."""
    own = account.fields.get(COLLECTIONS[kind], {})
    return {**FIELDS[kind], **own}


def to_document(kind: str, thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    """One HubSpot record as a document of ours; what is not understood stays in `x_hubspot`."""
    given = thing.get("properties")
    values: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    collection, fields = COLLECTIONS[kind], fields_of(kind, account)
    document = {key: coerced(collection, key, values.get(name)) for key, name in fields.items()}
    ruled = RULES[kind](values, thing, links, account)
    # What the admin mapped is what the admin wants, whatever our rule says.
    own = {key for key in account.fields.get(collection, {}) if document.get(key) is not None}
    document |= {key: value for key, value in ruled.items() if key not in own}
    id_ = str(thing.get("id"))
    document["id"] = f"{kind}:{id_}" if kind in ACTIVITY_TYPES else id_
    rest = {name: value for name, value in values.items() if not _is_said(name, value, fields, document)}
    return checked(collection, document, rest=rest, vendor=VENDOR)


def _is_said(name: str, value: Any, fields: Mapping[str, str], document: Mapping[str, Any]) -> bool:
    """Whether a property's value stands in the document as it came."""
    return value in (None, "") or any(document.get(key) == value for key, prop in fields.items() if prop == name)


def _deal(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    stage = str(values.get("dealstage") or "")
    kind = {**STAGE_KINDS, **account.stages}.get(stage)
    won, closed = truth(values.get("hs_is_closed_won")), truth(values.get("hs_is_closed"))
    status = "won" if won or kind == "won" else "lost" if closed or kind == "lost" else "open"
    contacts = list(links.get("contacts", ()))
    return {
        "stage": account.labels.get(stage, stage) or None,
        "pipeline": account.labels.get(str(values.get("pipeline")), values.get("pipeline")),
        "stage_kind": kind or (status if status != "open" else None),
        "status": status,
        "probability": _percent(values.get("hs_deal_stage_probability")),
        "currency": values.get("deal_currency_code") or account.currency,
        "company_id": _first(links.get("companies")),
        "contact_ids": contacts or None,
        "primary_contact_id": _first(contacts),
        **_closing(thing, status, values, account),
    }


def _closing(
    thing: Mapping[str, Any], status: str, values: Mapping[str, Any], account: Account
) -> dict[str, str | None]:
    """When the deal closed; of one that was opened again both times."""
    moves = _history(thing, "dealstage")
    kinds = {**STAGE_KINDS, **account.stages}
    closings = [at for at, value in moves if kinds.get(value) in ("won", "lost")]
    if status != "open":
        return {"closed_at": closings[-1] if closings else instant_text(values.get("closedate"))}
    again = [at for at, value in moves if closings and at > closings[-1] and kinds.get(value) not in ("won", "lost")]
    return {"closed_at": closings[-1], "reopened_at": again[0]} if again else {}


def stage_changes(deal: Mapping[str, Any], account: Account) -> list[Document]:
    """The moves of a deal through its stages, oldest first, from the property's history."""
    moves, changes = _history(deal, "dealstage"), []
    for number, (at, stage) in enumerate(moves):
        before = moves[number - 1][1] if number else None
        change = {
            "id": f"{deal.get('id')}:{at}",
            "deal_id": str(deal.get("id")),
            "from": account.labels.get(before, before) if before else None,
            "to": account.labels.get(stage, stage),
            "at": at,
        }
        changes.append(checked("stage_changes", change, rest={}, vendor=VENDOR))
    return changes


def was_won(deal: Mapping[str, Any], account: Account) -> bool:
    """Whether a deal that is won no more once was, by its past."""
    kinds = {**STAGE_KINDS, **account.stages}
    stages = [kinds.get(stage) for _, stage in _history(deal, "dealstage")]
    return "won" in stages and stages[-1] != "won"


def lines_of(collection: str, ids: Sequence[str], lines: Mapping[str, Document]) -> list[Document]:
    """The lines of a quote or an order, out of line items by id."""
    own = [lines[id_] for id_ in ids if id_ in lines]
    return [{key: line[key] for key in LINE_KEYS[collection] if key in line} for line in own]


def _history(thing: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    """A property's past as (instant, value), oldest first."""
    past = thing.get("propertiesWithHistory")
    entries = past.get(name) if isinstance(past, Mapping) else None
    pairs = [
        (instant_text(entry.get("timestamp")), str(entry.get("value") or ""))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping)
    ]
    return sorted((at, value) for at, value in pairs if at and value)


def _contact(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    roles = str(values.get("hs_buying_role") or "").split(";")
    bounced = truth(values.get("hs_email_bad_address")) or values.get("hs_email_hard_bounce_reason_enum")
    language, stage = str(values.get("hs_language") or ""), str(values.get("lifecyclestage") or "").lower()
    return {
        "company_id": _first(links.get("companies")) or values.get("associatedcompanyid") or None,
        "lifecycle": LIFECYCLES.get(stage) or ("lead" if values.get("leads") else None),
        "role": ROLES.get(roles[0].strip(), roles[0].strip().lower() or None),
        "language": re.split("[-_]", language)[0].lower() or None,
        "status": "bounced" if bounced else None,
        "consent": _consent(values, account) or None,
    }


def with_leads(person: Mapping[str, Any], leads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A person with what is wanted of them: a lead of HubSpot has no name and address of its own."""
    values = person.get("properties") or {}
    return {**person, "properties": {**values, "leads": [lead.get("properties") or {} for lead in leads]}}


def _consent(values: Mapping[str, Any], account: Account) -> Document:
    """What HubSpot says of mail: an opt-out counts before anything else."""
    for name in account.opt_outs:
        if truth(values.get(name)):
            return {"email": {"state": "withdrawn", "source": name}}
    for basis in str(values.get("hs_legal_basis") or "").lower().split(";"):
        if basis.strip() in LEGAL_BASES:
            return {"email": {"state": "granted", "basis": LEGAL_BASES[basis.strip()], "source": "hs_legal_basis"}}
    return {}


def _quote(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    status = str(values.get("hs_status") or "")
    published = [at for at, value in _history(thing, "hs_status") if value in PUBLISHED]
    return {
        "number": values.get("hs_quote_number") or values.get("hs_title") or None,
        "status": {"DRAFT": "draft", "REJECTED": "draft", "PENDING_APPROVAL": "draft"}.get(status)
        or ("sent" if status in PUBLISHED else None),
        "sent_at": published[0] if published else None,
        "deal_id": _first(links.get("deals")),
    }


def _order(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    return {
        "ordered_at": instant_text(values.get("hs_external_created_date") or values.get("hs_createdate")),
        "company_id": _first(links.get("companies")),
        "contact_id": _first(links.get("contacts")),
        "deal_id": _first(links.get("deals")),
    }


def _line_item(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    return {
        "deal_id": _first(links.get("deals")),
        "currency": values.get("hs_line_item_currency_code") or account.currency,
    }


def _ticket(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    stage = str(values.get("hs_pipeline_stage") or "")
    status = account.stages.get(f"ticket:{stage}") or TICKET_STATUSES.get(stage)
    return {
        "number": str(thing.get("id")),
        "body": plain_text(values.get("content")),
        "priority": PRIORITIES.get(str(values.get("hs_ticket_priority") or "").upper()),
        "status": status or ("closed" if values.get("closed_date") else None),
        "owner_name": account.owners.get(str(values.get("hubspot_owner_id"))),
        "company_id": _first(links.get("companies")),
        "contact_id": _first(links.get("contacts")),
        "channel": str(values["source_type"]).lower() if values.get("source_type") else None,
    }


def _activity(kind: str, body_of: tuple[str, ...], values: Mapping[str, Any], links: Links) -> Document:
    """What all activities share. Our own carry their reference as last line; it becomes the source."""
    body = next((text for name in body_of if (text := plain_text(values.get(name)))), None)
    ours = REFERENCE.search(body or "")
    return {
        "type": ACTIVITY_TYPES[kind],
        "body": REFERENCE.sub("", body) if body else None,
        "source": ours[1] if ours else None,
        "deal_id": _first(links.get("deals")),
        "company_id": _first(links.get("companies")),
        "ticket_id": _first(links.get("tickets")),
        "contact_ids": list(links.get("contacts", ())) or None,
    }


def _note(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    return {**_activity("notes", ("hs_note_body",), values, links), "direction": "internal"}


def _email(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    return {
        **_activity("emails", ("hs_email_text", "hs_email_html"), values, links),
        "direction": DIRECTIONS.get(str(values.get("hs_email_direction"))),
        "bounced": True if values.get("hs_email_status") == "BOUNCED" else None,
    }


def _call(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    direction = DIRECTIONS.get(str(values.get("hs_call_direction")))
    return {**_activity("calls", ("hs_call_body",), values, links), "direction": direction}


def _meeting(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    """The notes that only we may read stay out of the body."""
    at = instant_text(values.get("hs_meeting_start_time") or values.get("hs_timestamp"))
    return {**_activity("meetings", ("hs_meeting_body",), values, links), "at": at}


def _task(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    done = values.get("hs_task_status") == "COMPLETED"
    return {
        **_activity("tasks", ("hs_task_body",), values, links),
        "direction": "internal",
        "owner_side": "us",
        "done_at": instant_text(values.get("hs_task_completion_date")) if done else None,
        "at": instant_text(values.get("hs_createdate") or values.get("hs_timestamp")),
    }


def _nothing(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    return {}


def _product(values: Mapping[str, Any], thing: Mapping[str, Any], links: Links, account: Account) -> Document:
    return {"currency": account.currency}


RULES: Mapping[str, Any] = {
    "deals": _deal, "contacts": _contact, "companies": _nothing, "line_items": _line_item, "products": _product,
    "quotes": _quote, "orders": _order, "tickets": _ticket, "notes": _note, "emails": _email, "calls": _call,
    "meetings": _meeting, "tasks": _task,
}  # fmt: skip


def _first(ids: Sequence[str] | None) -> str | None:
    return ids[0] if ids else None


def _percent(chance: Any) -> str | None:
    """HubSpot's 0.4 as 40."""
    text = decimal_text(chance)
    return decimal_text(Decimal(text) * 100) if text and 0 <= Decimal(text) <= 1 else None


def links_of(thing: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a record is tied to, the primary company first, each id once."""
    given = thing.get("associations")
    links: dict[str, list[str]] = {}
    for name, part in (given if isinstance(given, Mapping) else {}).items():
        results = part.get("results") if isinstance(part, Mapping) else None
        entries = [e for e in (results if isinstance(results, list) else ()) if isinstance(e, Mapping) and e.get("id")]
        entries.sort(key=lambda entry: str(entry.get("type")).endswith("_unlabeled"))
        # HubSpot asks for line_items and answers "line items".
        links[str(name).replace(" ", "_")] = list(dict.fromkeys(str(entry["id"]) for entry in entries))
    return links


def user_of(owner: Mapping[str, Any]) -> Document:
    """An owner as a user."""
    name = " ".join(str(owner.get(key) or "") for key in ("firstName", "lastName")).strip()
    user = {"id": str(owner.get("id")), "name": name or None, "email": owner.get("email") or None}
    return checked("users", user, rest={"userId": owner.get("userId")}, vendor=VENDOR)


def changed_at(things: Sequence[Mapping[str, Any]]) -> datetime | None:
    """The newest change that these records report."""
    texts = [text for thing in things if (text := instant_text(thing.get("updatedAt")))]
    return datetime.fromisoformat(max(texts)) if texts else None
