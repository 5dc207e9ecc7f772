"""Several rankings made into one without training: reciprocal rank fusion (sales-craft §2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

RANK_OFFSET = 60
"""Cormack, Clarke, Büttcher, SIGIR 2009."""
UNMATCHED_NEED = Decimal("0.6")


def fuse(rankings: Iterable[Sequence[str]]) -> dict[str, Decimal]:
    """Product id -> the sum of 1 / (60 + rank) over the rankings that name it."""
    scores: dict[str, Decimal] = {}
    for ranking in rankings:
        for rank, product_id in enumerate(ranking, start=1):
            scores[product_id] = scores.get(product_id, Decimal(0)) + Decimal(1) / (RANK_OFFSET + rank)
    return scores


def weigh(
    scores: Mapping[str, Decimal], *, price_fits: Mapping[str, Decimal], matched: Iterable[str]
) -> dict[str, Decimal]:
    """Fused scores times price fit, and times 0.6 where no need of the account asks for the product."""
    wanted = set(matched)
    return {
        id_: score * price_fits.get(id_, Decimal(1)) * (1 if id_ in wanted else UNMATCHED_NEED)
        for id_, score in scores.items()
    }
