"""Compares headings and names: what is the same but for case, spaces and signs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_JOINING = re.compile(r"[\s\-‐-―_]+")


def fold(heading: str) -> str:
    """A heading as it is compared: case and spaces do not count."""
    return " ".join(unicodedata.normalize("NFC", heading).split()).casefold()


def fold_name(name: str) -> str:
    """A name as it is joined when nothing equal is found: without spaces, hyphens and case (`GTXPro`, `GTX Pro`)."""
    return _JOINING.sub("", unicodedata.normalize("NFC", name)).casefold()


def plain(text: str) -> str:
    """A text of one line: spaces of any kind become one, none around it."""
    return " ".join(text.split())


def private_key(heading: str) -> str:
    """The `x_` key that keeps a column nobody asked for."""
    return "x_" + (re.sub(r"\W+", "_", fold(heading)).strip("_") or "column")


def repeated(headings: Iterable[str]) -> list[str]:
    """Headings that stand more than once, as first written; empty ones may."""
    folded = [(fold(heading), heading) for heading in headings if fold(heading)]
    counts = Counter(key for key, _ in folded)
    first = dict(reversed(folded))
    return [first[key] for key, n in counts.items() if n > 1]
