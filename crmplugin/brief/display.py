"""How a value is written in the output language: money, days, times, numbers, durations. Renders only, never reads.

CLDR (babel) decides the form. Every kind of space becomes a plain one: the text travels as SMS and plain mail too, and
readers compare with what they typed. English without a country is written the British way, day before month.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_location
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision, get_currency_symbol
from babel.units import format_unit

from crmplugin.brief.labels import load_labels

YEAR_DROPPED_WITHIN_DAYS = 182
"""Six months: nearer days need no year (sales-craft §8.4)."""
SPELLED_TO = 12
_SPACES = re.compile(r"[\u00a0\u202f\u2009]")
_YEAR = re.compile(r"(?:,?\s?(?:'[^']*'\s)?y+$)|(?:y+(?:[^\w\s']|年|년)?\s?)")
_INTEGER_AND_REST = re.compile(r"([#,0]*0)(?:\.[0#]+)?")
_CODE_TOUCHES_DIGIT = re.compile(r"([A-Z]{3})(?=\d)|(?<=\d)([A-Z]{3})\b")
_FIRST = re.compile(r"\b1\b(?= [^\W\d])")
"""The first of a month, which French writes as an ordinal (1er mars) and CLDR does not."""
_MONTH_FIRST = frozenset({"US", "CA", "PH"})


@lru_cache(maxsize=64)
def locale_of(name: str) -> Locale:
    """The CLDR locale of a name like `de_DE`, `de-DE` or `en`; its language, then British English, when unknown."""
    wanted = name.replace("-", "_")
    for candidate in ("en_GB" if wanted == "en" else wanted, wanted.partition("_")[0]):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_GB")


@lru_cache(maxsize=4096)
def show_money(value: Decimal, currency: str, locale: str, *, iso: bool = False) -> str:
    """Money exact to the minor unit, finer when the value is; `iso` writes the code where a symbol would be unclear."""
    exact = value.quantize(minor_unit(value, currency))
    if iso:
        return f"{_grouped(exact, locale)} {currency}"
    pattern = _with_places(str(locale_of(locale).currency_formats["standard"].pattern), exact)
    shown = format_currency(exact, currency, pattern, locale=locale_of(locale), currency_digits=False)
    return _CODE_TOUCHES_DIGIT.sub(_spaced_code, plain_spaces(shown))


def minor_unit(value: Decimal, currency: str) -> Decimal:
    """The quantum money is written in: the currency's minor unit, or finer when the value needs it (0.0125 a piece)."""
    return Decimal(1).scaleb(-max(get_currency_precision(currency), _own_places(value)))


def needs_iso(currencies: Iterable[str], locale: str) -> frozenset[str]:
    """Currencies whose symbol another currency of the same brief shares in this locale (two kinds of dollar)."""
    bare: dict[str, set[str]] = {}
    for code in set(currencies):
        symbol = get_currency_symbol(code, locale=locale_of(locale))
        bare.setdefault(symbol[-1], set()).add(code)
    return frozenset(code for codes in bare.values() if len(codes) > 1 for code in codes)


@lru_cache(maxsize=4096)
def show_date(day: date, locale: str, *, today: date, weekday: bool = False, year: bool = False) -> str:
    """A day with its month in words; without the year when it is within six months of today, unless it is asked for."""
    pattern = _date_pattern(locale_of(locale), weekday)
    if not year and abs((day - today).days) <= YEAR_DROPPED_WITHIN_DAYS:
        pattern = _YEAR.sub("", pattern).strip(" ,")
    shown = plain_spaces(format_date(day, pattern, locale=locale_of(locale)))
    return _FIRST.sub("1er", shown) if day.day == 1 and locale_of(locale).language == "fr" else shown


def show_datetime(instant: datetime, zone: str, locale: str, *, today: date, other_zone: str | None = None) -> str:
    """A moment in `zone`, weekday first. The place is named when the clock of `other_zone` shows another time then."""
    local = instant.astimezone(ZoneInfo(zone))
    words = load_labels(locale_of(locale).language)
    clock = plain_spaces(format_time(local, "short", locale=locale_of(locale)))
    time = words["display.clock"].format(time=clock) if clock[-1].isdigit() else clock
    if other_zone and instant.astimezone(ZoneInfo(other_zone)).utcoffset() != local.utcoffset():
        time = words["display.zoned"].format(time=time, place=show_place(zone, locale))
    day = show_date(local.date(), locale, today=today, weekday=True)
    return words["display.moment"].format(day=day, time=time)


def show_place(zone: str, locale: str) -> str:
    """The city of a zone in the output language; the zone's own name when it has none (UTC)."""
    if "/" not in zone:
        return zone
    return str(get_timezone_location(ZoneInfo(zone), locale=locale_of(locale), return_city=True))


@lru_cache(maxsize=4096)
def show_number(value: Decimal, locale: str) -> str:
    """A number with the locale's grouping, no more decimals than it has."""
    return _grouped(value.quantize(Decimal(1).scaleb(-_own_places(value))), locale)


@lru_cache(maxsize=4096)
def show_count(count: int, locale: str) -> str:
    """A count as a text writes it: spelled to twelve where the language has a word that never bends, else digits."""
    words = load_labels(locale_of(locale).language)
    own = words.get(f"numbers.{count}") if 0 <= count <= SPELLED_TO else None
    return own or show_number(Decimal(count), locale)


@lru_cache(maxsize=4096)
def show_percent(value: Decimal, locale: str) -> str:
    """A percentage given as 0 to 100, with the decimals it has."""
    exact = value.quantize(Decimal(1).scaleb(-_own_places(value)))
    pattern = _with_places(str(locale_of(locale).percent_formats[None].pattern), exact)
    return plain_spaces(format_percent(exact.scaleb(-2), pattern, locale=locale_of(locale), decimal_quantization=False))


@lru_cache(maxsize=4096)
def show_duration(value: Decimal, unit: str, locale: str) -> str:
    """`97 days`, `2 Wochen`: the number in digits with its unit in the right plural."""
    words = load_labels(locale_of(locale).language)
    key = f"units.{unit}.{'one' if value == 1 else 'other'}"
    if key in words:
        return words[key].format(n=show_number(value, locale))
    return plain_spaces(format_unit(value, f"duration-{unit}", length="long", locale=locale_of(locale)))


def show_range(low: Decimal, high: Decimal, unit: str, locale: str) -> str:
    """`6 to 8 weeks`, `6 bis 8 Wochen`."""
    words = load_labels(locale_of(locale).language)
    return words["display.range"].format(low=show_number(low, locale), high=show_duration(high, unit, locale))


def plain_spaces(text: str) -> str:
    return _SPACES.sub(" ", text)


def _own_places(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def _grouped(value: Decimal, locale: str) -> str:
    """The number with all decimals it carries, trailing zeros too."""
    pattern = _with_places(str(locale_of(locale).decimal_formats[None].pattern), value)
    return plain_spaces(format_decimal(value, pattern, locale=locale_of(locale), decimal_quantization=False))


def _with_places(pattern: str, value: Decimal) -> str:
    """A CLDR number pattern with exactly the decimals of `value`."""
    places = max(0, -int(value.as_tuple().exponent))
    return _INTEGER_AND_REST.sub(lambda m: m[1] + ("." + "0" * places if places else ""), pattern)


def _spaced_code(match: re.Match[str]) -> str:
    return f"{match[1]} " if match[1] else f" {match[2]}"


def _date_pattern(locale: Locale, weekday: bool) -> str:
    if locale.language == "en" and locale.territory not in _MONTH_FIRST:
        # CLDR 46 put a comma after the British weekday; common usage has none.
        return "EEEE d MMMM y" if weekday else "d MMMM y"
    if locale.language == "es" and weekday:
        # CLDR has the comma of a letterhead; inside a sentence Spanish writes none.
        return "EEEE d 'de' MMMM 'de' y"
    return str(locale.date_formats["full" if weekday else "long"].pattern)
