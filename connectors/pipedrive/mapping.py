"""Pipedrive's fields and our words: one table of fields, and the few values that need a rule.

Custom fields have a key of 40 hex digits that differs in every company: the settings' `fields` name them. What has no
word of ours stays in `x_pipedrive`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.documents import checked, coerced, decimal_text, instant_text, plain_text, truth
from connectors.reference import REFERENCE
from crmplugin.domain.records import Document

VENDOR = "pipedrive"
COLLECTIONS: Mapping[str, str] = {
    "deals": "deals", "persons": "contacts", "organizations": "companies", "products": "products",
    "lines": "line_items", "activities": "activities", "notes": "activities", "mails": "activities", "users": "users",
}  # fmt: skip
FIELDS: Mapping[str, Mapping[str, str]] = {
    "deals": {
        "name": "title", "amount": "value", "currency": "currency", "created_at": "add_time", "owner_id": "owner_id",
        "close_date": "expected_close_date", "lost_reason": "lost_reason", "probability": "probability",
        "company_id": "org_id", "primary_contact_id": "person_id",
    },
    "persons": {
        "first_name": "first_name", "last_name": "last_name", "title": "job_title", "company_id": "org_id",
        "created_at": "add_time",
    },
    "organizations": {"name": "name", "owner_id": "owner_id", "industry": "industry", "domain": "website",
                      "employees": "employee_count"},
    "products": {"name": "name", "sku": "code", "unit": "unit", "description": "description",
                 "category": "category"},
    "lines": {"deal_id": "deal_id", "product_id": "product_id", "description": "name", "quantity": "quantity",
              "unit_price": "item_price", "currency": "currency"},
    "activities": {"subject": "subject", "deal_id": "deal_id", "company_id": "org_id", "user_id": "owner_id",
                   "done_at": "marked_as_done_time", "due_on": "due_date"},
    "notes": {"deal_id": "deal_id", "company_id": "org_id", "user_id": "user_id"},
    "mails": {"subject": "subject", "thread_id": "mail_thread_id", "at": "message_time"},
    "users": {"name": "name", "email": "email", "phone": "phone"},
}  # fmt: skip
"""Our key -> Pipedrive's. The settings' `fields` go over it."""
ACTIVITY_TYPES = {"call": "call", "meeting": "meeting", "lunch": "meeting", "task": "task", "deadline": "task",
                  "email": "task"}  # fmt: skip
"""An activity of type email is a plan to write one; mails themselves are read from the mailbox."""
CONSENT = {"subscribed": "granted", "unsubscribed": "withdrawn", "archived": "withdrawn", "no_consent": "unknown"}
PREFIXED = frozenset({"activities", "notes", "mails"})


@dataclass(frozen=True, slots=True)
class Company:
    """What one Pipedrive company has set up."""

    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    """Stage id -> our stage kind, from the settings."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """`stage:<id>` and `pipeline:<id>` -> name."""
    opt_out_field: str | None = None
    own_user: str | None = None
    """Whose token it is, where the settings say it: what that user changes by the API is ours."""


def to_document(kind: str, thing: Mapping[str, Any], company: Company, **ties: Any) -> Document:
    """One Pipedrive record as a document of ours; `ties` are ids that the reading knows."""
    collection = COLLECTIONS[kind]
    own = company.fields.get(collection, {})
    values = {**_plain(thing.get("custom_fields")), **{k: v for k, v in thing.items() if k != "custom_fields"}}
    fields = {**FIELDS[kind], **own}
    document = {key: coerced(collection, key, _bare(values.get(name))) for key, name in fields.items()}
    ruled = RULES[kind](values, company) if kind in RULES else {}
    mine = {key for key in own if document.get(key) is not None}
    document |= {key: value for key, value in {**ruled, **ties}.items() if key not in mine and value is not None}
    document["id"] = f"{kind}:{thing.get('id')}" if kind in PREFIXED else str(thing.get("id"))
    said = {name for key, name in fields.items() if document.get(key) is not None}
    rest = {name: value for name, value in values.items() if name not in said and value not in (None, "", [], {})}
    return checked(collection, document, rest=rest, vendor=VENDOR)


def _plain(custom: Any) -> dict[str, Any]:
    """Custom fields as plain values: API answers give them plain, webhooks as `{type, value}`."""
    return {key: _bare(value) for key, value in custom.items()} if isinstance(custom, Mapping) else {}


def _bare(value: Any) -> Any:
    """The value of a field that comes with its type, currency or id; the ids of a list."""
    if isinstance(value, Mapping):
        return value.get("value", value.get("label", value.get("id")))
    return value


def _deal(values: Mapping[str, Any], company: Company) -> Document:
    stage, pipeline = str(values.get("stage_id") or ""), str(values.get("pipeline_id") or "")
    status = values.get("status") if values.get("status") in ("open", "won", "lost") else None
    closed = values.get("won_time") if status == "won" else values.get("lost_time") if status == "lost" else None
    return {
        "status": status,
        "stage": company.labels.get(f"stage:{stage}", stage) or None,
        "pipeline": company.labels.get(f"pipeline:{pipeline}", pipeline) or None,
        "stage_kind": status if status in ("won", "lost") else company.stages.get(stage),
        "closed_at": instant_text(closed or values.get("close_time")) if status in ("won", "lost") else None,
    }


def _person(values: Mapping[str, Any], company: Company) -> Document:
    marketing = str(values.get("marketing_status") or "")
    out = truth(values.get(company.opt_out_field)) if company.opt_out_field else None
    state = "withdrawn" if out else CONSENT.get(marketing)
    names = str(values.get("name") or "").rpartition(" ")
    return {
        "first_name": values.get("first_name") or names[0] or None,
        "last_name": values.get("last_name") or names[2] or None,
        "email": _primary(values.get("emails")),
        "phone": _primary(values.get("phones")),
        "status": "bounced" if marketing == "bounced" else None,
        "lifecycle": _lifecycle(values),
        "consent": {"email": {"state": state, "source": company.opt_out_field if out else "marketing_status"}}
        if state
        else None,
    }


def _lifecycle(values: Mapping[str, Any]) -> str | None:
    """How far a person is, as their deals and leads say; None when Pipedrive told nothing of them."""
    told = {"customer": "won_deals_count", "prospect": "open_deals_count", "lead": "leads"}
    return next((stage for stage, name in told.items() if values.get(name)), None)


def stage_changes(deal: Mapping[str, Any], moves: Sequence[Mapping[str, Any]], company: Company) -> list[Document]:
    """A deal's way through its stages, oldest first; without its history only where it came in and where it is."""
    stages = sorted(_moves(moves, "stage_id"))
    current, made = str(deal.get("stage_id") or ""), instant_text(deal.get("add_time"))
    moved = instant_text(deal.get("stage_change_time"))
    if not stages and moved and moved != made:
        stages = [(moved, "", current)]
    first = stages[0][1] if stages else current
    entries = [(made, "", first), *stages] if made and first else list(stages)
    return [_stage_change(str(deal.get("id")), entry, company) for entry in entries]


def _stage_change(deal_id: str, entry: tuple[str, str, str], company: Company) -> Document:
    at, before, after = entry
    names = {key: company.labels.get(f"stage:{id_}", id_) or None for key, id_ in (("from", before), ("to", after))}
    return checked(
        "stage_changes", {"id": f"{deal_id}:{at}", "deal_id": deal_id, **names, "at": at}, rest={}, vendor=VENDOR
    )


def reopening(moves: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """When an open deal was closed and opened again; empty when it never was."""
    statuses = sorted(_moves(moves, "status"))
    opened = [at for at, before, after in statuses if after == "open" and before in ("won", "lost")]
    closed = [at for at, _, after in statuses if after in ("won", "lost") and opened and at <= opened[-1]]
    return {"closed_at": closed[-1], "reopened_at": opened[-1]} if opened and closed else {}


def _moves(moves: Sequence[Mapping[str, Any]], name: str) -> list[tuple[str, str, str]]:
    """The changes of one field as (instant, before, after)."""
    found = [(instant_text(one.get("time")), one) for one in moves if one.get("field_key") == name]
    return [(at, str(one.get("old_value") or ""), str(one.get("new_value") or "")) for at, one in found if at]


def _primary(entries: Any) -> str | None:
    """The main address or number of a person, else the first."""
    found = [e for e in entries if isinstance(e, Mapping) and e.get("value")] if isinstance(entries, list) else []
    found.sort(key=lambda entry: entry.get("primary") is not True)
    return str(found[0]["value"]) if found else None


def _product(values: Mapping[str, Any], company: Company) -> Document:
    prices = values.get("prices")
    price = prices[0] if isinstance(prices, list) and prices and isinstance(prices[0], Mapping) else {}
    return {
        "list_price": decimal_text(price.get("price")),
        "cost": decimal_text(price.get("cost")),
        "currency": price.get("currency"),
        "active": False if values.get("is_deleted") is True else None,
    }


def _line(values: Mapping[str, Any], company: Company) -> Document:
    percent = values.get("discount_type", "percentage") == "percentage"
    return {"discount_pct": decimal_text(values.get("discount")) if percent else None}


def _organization(values: Mapping[str, Any], company: Company) -> Document:
    address = values.get("address")
    if not isinstance(address, Mapping):
        return {"postal_address": str(address)} if address else {}
    return {
        "postal_address": address.get("value"),
        "country": address.get("country"),
        "city": address.get("locality"),
        "region": address.get("admin_area_level_1"),
    }


def _activity(values: Mapping[str, Any], company: Company) -> Document:
    kind = ACTIVITY_TYPES.get(str(values.get("type") or ""), "task")
    given = values.get("participants")
    people = [p.get("person_id") for p in given if isinstance(p, Mapping)] if isinstance(given, list) else []
    at = _moment(values.get("due_date"), values.get("due_time")) if kind in ("meeting", "call") else None
    return {
        "type": kind,
        **_body(values.get("note") or values.get("public_description")),
        "at": at or instant_text(values.get("add_time")),
        "contact_ids": [str(one) for one in people if one] or None,
        "direction": "internal" if kind == "task" else None,
        "owner_side": "us" if kind == "task" else None,
        "done_at": instant_text(values.get("marked_as_done_time")) if values.get("done") is True else None,
    }


def _moment(day: Any, time: Any) -> str | None:
    """Pipedrive gives day and time apart, in UTC."""
    try:
        clock = str(time or "00:00")[:5]
        return (
            instant_text(datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=UTC).isoformat()) if day else None
        )
    except ValueError:
        return None


def _note(values: Mapping[str, Any], company: Company) -> Document:
    person = values.get("person_id")
    return {
        "type": "note",
        "direction": "internal",
        **_body(values.get("content")),
        "at": instant_text(values.get("add_time")),
        "contact_ids": [str(person)] if person else None,
    }


def _mail(values: Mapping[str, Any], company: Company) -> Document:
    sent = truth(values.get("sent_flag")) or values.get("sent_flag") == 1
    people = [p.get("linked_person_id") for p in _people(values, sent) if isinstance(p, Mapping)]
    return {
        "type": "email",
        "direction": "outbound" if sent else "inbound",
        **_body(values.get("body") or values.get("snippet")),
        "contact_ids": [str(one) for one in people if one] or None,
    }


def _people(values: Mapping[str, Any], sent: bool | None) -> Sequence[Any]:
    found = values.get("to" if sent else "from")
    return found if isinstance(found, list) else []


def _body(text: Any) -> Document:
    """A body without our reference; where it stood, the text is ours."""
    body = plain_text(text)
    ours = REFERENCE.search(body or "")
    return {"body": REFERENCE.sub("", body) if body else None, "source": ours[1] if ours else None}


RULES: Mapping[str, Any] = {
    "deals": _deal, "persons": _person, "organizations": _organization, "products": _product, "lines": _line,
    "activities": _activity, "notes": _note, "mails": _mail,
}  # fmt: skip
