"""Mapping files: what a table means, guessed by headings and cells, for a user to look over and give back.

The file is a layout (`layout.py`). A guess that is wrong is worse than none, so what neither a heading nor the cells
make plain has no place, and a column that can be read in two ways asks which one it is.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import islice
from types import MappingProxyType
from typing import Any

from crmplugin.tables.columns import Doubt, decide, find_columns
from crmplugin.tables.dates import ORDERS, DateEvidence
from crmplugin.tables.headings import fold, plain
from crmplugin.tables.layout import KEEP, ORDER_LINES, Column, Layout, parse_layout
from crmplugin.tables.numbers import FORMATS, NumberEvidence
from crmplugin.tables.reading import BadRow, Table

FORMAT = "crmplugin-mapping/1"
ROWS_LOOKED_AT, SHOWN, SHOWN_CHARACTERS = 2_000, 3, 40
MOST = 0.9
"""Share of a column's cells that must look alike to say what they are."""
ANY = "any"
IDENTIFYING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        ORDER_LINES: frozenset({"lines.quantity", "lines.unit_price"}), "orders": frozenset({"orders.id"}),
        "deals": frozenset({"deals.amount", "deals.stage", "deals.close_date"}),
        "contacts": frozenset({"contacts.email", "contacts.last_name", "contacts.first_name"}),
        "products": frozenset({"products.list_price", "products.sku"}), "companies": frozenset({"companies.name"}),
    }
)  # fmt: skip
"""What a row can be guessed to be -> the targets of which it must have one; in this order where two are as likely."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HEAD = """\
# What the columns of {name} mean. Look it over, fill in what is empty, and import again with
#   crmplugin import {name} --mapping {path}
#
# row       what one row is: order_lines, orders, deals, contacts, companies, products, users, activities, tickets, …
# to        where a column goes: "deals.amount", "companies.name", "contacts.email", "users.name" (the owner), …;
#           "x" keeps it beside the record, "" leaves it out
# order     of the parts of a day: {orders}
# number    how numbers are written: {formats}
# currency  of amounts that name none, such as EUR; timezone of times that name none, such as Europe/Berlin

format = "{format}"
"""


def write_mapping(table: Table, path: str, *, layout: Layout | None = None, doubts: Sequence[Doubt] = ()) -> str:
    """The text of a mapping file for a table: a layout whose doubts are to be settled, or guesses where none fits."""
    meant = _whole(table, layout) if layout else guess(table)
    asked = doubts or (decide(table, meant)[1] if meant.row else ())
    name, path = plain(table.name), plain(path)
    head = _HEAD.format(name=name, path=path, format=FORMAT, orders=", ".join(ORDERS), formats=" or ".join(FORMATS))
    shown = _samples(table)
    blocks = [
        _block(column, [doubt for doubt in asked if doubt.heading == column.heading], shown[column.heading])
        for column in meant.columns
    ]
    return "\n".join([head + _settings(meant), *blocks])


def read_mapping(text: str, name: str) -> Layout:
    """The layout of a filled mapping file; the columns that have a place are required. Raises UsageError."""
    layout = parse_layout(text, name)
    return replace(layout, requires=tuple(column.heading for column in layout.columns if column.to), source="")


def _whole(table: Table, layout: Layout) -> Layout:
    """The layout with a column for each heading of this table, in its order and its words."""
    known = find_columns(table, layout)
    columns = [replace(known.get(n, Column(h, (KEEP,))), heading=h, also=()) for n, h in enumerate(table.headings) if h]
    return replace(layout, columns=tuple(columns))


# Guesses


def guess(table: Table) -> Layout:
    """What a table may mean; `row` is empty when neither headings nor cells say."""
    headings = [heading for heading in table.headings if heading]
    row = _guess_row(headings)
    samples = _samples(table)
    if not row and any(_looks(cells) == "an e-mail address" for cells in samples.values()):
        row = "contacts"
    targets = {heading: _target_of(heading, row) for heading in headings}
    for heading, cells in samples.items():
        if row and not targets[heading] and _looks(cells) == "an e-mail address":
            targets[heading] = "contacts.email"
    taken: set[str] = set()
    columns = []
    for heading in headings:
        target = targets[heading] if targets[heading] not in taken else ""
        taken.add(target)
        columns.append(Column(heading, (target or KEEP,)))
    return Layout(table.name, row, tuple(columns))


def _guess_row(headings: Sequence[str]) -> str:
    """The kind of row whose headings these are most; empty where no heading speaks for one."""
    best, most = "", 0
    for row, identifying in IDENTIFYING.items():
        found = {_target_of(heading, row) for heading in headings} - {""}
        own = sum(target.partition(".")[0] in (row, "lines") for target in found)
        if found & identifying and (own, len(found)) > (most, 0) and own > most:
            best, most = row, own
    return best


def _target_of(heading: str, row: str) -> str:
    words = _words()
    name = fold(re.sub(r"[_*]+", " ", heading))
    return words.get(row, {}).get(name) or words[ANY].get(name, "")


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    """Row -> folded heading -> target."""
    text = (files("crmplugin.tables") / "dialects" / "words" / "headings.toml").read_text("utf-8")
    return {
        row: {fold(re.sub(r"[_*]+", " ", word)): target for target, words in targets.items() for word in words}
        for row, targets in tomllib.loads(text).items()
    }


def _samples(table: Table) -> dict[str, list[str]]:
    """Cells that say something, by heading, from the first rows."""
    rows = [cells for _, cells in islice(table.rows(), ROWS_LOOKED_AT) if not isinstance(cells, BadRow)]
    return {
        heading: list(dict.fromkeys(cells[n].strip() for cells in rows if cells[n].strip()))
        for n, heading in enumerate(table.headings)
    }


def _looks(cells: Sequence[str]) -> str:
    """What most of these cells are."""
    if not cells:
        return "empty"
    numbers, days = NumberEvidence(), DateEvidence()
    numbers.add(cells)
    days.add(cells)
    found = {
        "an e-mail address": sum(_EMAIL.fullmatch(cell) is not None for cell in cells),
        "a day": days.dates,
        "an amount": numbers.numbers if numbers.signs - {""} else 0,
        "a number": numbers.numbers,
    }
    return next((kind for kind, n in found.items() if n >= MOST * len(cells)), "text")


# The file


def _settings(layout: Layout) -> str:
    lines = [
        f"row = {_toml(layout.row)}",
        f"currency = {_toml(layout.currency)}",
        f"timezone = {_toml(layout.timezone)}",
    ]
    if layout.row in (ORDER_LINES, ""):
        lines.append(f"keep_without_company = {_toml(layout.keep_without_company)}")
    if layout.services:
        lines.append(f"services = {_toml(sorted(layout.services))}")
    if layout.set:
        lines.append(f"set = {_toml(layout.set)}")
    return "\n".join(lines) + "\n"


def _block(column: Column, doubts: Sequence[Doubt], cells: Sequence[str]) -> str:
    lines = [f"[columns.{_toml(column.heading)}]", *_comments(cells), f"to = {_toml(_to(column))}"]
    asked = {doubt.key: doubt.why for doubt in doubts}
    for field_ in fields(Column):
        value = getattr(column, field_.name)
        if field_.name in asked:
            lines.append(f'{field_.name} = ""  # fill in: {plain(asked[field_.name])}')
        elif field_.name not in ("heading", "to", "also") and value not in ("", False, None) and value != {}:
            lines.append(f"{field_.name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _to(column: Column) -> str | list[str]:
    return column.to[0] if len(column.to) == 1 else list(column.to)


def _comments(cells: Sequence[str]) -> Iterator[str]:
    if cells:
        shown = ", ".join(plain(cell)[:SHOWN_CHARACTERS] for cell in cells[:SHOWN])
        yield f"# {_looks(cells)}: {_printable(shown)}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _toml(value: Any) -> str:
    """A value as TOML; JSON's strings are TOML's but for DEL."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
