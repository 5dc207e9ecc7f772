"""How a customer feels, as far as their words say it: angry, worried, neutral or pleased, with the words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.language import guess_language
from crmplugin.analysis.passages import own_text, sentences
from crmplugin.analysis.phrases import Hit, PhraseBook, Token, book, fold, tokens, word_list

State = Literal["angry", "worried", "neutral", "pleased"]
_NEGATION_REACH = 3
_SHOUTING = re.compile(r"[!?]{2,}|(?:\b[A-ZÄÖÜÀ-Þ]{3,}\b[\s,!]+){3,}")
_WEIGHT = {"angry": 2, "worried": 1, "pleased": 1}


@dataclass(frozen=True, slots=True)
class Mood:
    """A reading, not a fact. `evidence` is the sentence that shows it (None when neutral), at start to end of the
    text without history and signature."""

    state: State
    evidence: str | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class _Feeling:
    state: State
    sentence: tuple[int, int]


def read_mood(text: str) -> Mood:
    """The mood of a text. Anger outweighs worry, and both outweigh thanks; politeness alone is neutral."""
    body = own_text(scan_text(text).clean)
    phrases = book("mood", "phrases", guess_language(body))
    felt = [feeling for part in sentences(body) for feeling in _feelings(body, part, phrases)]
    counts = {state: sum(f.state == state for f in felt) for state in ("angry", "worried", "pleased")}
    state = _strongest(counts)
    if state == "worried" and _SHOUTING.search(body):
        return _mood(body, "angry", felt, shown="worried")
    return _mood(body, state, felt, shown=state)


def _strongest(counts: dict[str, int]) -> State:
    if counts["angry"]:
        return "angry"
    if counts["worried"] and counts["worried"] * _WEIGHT["angry"] > counts["pleased"]:
        return "worried"
    return "pleased" if counts["pleased"] else "neutral"


def _mood(body: str, state: State, felt: Sequence[_Feeling], *, shown: State) -> Mood:
    found = next((feeling for feeling in felt if feeling.state == shown), None)
    if found is None:
        return Mood("neutral")
    start, end = found.sentence
    return Mood(state, " ".join(body[start:end].split()), start, end)


def _feelings(body: str, part: tuple[int, int], phrases: PhraseBook) -> Iterator[_Feeling]:
    row = tokens(body[part[0] : part[1]])
    hits = phrases.find(row)
    strong = [hit for hit in hits if hit.label == "angry"]
    for hit in hits:
        if hit.label == "worried" and any(s.first <= hit.first and hit.last <= s.last for s in strong):
            continue
        state = _turned(hit, row)
        if state is not None:
            yield _Feeling(state, part)


def _turned(hit: Hit, row: Sequence[Token]) -> State | None:
    """The feeling of a phrase, turned by a negation before it: "not happy" is worry, "not worried" is nothing."""
    before = row[max(0, hit.first - _NEGATION_REACH) : hit.first]
    denied = any(token.word in _negations() for token in before)
    if not denied:
        return _STATES[hit.label]
    return "worried" if hit.label == "pleased" else None


_STATES: dict[str, State] = {"angry": "angry", "worried": "worried", "pleased": "pleased"}


@cache
def _negations() -> frozenset[str]:
    return frozenset(fold(w) for table in word_list("mood").values() for w in table["more"]["negations"])
