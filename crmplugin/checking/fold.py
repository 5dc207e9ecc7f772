"""One form of every text before it is read: spaces, quotes, digits and hidden characters unified, places kept.

Nothing here decides; it only makes sure that "48\u202f000", fullwidth digits and a word with a hidden character in it
read like what a person sees.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_SPACES = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
    "\t\n\r\v\f\u2028\u2029"
)
_ONE_TO_ONE = {
    **{ord(c): " " for c in _SPACES},
    **{ord(c): "'" for c in "’ʼ‘´`ʹ′"},
    **{ord(c): '"' for c in "“”„«»‟″"},
    **{ord(c): "-" for c in "‐‑−﹣－"},
    **{ord(c): "–" for c in "—―‒"},
    **{ord(c): "/" for c in "⁄∕"},
}
_PLAIN = re.compile(r"[\x20-\x7e\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f€£–…·]*")
_SHORT = 500
_MOST_LETTERS = 6
"""One character stands for at most so many; the rest are ornaments that would only make a text long."""
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"}
_LETTERS = {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i"}


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in one form. `origin[i]` is the place in the source of character i, with one entry past the end."""

    text: str
    lower: str
    origin: tuple[int, ...] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the source of a piece of the folded text."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[end]


def fold_text(source: str) -> Folded:
    """The text with unified spaces, apostrophes, dashes, digits and composed letters, without hidden characters."""
    return _fold_short(source) if len(source) <= _SHORT else _fold(source)


@lru_cache(maxsize=8192)
def _fold_short(source: str) -> Folded:
    return _fold(source)


def _fold(source: str) -> Folded:
    text = source.translate(_ONE_TO_ONE)
    if _PLAIN.fullmatch(text):
        return Folded(text, lower(text))
    folded, origin = _compose(text)
    return Folded(folded, lower(folded), origin)


def _compose(text: str) -> tuple[str, tuple[int, ...]]:
    out: list[str] = []
    origin: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        piece = _simple(text[start:end])
        out.append(piece)
        origin.extend([start] * len(piece))
        start = end
    origin.append(len(text))
    return "".join(out), tuple(origin)


def _simple(cluster: str) -> str:
    """A letter with at most four marks, in compatibility form; a format character is nothing, a foreign digit ours."""
    if len(cluster) == 1:
        category = unicodedata.category(cluster)
        if category == "Cf" or cluster == "\u00ad":
            return ""
        if category == "Nd":
            return str(unicodedata.decimal(cluster))
        if category in ("No", "So", "Sk"):
            return cluster
    composed = unicodedata.normalize("NFKC", cluster[:5]).translate(_ONE_TO_ONE)
    return composed if len(composed) <= _MOST_LETTERS else cluster[0]


def lower(text: str) -> str:
    """Lower case with as many characters as before."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def spell_out(letter: str) -> str:
    """The transliteration of one lower-case letter: ü is ue, ß is ss; others as they are."""
    return _UMLAUTS.get(letter, letter)


@lru_cache(maxsize=4096)
def strip_marks(letter: str) -> str:
    """One lower-case letter without its marks: ü is u, é is e."""
    if letter.isascii():
        return letter
    if letter in _LETTERS:
        return _LETTERS[letter]
    return unicodedata.normalize("NFD", letter)[0]


def bare(text: str) -> str:
    """Lower case, marks stripped: for comparing words of free text."""
    low = lower(text)
    return low if low.isascii() else "".join(map(strip_marks, low))
