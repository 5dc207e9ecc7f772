"""Names of a whole connection found in a text in one pass, by exact rules: nothing is ever matched by likeness.

A name is looked up without spaces and signs, and a hit counts only if the words break where the name's do (a product
may also be written without its hyphen), if both ends are word borders, and if its case fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import ahocorasick

from crmplugin import ports
from crmplugin.checking.fold import fold_text, lower, spell_out, strip_marks
from crmplugin.checking.lists import topic

_WORD = re.compile(r"[^\W_]+")
_DIGIT = re.compile(r"[0-9]")
_JOINTS = " -./&'_,+()"
_MAX_GAP = 3
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Match:
    """A name in a text: start, end (out), the name, and whether it is written as stored."""

    start: int
    end: int
    name: ports.Name
    exact: bool
    common: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    name: ports.Name
    breaks: frozenset[int]
    may_break: frozenset[int]
    common: bool


class TenantNames:
    """All names of a connection, ready to be found in a text (see `build_index`)."""

    def __init__(self, names: Iterable[ports.Name]) -> None:
        self._keys: dict[str, list[_Entry]] = {}
        self._by_owner: dict[str, list[ports.Name]] = {}
        self._given: set[str] = set()
        for name in names:
            self._add(name)
        self._automaton = ahocorasick.Automaton()
        for key in self._keys:
            self._automaton.add_word(key, key)
        self._automaton.make_automaton()

    def _add(self, name: ports.Name) -> None:
        squeezed, breaks, may_break = _squeeze_name(name.text, name.kind)
        if len(squeezed) < 2 or (squeezed.isdigit() and len(squeezed) < 4):
            return
        if name.owner_id is not None:
            self._by_owner.setdefault(name.owner_id, []).append(name)
        if name.kind == "contact" and " " in name.text and name.owner_id is not None:
            self._given.add(lower(name.text.split(" ", 1)[0]))
        entry = _Entry(name, breaks, may_break, is_common(name.text))
        for key in _forms(squeezed):
            self._keys.setdefault(key, []).append(entry)
        short = _without_legal_form(name.text) if name.kind == "company" else None
        if short:
            self._add(ports.Name(name.kind, name.record_id, name.owner_id, short))

    def find(self, text: str) -> Sequence[tuple[int, int, ports.Name]]:
        """Longest matches with word borders: start, end, name (places of the text as it is given)."""
        folded = fold_text(text)
        return [(*folded.place(m.start, m.end), m.name) for m in self.matches(folded.text)]

    def matches(self, text: str) -> list[Match]:
        """Longest matches in a folded text; records that share a name all appear."""
        if not self._keys:
            return []
        low = lower(text)
        found: list[Match] = []
        for letters, places in _squeezed_texts(low):
            for last, key in self._automaton.iter(letters):
                found += self._at(text, places, last, key)
        return _longest(found)

    def _at(self, text: str, places: Sequence[int], last: int, key: str) -> list[Match]:
        first = last + 1 - len(key)
        start, end = places[first], places[last] + 1
        if _inside_word(text, start, end) or (first and places[first - 1] == start):
            return []
        if end - start > 2 * len(key) + _MAX_GAP:
            return []
        breaks = _breaks(text, places[first : last + 1])
        if breaks is None:
            return []
        written = text[start:end]
        fitting = (e for e in self._keys[key] if _fits(e, breaks, written, len(key)))
        return [Match(start, end, e.name, _same(written, e.name), e.common) for e in fitting]

    def is_given_name(self, word: str) -> bool:
        """Whether a contact of the connection is called so, and the word is no everyday word."""
        return len(word) >= _SHORTEST and lower(word) in self._given and not is_common(word)

    def owned_by(self, owner_id: str) -> Sequence[ports.Name]:
        """The names that belong to one company: itself, its contacts and deals."""
        return self._by_owner.get(owner_id, ())


def build_index(names: Iterable[ports.Name]) -> TenantNames:
    """An index over all names of a connection (10^5 in about a second), read-only and safe to share."""
    return TenantNames(names)


@lru_cache(maxsize=1)
def _common_words() -> frozenset[str]:
    tables = topic("common").values()
    return frozenset(word for t in tables for word in " ".join(t["words"]).split())


def is_common(text: str) -> bool:
    """Whether every word of a name is an everyday word (May, Target, Blue Sky), so that case and neighbours decide."""
    if _DIGIT.search(text):
        return False
    words = lower(text).replace("-", " ").split()
    return all(w in _common_words() or len(w) < 3 for w in words)


def _squeeze_name(text: str, kind: str) -> tuple[str, frozenset[int], frozenset[int]]:
    """The name's letters and digits, the places where it breaks, and those where it may (product names only)."""
    words = _WORD.findall(text if text.isascii() else fold_text(text).text)
    ends = list(accumulate(len(w) for w in words))
    letters = "".join(words)
    may = [i for i in range(1, len(letters)) if _turns(letters[i - 1], letters[i])] if kind == "product" else []
    return lower(letters), frozenset(ends[:-1]), frozenset(may)


@lru_cache(maxsize=1)
def _legal_forms() -> frozenset[str]:
    return frozenset(topic("hints")["legal"])


def _without_legal_form(text: str) -> str | None:
    """A company as people say it: "Nordtek" for Nordtek AB; None when it has no legal form or little is left."""
    words, legal = text.split(), _legal_forms()
    kept = len(words)
    while kept > 1 and lower(words[kept - 1]).replace(".", "").strip(",&") in legal:
        kept -= 1
    short = " ".join(words[:kept]).rstrip(",&. ")
    return short if kept < len(words) and len(short) >= _SHORTEST else None


def _turns(left: str, right: str) -> bool:
    """A letter beside a digit, or a capital after a small letter: where FlowMeter300 may be written apart."""
    return left.isdigit() != right.isdigit() or (left.islower() and right.isupper())


def _forms(squeezed: str) -> set[str]:
    if squeezed.isascii():
        return {squeezed}
    spelled = "".join(spell_out(c) for c in squeezed)
    return {squeezed, spelled, "".join(strip_marks(c) for c in squeezed)}


@lru_cache(maxsize=256)
def _squeezed_texts(low: str) -> list[tuple[str, list[int]]]:
    """The text's letters and digits with their places: as they are, and transliterated if it has other letters."""
    kept = [(c, i) for i, c in enumerate(low) if c.isalnum()]
    forms = [("".join(c for c, _ in kept), [i for _, i in kept])]
    if not low.isascii():
        for change in (spell_out, strip_marks):
            row = [(x, i) for c, i in kept for x in change(c)]
            letters = "".join(x for x, _ in row)
            if letters != forms[0][0]:
                forms.append((letters, [i for _, i in row]))
    return forms


def _inside_word(text: str, start: int, end: int) -> bool:
    return (start > 0 and text[start - 1].isalnum()) or (end < len(text) and text[end].isalnum())


def _breaks(text: str, places: Sequence[int]) -> frozenset[int] | None:
    """Where the words of a hit break; None if something other than a joint stands between."""
    breaks = set()
    for i in range(1, len(places)):
        gap = places[i] - places[i - 1]
        if gap < 2:
            continue
        between = text[places[i - 1] + 1 : places[i]]
        if gap > _MAX_GAP + 1 or any(c not in _JOINTS for c in between) or between[:1] == "," or ". " in between[1:]:
            return None
        breaks.add(i)
    return frozenset(breaks)


def _fits(entry: _Entry, breaks: frozenset[int], written: str, length: int) -> bool:
    name = entry.name
    shifted = length != sum(c.isalnum() for c in name.text)
    if name.kind == "product":
        if not shifted and not breaks <= entry.breaks | entry.may_break:
            return False
    elif len(breaks) != len(entry.breaks) or (not shifted and breaks != entry.breaks):
        return False
    return _case_fits(entry, written)


def _case_fits(entry: _Entry, written: str) -> bool:
    stored = entry.name.text
    if any(c.isdigit() for c in stored):
        return True
    if entry.common or entry.name.kind == "deal":
        return written == fold_text(stored).text or (written.isupper() and len(written) > 4)
    if entry.breaks:
        return True
    if stored.isupper() and len(stored) <= 4:
        return written == stored
    return not stored[:1].isupper() or written[:1].isupper()


def _same(written: str, name: ports.Name) -> bool:
    stored = lower(fold_text(name.text).text)
    low = lower(written)
    if name.kind == "product":
        return True
    return " ".join(low.split()).rstrip(".") == " ".join(stored.split()).rstrip(".")


def _longest(found: list[Match]) -> list[Match]:
    """The longest of overlapping matches, the first of equals; all records of one place are kept, the exact first."""
    found.sort(key=lambda m: (m.start, -m.end, not m.exact))
    kept: list[Match] = []
    seen: set[tuple[int, int, str, str]] = set()
    for m in found:
        mark = (m.start, m.end, m.name.record_id, m.name.kind)
        if mark in seen:
            continue
        if kept and m.start < kept[-1].end and (m.start, m.end) != (kept[-1].start, kept[-1].end):
            continue
        seen.add(mark)
        kept.append(m)
    return kept
