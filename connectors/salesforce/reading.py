"""Everything about one subject in one request: a composite of at most five queries, none of which waits for another.

What hangs on the account is found by a semi-join from the subject, so a deal without an account breaks nothing. An
activity as subject takes one request more, for what it belongs to. A list longer than a page takes one for each page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.contexts import context_of, not_found, order_of
from connectors.documents import instant_text
from connectors.salesforce.client import Outcome, SalesforceClient, records_of
from connectors.salesforce.consent import Consents, merged, read_consents
from connectors.salesforce.mapping import (
    COLLECTIONS,
    DRAFT_MAIL,
    PREFIXES,
    VENDOR,
    owner_of,
    product_of,
    to_document,
    value_at,
)
from connectors.salesforce.org import OrgBook
from connectors.salesforce.soql import checked_id, equal, select, within
from connectors.transport import Refused
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound

Thing = Mapping[str, Any]
KINDS = {"deal": "Opportunity", "company": "Account", "ticket": "Case"}
PEOPLE = ("Contact", "Lead")
ACTIVITIES = ("Task", "Event", "EmailMessage")
WRONG_QUERY = frozenset({"INVALID_FIELD", "INVALID_TYPE", "MALFORMED_QUERY", "NOT_SUPPORTED"})
MISSING = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"})


@dataclass(frozen=True, slots=True)
class Children:
    """A child list to read with its parent, the first `limit` by `order`; `inner`: lists within it."""

    name: str
    kind: str
    order: str = ""
    limit: int = 0
    inner: tuple[Children, ...] = ()
    fields: tuple[str, ...] = ()


NOTE = "AttachedContentNote"
NOTES = (Children("AttachedContentNotes", NOTE), Children("Notes", "Note", "CreatedDate DESC", 20))
LINES = Children("OpportunityLineItems", "OpportunityLineItem")
OF_DEAL = (
    LINES,
    Children("OpportunityContactRoles", "OpportunityContactRole", fields=("Id", "ContactId", "Role", "IsPrimary")),
    Children("OpportunityHistories", "OpportunityHistory", "CreatedDate DESC", 100),
    Children("Tasks", "Task", "LastModifiedDate DESC", 50),
    Children("Events", "Event", "StartDateTime DESC", 30),
    Children("Quotes", "Quote", "LastModifiedDate DESC", 20, (
        Children("QuoteLineItems", "QuoteLineItem",
                 fields=("Id", "Product2Id", "Quantity", "UnitPrice", "Discount")),)),
    *NOTES,
)  # fmt: skip
OF_ACCOUNT = (
    Children("Contacts", "Contact", "", 200),
    Children("Opportunities", "Opportunity", "CloseDate DESC", 50, (LINES,)),
    Children("Orders", "Order", "EffectiveDate DESC", 100, (
        Children("OrderItems", "OrderItem", fields=("Id", "Product2Id", "Quantity", "UnitPrice", "Product2.Name",
                                                    "Product2.ProductCode")),)),
    Children("Cases", "Case", "CreatedDate DESC", 30),
    Children("Contracts", "Contract", "", 20),
    *NOTES,
)  # fmt: skip
OF_PERSON = (
    Children("Tasks", "Task", "LastModifiedDate DESC", 50),
    Children("Events", "Event", "StartDateTime DESC", 30),
    *NOTES,
)
OF_LIST: Mapping[str, str] = {
    part.name: part.kind for part in (*OF_DEAL, *OF_ACCOUNT) if part.kind in COLLECTIONS
}  # fmt: skip


@dataclass
class Found:
    """Salesforce's records by kind, each once."""

    things: dict[str, dict[str, Thing]] = field(default_factory=dict)

    def add(self, kind: str, thing: Thing) -> None:
        if thing.get("Id"):
            kept = self.things.setdefault(kind, {})
            # A record may come with a parent and by itself: the fuller one counts.
            kept[str(thing["Id"])] = max(kept.get(str(thing["Id"]), {}), thing, key=len)

    def of(self, kind: str) -> list[Thing]:
        return list(self.things.get(kind, {}).values())


class Reader:
    """Reads contexts of one connection. `page_url` is the address of the org's own pages."""

    def __init__(
        self,
        client: SalesforceClient,
        book: OrgBook,
        *,
        connection: str,
        page_url: str,
        clock: Callable[[], datetime],
        without: Sequence[str] = (),
    ) -> None:
        self._client, self._book, self._connection = client, book, connection
        self._page_url, self._clock, self._without = page_url, clock, frozenset(without)

    def read(self, subject: Subject) -> Context:
        """The context. Raises NotFound for what Salesforce does not have, or only as deleted."""
        read_at = self._clock()
        kind, id_ = place_of(subject)
        found = Found()
        if kind in ACTIVITIES:
            kind, id_ = self._parent(subject, kind, id_, found)
        self._ask(subject, kind, id_, found)
        people = [person for one in PEOPLE for person in found.of(one)]
        documents = self._documents(found, read_consents(self._client, self._book, people, read_at))
        return context_of(
            self._connection,
            VENDOR,
            subject,
            documents,
            read_at=read_at,
            urls=self._urls(documents),
            changed_at=_changed_at(found),
        )

    def _ask(self, subject: Subject, kind: str, id_: str, found: Found) -> None:
        """One composite; another only when the org turns out to be other than was assumed."""
        queries = self._queries(kind, id_)
        book = self._book.calls()
        outcomes, *about = self._client.transport.together(lambda: self._composite(queries), *book)
        self._book.take(about)
        asked = queries
        for _ in range(2):
            corrected = self._queries(kind, id_)
            if corrected == asked and any(WRONG_QUERY & set(outcome.codes) for outcome in outcomes.values()):
                corrected = self._mended(kind, id_, asked, fresh=bool(about))
            if corrected == asked:
                break
            asked, outcomes = corrected, self._composite(corrected)
        for name in asked:
            for thing in self._client.rest_of(self._told(subject, name, outcomes.get(name))):
                self._collect(KIND_OF_QUERY.get(name, kind), thing, found)
        if _long(id_, found, kind) not in found.things.get(kind, {}):
            raise not_found(VENDOR, self._connection, subject)

    def _mended(self, kind: str, id_: str, asked: Mapping[str, str], *, fresh: bool) -> dict[str, str]:
        """Queries after one was refused: as the org is now, or without what it lists and yet does not give out."""
        if not fresh:
            self._book.read_again()
        now = self._queries(kind, id_)
        if now == asked:
            self._without |= {NOTE}
        return self._queries(kind, id_)

    def _told(self, subject: Subject, name: str, outcome: Outcome | None) -> Any:
        if outcome and name == "subject" and MISSING & set(outcome.codes):
            raise not_found(VENDOR, self._connection, subject)
        return self._client.good(outcome)

    def _composite(self, queries: Mapping[str, str]) -> dict[str, Outcome]:
        return self._client.composite([self._client.query_part(name, soql) for name, soql in queries.items()])

    def _queries(self, kind: str, id_: str) -> dict[str, str]:
        """At most five queries, by name."""
        own = equal("Id", id_)
        of_same = select(["AccountId"], kind, own)
        children = {"Opportunity": OF_DEAL, "Account": OF_ACCOUNT, "Case": NOTES, **dict.fromkeys(PEOPLE, OF_PERSON)}
        queries = {"subject": self._select(kind, own, children=children.get(kind, ()))}
        if kind not in ("Account", "Lead"):
            queries["account"] = self._select("Account", within("Id", of_same), children=OF_ACCOUNT)
        queries["mails"] = self._select("EmailMessage", _mails_of(kind, id_), order="MessageDate DESC", limit=25)
        if kind != "Lead":
            where = equal("AccountId", id_) if kind == "Account" else within("AccountId", of_same)
            queries["tasks"] = self._select("Task", where, order="LastModifiedDate DESC", limit=50)
            queries["events"] = self._select("Event", where, order="StartDateTime DESC", limit=30)
        return {name: soql for name, soql in queries.items() if self._reads(KIND_OF_QUERY.get(name, kind))}

    def _reads(self, kind: str) -> bool:
        return kind not in self._without and self._book.is_there(kind)

    def _select(self, kind: str, where: str, *, children: Sequence[Children] = (), **more: Any) -> str:
        return select([*self._book.fields(kind), *self._children(kind, children)], kind, where, **more)

    def _children(self, kind: str, children: Sequence[Children]) -> Iterator[str]:
        for one in children:
            if one.kind in self._without or not self._book.has_children(kind, one.name, one.kind):
                continue
            fields = one.fields or self._book.fields(one.kind)
            parts = [*(path for path in fields if self._book.has(one.kind, path)), *self._children(one.kind, one.inner)]
            yield f"({select(parts, one.name, order=one.order, limit=one.limit)})"

    def _collect(self, kind: str, thing: Thing, found: Found) -> None:
        """A record and the child lists that came with it."""
        lists: dict[str, Any] = {}
        for name, value in thing.items():
            if isinstance(value, Mapping) and "records" in value:
                lists[name] = self._client.rest_of(value)
                for child in lists[name] if name in OF_LIST else ():
                    of = {"ParentId": thing.get("Id")} if OF_LIST[name] == NOTE else {}
                    self._collect(OF_LIST[name], {**child, **of}, found)
        found.add(kind, {**thing, **{name: {"records": records} for name, records in lists.items()}})

    def _parent(self, subject: Subject, kind: str, id_: str, found: Found) -> tuple[str, str]:
        """The deal, case, account or person that an activity belongs to."""
        if not self._book.is_there(kind):
            raise not_found(VENDOR, self._connection, subject)
        self._book.read()
        try:
            things = records_of(self._client.query(self._select(kind, equal("Id", id_))))
        except Refused as error:
            raise not_found(VENDOR, self._connection, subject) from error
        if not things:
            raise not_found(VENDOR, self._connection, subject)
        found.add(kind, things[0])
        for name in ("WhatId", "RelatedToId", "ParentId", "AccountId", "WhoId"):
            parent = str(things[0].get(name) or "")
            if (of := PREFIXES.get(parent[:3])) and of not in ACTIVITIES:
                return of, parent
        raise NotFound(f"salesforce ({self._connection}): {subject.id} belongs to no deal, case, account or person")

    def _documents(self, found: Found, consents: Consents) -> dict[str, list[Document]]:
        org = self._book.org
        documents: dict[str, list[Document]] = {name: [] for name in COLLECTIONS.values()}
        logged = {str(mail.get("ActivityId")) for mail in found.of("EmailMessage")}
        by_address = _addresses(found)
        for one, collection in COLLECTIONS.items():
            for thing in found.of(one):
                if _is_left_out(one, thing, logged):
                    continue
                ties = ties_of(one, thing, by_address)
                if one in PEOPLE:
                    ties |= merged(thing, consents.get(str(thing["Id"])))
                documents[collection].append(to_document(one, thing, org, **ties))
        owned = (*found.of("Opportunity"), *found.of("Account"))
        documents["users"] += [user for thing in owned if (user := owner_of(thing, org))]
        documents["products"] += [p for line in found.of("OpportunityLineItem") if (p := product_of(line, org))]
        _add_stage_changes(documents)
        if not documents["orders"]:
            documents["orders"] = _orders(documents)
        return documents

    def _urls(self, documents: Mapping[str, Sequence[Document]]) -> dict[str, str]:
        """Addresses in Salesforce: every record has its page by id."""
        shown = ("deals", "contacts", "companies", "tickets", "quotes", "orders", "activities", "products")
        return {
            f"{name}/{document['id']}": f"{self._page_url}/{document['id']}"
            for name in shown
            for document in documents.get(name, ())
            if ":" not in document["id"]
        }


KIND_OF_QUERY = {"account": "Account", "mails": "EmailMessage", "tasks": "Task", "events": "Event"}


def _mails_of(kind: str, id_: str) -> str:
    """The condition for mails about a record, or with a person."""
    if kind in PEOPLE:
        return within("Id", select(["EmailMessageId"], "EmailMessageRelation", equal("RelationId", id_)))
    return equal("ParentId" if kind == "Case" else "RelatedToId", id_)


def place_of(subject: Subject) -> tuple[str, str]:
    """Salesforce's object and id of a subject. Raises NotFound for what is no id, or one of another kind."""
    id_ = checked_id(subject.id, subject.type)
    kind = PREFIXES.get(id_[:3])
    fits = {"contact": PEOPLE, "activity": ACTIVITIES}.get(subject.type) or (KINDS.get(subject.type),)
    if kind is None or kind not in fits:
        raise NotFound(f"{subject.type} {id_!r} is none of Salesforce's: an id of that kind begins otherwise")
    return kind, id_


def _long(id_: str, found: Found, kind: str) -> str:
    """The id as Salesforce writes it: who asks with 15 characters is answered with 18."""
    return next((full for full in found.things.get(kind, {}) if full == id_ or full[:15] == id_), id_)


def _is_left_out(kind: str, thing: Thing, logged: set[str]) -> bool:
    """A mail that was never sent, and the task that only says that a mail was."""
    if kind == "EmailMessage":
        return str(thing.get("Status")) == DRAFT_MAIL
    return kind == "Task" and str(thing.get("Id")) in logged


def _addresses(found: Found) -> dict[str, str]:
    return {str(one["Email"]).lower(): str(one["Id"]) for kind in PEOPLE for one in found.of(kind) if one.get("Email")}


def ties_of(kind: str, thing: Thing, by_address: Mapping[str, str]) -> dict[str, Any]:
    """What the reading knows of a record beyond its own fields."""
    if kind == "Opportunity":
        roles = records_of(thing.get("OpportunityContactRoles"))
        first = [str(r["ContactId"]) for r in roles if r.get("IsPrimary") is True and r.get("ContactId")]
        people = [str(role["ContactId"]) for role in roles if role.get("ContactId")]
        return {"contact_ids": people or None, "primary_contact_id": next(iter(first), None)}
    if kind == "EmailMessage":
        sides = str(thing.get("FromAddress" if thing.get("Incoming") else "ToAddress") or "")
        known = [by_address[one] for part in sides.split(";") if (one := part.strip().lower()) in by_address]
        return {"contact_ids": known or None}
    if kind in ("Quote", "Order"):
        return {"lines": _lines(records_of(thing.get("QuoteLineItems" if kind == "Quote" else "OrderItems"))) or None}
    return {}


def _lines(things: Sequence[Thing]) -> list[dict[str, Any]]:
    keys = {"id": "Id", "product_id": "Product2Id", "quantity": "Quantity", "unit_price": "UnitPrice",
            "discount_pct": "Discount"}  # fmt: skip
    lines = [{key: value_at(thing, name) for key, name in keys.items()} for thing in things]
    return [{k: v if k.endswith("id") else str(v) for k, v in line.items() if v is not None} for line in lines]


def _add_stage_changes(documents: dict[str, list[Document]]) -> None:
    """Keeps of the history what moved the stage, each with the stage before it."""
    kept: list[Document] = []
    last: dict[str, str | None] = {}
    for change in sorted(documents["stage_changes"], key=lambda one: str(one.get("at") or "")):
        deal = str(change.get("deal_id"))
        if last.get(deal) != change.get("to"):
            before = last.get(deal)
            kept.append({**change, "from": before} if before else change)
        last[deal] = change.get("to")
    documents["stage_changes"] = kept


def _orders(documents: Mapping[str, Sequence[Document]]) -> list[Document]:
    """Won deals as orders, where the org keeps no orders for this account."""
    lines: dict[str, list[Document]] = {}
    for line in documents["line_items"]:
        lines.setdefault(line.get("deal_id", ""), []).append(line)
    won = [deal for deal in documents["deals"] if deal.get("status") == "won"]
    return [order_of(deal, lines.get(deal["id"], []), vendor=VENDOR) for deal in won]


def _changed_at(found: Found) -> datetime | None:
    times = [instant_text(one.get("LastModifiedDate")) for part in found.things.values() for one in part.values()]
    known = [time for time in times if time]
    return datetime.fromisoformat(max(known)) if known else None
