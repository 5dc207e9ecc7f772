"""TIFU-KNN: how often and how lately a customer bought each item, and what its nearest neighbours did.

Hu, He, Gao, Zhang: Modeling Personalized Item Frequency Information for Next-basket Recommendation, SIGIR 2020. The
baskets of a customer are cut into groups by time; inside a group and across groups newer ones weigh more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crmplugin.analysis.baskets import Baskets, Floats, Sparse

Form = Literal["paper", "code"]
"""The authors' code lets the decay inside a group run over the whole history, and counts groups that a short history
has not filled; both differ from their paper."""


@dataclass(frozen=True, slots=True)
class Tifu:
    """Parameters: number of groups, decay inside and across them, share of the own vector, number of neighbours."""

    groups: int = 4
    within: float = 0.9
    across: float = 0.7
    own: float = 0.7
    neighbours: int = 100
    form: Form = "paper"


def tifu_vectors(baskets: Baskets, p: Tifu) -> Sparse:
    """Each customer's items, weighed by frequency and time.

    Where the baskets cannot be cut evenly, the later groups have one more.
    """
    total = baskets.counts[baskets.customer]
    groups = np.minimum(p.groups, total)
    position = total - 1 - baskets.back
    small = total // groups
    in_small = (groups - total % groups) * small
    early = position < in_small
    size = np.where(early, small, small + 1)
    group = np.where(early, position // small, groups - total % groups + (position - in_small) // (small + 1))
    place = np.where(early, position % small, (position - in_small) % (small + 1))
    after = size - 1 - place if p.form == "paper" else baskets.back
    later_groups = groups - 1 - group if p.form == "paper" else p.groups - 1 - group
    weights: Floats = p.within**after / size * p.across**later_groups / groups
    return baskets.weighted(weights)
