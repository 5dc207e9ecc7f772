"""Products for one company, with reasons: what the fit ranks, what the records say, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crmplugin.analysis.fit.rankings import gather_histories, learn_rankings, rank_again
from crmplugin.analysis.offers import OfferFound, find_offers
from crmplugin.analysis.product_names import products_named
from crmplugin.analysis.recommendation import Pick, Picks, pick_products
from crmplugin.brief.hygiene import clean
from crmplugin.brief.needs import stated_needs
from crmplugin.brief.recipient import zone_of
from crmplugin.brief.signals import read_signals
from crmplugin.domain.crm import Context, Subject
from crmplugin.journeys.draft import Tools, account_of, account_population
from crmplugin.journeys.fit_products import keep_fit_fresh, read_histories
from crmplugin.ports import Population
from crmplugin.store.account_fits import FitStore
from crmplugin.store.records import RecordStore


@dataclass(frozen=True, slots=True)
class Recommended:
    """The picks of one account, and the offers of ours that hold for it today."""

    picks: Picks
    offers: OfferFound


def recommend_now(
    connection: str, subject: Subject, *,
    tools: Tools, records: RecordStore, fits: FitStore, as_of: datetime | None, now: datetime, top: int,
) -> Recommended:  # fmt: skip
    """At most `top` products for the subject's account, after what changed has been learned.

    `as_of`: as it was at a moment, learned from what was bought up to then and kept nowhere. Raises NotFound for a
    subject that is not there.
    """
    context = _with_catalogue(tools.read_context(subject), records)
    if as_of is not None:
        population = _population_as_of(
            account_of(context), tools.population(), connection=connection, records=records, now=as_of
        )
        return recommend(context, population, now=as_of, top=top)
    keep_fit_fresh(connection, records=records, fits=fits, clock=lambda: now)
    return recommend(context, account_population(context, tools), now=now, top=top)


def _with_catalogue(context: Context, records: RecordStore) -> Context:
    """The cleaned context with every product of the connection: what is left out must be counted too."""
    known = {p.id: p for p in context.products}
    rest = (p for p in records.iterate(context.connection, "products") if p.id not in known)
    return clean(replace(context, products=(*context.products, *rest)))


def recommend(context: Context, population: Population, *, now: datetime, top: int) -> Recommended:
    """The picks of a cleaned context; `population` has the ranking and the class of its account."""
    zone = zone_of(context, None)
    signals = read_signals(context, population, now=now, zone=zone, recipient_id=None)
    needs = [tag for need in stated_needs(context, None, now=now) for tag in need.tags]
    said = " \n".join(q.text for q in signals.open_questions)
    asked_for = {mention.product.id for mention in products_named(said, context.products)}
    picks = pick_products(
        context, population, signals, now=now, zone=zone, top=top, needs=needs, asked_for=asked_for
    )  # fmt: skip
    return Recommended(picks, find_offers(context, population, signals, now=now, zone=zone))


def _population_as_of(
    account: str, population: Population, *, connection: str, records: RecordStore, now: datetime
) -> Population:
    """The population with this account's ranking learned from what was bought up to `now`, kept nowhere."""
    read = read_histories(records.iterate_dealings(connection), now=now)
    known = gather_histories(read.days, today=now.date().toordinal())
    found = dict(rank_again(learn_rankings(known), known, at=now, accounts=[account]))
    return replace(
        population, ranking=found.get(account), rfm_class=read.classes(now).get(account), churn=read.churn(now)
    )


def recommendation_document(found: Recommended) -> dict[str, Any]:
    """The answer of `recommend` as JSON (contract §8), and `offers` beside."""
    picks = found.picks
    return {
        "items": [_item(pick) for pick in picks.items],
        "left_out": [{"reason": reason, "count": count} for reason, count in picks.left_out],
        "fallback": picks.fallback,
        "runners_up": [_item(pick) for pick in picks.runners_up],
        "offers": [
            {"id": o.id, "text": o.text, "product_ids": list(o.product_ids),
             "valid_until": o.valid_until.isoformat() if o.valid_until else None}
            for o in found.offers.holding
        ],
        "offers_left_out": [{"id": id_, "reason": reason} for id_, reason in found.offers.left_out],
    }  # fmt: skip


def _item(pick: Pick) -> Mapping[str, Any]:
    return {
        "product_id": pick.product_id,
        "list": pick.list,
        "score": float(pick.score),
        "reason": pick.reason,
        "evidence": list(pick.evidence),
        "method": pick.method,
        "n": pick.n,
        "claimable": pick.claimable,
        "share": None if pick.share is None else round(float(pick.share), 4),
    }
