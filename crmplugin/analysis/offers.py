"""Which of our offers hold for an account today: inside their days, their segment, stock, region and our limits.

One failing condition removes an offer. Nothing here lifts a gate: that somebody may be written to is another question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

from crmplugin.analysis.eligibility import Account, why_not
from crmplugin.analysis.negotiation import discount_of, floor_price
from crmplugin.analysis.rfm import Rfm
from crmplugin.analysis.segments import Account as Profile
from crmplugin.analysis.segments import Market, is_member, measure_account
from crmplugin.analysis.stages import is_open
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Context, Offer, Policy
from crmplugin.ports import Population

NOT_BEGUN, ENDED, UNKNOWN_PRODUCT, NOT_IN_SEGMENT, NO_SEGMENT, ABOVE_LIMIT = (
    "not begun", "ended", "unknown product", "not in its segment", "its segment is not on record", "above our limit",
)  # fmt: skip
_PERCENT = re.compile(
    r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:%|per ?cent\b|percent\b|prozent\b|pour ?cent\b|por ciento\b)", re.I
)


@dataclass(frozen=True, slots=True)
class OfferFound:
    """Offers that hold, the one that ends first in front; and of each other one the first condition that fails."""

    holding: tuple[Offer, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def find_offers(
    context: Context, population: Population, signals: Signals, *, now: datetime, zone: str
) -> OfferFound:  # fmt: skip
    """The offers of the context; days are those of the seller, who wrote the offer."""
    ours = now.astimezone(ZoneInfo(context.seller.timezone or "UTC")).date()
    account = Account(context, population, now, zone)
    holding, left = [], []
    for offer in context.offers:
        reason = _why_not(offer, account, signals, today=ours)
        if reason is None:
            holding.append(offer)
        else:
            left.append((offer.id, reason))
    holding.sort(key=lambda o: (o.valid_until or date.max, o.id))
    return OfferFound(tuple(holding), tuple(left))


def _why_not(offer: Offer, account: Account, signals: Signals, *, today: date) -> str | None:
    if offer.valid_from is not None and offer.valid_from > today:
        return NOT_BEGUN
    if offer.valid_until is not None and offer.valid_until < today:
        return ENDED
    return (
        _product_reason(offer, account)
        or _segment_reason(offer, account, signals, today=today)
        or _limit_reason(offer, account)
    )


def _product_reason(offer: Offer, account: Account) -> str | None:
    """Why one of its products cannot be offered; the customer would ask for that one."""
    for id_ in offer.product_ids:
        product = account.products.get(id_)
        if product is None:
            return UNKNOWN_PRODUCT
        if reason := why_not(product, account):
            return reason
    return None


def _segment_reason(offer: Offer, account: Account, signals: Signals, *, today: date) -> str | None:
    if offer.segment_id is None:
        return None
    segment = next((s for s in account.context.segments if s.id == offer.segment_id), None)
    if segment is None or segment.where is None:
        return NO_SEGMENT
    profile, market = _profile(account, signals), _market(account, today)
    return None if is_member(segment.where, profile, market) else NOT_IN_SEGMENT


def _profile(account: Account, signals: Signals) -> Profile:
    context, now = account.context, account.now
    zone = ZoneInfo(context.seller.timezone or "UTC")
    company = context.company
    people = [c for c in context.contacts if company is None or c.company_id in (None, company.id)]
    return measure_account(
        company.id if company else context.subject.id,
        company=company,
        contacts=people,
        orders=context.orders,
        open_deals=[d for d in context.deals if is_open(d, now)],
        sell_hold=signals.ticket.hold,
        now=now.astimezone(zone),
    )


def _market(account: Account, today: date) -> Market:
    context, population = account.context, account.population
    id_ = context.company.id if context.company else context.subject.id
    # Of the class only the name is asked, and the fit keeps no more of it.
    rfm = Rfm(0, 0, MappingProxyType({}), population.rfm_class) if population.rfm_class else None  # type: ignore[arg-type]
    classes: Mapping[str, Rfm] = {id_: rfm} if rfm else {}
    return Market(population, classes, today, context.seller.currency)


def _limit_reason(offer: Offer, account: Account) -> str | None:
    """A percentage in its words above the largest discount that anybody here may give on its products."""
    said = [Decimal(m.group(1).replace(",", ".")) for m in _PERCENT.finditer(offer.text or "")]
    limit = _limit(offer, account)
    return ABOVE_LIMIT if said and limit is not None and max(said) > limit else None


def _limit(offer: Offer, account: Account) -> Decimal | None:
    """The strictest of the highest band and the floor of each product whose cost is known; None without a policy."""
    policy: Policy | None = account.context.policy
    if policy is None:
        return None
    limits = [max(pcts)] if (pcts := [b.max_pct for b in policy.bands if b.max_pct is not None]) else []
    for id_ in offer.product_ids:
        product = account.products[id_]
        floor = floor_price(product.cost, policy.floor_margin_pct)
        if floor is not None and product.list_price:
            limits.append(max(Decimal(0), discount_of(product.list_price, floor)))
    return min(limits, default=None)
