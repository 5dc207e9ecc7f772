"""The amounts of one deal that a negotiation turns on, each with where it comes from. One currency, or unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from crmplugin.analysis.negotiation import Limit, discount_of, floor_price, limit_for, walk_away
from crmplugin.analysis.pricing import document_total, lines_subtotal
from crmplugin.analysis.sheet import Pointer
from crmplugin.domain.crm import Context, Deal, LineItem, Product, Quote, QuoteLine


@dataclass(frozen=True, slots=True)
class Known:
    """An amount with how it was found and the facts it rests on."""

    value: Decimal
    formula: str | None
    pointers: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """List, quoted, cost, floor, limit and target of a deal; None is unknown."""

    currency: str | None
    list_amount: Known | None
    quoted: Known | None
    cost: Known | None
    floor: Decimal | None
    walk_away: Decimal | None
    limit: Limit
    target_pct: Decimal | None
    role: str | None
    has_lines: bool = False
    """Whether the records say what is sold in which quantity."""

    @property
    def given_pct(self) -> Decimal | None:
        """The discount the quoted price gives already."""
        if self.list_amount is None or self.quoted is None:
            return None
        return discount_of(self.list_amount.value, self.quoted.value)

    @property
    def target_price(self) -> Decimal | None:
        return self.price_at(self.target_pct)

    @property
    def limit_price(self) -> Decimal | None:
        return self.price_at(self.limit.pct)

    def price_at(self, pct: Decimal | None) -> Decimal | None:
        if self.list_amount is None or pct is None:
            return None
        return self.list_amount.value * (1 - pct / 100)


def read_numbers(context: Context, deal: Deal, quote: Quote | None, now: datetime) -> Numbers:
    """The numbers of a deal with its standing quote. Freight is left out: it is not what is haggled over."""
    currency = (quote.currency if quote else None) or deal.currency
    lines = _lines(context, deal, quote)
    products = {p.id: p for p in context.products}
    same = deal.currency == currency
    listed = _field(deal, "list_amount", deal.list_amount if same else None) or _from_catalogue(
        lines, products, currency, "list_price"
    )
    cost = _field(deal, "cost_amount", deal.cost_amount if same else None) or _from_catalogue(
        lines, products, currency, "cost"
    )
    floor = floor_price(cost.value if cost else None, context.policy.floor_margin_pct if context.policy else None)
    role = next((u.role for u in context.users if u.id == deal.owner_id), None)
    limit = limit_for(
        context.policy, role, list_amount=listed.value if listed else None, cost=cost.value if cost else None
    )
    quoted = _quoted(deal if same else None, quote)
    return Numbers(
        currency, listed, quoted, cost, floor, walk_away(floor), limit, deal.target_discount_pct, role, bool(lines)
    )


def _lines(context: Context, deal: Deal, quote: Quote | None) -> Sequence[QuoteLine | LineItem]:
    if quote and quote.lines:
        return quote.lines
    return [item for item in context.line_items if item.deal_id == deal.id]


def _field(deal: Deal, name: str, value: Decimal | None) -> Known | None:
    return Known(value, None, (("deals", deal.id, name),)) if value else None


def _from_catalogue(
    lines: Iterable[QuoteLine | LineItem], products: dict[str, Product], currency: str | None, name: str
) -> Known | None:
    """Sum of quantity × list price (or cost), when it is known for every line in this currency."""
    total, pointers = Decimal(0), list[Pointer]()
    for line in lines:
        product = products.get(line.product_id or "")
        price = getattr(product, name) if product else None
        if product is None or price is None or product.currency != currency or line.quantity is None:
            return None
        total += line.quantity * price
        pointers.append(("products", product.id, name))
    return Known(total, f"sum of quantity × {name.replace('_', ' ')}", tuple(pointers)) if total else None


def _quoted(deal: Deal | None, quote: Quote | None) -> Known | None:
    """What was offered, net of freight: the quote's lines before its header before the deal's amount."""
    if quote:
        net = document_total(lines_subtotal(quote.lines), quote.discount_pct, None)
        if net is not None:
            return Known(net, "lines of the quote less its discount", (("quotes", quote.id, "lines_total"),))
        if quote.total is not None:
            return Known(quote.total - (quote.freight or 0), "total less freight", (("quotes", quote.id, "total"),))
    return _field(deal, "amount", deal.amount) if deal else None
