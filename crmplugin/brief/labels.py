"""Words of labels and displays per language (`prompts/words/labels.<language>.toml`); English fills the gaps."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

FALLBACK = "en"
NEUTRAL = {"display.zoned": "{time} ({place})", "display.range": "{low}-{high}"}
"""For a language without words of its own: what no English word may stand in."""


@lru_cache(maxsize=16)
def load_labels(language: str) -> Mapping[str, str]:
    """All words of a language by dotted key (`quotes.total`). A language without a file is English."""
    own = _read(language)
    if language == FALLBACK:
        return MappingProxyType(own)
    english = {key: value for key, value in _read(FALLBACK).items() if not key.startswith("numbers.")}
    return MappingProxyType({**english, **NEUTRAL, **own})


def has_labels(language: str) -> bool:
    return bool(_read(language))


def label(language: str, key: str, **names: str) -> str:
    """The words of one key with its names filled in. Raises KeyError for a key no language has."""
    return load_labels(language)[key].format(**names)


def _read(language: str) -> dict[str, str]:
    """The words of a language's files; the lines of internal sheets stand in a file of their own."""
    found: dict[str, str] = {}
    for topic in ("labels", "sheet"):
        source = files("prompts") / "words" / f"{topic}.{language}.toml"
        if source.is_file():
            found |= _flat(tomllib.loads(source.read_text(encoding="utf-8")))
    return found


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat
