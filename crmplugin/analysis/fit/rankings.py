"""What the fit ranks for each account, kept beside it: the two lists with their chances, and its RFM class.

The fit itself takes all histories at once; after new orders only the accounts that have some are ranked again, with
what was learned before (`rank_again`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from crmplugin.analysis.baskets import Baskets, Ints, make_baskets
from crmplugin.analysis.fit.recommender import Recommender, fit, rank_lists
from crmplugin.ports import Ranking

KEPT = 30
"""Products kept of each list of an account."""

Days = Mapping[int, Sequence[str]]
"""Ordinal of a day -> the ids bought on it, each once."""


@dataclass(frozen=True)
class Histories:
    """Everybody's purchases, numbered by their ids so that the order of records does not matter."""

    accounts: tuple[str, ...]
    products: tuple[str, ...]
    baskets: Baskets

    def rows_of(self, accounts: Iterable[str]) -> Ints:
        place = {id_: row for row, id_ in enumerate(self.accounts)}
        return np.array(sorted(place[id_] for id_ in accounts if id_ in place), dtype=np.int64)


def gather_histories(histories: Mapping[str, Days], *, today: int | None = None) -> Histories:
    """The table of these histories; `today`: the ordinal at which everybody is looked at (None: their last day)."""
    accounts = tuple(sorted(histories))
    products = tuple(sorted({id_ for days in histories.values() for ids in days.values() for id_ in ids}))
    number = {id_: n for n, id_ in enumerate(products)}
    rows = [{day: [number[i] for i in ids] for day, ids in histories[a].items()} for a in accounts]
    as_of = None if today is None else [today] * len(rows)
    return Histories(accounts, products, make_baskets(rows, items=len(products), as_of=as_of))


def learn_rankings(known: Histories) -> Recommender:
    """Chooses, tunes and trains the methods on all histories; with too few, plain counts."""
    return fit(known.baskets)


def rank_again(
    recommender: Recommender, known: Histories, *, at: datetime, accounts: Iterable[str] | None = None
) -> Iterator[tuple[str, Ranking]]:
    """The lists of these accounts (None: of all), in no particular order."""
    rows = None if accounts is None else known.rows_of(accounts)
    for row, repeat, new in rank_lists(recommender, known.baskets, top=KEPT, customers=rows):
        yield (
            known.accounts[row],
            Ranking(
                computed_at=at,
                repeat_method=recommender.repeat.method,
                new_method=recommender.new.method,
                n=recommender.n,
                repeat={known.products[item]: score for item, score in repeat},
                new={known.products[item]: score for item, score in new},
            ),
        )
