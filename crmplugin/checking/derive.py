"""Values that follow from facts cited in the same sentence: sums, differences, quantity times price, percentages, days.

Only what the sentence cites or states counts, never all pairs of the brief: with forty numbers nearly any value follows
from some pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from crmplugin.checking.shelf import Dated, Numeric, line_of, record_of

MOST = 8
"""Facts of one sentence that are tried with each other."""
_CENT = Decimal("0.01")
Row = tuple[Decimal, tuple[str, ...]]


def derived_money(numerics: Sequence[Numeric], currency: str) -> Iterator[Row]:
    """Amounts in one currency that follow, with the facts behind each: quantity x unit price, sums, differences."""
    rows = [n for n in numerics[:MOST] if not n.is_range]
    money = [n for n in rows if n.fact.kind == "money" and n.fact.unit == currency]
    products = list(_line_totals(rows, currency))
    yield from products
    yield from _sums([*((n.low, (n.fact.id,)) for n in money), *products])
    for a, b in combinations(money, 2):
        yield abs(a.low - b.low), (a.fact.id, b.fact.id)
    for m in money:
        for p in (n for n in rows if n.fact.kind == "percent"):
            part = (m.low * p.low / 100).quantize(_CENT, ROUND_HALF_UP)
            yield part, (m.fact.id, p.fact.id)
            yield m.low - part, (m.fact.id, p.fact.id)


def _line_totals(rows: Sequence[Numeric], currency: str) -> Iterator[Row]:
    for q in (n for n in rows if n.fact.kind in ("quantity", "count")):
        for p in (n for n in rows if n.fact.kind == "money" and n.fact.unit == currency):
            if line_of(q.fact.id) == line_of(p.fact.id):
                yield q.low * p.low, (q.fact.id, p.fact.id)


def _sums(parts: Sequence[Row]) -> Iterator[Row]:
    """The sum of all parts of one document, when there are at least two."""
    for document in {record_of(ids[0]).split(".line")[0] for _, ids in parts}:
        mine = [(v, ids) for v, ids in parts if record_of(ids[0]).split(".line")[0] == document]
        for size in range(2, len(mine) + 1):
            for chosen in combinations(mine, size):
                yield sum((v for v, _ in chosen), Decimal(0)), tuple(i for _, ids in chosen for i in ids)


def derived_counts(numerics: Sequence[Numeric]) -> Iterator[Row]:
    """Counts that follow: the sum of the quantities, and the difference of two."""
    rows = [n for n in numerics[:MOST] if n.fact.kind in ("quantity", "count") and not n.is_range]
    if len(rows) > 1:
        yield sum((n.low for n in rows), Decimal(0)), tuple(n.fact.id for n in rows)
    for a, b in combinations(rows, 2):
        yield a.low + b.low, (a.fact.id, b.fact.id)
        yield abs(a.low - b.low), (a.fact.id, b.fact.id)


def derived_percent(numerics: Sequence[Numeric]) -> Iterator[Row]:
    """Percentages that follow: (a - b)/a of two amounts, k of n of two counts."""
    rows = [n for n in numerics[:MOST] if not n.is_range and n.low]
    for a, b in combinations(rows, 2):
        same_money = a.fact.kind == b.fact.kind == "money" and a.fact.unit == b.fact.unit
        counts = {a.fact.kind, b.fact.kind} <= {"count", "quantity"}
        high, low = max(a.low, b.low), min(a.low, b.low)
        if high > 0 and (same_money or counts):
            yield (high - low if same_money else low) / high * 100, (a.fact.id, b.fact.id)


def derived_days(dated: Sequence[Dated], send_on: Dated | None) -> Iterator[Row]:
    """Whole days between two cited dates, and between one and the day of sending."""
    rows = [*dated[:MOST], *([send_on] if send_on else [])]
    for a, b in combinations(rows, 2):
        ids = tuple(d.fact.id for d in (a, b) if d is not send_on)
        yield Decimal(abs((a.day - b.day).days)), ids
