"""A saved segment run over the records of a connection: who it means today, who is left out and why.

The predicate is asked of every account in one pass over the store; only accounts that fit are then read whole, for the
gates that a campaign message must pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.analysis.business_days import Countries
from crmplugin.analysis.segments import Account, Market, Preview, classes_of, measure_account, preview
from crmplugin.analysis.service import ticket_state
from crmplugin.analysis.stages import is_open
from crmplugin.brief.audience import campaign_gates
from crmplugin.brief.hygiene import clean
from crmplugin.domain.brief import DraftChannel
from crmplugin.domain.crm import Company, Contact, Context, Deal, Order, Segment, Seller, Subject, Ticket, Where
from crmplugin.errors import NotFound
from crmplugin.journeys.crm_lists import CrmList
from crmplugin.ports import Population
from crmplugin.store.record_keys import LOOSE_CONTACT
from crmplugin.store.records import RecordStore


def preview_segment(
    connection: str,
    segment: Segment,
    *,
    records: RecordStore,
    population: Population,
    read_context: Callable[[Subject], Context],
    now: datetime,
    channel: DraftChannel = "email",
    notice: bool = False,
    listed: CrmList | None = None,
) -> Preview:
    """Matched, removed by reason, left, for one channel at `now`. Nothing is written.

    `notice`: for a service word instead of a promotion (`brief.audience`). `listed`: the segment is this list.
    """
    seller = records.seller(connection)
    here = now.astimezone(ZoneInfo(seller.timezone or "UTC"))
    accounts = read_accounts(connection, records=records, seller=seller, now=here)
    market = Market(
        population=population,
        classes=classes_of(accounts, today=here.date()),
        today=here.date(),
        seller_currency=seller.currency,
        competitors=_competitors(records.iterate(connection, "deals")),
        listed=listed.members if listed else None,
    )
    out = listed.out(channel) if listed else frozenset()
    gate = _Gatekeeper(read_context, now=now, channel=channel, notice=notice, opted_out=out)
    return preview(segment, accounts, market, gate=gate)


def find_segment(connection: str, segment_id: str, *, records: RecordStore) -> Segment:
    """A saved segment. Raises NotFound."""
    found = records.read_one(connection, "segments", segment_id)
    if found is None:
        raise NotFound(
            f"The connection {connection} has no segment {segment_id}; import it under `segments`, or look the id up."
        )
    segment: Segment = found
    return segment


def owners_of(product_id: str) -> Segment:
    """Everybody who owns a product: whom a notice about it concerns, and nobody else."""
    return Segment(f"owners of {product_id}", None, Where(owns=(product_id,)))


def read_accounts(connection: str, *, records: RecordStore, seller: Seller, now: datetime) -> list[Account]:
    """Every account of a connection, measured at `now` (with the seller's zone), in one pass over the store."""
    book = _Book(now, (seller.country,))
    for company in records.iterate(connection, "companies"):
        book.companies[company.id] = company
    for contact in records.iterate(connection, "contacts"):
        book.contacts[contact.company_id or LOOSE_CONTACT + contact.id].append(contact)
    for deal in records.iterate(connection, "deals"):
        if is_open(deal, now) and deal.company_id:
            book.deals[deal.company_id].append(deal)
    for ticket in records.iterate(connection, "tickets"):
        if ticket.company_id:
            book.tickets[ticket.company_id].append(ticket)
    for account, orders in records.iterate_dealings(connection):
        book.orders[account] = orders
    return list(book.accounts())


@dataclass
class _Book:
    """Records by account while they are gathered."""

    now: datetime
    countries: Countries
    companies: dict[str, Company] = field(default_factory=dict)
    contacts: dict[str, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    deals: dict[str, list[Deal]] = field(default_factory=lambda: defaultdict(list))
    tickets: dict[str, list[Ticket]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[str, list[Order]] = field(default_factory=dict)

    def accounts(self) -> Iterator[Account]:
        for id_ in sorted({*self.companies, *self.contacts, *self.orders}):
            company = self.companies.get(id_)
            yield measure_account(
                id_,
                company=company,
                contacts=self.contacts.get(id_, ()),
                orders=self.orders.get(id_, ()),
                open_deals=self.deals.get(id_, ()),
                sell_hold=self._held(id_, company),
                now=self.now,
            )

    def _held(self, id_: str, company: Company | None) -> bool:
        tickets = self.tickets.get(id_)
        if not tickets:
            return False
        zone = (company.timezone if company else None) or str(self.now.tzinfo)
        countries = (*self.countries, company.country if company else None)
        return ticket_state(tickets, now=self.now, zone=zone, countries=countries).hold


class _Gatekeeper:
    """Says of each contact which gate forbids a campaign message; each account is read once."""

    def __init__(
        self,
        read: Callable[[Subject], Context],
        *,
        now: datetime,
        channel: DraftChannel,
        notice: bool,
        opted_out: frozenset[str],
    ) -> None:
        self._read, self._now, self._channel, self._notice = read, now, channel, notice
        self._opted_out = opted_out
        self._kept: tuple[str, Context] | None = None

    def __call__(self, account: Account, contact: Contact) -> str | None:
        if contact.id in self._opted_out:
            return f"opted_out:{self._channel}"
        context = self._context(account, contact)
        person = next((c for c in context.contacts if c.id == contact.id), contact)
        gates = campaign_gates(context, person, channel=self._channel, now=self._now, notice=self._notice)
        return gates[0].code if gates else None

    def _context(self, account: Account, contact: Contact) -> Context:
        if self._kept is None or self._kept[0] != account.id:
            subject = Subject("company", account.id) if account.company else Subject("contact", contact.id)
            self._kept = account.id, clean(self._read(subject))
        return self._kept[1]


def _competitors(deals: Iterable[Any]) -> frozenset[str]:
    return frozenset(name.strip().casefold() for deal in deals for name in deal.competitors if name.strip())


def preview_document(found: Preview) -> Mapping[str, Any]:
    """The preview as JSON: counts, and who is left."""
    return {
        "accounts": found.accounts,
        "matched": found.matched,
        "removed": dict(found.reasons),
        "left": len(found.left),
        "by_language": dict(found.by_language),
        "by_currency": dict(found.by_currency),
        "advice": found.advice,
        "members": [
            {"company_id": m.account_id, "contact_id": m.contact_id, "language": m.language, "currency": m.currency,
             "lacks": [{"product_id": c.product_id, "owned": c.owned, "together": c.together, "buyers": c.buyers}
                       for c in m.complements]}
            for m in found.left
        ],
    }  # fmt: skip
