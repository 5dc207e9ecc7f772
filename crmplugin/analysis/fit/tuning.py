"""Chooses the parameters of the neighbour methods on the owner's own histories, by their newest baskets kept back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from crmplugin.analysis.baskets import Baskets, Floats, Ints, Sparse
from crmplugin.analysis.fit.features import BLOCK_CELLS
from crmplugin.analysis.fit.measure import measure
from crmplugin.analysis.neighbours import (
    Upcf,
    best_cells,
    make_crowd,
    nearest_by_cosine,
    nearest_by_distance,
    upcf_scores,
    upcf_vectors,
)
from crmplugin.analysis.tifuknn import Tifu, tifu_vectors

AT = 10
ASKED = 300
"""Customers on whom a setting is tried."""
OWN_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
TIFU_TRIALS: Sequence[Sequence[dict[str, float | int | str]]] = (
    ({"groups": 2}, {"groups": 7}, {"groups": 15}),
    ({"across": 0.5}, {"across": 0.9}, {"within": 0.7, "across": 0.9}),
    ({"within": 1.0}, {"within": 0.7}),
    ({"neighbours": 300}, {"neighbours": 50}),
    ({"form": "code"},),
)
"""Changes tried one after the other on the best setting so far; the published ranges (Hu et al. 2020, table 5)."""
UPCF_TRIALS: Sequence[Sequence[dict[str, float | int]]] = (
    ({"recent": 3}, {"recent": 25}, {"recent": 1000}),
    ({"asymmetry": 0.25}, {"asymmetry": 0.75}),
    ({"power": 1.0}, {"power": 10.0}),
    ({"neighbours": 300}, {"neighbours": 1000}),
)


def tune_tifu(earlier: Baskets, held: Sparse, customers: Ints) -> Tifu:
    """The setting with the best mean of recall@10 and nDCG@10 on these customers' kept-back baskets."""
    best, quality = _best_share(earlier, held, customers, Tifu())
    for trials in TIFU_TRIALS:
        start = best
        for change in trials:
            found, reached = _best_share(earlier, held, customers, replace(start, **change))  # type: ignore[arg-type]
            if reached > quality:
                best, quality = found, reached
    return best


def tune_upcf(earlier: Baskets, held: Sparse, customers: Ints) -> Upcf:
    """As `tune_tifu`, for UP-CF@r."""
    best = Upcf()
    quality = _upcf_quality(earlier, held, customers, best)
    for trials in UPCF_TRIALS:
        start = best
        for change in trials:
            found = replace(start, **change)  # type: ignore[arg-type]
            reached = _upcf_quality(earlier, held, customers, found)
            if reached > quality:
                best, quality = found, reached
    return best


def spread(customers: Ints, most: int) -> Ints:
    """At most so many of the customers, evenly over their order."""
    if len(customers) <= most:
        return customers
    chosen: Ints = customers[np.linspace(0, len(customers) - 1, most).astype(np.int64)]
    return chosen


def blocks_of(customers: Ints, width: int) -> Iterator[Ints]:
    size = max(1, BLOCK_CELLS // max(width, 1))
    return (customers[start : start + size] for start in range(0, len(customers), size))


def judge(scores: Floats, held: Sparse, *, k: int = AT) -> float:
    """How much of the kept-back baskets the k best items of each row find: the sum over rows of recall and nDCG."""
    row, column = best_cells(scores, k, above=0.0)
    found = measure(row, np.asarray(held[row, column]).ravel(), np.asarray(held.sum(axis=1)).ravel(), k=k)
    return found.mean * found.n


def _best_share(earlier: Baskets, held: Sparse, customers: Ints, p: Tifu) -> tuple[Tifu, float]:
    crowd = make_crowd(tifu_vectors(earlier, p))
    sums = dict.fromkeys(OWN_SHARES, 0.0)
    for rows in blocks_of(customers, max(earlier.customers, earlier.items)):
        own = crowd.vectors[rows].toarray()
        others = (nearest_by_distance(crowd, rows, k=p.neighbours) @ crowd.peers).toarray()
        for share in OWN_SHARES:
            sums[share] += judge(share * own + (1 - share) * others, held[rows])
    share = max(OWN_SHARES, key=lambda s: (sums[s], s))
    return replace(p, own=share), sums[share]


def _upcf_quality(earlier: Baskets, held: Sparse, customers: Ints, p: Upcf) -> float:
    crowd, total = make_crowd(upcf_vectors(earlier, p)), 0.0
    for rows in blocks_of(customers, max(earlier.customers, earlier.items)):
        near = nearest_by_cosine(crowd, rows, k=p.neighbours, asymmetry=p.asymmetry)
        total += judge(upcf_scores(crowd, near, power=p.power).toarray(), held[rows])
    return total
