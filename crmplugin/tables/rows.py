"""Tables whose rows are records: each row becomes the record it is, with those it names beside it.

A table is gone through twice: `gather` collects what many rows tell together (the company of fifty deals), `items`
gives row by row what is to be stored. A row counts as a whole: what cannot be read in it refuses all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.domain.records import Document, Target, check_record, targets
from crmplugin.errors import RecordProblem
from crmplugin.tables.columns import NULLS, Read, Unreadable, Written, find_columns, kinds_of, reader_of
from crmplugin.tables.dates import NOON
from crmplugin.tables.headings import fold, plain, private_key
from crmplugin.tables.layout import KEEP, Column, Layout
from crmplugin.tables.numbers import SIGNS, part
from crmplugin.tables.parts import MONEY, ORDER_OF_PARTS, Parts, finish, full_name, is_closed, link, natural_id
from crmplugin.tables.reading import BadRow, Table
from crmplugin.tables.targets import fields_of
from crmplugin.tables.world import (
    SINGULAR,
    Item,
    Taken,
    World,
    country_names,
    did_you_mean,
    near_word,
    word_list,
)

KIND_NAMES = {"money": "an amount", "number": "a number", "date": "a day", "time": "a time"}


class RowProblem(Exception):
    """A row cannot be taken: which column, and why."""

    def __init__(self, key: str, reason: str) -> None:
        self.key, self.reason = key, reason
        super().__init__(f"{key}: {reason}")


@dataclass(frozen=True, slots=True)
class Fill:
    """One column on its way to one field."""

    place: int
    heading: str
    part: str
    name: str
    read: Read
    signs: frozenset[str]
    is_word: bool
    """Whether it is one of our words, which other systems extend as they like."""


class CellReader:
    """Reads the cells of a row into parts, as the layout says and the columns are written."""

    def __init__(self, table: Table, layout: Layout, written: Mapping[int, Written], world: World) -> None:
        self._file, self._layout, self._world = table.name, layout, world
        self.zone: tzinfo = ZoneInfo(layout.timezone) if layout.timezone else world.zone
        self._zone_name = layout.timezone or world.zone_name
        self._kept: list[tuple[int, str]] = []
        self.fills: list[Fill] = []
        found = find_columns(table, layout)
        for place, column in found.items():
            self._add(place, table.headings[place], column, written.get(place, Written()))
        if layout.others == "keep":
            self._kept += [(n, private_key(h)) for n, h in enumerate(table.headings) if n not in found and h]

    def _add(self, place: int, heading: str, column: Column, written: Written) -> None:
        if KEEP in column.to or not written.readable:
            self._kept.append((place, private_key(heading)))
        if not written.readable:
            wanted = next(KIND_NAMES[k] for k in sorted(kinds_of(column)) if k in KIND_NAMES)
            self._world.notes.add("unreadable", file=self._file, heading=heading, wanted=wanted)
            return
        if "time" in kinds_of(column):
            note = "zone" if written.clocks else "noon"
            self._world.notes.add(note, file=self._file, heading=heading, zone=self._zone_name)
        for target in column.to:
            if "." in target:
                part_, _, name = target.partition(".")
                read = reader_of(column, target, written, self.zone)
                if column.lookup:
                    read = self._looked_up(read, column.lookup)
                is_word = fields_of(part_.partition("/")[0])[name] == "words"
                self.fills.append(Fill(place, heading, part_, name, read, written.signs, is_word))

    def _looked_up(self, read: Read, lookup: str) -> Read:
        """Reads codes as their names where the table of names is among the files; else as they stand."""
        names = self._world.lookups.get(lookup, {})
        return lambda cell: names.get(plain(cell)) or read(cell)

    def read_part(self, cells: list[str], name: str) -> Document:
        """One part of a row."""
        return self.read(cells, [fill for fill in self.fills if fill.part == name]).get(name, {})

    def read(self, cells: list[str], fills: Sequence[Fill] | None = None) -> Parts:
        """The parts of a row (of these columns alone), without their ids and links. Raises RowProblem."""
        parts: Parts = {}
        for fill in self.fills if fills is None else fills:
            cell = cells[fill.place]
            value = self._value(fill, cell) if cell else None
            if value is not None:
                doc = parts.setdefault(fill.part, {})
                doc.setdefault(fill.name, value)
                if fill.signs and fill.name in MONEY.get(fill.part, ()):
                    self._take_sign(doc, cell)
            elif cell and fill.name == "country":
                self._keep_country(parts.setdefault(fill.part, {}), fill, cell)
            elif cell and fill.is_word and not self._is_said_to_be_nothing(cell):
                parts.setdefault(fill.part, {})[f"x_{fill.name}"] = plain(cell)
        for target, constant in self._layout.set.items():
            part_, _, name = target.partition(".")
            if part_ in parts:
                parts[part_].setdefault(name, constant)
        for part_, doc in parts.items():
            self._set_currency(part_, doc)
        return parts

    def private(self, cells: list[str]) -> Document:
        """The columns that have no place, under their `x_` keys."""
        return {key: cells[place] for place, key in self._kept if cells[place].strip()}

    def _value(self, fill: Fill, cell: str) -> Any:
        try:
            value = fill.read(cell)
        except Unreadable as problem:
            if fill.is_word:
                self._world.notes.add("word", file=self._file, cell=plain(cell), heading=fill.heading)
                return None
            raise RowProblem(fill.heading, f"expected {problem}, got {cell[:80]!r}") from None
        if fill.name == "industry" and value and (near := near_word(value, word_list("industries")["industry"])):
            self._world.notes.add("near_word", file=self._file, cell=value, heading=fill.heading, near=near)
        return value

    def _keep_country(self, doc: Document, fill: Fill, cell: str) -> None:
        if not self._is_said_to_be_nothing(cell):
            near = get_close_matches(plain(cell), country_names(), n=1, cutoff=0.8)
            suggestion = did_you_mean(near)
            self._world.notes.add(
                "country", file=self._file, cell=plain(cell), heading=fill.heading, suggestion=suggestion
            )
            doc["x_country"] = plain(cell)

    def _is_said_to_be_nothing(self, cell: str) -> bool:
        """Whether the cell, or the layout's word for it, means that nobody knows."""
        meant = next((c.values[fold(cell)] for c in self._layout.columns if fold(cell) in c.values), cell)
        return meant.strip().casefold() in NULLS

    def _take_sign(self, doc: Document, cell: str) -> None:
        sign = part(cell).sign
        if not sign or doc.get("currency"):
            return
        known = SIGNS.get(sign) or ((sign.upper(),) if len(sign) == 3 and sign.isalpha() and sign.isupper() else ())
        ours = self._layout.currency or self._world.currency
        if len(known) == 1 or ours in known:
            doc["currency"] = known[0] if len(known) == 1 else ours
        else:
            doc["currency"] = None
            self._world.notes.add("sign", file=self._file, cell=sign)

    def _set_currency(self, part_: str, doc: Document) -> None:
        """The currency of amounts that name none: what the mapping file or the seller says."""
        if "currency" in doc:
            if doc["currency"] is None:
                del doc["currency"]
        elif any(key in doc for key in MONEY.get(part_, ())):
            ours = self._layout.currency or self._world.currency
            if ours:
                doc["currency"] = ours
                if not self._layout.currency:
                    self._world.notes.add("seller_currency", file=self._file, currency=ours)
            else:
                self._world.notes.add("no_currency", file=self._file)


class RowTable:
    """A table whose rows are records of one collection, `layout.row`."""

    def __init__(self, table: Table, layout: Layout, written: Mapping[int, Written], world: World) -> None:
        self._table, self._layout, self._world = table, layout, world
        self._file = table.name
        self._reader = CellReader(table, layout, written, world)
        self._parts = {fill.part for fill in self._reader.fills}
        self._closes = any(column.closes for column in layout.columns)
        self._beside: dict[Target, Document] = {}
        self._conflicts: set[tuple[Target, str]] = set()
        self._seen: dict[str, tuple[int, int]] = {}

    def gather(self) -> None:
        """Reads every row once: what rows tell together, and which records they name."""
        named: set[Target] = set()
        own: set[Target] = set()
        for line, cells in self._table.rows():
            if isinstance(cells, BadRow):
                continue
            try:
                principal, beside = self._records(line, cells)
            except RowProblem:
                continue
            for collection, doc in (*beside, *((self._layout.row, doc) for doc in principal)):
                named |= targets(collection, doc)
            own.update((self._layout.row, doc["id"]) for doc in principal)
            for collection, doc in beside:
                self._merge((collection, doc["id"]), doc)
        self._world.settle(named - self._beside.keys() - own)
        self._seen.clear()

    def items(self) -> Iterator[Item]:
        """What to store, row by row, and the rows that cannot be."""
        self._world.notes.silent = True
        yield from self._items_beside()
        for line, cells in self._table.rows():
            yield from (cells,) if isinstance(cells, BadRow) else self._item(line, cells)
        yield from self._items_beside()
        self._world.notes.silent = False

    def _items_beside(self) -> Iterator[Item]:
        """The records beside the rows: at first those that name no row, when all rows are given the rest."""
        rank = {collection: n for n, collection in enumerate(ORDER_OF_PARTS)}
        for (collection, id_), doc in sorted(self._beside.items(), key=lambda e: rank.get(e[0][0], len(rank))):
            if all(self._is_there(target) for target in targets(collection, doc)):
                del self._beside[collection, id_]
                self._enter(collection, id_, doc)
                yield Taken(0, (), ((collection, doc),))

    def _is_there(self, target: Target) -> bool:
        """Whether a record is stored already, or was given before."""
        return target in self._world.made or (target[0] != self._layout.row and not self._world.is_absent(target))

    def _item(self, line: int, cells: list[str]) -> Iterator[Item]:
        try:
            principal, beside = self._records(line, cells)
            for doc in principal:
                self._check_targets(doc)
        except RowProblem as problem:
            yield BadRow(line, f"{problem.key}: {problem.reason}" if problem.key else problem.reason, tuple(cells))
            return
        for doc in principal:
            self._enter(self._layout.row, doc["id"], doc)
        if principal:
            yield Taken(line, tuple(cells), tuple((self._layout.row, doc) for doc in principal))

    def _enter(self, collection: str, id_: str, doc: Document) -> None:
        """Makes a record known to the rows and tables that follow."""
        self._world.made.add((collection, id_))
        if collection in SINGULAR:
            name = full_name(doc) if collection == "contacts" else doc.get("name")
            if name:
                self._world.names(collection).add(name, id_, doc.get("company_id"))

    def _check_targets(self, doc: Document) -> None:
        for collection, id_ in targets(self._layout.row, doc):
            if self._world.is_absent((collection, id_)):
                raise RowProblem("", f"names {id_!r}, which is neither in these files nor in the store ({collection})")

    # One row

    def _records(self, line: int, cells: list[str]) -> tuple[list[Document], list[tuple[str, Document]]]:
        """The record the row is (none when it repeats another row), and those beside it, checked. Raises RowProblem."""
        parts = self._reader.read(cells)
        parts.setdefault(self._layout.row, {}).update(self._reader.private(cells))
        ids = self._identify(parts)
        own = parts[self._layout.row]
        self._note_blanks(own, ids)
        docs = [(name.partition("/")[0], doc) for name, doc in parts.items() if name != self._layout.row and doc]
        checked = [(collection, _checked(collection, doc)) for collection, doc in docs if doc.get("id")]
        principal = _checked(self._layout.row, own)
        beside = [each for each in checked if len(each[1]) > 1 or self._is_new(each)]
        return ([] if self._repeats(line, principal) else [principal]), beside

    def _identify(self, parts: Parts) -> dict[str, str | None]:
        """Gives every part its id and its links; the parts that others name come first."""
        ids: dict[str, str | None] = {}
        rank = {name: n for n, name in enumerate(ORDER_OF_PARTS)}
        for name in sorted(parts, key=lambda part_: (rank.get(part_, len(rank)), part_)):
            collection = name.partition("/")[0]
            doc = parts[name] = finish(collection, parts[name])
            link(collection, doc, ids, row=self._layout.row)
            if collection == "deals":
                self._finish_deal(doc)
            ids[name] = self._id_of(name, collection, doc)
            if ids[name] is None and doc.get("name"):
                parts[self._layout.row][f"x_{SINGULAR[collection]}"] = doc["name"]
        return ids

    def _id_of(self, name: str, collection: str, doc: Document) -> str | None:
        if name == self._layout.row:
            doc["id"] = doc.get("id") or self._own_id(collection, doc)
        elif not doc.get("id"):
            doc["id"] = self._joined_id(collection, doc)
        return doc.get("id")

    def _own_id(self, collection: str, doc: Document) -> str:
        id_ = natural_id(collection, doc)
        if not id_:
            raise RowProblem("", f"says neither the id nor the name of the {collection} it is")
        return id_

    def _joined_id(self, collection: str, doc: Document) -> str | None:
        """The id of a record that is named beside the row's own; None when that is not certain, or nobody is named."""
        if collection in ("companies", "users", "products") and not doc.get("sku"):
            name = doc.get("name")
            id_, known = self._world.resolve(collection, name, self._file) if name else (None, False)
            if known:
                # It may be written otherwise here than where it is kept.
                del doc["name"]
            return id_
        if collection == "contacts":
            full = full_name(doc)
            known_id = self._world.find_contact(full, doc.get("company_id")) if full else None
            if known_id or not (full or doc.get("email")):
                return known_id
        return natural_id(collection, doc)

    def _is_new(self, each: tuple[str, Document]) -> bool:
        return (each[0], each[1]["id"]) not in self._world.made

    def _finish_deal(self, doc: Document) -> None:
        if self._closes and is_closed(doc) and doc.get("close_date") and not doc.get("closed_at"):
            at = datetime.combine(date.fromisoformat(doc["close_date"]), NOON, self._reader.zone)
            # What was expected of a deal that is closed is no longer expected.
            doc.update(closed_at=at.isoformat().replace("+00:00", "Z"), close_date=None)
        zeros = next((c.zero for c in self._layout.columns if "deals.amount" in c.to), "")
        if zeros == "absent_unless_won" and doc.get("amount") == "0" and doc.get("status") != "won":
            del doc["amount"]
        if doc.get("stage") and not doc.get("stage_kind"):
            self._world.notes.add("stage", file=self._file, cell=doc["stage"])

    def _note_blanks(self, own: Document, ids: Mapping[str, str | None]) -> None:
        if "companies" in self._parts and self._layout.row != "companies" and not ids.get("companies"):
            self._world.notes.add("blank", file=self._file, what="company")

    def _repeats(self, line: int, doc: Document) -> bool:
        """Whether a row before said the same of this record. Raises RowProblem if it said something else."""
        first, told = self._seen.setdefault(doc["id"], (line, hash(repr(sorted(doc.items())))))
        if first == line:
            return False
        if told != hash(repr(sorted(doc.items()))):
            raise RowProblem("", f"{doc['id']!r} stands already in line {first}, with other values")
        self._world.notes.add("repeated", file=self._file)
        return True

    def _merge(self, key: Target, doc: Document) -> None:
        """Adds what one row says of a record beside it; what two rows say differently is not taken."""
        kept = self._beside.setdefault(key, {"id": key[1]})
        for name, value in doc.items():
            if (key, name) in self._conflicts:
                continue
            if kept.setdefault(name, value) != value:
                del kept[name]
                self._conflicts.add((key, name))
                what = SINGULAR.get(key[0], key[0])
                self._world.notes.add("conflict", file=self._file, what=what, field=name)


def _checked(collection: str, doc: Document) -> Document:
    try:
        return check_record(collection, doc)
    except RecordProblem as problem:
        raise RowProblem(problem.key, str(problem).removeprefix(f"{problem.key}: ")) from None
