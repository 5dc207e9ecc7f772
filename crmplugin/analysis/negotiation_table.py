"""What the sections of a negotiation sheet are read from, and how a line for an amount is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crmplugin.analysis import sheet
from crmplugin.analysis.amounts import OUR_NOTES, amounts_in
from crmplugin.analysis.cadence import is_human
from crmplugin.analysis.fit.population import closed_outcome
from crmplugin.analysis.negotiation import closed_with_products, similar_deals
from crmplugin.analysis.negotiation_numbers import Known, Numbers, read_numbers
from crmplugin.analysis.sheet import Pointer, SheetLine, Val, say, show
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Activity, Context, Deal, Order, Product, Quote
from crmplugin.ports import Population

MOST_NOTES = 30
MOST_TALKS = 10


@dataclass(frozen=True)
class Table:
    """What the sections of one sheet are read from."""

    context: Context
    deal: Deal
    population: Population
    signals: Signals
    now: datetime
    zone: str = "UTC"

    @cached_property
    def quote(self) -> Quote | None:
        return next((q for q in self.context.quotes if q.id == self.signals.quote_id), None)

    @cached_property
    def numbers(self) -> Numbers:
        return read_numbers(self.context, self.deal, self.quote, self.now)

    @cached_property
    def similar(self) -> tuple[Mapping[str, Any], ...]:
        n = self.numbers
        amount = n.list_amount or n.quoted
        return similar_deals(
            self.population.closed_deals, product_ids=self.product_ids, amount=amount.value if amount else None,
            currency=n.currency, industry=self.context.company.industry if self.context.company else None,
            deal_id=self.deal.id, now=self.now,
        )  # fmt: skip

    @cached_property
    def outcome(self) -> Literal["won", "lost"] | None:
        """How the deal ended; None while it is open."""
        return closed_outcome(self.deal)

    @cached_property
    def same_goods(self) -> tuple[Mapping[str, Any], ...]:
        """Closed deals about exactly the products of this one."""
        return closed_with_products(
            self.population.closed_deals, product_ids=self.product_ids, deal_id=self.deal.id, now=self.now
        )

    @cached_property
    def unit_prices(self) -> tuple[Product, ...]:
        """Products of the deal whose list price is known, where their quantities are not."""
        if self.numbers.has_lines or self.numbers.list_amount:
            return ()
        return tuple(
            p for p in self.context.products
            if p.id in self.product_ids and p.list_price is not None and p.currency
            and self.numbers.currency in (None, p.currency)
        )  # fmt: skip

    @cached_property
    def talks(self) -> tuple[Activity, ...]:
        """The newest messages and notes of the deal that are not ours to the customer, newest first."""
        own = [a for a in self.context.activities if a.deal_id == self.deal.id and a.body and a.at]
        heard = [a for a in own if a.direction != "outbound" and a.at and a.at <= self.now and is_human(a)]
        return tuple(sorted(heard, key=lambda a: (a.at or self.now, a.id), reverse=True)[:MOST_TALKS])

    @cached_property
    def budget(self) -> tuple[Decimal, Pointer] | None:
        """The newest budget figure in our notes of the deal (hearsay)."""
        own = [a for a in self.context.activities if a.deal_id == self.deal.id and a.body and a.at]
        notes = [a for a in own if a.type in OUR_NOTES and a.direction != "inbound"]
        for note in sorted(notes, key=lambda a: (a.at or self.now, a.id), reverse=True)[:MOST_NOTES]:
            for n, figure in enumerate(amounts_in(note.body or ""), start=1):
                if figure.topic == "budget" and figure.currency in (None, self.numbers.currency):
                    return figure.readings[0], ("activities", note.id, f"budget{n}")
        return None

    @cached_property
    def product_ids(self) -> tuple[str, ...]:
        lines = self.quote.lines if self.quote else ()
        items = (i.product_id for i in self.context.line_items if i.deal_id == self.deal.id)
        return tuple(dict.fromkeys(p for p in (*self.deal.product_ids, *items, *(x.product_id for x in lines)) if p))

    @cached_property
    def orders(self) -> tuple[Order, ...]:
        """The account's orders so far, oldest first."""
        known = [o for o in self.context.orders if o.ordered_at and o.ordered_at <= self.now]
        return tuple(sorted(known, key=lambda o: (o.ordered_at or self.now, o.id)))

    def money(self, value: Decimal) -> Val:
        return sheet.money(value, self.numbers.currency or "")

    def pointer(self, field: str) -> Pointer:
        return ("deals", self.deal.id, field)


def known_lines(t: Table, key: str, known: Known | None, missing: str) -> Iterator[SheetLine]:
    """A line for an amount: the field it stands in, or a computed value of its own."""
    if known is None:
        yield say("numbers", missing)
    elif known.formula is None:
        yield show("numbers", known.pointers[0])
        if known.pointers[0] != t.pointer(key):
            yield typed("numbers", key, t.money(known.value), "as on record", known.pointers)
    else:
        yield typed("numbers", key, t.money(known.value), known.formula, known.pointers)


def typed(
    section: str, key: str, value: Val, formula: str, inputs: Iterable[Pointer], *, words: str | None = None
) -> SheetLine:
    kind = "percent" if value.kind == "percent" else "money"
    return SheetLine(section, key, words or key, kind, value, formula=formula, inputs=tuple(inputs))  # type: ignore[arg-type]


def day_of(t: Table, instant: datetime | None) -> Val:
    return sheet.day((instant or t.now).astimezone(ZoneInfo(t.zone)).date())


def product_name(t: Table, product_id: str) -> str:
    return next((p.name for p in t.context.products if p.id == product_id and p.name), product_id)
