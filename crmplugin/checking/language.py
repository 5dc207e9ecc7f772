"""Sentences of a text, and the language of each by a vote of its little words."""

from __future__ import annotations

import re
from functools import lru_cache

from crmplugin.checking.fold import bare
from crmplugin.checking.lists import LANGUAGES, topic
from crmplugin.checking.stems import stop_words

_END = re.compile(r"[.!?。？！…]+[\"'”’»)\]]*(?=\s|$)")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_LAST_WORD = re.compile(r"(\S+)$")
_LIST_MARK = re.compile(r"^(?:[0-9]{1,2}|[a-z])$", re.IGNORECASE)


def split_sentences(text: str, language: str) -> list[str]:
    """The sentences of a text in order; line breaks end one, abbreviations, ordinals and initials do not."""
    return [s for line in text.splitlines() if line.strip() for s in _split_line(line.strip(), language)]


def _split_line(line: str, language: str) -> list[str]:
    found, start = [], 0
    for m in _END.finditer(line):
        if m.end() < len(line) and not _ends(line, m, language):
            continue
        found.append(line[start : m.end()].strip())
        start = m.end()
    rest = line[start:].strip()
    return [s for s in (*found, rest) if s]


def _ends(line: str, m: re.Match[str], language: str) -> bool:
    """Whether a full stop in mid-line ends a sentence."""
    if m[0][0] != ".":
        return True
    after = line[m.end() :].lstrip()
    before = _LAST_WORD.search(line, max(0, m.start() - 40), m.start())
    word = before[1].lstrip("(\"'“„") if before else ""
    if after[:1].islower() or f"{word.lower()}." in _abbreviations(language):
        return False
    if len(word) == 1 and word.isalpha() and word != "I":
        return False
    if word.isdigit() and len(word) <= 2:
        return not _goes_on(after, language) and not _LIST_MARK.match(line[: m.start()].strip())
    return True


def _goes_on(after: str, language: str) -> bool:
    """After "20." in a language with dotted ordinals: a month, a quarter or another noun goes on."""
    return language in ("de", "pl") or after[:1].isdigit()


@lru_cache(maxsize=16)
def _abbreviations(language: str) -> frozenset[str]:
    rows = topic("abbreviations")
    return frozenset([*rows["all"]["words"].split(), *rows.get(language, {"words": ""})["words"].split()])


def other_language(text: str, language: str) -> str | None:
    """The language a sentence is in, if that is clearly not the one wanted; None for short or mixed ones."""
    words = [w for w in _WORD.findall(bare(text)) if len(w) < 30]
    if len(words) < 3 or language not in LANGUAGES:
        return _other_script(text)
    kinds = frozenset(words)
    votes = {lang: len(kinds & stop_words(lang)) for lang in LANGUAGES}
    own = votes.pop(language)
    best = max(votes, key=lambda lang: votes[lang])
    only = len((kinds & stop_words(best)) - stop_words(language))
    ours = len((kinds & stop_words(language)) - stop_words(best))
    if only >= 2 and votes[best] >= own + 2 and (only > own or not ours):
        return best
    return _other_script(text)


def _other_script(text: str) -> str | None:
    """Text mostly in another script than Latin."""
    letters = [c for c in text if c.isalpha()]
    foreign = sum(ord(c) > 0x24F and not 0x1E00 <= ord(c) < 0x1F00 for c in letters)
    return "another script" if letters and foreign * 2 > len(letters) else None


_CODE_SIGNS = re.compile(
    r"\w\([^ )]|\w\(\)|\)\.\w|[{}]|[=!<>+*]=|(?<![\w=])=(?![\w=])|\w = |\w\.\w+\(|\w\[|&&|\|\||</|/>|\$\("
    r"|^ ?(?:import|from|def|class|return|for|with|try|except) [\w.]+(?: import|:|$|\(| as )|; ?$"
    r"|\"-\w\"|(?<!\w)curl "
)
"""Signs that stand in programs and in no letter."""
_SCRAP = re.compile(r"[ \])\[(}{\"',;-]+")
_UNBROKEN = 20


def program(text: str, words: str) -> tuple[int, int] | None:
    """Where a text reads like a program, a command or a scrap of one. `words`: the text without typed pieces."""
    m = _SCRAP.fullmatch(text) or _CODE_SIGNS.search(words)
    return m.span() if m else None


def unbroken(text: str) -> bool:
    """Whether a whole sentence stands there without a space."""
    return len(text) >= _UNBROKEN and " " not in text.strip()


_MIXED = re.compile(r"[A-Za-z\u00c0-\u024f][\u0370-\u052f]|[\u0370-\u052f][A-Za-z\u00c0-\u024f]")


def mixed_scripts(text: str) -> tuple[int, int] | None:
    """Where Latin and Greek or Cyrillic letters touch in one word: a look-alike that no name check would see."""
    m = _MIXED.search(text)
    return m.span() if m else None
