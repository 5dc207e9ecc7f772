"""Whether a text carries the answer to a question: shared content words across languages, numbers included.

Words meet when their stems are the same, when a small glossary (`prompts/words/answers.toml`) knows both as one thing,
or when they are cognates (calibration, Kalibrierung). No dictionaries, no models.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from crmplugin.analysis.phrases import book, fold, tokens, word_list, words

_ENDINGS = (
    "ingen", "ungen", "ations", "ation", "ements", "ement", "ungs", "ung", "ings", "ing", "heit", "keit", "ies", "ied",
    "eren", "ern", "est", "en", "er", "es", "em", "ed", "ly", "s", "e", "n", "y", "i", "o", "a",
)  # fmt: skip
_SHORTEST_STEM = 4
_COGNATE = 5
_COGNATE_SHARE = Decimal("0.7")
_COMPOUND = 9
_BESIDE = 3
_K1, _B = 1.2, 0.75
_SENTENCE = re.compile(r"[^.!?\n;]+[.!?\n;]?")


@dataclass(frozen=True, slots=True)
class Content:
    """The words of a question that must be found: its things, and its numbers and codes (digits inside)."""

    things: tuple[str, ...]
    codes: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not self.things and not self.codes


@dataclass(frozen=True, slots=True)
class Cover:
    """How much of a question a text covers: `share` of its things, 0 to 1; `codes` whether all codes are there.

    `sentence` is the one that covers most. `denied`: a word such as "not" or "optional" stands beside what was found
    there; `doubtful`: it stands elsewhere in that sentence. `granted`: it says "includes", "with" or the like.
    """

    share: Decimal
    codes: bool
    sentence: str
    denied: bool
    doubtful: bool
    granted: bool

    @property
    def whole(self) -> bool:
        """Everything asked for is there."""
        return self.share == 1 and self.codes


def content_of(question: str, *, without: Iterable[str] = ()) -> Content:
    """The content words of a question, without small words and the given words (names of the product asked about)."""
    left_out = {fold(word) for text in without for word in re.findall(r"\w+", text)}
    empty = words("answers", "empty") | _small_words()
    kept = [t.word for t in tokens(question) if t.word not in empty and t.word not in left_out]
    codes = tuple(dict.fromkeys(word for word in kept if any(c.isdigit() for c in word)))
    things = tuple(dict.fromkeys(word for word in kept if word not in codes and len(word) > 1))
    return Content(things, codes)


def cover(content: Content, text: str) -> Cover:
    """How far a text covers the content of a question."""
    row = tuple(token.word for token in tokens(text))
    found = sum(meets(thing, row) for thing in content.things)
    codes = all(_has_code(code, row, text) for code in content.codes)
    share = Decimal(found) / len(content.things) if content.things else Decimal(bool(content.codes) and codes)
    best = max((m.group() for m in _SENTENCE.finditer(text)), key=lambda s: _hits(content, s), default="")
    denied, doubtful = _denial(content, best)
    granted = bool(book("answers", "included").find(tokens(best)))
    return Cover(share, codes, best.strip(), denied, doubtful, granted)


def _hits(content: Content, sentence: str) -> int:
    row = tuple(token.word for token in tokens(sentence))
    return sum(meets(thing, row) for thing in content.things) + sum(code in row for code in content.codes)


def _denial(content: Content, sentence: str) -> tuple[bool, bool]:
    """Whether an excluding word stands within three words of what was found, or only elsewhere in the sentence."""
    row = tokens(sentence)
    against = [i for hit in book("answers", "excluded").find(row) for i in (hit.first, hit.last)]
    found = [i for i, t in enumerate(row) if t.word in content.codes or any(alike(w, t.word) for w in content.things)]
    near = any(abs(i - j) <= _BESIDE for i in against for j in found)
    return near, bool(against) and not near


def _has_code(code: str, row: Sequence[str], text: str) -> bool:
    """Whether a number or code stands in a text, with or without a space or hyphen inside ("24 V", "24V")."""
    squeezed = re.sub(r"[\s\-]", "", fold(text))
    return (
        code in row
        or re.search(rf"(?<![a-z0-9.,]){re.escape(code)}(?![0-9])", squeezed) is not None
        or any(code == a + b for a, b in zip(row, row[1:], strict=False))
    )


def meets(word: str, row: Sequence[str]) -> bool:
    """Whether a word of a question has its like among the words of a text."""
    return any(alike(word, other) for other in row)


@lru_cache(maxsize=65_536)
def alike(one: str, other: str) -> bool:
    """Whether two folded words name one thing: same stem, same entry of the glossary, or cognates."""
    if stem(one) == stem(other):
        return True
    if any(c.isdigit() for c in one + other):
        return False
    concepts = _concepts(one) & _concepts(other)
    if concepts:
        return True
    return _are_cognates(_sound(one), _sound(other)) or _is_part(one, other) or _is_part(other, one)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word without its usual endings, never shorter than four letters."""
    for _ in range(2):
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
                word = word[: -len(ending)]
                break
    return word


@lru_cache(maxsize=65_536)
def _concepts(word: str) -> frozenset[str]:
    """Entries of the glossary a word belongs to; a long compound belongs to those of its parts."""
    return frozenset(
        name
        for name, stems in _glossary().items()
        if any(word.startswith(s) or (len(word) >= _COMPOUND and len(s) >= _COGNATE and s in word) for s in stems)
    )


@cache
def _glossary() -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(fold(s) for s in stems) for name, stems in word_list("answers")["glossary"]["stems"].items()}


@lru_cache(maxsize=65_536)
def _sound(word: str) -> str:
    """A spelling in which cognates look alike: c and qu as k, ph as f, y and j as i, z as c before e and i."""
    plain = word.replace("ph", "f").replace("qu", "k").replace("c", "k").replace("y", "i").replace("j", "i")
    return plain.replace("z", "k").replace("th", "t")


def _are_cognates(one: str, other: str) -> bool:
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return shared >= _COGNATE and shared >= _COGNATE_SHARE * min(len(one), len(other))


def _is_part(part: str, whole: str) -> bool:
    """Whether a word of five letters or more is the first or last part of a long compound."""
    root = stem(part)
    return len(root) >= _COGNATE and len(whole) >= len(root) + 4 and (whole.startswith(root) or root in whole[4:])


@cache
def _small_words() -> frozenset[str]:
    return frozenset(
        token.word for table in word_list("stopwords").values() for line in table["words"] for token in tokens(line)
    )


def rank(content: Content, texts: Sequence[str]) -> tuple[Decimal, ...]:
    """BM25 scores of texts for a question (k1 1.2, b 0.75), words meeting as in `alike`; 0 where nothing meets."""
    rows = [tuple(token.word for token in tokens(text)) for text in texts]
    mean = sum(map(len, rows)) / max(1, len(rows)) or 1
    wanted = (*content.things, *content.codes)
    counts = [[sum(alike(w, other) for other in row) for w in wanted] for row in rows]
    seen = Counter(i for row in counts for i, n in enumerate(row) if n)
    return tuple(
        Decimal(str(round(sum(_weight(n, len(row), mean, seen[i], len(rows)) for i, n in enumerate(line)), 4)))
        for row, line in zip(rows, counts, strict=True)
    )


def _weight(n: int, length: int, mean: float, seen: int, total: int) -> float:
    rarity = math.log(1 + (total - seen + 0.5) / (seen + 0.5))
    return rarity * n * (_K1 + 1) / (n + _K1 * (1 - _B + _B * length / mean)) if n else 0.0


def numbers_in(text: str) -> frozenset[str]:
    """Words with digits in a text."""
    return frozenset(token.word for token in tokens(text) if any(c.isdigit() for c in token.word))


__all__ = ["Content", "Cover", "alike", "content_of", "cover", "meets", "numbers_in", "rank", "stem"]
