"""The notation in which the sample company tells time: offsets from "today", resolved here and nowhere else.

`@-5bd` is five working days ago (weekends and German public holidays do not count; on a day off, counting starts at
the last working day). `@+4d`, `@-2w`, `@-6mo`, `@-4y` are calendar offsets; terms add up: `@-1y+3d`.
`@-5bd 14:05 Europe/London` is an instant there; without a zone it is the zone handed in. A calendar offset with a time
of day is a working moment, so it moves back to a working day. Inside a text, `{@+3bd de}` becomes "20. März" and
`{@+3bd en weekday}` becomes "Friday, 20 March".
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from babel.dates import format_date

TERMS = r"(?:[+-]\d+(?:bd|d|w|mo|y))+"
WHOLE = re.compile(rf"@(?P<terms>{TERMS})(?: (?P<time>\d\d:\d\d)(?: (?P<zone>[A-Za-z]+(?:/[A-Za-z_]+)*))?)?")
TERM = re.compile(r"([+-]\d+)(bd|d|w|mo|y)")
IN_TEXT = re.compile(rf"\{{@(?P<terms>{TERMS}) (?P<locale>[a-z]{{2}}(?:_[A-Z]{{2}})?)(?P<weekday> weekday)?\}}")

WRITTEN = {"de": "d. MMMM", "en_US": "MMMM d", "es": "d 'de' MMMM"}
"""How a day without its year is written, where it is not "20 March"."""

_DAYS_OFF = holidays.country_holidays("DE")


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Monday to Friday and no nationwide public holiday of the sample seller's country."""
    return day.weekday() < 5 and day not in _DAYS_OFF


@lru_cache(maxsize=4096)
def working_day(today: date, count: int) -> date:
    """The day `count` working days from `today`; 0 is today, or the last working day before it."""
    day = today
    while not is_working_day(day):
        day -= timedelta(days=1)
    step = timedelta(days=1 if count > 0 else -1)
    for _ in range(abs(count)):
        day += step
        while not is_working_day(day):
            day += step
    return day


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it has no such day."""
    year, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, index + 1, min(day.day, calendar.monthrange(year, index + 1)[1]))


def _move(day: date, count: int, unit: str) -> date:
    moves = {
        "bd": lambda: working_day(day, count),
        "d": lambda: day + timedelta(days=count),
        "w": lambda: day + timedelta(weeks=count),
        "mo": lambda: add_months(day, count),
        "y": lambda: add_months(day, 12 * count),
    }
    return moves[unit]()


def find_day(terms: str, today: date) -> date:
    """The day that terms such as `-1y+3d` name."""
    day = today
    for count, unit in TERM.findall(terms):
        day = _move(day, int(count), unit)
    return day


def resolve(notation: str, today: date, zone: str = "UTC") -> str:
    """An ISO day, or an RFC 3339 instant when a time of day is given; ValueError for anything else."""
    found = WHOLE.fullmatch(notation)
    if found is None:
        raise ValueError(f"{notation!r} is no time of the sample data; write for example '@-5bd 14:05 Europe/Berlin'")
    day = find_day(found["terms"], today)
    if found["time"] is None:
        return day.isoformat()
    moment = time.fromisoformat(found["time"])
    return datetime.combine(working_day(day, 0), moment, ZoneInfo(found["zone"] or zone)).isoformat()


def fill_text(text: str, today: date) -> str:
    """The text with every `{@…}` written out as people write a day in that language."""

    def write(found: re.Match[str]) -> str:
        pattern = WRITTEN.get(found["locale"], "d MMMM")
        if found["weekday"]:
            pattern = f"EEEE, {pattern}"
        return format_date(find_day(found["terms"], today), pattern, locale=found["locale"])

    return IN_TEXT.sub(write, text)
