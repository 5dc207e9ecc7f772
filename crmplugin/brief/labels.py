"""Words of labels and displays per language, from `prompts/words/labels.<language>.toml`; English where one is missing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

FALLBACK = "en"


@lru_cache(maxsize=16)
def load_labels(language: str) -> Mapping[str, str]:
    """All words of a language by dotted key (`quotes.total`), English filling the gaps. Unknown languages are English."""
    own = _read(language)
    return MappingProxyType({**_read(FALLBACK), **own}) if language != FALLBACK else MappingProxyType(own)


def has_labels(language: str) -> bool:
    return bool(_read(language))


def label(language: str, key: str, **names: str) -> str:
    """The words of one key with its names filled in. Raises KeyError for a key no language has."""
    return load_labels(language)[key].format(**names)


def _read(language: str) -> dict[str, str]:
    source = files("prompts") / "words" / f"labels.{language}.toml"
    if not source.is_file():
        return {}
    return _flat(tomllib.loads(source.read_text(encoding="utf-8")))


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat
