"""Facts of people and companies: contacts, the account, our users, the seller."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crmplugin.brief.facts_of.making import Maker, Rec, computed, plain
from crmplugin.domain.crm import Company, Contact, Seller, User
from crmplugin.domain.fact import Fact, Visibility

APPROVERS = frozenset({"manager", "director", "admin"})


def full_name(contact: Contact) -> str | None:
    """Given name and surname as far as they are on record (hygiene empties those of a desk's mailbox)."""
    return " ".join(part for part in (contact.first_name, contact.last_name) if part) or None


def contact_facts(make: Maker, contact: Contact) -> list[Fact | None]:
    name = full_name(contact)
    rec = Rec("contacts", contact.id, name or contact.id)
    parts = tuple(f for f in ("first_name", "last_name") if getattr(contact, f))
    return [
        make.text(rec, "name", name, kind="person", source=tuple(make.source(rec, f) for f in parts)),
        make.text(rec, "title", contact.title),
        make.text(rec, "phone", contact.phone, kind="link"),
        make.text(rec, "email", contact.email, kind="link"),
    ]


def company_facts(make: Maker, company: Company) -> list[Fact | None]:
    rec = Rec("companies", company.id, company.name or company.id)
    return [
        make.text(rec, "name", company.name, kind="org"),
        make.day(rec, "customer_since", company.customer_since),
        make.text(rec, "industry", company.industry),
    ]


def years_fact(make: Maker, company: Company, occasion: Mapping[str, Any] | None) -> Fact | None:
    """How many years they are with us, on an anniversary only."""
    if occasion is None or occasion.get("name") != "anniversary" or company.customer_since is None:
        return None
    rec = Rec("companies", company.id, company.name or company.id)
    basis = computed(f"whole years on {occasion['on']}", make.id_of(rec, "customer_since"))
    years = Decimal(occasion["years"])
    return make.fact(
        rec, "customer_years", "duration", plain(years), make.show_span(years, None, "year"), unit="year",
        key="customer_since", path="customer_since", basis=basis,
    )  # fmt: skip


def user_facts(make: Maker, user: User, *, owner: bool) -> list[Fact | None]:
    """A colleague. People who approve prices are internal unless they are the customer's own contact with us."""
    hidden: Visibility | None = "internal" if user.role in APPROVERS and not owner else None
    rec = Rec("users", user.id, user.name or user.id, visibility=hidden)
    return [
        make.text(rec, "name", user.name, kind="person"),
        make.text(rec, "title", user.title),
        make.text(rec, "email", user.email, kind="link"),
        make.text(rec, "phone", user.phone, kind="link"),
    ]


def seller_facts(make: Maker, seller: Seller) -> list[Fact | None]:
    rec = Rec("seller", "seller", seller.name or "")
    return [
        make.text(rec, "name", seller.name, kind="org"),
        make.text(rec, "website", seller.website, kind="link"),
    ]
