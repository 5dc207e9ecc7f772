"""Which products to offer an account (sales-craft §2): a repeat list and a new list, never one blended score.

Eligibility comes first and is counted (`eligibility`); every pick has its reason, its evidence and the number of cases
behind it. This is the choice from one account's records, the population and what the fit ranks for the account; the
rankings over all baskets are made in `fit/`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import exp, log
from statistics import median
from typing import Literal

from crmplugin.analysis.association import CLAIMABLE_BUYERS, associate
from crmplugin.analysis.eligibility import Account, Tally, complements, why_not
from crmplugin.analysis.fusion import RANK_OFFSET, weigh
from crmplugin.analysis.lookalikes import Alike, find_alike
from crmplugin.analysis.replenishment import rhythms
from crmplugin.domain.brief import DueItem, Signals
from crmplugin.domain.crm import Context, Product
from crmplugin.ports import Population, Ranking

__all__ = ["Account", "Pick", "Picks", "pick_products", "price_fit", "repeat_slots", "why_not"]

SLOTS = 3
RUNNERS_UP = 2
PRIOR_LINES, PRIOR_ORDERS = 5, 2
UNKNOWN_REPEAT_SHARE = Decimal("0.5")
"""Share of repeat lines taken where no population is known."""
LEAST_SIGMA = 0.5
MAD_TO_SIGMA = 1.4826
UNKNOWN_DELIVERY = Decimal("0.6")
"""Weight of a product of which neither lead time nor stock is known: we could not say when it comes."""
PLAIN_METHODS = frozenset({"frequency", "popularity", "recent_popularity"})
"""What is plain to see: a ranking by one of these adds nothing to the account's own records."""
LEAST_EXPECTED = 5
"""Accounts that would buy two products together by chance, from which it means something that few do."""
EVIDENCE_ORDERS = 3
MOST_VOTERS = 30
"""Owned products whose companions are looked at."""
NO_HISTORY = "no purchases on record: what most accounts buy, not what this one needs"
NO_REASON = "nothing in its purchases points to a new product: what others buy, not what this one needs"


@dataclass(frozen=True, slots=True)
class Pick:
    """One product to offer. evidence: record ids; n: cases behind the method; claimable: a customer may hear of it."""

    product_id: str
    list: Literal["repeat", "new"]
    score: Decimal
    reason: str
    evidence: tuple[str, ...]
    method: str
    n: int
    claimable: bool = False
    share: Decimal | None = None
    """Estimated share of such accounts that buy it, 0 to 1, where the method gives one."""


@dataclass(frozen=True, slots=True)
class Picks:
    """Picks of both lists, best first in each; what was left out and why; `fallback` says when no history decided."""

    items: tuple[Pick, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    fallback: str | None = None
    runners_up: tuple[Pick, ...] = ()


def pick_products(
    context: Context, population: Population, signals: Signals, *, now: datetime, zone: str, top: int = SLOTS,
    needs: Collection[str] = (), asked_for: Collection[str] = (),
) -> Picks:  # fmt: skip
    """At most `top` products: the share of repeat purchases decides how many come from each list.

    needs: tags of what the account said it needs; asked_for: ids of products it named.
    """
    account, tally = Account(context, population, now, zone, frozenset(asked_for)), Tally()
    allowed = {p.id for p in tally.keep(context.products, account)}
    repeat = _repeat_picks(account, allowed)
    fresh, fallback = _new_picks(account, allowed, needs)
    fresh = _without_substitutes(fresh, account, most=top + RUNNERS_UP)
    slots = repeat_slots(account, top)
    from_repeat = repeat[: max(slots, top - len(fresh))]
    from_new = fresh[: top - len(from_repeat)]
    rest = [p for p in (*repeat, *fresh) if p not in from_repeat and p not in from_new]
    return Picks((*from_repeat, *from_new), tally.rows, fallback, tuple(rest[:RUNNERS_UP]))


def repeat_slots(account: Account, top: int) -> int:
    """How many of the slots the repeat list gets: its shrunk share of the account's lines after the first order."""
    prior = account.population.repeat_share
    prior = UNKNOWN_REPEAT_SHARE if prior is None else prior
    seen: set[str] = set()
    again = total = 0
    orders = [o for o in account.context.orders if o.ordered_at and o.ordered_at <= account.now]
    for number, order in enumerate(sorted(orders, key=lambda o: (o.ordered_at or account.now, o.id))):
        ids = {line.product_id for line in order.lines if line.product_id and (line.quantity or 1) > 0}
        if number:
            again, total = again + len(ids & seen), total + len(ids)
        seen |= ids
    share = (again + PRIOR_LINES * prior) / (total + PRIOR_LINES)
    return int((top * share).quantize(Decimal(1), ROUND_HALF_UP))


def price_fit(price: Decimal, paid: Sequence[Decimal]) -> Decimal:
    """How near a price is to what the account pays: 1 at its median, falling with the logarithm of the ratio."""
    scale = _price_scale(paid)
    return _fit_of(price, *scale) if scale else Decimal(1)


def _price_scale(paid: Sequence[Decimal]) -> tuple[float, float] | None:
    """The median of the logarithms of the prices, and their spread; None without any."""
    if not paid:
        return None
    logs = [log(p) for p in paid]
    centre = median(logs)
    return centre, max(LEAST_SIGMA, MAD_TO_SIGMA * median(abs(x - centre) for x in logs))


def _fit_of(price: Decimal, centre: float, sigma: float) -> Decimal:
    return Decimal(1) if price <= 0 else Decimal(str(round(exp(-((log(price) - centre) ** 2) / (2 * sigma**2)), 6)))


def _repeat_picks(account: Account, allowed: Collection[str]) -> list[Pick]:
    """What is due, overdue or lapsed: by the chance of the fit where it beats counting, else by the share of orders.

    Lapsed items come last: of them one asks, and does not assume that they are needed.
    """
    context, ranking = account.context, account.population.ranking
    chances = ranking.repeat if ranking and ranking.repeat_method not in PLAIN_METHODS else {}
    found = rhythms(context.orders, context.products, account.population, now=account.now, zone=account.zone)
    due = [i for i in found if i.state != "early" and (i.product_id in allowed or i.product_id not in account.products)]
    due.sort(key=lambda i: (i.state == "lapsed", i.product_id not in chances, -_chance(i, chances, account)))
    return [_repeat_pick(i, ranking if i.product_id in chances else None, account) for i in due]


def _chance(item: DueItem, chances: Mapping[str, float], account: Account) -> Decimal:
    """The chance by the fit, or the share of order days with the item, drawn towards 0 by two orders."""
    if item.product_id in chances:
        return Decimal(str(chances[item.product_id]))
    return Decimal(item.count) / (account.order_days + PRIOR_ORDERS)


def _repeat_pick(item: DueItem, ranking: Ranking | None, account: Account) -> Pick:
    often = "once" if item.count == 1 else f"{item.count} times"
    reason = f"bought {often}, last on {item.last_on}, {item.days_since} days ago: {item.state}"
    score = _chance(item, ranking.repeat if ranking else {}, account)
    method = ranking.repeat_method if ranking else item.method
    return Pick(item.product_id, "repeat", round(score, 4), reason, item.evidence, method, item.count)


@dataclass
class _Votes:
    """Rankings of new products, fused: every vote of weight w adds w / (60 + place)."""

    scores: dict[str, Decimal] = field(default_factory=dict)
    best: dict[str, tuple[int, Decimal, Pick]] = field(default_factory=dict)

    def add(self, ranking: Sequence[Pick], weight: Decimal, *, tells: int) -> None:
        """`tells`: how much the reason of this ranking tells a person; the pick is explained by the one that tells
        most, of equal ones by the greatest vote."""
        for place, pick in enumerate(ranking, start=1):
            vote = weight / (RANK_OFFSET + place)
            self.scores[pick.product_id] = self.scores.get(pick.product_id, Decimal(0)) + vote
            known = self.best.get(pick.product_id)
            if known is None or (tells, vote) > known[:2]:
                self.best[pick.product_id] = tells, vote, pick


def _new_picks(account: Account, allowed: Collection[str], needs: Collection[str]) -> tuple[list[Pick], str | None]:
    """New products by what goes with what was bought and by whoever buys alike; each purchase has its own vote."""
    if not account.bought:
        return _by_others(account, allowed)
    fresh = {id_ for id_ in allowed if id_ not in account.bought}
    votes = _Votes()
    for owned in _firmest(account):
        days = len(account.bought[owned].by_day)
        votes.add(_associated(account, owned, fresh), Decimal(days + 2) / (days + 3), tells=2)
    votes.add(_fitting(account, fresh), Decimal(1), tells=1)
    votes.add(_ranked(account, fresh), Decimal(1), tells=0)
    if not votes.scores:
        return _by_others(account, fresh)[0], NO_REASON
    scores = weigh(votes.scores, price_fits=_price_fits(account, votes.scores), matched=_matched(account, needs))
    picks = [
        replace(votes.best[id_][2], score=_squeezed(_delivered(score, account, id_))) for id_, score in scores.items()
    ]
    return sorted(picks, key=lambda p: (-p.score, p.product_id)), None


def _firmest(account: Account) -> list[str]:
    """The products bought on most days, then the latest: whose companions have a vote."""
    bought = account.bought
    ranked = sorted(bought, key=lambda id_: (-len(bought[id_].by_day), -max(bought[id_].by_day).toordinal(), id_))
    return ranked[:MOST_VOTERS]


def _squeezed(score: Decimal) -> Decimal:
    """A fused score between 0 and 1, in the same order: one whole vote for the first place gives a half."""
    votes = score * (RANK_OFFSET + 1)
    return round(votes / (1 + votes), 6)


def _price_fits(account: Account, ids: Iterable[str]) -> dict[str, Decimal]:
    ours, scale = account.context.seller.currency, _price_scale(account.prices)
    products = (account.products[id_] for id_ in ids) if scale else ()
    return {p.id: _fit_of(p.list_price, *scale) for p in products if scale and p.list_price and p.currency == ours}


def _matched(account: Account, needs: Collection[str]) -> list[str]:
    """Products that answer a need; all of them when no need is known."""
    wanted = {tag.casefold() for tag in needs}
    return [p.id for p in account.context.products if not wanted or _answers(p, wanted) or p.id in account.asked_for]


def _answers(product: Product, wanted: Collection[str]) -> bool:
    return any(tag.casefold() in wanted for feature in product.features for tag in feature.need_tags)


def _delivered(score: Decimal, account: Account, product_id: str) -> Decimal:
    product = account.products[product_id]
    known = product.lead_time or product.stock is not None
    return score if known else score * UNKNOWN_DELIVERY


def _associated(account: Account, owned: str, fresh: Collection[str]) -> list[Pick]:
    """New products that buyers of an owned one buy more than others do, the firmest first."""
    found, population = [], account.population
    n_i, total = population.bought_by.get(owned, 0), population.accounts
    orders = _orders_of(account, [owned])
    for other, both in population.bought_with.get(owned, {}).items():
        # Whole numbers first: of thousands of pairs few are worth the exact shares.
        if other not in fresh or both * total <= n_i * population.bought_by.get(other, 0):
            continue
        pair = associate(population, owned, other)
        if pair is not None and pair.supported:
            reason = f"{pair.n_ij} of {pair.n_i} accounts that bought {owned} also bought it"
            pick = Pick(other, "new", pair.shrunk_lift, reason, orders, "association", pair.n_i,
                        pair.claimable, pair.shrunk)  # fmt: skip
            found.append(pick)
    return sorted(found, key=lambda p: (-p.score, p.product_id))


def _fitting(account: Account, fresh: Collection[str]) -> list[Pick]:
    """New products that are recorded to fit owned ones, those that fit most first."""
    found = []
    for product_id in fresh:
        owned = complements(account, product_id)
        if owned:
            orders, reason = _orders_of(account, owned), f"fits {owned[0]}, which they own"
            found.append(Pick(product_id, "new", Decimal(0), reason, orders, "compatible", len(owned)))
    return sorted(found, key=lambda p: (-p.n, p.product_id))


def _ranked(account: Account, fresh: Collection[str]) -> list[Pick]:
    """What the fit ranks for the account, where its method found more than the best-sellers do."""
    ranking = account.population.ranking
    if ranking is None or ranking.new_method in PLAIN_METHODS:
        return []
    reason = f"customers who buy alike bought it ({ranking.new_method}, measured on {ranking.n} customers)"
    orders = _orders_of(account, account.bought)
    return [
        Pick(id_, "new", Decimal(str(chance)), reason, orders, ranking.new_method, ranking.n)
        for id_, chance in ranking.new.items()
        if id_ in fresh
    ]


def _orders_of(account: Account, products: Iterable[str]) -> tuple[str, ...]:
    """The newest orders of these products, oldest first."""
    rows = {(max(p.by_day), p.order_ids[-n]) for id_ in products for p in [account.bought[id_]]
            for n in range(1, min(EVIDENCE_ORDERS, len(p.order_ids)) + 1)}  # fmt: skip
    return tuple(dict.fromkeys(order_id for _, order_id in sorted(rows)))[-EVIDENCE_ORDERS:]


def _by_others(account: Account, allowed: Collection[str]) -> tuple[list[Pick], str | None]:
    """What look-alikes buy, or everybody, where the account's own purchases say nothing; the fallback says which."""
    alike = find_alike(account.context.company, account.population)
    if alike is None:
        return [], "no purchases on record, and none of anybody: ask what they need"
    known = sorted((id_ for id_ in allowed if alike.shares.get(id_)), key=lambda id_: (-alike.shares[id_], id_))
    picks = [_alike_pick(id_, place, alike, account) for place, id_ in enumerate(known, start=1)]
    who = alike.words or "accounts"
    said = f"no purchases on record: common among {alike.n} {who}, not what this one needs"
    return picks, said if alike.words else NO_HISTORY


def _alike_pick(product_id: str, place: int, alike: Alike, account: Account) -> Pick:
    """What others buy weighs half a vote at most, so that any purchase of one's own says more."""
    share, count = alike.shares[product_id], alike.counts[product_id]
    score = share / 2 / (RANK_OFFSET + place)
    return Pick(
        product_id=product_id,
        list="new",
        score=_squeezed(_delivered(score, account, product_id)),
        reason=f"bought by {count} of {alike.n} {alike.words or 'accounts'}",
        evidence=(),
        method="look_alikes" if alike.words else "popularity",
        n=alike.n,
        claimable=bool(alike.words) and alike.n >= CLAIMABLE_BUYERS,
        share=round(share, 4),
    )


def _without_substitutes(picks: Iterable[Pick], account: Account, *, most: int) -> list[Pick]:
    """The best so many; of products that stand for each other, by record or because few buy both, only the best."""
    kept: list[Pick] = []
    for pick in picks:
        if len(kept) == most:
            break
        if not any(_stand_for_each_other(pick.product_id, k.product_id, account) for k in kept):
            kept.append(pick)
    return kept


def _stand_for_each_other(first: str, second: str, account: Account) -> bool:
    one, other = account.products[first], account.products[second]
    if second in one.substitutes or first in other.substitutes:
        return True
    if not one.category or one.category != other.category:
        return False
    pair = associate(account.population, first, second)
    expected = pair.n_i * pair.n_j / pair.n if pair else 0
    return pair is not None and expected >= LEAST_EXPECTED and pair.is_substitute(same_category=True)
