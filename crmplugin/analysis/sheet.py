"""Lines of an internal sheet before they are written: what a line states, what it rests on, which section it is in.

`brief/facts_of/sheets.py` turns each into an internal fact; the words stand in `prompts/words/sheet.<language>.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from crmplugin.domain.fact import FactKind

Pointer = tuple[str, str, str]
"""A fact by collection, record id and field: ("quotes", "Q-118", "total")."""


@dataclass(frozen=True, slots=True)
class Val:
    """A value inside a line; `word` values are keys of the word file."""

    kind: Literal["money", "percent", "date", "count", "number", "days", "text", "word"]
    value: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line. With `ref` it shows a fact that exists; with `kind` other than text it is a typed value of its own.

    key: the fact's field (`floor_price`); words: the label's key and, for text, the sentence's key. n and interval:
    cases behind an estimate, confidence: what they carry.
    """

    section: str
    key: str
    words: str
    kind: FactKind = "text"
    value: Val | None = None
    args: Mapping[str, Val] = field(default_factory=dict)
    formula: str | None = None
    inputs: tuple[Pointer, ...] = ()
    sources: tuple[Pointer, ...] = ()
    n: int | None = None
    interval: tuple[str, str] | None = None
    confidence: str | None = None
    ref: Pointer | None = None


def show(section: str, ref: Pointer) -> SheetLine:
    """A line that shows a fact of the records as it is."""
    return SheetLine(section, "", "", ref=ref)


def say(
    section: str,
    key: str,
    words: str | None = None,
    *,
    inputs: tuple[Pointer, ...] = (),
    sources: tuple[Pointer, ...] = (),
    **args: Val,
) -> SheetLine:
    """A line in words. `inputs` are facts of the same brief, `sources` fields that have no fact of their own."""
    return SheetLine(section, key, words or key, args=args, inputs=inputs, sources=sources)


def money(value: Decimal, currency: str) -> Val:
    return Val("money", str(value), currency)


def percent(value: Decimal, places: int = 2) -> Val:
    return Val("percent", str(round(value, places)), "%")


def count(value: int) -> Val:
    return Val("count", str(value))


def number(value: Decimal, places: int = 2) -> Val:
    return Val("number", str(round(value, places)))


def days(value: Decimal | int) -> Val:
    return Val("days", str(value), "day")


def day(value: date) -> Val:
    return Val("date", value.isoformat())


def text(value: str) -> Val:
    return Val("text", value)


def word(key: str) -> Val:
    return Val("word", key)


def shorten(text: str, most: int) -> str:
    """The text in at most `most` characters, cut after a word and marked as cut."""
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
