"""Numbers as people write them: our own small grammar, with the reading of the output locale and the others kept.

Nothing is guessed: what fits no convention has no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crmplugin.checking.lists import table, topic

_DIGITS = re.compile(r"(?<![\w.,'])[-+]?[0-9]{1,18}(?:[.,'][0-9]{1,12}|(?: [0-9]{3})(?![0-9])){0,8}(?![0-9])")
_INDIAN = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CONVENTIONS = ((".", ","), (",", "."), (",", " "), (".", "'"), (".", " "), (",", "'"))


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text: value by the locale (None if it has none) and its other well-formed readings."""

    start: int
    end: int
    value: Decimal | None
    other: tuple[Decimal, ...] = ()
    spelled: bool = False
    ordinal: bool = False
    scaled: bool = False

    def negative(self) -> Number:
        """The same number below zero."""
        return replace(self, value=None if self.value is None else -self.value, other=tuple(-v for v in self.other))

    @property
    def readings(self) -> tuple[Decimal, ...]:
        return self.other if self.value is None else (self.value, *self.other)


def read_digits(text: str, locale: str) -> tuple[Decimal | None, tuple[Decimal, ...]]:
    """The value of written digits by the locale, and every other well-formed reading ("1.234" de: 1234, (1.234,))."""
    sign = Decimal(-1) if text.startswith("-") else Decimal(1)
    digits = text.lstrip("+-")
    if _INDIAN.fullmatch(digits) and not _read(digits, ".", ","):
        return (sign * Decimal(digits.replace(",", "")), ()) if locale.endswith("_IN") else (None, ())
    own = conventions(locale)
    mine = [v for v in (_read(digits, *c) for c in own) if v is not None]
    rest = [v for v in (_read(digits, *c) for c in _CONVENTIONS) if v is not None and v not in mine[:1]]
    value = sign * mine[0] if mine else None
    return value, tuple(dict.fromkeys(sign * v for v in rest))


@lru_cache(maxsize=64)
def conventions(locale: str) -> tuple[tuple[str, str], ...]:
    """Decimal and group separators that the locale writes, the usual pair first."""
    pairs = topic("numbers")["locales"].get(locale) or table("numbers", locale[:2])["conventions"]
    return tuple((p[0], p[1]) for p in pairs)


@lru_cache(maxsize=16)
def _shape(decimal: str, group: str) -> re.Pattern[str]:
    d, g = re.escape(decimal), re.escape(group)
    return re.compile(rf"(?:[0-9]{{1,3}}(?:{g}[0-9]{{3}})+|[0-9]+)(?:{d}[0-9]+)?")


def _read(digits: str, decimal: str, group: str) -> Decimal | None:
    if not _shape(decimal, group).fullmatch(digits):
        return None
    return Decimal(digits.replace(group, "").replace(decimal, "."))


def find_numbers(text: str, low: str, *, language: str, locale: str) -> list[Number]:
    """All numbers of a folded text in order: digits with their scale word, and spelled ones."""
    found = [_scaled(low, n, language) for n in _find_digits(text, language, locale)]
    taken = [(n.start, n.end) for n in found]
    spelled = (n for n in _find_spelled(low, language) if not any(a < n.end and n.start < b for a, b in taken))
    return sorted([*found, *spelled], key=lambda n: n.start)


def _find_digits(text: str, language: str, locale: str) -> Iterator[Number]:
    for m in _DIGITS.finditer(text):
        written, start = m[0], m.start()
        if written[0] in "+-" and start and text[start - 1] not in " (":
            written, start = written[1:], start + 1
        value, other = read_digits(written, locale)
        if value is None and " " in written:
            yield from _pieces(written, start, locale, other)
            continue
        suffix = _ordinal_suffix(text, m.end(), language)
        yield Number(start, m.end() + len(suffix), value, other, ordinal=bool(suffix))


def _pieces(written: str, start: int, locale: str, whole: tuple[Decimal, ...]) -> Iterator[Number]:
    """ "10 300" where spaces do not group: one number for readers elsewhere, kept as another reading."""
    yield Number(start, start + len(written), None, whole)


def _ordinal_suffix(text: str, end: int, language: str) -> str:
    for suffix in table("numbers", language)["ordinals"]:
        if text.startswith(suffix, end) and not text[end + len(suffix) : end + len(suffix) + 1].isalnum():
            return str(suffix)
    return ""


_SCALE = re.compile(r"[ -]?([^\W\d_]+)(\.?)")


def _scaled(low: str, number: Number, language: str) -> Number:
    """The number with a scale word behind it taken in: 1.2M, 12 Tsd., 3 million."""
    m = _SCALE.match(low, number.end)
    factor = table("numbers", language)["scales"].get(m[1]) if m and not number.ordinal else None
    if m is None or factor is None or (len(m[1]) == 1 and low[number.end] == " "):
        return number
    end = m.end() if m[2] and m[1] in ("mio", "mrd", "tsd", "mln", "mld", "tys") else m.end(1)
    value = None if number.value is None else number.value * factor
    return Number(number.start, end, value, tuple(v * factor for v in number.other), scaled=True)


@lru_cache(maxsize=16)
def spelled_numbers(language: str) -> Mapping[str, int]:
    """Number words of a language as one word each: 0 to 99, and glued hundreds and thousands where it glues them."""
    t = table("numbers", language)
    ones = {w: n for n, w in enumerate(t["ones"], 1)}
    words = {**ones, **{w: n for n, w in zip(range(20, 100, 10), t["tens"], strict=True)}, **_compounds(t)}
    for glue, factor in t.get("glued", {}).items():
        words |= {f"{w}{glue}": n * factor for w, n in list(words.items()) if n < 100}
        words[f"{t.get('first', '')}{glue}"] = factor
    words |= t["extra"]
    return {w: n for w, n in words.items() if w not in t["skip"]}


def _compounds(t: Mapping[str, Any]) -> dict[str, int]:
    pattern, found = t["compound"], {}
    for n, ten in zip(range(20, 100, 10), t["tens"], strict=True):
        for k, one in enumerate(t["ones"][:9], 1):
            word = pattern.format(ten=ten, one=t.get("first", one) if k == 1 else one)
            if word and not (n > 20 and "{ten}" not in pattern):
                found[word] = n + k
    return found


def _find_spelled(low: str, language: str) -> Iterator[Number]:
    words = spelled_numbers(language)
    scales, joiners = table("numbers", language)["scales"], set(table("numbers", language)["joiners"])
    skip = {w: 1 for w in table("numbers", language)["skip"] if w in ("one", "un", "uno", "een", "jeden", "um")}
    row = [_number_part(m, words) for m in _WORD.finditer(low)]
    i = 0
    while i < len(row):
        size, value = _spelled_at(low, row, i, words, scales, joiners, skip)
        if size:
            yield Number(row[i][1], row[i + size - 1][2], Decimal(value), spelled=True)
        i += size or 1


def _number_part(m: re.Match[str], words: Mapping[str, int]) -> tuple[str, int, int]:
    """A word with its place; of "five-year" only the number."""
    head, _, tail = m[0].partition("-")
    glued = head in words and m[0] not in words and tail not in words
    return (head, m.start(), m.start() + len(head)) if glued else (m[0], *m.span())


def _spelled_at(
    low: str,
    row: list[tuple[str, int, int]],
    i: int,
    words: Mapping[str, int],
    scales: Mapping[str, int],
    joiners: set[str],
    skip: Mapping[str, int],
) -> tuple[int, int]:
    """How many words from i make one number, and its value: "two hundred and five" -> (4, 205)."""
    total, part, size, j = 0, 0, 0, i
    while j < len(row):
        word, start, _ = row[j]
        if j > i and low[row[j - 1][2] : start] != " ":
            break
        if word in words and (part == 0 or (part % 10 == 0 and words[word] < 10) or (part % 100 == 0 and part)):
            part, size = part + words[word], j + 1 - i
        elif word in skip and _is_scale(row, j + 1, scales) and part == 0:
            part, size = 1, j + 1 - i
        elif word in scales and part and len(word) > 2:
            if scales[word] == 100:
                part *= 100
            else:
                total, part = total + part * scales[word], 0
            size = j + 1 - i
        elif not (word in joiners and size and j + 1 < len(row) and row[j + 1][0] in words and (total or part >= 20)):
            break
        j += 1
    return size, total + part


def _is_scale(row: list[tuple[str, int, int]], j: int, scales: Mapping[str, int]) -> bool:
    return j < len(row) and len(row[j][0]) > 2 and row[j][0] in scales
