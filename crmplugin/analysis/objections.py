"""What speaks against buying, in the customer's words, and whether they say that money is short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.language import guess_language
from crmplugin.analysis.passages import own_text, sentences
from crmplugin.analysis.phrases import book, tokens

Ground = Literal["price", "timing", "trust", "competitor", "authority", "fit"]
MAX_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection of one kind with the sentence that raises it."""

    ground: Ground
    quote: str


def find_objections(text: str) -> tuple[Objection, ...]:
    """The objections of a text, each kind once with its first sentence, in the order of the text."""
    found: dict[Ground, Objection] = {}
    for sentence, labels in _labelled(text, "objections"):
        for ground in get_args(Ground):
            if ground in labels:
                found.setdefault(ground, Objection(ground, sentence))
    return tuple(found.values())


def find_money_problem(text: str) -> str | None:
    """The sentence in which a customer says that money is short ("cash is tight", "Zahlungsschwierigkeiten")."""
    return next((sentence for sentence, _ in _labelled(text, "money")), None)


def _labelled(text: str, name: str) -> Iterator[tuple[str, set[str]]]:
    body = own_text(scan_text(text).clean)
    phrases = book("objections", name, guess_language(body))
    for start, end in sentences(body):
        labels = {hit.label for hit in phrases.find(tokens(body[start:end]))}
        if labels:
            yield " ".join(body[start:end].split())[:MAX_QUOTE], labels
