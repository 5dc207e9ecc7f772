"""Dates, money and ages as the reader's locale writes them; the reader's zone is the user's, else the seller's."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal

LONGEST_LABEL = 160
"""Characters of a name in a list or heading; what is longer is cut. The sheet itself shows everything."""
AGE_IN_WORDS = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever looks at a page: how they write dates and numbers, where they are, and what time it is."""

    locale: Locale
    zone: ZoneInfo
    now: datetime

    def money(self, amount: Decimal | str | None, currency: str | None) -> str:
        """An amount with its currency, without decimals when it has none; empty when it is not known."""
        if amount is None or not currency:
            return ""
        try:
            value = Decimal(amount)
            digits = value != value.to_integral_value()
            pattern = None if digits else self.locale.currency_formats["standard"].pattern.replace(".00", "")
            return str(format_currency(value, currency, pattern, locale=self.locale, currency_digits=digits))
        except (InvalidOperation, ValueError):
            return f"{amount} {currency}"

    def number(self, value: int) -> str:
        """A count with the marks between thousands."""
        return str(format_decimal(value, locale=self.locale))

    def day(self, day: date | None) -> str:
        """A day, with its year only when it is another one."""
        if day is None:
            return ""
        skeleton = "MMMd" if day.year == self.now.astimezone(self.zone).year else "yMMMd"
        return str(format_date(day, _skeleton(self.locale, skeleton), locale=self.locale))

    def iso_day(self, text: str | None) -> str:
        """A day that is written as `2026-03-10`; empty for anything else."""
        try:
            return self.day(date.fromisoformat(text)) if text else ""
        except (TypeError, ValueError):
            return ""

    def iso_moment(self, text: str | None) -> str:
        """A time that is written as RFC 3339; empty for anything else."""
        try:
            return self.moment(datetime.fromisoformat(text)) if text else ""
        except (TypeError, ValueError):
            return ""

    def is_past(self, day: date) -> bool:
        """Whether a day lies before the reader's today."""
        return day < self.now.astimezone(self.zone).date()

    def moment(self, instant: datetime | None) -> str:
        """A time of day for today, else a day and a time."""
        if instant is None:
            return ""
        local = instant.astimezone(self.zone)
        clock = str(format_time(local, "short", locale=self.locale))
        return clock if local.date() == self.now.astimezone(self.zone).date() else f"{self.day(local.date())}, {clock}"

    def exact(self, instant: datetime | None) -> str:
        """Day, time and zone in full, for a title."""
        return str(format_datetime(instant, "long", self.zone, self.locale)) if instant else ""

    def age(self, instant: datetime | None) -> str:
        """How long ago, in words up to six days, else the day."""
        if instant is None:
            return ""
        gone = max(self.now - instant, timedelta(seconds=1))
        if gone > AGE_IN_WORDS:
            return self.day(instant.astimezone(self.zone).date())
        return str(format_timedelta(-gone, add_direction=True, locale=self.locale, threshold=1.2))


def _skeleton(locale: Locale, name: str) -> str:
    return str(locale.datetime_skeletons[name].pattern)


def choose_locale(accepted: Iterable[str], language: str, default: str) -> Locale:
    """The first locale the browser asks for in this language, with a country; else the default of the language."""
    for code in accepted:
        parts = code.replace("_", "-").split("-")
        if parts[0].lower() == language and len(parts) > 1:
            try:
                return Locale.parse("_".join(parts))
            except (UnknownLocaleError, ValueError):
                continue
    return Locale.parse(default)


def cut(text: str | None, limit: int = LONGEST_LABEL) -> str:
    """A text for one line of a list; a longer one ends in an ellipsis."""
    if text is None:
        return ""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain_field(field: str, language: str = "en") -> str:
    """A field's name as words of a language: `lines[1].unit_price` → `lines 2, unit price`."""
    return ", ".join(_plain_part(part, language) for part in field.split("."))


def _plain_part(part: str, language: str) -> str:
    name, _, place = part.partition("[")
    n = place.removesuffix("]")
    known = _field_words().get(name) if language in FIELD_LANGUAGES else None
    shown = known[FIELD_LANGUAGES.index(language)] if known else name.replace("_", " ")
    return f"{shown} {int(n) + 1}" if n.isdecimal() else shown


FIELD_LANGUAGES = ("de", "fr", "es")
"""Languages of `words/fields.toml`, in the order of its values."""


@cache
def _field_words() -> Mapping[str, list[str]]:
    return tomllib.loads((files("crmplugin.web") / "words" / "fields.toml").read_text("utf-8"))
