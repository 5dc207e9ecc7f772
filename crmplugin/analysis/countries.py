"""Which country a CRM means: two letters, three letters or a name become the ISO 3166 code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from babel import Locale
from babel.core import get_global

NAMES_READ_IN = ("en", "de", "fr", "es", "it", "nl")
SHORT_FORMS: Mapping[str, str] = MappingProxyType(
    {"uk": "GB", "usa": "US", "u.s.": "US", "u.s.a.": "US", "uae": "AE", "england": "GB", "great britain": "GB",
     "scotland": "GB", "wales": "GB", "holland": "NL", "united states of america": "US"}
)  # fmt: skip
MAIN_ZONES: Mapping[str, str] = MappingProxyType(
    {"AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto", "RU": "Europe/Moscow",
     "UA": "Europe/Kyiv", "UZ": "Asia/Tashkent"}
)  # fmt: skip
"""Countries whose first line in zone.tab is not where most business is."""


@cache
def country_code(text: str | None) -> str | None:
    """ISO 3166 alpha-2 of a code or a country's name; None for what is neither."""
    plain = (text or "").strip().casefold()
    if not plain:
        return None
    if plain in SHORT_FORMS:
        return SHORT_FORMS[plain]
    if len(plain) == 2:
        return plain.upper() if plain.upper() in _zones() else None
    return _by_three_letters(plain) or _names().get(plain)


@cache
def country_zone(text: str | None) -> str | None:
    """The IANA zone most of a country's business keeps; None when the country is not known."""
    code = country_code(text)
    if code is None:
        return None
    return MAIN_ZONES.get(code) or _zones().get(code)


def _by_three_letters(plain: str) -> str | None:
    aliases: Sequence[str] = get_global("territory_aliases").get(plain.upper(), []) if len(plain) == 3 else []
    return aliases[0] if len(aliases) == 1 else None


@cache
def _zones() -> Mapping[str, str]:
    """Country -> the first zone of zone.tab (tzdata: by country, then as a rule by population)."""
    zones: dict[str, str] = {}
    for line in files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            zones.setdefault(code, zone)
    return zones


@cache
def _names() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for language in NAMES_READ_IN:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names.setdefault(name.casefold(), code)
    for line in files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            code, name = line.split("\t")[:2]
            names.setdefault(name.casefold(), code)
    return names
