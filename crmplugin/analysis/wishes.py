"""A rep's wish in their own words, as far as it can be followed without a model: length, tone and a day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from crmplugin.analysis.dates_in_text import find_dates
from crmplugin.analysis.phrases import book, tokens

LENGTHS = ("short", "long")
TONES = ("formal", "friendly", "direct")
MOST_WORDS = 6
"""A part of more words than that says more than a length or a tone."""
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
    row = tokens(part)
    known = names if len(row) <= MOST_WORDS else ()
    return next((name for name in known if book("wishes", name).find(row)), None)


def _days(part: str, written_on: date) -> list[tuple[date, str]]:
    return [(m.day, part.strip()) for m in find_dates(part, written_on=written_on) if m.exact and m.day >= written_on]


def names_any(part: str, names: Iterable[str]) -> str | None:
    """The longest of the names that stands in a part of a wish as whole words."""
    said = part.casefold()
    held = [n for n in names if re.search(rf"(?<!\w){re.escape(n.casefold())}(?!\w)", said)]
    return max(held, key=len, default=None)
