"""What is known of each pair of customer and item at one moment: the columns that the learned lists weigh.

Everything is computed for one block of customers at a time, so that memory does not grow with customers times items.
All is relative: shifting every date, or renaming every item, changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy import sparse

from crmplugin.analysis.baskets import Baskets, Floats, Ints, Sparse
from crmplugin.analysis.fit.companions import companions
from crmplugin.analysis.neighbours import (
    Crowd,
    Upcf,
    best_cells,
    make_crowd,
    nearest_by_cosine,
    nearest_by_distance,
    normalised,
    upcf_scores,
    upcf_vectors,
)
from crmplugin.analysis.tifuknn import Tifu, tifu_vectors

Done = TypeVar("Done")
MOST_THREADS = 4
BLOCK_CELLS = 1_000_000
"""Customers times items (or customers) that are looked at together: 4 MB a matrix, which the processor keeps near."""
CANDIDATES = 40
"""New items that each method proposes for a customer."""
SMALL = 1e-3
PRIOR_BUYERS, PRIOR_REPEAT = 5, 0.2
LONG_WINDOW = 3
WIDE, SHARP = 1.0, 5.0


@dataclass(frozen=True)
class Pairs:
    """Pairs of customer and item, sorted by both, with named columns."""

    customer: Ints
    item: Ints
    columns: Mapping[str, Floats]

    @property
    def table(self) -> Floats:
        found: Floats = np.column_stack(list(self.columns.values())) if len(self.customer) else np.zeros((0, 1))
        return found

    def only(self, chosen: Ints) -> Pairs:
        """The rows with these numbers."""
        return Pairs(self.customer[chosen], self.item[chosen], {k: v[chosen] for k, v in self.columns.items()})


def side_by_side(work: Callable[[Block], Done], blocks: Iterable[Block]) -> Iterator[Done]:
    """The work done on each block, in the order of the blocks, by as many threads as there are processors."""
    with ThreadPoolExecutor(max_workers=min(MOST_THREADS, os.cpu_count() or 1)) as threads:
        yield from threads.map(work, blocks)


def join(parts: list[Pairs]) -> Pairs:
    """One table from several with the same columns."""
    names = list(parts[0].columns)
    columns = {name: np.concatenate([p.columns[name] for p in parts]) for name in names}
    return Pairs(np.concatenate([p.customer for p in parts]), np.concatenate([p.item for p in parts]), columns)


@dataclass(frozen=True)
class Moment:
    """All histories at one moment, with the parameters chosen for the neighbour methods."""

    baskets: Baskets
    tifu: Tifu
    upcf: Upcf

    @cached_property
    def near(self) -> Crowd:
        return make_crowd(tifu_vectors(self.baskets, self.tifu))

    @cached_property
    def alike(self) -> Crowd:
        return make_crowd(upcf_vectors(self.baskets, self.upcf))

    @cached_property
    def buyers(self) -> Floats:
        """Customers who bought each item."""
        return np.bincount(self.baskets.bought.indices, minlength=self.baskets.items).astype(np.float64)

    @cached_property
    def repeat_rate(self) -> Floats:
        """Share of an item's buyers who bought it again, drawn towards 0.2 by five buyers."""
        bought = self.baskets.bought
        again = np.bincount(bought.indices[bought.data > 1], minlength=self.baskets.items)
        found: Floats = (again + PRIOR_REPEAT * PRIOR_BUYERS) / (self.buyers + PRIOR_BUYERS)
        return found

    @cached_property
    def goes_with(self) -> Sparse:
        """Item -> shares of its buyers who bought others too, where enough accounts bought both."""
        return companions(self.baskets.bought)

    @cached_property
    def pace(self) -> int:
        return self.baskets.gap

    @cached_property
    def by_day(self) -> tuple[Ints, Sparse, Floats]:
        """Days with baskets; items bought on each of them; and number of baskets on each."""
        days, n = np.unique(self.baskets.day, return_inverse=True)
        shape = (len(days), self.baskets.items)
        sold = sparse.csr_matrix((np.ones(len(n)), (n, self.baskets.item)), shape=shape)
        visits = np.unique(n * self.baskets.customers + self.baskets.customer) // max(1, self.baskets.customers)
        return days, sold, np.bincount(visits, minlength=len(days)).astype(np.float64)

    @cached_property
    def line_counts(self) -> Floats:
        found: Floats = np.asarray(self.baskets.bought.sum(axis=1)).ravel()
        return found

    @cached_property
    def own(self) -> Mapping[str, Floats]:
        return _own_columns(self.baskets)

    def prepare(self) -> Moment:
        """Computes what all blocks share, so that they can be worked on side by side."""
        _ = self.near, self.alike, self.goes_with, self.by_day, self.own, self.buyers
        _ = self.repeat_rate, self.line_counts, self.pace, self.baskets.reference
        return self

    def blocks(self, customers: Ints) -> Iterator[Block]:
        """Blocks of these customers; those looked at on the same days come together."""
        size = max(1, BLOCK_CELLS // max(self.baskets.items, self.baskets.customers, 1))
        ordered = customers[np.argsort(self.baskets.reference[customers], kind="stable")]
        for start in range(0, len(ordered), size):
            yield Block(self, np.sort(ordered[start : start + size]))


@dataclass(frozen=True)
class Block:
    """Some customers at a moment: whole rows over all items, made when asked for."""

    moment: Moment
    rows: Ints

    @cached_property
    def neighbours(self) -> Floats:
        """Mean of the nearest neighbours' vectors (TIFU-KNN)."""
        weights = nearest_by_distance(self.moment.near, self.rows, k=self.moment.tifu.neighbours)
        found: Floats = (weights @ self.moment.near.peers).toarray()
        return found

    @cached_property
    def _similar(self) -> Sparse:
        p = self.moment.upcf
        return nearest_by_cosine(self.moment.alike, self.rows, k=p.neighbours, asymmetry=p.asymmetry)

    @cached_property
    def alike(self) -> Floats:
        """UP-CF with its own power: the few most similar decide."""
        near = normalised(self._similar.power(self.moment.upcf.power))
        found: Floats = upcf_scores(self.moment.alike, near, power=1).toarray()
        return found

    @cached_property
    def crowd(self) -> Floats:
        """UP-CF with another power: where the most similar decide above, all who are somewhat similar, or else."""
        near = normalised(self._similar.power(WIDE if self.moment.upcf.power > WIDE else SHARP))
        found: Floats = upcf_scores(self.moment.alike, near, power=1).toarray()
        return found

    @cached_property
    def associated(self) -> Floats:
        """How well items go with what was bought, by frequency and time of the purchases."""
        own = normalised(self.moment.near.vectors[self.rows])
        found: Floats = (own @ self.moment.goes_with).toarray()
        return found

    def lately(self, length: int) -> Floats:
        """Share of all baskets of the last so many days before each customer's day that hold each item."""
        days, sold, visits = self.moment.by_day
        reference, which = np.unique(self.moment.baskets.reference[self.rows], return_inverse=True)
        inside = (days[None, :] <= reference[:, None]) & (days[None, :] > reference[:, None] - length)
        found: Floats = (sparse.csr_matrix(inside.astype(np.float64)) @ sold).toarray()
        found /= np.maximum(inside @ visits, 1.0)[:, None]
        return found[which]

    @cached_property
    def recent(self) -> Floats:
        return self.lately(self.moment.pace)

    @cached_property
    def season(self) -> Floats:
        return self.lately(LONG_WINDOW * self.moment.pace)

    def repeat_pairs(self) -> Pairs:
        """Everything these customers bought before."""
        own = self.moment.own
        starts, ends = (np.searchsorted(own["customer"], self.rows, side=side) for side in ("left", "right"))
        places = _ranges(starts, ends)
        customer, item = own["customer"][places].astype(np.int64), own["item"][places].astype(np.int64)
        found = {k: v[places] for k, v in own.items() if k not in ("customer", "item")}
        found |= self._shared_columns(customer, item)
        whole = self.moment.near.vectors[self.rows].toarray()
        found["tifu"] = whole[np.searchsorted(self.rows, customer), item].astype(np.float64)
        found["log_tifu"] = np.log(found["tifu"] + SMALL)
        return Pairs(customer, item, {**found, **_crossed(found)})

    def new_pairs(self) -> Pairs:
        """What each method proposes of the things these customers never bought."""
        owned = self.moment.baskets.bought[self.rows].toarray() > 0
        cells = [_best(values, owned) for values in (self.neighbours, self.alike, self.associated, self.recent)]
        places = np.unique(np.concatenate(cells))
        rows, item = np.divmod(places, self.moment.baskets.items)
        fresh = ~owned[rows, item]
        customer, item = self.rows[rows[fresh]], item[fresh].astype(np.int64)
        found = self._shared_columns(customer, item)
        return Pairs(customer, item, {**found, **_squared(found)})

    def _shared_columns(self, customer: Ints, item: Ints) -> dict[str, Floats]:
        """Columns that both lists have: what others do, how the item sells, how the customer buys."""
        m, rows = self.moment, np.searchsorted(self.rows, customer)
        baskets, lines = np.maximum(m.baskets.counts[customer], 1), np.maximum(m.line_counts[customer], 1)
        kinds = np.diff(m.baskets.bought.indptr)[customer]
        whole = (("neighbours", self.neighbours), ("alike", self.alike), ("crowd", self.crowd),
                 ("associated", self.associated), ("recent", self.recent), ("season", self.season))  # fmt: skip
        found = {name: np.log(values[rows, item] + SMALL) for name, values in whole}
        return found | {
            "popular": np.log(m.buyers[item] / max(1, m.baskets.customers) + SMALL),
            "repeat_rate": np.log(m.repeat_rate[item]),
            "baskets": np.log(baskets),
            "basket_size": np.log(lines / baskets),
            "variety": np.log(np.maximum(kinds, 1) / lines),
        }


def _ranges(starts: Ints, ends: Ints) -> Ints:
    """All numbers from each start up to its end, one range after the other."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    found: Ints = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
    return found


def _own_columns(b: Baskets) -> Mapping[str, Floats]:
    """Of every pair that was bought: how often, how lately, how regularly."""
    key = b.customer * b.items + b.item
    order = np.lexsort((b.back, key))
    key, back, day = key[order], b.back[order], b.day[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
    ends = np.r_[starts[1:], len(key)][: len(starts)] - 1
    customer, item = np.divmod(key[starts], max(b.items, 1))
    n, last, first = (ends - starts + 1).astype(np.float64), back[starts], back[ends]
    baskets = np.maximum(b.counts[customer], 1)
    decayed = {rate: _sums(np.power(rate, back), starts) for rate in (0.9, 0.7, 0.5)}
    gap = np.where(n > 1, (first - last) / np.maximum(n - 1, 1), baskets)
    rho = np.log((last + 1) / np.maximum(gap, 0.5))
    return {
        "customer": customer.astype(np.float64),
        "item": item.astype(np.float64),
        "log_n": np.log(n),
        "share": n / baskets,
        "shrunk_share": (n + 0.1) / (baskets + 1),
        "once": (n == 1).astype(np.float64),
        "log_back": np.log1p(last),
        "in_newest": (last == 0).astype(np.float64),
        "in_second": (last == 1).astype(np.float64),
        "decayed_slow": np.log(decayed[0.9]),
        "decayed": decayed[0.7],
        "decayed_fast": decayed[0.5],
        "log_decayed": np.log(decayed[0.7] + 0.01),
        "log_days": np.log1p(np.maximum(b.reference[customer] - day[starts], 0)),
        "rho": rho,
        "rho_squared": rho**2 * (n > 1),
        "since_first": first / baskets,
    }


def _sums(values: Floats, starts: Ints) -> Floats:
    found: Floats = np.add.reduceat(values, starts) if len(starts) else np.zeros(0)
    return found


def _crossed(c: Mapping[str, Floats]) -> Mapping[str, Floats]:
    crosses = (("log_n", "baskets"), ("log_back", "baskets"), ("log_back", "log_n"), ("neighbours", "log_n"),
               ("season", "log_n"), ("log_back", "log_back"))  # fmt: skip
    return {f"{one}*{other}": c[one] * c[other] for one, other in crosses}


def _squared(c: Mapping[str, Floats]) -> Mapping[str, Floats]:
    crosses = (("crowd", "alike"), ("crowd", "crowd"), ("recent", "recent"))
    return {f"{one}*{other}": c[one] * c[other] for one, other in crosses} | {"trend": c["recent"] - c["popular"]}


def _best(values: Floats, owned: Floats) -> Ints:
    """Cells (row times items plus item) of the greatest values above 0 among things not owned."""
    masked = np.where(owned, np.float32(0), values)
    row, item = best_cells(masked, CANDIDATES, above=0.0)
    cells: Ints = row * masked.shape[1] + item
    return cells
