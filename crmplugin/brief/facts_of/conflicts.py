"""Amounts of one deal that say different things: every variant is marked, none is told, the rep is asked to settle it.

Variants of one matter are compared in one currency only. A header total that agrees with its own lines is one voice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from crmplugin.analysis.amounts import Amount
from crmplugin.brief.facts_of.making import Maker
from crmplugin.domain.brief import Warning
from crmplugin.domain.fact import Fact

CENT_A_LINE = Decimal("0.01")
"""Rounding of single lines may move a total by a minor unit each."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One statement of what the deal is worth. `also` are other exact readings that count as agreement."""

    fact: Fact
    where: str
    also: tuple[Decimal, ...] = ()
    figure: Amount | None = None
    lines: int = 0
    named: bool = True
    """Whether the warning names it; a sum on the way to another is only marked."""

    @property
    def values(self) -> tuple[Decimal, ...]:
        return (Decimal(self.fact.value), *self.also)

    def agrees(self, other: Variant) -> bool:
        if self.figure:
            return any(self.figure.agrees(v, other.fact.unit) for v in other.values)
        if other.figure:
            return other.agrees(self)
        slack = CENT_A_LINE * max(1, self.lines, other.lines)
        return any(abs(mine - theirs) <= slack for mine in self.values for theirs in other.values)


def settle(
    make: Maker, facts: Mapping[str, Fact], groups: Iterable[tuple[str, tuple[Variant, ...]]]
) -> tuple[dict[str, Fact], list[Warning]]:
    """The facts with `conflicts_with` set in every group of variants that disagree, and one warning a group.

    A group's name is what the warning calls the matter ("Q-118").
    """
    changed, warnings = dict(facts), list[Warning]()
    for name, variants in groups:
        if any(not a.agrees(b) for a, b in combinations(variants, 2) if _comparable(a, b)):
            ids = tuple(dict.fromkeys(v.fact.id for v in variants))
            _mark(changed, ids)
            warnings.append(_warning(make, name, variants, ids))
    return changed, warnings


def _comparable(a: Variant, b: Variant) -> bool:
    return a.fact.unit == b.fact.unit


def _mark(facts: dict[str, Fact], ids: tuple[str, ...]) -> None:
    for fact_id in ids:
        fact = facts[fact_id]
        others = tuple(dict.fromkeys((*fact.conflicts_with, *(i for i in ids if i != fact_id))))
        facts[fact_id] = replace(fact, conflicts_with=others)


def _warning(make: Maker, name: str, variants: tuple[Variant, ...], ids: tuple[str, ...]) -> Warning:
    named = [f"{v.fact.display} ({v.where})" for v in variants if v.named]
    listed = ", ".join(named[:-1]) + f" or {named[-1]}"
    text = f"Check which amount of {name} is right before you name one: {listed}. None of them is used in the text."
    return Warning("conflicting_amounts", text, ids)
