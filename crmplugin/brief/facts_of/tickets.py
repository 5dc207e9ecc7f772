"""Facts of tickets: what the customer may read of them, and what stays with us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crmplugin.brief.facts_of.making import Maker, Rec
from crmplugin.brief.facts_of.quoted import quoted
from crmplugin.domain.crm import Product, Ticket
from crmplugin.domain.fact import Basis, Fact, Visibility

CUSTOMER = Basis(type="stated_by_customer")


def ticket_rec(ticket: Ticket) -> Rec:
    return Rec("tickets", ticket.id, ticket.number or ticket.id, ticket.opened_at)


def ticket_facts(
    make: Maker, ticket: Ticket, products: Mapping[str, Product], harmless: Callable[[str], str]
) -> list[Fact | None]:
    """`harmless` gives a text without the parts that look like instructions."""
    rec = ticket_rec(ticket)
    scope = (ticket.contact_id,) if ticket.contact_id else ()
    product = products.get(ticket.product_id or "")
    said: dict[str, Any] = {"kind": "quote_text", "trust": "untrusted", "contact_scope": scope, "basis": CUSTOMER}
    return [
        make.text(rec, "number", ticket.number or ticket.id, kind="doc_id", path="number" if ticket.number else "id"),
        make.text(rec, "subject", quoted(harmless(ticket.subject or "")), **said),
        make.text(rec, "body", quoted(harmless(ticket.body or "")), **said),
        make.text(rec, "owner_name", ticket.owner_name, kind="person"),
        _next_update(make, rec, ticket),
        make.day(rec, "opened_on", ticket.opened_at, path="opened_at"),
        make.day(rec, "resolved_on", ticket.resolved_at, path="resolved_at"),
        _status(make, rec, ticket),
        make.product(rec, "product", product, path="product_id"),
        make.text(rec, "priority", ticket.priority, kind="status"),
        make.quantity(rec, "csat", ticket.csat),
    ]


def _next_update(make: Maker, rec: Rec, ticket: Ticket) -> Fact | None:
    """The promised update, in the recipient's zone; one that has passed is no promise any more."""
    at = ticket.next_update_at
    if at is None:
        return None
    hidden: Visibility = "internal" if at < make.now else "customer"
    return make.moment(rec, "next_update_at", at, visibility=hidden, valid_until=make.local_day(at))


def _status(make: Maker, rec: Rec, ticket: Ticket) -> Fact | None:
    if not ticket.status:
        return None
    return make.fact(rec, "status", "status", ticket.status, make.word(f"status.{ticket.status}"))
