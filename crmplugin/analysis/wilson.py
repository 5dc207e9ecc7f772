"""Shares of small numbers: Wilson intervals and shrinkage. Proportions are 0 to 1; z = 1.96 is a 95 % interval."""

from __future__ import annotations

from decimal import Decimal

Z95 = Decimal("1.96")
SHRINK_M = 10
"""Weight of the pooled rate, in cases (sales-craft §2.4, §3.2)."""


def wilson(k: int, n: int, *, z: Decimal = Z95) -> tuple[Decimal, Decimal]:
    """The Wilson interval of k out of n. Raises ValueError for n = 0 or k outside 0..n."""
    if n <= 0 or not 0 <= k <= n:
        raise ValueError(f"a share needs 0 <= k <= n and n > 0, got {k} of {n}")
    share, count, square = Decimal(k) / n, Decimal(n), z * z
    scale = 1 + square / count
    centre = (share + square / (2 * count)) / scale
    half = z / scale * (share * (1 - share) / count + square / (4 * count * count)).sqrt()
    return max(Decimal(0), centre - half), min(Decimal(1), centre + half)


def shrunk(k: int, n: int, prior: Decimal, *, m: int = SHRINK_M) -> Decimal:
    """The share of k out of n drawn towards `prior` by m cases."""
    return (k + m * prior) / (n + m)
