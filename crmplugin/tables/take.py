"""The whole way of a set of tables: recognised, decided, put in order, and given record by record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crmplugin.tables.columns import Doubt, Written, decide, find_columns
from crmplugin.tables.headings import fold, plain
from crmplugin.tables.layout import LOOKUP, NOTHING, ORDER_LINES, Layout, fits, recognise
from crmplugin.tables.order_lines import OrderLines
from crmplugin.tables.parts import ORDER_OF_PARTS
from crmplugin.tables.reading import BadRow, Source, Table, read_table
from crmplugin.tables.rows import RowTable
from crmplugin.tables.world import SINGULAR, Item, Taken, World

RANK: Mapping[str, int] = {
    LOOKUP: 0,
    **{name: n for n, name in enumerate(ORDER_OF_PARTS, 1)},
    "orders": 8,
    ORDER_LINES: 9,
}
"""Tables that others name come first."""


@dataclass(frozen=True, slots=True)
class Known:
    """A table that is understood: what its columns mean and how they are written."""

    table: Table
    layout: Layout
    written: Mapping[int, Written]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A table that needs a mapping file: no dialect is like it, or columns can be read in two ways."""

    table: Table
    layout: Layout | None = None
    doubts: tuple[Doubt, ...] = ()


def understand(source: Source, mappings: Sequence[Layout]) -> Known | Unknown:
    """What a table is, by the mapping files given, else by the dialects. Raises UsageError for what is no table."""
    table = read_table(source)
    present = {fold(heading) for heading in table.headings}
    layout = next((mapping for mapping in mappings if fits(mapping, present)), None) or recognise(table.headings)
    if layout is None:
        return Unknown(table)
    if layout.row in (LOOKUP, NOTHING):
        return Known(table, layout, {})
    written, doubts = decide(table, layout)
    return Unknown(table, layout, tuple(doubts)) if doubts else Known(table, layout, written)


def take(tables: Sequence[Known], world: World) -> Iterator[tuple[Table, Item]]:
    """Every record of the tables, and every row that cannot be one, each with its table."""
    records = [known for known in tables if not _set_aside(known, world)]
    readers = [(known, _reader(known, world)) for known in sorted(records, key=lambda k: RANK.get(k.layout.row, 7))]
    joining = any(isinstance(reader, OrderLines) and reader.joins for _, reader in readers)
    waiting: dict[str, Table] = {}
    for known, reader in readers:
        reader.gather()
        for item in reader.items():
            if joining and known.layout.row == "orders" and isinstance(item, Taken) and item.line:
                id_ = item.docs[0][1]["id"]
                world.headers[id_], waiting[id_] = item, known.table
            else:
                yield known.table, item
        if known.layout.row in SINGULAR:
            world.names(known.layout.row).closed = True
    yield from ((waiting[id_], item) for id_, item in world.headers.items())


def _reader(known: Known, world: World) -> OrderLines | RowTable:
    layout = known.layout
    if layout.source:
        world.notes.add("dialect", file=known.table.name, name=layout.name, source=layout.source)
    kind = OrderLines if layout.row == ORDER_LINES else RowTable
    return kind(known.table, layout, known.written, world)


def _set_aside(known: Known, world: World) -> bool:
    """Whether a table has no records: one of codes and names, which is read, or one that nobody needs."""
    if known.layout.row == LOOKUP:
        world.lookups[known.layout.lookup] = _look_up(known)
    elif known.layout.row == NOTHING:
        world.notes.add("nothing", file=known.table.name, name=known.layout.name)
    return known.layout.row in (LOOKUP, NOTHING)


def _look_up(known: Known) -> dict[str, str]:
    columns = find_columns(known.table, known.layout)
    places = {target: place for place, column in columns.items() for target in column.to}
    rows = (cells for _, cells in known.table.rows() if not isinstance(cells, BadRow))
    return {plain(cells[places["key"]]): plain(cells[places["value"]]) for cells in rows}
