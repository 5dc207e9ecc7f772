"""Which order a column's dates have, decided from all of its cells, and the reading of a cell in that order.

`03/04/2026` is in March or in April: where the whole column leaves that open, nothing is read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from itertools import combinations

from babel import Locale

ORDERS = ("ymd", "dmy", "mdy")
NOON = time(12)
"""When a day stands where a time is wanted: noon is on that day nearly everywhere."""
FIRST_SERIAL_DAY = date(1899, 12, 30)
"""Day 0 of spreadsheets as far as days after February 1900 go: they believe in a 29 February 1900."""
LAST_SERIAL = 2_958_465
PIVOT = 69
"""Years of two digits from here on are of the last century, as POSIX has it."""
MONTHS_READ_IN = ("en", "de", "fr", "es", "it", "pt", "nl")

_CLOCK = re.compile(
    r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,6})\d*)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_FIGURES = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})\.?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[. -]{1,2}([^\W\d]+)[., -]{1,2}(\d{4})")
_MONTH_FIRST = re.compile(r"([^\W\d]+)\.? (\d{1,2}),? (\d{4})")
_SERIAL = re.compile(r"\d{1,7}(?:\.\d+)?", re.ASCII)
_SPLIT = re.compile(r"(?<=\d)[T ,]+(?=\d{1,2}:)")


def read_day(cell: str, order: str) -> date | None:
    """The day in a cell, whose time, if any, is passed over; None when there is none."""
    return _days(_SPLIT.split(cell.strip(), maxsplit=1)[0]).get(order)


def read_moment(cell: str, order: str, zone: tzinfo) -> datetime | None:
    """The instant in a cell; a time without zone is of `zone`, a day without time is its noon there."""
    parts = _SPLIT.split(cell.strip(), maxsplit=1)
    day = _days(parts[0]).get(order)
    if day is None:
        return None
    if len(parts) == 1:
        return datetime.combine(day, NOON, zone)
    found = _CLOCK.fullmatch(parts[1].strip())
    return _moment(day, found, zone) if found else None


def has_clock(cell: str) -> bool:
    """Whether a time stands beside the day, and in no zone."""
    parts = _SPLIT.split(cell.strip(), maxsplit=1)
    found = _CLOCK.fullmatch(parts[1].strip()) if len(parts) > 1 else None
    return found is not None and not found["zone"]


def read_serial(cell: str) -> datetime | None:
    """The moment, without zone, of a spreadsheet's serial number such as 45631.0."""
    text = cell.strip()
    if not _SERIAL.fullmatch(text) or not 61 <= float(text) <= LAST_SERIAL:
        return None
    days, _, part = text.partition(".")
    begin = datetime.combine(FIRST_SERIAL_DAY + timedelta(days=int(days)), time())
    return begin + timedelta(seconds=round(float(f"0.{part or 0}") * 86_400))


def _moment(day: date, clock: re.Match[str], zone: tzinfo) -> datetime | None:
    hour, half = int(clock["h"]), (clock["half"] or "").replace(".", "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    try:
        at = time(hour, int(clock["m"]), int(clock["s"] or 0), int((clock["f"] or "0").ljust(6, "0")))
        return datetime.combine(day, at, _zone_of(clock["zone"]) or zone)
    except ValueError:
        return None


def _zone_of(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _days(text: str) -> Mapping[str, date]:
    """The day of a text by order; an order in which it is no day is left out."""
    figures = _FIGURES.fullmatch(text)
    if figures:
        return _days_of_figures(figures[1], figures[3], figures[4])
    compact = _COMPACT.fullmatch(text)
    found = _day(*compact.groups()) if compact else _named_day(text)
    return dict.fromkeys(ORDERS, found) if found else {}


def _days_of_figures(first: str, second: str, third: str) -> dict[str, date]:
    if len(first) == 4:
        # A year in front says the order, whatever the rest of the column says.
        readings = {"ymd": _day(first, second, third)} if len(third) <= 2 else {}
    elif len(third) == 4 and len(first) <= 2:
        readings = {"dmy": _day(third, second, first), "mdy": _day(third, first, second)}
    elif len(first) <= 2 and len(third) == 2:
        year = _full_year(third)
        readings = {"dmy": _day(year, second, first), "mdy": _day(year, first, second)}
        readings["ymd"] = _day(_full_year(first), second, third) if len(first) == 2 else None
    else:
        readings = {}
    return {order: day for order, day in readings.items() if day}


def _full_year(two: str) -> str:
    return str((1900 if int(two) >= PIVOT else 2000) + int(two))


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day)) if 1000 <= int(year) <= 9998 else None
    except ValueError:
        return None


def _named_day(text: str) -> date | None:
    """A day whose month is a word: no order can change it."""
    found = _DAY_FIRST.fullmatch(text)
    if found:
        day, month, year = found.groups()
    elif found := _MONTH_FIRST.fullmatch(text):
        month, day, year = found.groups()
    else:
        return None
    number = _months().get(month.casefold())
    return _day(year, str(number), day) if number else None


@cache
def _months() -> Mapping[str, int]:
    """Names and short names of months; a short name that two languages use for different months is left out."""
    found: dict[str, set[int]] = {}
    for language in MONTHS_READ_IN:
        months = Locale(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[context][width].items():
                    found.setdefault(name.rstrip(".").casefold(), set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


@dataclass(slots=True)
class DateEvidence:
    """What the cells of a column say about the order of its dates, however many there are."""

    excluded: dict[str, str] = field(default_factory=dict)
    """Order -> the first cell that is a day only in other orders."""
    witness: dict[tuple[str, str], str] = field(default_factory=dict)
    dates: int = 0
    serials: int = 0
    clocks: int = 0
    """Times that stand in no zone."""

    def add(self, cells: Iterable[str]) -> None:
        for cell in cells:
            days = _days(_SPLIT.split(cell.strip(), maxsplit=1)[0])
            if days:
                self.dates += 1
                self.clocks += has_clock(cell)
                self._weigh(cell, days)
            else:
                self.serials += read_serial(cell) is not None

    def _weigh(self, cell: str, days: Mapping[str, date]) -> None:
        for order in ORDERS:
            if order not in days:
                self.excluded.setdefault(order, cell)
        for one, other in combinations(ORDERS, 2):
            if one in days and other in days and days[one] != days[other]:
                self.witness.setdefault((one, other), cell)

    def decide(self) -> tuple[str | None, str]:
        """The order, or None and why not."""
        possible = [order for order in ORDERS if order not in self.excluded]
        if not possible:
            one, other = (list(dict.fromkeys(self.excluded.values())) + [""])[:2]
            return None, f'"{one}" and "{other}" have different orders'
        for pair in combinations(possible, 2):
            if pair in self.witness:
                return None, f'"{self.witness[pair]}" can be {" or ".join(pair)}'
        return possible[0], ""
