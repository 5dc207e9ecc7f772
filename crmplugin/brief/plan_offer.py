"""Which product a pitch is about, and why: sellable to this account, with something true to say about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from crmplugin.analysis.eligibility import complements
from crmplugin.analysis.recommendation import Account, Picks, pick_products, why_not
from crmplugin.analysis.stages import is_open
from crmplugin.brief.display import show_date
from crmplugin.brief.needs import StatedNeed
from crmplugin.brief.plan_places import FEATURE_NUMBERS, told_feature
from crmplugin.brief.plan_rows import Place
from crmplugin.domain.brief import Signals, Warning
from crmplugin.domain.crm import Context, Deal, Product
from crmplugin.domain.fact import Fact
from crmplugin.ports import Population

ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
FITS_NUMBERS = range(1, 7)

UNFOUNDED = frozenset({"popularity", "look_alikes"})
"""Methods that know what others buy and nothing of this account: no reason to pitch; we ask instead."""

Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Offer:
    """The product to offer: its places and references, why it was chosen, and the ids that carry the reason."""

    product_id: str
    reason: str
    evidence: tuple[str, ...]
    places: Mapping[str, Place]
    aliases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shop:
    """What an offer is chosen from. `zone` is the recipient's, `now` the moment of the brief."""

    context: Context
    signals: Signals
    population: Population
    needs: tuple[StatedNeed, ...]
    now: datetime
    zone: str
    unquotable: frozenset[str] = frozenset()
    """Ids of facts whose words are in another language than the text."""

    def picks(self) -> Picks:
        needs = [tag for need in self.needs for tag in need.tags]
        return pick_products(self.context, self.population, self.signals, now=self.now, zone=self.zone, needs=needs)


def find_offer(shop: Shop, facts: Facts) -> Offer | None:
    """The first candidate about which something can be told; None when there is none to offer honestly.

    First what the open deal is about, then what answers a stated need, then new products in the order of
    `analysis.recommendation`. What most others buy is no reason: of an account without history we ask instead.
    """
    products = {p.id: p for p in shop.context.products}
    in_talks = frozenset(deal_products(shop.context, shop.now))
    account = Account(shop.context, shop.population, shop.now, shop.zone, in_talks=in_talks)
    refused: list[Product] = []
    for id_, reason, evidence in _candidates(shop):
        product = products.get(id_)
        if product is None or _goes_with(product, refused, account):
            continue
        if why_not(product, account) is not None:
            refused += [product] if id_ in in_talks else []
        elif _can_be_told(id_, facts):
            return _offer(shop, product, reason, evidence, facts)
    return None


def _goes_with(product: Product, refused: Sequence[Product], account: Account) -> bool:
    """Whether it is there for a dearer product of the same deal that cannot be offered: nobody wants the installation
    of a machine that is not to be had. What fits something they own stands on its own."""
    if product.durable or product.id not in account.in_talks or product.id in account.bought:
        return False
    dearer = any((r.list_price or 0) > (product.list_price or 0) for r in refused)
    return dearer and not complements(account, product.id)


def choice_warnings(shop: Shop, told: Iterable[str]) -> tuple[Warning, ...]:
    """Why the product of a pitch was chosen and what was left out, for the rep. `told`: fact ids of the plan."""
    names = {p.id: p.name or p.id for p in shop.context.products}
    told = set(told)
    chosen = next((row for row in _candidates(shop) if f"{row[0]}.name" in told), None)
    if chosen is None:
        return ()
    product_id, reason, evidence = chosen
    picks = shop.picks()
    others = [p for p in (*picks.items, *picks.runners_up) if p.product_id != product_id]
    parts = [f"Check that {names[product_id]} suits them: {_named(reason, names)}."]
    if others:
        rows = (f"{names.get(p.product_id, p.product_id)} ({_named(p.reason, names)})" for p in others[:2])
        parts.append(f"Next in line: {'; '.join(rows)}.")
    if picks.left_out:
        parts.append(f"Left out: {', '.join(f'{n} {why}' for why, n in picks.left_out)}.")
    return (Warning("product_choice", " ".join(parts), (f"{product_id}.name", *evidence)),)


def _named(reason: str, names: Mapping[str, str]) -> str:
    """A reason with the names of products instead of their ids."""
    named = re.sub(r"[^\s,]+", lambda word: names.get(word[0], word[0]), reason)
    return ISO_DAY.sub(lambda day: show_date(date.fromisoformat(day[0]), "en_GB", today=date.min), named)


def _candidates(shop: Shop) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Product id, reason in words and the ids behind it."""
    context = shop.context
    deal = deal_in_view(context, shop.now)
    for id_ in deal_products(context, shop.now):
        yield id_, "the open deal is about it", (deal.id,) if deal else ()
    for need in shop.needs:
        for product in sorted((p for p in context.products if _answers(p, need)), key=lambda p: not _is_near(p, need)):
            reason = f"it answers a need they named (“{need.quote}”)"
            yield product.id, reason, (f"{need.record_id}.{need.name}",)
    for pick in shop.picks().items:
        if pick.list == "new" and pick.method not in UNFOUNDED:
            yield pick.product_id, pick.reason, pick.evidence


def deal_in_view(context: Context, now: datetime) -> Deal | None:
    """The subject's deal, else the account's only open one; None when it is closed."""
    if context.deal is not None:
        return context.deal if is_open(context.deal, now) else None
    running = [d for d in context.deals if is_open(d, now)]
    return running[0] if len(running) == 1 else None


def deal_products(context: Context, now: datetime) -> tuple[str, ...]:
    """Products of the open deal in view."""
    deal = deal_in_view(context, now)
    if deal is None:
        return ()
    items = [item.product_id for item in context.line_items if item.deal_id == deal.id]
    return tuple(dict.fromkeys(id_ for id_ in (*deal.product_ids, *items) if id_))


def _answers(product: Product, need: StatedNeed) -> bool:
    wanted = {tag.casefold() for tag in need.tags}
    return any(tag.casefold() in wanted for feature in product.features for tag in feature.need_tags)


def _is_near(product: Product, need: StatedNeed) -> bool:
    """Whether it is of the kind of goods they spoke of."""
    return product.category is not None and product.category in need.categories


def _can_be_told(product_id: str, facts: Facts) -> bool:
    told = (f"{product_id}.{name}" in facts for name in ("description", "lead_time"))
    return f"{product_id}.name" in facts and (any(told) or told_feature(product_id, facts) is not None)


def _offer(shop: Shop, product: Product, reason: str, evidence: tuple[str, ...], facts: Facts) -> Offer:
    context = shop.context
    claim = next((c.id for c in context.claims if product.id in c.product_ids and f"{c.id}.text" in facts), None)
    places = {"offer": Place("products", product.id)}
    if claim:
        places["offer_claim"] = Place("claims", claim)
    if deal := _deal_of(product, context, facts):
        places["bargain"] = Place("offers", deal)
    if product.id in deal_products(context, shop.now):
        places["deal_offer"] = places["offer"]
    aliases = _features(product, shop, facts) | _need(product, shop, facts)
    return Offer(
        product.id, reason, evidence, places | _fitting(product, context, facts), aliases | _fits(product, facts)
    )


def _deal_of(product: Product, context: Context, facts: Facts) -> str | None:
    """The offer of ours on this product that holds for the account and ends first."""
    found = [o for o in context.offers if product.id in o.product_ids and f"{o.id}.text" in facts]
    return min(found, key=lambda o: (o.valid_until or date.max, o.id)).id if found else None


def _features(product: Product, shop: Shop, facts: Facts) -> dict[str, str]:
    """References to at most two features: those that answer a need first, then those with a benefit on record."""
    wanted = {tag.casefold() for need in shop.needs for tag in need.tags}
    rows = zip(FEATURE_NUMBERS, product.features, strict=False)
    told = [(n, f) for n, f in rows if f"{product.id}.feature{n}" in facts]
    told.sort(key=lambda row: (
        not wanted & {tag.casefold() for tag in row[1].need_tags},
        f"{product.id}.feature{row[0]}.benefit" not in facts,
        row[0],
    ))  # fmt: skip
    ids = [f"{product.id}.feature{n}" for n, _ in told]
    named = dict(zip(("offer.feature", "offer.feature_more"), ids, strict=False))
    return named | ({"offer.benefit": f"{ids[0]}.benefit"} if ids else {})


def _need(product: Product, shop: Shop, facts: Facts) -> dict[str, str]:
    """The need that this product answers and the day it was named; words in another language are not quoted."""
    for need in shop.needs:
        day = f"{need.record_id}.{'on' if need.collection == 'activities' else 'opened_on'}"
        words = f"{need.record_id}.{need.name}"
        if _answers(product, need) and day in facts:
            return {"need.carried" if words in shop.unquotable else "need.text": words, "need.on": day}
    return {}


def _fits(product: Product, facts: Facts) -> dict[str, str]:
    found = next((n for n in FITS_NUMBERS if f"{product.id}.fits{n}" in facts), None)
    return {"offer.fits": f"{product.id}.fits{found}"} if found else {}


def _fitting(product: Product, context: Context, facts: Facts) -> dict[str, Place]:
    """The owned product it fits, and the order in which they bought it."""
    fits = next((facts[f"{product.id}.fits{n}"] for n in FITS_NUMBERS if f"{product.id}.fits{n}" in facts), None)
    owned = fits.source[-1].id if fits and fits.source else None
    orders = [o for o in context.orders if any(line.product_id == owned for line in o.lines) and o.ordered_at]
    last = max(orders, key=lambda o: (o.ordered_at.timestamp() if o.ordered_at else 0.0, o.id), default=None)
    if owned is None or last is None:
        return {}
    return {"fitting": Place("products", owned), "fitting_order": Place("orders", last.id)}
