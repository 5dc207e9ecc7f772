"""Facts of what the owner approved: slots, claims, articles, offers; and of contracts."""

from __future__ import annotations

from datetime import timedelta

from crmplugin.brief.facts_of.making import Maker, Rec, computed
from crmplugin.domain.crm import Article, Claim, Contract, Offer, Slot
from crmplugin.domain.fact import Basis, Fact


def slot_facts(make: Maker, slot: Slot) -> list[Fact | None]:
    """A day or time we may promise, with its weekday; past ones are no slots."""
    rec = Rec("slots", slot.id, make.word(f"slot_kinds.{slot.kind}") if slot.kind else slot.id)
    if slot.starts_at and slot.starts_at > make.now:
        until = make.local_day(slot.starts_at)
        return [make.moment(rec, "starts_at", slot.starts_at, kind="slot", valid_until=until)]
    if slot.on and slot.on >= make.owner_day(make.now):
        return [make.day(rec, "on", slot.on, weekday=True, kind="slot", valid_until=slot.on)]
    return []


def claim_facts(make: Maker, claim: Claim) -> list[Fact | None]:
    rec = Rec("claims", claim.id, claim.id)
    approved = Basis(type="approved_copy", ref=claim.proof)
    return [make.text(rec, "text", claim.text, kind="claim", basis=approved, valid_until=claim.valid_until)]


def article_facts(make: Maker, article: Article) -> list[Fact | None]:
    """A knowledge article; one that is not public is for us."""
    hidden = None if article.public is not False else "internal"
    rec = Rec("articles", article.id, article.title or article.id, article.updated_at, visibility=hidden)  # type: ignore[arg-type]
    approved = Basis(type="approved_copy", ref=article.id)
    return [
        make.text(rec, "title", article.title, basis=approved),
        make.text(rec, "text", article.body, path="body", basis=approved),
    ]


def offer_facts(make: Maker, offer: Offer) -> list[Fact | None]:
    """An offer that holds for this account today (`analysis.offers`); others make no facts."""
    rec = Rec("offers", offer.id, offer.id)
    approved = Basis(type="approved_copy", ref=offer.id)
    return [
        make.text(rec, "text", offer.text, kind="claim", basis=approved, valid_until=offer.valid_until),
        make.day(rec, "valid_until", offer.valid_until),
    ]


def contract_facts(make: Maker, contract: Contract, *, renewing: bool) -> list[Fact | None]:
    """`renewing` shows the yearly amount: a renewal is about it."""
    rec = Rec("contracts", contract.id, contract.name or contract.id)
    shown = {"visibility": "customer"} if renewing else {}
    return [
        make.text(rec, "name", contract.name),
        make.day(rec, "starts_on", contract.starts_on, year=True),
        make.day(rec, "ends_on", contract.ends_on, year=True),
        _notice_on(make, rec, contract),
        make.money(rec, "yearly_amount", contract.yearly_amount, contract.currency, **shown),
    ]


def _notice_on(make: Maker, rec: Rec, contract: Contract) -> Fact | None:
    """The last day to give notice: the end less the days of notice."""
    if contract.ends_on is None or contract.notice_days is None:
        return None
    day = contract.ends_on - timedelta(days=int(contract.notice_days))
    basis = computed(f"end - {contract.notice_days} days", make.id_of(rec, "ends_on"))
    return make.day(rec, "notice_on", day, basis=basis, source=(make.source(rec, "notice_days"),))
