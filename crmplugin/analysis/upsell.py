"""Needs and signs of further business in talks and tickets, each with its quote (sales-craft §2.7, §5.3).

A sign is not yet an occasion: two tags, or one with an explicit request to act, make one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crmplugin.analysis.evidence import meets
from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.language import guess_language
from crmplugin.analysis.passages import own_text, sentences
from crmplugin.analysis.phrases import Token, book, fold, tokens

MAX_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Signal:
    """A sign of further business: capacity, manual_work, way_to, feature_request, end_of_life, expansion or
    recurring_consumable; the customer's sentence; whether they ask us to act on it."""

    tag: str
    quote: str
    request: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """A need tag that a text speaks of, with the sentence."""

    tag: str
    quote: str


def find_signals(text: str) -> tuple[Signal, ...]:
    """The signs in a text, each tag once, in the order of the text."""
    found: dict[str, Signal] = {}
    language = guess_language(text)
    for sentence, row in _sentences(text):
        request = bool(book("upsell", "requests", language).find(row))
        for hit in book("upsell", "signals", language).find(row):
            known = found.get(hit.label)
            if known is None or (request and not known.request):
                found[hit.label] = Signal(hit.label, sentence, request)
    return tuple(found.values())


def is_occasion(signals: Sequence[Signal]) -> bool:
    """Whether the signs are enough to speak of: two different ones, or one with a request (sales-craft §5.3)."""
    return len({s.tag for s in signals}) >= 2 or any(s.request for s in signals)


def find_needs(text: str, known_tags: Iterable[str] = ()) -> tuple[Need, ...]:
    """The needs a text speaks of: common ones, and those of `known_tags` (a catalogue's own) whose words it uses."""
    found: dict[str, Need] = {}
    catalogue = {tag: tuple(t.word for t in tokens(tag)) for tag in known_tags}
    language = guess_language(text)
    for sentence, row in _sentences(text):
        for tag in (*_common(row, language), *_own(row, catalogue)):
            found.setdefault(fold(tag), Need(tag, sentence))
    return tuple(found.values())


def _common(row: Sequence[Token], language: str | None) -> Iterator[str]:
    yield from (hit.label for hit in book("upsell", "needs", language).find(row))


def _own(row: Sequence[Token], catalogue: dict[str, tuple[str, ...]]) -> Iterator[str]:
    said = tuple(token.word for token in row)
    yield from (tag for tag, wanted in catalogue.items() if wanted and all(meets(word, said) for word in wanted))


def _sentences(text: str) -> Iterator[tuple[str, tuple[Token, ...]]]:
    body = own_text(scan_text(text).clean)
    for start, end in sentences(body):
        sentence = " ".join(body[start:end].split())
        yield sentence[:MAX_QUOTE], tokens(sentence)
