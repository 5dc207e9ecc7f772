"""A rep's wish in their own words, as far as it can be followed without a model: length, tone and a day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from crmplugin.analysis.dates_in_text import find_dates
from crmplugin.analysis.phrases import book, tokens, words

LENGTHS = ("short", "long")
TONES = ("formal", "friendly", "direct")
_PARTS = re.compile(r"[;!?\n]+\s*|(?<!\d)\.\s*|,\s+|\s+(?:and|und|et|y)\s+")


@dataclass(frozen=True, slots=True)
class Wish:
    """length and tone as a request has them; days wished for, each with its words; `rest`: what says something else."""

    length: str | None = None
    tone: str | None = None
    days: tuple[tuple[date, str], ...] = ()
    rest: tuple[str, ...] = ()


def read_wish(text: str | None, *, written_on: date) -> Wish:
    """The parts of a wish, each read as one thing. What is read as nothing we know stands in `rest` as written."""
    length = tone = None
    days: list[tuple[date, str]] = []
    rest: list[str] = []
    for part in _PARTS.split(text or ""):
        if not part.strip():
            continue
        found = _first(LENGTHS, part), _first(TONES, part), _days(part, written_on)
        length, tone = length or found[0], tone or found[1]
        days += found[2]
        if not any(found):
            rest.append(part.strip())
    return Wish(length, tone, tuple(days), tuple(rest))


def _first(names: tuple[str, ...], part: str) -> str | None:
    """The first of the names that a part asks for; None when it says more than that."""
    row = tokens(part)
    hits = [(name, hit) for name in (*LENGTHS, *TONES) for hit in book("wishes", name).find(row)]
    asked = {i for _, hit in hits for i in range(hit.first, hit.last + 1)}
    if not all(i in asked or token.word in words("wishes", "small") for i, token in enumerate(row)):
        return None
    return next((name for name in names for found, _ in hits if found == name), None)


def _days(part: str, written_on: date) -> list[tuple[date, str]]:
    return [(m.day, part.strip()) for m in find_dates(part, written_on=written_on) if m.exact and m.day >= written_on]


def names_any(part: str, names: Iterable[str]) -> str | None:
    """The longest of the names that stands in a part of a wish as whole words."""
    said = part.casefold()
    held = [n for n in names if re.search(rf"(?<!\w){re.escape(n.casefold())}(?!\w)", said)]
    return max(held, key=len, default=None)
