"""How good a ranking is against baskets that were kept back: recall, nDCG and share of customers with a hit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crmplugin.analysis.baskets import Floats, Ints


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over customers who bought something to be found, 0 to 1; n is their number."""

    recall: float
    ndcg: float
    phr: float
    n: int

    @property
    def mean(self) -> float:
        """What methods are compared by: recall and nDCG, each counting half."""
        return (self.recall + self.ndcg) / 2


def order(customer: Ints, item: Ints, scores: Floats, popular: Floats) -> Ints:
    """Row numbers, each customer's best first; equal scores by popularity, then by the item's number."""
    found: Ints = np.lexsort((item, -popular[item], -np.round(scores, 12), customer))
    return found


def positions(customer: Ints) -> Ints:
    """The place, from 0, of each row within its customer; rows of a customer stand together."""
    if not len(customer):
        return np.zeros(0, dtype=np.int64)
    starts = np.r_[True, customer[1:] != customer[:-1]]
    found: Ints = np.arange(len(customer)) - np.flatnonzero(starts)[np.cumsum(starts) - 1]
    return found


def measure(customer: Ints, hits: Floats, wanted: Floats, *, k: int) -> Quality:
    """customer and hits: a ranking, best first within a customer; wanted: number of items to find, by customer."""
    place = positions(customer)
    top = place < k
    found = np.bincount(customer[top], weights=hits[top], minlength=len(wanted))
    gain = np.bincount(customer[top], weights=hits[top] / np.log2(place[top] + 2), minlength=len(wanted))
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    asked = wanted > 0
    if not asked.any():
        return Quality(0.0, 0.0, 0.0, 0)
    best = ideal[np.minimum(wanted[asked], k).astype(np.int64)]
    recall = (found[asked] / wanted[asked]).mean()
    return Quality(
        float(recall), float((gain[asked] / best).mean()), float((found[asked] > 0).mean()), int(asked.sum())
    )
