"""Word lists of `prompts/checks/`, one file a topic, one table a language; read once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import ahocorasick

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt")


@lru_cache(maxsize=32)
def topic(name: str) -> Mapping[str, Any]:
    """The whole file of a topic: language (or another table's name) to its table."""
    return tomllib.loads((files("prompts") / "checks" / f"{name}.toml").read_text("utf-8"))


def table(name: str, language: str) -> Mapping[str, Any]:
    """One language's table of a topic; English for a language that has none."""
    tables = topic(name)
    found: Mapping[str, Any] = tables.get(language) or tables["en"]
    return found


class PhraseBook:
    """Many phrases found in one pass. A phrase may end in `*` (any ending); matches begin and end at word borders."""

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        self._automaton = ahocorasick.Automaton()
        rows: dict[str, list[tuple[str, int, bool]]] = {}
        for kind, phrase in phrases:
            key = phrase.rstrip("*")
            rows.setdefault(key, []).append((kind, len(key), phrase.endswith("*")))
        for key, row in rows.items():
            self._automaton.add_word(key, row)
        self._automaton.make_automaton()
        self._empty = not rows

    def find(self, low: str) -> list[tuple[str, int, int]]:
        """Kind, start and end of every phrase in a lower-case text; the longest where several begin alike."""
        if self._empty:
            return []
        found = []
        for last, row in self._automaton.iter(low):
            for kind, length, open_end in row:
                start = last + 1 - length
                if _borders(low, start, last + 1, open_end):
                    found.append((kind, start, last + 1))
        return found


def _borders(low: str, start: int, end: int, open_end: bool) -> bool:
    if start and low[start - 1].isalnum() and low[start].isalnum():
        return False
    return open_end or end == len(low) or not (low[end].isalnum() and low[end - 1].isalnum())


@lru_cache(maxsize=64)
def phrase_book(name: str, language: str) -> PhraseBook:
    """All lists of phrases of a topic in one language, by the list's name."""
    return PhraseBook((kind, p) for kind, rows in table(name, language).items() if isinstance(rows, list) for p in rows)
