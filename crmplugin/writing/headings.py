"""Headings of internal notes and call scripts, by section and language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def heading(section: str, language: str) -> str:
    """The heading of a section."""
    words = _headings().get(language, {})
    return words.get(section) or section.replace("_", " ").capitalize()


def is_heading(text: str) -> bool:
    """Whether a line is one of our headings, in any language: that is how a text that a person edited keeps them."""
    return text.strip() in _all_headings()


@cache
def _headings() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("prompts") / "words" / "headings.toml").read_text(encoding="utf-8"))


@cache
def _all_headings() -> frozenset[str]:
    return frozenset(words for table in _headings().values() for words in table.values())
