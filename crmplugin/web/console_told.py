"""What our code says in English and keeps (why a draft was written or not, what a check found), in the reader's words.

Drafts and events keep one text for programs and for the audit. A page shows it in the reader's language by finding the
English in `words/told.toml`; what is not found there, such as a CRM's own answer, is shown as it stands.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter

from crmplugin.web.console_show import Reader
from crmplugin.web.console_words import Words

LONGEST = 2000
"""Characters of a text of ours; what is longer holds what somebody else wrote, and is not searched."""
_NESTED = "why"
_WORDS: Mapping[str, str] = {"channel": "channel", "type": "type", "tongue": "tongue", "other": "tongue",
                             "verdict": "verdict", "role": "role", "roles": "role"}  # fmt: skip
"""Value of a text -> the table that has its plain word."""


def in_words(text: str | None, words: Words, reader: Reader) -> str:
    """A kept text as this reader reads it; empty for none."""
    if not text:
        return ""
    found = _find(text) if len(text) <= LONGEST else None
    if found is None:
        return text
    key, values = found
    wanted = told_texts()[key]
    pattern = wanted.get(words.language, wanted["said"])
    shown = pattern.format(**{name: _value(name, value, words, reader) for name, value in values.items()})
    return shown.removesuffix(".") if shown.endswith("..") else shown


def _value(name: str, value: str, words: Words, reader: Reader) -> str:
    if name == _NESTED:
        return in_words(value, words, reader)
    if name == "day":
        return reader.iso_day(value) or value
    if name == "people":
        return value.replace(" and ", f" {words('told.and')} ")
    table = _WORDS.get(name)
    known = words.tables[table] if table else {}
    return ", ".join(known.get(part, part) for part in value.split(", "))


def _find(text: str) -> tuple[str, Mapping[str, str]] | None:
    """The key of a text, and the values in it."""
    for key, match in _matchers():
        if found := match(text):
            return key, found.groupdict()
    return None


@cache
def told_texts() -> Mapping[str, Mapping[str, str]]:
    """Every text by its key: the English as it is kept, and what each language makes of it."""
    return tomllib.loads((files("crmplugin.web") / "words" / "told.toml").read_text("utf-8"))


@cache
def _matchers() -> tuple[tuple[str, Callable[[str], re.Match[str] | None]], ...]:
    """Those that begin with words of their own first, the longest on top: a looser one would take their texts."""
    ranked = sorted(told_texts().items(), key=lambda item: _looseness(item[1]["said"]))
    return tuple((key, _regex(texts["said"]).fullmatch) for key, texts in ranked)


def _looseness(said: str) -> tuple[bool, int]:
    return said.startswith("{"), -len(re.sub(r"\{\w+\}", "", said))


def _regex(said: str) -> re.Pattern[str]:
    parts = (re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, _, _ in Formatter().parse(said))
    return re.compile("".join(parts), re.DOTALL)
