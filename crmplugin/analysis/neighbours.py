"""Customers who buy alike: UP-CF@r, and the search for nearest neighbours that it and TIFU-KNN share.

UP-CF@r: Faggioli, Polato, Aiolli: Recency Aware Collaborative Filtering for Next Basket Recommendation, UMAP 2020.
Only the r newest baskets of a customer count, and similarity is the asymmetric cosine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from crmplugin.analysis.baskets import Baskets, Floats, Ints, Sparse

TINY = 1e-12
MOST_MEMBERS = 5_000
"""Customers among whom neighbours are looked for."""


@dataclass(frozen=True, slots=True)
class Upcf:
    """Parameters: newest baskets looked at, power of the similarity, asymmetry (0.5: cosine), number of neighbours."""

    recent: int = 10
    power: float = 5.0
    asymmetry: float = 0.5
    neighbours: int = 100


def upcf_vectors(baskets: Baskets, p: Upcf) -> Sparse:
    """The share of each customer's newest baskets that hold each item."""
    looked_at = np.minimum(baskets.counts, p.recent)[baskets.customer]
    weights: Floats = np.where(baskets.back < p.recent, 1.0 / np.maximum(looked_at, 1), 0.0)
    found = baskets.weighted(weights)
    found.eliminate_zeros()
    return found


@dataclass(frozen=True)
class Crowd:
    """Everybody's vectors, and those among whom neighbours are looked for.

    members: their row numbers, ascending; peers: their vectors; squares: of everybody.
    """

    vectors: Sparse
    members: Ints
    peers: Sparse
    turned: Sparse
    squares: Floats

    @property
    def member_squares(self) -> Floats:
        found: Floats = self.squares[self.members]
        return found

    def themselves(self, rows: Ints) -> tuple[Ints, Ints]:
        """Which of these rows are members, as (number within rows, number within members)."""
        place = np.searchsorted(self.members, rows)
        place[place == len(self.members)] = 0
        own = np.flatnonzero(self.members[place] == rows) if len(self.members) else np.zeros(0, dtype=np.int64)
        return own, place[own]


def make_crowd(vectors: Sparse, *, most: int = MOST_MEMBERS) -> Crowd:
    """Of very many, neighbours are looked for among some, evenly over the order: who buys alike is not so rare."""
    # Single precision halves the memory of a search, and is far finer than purchases are.
    vectors = vectors.astype(np.float32)
    squares: Floats = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    customers = vectors.shape[0]
    members = np.unique(np.linspace(0, customers - 1, min(customers, most)).astype(np.int64))
    peers = vectors if len(members) == customers else vectors[members]
    return Crowd(vectors, members, peers, peers.T.tocsr(), squares)


def similarities(crowd: Crowd, rows: Ints, *, asymmetry: float) -> Floats:
    """Asymmetric cosine of these customers (rows) to the members (columns); to oneself it is 0."""
    dots: Floats = (crowd.vectors[rows] @ crowd.turned).toarray()
    own = np.maximum(crowd.squares[rows], TINY) ** asymmetry
    others = np.maximum(crowd.member_squares, TINY) ** (1 - asymmetry)
    dots /= own[:, None] * others[None, :]
    dots[crowd.themselves(rows)] = 0
    return dots


def nearest_by_cosine(crowd: Crowd, rows: Ints, *, k: int, asymmetry: float) -> Sparse:
    """The similarities to the k most similar members; those with nothing in common are left out."""
    found = similarities(crowd, rows, asymmetry=asymmetry)
    row, column = best_cells(found, k, above=0.0)
    return sparse.csr_matrix((found[row, column], (row, column)), shape=found.shape)


def nearest_by_distance(crowd: Crowd, rows: Ints, *, k: int) -> Sparse:
    """1/k for each of the k members at the least Euclidean distance: their mean when multiplied with the peers."""
    squares = crowd.member_squares
    nearness: Floats = 2 * (crowd.vectors[rows] @ crowd.turned).toarray() - squares[None, :]
    # Whoever has bought nothing is near to everybody with few purchases, and tells nothing.
    nearness[:, squares == 0] = -np.inf
    nearness[crowd.themselves(rows)] = -np.inf
    row, column = best_cells(nearness, k, above=-np.inf)
    share = 1 / np.bincount(row, minlength=len(rows))[row]
    return sparse.csr_matrix((share.astype(np.float32), (row, column)), shape=nearness.shape)


def upcf_scores(crowd: Crowd, near: Sparse, *, power: float) -> Sparse:
    """The sum of similarity to the power q times the neighbour's vector."""
    return near.power(power) @ crowd.peers


def normalised(weights: Sparse) -> Sparse:
    """Rows that add up to 1; empty rows stay empty."""
    sums = np.asarray(weights.sum(axis=1)).ravel()
    return sparse.diags(1 / np.where(sums > 0, sums, 1)) @ weights


def best_cells(found: Floats, k: int, *, above: float) -> tuple[Ints, Ints]:
    """Row and column of the k greatest values of each row that are greater than `above`, sorted by row and value.

    Of equal values the one in the smaller column comes first.
    """
    chosen = found > above
    if k < found.shape[1]:
        # Selecting on turned values is several times faster where most of them are equal and small.
        turned = -found
        turned.partition(k - 1, axis=1)
        chosen &= found >= -turned[:, k - 1 : k]
    row, column = np.divmod(np.flatnonzero(chosen), max(1, found.shape[1]))
    best = np.lexsort((column, -found[row, column], row))
    row, column = row[best], column[best]
    starts = np.searchsorted(row, np.arange(len(found)))
    kept = np.arange(len(row)) - starts[row] < k
    return row[kept], column[kept]
