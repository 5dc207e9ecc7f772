"""Tests of two texts against each other (sales-craft §6.2): how many it takes, who gets which, what came of it.

Rates are shares from 0 to 1. Assignment is by account, never by contact, and depends on the two ids alone: the same
account always gets the same variant, whoever else is in the segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil, sqrt
from statistics import NormalDist
from typing import Literal

from crmplugin.analysis.wilson import wilson

ALPHA, POWER = 0.05, 0.8
HOLDOUT_SHARE, LEAST_HOLDOUT = 0.1, 50

Verdict = Literal["better", "worse", "no clear difference", "too little data"]


def accounts_per_arm(p1: float, p2: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """How many accounts each variant needs to tell p1 from p2. Raises ValueError when they are equal."""
    if p1 == p2:
        raise ValueError("equal rates cannot be told apart by any number of accounts")
    return ceil(_both_z(alpha, power) ** 2 * (p1 * (1 - p1) + p2 * (1 - p2)) / (p1 - p2) ** 2)


def smallest_detectable(p1: float, n: int, *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The least rate above p1 that n accounts per arm can tell from it; None when not even 1 would do."""
    if n < 1 or accounts_per_arm(p1, 1.0, alpha=alpha, power=power) > n:
        return None
    low, high = p1, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        need = _both_z(alpha, power) ** 2 * (p1 * (1 - p1) + middle * (1 - middle)) / (p1 - middle) ** 2
        low, high = (middle, high) if need > n else (low, middle)
    return high


def variant_of(campaign_id: str, account_id: str, variants: Sequence[str]) -> str:
    """The variant of an account: the same on every run."""
    return variants[int(_place(campaign_id, account_id, "variant") * len(variants))]


def holdout_share(accounts: int, *, wanted: float = HOLDOUT_SHARE) -> float:
    """The share of accounts that get nothing, so that the rest can be measured against them; 0 where it cannot.

    At least fifty accounts are held out, and never more than are written to.
    """
    if wanted <= 0 or accounts < 2 * LEAST_HOLDOUT:
        return 0.0
    return max(wanted, LEAST_HOLDOUT / accounts)


def is_held_out(campaign_id: str, account_id: str, share: float) -> bool:
    """Whether an account belongs to the share that gets nothing; independent of its variant."""
    return _place(campaign_id, account_id, "holdout") < share


@dataclass(frozen=True, slots=True)
class Lift:
    """Difference of two rates (treated less held out, or second variant less first) with its 95 % interval."""

    rate: float | None
    other_rate: float | None
    difference: float | None
    interval: tuple[float, float] | None
    verdict: Verdict


def lift(hits: int, n: int, other_hits: int, other_n: int) -> Lift:
    """What came of it, by Newcombe's interval from two Wilson intervals; says so when there is too little to tell.

    Too little: an empty arm, or fewer than five hits and misses over both arms.
    """
    if not n or not other_n:
        return Lift(None, None, None, None, "too little data")
    rate, other = hits / n, other_hits / other_n
    low, high, other_low, other_high = map(float, (*wilson(hits, n), *wilson(other_hits, other_n)))
    down = sqrt((rate - low) ** 2 + (other_high - other) ** 2)
    up = sqrt((high - rate) ** 2 + (other - other_low) ** 2)
    difference = rate - other
    interval = (difference - down, difference + up)
    both = hits + other_hits
    if both < 5 or n + other_n - both < 5:
        return Lift(rate, other, difference, interval, "too little data")
    verdict: Verdict = "better" if interval[0] > 0 else "worse" if interval[1] < 0 else "no clear difference"
    return Lift(rate, other, difference, interval, verdict)


def _both_z(alpha: float, power: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)


def _place(campaign_id: str, account_id: str, what: str) -> float:
    """A number from 0 up to 1 that the ids decide; lengths keep ("a", "bc") and ("ab", "c") apart."""
    key = f"{what}/{len(campaign_id)}/{campaign_id}/{account_id}".encode()
    return int.from_bytes(sha256(key).digest()[:8], "big") / 2**64
