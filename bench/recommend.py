"""How well and how fast the recommender works, on public purchase data, beside the plain methods.

    PUBLIC_DATA_DIR=… python -m bench.recommend [valid|test] [--speed]

The table is the frozen next-order task of `purchases/online_retail`: from each customer's history the items of the
target day are asked for. The recommender tunes itself on the histories alone; no target is shown to it, and no setting
of it was chosen on this set. `--speed` measures the whole fit over all 541,909 order lines, and lists for 14,000
customers with 12,000 items (made by drawing from the same histories). Seconds are of processor time over all threads:
other work of the machine does not count.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, log2
from pathlib import Path

from crmplugin.analysis.fit.rankings import Days, gather_histories, learn_rankings, rank_again
from crmplugin.analysis.fit.recommender import fit, rank
from crmplugin.journeys.fit_products import utc_now

TASK = "purchases/online_retail/online_retail_nbr.jsonl.gz"
LINES = "purchases/online_retail/online_retail.parquet"
PRINTED = {
    "G-TopFreq": (0.0378, 0.0672, 0.3665, 0.0604, 0.0676, 0.4634),
    "P-TopFreq": (0.1883, 0.2865, 0.7513, 0.2588, 0.2861, 0.8141),
    "GP-TopFreq": (0.1883, 0.2865, 0.7513, 0.2591, 0.2862, 0.8168),
    "TIFUKNN": (0.2172, 0.3186, 0.8063, 0.2895, 0.3168, 0.8665),
}
"""Of the data's README, on the test customers: recall, nDCG and PHR at 10, then at 20."""


@dataclass(frozen=True)
class Task:
    """One customer: what was bought on which day, what came next, and whether the customer belongs to the test."""

    id: str
    days: Days
    target: frozenset[str]
    split: str

    @property
    def bought(self) -> set[str]:
        return {item for items in self.days.values() for item in items}


def read_tasks(root: Path) -> list[Task]:
    with gzip.open(root / TASK, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        Task(
            str(r["customer_id"]),
            {date.fromisoformat(h["date"]).toordinal(): h["items"] for h in r["history"]},
            frozenset(r["target"]),
            r["split"],
        )
        for r in rows
    ]


def plain_lists(tasks: Sequence[Task]) -> Mapping[str, Callable[[Task], list[str]]]:
    """What is plain to see: everybody's counts, the customer's own, and the own filled with everybody's."""
    sold = Counter(item for t in tasks for items in t.days.values() for item in items)
    most = [item for item, _ in sorted(sold.items(), key=lambda row: (-row[1], row[0]))][:20]

    def own(task: Task) -> list[str]:
        counts = Counter(item for _, items in sorted(task.days.items()) for item in items)
        return [item for item, _ in counts.most_common(20)]

    return {
        "G-TopFreq": lambda t: most,
        "P-TopFreq": own,
        "GP-TopFreq": lambda t: list(dict.fromkeys((*own(t), *most)))[:20],
    }


def quality(tasks: Sequence[Task], lists: Callable[[Task], list[str]], k: int) -> tuple[float, ...]:
    """Recall, nDCG and share with a hit; recall of items bought before and of others, over those who bought some."""
    recall, ndcg, phr = [], [], []
    apart: tuple[list[float], list[float]] = ([], [])
    for task in tasks:
        hits = [item in task.target for item in lists(task)[:k]]
        ideal = sum(1 / log2(n + 2) for n in range(min(k, len(task.target))))
        recall.append(sum(hits) / len(task.target))
        ndcg.append(sum(hit / log2(n + 2) for n, hit in enumerate(hits)) / ideal)
        phr.append(any(hits))
        found = {item for item, hit in zip(lists(task)[:k], hits, strict=False) if hit}
        for part, wanted in zip(apart, (task.target & task.bought, task.target - task.bought), strict=True):
            if wanted:
                part.append(len(found & wanted) / len(wanted))
    return tuple(sum(part) / max(1, len(part)) for part in (recall, ndcg, phr, *apart))


def print_table(root: Path, split: str) -> None:
    tasks = read_tasks(root)
    known = gather_histories({t.id: t.days for t in tasks})
    began = time.process_time()
    recommender = fit(known.baskets)
    fitted = time.process_time()
    ranked = {known.accounts[r.customer]: [known.products[i] for i in r.items] for r in rank(
        recommender, known.baskets, top=20
    )}  # fmt: skip
    print(f"fit {fitted - began:.1f} s, lists {time.process_time() - fitted:.1f} s, {_peak_mb():.0f} MB")
    print(f"repeat list by {recommender.repeat.method}, new list by {recommender.new.method}, joined by "
          f"{recommender.merge}")  # fmt: skip
    asked = [t for t in tasks if t.split == split]
    print(f"\n{split}: {len(asked)} customers\n")
    print("| method | recall@10 | nDCG@10 | PHR@10 | recall@20 | nDCG@20 | PHR@20 | repeat@10 | new@10 | repeat@20 | "
          "new@20 |\n|" + "---|" * 11)  # fmt: skip
    methods = {**plain_lists(tasks), "crmplugin": lambda t: ranked[t.id]}
    for name, lists in methods.items():
        ten, twenty = quality(asked, lists, 10), quality(asked, lists, 20)
        print_row(name, (*ten[:3], *twenty[:3], *ten[3:], *twenty[3:]))
    if split == "test":
        for name, values in PRINTED.items():
            print_row(f"{name}, as published with the data", values)


def print_row(name: str, values: Sequence[float]) -> None:
    print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in values) + " |")


def print_speed(root: Path) -> None:
    histories = read_lines(root)
    began = time.process_time()
    known = gather_histories(histories, today=date(2011, 12, 10).toordinal())
    recommender = learn_rankings(known)
    learned = time.process_time()
    rankings = dict(rank_again(recommender, known, at=utc_now()))
    print(f"all order lines, {len(histories)} customers, {len(known.products)} items: learned in "
          f"{learned - began:.1f} s, {len(rankings)} rankings in {time.process_time() - learned:.1f} s, "
          f"{_peak_mb():.0f} MB")  # fmt: skip
    several = list(rankings)[:20]
    began = time.process_time()
    dict(rank_again(recommender, known, at=utc_now(), accounts=several))
    print(f"{len(several)} accounts ranked again in {time.process_time() - began:.1f} s")
    drawn = draw_histories(root, customers=14_000, items=12_000)
    began = time.process_time()
    known = gather_histories(drawn)
    n = len(list(rank(fit(known.baskets), known.baskets, top=10)))
    print(f"{n} customers, {len(known.products)} items, {len(known.baskets.item)} lines: lists in "
          f"{time.process_time() - began:.1f} s, {_peak_mb():.0f} MB")  # fmt: skip


def read_lines(root: Path) -> dict[str, Days]:
    """Customer -> day -> items, of all order lines with a customer; returns and what costs nothing left out."""
    import pyarrow.parquet as parquet

    columns = ["StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    table = parquet.read_table(root / LINES, columns=columns).to_pydict()
    found: dict[str, dict[int, set[str]]] = {}
    for code, quantity, at, price, customer in zip(*(table[name] for name in columns), strict=True):
        if customer is not None and quantity > 0 and price > 0:
            found.setdefault(str(customer), {}).setdefault(at.toordinal(), set()).add(str(code))
    return {c: {day: sorted(items) for day, items in days.items()} for c, days in found.items()}


def draw_histories(root: Path, *, customers: int, items: int) -> dict[str, Days]:
    """Histories drawn from the public ones; every copy of a customer buys in a part of the shelf of its own."""
    draw, tasks = random.Random(7), read_tasks(root)
    sold = Counter(item for t in tasks for bought in t.days.values() for item in bought)
    wings = max(1, ceil(items / len(sold)))
    shelf = set([f"{item}/{wing}" for wing in range(wings) for item in sorted(sold)][:items])
    found = {}
    for n in range(customers):
        task, wing = tasks[n % len(tasks)], n % wings
        kept = {day: [f"{item}/{wing}" for item in bought if draw.random() < 0.9] for day, bought in task.days.items()}
        days = {day: [item for item in bought if item in shelf] for day, bought in kept.items()}
        found[f"C{n:05}"] = {day: bought for day, bought in days.items() if bought}
    return found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(given: Sequence[str]) -> None:
    root = Path(os.environ["PUBLIC_DATA_DIR"])
    splits = [word for word in given if word in ("valid", "test")]
    if "--speed" in given:
        print_speed(root)
    else:
        print_table(root, splits[0] if splits else "valid")


if __name__ == "__main__":
    main(sys.argv[1:])
