"""The recommender that tunes itself: a repeat list and a new list, each by the method that serves this owner best.

What a method is worth is measured on the owner's own histories: each customer's newest basket is kept back, the methods
rank what came before, and one is switched on only where it beats what is plain to see: the customer's own counts for
repeat items, what everybody buys for new ones. No constant here was fitted to a data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from crmplugin.analysis.baskets import Baskets, Floats, Ints, Sparse
from crmplugin.analysis.fit.features import Block, Moment, Pairs, join, side_by_side
from crmplugin.analysis.fit.logistic import Logistic, fit_logistic
from crmplugin.analysis.fit.measure import Quality, measure, order, positions
from crmplugin.analysis.fit.tuning import ASKED, AT, spread, tune_tifu, tune_upcf
from crmplugin.analysis.neighbours import Upcf
from crmplugin.analysis.tifuknn import Tifu

LEARN_FROM = 2_500
"""Customers whose newest basket teaches; more make the lists hardly better and the fit slower."""
LEAST_CUSTOMERS, LEAST_HITS = 40, 50
PRIOR_LINES = 5
CURVE_PLACES = 50

List = Literal["repeat", "new"]
Merge = Literal["chance", "share", "apart"]
"""How two lists become one: by chance, by the customer's share of repeats, or not at all (`top` of each)."""
Plain = Callable[[Pairs, Tifu], Floats]

REPEAT_METHODS: Mapping[str, Plain] = MappingProxyType(
    {
        "frequency": lambda pairs, p: pairs.columns["log_n"],
        "tifuknn": lambda pairs, p: p.own * pairs.columns["tifu"] + (1 - p.own) * np.exp(pairs.columns["neighbours"]),
        "upcf": lambda pairs, p: pairs.columns["alike"],
    }
)
NEW_METHODS: Mapping[str, Plain] = MappingProxyType(
    {
        "popularity": lambda pairs, p: pairs.columns["popular"],
        "recent_popularity": lambda pairs, p: pairs.columns["recent"],
        "tifuknn": lambda pairs, p: pairs.columns["neighbours"],
        "upcf": lambda pairs, p: pairs.columns["alike"],
        "association": lambda pairs, p: pairs.columns["associated"],
    }
)
METHODS: Mapping[List, Mapping[str, Plain]] = MappingProxyType({"repeat": REPEAT_METHODS, "new": NEW_METHODS})
BASELINE: Mapping[List, str] = MappingProxyType({"repeat": "frequency", "new": "popularity"})
LEARNED = "learned"


@dataclass(frozen=True)
class Chooser:
    """How one list is ranked. Plain methods get their chance from the place in the list; the learned one computes it.

    curve: chance of a hit by place. measured: quality of every method tried, on kept-back baskets.
    """

    method: str
    curve: Floats
    model: Logistic | None = None
    measured: Mapping[str, Quality] = field(default_factory=dict)


@dataclass(frozen=True)
class Recommender:
    """What was learned from all histories. merge: how a bulk list joins the two lists; n: customers measured on."""

    tifu: Tifu
    upcf: Upcf
    repeat: Chooser
    new: Chooser
    merge: Merge
    n: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best items of one customer, best first; chances are 0 to 1 and comparable within the owner's data."""

    customer: int
    items: tuple[int, ...]
    scores: tuple[float, ...]
    lists: tuple[List, ...]


def fit(baskets: Baskets) -> Recommender:
    """Learns from these histories; with too few customers who bought twice, plain counts."""
    earlier, held = baskets.without_newest()
    able = np.flatnonzero(baskets.counts >= 2)
    if len(able) < LEAST_CUSTOMERS:
        return _plain_recommender()
    taught = spread(able, LEARN_FROM)
    asked = spread(taught, ASKED)
    tifu, upcf = tune_tifu(earlier, held, asked), tune_upcf(earlier, held, asked)
    moment = Moment(earlier, tifu, upcf)
    lessons = _lessons(moment, held, taught)
    repeat, repeat_chances = _choose("repeat", lessons["repeat"], tifu)
    new, new_chances = _choose("new", lessons["new"], tifu)
    merge = _choose_merge(moment, lessons, repeat_chances, new_chances, held)
    return Recommender(tifu, upcf, repeat, new, merge, len(taught))


def rank(recommender: Recommender, baskets: Baskets, *, top: int, customers: Ints | None = None) -> Iterator[Ranked]:
    """The `top` best items of every customer, or of these; in no particular order of customers."""
    moment = Moment(baskets, recommender.tifu, recommender.upcf)
    fill = np.lexsort((np.arange(baskets.items), -moment.buyers))
    asked = np.arange(baskets.customers) if customers is None else customers
    for row in asked[baskets.counts[asked] == 0]:
        yield _filled(Ranked(int(row), (), (), ()), moment, fill, top)
    blocks = moment.prepare().blocks(asked[baskets.counts[asked] > 0])
    for ranked in side_by_side(lambda block: _rank_block(recommender, block, top), blocks):
        for one in ranked:
            yield one if len(one.items) >= top else _filled(one, moment, fill, top)


def rank_lists(
    recommender: Recommender, baskets: Baskets, *, top: int, customers: Ints | None = None
) -> Iterator[tuple[int, list[tuple[int, float]], list[tuple[int, float]]]]:
    """Customer, and the `top` best items of each list apart with their chances, best first; whoever bought nothing
    has no lists. In no particular order of customers."""
    moment = Moment(baskets, recommender.tifu, recommender.upcf)
    asked = np.arange(baskets.customers) if customers is None else customers
    blocks = moment.prepare().blocks(asked[baskets.counts[asked] > 0])
    apart = replace(recommender, merge="apart")
    for ranked in side_by_side(lambda block: _rank_block(apart, block, top), blocks):
        for one in ranked:
            rows = list(zip(one.lists, one.items, one.scores, strict=True))
            lists = [[(item, score) for name, item, score in rows if name == which] for which in ("repeat", "new")]
            yield one.customer, lists[0], lists[1]


def _rank_block(recommender: Recommender, block: Block, top: int) -> list[Ranked]:
    moment, tifu = block.moment, recommender.tifu
    repeat, new = block.repeat_pairs(), block.new_pairs()
    chances = {
        "repeat": chances_of(recommender.repeat, "repeat", repeat, tifu, moment.buyers),
        "new": chances_of(recommender.new, "new", new, tifu, moment.buyers),
    }
    pairs = {"repeat": repeat, "new": new}
    customer, item, chance, is_new = merged(moment, pairs, chances, recommender.merge, top=top)
    starts, ends = np.searchsorted(customer, block.rows), np.searchsorted(customer, block.rows, side="right")
    found = []
    for row, start, end in zip(block.rows, starts, ends, strict=True):
        lists = tuple[List, ...]("new" if new else "repeat" for new in is_new[start:end])
        items, scores = item[start:end].tolist(), chance[start:end].tolist()
        found.append(Ranked(int(row), tuple(items), tuple(scores), lists))
    return found


def chances_of(chooser: Chooser, which: List, pairs: Pairs, tifu: Tifu, popular: Floats) -> Floats:
    """The chance of each pair to be bought next, by the method of its list."""
    if not len(pairs.customer):
        return np.zeros(0)
    if chooser.model is not None:
        return chooser.model.chances(pairs.table)
    ranked = order(pairs.customer, pairs.item, METHODS[which][chooser.method](pairs, tifu), popular)
    place = np.empty(len(ranked), dtype=np.int64)
    place[ranked] = positions(pairs.customer[ranked])
    found: Floats = chooser.curve[np.minimum(place, len(chooser.curve) - 1)] / (1 + place * 1e-6)
    return found


def merged(
    moment: Moment, pairs: Mapping[str, Pairs], chances: Mapping[str, Floats], merge: Merge, *, top: int
) -> tuple[Ints, Ints, Floats, Ints]:
    """Customer, item, chance and whether it is new, of the best of both lists; each list keeps its own order.

    `apart` gives `top` items of each list, so that up to twice as many come back.
    """
    kept, most = {}, 2 * top if merge == "apart" else top
    slots = repeat_slots(moment.baskets, top) if merge == "share" else np.full(moment.baskets.customers, top)
    for name, table in pairs.items():
        ranked = order(table.customer, table.item, chances[name], moment.buyers)
        place = positions(table.customer[ranked])
        limit = (slots if name == "repeat" else top - slots)[table.customer[ranked]]
        if merge != "share":
            limit = np.full(len(ranked), top)
        kept[name] = ranked[place < limit], ranked[(place >= limit) & (place < top)]
    columns = [_rows_of(pairs, chances, name, part, rank_) for name in pairs for rank_, part in enumerate(kept[name])]
    customer, item, chance, is_new, late = (np.concatenate(column) for column in zip(*columns, strict=True))
    best = np.lexsort((item, -moment.buyers[item], -np.round(chance, 12), late, customer))
    best = best[positions(customer[best]) < most]
    again = np.lexsort((item[best], -moment.buyers[item[best]], -np.round(chance[best], 12), customer[best]))
    best = best[again]
    return customer[best], item[best], chance[best], is_new[best]


def repeat_slots(baskets: Baskets, top: int) -> Ints:
    """How many of the slots of each customer are repeats: its share of repeat lines, drawn towards everybody's."""
    lines = np.asarray(baskets.bought.sum(axis=1)).ravel()
    oldest = baskets.back == baskets.counts[baskets.customer] - 1
    later = lines - np.bincount(baskets.customer[oldest], minlength=baskets.customers)
    again = lines - np.diff(baskets.bought.indptr)
    everybody = again.sum() / later.sum() if later.sum() else 0.5
    found: Ints = np.floor(top * (again + PRIOR_LINES * everybody) / (later + PRIOR_LINES) + 0.5).astype(np.int64)
    return found


@dataclass(frozen=True)
class _Lesson:
    """Pairs of one list with what came true. wanted: items of each customer that the list could have named."""

    pairs: Pairs
    hits: Floats
    wanted: Floats
    popular: Floats
    taught: Ints

    def half(self, odd: int) -> Ints:
        """The rows of every second customer."""
        found: Ints = np.flatnonzero(np.searchsorted(self.taught, self.pairs.customer) % 2 == odd)
        return found

    def quality(self, scores: Floats) -> Quality:
        ranked = order(self.pairs.customer, self.pairs.item, scores, self.popular)
        return measure(self.pairs.customer[ranked], self.hits[ranked], self.wanted, k=AT)


def _lessons(moment: Moment, held: Sparse, taught: Ints) -> dict[List, _Lesson]:
    parts: dict[List, list[Pairs]] = {"repeat": [], "new": []}
    both = side_by_side(lambda block: (block.repeat_pairs(), block.new_pairs()), moment.prepare().blocks(taught))
    for repeat, new in both:
        parts["repeat"].append(repeat)
        parts["new"].append(new)
    is_taught = np.isin(np.arange(moment.baskets.customers), taught)
    again = np.asarray(held.multiply(moment.baskets.bought > 0).sum(axis=1)).ravel() * is_taught
    fresh = np.asarray(held.sum(axis=1)).ravel() * is_taught - again
    wanted: Mapping[List, Floats] = {"repeat": again, "new": fresh}
    found = {}
    for name, tables in parts.items():
        table = join(tables)
        table = table.only(np.lexsort((table.item, table.customer)))
        hits = np.asarray(held[table.customer, table.item]).ravel()
        found[name] = _Lesson(table, hits, wanted[name], moment.buyers, taught)
    return found


def _choose(which: List, lesson: _Lesson, tifu: Tifu) -> tuple[Chooser, Floats]:
    """The best method of a list, and the chances it gave to the lesson's pairs without having seen their customer."""
    scores = {name: score(lesson.pairs, tifu) for name, score in METHODS[which].items()}
    learned = _crosswise(lesson)
    measured = {name: lesson.quality(values) for name, values in scores.items()}
    if learned is not None:
        measured[LEARNED] = lesson.quality(learned)
    baseline = BASELINE[which]
    best = max(measured, key=lambda name: (measured[name].mean, name == baseline))
    if best == LEARNED and learned is not None:
        model = fit_logistic(lesson.pairs.table, lesson.hits)
        return Chooser(best, np.zeros(1), model, measured), learned
    ranked = order(lesson.pairs.customer, lesson.pairs.item, scores[best], lesson.popular)
    place = positions(lesson.pairs.customer[ranked])
    chooser = Chooser(best, _curve(place, lesson.hits[ranked]), None, measured)
    return chooser, chances_of(chooser, which, lesson.pairs, tifu, lesson.popular)


def _crosswise(lesson: _Lesson) -> Floats | None:
    """Chances by a model that learned from the other half of the customers; None where there is too little to learn."""
    found = np.zeros(len(lesson.hits))
    for odd in (0, 1):
        there, here = lesson.half(1 - odd), lesson.half(odd)
        if lesson.hits[there].sum() < LEAST_HITS:
            return None
        found[here] = fit_logistic(lesson.pairs.only(there).table, lesson.hits[there]).chances(
            lesson.pairs.only(here).table
        )
    return found


def _curve(place: Ints, hits: Floats) -> Floats:
    """Share of hits by place, never rising: the chance a plain method's place stands for."""
    top = np.minimum(place, CURVE_PLACES - 1)
    share = (np.bincount(top, weights=hits, minlength=CURVE_PLACES) + 0.01) / (
        np.bincount(top, minlength=CURVE_PLACES) + 1
    )
    found: Floats = np.minimum.accumulate(share)
    return found


def _choose_merge(moment: Moment, lessons: Mapping[List, _Lesson], repeat: Floats, new: Floats, held: Sparse) -> Merge:
    """By chance or by the share of repeats, whichever finds more of the kept-back baskets."""
    pairs: dict[str, Pairs] = {name: lesson.pairs for name, lesson in lessons.items()}
    chances = {"repeat": repeat, "new": new}
    wanted = lessons["repeat"].wanted + lessons["new"].wanted
    reached: dict[Merge, float] = {}
    kinds: Sequence[Merge] = ("chance", "share")
    for merge in kinds:
        customer, item, _, _ = merged(moment, pairs, chances, merge, top=AT)
        reached[merge] = measure(customer, np.asarray(held[customer, item]).ravel(), wanted, k=AT).mean
    return max(kinds, key=lambda merge: reached[merge])


def _plain_recommender() -> Recommender:
    places = 1 / (np.arange(CURVE_PLACES) + 2.0)
    return Recommender(Tifu(), Upcf(), Chooser("frequency", places), Chooser("popularity", places / 10), "share")


def _rows_of(
    pairs: Mapping[str, Pairs], chances: Mapping[str, Floats], name: str, rows: Ints, late: int
) -> tuple[Ints, Ints, Floats, Ints, Ints]:
    table, n = pairs[name], len(rows)
    return table.customer[rows], table.item[rows], chances[name][rows], np.full(n, int(name == "new")), np.full(n, late)


def _filled(found: Ranked, moment: Moment, by_popularity: Ints, top: int) -> Ranked:
    """The list with popular items at its end, for those whose history and neighbours name too few."""
    floor, customers = min(found.scores, default=1.0), moment.baskets.customers
    known = {*found.items, *moment.baskets.bought[found.customer].indices.tolist()}
    more = [int(i) for i in by_popularity[: top + len(known)] if i not in known][: top - len(found.items)]
    scores = (floor * float(moment.buyers[i]) / (customers + 1) for i in more)
    fresh: list[List] = ["new"] * len(more)
    return Ranked(found.customer, (*found.items, *more), (*found.scores, *scores), (*found.lists, *fresh))
