"""How much a contact's acts speak for buying soon (sales-craft §4): points that halve every fourteen days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

HALF_LIFE_DAYS = 14
POINTS: Mapping[str, int] = MappingProxyType(
    {"price_question": 10, "demo": 8, "quote_viewed": 6, "stakeholder_joined": 5, "pricing_page": 3, "mail_opened": 0}
)
"""An opened mail counts nothing: pixels lie."""
HOT, WARM = Decimal(15), Decimal(7)


def intent_score(acts: Iterable[tuple[str, Decimal | int]]) -> Decimal:
    """Sum over acts (kind, age in days) of points · 0.5^(age/14); unknown kinds count nothing, future ones as today."""
    half = Decimal("0.5")
    return sum(
        (POINTS.get(kind, 0) * half ** (max(Decimal(age), Decimal(0)) / HALF_LIFE_DAYS) for kind, age in acts),
        Decimal(0),
    )


def intent_level(score: Decimal) -> Literal["hot", "warm", "cool"]:
    if score >= HOT:
        return "hot"
    return "warm" if score >= WARM else "cool"
