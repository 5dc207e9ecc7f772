"""The words of the interface: one table per language, chosen by what the reader's browser asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from werkzeug.datastructures import LanguageAccept

LANGUAGES = ("en", "de", "fr", "es")
"""Those with a file in `words/`; the first is for readers of any other language."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language. `locale` is how dates and money are written when the browser names no country."""

    language: str
    locale: str
    tables: Mapping[str, Mapping[str, str]]

    def __call__(self, key: str, **values: Any) -> str:
        """The text of `table.key` with its values; the English one where this language has none."""
        table, _, name = key.partition(".")
        text = self.tables.get(table, {}).get(name)
        if text is None:
            text = load_words(LANGUAGES[0]).tables[table][name]
        return text.format(**values) if values else text

    def count(self, key: str, n: int, **values: Any) -> str:
        """The text of `key_one` or `key_other`, as the number asks."""
        return self(f"{key}_{'one' if n == 1 else 'other'}", n=n, **values)

    def plain(self, table: str, code: str | None) -> str:
        """A code of ours in plain words; one that has none (a new CRM's event) with its marks as spaces."""
        if not code:
            return ""
        found = self.tables.get(table, {}).get(code) or load_words(LANGUAGES[0]).tables.get(table, {}).get(code)
        return found or code.replace("_", " ").replace(".", " ")


@cache
def load_words(language: str) -> Words:
    """The table of a language that has one."""
    document = tomllib.loads((files("crmplugin.web") / "words" / f"{language}.toml").read_text("utf-8"))
    tables = {name: value for name, value in document.items() if isinstance(value, dict)}
    return Words(document["language"], document["locale"], tables)


def choose_words(accepted: LanguageAccept) -> Words:
    """The words that the reader's browser asks for first, else English."""
    return load_words(accepted.best_match(LANGUAGES) or LANGUAGES[0])
