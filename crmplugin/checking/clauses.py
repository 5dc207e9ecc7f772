"""Clauses of a sentence: a phrase that needs a fact must find it in its own clause, not in a true one beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from crmplugin.checking.fold import Folded
from crmplugin.checking.lists import table
from crmplugin.checking.spans import Token
from crmplugin.checking.stems import stems_of

Trigger = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a sentence: its stems with names, those without any typed piece, and the kinds of its phrases.

    `reported`: it tells what the customer asked or said.
    """

    start: int
    end: int
    stems: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    reported: bool = False

    def holds(self, start: int) -> bool:
        return self.start <= start < self.end


@lru_cache(maxsize=16)
def _breaks(language: str) -> re.Pattern[str]:
    words = table("clauses", language)
    joins, subjects = "|".join(words["joins"]), "|".join(map(re.escape, words["subjects"]))
    always = "|".join(map(re.escape, words["always"]))
    return re.compile(rf"[;:,](?= )| – | (?=(?:{joins}) (?:{subjects})(?!\w))| (?=(?:{always})(?!\w))")


def split_clauses(folded: Folded, tokens: Sequence[Token], triggers: Sequence[Trigger], language: str) -> list[Clause]:
    """The clauses in order; one without content of its own goes with its neighbour."""
    inside = [(t.start, t.end) for t in tokens]
    cuts = [m.end() for m in _breaks(language).finditer(folded.lower) if not any(a < m.end() < b for a, b in inside)]
    places = list(zip([0, *cuts], [*cuts, len(folded.text)], strict=True))
    named, masked = _without_numbers(folded.lower, tokens), _without_tokens(folded.lower, tokens)
    rows = [Clause(a, b, stems_of(named[a:b], language), stems_of(masked[a:b], language)) for a, b in places]
    rows = _merged(rows)
    return _with_kinds(rows, folded.lower, triggers, language)


def _without_numbers(low: str, tokens: Sequence[Token]) -> str:
    return strike(low, [t for t in tokens if t.kind not in ("name", "capital", "doc_id")])


def _without_tokens(low: str, tokens: Sequence[Token]) -> str:
    return strike(low, [t for t in tokens if t.kind != "capital"])


def strike(low: str, tokens: Sequence[Token]) -> str:
    """The text with blanks in place of the tokens, which come in order."""
    out, at = [], 0
    for t in tokens:
        out += [low[at : t.start], " " * (t.end - max(at, t.start))]
        at = max(at, t.end)
    return "".join([*out, low[at:]])


def _merged(rows: list[Clause]) -> list[Clause]:
    """Clauses such as "by Friday 13 March" joined to the next one at the start, to the one before elsewhere."""
    out: list[Clause] = []
    waiting: Clause | None = None
    for row in rows:
        joined = _join(waiting, row) if waiting else row
        waiting = None
        if joined.bare:
            out.append(joined)
        elif out:
            out[-1] = _join(out[-1], joined)
        else:
            waiting = joined
    return out if waiting is None else [*out, waiting]


def _join(a: Clause, b: Clause) -> Clause:
    return Clause(a.start, b.end, a.stems | b.stems, a.bare | b.bare)


def _with_kinds(rows: list[Clause], low: str, triggers: Sequence[Trigger], language: str) -> list[Clause]:
    out: list[Clause] = []
    opening = tuple(table("clauses", language)["reports"])
    for row in rows:
        kinds = frozenset(kind for kind, start, _ in triggers if row.holds(start))
        said = bool(kinds & {"attribution", "asked"})
        goes_on = bool(out) and out[-1].reported and low[row.start : row.end].lstrip(" ,:\"'").startswith(opening)
        out.append(replace(row, kinds=kinds, reported=said or goes_on))
    return out
