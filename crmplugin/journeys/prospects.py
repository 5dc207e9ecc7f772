"""The prospecting list of a connection: its leads by the owner's rules, which stand in a TOML file of their own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from crmplugin.analysis.prospects import FitRule, Lead, Prospects, rank_leads, read_rules
from crmplugin.analysis.stages import is_open
from crmplugin.brief.addresses import normalise_email
from crmplugin.domain.crm import Contact
from crmplugin.errors import UsageError
from crmplugin.store.records import RecordStore

QUALIFIED_FROM = Decimal(1)


def load_rules(path: Path) -> tuple[tuple[FitRule, ...], Decimal]:
    """The `[[rule]]` tables of a file, and from how many points a lead counts as qualified (`qualified_from`)."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); write your rules there as [[rule]]") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    unknown = sorted(set(document) - {"rule", "qualified_from"})
    if unknown:
        raise UsageError(f"{path}: unknown key {unknown[0]!r}; expected [[rule]] and qualified_from")
    least = document.get("qualified_from", 1)
    if isinstance(least, bool) or not isinstance(least, int | float):
        raise UsageError(f"{path}: qualified_from: expected a number, got {least!r}")
    return read_rules(document.get("rule", []), where=str(path)), Decimal(str(least))


def find_prospects(
    connection: str, rules: tuple[FitRule, ...], *, records: RecordStore, now: datetime, qualified_from: Decimal
) -> Prospects:
    """Leads and prospects without an order and without an open deal, best first."""
    return rank_leads(_leads(connection, records, now), rules, qualified_from=qualified_from)


def _leads(connection: str, records: RecordStore, now: datetime) -> Iterator[Lead]:
    companies = {company.id: company for company in records.iterate(connection, "companies")}
    busy = {order.company_id for order in records.iterate(connection, "orders") if order.company_id}
    busy |= {order.contact_id for order in records.iterate(connection, "orders") if order.contact_id}
    for deal in records.iterate(connection, "deals"):
        if is_open(deal, now) or deal.status == "won":
            busy |= {deal.company_id, deal.primary_contact_id, *deal.contact_ids}
    contacts = list(records.iterate(connection, "contacts"))
    refused = _refusals(contacts)
    for contact in contacts:
        gone = contact.status in ("left", "inactive", "bounced") or contact.lifecycle == "customer"
        if not gone and contact.id not in busy and contact.company_id not in busy - {None}:
            said_no = refused.get(normalise_email(contact.email) or contact.id, set())
            yield Lead(contact, companies.get(contact.company_id or ""), tuple(sorted(said_no)))


def _refusals(contacts: list[Contact]) -> dict[str, set[str]]:
    """Normalised address (or id) -> channels that somebody with it said no to, on any record."""
    found: dict[str, set[str]] = {}
    for contact in contacts:
        no = {channel for channel, consent in contact.consent.items() if consent.state == "withdrawn"}
        if no:
            found.setdefault(normalise_email(contact.email) or contact.id, set()).update(no)
    return found


def prospects_document(found: Prospects, *, top: int) -> dict[str, Any]:
    """The list as JSON."""
    return {
        "items": [
            {
                "contact_id": p.lead.contact.id,
                "company_id": p.lead.company.id if p.lead.company else None,
                "score": float(p.score),
                "reasons": [{"rule": id_, "text": text, "points": float(points)} for id_, text, points in p.reasons],
                "unknown": list(p.unknown),
                "source": p.lead.contact.source,
                "referral": p.referral,
                "qualified": p.qualified,
                "opted_out": list(p.lead.opted_out),
            }
            for p in found.items[:top]
        ],
        "leads": len(found.items),
        "by_source": dict(found.by_source),
    }
