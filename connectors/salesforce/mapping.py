"""Salesforce's fields and our words: one table of fields, and the few values that need a rule.

A field may lie in a related record (`Owner.Name`). Custom fields (`Budget__c`) are named by the settings' `fields`.
What has no word of ours stays in `x_salesforce`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.documents import checked, coerced, instant_text, plain_text, truth
from crmplugin.domain.records import Document

VENDOR = "salesforce"
COLLECTIONS: Mapping[str, str] = {
    "Opportunity": "deals", "Account": "companies", "Contact": "contacts", "Lead": "contacts", "User": "users",
    "Product2": "products", "OpportunityLineItem": "line_items", "OpportunityHistory": "stage_changes",
    "Quote": "quotes", "Order": "orders", "Contract": "contracts", "Case": "tickets",
    "Task": "activities", "Event": "activities", "EmailMessage": "activities", "Note": "activities",
    "AttachedContentNote": "activities",
}  # fmt: skip
ADDRESS = ("Street", "PostalCode", "City", "State", "Country")
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Opportunity": {
        "name": "Name", "amount": "Amount", "currency": "CurrencyIsoCode", "created_at": "CreatedDate",
        "owner_id": "OwnerId", "close_date": "CloseDate", "probability": "Probability", "stage": "StageName",
        "company_id": "AccountId", "next_step": "NextStep", "primary_contact_id": "ContactId",
    },
    "Account": {
        "name": "Name", "domain": "Website", "industry": "Industry", "employees": "NumberOfEmployees",
        "owner_id": "OwnerId", "country": "BillingCountry", "region": "BillingState", "city": "BillingCity",
        "currency": "CurrencyIsoCode",
    },
    "Contact": {
        "first_name": "FirstName", "last_name": "LastName", "email": "Email", "phone": "Phone", "title": "Title",
        "salutation": "Salutation", "company_id": "AccountId", "created_at": "CreatedDate", "source": "LeadSource",
        "country": "MailingCountry",
    },
    "Lead": {
        "first_name": "FirstName", "last_name": "LastName", "email": "Email", "phone": "Phone", "title": "Title",
        "salutation": "Salutation", "created_at": "CreatedDate", "source": "LeadSource", "country": "Country",
    },
    "User": {"name": "Name", "email": "Email", "phone": "Phone", "title": "Title", "timezone": "TimeZoneSidKey"},
    "Product2": {"name": "Name", "sku": "ProductCode", "category": "Family", "description": "Description",
                 "active": "IsActive", "unit": "QuantityUnitOfMeasure"},
    "OpportunityLineItem": {
        "deal_id": "OpportunityId", "product_id": "Product2Id", "quantity": "Quantity", "unit_price": "UnitPrice",
        "discount_pct": "Discount", "currency": "CurrencyIsoCode",
    },
    "OpportunityHistory": {"deal_id": "OpportunityId", "to": "StageName", "at": "CreatedDate"},
    "Quote": {
        "number": "QuoteNumber", "deal_id": "OpportunityId", "valid_until": "ExpirationDate", "total": "GrandTotal",
        "discount_pct": "Discount", "currency": "CurrencyIsoCode", "freight": "ShippingHandling",
    },
    "Order": {
        "number": "OrderNumber", "company_id": "AccountId", "deal_id": "OpportunityId", "total": "TotalAmount",
        "contact_id": "BillToContactId", "currency": "CurrencyIsoCode", "ordered_at": "EffectiveDate",
    },
    "Contract": {"company_id": "AccountId", "name": "ContractNumber", "starts_on": "StartDate", "ends_on": "EndDate",
                 "notice_days": "OwnerExpirationNotice"},
    "Case": {
        "number": "CaseNumber", "company_id": "AccountId", "contact_id": "ContactId", "product_id": "ProductId",
        "subject": "Subject", "opened_at": "CreatedDate", "resolved_at": "ClosedDate", "channel": "Origin",
        "owner_name": "Owner.Name",
    },
    "Task": {"subject": "Subject", "company_id": "AccountId", "user_id": "OwnerId", "due_on": "ActivityDate"},
    "Event": {"subject": "Subject", "company_id": "AccountId", "user_id": "OwnerId", "at": "StartDateTime",
              "ends_at": "EndDateTime"},
    "EmailMessage": {"subject": "Subject", "at": "MessageDate", "thread_id": "ThreadIdentifier",
                     "bounced": "IsBounced"},
    "Note": {"subject": "Title", "at": "CreatedDate", "user_id": "CreatedById"},
    "AttachedContentNote": {"subject": "Title", "at": "CreatedDate", "user_id": "CreatedById"},
}  # fmt: skip
"""Our key -> Salesforce's field. The settings' `fields` go over it."""
MORE: Mapping[str, tuple[str, ...]] = {
    "Opportunity": ("IsClosed", "IsWon", "LastStageChangeDate", "LastModifiedDate", "LastModifiedById", "Description",
                    "Type", "LeadSource", "Owner.Name", "Owner.Email", "Owner.Phone", "Owner.Title"),
    "Account": ("BillingStreet", "BillingPostalCode", "Description", "LastModifiedDate", "Owner.Name", "Owner.Email",
                "Owner.Phone", "Owner.Title"),
    "Contact": ("MailingStreet", "MailingPostalCode", "MailingCity", "MailingState", "HasOptedOutOfEmail", "DoNotCall",
                "EmailBouncedDate", "LastModifiedDate", "IndividualId"),
    "Lead": ("Company", "Status", "HasOptedOutOfEmail", "DoNotCall", "EmailBouncedDate", "IsConverted",
             "ConvertedContactId", "LastModifiedDate", "IndividualId"),
    "User": ("LanguageLocaleKey", "IsActive"),
    "OpportunityLineItem": ("Name", "Description", "TotalPrice", "ListPrice", "Product2.Name", "Product2.ProductCode",
                            "Product2.Family", "Product2.Description"),
    "Quote": ("Status", "Name", "LastModifiedDate"),
    "Order": ("Status",),
    "Contract": ("Status", "ContractTerm"),
    "Case": ("Description", "Priority", "Status", "IsClosed", "LastModifiedDate"),
    "Task": ("Description", "Status", "TaskSubtype", "CallType", "IsClosed", "CompletedDateTime", "CreatedDate",
             "WhatId", "WhoId", "CreatedById", "LastModifiedDate"),
    "Event": ("Description", "WhatId", "WhoId", "LastModifiedDate"),
    "EmailMessage": ("TextBody", "HtmlBody", "FromAddress", "ToAddress", "Incoming", "Status", "RelatedToId",
                     "ParentId", "ActivityId", "LastModifiedDate"),
    "Note": ("Body", "ParentId"),
    "AttachedContentNote": ("TextPreview",),
    "OpportunityHistory": ("Amount", "CloseDate", "Probability"),
}  # fmt: skip
"""Fields that rules read, or that say more than we have words for."""
STAGES: Mapping[str, str] = {
    "Prospecting": "new", "Qualification": "qualified", "Needs Analysis": "qualified", "Value Proposition": "proposal",
    "Id. Decision Makers": "qualified", "Perception Analysis": "proposal", "Proposal/Price Quote": "proposal",
    "Negotiation/Review": "negotiation",
}  # fmt: skip
"""What the stages of a new org mean; the settings' `stages` go over it."""
QUOTE_STATES = {"Presented": "sent", "Accepted": "accepted", "Denied": "declined", "Rejected": "declined"}
PRIORITIES = {"Critical": "P1", "High": "P2", "Medium": "P3", "Low": "P4"}
CASE_STATES = {"On Hold": "pending", "Waiting on Customer": "pending"}
TASK_TYPES = {"Call": "call", "Email": "email", "ListEmail": "email", "LinkedIn": "social"}
DRAFT_MAIL = "5"
PREFIXES: Mapping[str, str] = {
    "006": "Opportunity", "001": "Account", "003": "Contact", "00Q": "Lead", "500": "Case", "00T": "Task",
    "00U": "Event", "02s": "EmailMessage",
}  # fmt: skip
"""The first three characters of an id say what it is."""


@dataclass(frozen=True, slots=True)
class Org:
    """What one org has set up. `currency`: of amounts that name none (an org of one currency)."""

    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    our_user: str = ""


def fields_of(kind: str, org: Org) -> Mapping[str, str]:
    """Our key -> Salesforce's field, with those of the settings."""
    return {**FIELDS[kind], **org.fields.get(COLLECTIONS[kind], {})}


def selected(kind: str, org: Org) -> tuple[str, ...]:
    """Every field to ask for, the id first."""
    return tuple(dict.fromkeys(("Id", *fields_of(kind, org).values(), *MORE.get(kind, ()))))


def to_document(kind: str, thing: Mapping[str, Any], org: Org, **ties: Any) -> Document:
    """One record as a document of ours; `ties` are ids that the reading knows."""
    collection = COLLECTIONS[kind]
    own = org.fields.get(collection, {})
    fields = fields_of(kind, org)
    document = {key: coerced(collection, key, value_at(thing, path)) for key, path in fields.items()}
    rule = RULES.get(kind)
    ruled = rule(thing, org) if rule else {}
    mine = {key for key in own if document.get(key) is not None}
    document |= {key: value for key, value in {**ruled, **ties}.items() if key not in mine and value is not None}
    document["id"] = str(thing.get("Id"))
    if kind in WITH_CURRENCY and document.get("currency") is None:
        document["currency"] = org.currency
    said = {path for key, path in fields.items() if document.get(key) is not None}
    return checked(collection, document, rest=_rest(thing, said), vendor=VENDOR)


WITH_CURRENCY = frozenset({"Opportunity", "OpportunityLineItem", "Quote", "Order"})


def value_at(thing: Mapping[str, Any], path: str) -> Any:
    """The value of `Owner.Name`; None where the related record is missing."""
    value: Any = thing
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return None if isinstance(value, Mapping) else value


def owner_of(thing: Mapping[str, Any], org: Org) -> Document | None:
    """The user who owns a record, as far as the record tells."""
    owner, id_ = thing.get("Owner"), thing.get("OwnerId")
    if not isinstance(owner, Mapping) or not str(id_ or "").startswith("005"):
        return None
    return to_document("User", {**owner, "Id": id_}, org)


def product_of(line: Mapping[str, Any], org: Org) -> Document | None:
    """The product of a line, as far as the line tells."""
    product, id_ = line.get("Product2"), line.get("Product2Id")
    return to_document("Product2", {**product, "Id": id_}, org) if isinstance(product, Mapping) and id_ else None


def _rest(thing: Mapping[str, Any], said: set[str]) -> dict[str, Any]:
    """What no word of ours holds; of related records what is more than their kind, without child lists."""
    rest: dict[str, Any] = {}
    for name, value in thing.items():
        if name in ("attributes", "Id") or name in said or value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping):
            value = {key: one for key, one in value.items() if key != "attributes"}
            if "records" in value:
                continue
        rest[name] = value
    return rest


def _deal(thing: Mapping[str, Any], org: Org) -> Document:
    closed, won = truth(thing.get("IsClosed")), truth(thing.get("IsWon"))
    status = "won" if won else "lost" if closed else "open" if closed is False else None
    stage = str(thing.get("StageName") or "")
    ended = thing.get("LastStageChangeDate") or thing.get("CloseDate") if closed else None
    return {
        "status": status,
        "stage_kind": status if status in ("won", "lost") else {**STAGES, **org.stages}.get(stage),
        "closed_at": instant_text(ended) if ended else None,
    }


def _account(thing: Mapping[str, Any], org: Org) -> Document:
    website = str(thing.get("Website") or "")
    return {
        "domain": website.split("://")[-1].split("/")[0].removeprefix("www.") or None,
        "postal_address": _address(thing, "Billing"),
    }


def _address(thing: Mapping[str, Any], prefix: str) -> str | None:
    parts = [str(thing[prefix + name]) for name in ADDRESS if thing.get(prefix + name)]
    return ", ".join(parts) or None


def consent_of(thing: Mapping[str, Any]) -> dict[str, Document]:
    """What a person's own fields say: channel -> consent."""
    return {
        channel: {"state": "withdrawn", "source": field}
        for channel, field in (("email", "HasOptedOutOfEmail"), ("phone", "DoNotCall"))
        if truth(thing.get(field))
    }


def _person(thing: Mapping[str, Any], org: Org) -> Document:
    return {
        "postal_address": _address(thing, "Mailing"),
        "status": "bounced" if thing.get("EmailBouncedDate") else None,
        "consent": consent_of(thing) or None,
    }


def _lead(thing: Mapping[str, Any], org: Org) -> Document:
    return {**_person(thing, org), "lifecycle": "lead"}


def _user(thing: Mapping[str, Any], org: Org) -> Document:
    language = str(thing.get("LanguageLocaleKey") or "")
    return {"language": language[:2].lower() or None}


def _line(thing: Mapping[str, Any], org: Org) -> Document:
    return {"description": thing.get("Description") or value_at(thing, "Product2.Name") or thing.get("Name")}


def _quote(thing: Mapping[str, Any], org: Org) -> Document:
    status = thing.get("Status")
    return {"status": QUOTE_STATES.get(str(status), "draft") if status else None}


def _case(thing: Mapping[str, Any], org: Org) -> Document:
    status = str(thing.get("Status") or "")
    closed = truth(thing.get("IsClosed"))
    return {
        "body": plain_text(thing.get("Description")),
        "priority": PRIORITIES.get(str(thing.get("Priority"))),
        "status": "closed" if closed else CASE_STATES.get(status, "open" if status or closed is False else None),
    }


def _ties(thing: Mapping[str, Any]) -> Document:
    """What an activity is about: `WhatId` or `RelatedToId` may be of any kind, `WhoId` is a person."""
    what = str(thing.get("WhatId") or thing.get("RelatedToId") or thing.get("ParentId") or "")
    who = str(thing.get("WhoId") or "")
    kind = PREFIXES.get(what[:3])
    return {
        "deal_id": what if kind == "Opportunity" else None,
        "ticket_id": what if kind == "Case" else None,
        "company_id": what if kind == "Account" else None,
        "contact_ids": [who] if PREFIXES.get(who[:3]) in ("Contact", "Lead") else None,
    }


def _task(thing: Mapping[str, Any], org: Org) -> Document:
    kind = TASK_TYPES.get(str(thing.get("TaskSubtype")), "task")
    done = truth(thing.get("IsClosed"))
    heard = "inbound" if thing.get("CallType") == "Inbound" else "outbound"
    return {
        **_ties(thing),
        "type": kind if done or kind == "task" else "task",
        "body": plain_text(thing.get("Description")),
        "at": instant_text(thing.get("CompletedDateTime") or thing.get("CreatedDate")),
        "done_at": instant_text(thing.get("CompletedDateTime")) if done else None,
        "direction": heard if done and kind != "task" else "internal",
        "owner_side": "us" if kind == "task" else None,
        "source": f"crmplugin:{thing.get('Id')}" if _is_ours(thing, org) else None,
    }


def _is_ours(thing: Mapping[str, Any], org: Org) -> bool:
    return bool(org.our_user) and str(thing.get("CreatedById"))[:15] == org.our_user[:15]


def _event(thing: Mapping[str, Any], org: Org) -> Document:
    return {**_ties(thing), "type": "meeting", "body": plain_text(thing.get("Description"))}


def _mail(thing: Mapping[str, Any], org: Org) -> Document:
    incoming = truth(thing.get("Incoming"))
    return {
        **_ties(thing),
        "type": "email",
        "direction": None if incoming is None else "inbound" if incoming else "outbound",
        "body": thing.get("TextBody") or plain_text(thing.get("HtmlBody")),
    }


def _note(thing: Mapping[str, Any], org: Org) -> Document:
    """A note, of today's kind (of which a query gives the first 255 characters) or of the old one."""
    return {
        **_ties(thing),
        "type": "note",
        "direction": "internal",
        "body": plain_text(thing.get("TextPreview") or thing.get("Body")),
        "source": f"crmplugin:{thing.get('Id')}" if _is_ours(thing, org) else None,
    }


def _order(thing: Mapping[str, Any], org: Org) -> Document:
    return {"ordered_at": instant_text(thing.get("EffectiveDate"))}


RULES: Mapping[str, Any] = {
    "Opportunity": _deal, "Account": _account, "Contact": _person, "Lead": _lead, "User": _user, "Quote": _quote,
    "OpportunityLineItem": _line, "Case": _case, "Task": _task, "Event": _event, "EmailMessage": _mail, "Order": _order,
    "Note": _note, "AttachedContentNote": _note,
}  # fmt: skip
