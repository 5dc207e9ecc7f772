"""What accounts like this one buy, for an account that has bought nothing yet (sales-craft §2.5).

Look-alikes are accounts of the same industry, size and region; with fewer than twenty of them those of the industry,
else all. Shares are from 0 to 1.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from crmplugin.analysis.association import share_in_segment
from crmplugin.domain.crm import Company
from crmplugin.ports import Population

LEAST_ALIKE = 20
KEPT = 100
"""Products kept of each group: those that most of it bought."""
SIZES = ((10, "below 10"), (50, "10 to 49"), (250, "50 to 249"), (1_000, "250 to 999"))
LARGEST = "1000 or more"


@dataclass(frozen=True, slots=True)
class Alike:
    """The group that an account is held against, in words, and the share of it that bought each product."""

    n: int
    words: str
    shares: Mapping[str, Decimal]
    counts: Mapping[str, int]


@dataclass(slots=True)
class Groups:
    """Buyers counted by group, one account at a time."""

    sizes: Counter[str] = field(default_factory=Counter)
    bought: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, company: Company | None, products: Iterable[str]) -> None:
        """One account that bought these products."""
        ids = list(products)
        for key in keys_of(company):
            self.sizes[key] += 1
            self.bought[key].update(ids)

    def kept(self) -> dict[str, tuple[int, dict[str, int]]]:
        """Group -> accounts in it and how many bought each product; groups that are too small are left out."""
        found = {}
        for key, n in sorted(self.sizes.items()):
            if n >= LEAST_ALIKE:
                most = sorted(self.bought[key].items(), key=lambda row: (-row[1], row[0]))
                found[key] = (n, dict(most[:KEPT]))
        return found


def keys_of(company: Company | None) -> Iterator[str]:
    """The groups a company belongs to, the narrowest first; none when its industry is not known."""
    if company is None or not company.industry:
        return
    industry, size, place = _plain(company.industry), size_of(company), _plain(company.region or company.country or "")
    if size and place:
        yield f"{industry}|{size}|{place}"
    yield industry


def size_of(company: Company) -> str | None:
    """The band of its number of employees; None when that is not known."""
    if company.employees is None or company.employees < 1:
        return None
    return next((words for limit, words in SIZES if company.employees < limit), LARGEST)


def find_alike(company: Company | None, population: Population) -> Alike | None:
    """The narrowest group of at least twenty, else all accounts; None when nobody ever bought."""
    for key in keys_of(company):
        n, counts = population.bought_alike.get(key, (0, {}))
        if n >= LEAST_ALIKE and company is not None:
            return Alike(n, _words(key, company), _shares(counts, n, population), counts)
    if not population.accounts:
        return None
    counts, n = population.bought_by, population.accounts
    return Alike(n, "", {id_: Decimal(count) / n for id_, count in counts.items()}, counts)


def _shares(counts: Mapping[str, int], n: int, population: Population) -> dict[str, Decimal]:
    """Drawn towards everybody's share by twenty accounts."""
    total = max(1, population.accounts)
    return {id_: share_in_segment(k, n, Decimal(population.bought_by.get(id_, 0)) / total) for id_, k in counts.items()}


def _words(key: str, company: Company) -> str:
    industry = (company.industry or "").strip()
    return f"{industry} customers of this size in {company.region or company.country}" if "|" in key else (
        f"{industry} customers"
    )  # fmt: skip


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).replace("|", " ")
