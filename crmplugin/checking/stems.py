"""Content words of a text as stems, so that two wordings of one thing meet. Crude on purpose: it only finds overlap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from crmplugin.checking.fold import bare
from crmplugin.checking.lists import topic

_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ungen", "ation", "ement", "ings", "ung", "ing", "ions", "ion", "ment", "ern", "ten", "ed", "en", "er",
            "es", "em", "et", "ar", "ir", "as", "os", "s", "n", "e", "a", "o", "i", "t", "y")  # fmt: skip
_SHORTEST = 4
_LONGEST = 24
_COMPOUND = 6
_STEM = 5


@lru_cache(maxsize=16)
def stop_words(language: str) -> frozenset[str]:
    """Little words of a language, without marks."""
    words = topic("stopwords").get(language, {"words": ""})["words"]
    return frozenset(bare(words).split())


@lru_cache(maxsize=16)
def courtesy_stems(language: str) -> frozenset[str]:
    """Stems of the words that a letter needs and that claim nothing."""
    words = topic("courtesy").get(language, {"words": ""})["words"]
    return frozenset(stem(w) for w in _WORD.findall(bare(words)))


@lru_cache(maxsize=1)
def _things() -> Mapping[str, str]:
    """Stems of the glossary to the thing that all languages mean by them."""
    rows = topic("glossary")["things"].items()
    return {stem(w): f"={thing}" for thing, words in rows for w in bare(words).split()}


@lru_cache(maxsize=4096)
def things_in(stems: frozenset[str]) -> frozenset[str]:
    """The things that these stems name, whatever the language; marked so that no word can be taken for one."""
    known = _things()
    return frozenset(known[s] for s in stems if s in known)


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A bare word without its commonest ending, at most 24 letters."""
    for ending in _ENDINGS:
        if len(word) - len(ending) >= _SHORTEST and word.endswith(ending):
            word = word[: -len(ending)]
            break
    return word[:_LONGEST]


@lru_cache(maxsize=4096)
def stems_of(text: str, language: str) -> frozenset[str]:
    """Stems of the words that carry content; numbers and words of one letter are left out."""
    stops = stop_words(language)
    return frozenset(stem(w) for w in _WORD.findall(bare(text)) if len(w) > 1 and w not in stops and not w.isdigit())


@lru_cache(maxsize=16384)
def overlap(left: frozenset[str], right: frozenset[str]) -> int:
    """How many stems of the left meet one of the right: equal, its beginning, or part of a compound."""
    direct = left & right
    rest = [s for s in left - direct if len(s) >= _STEM]
    others = [s for s in right if len(s) >= _STEM]
    return len(direct) + sum(any(_meet(s, o) for o in others) for s in rest)


def _meet(a: str, b: str) -> bool:
    short, long_ = (a, b) if len(a) <= len(b) else (b, a)
    return long_.startswith(short) or (len(short) >= _COMPOUND and short in long_)
