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
    """Everybody's vectors, ready to be searched."""

    vectors: Sparse
    turned: Sparse
    squares: Floats


def make_crowd(vectors: Sparse) -> Crowd:
    squares: Floats = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    return Crowd(vectors, vectors.T.tocsr(), squares)


def similarities(crowd: Crowd, rows: Ints, *, asymmetry: float) -> Floats:
    """Asymmetric cosine of these customers (rows) to everybody (columns); to oneself it is 0."""
    dots: Floats = (crowd.vectors[rows] @ crowd.turned).toarray()
    own = np.maximum(crowd.squares[rows], TINY) ** asymmetry
    others = np.maximum(crowd.squares, TINY) ** (1 - asymmetry)
    dots /= own[:, None] * others[None, :]
    dots[np.arange(len(rows)), rows] = 0
    return dots


def nearest_by_cosine(crowd: Crowd, rows: Ints, *, k: int, asymmetry: float) -> Sparse:
    """The similarities to the k most similar customers; those with nothing in common are left out."""
    found = similarities(crowd, rows, asymmetry=asymmetry)
    top = _top(found, k)
    return _picked(np.take_along_axis(found, top, axis=1), top, found.shape)


def nearest_by_distance(crowd: Crowd, rows: Ints, *, k: int) -> Sparse:
    """1/k for each of the k customers at the least Euclidean distance: their mean when multiplied with vectors."""
    nearness: Floats = 2 * (crowd.vectors[rows] @ crowd.turned).toarray() - crowd.squares[None, :]
    # Whoever has bought nothing is near to everybody with few purchases, and tells nothing.
    nearness[:, crowd.squares == 0] = -np.inf
    nearness[np.arange(len(rows)), rows] = -np.inf
    top = _top(nearness, k)
    real = np.isfinite(np.take_along_axis(nearness, top, axis=1))
    share = real / np.maximum(real.sum(axis=1, keepdims=True), 1)
    return _picked(share, top, nearness.shape)


def upcf_scores(crowd: Crowd, near: Sparse, *, power: float) -> Sparse:
    """The sum of similarity to the power q times the neighbour's vector."""
    return near.power(power) @ crowd.vectors


def normalised(weights: Sparse) -> Sparse:
    """Rows that add up to 1; empty rows stay empty."""
    sums = np.asarray(weights.sum(axis=1)).ravel()
    return sparse.diags(1 / np.where(sums > 0, sums, 1)) @ weights


def _top(found: Floats, k: int) -> Ints:
    """Columns of the k greatest values of each row, the smaller column first among equals at the border."""
    if k >= found.shape[1]:
        return np.tile(np.arange(found.shape[1]), (found.shape[0], 1))
    return np.sort(np.argpartition(-found, k - 1, axis=1)[:, :k], axis=1)


def _picked(values: Floats, columns: Ints, shape: tuple[int, ...]) -> Sparse:
    starts = np.arange(len(values) + 1) * values.shape[1]
    found = sparse.csr_matrix((values.ravel(), columns.ravel(), starts), shape=shape)
    found.eliminate_zeros()
    return found
