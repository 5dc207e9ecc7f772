"""Which items customers buy along with which, over all items at once (sales-craft §2.4), for rankings.

What a person reads of a pair comes from `analysis.association`; here the same shrunk share stands in a matrix.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from crmplugin.analysis.association import FEW_ACCOUNTS, MIN_SUPPORT, MIN_SUPPORT_FEW_ACCOUNTS
from crmplugin.analysis.baskets import Floats, Sparse
from crmplugin.analysis.fit.measure import positions
from crmplugin.analysis.wilson import SHRINK_M

KEPT = 100
BLOCK = 256


def companions(bought: Sparse) -> Sparse:
    """Items by items: the shrunk share of the row's buyers who also bought the column, where enough bought both.

    Each item keeps the hundred items with the greatest share.
    """
    owns = (bought > 0).astype(np.float64).tocsr()
    customers, items = owns.shape
    buyers = np.asarray(owns.sum(axis=0)).ravel()
    enough = MIN_SUPPORT if customers >= FEW_ACCOUNTS else MIN_SUPPORT_FEW_ACCOUNTS
    base, by_item = buyers / max(1, customers), owns.T.tocsr()
    parts = [_rows(by_item, owns, buyers, base, start, enough) for start in range(0, items, BLOCK)]
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, 0))


def _rows(by_item: Sparse, owns: Sparse, buyers: Floats, base: Floats, start: int, enough: int) -> Sparse:
    both = (by_item[start : start + BLOCK] @ owns).tocoo()
    kept = (both.data >= enough) & (both.row + start != both.col)
    first, other, n = both.row[kept], both.col[kept], both.data[kept]
    share = (n + SHRINK_M * base[other]) / (buyers[first + start] + SHRINK_M)
    best = np.lexsort((other, -share, first))
    best = best[positions(first[best]) < KEPT]
    return sparse.csr_matrix((share[best], (first[best], other[best])), shape=both.shape)
