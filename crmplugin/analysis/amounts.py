"""Figures of money in a note: `budget about 50k`, `26,505 confirmed`. They are hearsay: compared, never told.

A figure may be written in any locale, so every well-formed reading is kept (`26.505` is 26505 and 26.505).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from crmplugin.analysis.passages import sentences
from crmplugin.analysis.phrases import book, tokens

OUR_NOTES = frozenset({"note", "call", "meeting", "visit", "task"})
"""Types of activities in which our own people write down what they heard."""
NEAR_CHARS = 40
"""A figure belongs to a topic word that stands at most this far before or after it, in the same sentence."""
ROUNDED = Decimal("0.05")
"""How far a rounded figure may be from the exact one (sales-craft §8.3)."""
_SCALES = {"k": 1000, "tsd": 1000, "m": 10**6, "mio": 10**6, "mn": 10**6, "million": 10**6, "bn": 10**9, "mrd": 10**9}
_CURRENCIES = {"€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD", "£": "GBP",
               "gbp": "GBP", "chf": "CHF", "sek": "SEK", "pln": "PLN", "zł": "PLN", "dkk": "DKK", "nok": "NOK",
               "cad": "CAD", "aud": "AUD", "jpy": "JPY"}  # fmt: skip
_CURRENCY = "|".join(sorted((re.escape(c) for c in _CURRENCIES), key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:[ '’.,\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,3})?"
_FIGURE = re.compile(
    rf"(?<![\w.,/-])(?:(?P<before>{_CURRENCY})\s?)?(?P<about>~|≈)?\s?(?P<number>{_NUMBER})"
    rf"(?:\s?(?P<scale>k|tsd|mio|mn|m|million|bn|mrd)\b\.?)?(?:\s?(?P<after>{_CURRENCY})(?!\w))?"
    r"(?P<percent>\s?(?:%|percent|prozent))?(?![\w/-]|[.,]\d)",
    re.IGNORECASE,
)
SMALLEST_WITHOUT_SIGN = 1000
"""A bare number below this, without currency or scale, is a count or a day."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A figure with all its readings; `currency` None when none is written; start and end in code points."""

    topic: Literal["budget", "total"]
    readings: tuple[Decimal, ...]
    currency: str | None
    rounded: bool
    text: str
    start: int
    end: int

    def agrees(self, value: Decimal, currency: str | None) -> bool:
        """Whether a reading equals the value, within 5 % when the figure is a rounded one."""
        if self.currency and currency and self.currency != currency:
            return False
        slack = value * ROUNDED if self.rounded else Decimal("0.5")
        return any(abs(reading - value) <= slack for reading in self.readings)


def amounts_in(text: str) -> tuple[Amount, ...]:
    """The figures of a note that stand near a word for budget or total, in the order of the text."""
    found = []
    for start, end in sentences(text):
        if not any(c.isdigit() for c in text[start:end]):
            continue
        row = tokens(text[start:end])
        topics = [(hit.start + start, hit.end + start, hit.label) for hit in book("amounts", "topics").find(row)]
        rough = [hit.end + start for hit in book("amounts", "about").find(row)]
        for match in _FIGURE.finditer(text, start, end):
            amount = _amount(match, topics, rough)
            if amount:
                found.append(amount)
    return tuple(found)


def readings_of(number: str) -> tuple[Decimal, ...]:
    """Every way to read a written number: `1,234` is 1234 and 1.234; `1.234,50` only 1234.50."""
    plain = re.sub(r"[ '’\u00a0\u202f]", "", number)
    marks = [c for c in plain if c in ".,"]
    if not marks:
        return (Decimal(plain),)
    last = marks[-1]
    whole, _, rest = plain.rpartition(last)
    grouped = Decimal(re.sub(r"[.,]", "", plain))
    if len(set(marks)) > 1:
        return (Decimal(f"{re.sub('[.,]', '', whole)}.{rest}"),)
    if len(marks) > 1:
        return (grouped,)
    decimal = Decimal(f"{whole}.{rest}")
    return (grouped, decimal) if len(rest) == 3 else (decimal,)


def _amount(match: re.Match[str], topics: list[tuple[int, int, str]], rough: list[int]) -> Amount | None:
    if match["percent"]:
        return None
    near = [(_distance(match, s, e), label) for s, e, label in topics if _distance(match, s, e) <= NEAR_CHARS]
    sign = (match["before"] or match["after"] or "").lower()
    scale = _SCALES.get((match["scale"] or "").lower(), 1)
    readings = tuple(r * scale for r in readings_of(match["number"]))
    if not near or (not sign and scale == 1 and max(readings) < SMALLEST_WITHOUT_SIGN) or _is_year(match):
        return None
    rounded = bool(match["about"]) or scale > 1 or any(0 <= match.start() - end <= 4 for end in rough)
    return Amount(
        topic=cast(Literal["budget", "total"], min(near)[1]),
        readings=readings,
        currency=_CURRENCIES.get(sign),
        rounded=rounded,
        text=match[0].strip(),
        start=match.start(),
        end=match.end(),
    )


def _distance(match: re.Match[str], start: int, end: int) -> int:
    return max(start - match.end(), match.start() - end, 0)


def _is_year(match: re.Match[str]) -> bool:
    bare = not (match["before"] or match["after"] or match["scale"])
    return bare and re.fullmatch(r"(?:19|20)\d\d", match["number"]) is not None
