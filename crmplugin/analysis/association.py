"""Which product goes with which (sales-craft §2.4), counted by account in a 365-day window. Proportions are 0 to 1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from crmplugin.analysis.wilson import shrunk, wilson
from crmplugin.ports import Population

MIN_SUPPORT, MIN_SUPPORT_FEW_ACCOUNTS, FEW_ACCOUNTS = 5, 3, 200
CLAIMABLE_BUYERS = 20
"""Smallest group a customer may hear a share of; also the size from which two products count as substitutes."""
NEXT_STEP_SHARE = Decimal("0.6")
NEXT_STEP_DAYS = 180
SUBSTITUTE_LIFT = Decimal("0.7")


@dataclass(frozen=True, slots=True)
class Association:
    """Of `n_i` accounts that bought the first product, `n_ij` also bought the second; `p_j` of all accounts do."""

    n: int
    n_i: int
    n_j: int
    n_ij: int

    @property
    def p_j(self) -> Decimal:
        return Decimal(self.n_j) / self.n

    @property
    def confidence(self) -> Decimal:
        return Decimal(self.n_ij) / self.n_i

    @property
    def lift(self) -> Decimal:
        return self.confidence / self.p_j

    @property
    def shrunk(self) -> Decimal:
        """The share drawn towards everybody's by ten accounts: what rankings use."""
        return shrunk(self.n_ij, self.n_i, self.p_j)

    @property
    def shrunk_lift(self) -> Decimal:
        return self.shrunk / self.p_j

    @property
    def interval(self) -> tuple[Decimal, Decimal]:
        return wilson(self.n_ij, self.n_i)

    @property
    def supported(self) -> bool:
        """Whether enough accounts bought both for the pair to be looked at."""
        least = MIN_SUPPORT_FEW_ACCOUNTS if self.n < FEW_ACCOUNTS else MIN_SUPPORT
        return self.n_ij >= least

    @property
    def claimable(self) -> bool:
        """Whether a text may say it: twenty buyers, and even the low end of the interval above everybody's share."""
        return self.supported and self.n_i >= CLAIMABLE_BUYERS and self.interval[0] > self.p_j

    def is_substitute(self, *, same_category: bool) -> bool:
        """Products of one category that buyers seldom take together: never pitch both."""
        enough = self.n_i >= CLAIMABLE_BUYERS and self.n_j >= CLAIMABLE_BUYERS
        return same_category and enough and self.lift < SUBSTITUTE_LIFT


def associate(population: Population, first: str, second: str) -> Association | None:
    """The pair as the population knows it; None when one of the two was never bought."""
    n_i, n_j = population.bought_by.get(first, 0), population.bought_by.get(second, 0)
    both = population.bought_with.get(first, {}).get(second, 0)
    if not (population.accounts and n_i and n_j):
        return None
    return Association(population.accounts, n_i, n_j, both)


def share_in_segment(k: int, n: int, p_all: Decimal, *, weight: int = 20) -> Decimal:
    """The share in a look-alike group, drawn towards everybody's by twenty accounts (sales-craft §2.5)."""
    return shrunk(k, n, p_all, m=weight)


def is_next_step(firsts: Iterable[tuple[date, date]]) -> bool:
    """Whether the second product follows the first: in six of ten accounts within 180 days after it.

    firsts: for each account with both, the first day of the first product and of the second.
    """
    gaps = [later - earlier for earlier, later in firsts]
    after = sum(timedelta(0) < gap <= timedelta(days=NEXT_STEP_DAYS) for gap in gaps)
    return bool(gaps) and Decimal(after) / len(gaps) >= NEXT_STEP_SHARE
