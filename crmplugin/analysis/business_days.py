"""Business days: weekends and public holidays of one or more countries skipped. A day counts when all sides work.

Weekends and national holidays come from the `holidays` package (regional ones are not known to a CRM record). A
country that is absent or unknown has weekends on Saturday and Sunday, and no holidays.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

import holidays

from crmplugin.analysis.countries import country_code

Countries = Iterable[str | None]
_PLAIN_WEEKEND = frozenset({5, 6})
_ONE = timedelta(days=1)


def is_business_day(day: date, countries: Countries) -> bool:
    """Whether people work that day in every one of the countries."""
    return all(_works(day, code) for code in _codes(countries))


def next_business_day(day: date, countries: Countries) -> date:
    """The day itself when it is a business day, else the first one after it."""
    codes = _codes(countries)
    while not is_business_day(day, codes):
        day += _ONE
    return day


def add_business_days(day: date, n: int, countries: Countries) -> date:
    """The n-th business day after `day` (before it, for a negative n); 0 gives the day itself."""
    codes = _codes(countries)
    step = _ONE if n >= 0 else -_ONE
    left = abs(n)
    while left:
        day += step
        left -= is_business_day(day, codes)
    return day


def business_days_between(start: date, end: date, countries: Countries) -> int:
    """How many business days lie after `start` up to and with `end`; negative when `end` is before `start`."""
    if end < start:
        return -business_days_between(end, start, countries)
    codes = _codes(countries)
    return sum(is_business_day(start + timedelta(days=n), codes) for n in range(1, (end - start).days + 1))


def _codes(countries: Countries) -> tuple[str | None, ...]:
    return tuple(dict.fromkeys(country_code(c) for c in countries)) or (None,)


def _works(day: date, code: str | None) -> bool:
    weekend, closed = _closed_days(code, day.year)
    return day.weekday() not in weekend and day not in closed


@lru_cache(maxsize=2048)
def _closed_days(code: str | None, year: int) -> tuple[frozenset[int], frozenset[date]]:
    if code is None:
        return _PLAIN_WEEKEND, frozenset()
    try:
        calendar = holidays.country_holidays(code, years=year)
    except NotImplementedError:
        return _PLAIN_WEEKEND, frozenset()
    return frozenset(calendar.weekend), frozenset(calendar)
