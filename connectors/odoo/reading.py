"""Everything about one subject in one request: the record with all that hangs on it.

Only where a help desk is installed a second request runs beside it: its tickets do not hang on the customer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.contexts import context_of, not_found
from connectors.documents import instant_text
from connectors.odoo.client import OdooClient
from connectors.odoo.history import stage_changes
from connectors.odoo.mapping import (
    ORDER_STATES,
    VENDOR,
    Database,
    Thing,
    account_of,
    id_of,
    lines_of,
    message_kind,
    name_of,
    stranger,
    to_document,
)  # fmt: skip
from connectors.odoo.schema import Schema, SchemaBook
from connectors.odoo.trees import TICKET
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound

MODELS = {"deal": "crm.lead", "company": "res.partner", "contact": "res.partner", "ticket": "helpdesk.ticket"}
ACTIVITIES = {"message": "mail.message", "activity": "mail.activity", "meeting": "calendar.event"}
TICKETS = 20
STRANGER = "lead:"


@dataclass
class Found:
    """Odoo's records by model, each once; of two the fuller counts.

    `ties`: (model, id) -> what its place says of it.
    """

    things: dict[str, dict[str, Thing]] = field(default_factory=dict)
    ties: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, model: str, things: Any, **ties: Any) -> None:
        for thing in things if isinstance(things, list) else [things]:
            if not isinstance(thing, Mapping) or id_of(thing) is None or len(thing) < 3:
                continue
            id_, kept = str(thing["id"]), self.things.setdefault(model, {})
            if len(thing) > len(kept.get(id_, ())):
                kept[id_] = thing
            known = self.ties.setdefault((model, id_), {})
            known.update({key: value for key, value in ties.items() if value is not None and key not in known})

    def of(self, model: str) -> Iterator[tuple[Thing, dict[str, Any]]]:
        """Each record with what its place says of it."""
        for id_, thing in self.things.get(model, {}).items():
            yield thing, self.ties[model, id_]

    def all(self, model: str) -> list[Thing]:
        return list(self.things.get(model, {}).values())


class Reader:
    """Reads contexts of one connection. `companies`: ids of our own companies whose records count; empty: all."""

    def __init__(
        self, client: OdooClient, book: SchemaBook, database: Database, *,
        connection: str, companies: frozenset[int], clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._client, self._book, self._database = client, book, database
        self._connection, self._companies, self._clock = connection, companies, clock
        self._stages: dict[str, str] = {}

    def read(self, subject: Subject) -> Context:
        """The context. Raises NotFound for what Odoo does not have, or only in a company that is not ours."""
        read_at, schema = self._clock(), self._book.read()
        found = Found()
        model, id_ = self._place(subject, schema, found)
        root = self._ask(subject, model, id_, schema, found)
        take(model, root, found)
        documents = documents_of(found, self._database, self._stages)
        return context_of(
            self._connection, VENDOR, subject, documents,
            read_at=read_at, urls=_urls(documents, self._database.base_url), changed_at=_changed_at(found),
        )  # fmt: skip

    def place_of(self, subject: Subject) -> tuple[str, int]:
        """The model and number that an activity, ticket or person hangs on: a deal or a partner."""
        return self._place(subject, self._book.read(), Found())

    def _ask(self, subject: Subject, model: str, id_: int, schema: Schema, found: Found) -> Thing:
        client = self._client
        calls: list[Callable[[], Any]] = [lambda: client.tree(model, id_, schema.root(model))]
        if not self._stages and schema.has("crm.stage"):
            calls.append(lambda: client.search("crm.stage", [], ["name"], order="sequence, id"))
        stages = len(calls) > 1
        if schema.has("helpdesk.ticket"):
            tree, domain = schema.cut("helpdesk.ticket", TICKET), _tickets_of(model, id_)
            calls.append(lambda: client.trees("helpdesk.ticket", domain, tree, limit=TICKETS, order="id desc"))
        answers = client.transport.together(*calls)
        if stages:
            self._stages = {str(one["id"]): str(one["name"]) for one in answers[1]}
        root = answers[0]
        if root is None or not self._is_ours(root):
            raise not_found(VENDOR, self._connection, subject)
        if len(answers) > 1 + stages:
            found.add("helpdesk.ticket", answers[-1])
        return root  # type: ignore[no-any-return]  # the answers of different calls are of different types

    def _is_ours(self, thing: Thing) -> bool:
        company = id_of(thing.get("company_id"))
        return not self._companies or company is None or int(company) in self._companies

    def _place(self, subject: Subject, schema: Schema, found: Found) -> tuple[str, int]:
        kind, _, rest = subject.id.rpartition(":")
        if subject.type in ("contact", "company") and kind == "lead":
            return "crm.lead", _number(rest, subject, self._connection)
        if subject.type == "activity":
            return self._parent(subject, kind, _number(rest, subject, self._connection), schema, found)
        model, number = MODELS.get(subject.type, ""), _number(subject.id, subject, self._connection)
        if subject.type == "ticket":
            return self._customer_of(subject, number, schema, found)
        return model, number

    def _parent(self, subject: Subject, kind: str, number: int, schema: Schema, found: Found) -> tuple[str, int]:
        """The deal or partner that a message, activity or meeting belongs to."""
        model = ACTIVITIES.get(kind)
        if model is None:
            raise not_found(VENDOR, self._connection, subject)
        fields = [
            name
            for name in ("model", "res_model", "res_id", "opportunity_id", "partner_ids")
            if name in schema.models[model]
        ]
        rows = self._client.call(model, "search_read", domain=[["id", "=", number]], fields=fields,
                                 context={"active_test": False})  # fmt: skip
        if not rows:
            raise not_found(VENDOR, self._connection, subject)
        place = _place_in(rows[0])
        if place is None:
            raise NotFound(f"odoo ({self._connection}): {subject.id} belongs to no deal or customer")
        if place[0] == "sale.order":
            order = self._client.call(
                "sale.order", "search_read", domain=[["id", "=", place[1]]], fields=["opportunity_id", "partner_id"]
            )
            place = (
                _place_in(
                    {"opportunity_id": order[0]["opportunity_id"], "partner_ids": [id_of(order[0]["partner_id"])]}
                )
                if order
                else None
            )
        if place is None or place[0] not in ("crm.lead", "res.partner"):
            raise NotFound(f"odoo ({self._connection}): {subject.id} belongs to no deal or customer")
        return place

    def _customer_of(self, subject: Subject, number: int, schema: Schema, found: Found) -> tuple[str, int]:
        if not schema.has("helpdesk.ticket"):
            raise NotFound(f"odoo ({self._connection}) has no help desk installed: {subject.id} cannot be read")
        ticket = self._client.tree("helpdesk.ticket", number, schema.cut("helpdesk.ticket", TICKET))
        partner = id_of((ticket or {}).get("partner_id"))
        if ticket is None or partner is None:
            raise not_found(VENDOR, self._connection, subject)
        found.add("helpdesk.ticket", ticket)
        return "res.partner", int(partner)


def _number(text: str, subject: Subject, connection: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise not_found(VENDOR, connection, subject)
    return int(text)


def _place_in(row: Thing) -> tuple[str, int] | None:
    model, res = row.get("model") or row.get("res_model"), row.get("res_id")
    lead = id_of(row.get("opportunity_id"))
    if lead is not None:
        return "crm.lead", int(lead)
    if model and res:
        return str(model), int(res)
    people = [int(one) for one in row.get("partner_ids") or () if one]
    return ("res.partner", people[0]) if people else None


def _tickets_of(model: str, id_: int) -> list[Any]:
    """The tickets of the whole account, by what is known before it is read."""
    path = "partner_id.commercial_partner_id."
    if model == "crm.lead":
        return ["|", [f"{path}opportunity_ids", "in", [id_]], [f"{path}child_ids.opportunity_ids", "in", [id_]]]
    return ["|", "|", ["partner_id", "child_of", id_], [f"{path}id", "=", id_], [f"{path}child_ids", "in", [id_]]]


def take(model: str, root: Thing, found: Found) -> None:
    """Puts a tree into parts."""
    if model == "crm.lead":
        _take_deal(root, found)
    elif model == "res.partner":
        _take_partner(root, found)


def _take_deal(lead: Thing, found: Found) -> None:
    partner = lead.get("partner_id")
    account = account_of(partner) if isinstance(partner, Mapping) else None
    own = {
        "deal_id": str(lead["id"]),
        "company_id": account or (f"{STRANGER}{lead['id']}" if stranger(lead)[0] else None),
    }
    found.add("crm.lead", lead)
    found.add("mail.message", lead.get("message_ids"), **own)
    found.add("mail.activity", lead.get("activity_ids"), **own)
    found.add("calendar.event", lead.get("calendar_event_ids"), **own)
    for order in lead.get("order_ids") or ():
        _take_order(order, account, found)
    if isinstance(partner, Mapping):
        _take_partner(partner, found)


def _take_partner(partner: Thing, found: Found) -> None:
    account = account_of(partner)
    found.add("res.partner", partner)
    found.add("mail.message", partner.get("message_ids"), company_id=account)
    found.add("mail.activity", partner.get("activity_ids"), company_id=account)
    found.add("calendar.event", partner.get("meeting_ids"), company_id=account)
    found.add("crm.lead", partner.get("opportunity_ids"))
    for order in partner.get("sale_order_ids") or ():
        _take_order(order, account, found)
    for child in partner.get("child_ids") or ():
        if isinstance(child, Mapping):
            _take_partner(child, found)
    whole = partner.get("commercial_partner_id")
    if isinstance(whole, Mapping) and len(whole) > 2:
        _take_partner(whole, found)


def _take_order(order: Any, account: str | None, found: Found) -> None:
    if not isinstance(order, Mapping):
        return
    deal = id_of(order.get("opportunity_id"))
    found.add("sale.order", order, company_id=account)
    found.add("mail.message", order.get("message_ids"), company_id=account, deal_id=deal)
    found.add(
        "product.product",
        [line["product_id"] for line in lines_of(order) if isinstance(line.get("product_id"), Mapping)],
    )


def documents_of(found: Found, database: Database, stages: Mapping[str, str]) -> dict[str, list[Document]]:
    """Documents of our format, each with the ids that its place in the tree says."""
    accounts = {id_: account_of(one) for id_, one in found.things.get("res.partner", {}).items()}
    documents: dict[str, list[Document]] = {
        "companies": [to_document("company", one, database) for one in found.all("res.partner") if is_account(one)],
        "contacts": [to_document("contact", one, database) for one in found.all("res.partner") if is_person(one)],
        "products": [to_document("product.product", one, database) for one in found.all("product.product")],
        "users": [to_document("res.users", one, database) for one in users_in(found)],
        "activities": _activities(found, database),
        "tickets": [_ticket(one, accounts, database) for one in found.all("helpdesk.ticket")],
        **_orders(found, accounts, database),
    }
    _add_deals(documents, found, accounts, database)
    documents["stage_changes"] = [
        change for lead in found.all("crm.lead") for change in stage_changes(lead, _messages_of(lead, found), stages)
    ]
    return documents


def _messages_of(lead: Thing, found: Found) -> list[Thing]:
    return [one for one, ties in found.of("mail.message") if ties.get("deal_id") == str(lead["id"])]


def is_account(partner: Thing) -> bool:
    """A company, or a person without one: purchases need an account."""
    return account_of(partner) == id_of(partner)


def is_person(partner: Thing) -> bool:
    """A person outside: not a company, not an address to deliver or invoice to, and none of our own users."""
    outside = partner.get("partner_share") is not False
    return outside and partner.get("is_company") is not True and partner.get("type") in ("contact", False, None)


def _add_deals(
    documents: dict[str, list[Document]], found: Found, accounts: Mapping[str, str | None], database: Database
) -> None:
    lines: list[Document] = []
    deals = [deal_document(lead, accounts, database) for lead in found.all("crm.lead")]
    quoted = quotes_by_deal(found.all("sale.order"))
    for lead, deal in zip(found.all("crm.lead"), deals, strict=True):
        company, person = (None, None) if lead.get("partner_id") else stranger(lead)
        documents["companies"] += [company] if company else []
        documents["contacts"] += [person] if person else []
        lines += line_items(deal["id"], quoted.get(deal["id"]), database)
        own = [
            contact["id"] for contact in documents["contacts"] if contact.get("company_id") == deal.get("company_id")
        ]
        if own and "message_ids" in lead:
            deal["contact_ids"] = own
    documents["deals"], documents["line_items"] = deals, lines


def deal_document(lead: Thing, accounts: Mapping[str, str | None], database: Database) -> Document:
    """A lead or opportunity with its company and main contact."""
    partner = lead.get("partner_id")
    id_ = id_of(partner)
    if id_ is None:
        named = f"{STRANGER}{lead['id']}" if stranger(lead)[0] else None
        return to_document("crm.lead", lead, database, company_id=named, primary_contact_id=named)
    whole = account_of(partner) if isinstance(partner, Mapping) and "commercial_partner_id" in partner else None
    company = whole or accounts.get(id_) or id_
    person = id_ if not isinstance(partner, Mapping) or is_person(partner) else None
    return to_document("crm.lead", lead, database, company_id=company, primary_contact_id=person)


def quotes_by_deal(orders: Iterable[Thing]) -> dict[str, Thing]:
    """Of each deal the newest quotation that is not cancelled: its lines are what the deal is about."""
    newest: dict[str, Thing] = {}
    for order in sorted(orders, key=lambda one: int(one["id"])):
        deal = id_of(order.get("opportunity_id"))
        if deal is not None and order.get("state") != "cancel":
            newest[deal] = order
    return newest


def line_items(deal_id: str, order: Thing | None, database: Database) -> list[Document]:
    if order is None:
        return []
    currency = name_of(order.get("currency_id"))
    return [to_document("line", line, database, deal_id=deal_id, currency=currency) for line in lines_of(order)]


def _orders(found: Found, accounts: Mapping[str, str | None], database: Database) -> dict[str, list[Document]]:
    quotes: list[Document] = []
    orders: list[Document] = []
    for order, ties in found.of("sale.order"):
        made = order_documents(order, {**accounts, "": ties.get("company_id")}, database)
        quotes += made[0]
        orders += made[1]
    return {"quotes": quotes, "orders": orders}


def order_documents(
    order: Thing, accounts: Mapping[str, str | None], database: Database
) -> tuple[list[Document], list[Document]]:
    """A sale order as the quotation it was (where it belongs to a deal) and the order it became."""
    partner = id_of(order.get("partner_id"))
    account = accounts.get(partner or "") or account_in(order.get("partner_id")) or accounts.get("") or partner
    quotes = [to_document("quote", order, database)] if id_of(order.get("opportunity_id")) else []
    if order.get("state") not in ORDER_STATES:
        return quotes, []
    person = partner if partner != account else None
    return quotes, [to_document("order", order, database, company_id=account, contact_id=person)]


def account_in(partner: Any) -> str | None:
    """The account of a partner that was read with its fields."""
    return account_of(partner) if isinstance(partner, Mapping) and "commercial_partner_id" in partner else None


def _activities(found: Found, database: Database) -> list[Document]:
    people = {id_ for id_, one in found.things.get("res.partner", {}).items() if is_person(one)}
    known = people | {f"{STRANGER}{lead['id']}" for lead in found.all("crm.lead")}
    made = [
        to_document(model, one, database, **ties)
        for model in ACTIVITIES.values()
        for one, ties in found.of(model)
        if model != "mail.message" or message_kind(one) is not None
    ]
    return [_only_known(one, known) for one in made]


def _only_known(activity: Document, known: set[str]) -> Document:
    """Contacts of the account; our own people take part in meetings too and are no contacts."""
    ids = [id_ for id_ in activity.get("contact_ids", ()) if id_ in known]
    kept = {key: value for key, value in activity.items() if key != "contact_ids"}
    return kept | ({"contact_ids": ids} if ids else {})


def _ticket(ticket: Thing, accounts: Mapping[str, str | None], database: Database) -> Document:
    return to_document(
        "helpdesk.ticket", ticket, database, company_id=accounts.get(id_of(ticket.get("partner_id")) or "")
    )


def users_in(found: Found) -> list[Thing]:
    """The owners that were read with their records."""
    owners = [one.get("user_id") for model in ("crm.lead", "res.partner") for one in found.all(model)]
    return [one for one in owners if isinstance(one, Mapping) and "login" in one]


def _urls(documents: Mapping[str, Sequence[Document]], base: str) -> dict[str, str]:
    """Addresses in Odoo, of the form that 17 to 19 all open."""
    models = {"deals": "crm.lead", "companies": "res.partner", "contacts": "res.partner", "orders": "sale.order",
              "quotes": "sale.order", "products": "product.product"}  # fmt: skip
    return {
        f"{name}/{document['id']}": f"{base}/web#id={document['id'].rpartition(':')[2]}&model={model}&view_type=form"
        for name, model in models.items()
        for document in documents.get(name, ())
        if not document["id"].startswith(STRANGER)
    }


def _changed_at(found: Found) -> datetime | None:
    times = [instant_text(one.get("write_date") or None) for part in found.things.values() for one in part.values()]
    known = [time for time in times if time]
    return datetime.fromisoformat(max(known)) if known else None
