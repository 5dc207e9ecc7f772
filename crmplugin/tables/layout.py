"""What the columns of a table mean: one form for the dialects we know and for the mapping files that users fill.

A layout is TOML. `row` says what one row is; each column has targets such as `deals.amount` or `companies.name`. Parts
of one row belong together: a row with a deal and a company is the deal of that company.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import available_timezones

from crmplugin.domain.crm import COLLECTIONS
from crmplugin.domain.records import did_you_mean
from crmplugin.errors import UsageError
from crmplugin.tables.dates import ORDERS
from crmplugin.tables.headings import fold
from crmplugin.tables.numbers import FORMATS
from crmplugin.tables.targets import LINES, fields_of

ORDER_LINES, LOOKUP, NOTHING = "order_lines", "lookup", "nothing"
"""Rows that are lines of an order; a code and its name, which another table uses; rows nobody needs."""
KEEP = "x"
"""The target of a column that has no place and is kept under an `x_` key."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column goes, and how its cells are read where they do not say it themselves."""

    heading: str
    to: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Other headings of the same column."""
    order: str = ""
    number: str = ""
    serial: bool = False
    """Dates may be serial numbers of a spreadsheet."""
    single: bool = False
    """Numbers come from a database column of single precision."""
    scale: Decimal | None = None
    zero: str = ""
    """`absent`: a zero says that nobody knows; `absent_unless_won`: so it does on a deal that is not won."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Words of the column, folded, and what they mean."""
    lookup: str = ""
    """Name of the lookup table that the cells are codes of."""
    closes: bool = False
    """The day on which a deal that is closed was closed, and is expected to be where it is open."""
    text: bool = False
    """Cells are ids as they stand: no `.0` is cut off."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What one table means."""

    name: str
    row: str
    columns: tuple[Column, ...]
    requires: tuple[str, ...] = ()
    """Headings without which the table is another one."""
    source: str = ""
    set: Mapping[str, str] = field(default_factory=dict)
    """Target -> value that every row has."""
    currency: str = ""
    timezone: str = ""
    services: frozenset[str] = frozenset()
    """Product codes, folded, of lines that are no product: postage, charges, corrections."""
    keep_without_company: bool = False
    lookup: str = ""
    others: Literal["keep", "drop"] = "keep"
    """What becomes of columns that have no place: an `x_` key of the row's record, or nothing."""


def read_layout(doc: Mapping[str, Any], name: str, text: str = "") -> Layout:
    """A layout from parsed TOML. Raises UsageError naming the file (and line, if `text` is given) and the key."""
    problem = _Problem(name, text)
    known = {f.name: f for f in fields(Layout)}
    for key in doc:
        if key not in known and key != "format":
            raise problem(key, f"is no key of a mapping file{did_you_mean(key, known)}")
    row = doc.get("row")
    if row not in (*COLLECTIONS, ORDER_LINES, LOOKUP, NOTHING):
        raise problem("row", f'must say what one row is: "order_lines" or one of {", ".join(COLLECTIONS)}')
    columns = _table(doc.get("columns", {}), "columns", problem)
    return Layout(
        name=_checked(doc, "name", str, name, problem),
        row=str(row),
        columns=tuple(_column(heading, given, str(row), problem) for heading, given in columns.items()),
        requires=tuple(_texts(doc.get("requires", ()), "requires", problem)),
        source=_checked(doc, "source", str, "", problem),
        set=MappingProxyType(
            {_target(t, str(row), t, problem): v for t, v in _table(doc.get("set", {}), "set", problem).items()}
        ),
        currency=_currency(_checked(doc, "currency", str, "", problem), problem),
        timezone=_zone(_checked(doc, "timezone", str, "", problem), problem),
        services=frozenset(fold(word) for word in _texts(doc.get("services", ()), "services", problem)),
        keep_without_company=_checked(doc, "keep_without_company", bool, False, problem),
        lookup=_checked(doc, "lookup", str, "", problem),
        others=_one_of(_checked(doc, "others", str, "keep", problem), ("keep", "drop"), "others", problem),
    )


def parse_layout(text: str, name: str) -> Layout:
    """A layout from TOML text. Raises UsageError with the line of what is wrong."""
    try:
        doc = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{name}: this is no TOML: {error}") from None
    return read_layout(doc, name, text)


class _Problem:
    """Makes the errors of one file."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._lines = name, text.splitlines()

    def __call__(self, key: str, what: str) -> UsageError:
        line = next((n for n, text in enumerate(self._lines, 1) if key and key in text), None)
        return UsageError(f"{self._name}{f', line {line}' if line else ''}: {key} {what}")


def _column(heading: str, given: Any, row: str, problem: _Problem) -> Column:
    doc = {"to": given} if isinstance(given, str | list) else _table(given, heading, problem)
    known = {f.name: f for f in fields(Column)}
    for key in doc:
        if key not in known or key == "heading":
            raise problem(key, f'of column "{heading}" is unknown{did_you_mean(key, known)}')
    to = doc.get("to", ())
    wanted = [to] if isinstance(to, str) else _texts(to, heading, problem)
    return Column(
        heading=heading,
        to=tuple(_target(target, row, heading, problem) for target in wanted if target),
        also=tuple(_texts(doc.get("also", ()), "also", problem)),
        order=_one_of(_checked(doc, "order", str, "", problem), ("", *ORDERS), "order", problem),
        number=_one_of(_checked(doc, "number", str, "", problem), ("", *FORMATS), "number", problem),
        scale=_scale(doc.get("scale"), problem),
        zero=_one_of(_checked(doc, "zero", str, "", problem), ("", "absent", "absent_unless_won"), "zero", problem),
        values={fold(k): str(v) for k, v in _table(doc.get("values", {}), "values", problem).items()},
        lookup=_checked(doc, "lookup", str, "", problem),
        **{key: _checked(doc, key, bool, False, problem) for key in ("serial", "single", "closes", "text")},
    )


def _constants(given: Any, row: str, problem: _Problem) -> Mapping[str, str]:
    constants = _table(given, "set", problem)
    return {_target(target, row, target, problem): str(value) for target, value in constants.items()}


def _target(target: str, row: str, key: str, problem: _Problem) -> str:
    if target == KEEP or (row == LOOKUP and target in ("key", "value")):
        return target
    part, _, name = target.partition(".")
    known = fields_of(part.partition("/")[0])
    if not known or (part == LINES and row != ORDER_LINES):
        raise problem(key, f'goes to "{target}", which is no place; write it as in "deals.amount"')
    if name not in known:
        raise problem(key, f'goes to "{target}", which is no field of {part}{did_you_mean(name, known)}')
    return target


def _checked(doc: Mapping[str, Any], key: str, kind: type, default: Any, problem: _Problem) -> Any:
    value = doc.get(key, default)
    if not isinstance(value, kind):
        raise problem(key, f"must be {'text' if kind is str else 'true or false'}")
    return value


def _table(value: Any, key: str, problem: _Problem) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise problem(key, "must be a table")
    return value


def _texts(value: Any, key: str, problem: _Problem) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise problem(key, "must be a list of texts")
    return list(value)


def _one_of(value: str, allowed: Sequence[str], key: str, problem: _Problem) -> Any:
    if value not in allowed:
        raise problem(key, f"must be one of {', '.join(f'{a!r}' for a in allowed if a)}, not {value!r}")
    return value


def _currency(value: str, problem: _Problem) -> str:
    if value and not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise problem("currency", "must be a currency by its three capital letters, such as EUR")
    return value


def _zone(value: str, problem: _Problem) -> str:
    if value and value not in available_timezones():
        raise problem("timezone", "must be a time zone by its IANA name, such as Europe/Berlin")
    return value


def _scale(value: Any, problem: _Problem) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        raise problem("scale", "must be a number") from None


# The dialects we know


@cache
def dialects() -> tuple[Layout, ...]:
    """Every dialect, by file name."""
    folder = files("crmplugin.tables") / "dialects"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    layouts: list[Layout] = []
    for entry in found:
        text = entry.read_text("utf-8")
        layouts.extend(
            read_layout({"source": doc.get("source", ""), **part}, entry.name, text)
            for doc in [tomllib.loads(text)]
            for part in doc["tables"]
        )
    return tuple(layouts)


def recognise(headings: Iterable[str], layouts: Iterable[Layout] | None = None) -> Layout | None:
    """The layout all of whose required headings are there; of several the one that requires and knows most."""
    present = {fold(heading) for heading in headings}
    fitting = [layout for layout in (dialects() if layouts is None else layouts) if fits(layout, present)]
    return max(fitting, key=lambda layout: (len(layout.requires), _known(layout, present)), default=None)


def fits(layout: Layout, present: Collection[str]) -> bool:
    """Whether every required heading, or another name of it, is among these folded ones."""
    also = {fold(column.heading): [fold(other) for other in column.also] for column in layout.columns}
    return all(
        any(name in present for name in (fold(wanted), *also.get(fold(wanted), ()))) for wanted in layout.requires
    )


def _known(layout: Layout, present: Collection[str]) -> int:
    return sum(any(fold(name) in present for name in (column.heading, *column.also)) for column in layout.columns)
