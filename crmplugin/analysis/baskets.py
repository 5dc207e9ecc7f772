"""Purchase histories as numbers: what the rankings of §2.3 and the learned recommender count on.

A basket is what one customer bought on one day. Customers and items are numbered by the caller, from 0; days are
ordinals of `date.toordinal()`, of which only differences matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.floating[Any]]
Sparse: TypeAlias = Any
"""A matrix of `scipy.sparse` in CSR form; customers are rows, items columns."""

History: TypeAlias = Mapping[int, Iterable[int]]
"""Day -> the items bought on it."""

DEFAULT_GAP_DAYS = 30


@dataclass(frozen=True)
class Baskets:
    """All baskets: one row for each item of each basket, sorted by customer, day and item.

    back: how many baskets of the customer came after this one (0: the newest). counts and last_days: number of baskets
    and newest day of each customer (0 and 0 without any). as_of: the day at which each customer is looked at, where the
    caller said so of everybody; else None, and the newest basket of each is "now".
    """

    items: int
    customer: Ints
    item: Ints
    back: Ints
    day: Ints
    counts: Ints
    last_days: Ints
    as_of: Ints | None = None

    @property
    def customers(self) -> int:
        return len(self.counts)

    @cached_property
    def reference(self) -> Ints:
        """The day on which each customer is looked at."""
        return self.last_days if self.as_of is None else self.as_of

    @cached_property
    def bought(self) -> Sparse:
        """How many baskets of each customer hold each item."""
        return self.weighted(np.ones(len(self.customer)))

    @cached_property
    def gap(self) -> int:
        """The median of days between two baskets of a customer: the pace of this trade."""
        newest = np.flatnonzero(_first_of(self.customer, self.back))
        same = self.customer[newest][1:] == self.customer[newest][:-1]
        gaps = np.diff(self.day[newest])[same]
        return max(1, int(np.median(gaps))) if len(gaps) else DEFAULT_GAP_DAYS

    def weighted(self, weights: Floats) -> Sparse:
        """The matrix of customers and items in which every row of the table counts with its weight."""
        shape = (self.customers, self.items)
        found = sparse.csr_matrix((weights, (self.customer, self.item)), shape=shape)
        found.sum_duplicates()
        return found

    def without_newest(self) -> tuple[Baskets, Sparse]:
        """The histories before each customer's newest basket, and that basket; customers with one basket have none."""
        kept, shape = self.back > 0, (self.customers, self.items)
        held = sparse.csr_matrix((np.ones((~kept).sum()), (self.customer[~kept], self.item[~kept])), shape=shape)
        last = np.zeros(self.customers, dtype=np.int64)
        np.maximum.at(last, self.customer[kept], self.day[kept])
        earlier = Baskets(
            items=self.items,
            customer=self.customer[kept],
            item=self.item[kept],
            back=self.back[kept] - 1,
            day=self.day[kept],
            counts=np.maximum(self.counts - 1, 0),
            last_days=last,
            as_of=None if self.as_of is None else self.last_days,
        )
        return earlier, held


def make_baskets(histories: Sequence[History], *, items: int, as_of: Sequence[int] | None = None) -> Baskets:
    """The table of these histories; an item named twice on a day counts once, a day without items is none."""
    rows: list[list[int]] = [[], [], [], []]
    counts, last = np.zeros(len(histories), dtype=np.int64), np.zeros(len(histories), dtype=np.int64)
    for customer, history in enumerate(histories):
        days = sorted(day for day, bought in history.items() if bought)
        counts[customer], last[customer] = len(days), days[-1] if days else 0
        for n, day in enumerate(days, start=1):
            bought = sorted(set(history[day]))
            for column, value in zip(rows, (customer, None, len(days) - n, day), strict=True):
                column.extend(bought if value is None else [value] * len(bought))
    customer_, item, back, day_ = (np.array(column, dtype=np.int64) for column in rows)
    given = None if as_of is None else np.array(as_of, dtype=np.int64)
    return Baskets(items, customer_, item, back, day_, counts, last, given)


def _first_of(*columns: Ints) -> NDArray[np.bool_]:
    """Where a sorted table begins a new group of equal values in these columns."""
    starts = np.zeros(len(columns[0]), dtype=bool)
    starts[:1] = True
    for column in columns:
        starts[1:] |= column[1:] != column[:-1]
    return starts
