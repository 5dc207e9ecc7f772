"""Looks in customer text for what is ours alone: internal numbers in any rendering, phrases, words of the table.

A value counts as leaked when an internal fact has it and no usable fact does, whether exact or rounded to two or three
significant digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from crmplugin.checking.fold import fold_text
from crmplugin.checking.lists import LANGUAGES, phrase_book
from crmplugin.checking.measures import significant, values_of
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.shelf import Numeric
from crmplugin.checking.spans import Reader, Token, measures_in
from crmplugin.domain.fact import Fact

_WORD = re.compile(r"[^\W_]+")
_RUN = 5
"""So many words in a row of an internal text are a leak."""
_NOTE = 20
_KINDS = {
    "money": ("money", "policy"),
    "percent": ("percent", "policy"),
    "number": ("money", "count", "quantity", "percent", "policy"),
    "quantity": ("duration", "count", "quantity", "policy"),
}


def raise_leaks(scene: Scene, tokens: Sequence[Token], findings: Sequence[Finding]) -> list[Finding]:
    """The findings of the tokens, with those that show an internal value turned into leaks."""
    return [_raised(scene, t, f) for t, f in zip(tokens, findings, strict=True)]


def _raised(scene: Scene, token: Token, finding: Finding) -> Finding:
    if finding.verdict != "unsupported" or token.kind not in _KINDS:
        return finding
    fact = _shows(scene, token)
    if fact is None:
        return finding
    reason = f"{scene.shown(token)} shows an internal value."
    return Finding(token.start, token.end, token.kind, "leak", (fact.id,), reason)


def _shows(scene: Scene, token: Token) -> Fact | None:
    values = [v for by in (True, False) for row in values_of(token, by_locale=by) for v in row]
    for numeric in scene.shelf.hidden_numerics:
        if numeric.fact.kind in _KINDS[token.kind] and any(_is_shown(v, numeric, token) for v in values):
            return numeric.fact
    return _in_hidden_words(scene, token)


def _is_shown(value: Decimal, numeric: Numeric, token: Token) -> bool:
    return any(_same_or_rounded(value, secret, token) for secret in (numeric.low, numeric.high))


def _same_or_rounded(value: Decimal, secret: Decimal, token: Token) -> bool:
    if value == secret:
        return token.kind != "number" or _is_telling(secret)
    if abs(secret) < 100 or value == 0:
        return token.kind == "percent" and value == secret.quantize(Decimal(1)) and secret != value
    return any(value == significant(secret, digits) for digits in (2, 3))


def _is_telling(value: Decimal) -> bool:
    """A bare number small enough to be anything tells nothing."""
    return abs(value) >= 100 or value != value.to_integral_value()


def _in_hidden_words(scene: Scene, token: Token) -> Fact | None:
    wanted = {(token.kind, v) for v in values_of(token, by_locale=True)}
    for fact in scene.shelf.hidden:
        if fact.kind in ("text", "status", "quote_text", "policy", "claim"):
            for kind, row in _measured(f"{fact.value} | {fact.display}", scene.reader.words):
                if (kind, row) in wanted and (kind != "number" or _is_telling(row[0])):
                    return fact
    return None


@lru_cache(maxsize=2048)
def _measured(text: str, language: str) -> frozenset[tuple[str, tuple[Decimal, ...]]]:
    found = set()
    for lang in {language, "en"} & set(LANGUAGES):
        for token in measures_in(fold_text(text), Reader(lang, lang, date(2000, 1, 1))):
            found |= {(token.kind, v) for v in values_of(token, by_locale=True)}
    return frozenset(found)


def secret_words(scene: Scene) -> Iterator[Finding]:
    """Words of our side of the table, and runs of words from internal texts."""
    low = scene.folded.lower
    for _, start, end in phrase_book("secrets", scene.reader.words).find(low):
        if not any(low[start:end] in words for _, words in (*scene.shelf.prose, *_asked(scene))):
            shown = scene.folded.text[start:end]
            yield Finding(start, end, "secret", "leak", reason=f"“{shown}” is a word of our side of the table.")
    yield from _runs(scene)


def _asked(scene: Scene) -> Sequence[tuple[Fact, str]]:
    return scene.shelf.quoted if scene.quotes_customer else ()


def _runs(scene: Scene) -> Iterator[Finding]:
    words = [(m[0], m.start(), m.end()) for m in _WORD.finditer(scene.folded.lower)]
    if len(words) < _RUN:
        return
    rows = [
        f for f in scene.shelf.hidden if f.kind in ("text", "status", "quote_text", "policy") and len(f.value) >= _NOTE
    ]
    if not rows:
        return
    open_runs = {run for _, text in (*scene.shelf.prose, *scene.shelf.quoted) for run in _runs_of(text)}
    for fact in rows:
        hidden = _runs_of(fold_text(fact.value).lower)
        for i in range(len(words) - _RUN + 1):
            run = tuple(w for w, _, _ in words[i : i + _RUN])
            if run in hidden and run not in open_runs:
                place = words[i][1], words[i + _RUN - 1][2]
                yield Finding(*place, "secret", "leak", (fact.id,), "These words stand in an internal fact.")
                return


@lru_cache(maxsize=2048)
def _runs_of(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text)
    return frozenset(tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1))
