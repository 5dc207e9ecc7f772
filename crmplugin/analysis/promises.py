"""Promises stated in a text ("I'll send the drawing by Friday"): whose, by when, in which words.

They are stated, not observed: a message may only repeat them with confirming words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from crmplugin.analysis.dates_in_text import find_dates
from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.passages import own_text, sentences
from crmplugin.analysis.phrases import Hit, Token, book, tokens, words

Side = Literal["us", "them"]
_REACH = 5
_LAST_CLAUSE = 14


@dataclass(frozen=True, slots=True)
class Stated:
    """A promise as stated. `due` is a certain day, `latest` also the last day of a range ("next week").

    text: the sentence in one line; verbatim: the sentence as written.
    """

    side: Side
    text: str
    due: date | None
    verbatim: str
    latest: date | None = None


def find_promises(text: str, *, written_on: date, author_side: Side) -> tuple[Stated, ...]:
    """The promises of a text in order, one a sentence. `author_side` is who wrote it: "I" and "we" are that side."""
    body = own_text(scan_text(text).clean)
    found = [_promise(body[a:b], written_on, author_side) for a, b in sentences(body)]
    return tuple(promise for promise in found if promise is not None)


def _promise(sentence: str, written_on: date, author_side: Side) -> Stated | None:
    if sentence.rstrip(" \"')").endswith(("?", "？")):
        return None
    row = tokens(sentence)
    side = _promising_side(row, author_side)
    if side is None:
        return None
    dates = find_dates(sentence, written_on=written_on)
    exact = [mention for mention in dates if mention.exact]
    ahead = [m.day for m in ([m for m in exact if m.limit] or exact) if m.day >= written_on]
    latest = max((m.day for m in dates if m.day >= written_on), default=None)
    return Stated(side, " ".join(sentence.split()), ahead[0] if ahead else None, sentence, latest)


def _promising_side(row: Sequence[Token], author_side: Side) -> Side | None:
    other: Side = "them" if author_side == "us" else "us"
    for name, side in (("second", other), ("first", author_side)):
        if any(
            _acts(row, hit) and not _is_soft(row, hit) for hit in book("promises", name).find(row) if _opens(row, hit)
        ):
            return side
    return None


def _opens(row: Sequence[Token], hit: Hit) -> bool:
    """A bare "will" promises only at the start of a note ("Will send the drawing"); "enviaremos" says who by itself."""
    return row[hit.first].word not in ("will", "ll") or hit.last > hit.first or hit.first == 0


def _acts(row: Sequence[Token], hit: Hit) -> bool:
    """Whether a verb of doing follows soon (or is part of the phrase); German puts it last in the sentence."""
    acts = _words_of_acts()
    near = row[hit.first : hit.last + 1 + _REACH]
    return (
        any(_is_act(token.word, acts) for token in near)
        or (
            row[hit.first].word in words("promises", "late_verb")
            or row[hit.last].word in words("promises", "late_verb")
        )
        and any(_is_act(token.word, acts) for token in row[hit.last + 1 : hit.last + _LAST_CLAUSE])
    )


@cache
def _words_of_acts() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The verbs of doing: whole words, and stems."""
    listed = words("promises", "acts")
    return tuple(w for w in listed if not w.endswith("*")), tuple(w[:-1] for w in listed if w.endswith("*"))


def _is_act(word: str, acts: tuple[tuple[str, ...], tuple[str, ...]]) -> bool:
    return word in acts[0] or word.startswith(acts[1])


def _is_soft(row: Sequence[Token], hit: Hit) -> bool:
    """Whether the clause around takes it back: a negation, an "if", a "would"."""
    start = max(0, hit.first - 4)
    return any(
        start <= soft.first <= hit.last + 3 for soft in book("promises", "soft").find(row[: hit.last + _REACH + 1])
    )
