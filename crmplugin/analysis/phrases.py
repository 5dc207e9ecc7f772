"""Word lists matched over words, not characters: phrases with stems and bounded gaps, so the time grows with the text.

A phrase is a line of elements: `send|sends` alternatives, `instruct*` a stem, `?please` an optional word, `..3` up to
three words of any kind, and at the end `!our|delivery` words that must not stand in or beside the match. Case and
accents do not count; ä, ö, ü also match ae, oe, ue. A match never crosses the end of a sentence. What the lists say
stands in `prompts/words/<topic>.toml`, one table a language.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_BREAK = re.compile(r"[.!?;。？！]|\n\s*\n|\n\s*[-*•–]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_STEM_KEY = 3


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text, folded, with its place; `after_break`: a sentence ended between the last word and this."""

    word: str
    start: int
    end: int
    after_break: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: its label, the tokens `first` to `last` (both in), and the characters `start` to `end` (out)."""

    label: str
    first: int
    last: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Element:
    words: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    gap: int = 0
    optional: bool = False

    def fits(self, word: str) -> bool:
        return word in self.words or (bool(self.stems) and word.startswith(self.stems))


@dataclass(frozen=True, slots=True)
class _Phrase:
    label: str
    elements: tuple[_Element, ...]
    unless: _Element | None


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Lower case without accents, compatibility forms resolved: what two spellings of one word share."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).translate(_LETTERS)


def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text in order."""
    found: list[Token] = []
    end = 0
    for match in _WORD.finditer(text):
        broken = bool(found) and _BREAK.search(text, end, match.start()) is not None
        found.append(Token(fold(match.group()), match.start(), match.end(), broken))
        end = match.end()
    return tuple(found)


@cache
def word_list(topic: str) -> Mapping[str, Any]:
    """The tables of `prompts/words/<topic>.toml`."""
    return tomllib.loads(files("prompts").joinpath("words", f"{topic}.toml").read_text("utf-8"))


def gather(topic: str, name: str, language: str | None = None) -> Mapping[str, tuple[str, ...]]:
    """The lists called `name` of all languages of a topic, joined: label -> lines. A plain list is labelled `name`.

    A language that has a table narrows it to that one.
    """
    joined: dict[str, list[str]] = {}
    tables = word_list(topic)
    for table in [tables[language]] if language and language in tables else tables.values():
        found = table.get(name, {}) if isinstance(table, Mapping) else {}
        for label, lines in (found if isinstance(found, Mapping) else {name: found}).items():
            joined.setdefault(label, []).extend(lines)
    return {label: tuple(lines) for label, lines in joined.items()}


@cache
def book(topic: str, name: str, language: str | None = None) -> PhraseBook:
    """The phrases called `name` of a topic, of one language or (when it is None or has no table) of all."""
    return PhraseBook(gather(topic, name, language))


@cache
def words(topic: str, name: str) -> frozenset[str]:
    """Single words called `name` of every language of a topic (bars between spellings), folded."""
    lines = (line for lines in gather(topic, name).values() for line in lines)
    return frozenset(form for line in lines for word in line.split("|") for form in _forms(word))


class PhraseBook:
    """Phrases with labels, ready to be found in a tokenised text."""

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        self._by_word: dict[str, list[_Phrase]] = {}
        self._by_stem: dict[str, list[_Phrase]] = {}
        for label, lines in lists.items():
            for line in lines:
                self._add(_phrase(label, line))

    def _add(self, phrase: _Phrase) -> None:
        first = phrase.elements[0]
        for word in first.words:
            self._by_word.setdefault(word, []).append(phrase)
        for key in {stem[:_STEM_KEY] for stem in first.stems}:
            self._by_stem.setdefault(key, []).append(phrase)

    def find(self, text: Sequence[Token]) -> tuple[Hit, ...]:
        """All matches, in the order of the text; for each phrase and start the shortest."""
        return tuple(hit for at in range(len(text)) for hit in self.starting(text, at))

    def starting(self, text: Sequence[Token], at: int) -> tuple[Hit, ...]:
        """Matches whose first word is token `at`."""
        if at >= len(text):
            return ()
        word = text[at].word
        phrases = self._by_word.get(word, []) + self._by_stem.get(word[:_STEM_KEY], [])
        return tuple(hit for phrase in phrases if (hit := _match(phrase, text, at)) is not None)


def _match(phrase: _Phrase, text: Sequence[Token], at: int) -> Hit | None:
    if not phrase.elements[0].fits(text[at].word):
        return None
    last = _last(phrase.elements, 1, text, at + 1)
    if last is None or _spoiled(phrase.unless, text, at, last):
        return None
    return Hit(phrase.label, at, last, text[at].start, text[last].end)


def _last(elements: tuple[_Element, ...], i: int, text: Sequence[Token], at: int) -> int | None:
    """Index of the last token when elements i.. match from token `at`, trying short gaps first."""
    if i == len(elements):
        return at - 1
    element = elements[i]
    if element.gap:
        reach = next((n for n in range(element.gap + 1) if _ends(text, at + n)), element.gap)
        tries = (_last(elements, i + 1, text, at + n) for n in range(reach + 1))
        return next((found for found in tries if found is not None), None)
    if not _ends(text, at) and element.fits(text[at].word):
        found = _last(elements, i + 1, text, at + 1)
        if found is not None or not element.optional:
            return found
    return _last(elements, i + 1, text, at) if element.optional else None


def _ends(text: Sequence[Token], at: int) -> bool:
    return at >= len(text) or text[at].after_break


def _spoiled(unless: _Element | None, text: Sequence[Token], first: int, last: int) -> bool:
    if unless is None:
        return False
    start = first - 1 if first and not text[first].after_break else first
    end = last + 2 if not _ends(text, last + 1) else last + 1
    return any(unless.fits(token.word) for token in text[start:end])


def _phrase(label: str, line: str) -> _Phrase:
    elements: list[_Element] = []
    unless = None
    for part in _parts(line):
        if part.startswith("!"):
            unless = _element(part[1:])
        else:
            elements.append(_element(part))
    if not elements or elements[0].gap or elements[0].optional or (unless and unless.gap):
        raise ValueError(f"word list phrase {line!r} must begin with a word")
    return _Phrase(label, tuple(elements), unless)


def _parts(line: str) -> Iterable[str]:
    """The elements of a line. An apostrophe parts words: "I'll" is two, `don't|never` has an optional t."""
    for part in line.replace("’", "'").split():
        choices = [choice.split("'") for choice in part.split("|")]
        if len(choices) == 1:
            yield from (piece for piece in choices[0] if piece)
            continue
        yield "|".join(pieces[0] for pieces in choices)
        tails = sorted({pieces[1] for pieces in choices if len(pieces) > 1 and pieces[1]})
        if tails:
            yield "?" + "|".join(tails)


def _element(part: str) -> _Element:
    if part.startswith(".."):
        return _Element(gap=int(part[2:]))
    choices = part.removeprefix("?").split("|")
    if not all(choices):
        raise ValueError(f"word list element {part!r} holds nothing between bars")
    stems = {form for c in choices if c.endswith("*") for form in _forms(c.removesuffix("*"))}
    if any(len(stem) < _STEM_KEY for stem in stems):
        raise ValueError(f"word list element {part!r} has a stem shorter than {_STEM_KEY} letters")
    exact = frozenset(form for c in choices if not c.endswith("*") for form in _forms(c))
    return _Element(exact, tuple(sorted(stems)), optional=part.startswith("?"))


def _forms(word: str) -> set[str]:
    lower = word.casefold()
    return {fold(lower), fold(lower.translate(_UMLAUTS))}
