"""Tables of order lines: rows are grouped into the orders they belong to, in memory that holds only open orders.

Half a million lines repeat the same customers, products, days and prices, so each different text is read and checked
once, and a row that comes after costs three look-ups. An order is the rows that share number, customer and day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from crmplugin.domain.records import MAX_LIST_LENGTH, Document, Target, check_record, targets
from crmplugin.errors import RecordProblem
from crmplugin.tables.columns import Written
from crmplugin.tables.headings import fold
from crmplugin.tables.layout import Layout
from crmplugin.tables.numbers import SIGNS
from crmplugin.tables.parts import finish
from crmplugin.tables.reading import BadRow, Table
from crmplugin.tables.rows import CellReader, RowProblem
from crmplugin.tables.world import Item, Taken, World

REMEMBERED = 300_000
"""Different texts of one part of a row whose reading is kept."""
NO_CUSTOMER = "no customer: an order that is nobody's cannot be used for anyone"
TOO_LONG = f"an order has at most {MAX_LIST_LENGTH:,} lines"


@dataclass(slots=True, eq=False)
class Buying:
    """One order on its way. `doc` is what its first row says; of its `count` lines, `left` are to come."""

    number: str
    company: str | None
    day: str
    doc: Document
    count: int = 0
    left: int = 0
    lines: list[Document] = field(default_factory=list)

    def targets(self) -> set[Target]:
        return targets("orders", self.doc)


@dataclass(slots=True, eq=False)
class Good:
    """What a line is of, by id and name. Without an id: a service, whose code stands as its name, or nothing."""

    id: str
    name: str
    count: int = 0

    def targets(self) -> set[Target]:
        return set()


@dataclass(slots=True, eq=False)
class Line:
    """One line without its product."""

    doc: Document
    count: int = 0

    def targets(self) -> set[Target]:
        return {("products", self.doc["product_id"])} if "product_id" in self.doc else set()


class _Part(dict[Any, Any]):
    """One part of a row: cells -> what they say, or the RowProblem that they are."""

    def __init__(self, places: Sequence[int], read: Callable[[list[str]], Any], width: int) -> None:
        self._places, self._read, self._width = tuple(places), read, width
        self.key: Callable[[list[str]], Any] = itemgetter(*places) if places else _nothing

    def of(self, rows: Iterable[list[str]]) -> Iterator[Any]:
        """What each row says, as it is asked for."""
        return map(self.__getitem__, map(self.key, rows))

    def __missing__(self, key: Any) -> Any:
        cells = [""] * self._width
        for place, cell in zip(self._places, (key,) if len(self._places) == 1 else key, strict=True):
            cells[place] = cell
        try:
            value = self._read(cells)
        except RowProblem as problem:
            value = problem
        if len(self) < REMEMBERED:
            self[key] = value
        return value


def _nothing(cells: list[str]) -> tuple[()]:
    return ()


class OrderLines:
    """A table of order lines."""

    def __init__(self, table: Table, layout: Layout, written: Mapping[int, Written], world: World) -> None:
        self._table, self._layout, self._world, self._file = table, layout, world, table.name
        self._reader = CellReader(table, layout, written, world)
        fills = self._reader.fills
        names_company = any(fill.part == "companies" or fill.name == "company_id" for fill in fills)
        self.joins = not names_company and not layout.keep_without_company
        """Whether the orders themselves stand in another table."""
        self._used = {fill.place for fill in fills}
        self._signs = {sign for fill in fills if fill.part == "lines" for sign in fill.signs}
        self._currency = self._find_currency()
        self._heads = self._part(self._read_buying, "orders", "companies")
        self._lines = self._part(self._read_line, "lines")
        self._goods = self._part(self._read_good, "products")
        self._buyers = self._part(self._read_company, "companies")
        self._orders: dict[tuple[str, str | None, str], Buying] = {}
        self._products: dict[tuple[str, str], Good] = {}
        self._companies: dict[str, Document] = {}
        self._conflicts: set[tuple[str, str]] = set()
        self._named: set[Target] = set()
        self._absent: set[Target] = set()

    def _part(self, read: Callable[[list[str]], Any], *parts: str) -> _Part:
        places = sorted({fill.place for fill in self._reader.fills if fill.part in parts})
        return _Part(places, read, len(self._table.headings))

    # First: what all rows tell together

    def gather(self) -> None:
        """Reads every row: customers, products by their most frequent name, and how many lines each order has."""
        self._count()
        self._world.settle(self._named)
        self._absent = {target for target in self._named if self._world.is_absent(target)}
        if self._absent or any(order.count > MAX_LIST_LENGTH for order in self._orders.values()):
            self._refuse()
            self._count()
        self._tell()

    def _count(self) -> None:
        """Counts, for each order, product and line, the rows in which all three can be read."""
        for counted in (*self._orders.values(), *self._products.values(), *self._lines.values()):
            if not isinstance(counted, RowProblem):
                counted.count = 0
        for block in self._table.blocks():
            for head, line, good in self._parts_of(block.rows):
                if type(head) is Buying and type(line) is Line and type(good) is Good:
                    head.count += 1
                    line.count += 1
                    good.count += 1

    def _parts_of(self, rows: Sequence[list[str]]) -> Iterator[tuple[Any, Any, Any]]:
        """Order, line and product of each row; each may be a RowProblem."""
        return zip(self._heads.of(rows), self._lines.of(rows), self._goods.of(rows), strict=True)

    def _refuse(self) -> None:
        """Turns what names an absent record, and orders that are too long, into the reason why."""
        for part in (self._heads, self._lines):
            for key, value in part.items():
                if not isinstance(value, RowProblem):
                    part[key] = self._judged(value)

    def _judged(self, value: Any) -> Any:
        if isinstance(value, Buying) and value.count > MAX_LIST_LENGTH:
            return RowProblem("", TOO_LONG)
        named = {("orders", value.number)} if self.joins and isinstance(value, Buying) else value.targets()
        for collection, id_ in sorted(named & self._absent):
            return RowProblem("", f"names {id_!r}, which is neither in these files nor in the store ({collection})")
        return value

    def _tell(self) -> None:
        notes, orders = self._world.notes, [order for order in self._orders.values() if order.count]
        lines = [line for line in self._lines.values() if type(line) is Line]
        notes.add("returns", sum(n.count for n in lines if n.doc.get("quantity", "")[:1] == "-"), file=self._file)
        notes.add("free", sum(n.count for n in lines if n.doc.get("unit_price") == "0"), file=self._file)
        for good in self._products.values():
            if not good.id and good.name:
                notes.add("service", good.count, file=self._file, what=good.name)
        if not self._signs and not self.joins and not self._layout.currency:
            note = "seller_currency" if self._currency else "no_currency"
            notes.add(note, len(orders), file=self._file, currency=self._currency)
        for place, heading in enumerate(self._table.headings):
            if heading and place not in self._used:
                notes.add("dropped", file=self._file, heading=heading)

    # The parts of a row, each different text once

    def _read_buying(self, cells: list[str]) -> Any:
        doc = self._read_part(cells, "orders")
        number = doc.pop("id", None) or doc.get("number")
        if not number:
            raise RowProblem("", "no number of an order")
        if self.joins:
            self._named.add(("orders", number))
            return self._begun(Buying(number, None, "", {}))
        buyer = self._buyers[self._buyers.key(cells)]
        if isinstance(buyer, RowProblem):
            raise buyer
        company: str | None = buyer or doc.get("company_id")
        if not company and not self._layout.keep_without_company:
            raise RowProblem("", NO_CUSTOMER)
        if self._currency:
            doc.setdefault("currency", self._currency)
        doc = _checked(
            "orders", {"id": number, "number": number, **doc, **({"company_id": company} if company else {})}
        )
        if company and company not in self._companies:
            self._named.add(("companies", company))
        day = doc.get("ordered_at", "")[:10]
        return self._begun(Buying(number, company, day, doc))

    def _begun(self, order: Buying) -> Any:
        """The order of this number, customer and day that came first."""
        return self._judged(self._orders.setdefault((order.number, order.company, order.day), order))

    def _read_part(self, cells: list[str], part: str) -> Document:
        return finish(part, self._reader.read_part(cells, part))

    def _read_company(self, cells: list[str]) -> str | None:
        doc = self._read_part(cells, "companies")
        if not doc.get("id") and doc.get("name"):
            id_, known = self._world.resolve("companies", doc["name"], self._file)
            doc = {"id": id_} if known else {**doc, "id": id_}
        if not doc.get("id"):
            return None
        self._merge_company(_checked("companies", doc))
        return str(doc["id"])

    def _merge_company(self, doc: Document) -> None:
        """Adds what one row says of a customer; what two rows say differently is not taken."""
        kept = self._companies.setdefault(doc["id"], {"id": doc["id"]})
        for name, value in doc.items():
            if (doc["id"], name) not in self._conflicts and kept.setdefault(name, value) != value:
                del kept[name]
                self._conflicts.add((doc["id"], name))
                self._world.notes.add("conflict", file=self._file, what="company", field=name)

    def _read_good(self, cells: list[str]) -> Good:
        doc = self._read_part(cells, "products")
        id_, name = doc.get("id") or doc.get("sku") or "", doc.get("name") or ""
        if not id_ and name:
            found, known = self._world.resolve("products", name, self._file)
            id_, name = found or "", "" if known else name
        elif fold(id_) in self._layout.services:
            id_, name = "", id_
        elif id_:
            _checked("products", {"id": id_, "name": name} if name else {"id": id_})
        return self._products.setdefault((id_, name), Good(id_, name))

    def _read_line(self, cells: list[str]) -> Any:
        doc = self._read_part(cells, "lines")
        _checked("orders", {"id": "-", "lines": [doc]})
        if doc.get("unit_price", "").startswith("-"):
            raise RowProblem("", "a price below zero: a correction and no sale")
        line = Line(doc)
        self._named |= line.targets()
        return self._judged(line)

    def _find_currency(self) -> str:
        """The currency of all prices: of their one sign, else of the mapping file or the seller."""
        ours = self._layout.currency or self._world.currency
        if not self._signs:
            return "" if self.joins else ours
        meant = {SIGNS.get(sign, (sign,)) for sign in self._signs}
        for known in meant if len(meant) == 1 else ():
            if len(known) == 1 or ours in known:
                return known[0] if len(known) == 1 else ours
        for sign in sorted(self._signs):
            self._world.notes.add("sign", file=self._file, cell=sign)
        return ""

    # Then: the records

    def items(self) -> Iterator[Item]:
        """Customers and products, then order by order, and the rows that cannot be taken."""
        yield from self._items_beside()
        shared = _repeated(order.number for order in self._orders.values() if order.count)
        for order in self._orders.values():
            order.left = order.count
        for block in self._table.blocks():
            yield from block.bad
            parts = self._parts_of(block.rows)
            for row, cells, (head, line, good) in zip(block.lines, block.rows, parts, strict=True):
                if type(head) is not Buying or type(line) is not Line or type(good) is not Good:
                    yield _refusal(row, cells, (head, good, line))
                    continue
                head.lines.append({"product_id": good.id, **line.doc} if good.id else line.doc)
                head.left -= 1
                if not head.left:
                    yield self._order(row, head, shared)

    def _items_beside(self) -> Iterator[Item]:
        buyers = {order.company for order in self._orders.values() if order.count}
        for id_, doc in sorted(self._companies.items()):
            if id_ in buyers and (len(doc) > 1 or ("companies", id_) not in self._world.made):
                self._world.made.add(("companies", id_))
                yield Taken(0, (), (("companies", doc),))
        for id_, name in sorted(_best_names(self._products.values()).items()):
            if ("products", id_) not in self._world.made:
                self._world.made.add(("products", id_))
                yield Taken(0, (), (("products", {"id": id_, "name": name} if name else {"id": id_}),))

    def _order(self, row: int, order: Buying, shared: set[str]) -> Taken:
        """The order with its lines; without them it is as its first row says, or as the table of orders does."""
        lines, order.lines = order.lines, []
        if self.joins:
            waiting = self._world.headers.pop(order.number, None)
            return Taken(
                row, (), (("orders", {**(waiting.docs[0][1] if waiting else {"id": order.number}), "lines": lines}),)
            )
        parts = (order.number, order.company or "", order.day)
        id_ = "/".join(filter(None, parts)) if order.number in shared else order.number
        self._world.made.add(("orders", id_))
        return Taken(row, (), (("orders", {**order.doc, "id": id_, "lines": lines}),))


def _best_names(goods: Iterable[Good]) -> dict[str, str]:
    """Id -> the name that most rows give; of equally frequent ones the first in the alphabet."""
    best: dict[str, tuple[int, str]] = {}
    for good in sorted(goods, key=lambda good: good.name):
        n = good.count if good.name else 0
        if good.id and good.count and n > best.get(good.id, (-1, ""))[0]:
            best[good.id] = (n, good.name)
    return {id_: name for id_, (_, name) in best.items()}


def _repeated(numbers: Iterable[str]) -> set[str]:
    return {number for number, n in Counter(numbers).items() if n > 1}


def _refusal(row: int, cells: Sequence[str], parts: Sequence[Any]) -> BadRow:
    """The row with the first reason."""
    problem = next(part for part in parts if type(part) is RowProblem)
    return BadRow(row, f"{problem.key}: {problem.reason}" if problem.key else problem.reason, tuple(cells))


def _checked(collection: str, doc: Document) -> Document:
    try:
        return check_record(collection, doc)
    except RecordProblem as problem:
        raise RowProblem(problem.key, str(problem).removeprefix(f"{problem.key}: ")) from None
