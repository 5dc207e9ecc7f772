"""Decides how each column of a table is written, from all of its cells, and makes the readers of its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from types import MappingProxyType
from typing import Any

from crmplugin.analysis.countries import country_code
from crmplugin.tables.dates import DateEvidence, read_day, read_moment, read_serial
from crmplugin.tables.headings import fold, plain
from crmplugin.tables.layout import Column, Layout
from crmplugin.tables.numbers import NumberEvidence, part, read_number, show, widen_single
from crmplugin.tables.reading import Table
from crmplugin.tables.targets import fields_of, words_of

CELLS_REMEMBERED = 100_000
"""Different cells of a column whose reading is kept; an export of orders repeats the same few."""
NULLS = frozenset({"", "-", "--", "–", "—", "n/a", "n.a.", "#n/a", "na", "none", "null", "nil", "nan", "nat"})
"""What systems write where they mean nothing (numbers, days, codes and names of things; not a person's name)."""
FLAGS: Mapping[str, bool] = MappingProxyType(
    {
        **dict.fromkeys(("true", "yes", "y", "1", "ja", "oui", "si", "sí", "sì", "sim", "x", "wahr", "vrai"), True),
        **dict.fromkeys(("false", "no", "n", "0", "nein", "non", "não", "nee", "falsch", "faux"), False),
    }
)
NUMBERS, DAYS = frozenset({"money", "number"}), frozenset({"date", "time"})
_FLOAT_ID = re.compile(r"-?\d+\.0", re.ASCII)
_LIST = re.compile(r"\s*[;,|\n]\s*")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Unreadable(Exception):
    """A cell is not what its column holds; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Written:
    """How the cells of one column are written."""

    number: str = ""
    order: str = ""
    float_ids: bool = False
    """Ids that a program took for numbers: 17850 stands as 17850.0 in every cell."""
    readable: bool = True
    """False: no cell at all is what its target wants, so the column means something else."""
    clocks: bool = False
    """Some times stand in no zone."""
    signs: frozenset[str] = frozenset()
    """Signs of currencies that stand beside its numbers."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A column that can be read in two ways: what the mapping file must say."""

    heading: str
    key: str
    why: str


def find_columns(table: Table, layout: Layout) -> dict[int, Column]:
    """Which column stands where; a heading that stands under two names of one column is taken once."""
    places = {fold(heading): n for n, heading in enumerate(table.headings)}
    found: dict[int, Column] = {}
    for column in layout.columns:
        place = next((places[n] for n in map(fold, (column.heading, *column.also)) if n in places), None)
        if place is not None:
            found.setdefault(place, column)
    return found


def kinds_of(column: Column) -> set[str]:
    """The kinds of cell that the column's targets want."""
    pairs = (target.partition(".")[::2] for target in column.to if "." in target)
    return {fields_of(part.partition("/")[0]).get(name, "text") for part, name in pairs}


@dataclass(slots=True)
class _Evidence:
    column: Column
    kinds: set[str]
    numbers: NumberEvidence = field(default_factory=NumberEvidence)
    days: DateEvidence = field(default_factory=DateEvidence)
    seen: set[str] = field(default_factory=set)
    filled: int = 0
    float_ids: bool = True

    def add(self, cells: Iterable[str]) -> None:
        new = [cell for cell in dict.fromkeys(cells) if cell not in self.seen]
        if len(self.seen) < CELLS_REMEMBERED:
            self.seen.update(new)
        told = [cell for cell in new if not _says_nothing(cell) and fold(cell) not in self.column.values]
        self.filled += len(told)
        if self.kinds & NUMBERS:
            self.numbers.add(told)
        if self.kinds & DAYS:
            self.days.add(told)
        if self.float_ids and "id" in self.kinds:
            self.float_ids = all(_FLOAT_ID.fullmatch(cell.strip()) for cell in told)


def decide(table: Table, layout: Layout) -> tuple[dict[int, Written], list[Doubt]]:
    """How each used column is written, from all rows, and the columns of which that cannot be said."""
    kinds = {place: (column, kinds_of(column)) for place, column in find_columns(table, layout).items()}
    evidence = {n: _Evidence(c, k) for n, (c, k) in kinds.items() if k & (NUMBERS | DAYS | {"id"})}
    for block in table.blocks() if evidence else ():
        columns = list(zip(*block.rows, strict=True))
        for place, found in evidence.items():
            found.add(columns[place] if columns else ())
    doubts: list[Doubt] = []
    return {place: _written(found, doubts) for place, found in evidence.items()}, doubts


def _written(found: _Evidence, doubts: list[Doubt]) -> Written:
    column, number, order = found.column, found.column.number, found.column.order
    if found.kinds & NUMBERS and not number:
        number, why = _or_empty(found.numbers.decide())
        if why:
            doubts.append(Doubt(column.heading, "number", why))
    if found.kinds & DAYS and not order:
        order, why = _or_empty(found.days.decide())
        if why:
            doubts.append(Doubt(column.heading, "order", why))
    days = found.days.dates + (found.days.serials if column.serial else 0)
    readable = not found.filled or not (
        (found.kinds & NUMBERS and not found.numbers.numbers) or (found.kinds & DAYS and not days)
    )
    float_ids = "id" in found.kinds and found.float_ids and found.filled > 0 and not column.text
    return Written(
        number, order, float_ids, readable, found.days.clocks > 0, signs=frozenset(found.numbers.signs - {""})
    )


def _or_empty(decided: tuple[str | None, str]) -> tuple[str, str]:
    return decided[0] or "", decided[1]


def _says_nothing(cell: str) -> bool:
    return cell.strip().casefold() in NULLS


# Readers of cells

Read = Callable[[str], Any]


def reader_of(column: Column, target: str, written: Written, zone: tzinfo) -> Read:
    """Reads a cell for a target: a value fit for a record, None for an empty cell; raises Unreadable."""
    part, _, name = target.partition(".")
    kind = fields_of(part.partition("/")[0])[name]
    read = _READERS[kind](column, part.partition("/")[0], name, written, zone)
    return _Remembering(read, column.values, nulls=NULLS if kind not in ("text", "list") else frozenset({""}))


class _Remembering(dict[str, Any]):
    """A reader whose readings are kept, so that a cell that was read before costs a look-up."""

    def __init__(self, read: Read, values: Mapping[str, str], nulls: frozenset[str]) -> None:
        self._read, self._values, self._nulls = read, values, nulls

    def __call__(self, cell: str) -> Any:
        try:
            return self[cell]
        except KeyError:
            pass
        meant = self._values.get(fold(cell), cell) if self._values else cell
        value = None if meant.strip().casefold() in self._nulls else self._read(meant)
        if len(self) < CELLS_REMEMBERED:
            self[cell] = value
        return value


def _number(cell: str, *, column: Column, format_: str) -> str | None:
    value = read_number(cell, format_)
    if value is None:
        raise Unreadable(f"a number written as in {format_}")
    if column.single:
        value = widen_single(value)
    if column.scale is not None:
        value *= column.scale
    return None if value == 0 and column.zero == "absent" else show(value)


def _day(cell: str, *, column: Column, order: str) -> str:
    day = read_day(cell, order)
    if day is None and column.serial and (serial := read_serial(cell)):
        day = serial.date()
    if day is None:
        raise Unreadable(f"a day written {order}")
    return day.isoformat()


def _moment(cell: str, *, column: Column, order: str, zone: tzinfo) -> str:
    moment = read_moment(cell, order, zone)
    if moment is None and column.serial and (serial := read_serial(cell)):
        moment = serial.replace(tzinfo=zone)
    if moment is None:
        raise Unreadable(f"a time written {order} with hours and minutes")
    return moment.isoformat().replace("+00:00", "Z")


def _id(cell: str, *, float_ids: bool) -> str:
    return plain(cell).removesuffix(".0") if float_ids else plain(cell)


def _flag(cell: str) -> bool:
    try:
        return FLAGS[fold(cell)]
    except KeyError:
        raise Unreadable("yes or no") from None


def _list(cell: str) -> list[str]:
    return [plain(entry) for entry in _LIST.split(cell.strip()) if entry.strip()]


def _words(cell: str, *, allowed: frozenset[str]) -> str:
    word = fold(cell)
    if word not in {fold(w) for w in allowed}:
        raise Unreadable(f"one of {', '.join(sorted(allowed))}")
    return next(w for w in allowed if fold(w) == word)


def _currency(cell: str) -> str:
    code = cell.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise Unreadable("a currency by its three letters, such as EUR")
    return code


def _country(cell: str) -> str | None:
    return country_code(plain(cell))


def sign_of(cell: str) -> str:
    """The sign or code of a currency in a cell; empty where there is none."""
    return part(cell).sign


_Maker = Callable[[Column, str, str, Written, tzinfo], Read]
_READERS: Mapping[str, _Maker] = MappingProxyType(
    {
        "text": lambda c, p, n, w, z: str.strip,
        "name": lambda c, p, n, w, z: plain,
        "id": lambda c, p, n, w, z: partial(_id, float_ids=w.float_ids),
        "money": lambda c, p, n, w, z: partial(_number, column=c, format_=w.number),
        "number": lambda c, p, n, w, z: partial(_number, column=c, format_=w.number),
        "date": lambda c, p, n, w, z: partial(_day, column=c, order=w.order),
        "time": lambda c, p, n, w, z: partial(_moment, column=c, order=w.order, zone=z),
        "flag": lambda c, p, n, w, z: _flag,
        "list": lambda c, p, n, w, z: _list,
        "words": lambda c, p, n, w, z: partial(_words, allowed=words_of(p, n)),
        "currency": lambda c, p, n, w, z: _currency,
        "country": lambda c, p, n, w, z: _country,
    }
)
