"""What a customer asks in a text: every question once, in their words, in six languages."""

from __future__ import annotations

import re

from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.passages import mask_addresses, own_text, sentences
from crmplugin.analysis.phrases import Token, book, tokens, words

MAX_QUESTION = 300
_MARKS = "?？؟\u037e"
_ENDING = re.compile(r"[?？؟\u037e;][\"'”’»)\]*_!?\s]*(?:[^\w\s]{1,3}\s*)?$")
_GREEK_ENDING = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff].{0,400};\W*$", re.DOTALL)
_SPACE = re.compile(r"\s+")
_LEAD_WORDS = 4
"""A question may begin after this many words and a comma: "Hello Jonas, could you …"."""


def find_questions(text: str, language: str | None = None) -> tuple[str, ...]:
    """The questions of a text in their order, as written (space made even, at most 300 characters).

    Quoted history, signatures, instructions hidden in the text and polite phrases ("How are you?") are left out.
    `language` is a hint only: people mix languages, so the lists of all six are used.
    """
    body = own_text(scan_text(text).clean)
    found: dict[tuple[str, ...], str] = {}
    for start, end in sentences(body):
        for question in _questions_of(body[start:end]):
            found.setdefault(tuple(token.word for token in tokens(question)), question)
    return tuple(found.values())


def _questions_of(sentence: str) -> list[str]:
    row = tokens(mask_addresses(sentence))
    if not row or _is_polite(row):
        return []
    if not (_is_marked(sentence) or _begins_as_question(sentence, row) or book("questions", "anywhere").find(row)):
        return []
    parts = [_tidy(part) for part in _split_joined(_without_address(sentence, row))]
    return [part for part in parts if part and not _is_polite(tokens(part))]


def _is_marked(sentence: str) -> bool:
    plain = mask_addresses(sentence)
    if ";" in plain and not any(mark in plain for mark in _MARKS):
        return _GREEK_ENDING.search(plain) is not None
    return _ENDING.search(plain) is not None


def _is_polite(row: tuple[Token, ...]) -> bool:
    """Whether the sentence is a polite or rhetorical phrase and hardly more."""
    hits = book("questions", "polite").find(row)
    return any(len(row) - (hit.last - hit.first + 1) <= _spare(hit.last - hit.first + 1) for hit in hits)


def _spare(length: int) -> int:
    """Words that may stand beside a polite phrase ("Hello Jonas, how are you?"); a single word must stand alone."""
    return 0 if length == 1 else 3


def _begins_as_question(sentence: str, row: tuple[Token, ...]) -> bool:
    starts = book("questions", "starts")
    places = [0, *(i for i in range(1, min(len(row), _LEAD_WORDS + 2)) if _follows_lead(sentence, row, i))]
    return any(starts.starting(row, place) for place in places)


def _follows_lead(sentence: str, row: tuple[Token, ...], i: int) -> bool:
    """Whether token i comes right after a comma or dash, or all before it joins ("And when will …")."""
    between = sentence[row[i - 1].end : row[i].start]
    joins = words("questions", "joins")
    return any(c in between for c in ",:–-¿") or all(token.word in joins for token in row[:i])


def _without_address(sentence: str, row: tuple[Token, ...]) -> str:
    """The sentence without a greeting before the question: "Hello Jonas, could you …" gives "could you …"."""
    starts = book("questions", "starts")
    if "¿" in sentence:
        return sentence[sentence.index("¿") :]
    if not row or not starts.starting(row, 0):
        for i in range(1, min(len(row), _LEAD_WORDS)):
            if "," in sentence[row[i - 1].end : row[i].start] and row[0].word in words("questions", "greetings"):
                return sentence[row[i].start :]
    return sentence


def _split_joined(sentence: str) -> list[str]:
    """Two whole questions joined by "and" are two questions; "the price and the lead time" is one."""
    row = tokens(mask_addresses(sentence))
    starts, joins = book("questions", "starts"), words("questions", "joins")
    if len(row) > 80:
        return [sentence]
    for i in range(3, len(row) - 2):
        if (
            row[i].word in joins
            and any(hit.last > i + 1 for hit in starts.starting(row, i + 1))
            and _opens(sentence, row)
        ):
            return [sentence[: row[i].start].rstrip(" ,"), *_split_joined(sentence[row[i + 1].start :])]
    return [sentence]


def _opens(sentence: str, row: tuple[Token, ...]) -> bool:
    return _begins_as_question(sentence, row) or bool(book("questions", "anywhere").find(row))


def _tidy(question: str) -> str:
    text = _SPACE.sub(" ", question).strip(" \"'*_“”„«»-–")
    return text if len(text) <= MAX_QUESTION else text[: MAX_QUESTION - 1].rsplit(" ", 1)[0] + "…"
