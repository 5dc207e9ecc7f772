"""Tables of order lines: rows are grouped into the orders they belong to, in memory that holds only open orders.

Half a million lines repeat the same customers, products, days and prices, so each different text is read and checked
once. An order is the rows that share number, customer and day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

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

Product = tuple[str, str]
"""Id and name; no id for a service, whose code stands as its name, and where a line names no product."""
OrderKey = tuple[str, str | None, str]
"""Number, company, day."""


class Line(NamedTuple):
    """One line without its product, and what is to be counted of it."""

    doc: Document
    is_return: bool
    is_free: bool


class Head(NamedTuple):
    """What one row says of its order."""

    number: str
    company: str | None
    day: str
    doc: Document


class _Part(dict[Any, Any]):
    """One part of a row: cells -> what they say, or the RowProblem that they are."""

    def __init__(self, places: Sequence[int], read: Callable[[list[str]], Any], width: int) -> None:
        self._places, self._read, self._width = tuple(places), read, width
        self.key: Callable[[list[str]], Any] = itemgetter(*places) if places else _nothing

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
        self._allows_nobody = layout.keep_without_company or self.joins
        self._used = {fill.place for fill in fills}
        self._signs = {sign for fill in fills if fill.part == "lines" for sign in fill.signs}
        self._currency = self._find_currency()
        self._heads, self._lines = self._part("orders", self._read_head), self._part("lines", self._read_line)
        self._buyers, self._goods = (
            self._part("companies", self._read_company),
            self._part("products", self._read_product),
        )
        self._companies: dict[str, Document] = {}
        self._conflicts: set[tuple[str, str]] = set()
        self._products: Counter[tuple[str, str]] = Counter()
        self._counts: Counter[OrderKey] = Counter()
        self._named: set[Target] = set()
        self._refused: frozenset[Target | OrderKey] = frozenset()
        """Records that rows name and that are nowhere, and orders that are too long."""

    def _part(self, name: str, read: Callable[[list[str]], Any]) -> _Part:
        places = sorted({fill.place for fill in self._reader.fills if fill.part == name})
        return _Part(places, read, len(self._table.headings))

    # First: what all rows tell together

    def gather(self) -> None:
        """Reads every row: customers, products by their most frequent name, and how many lines each order has."""
        returns, free = self._count()
        self._world.settle(self._named)
        absent = {target for target in self._named if self._world.is_absent(target)}
        self._refused = frozenset(absent) | {key for key, n in self._counts.items() if n > MAX_LIST_LENGTH}
        if self._refused:
            returns, free = self._count()
        self._shared = _repeated(number for number, _, _ in self._counts)
        self._tell(returns=returns, free=free)

    def _count(self) -> tuple[int, int]:
        """Counts lines by order and by product; gives how many are returns, and how many are free."""
        counts, products = self._counts, self._products
        counts.clear()
        products.clear()
        returns = free = 0
        for found in self._rows():
            if not isinstance(found, BadRow):
                _, key, _, line, product = found
                counts[key] += 1
                products[product] += 1
                returns += line.is_return
                free += line.is_free
        return returns, free

    def _tell(self, **counted: int) -> None:
        notes = self._world.notes
        for kind, n in counted.items():
            notes.add(kind, n, file=self._file)
        for (id_, code), n in self._products.items():
            if not id_ and code:
                notes.add("service", n, file=self._file, what=code)
        if not self._currency and not self._signs and not self.joins:
            notes.add("no_currency", len(self._counts), file=self._file)
        for place, heading in enumerate(self._table.headings):
            if heading and place not in self._used:
                notes.add("dropped", file=self._file, heading=heading)

    def _rows(self) -> Iterator[tuple[int, OrderKey, Head, Line, Product] | BadRow]:
        """Row by row: the order it belongs to, its line, its product; or why it is refused."""
        heads, lines, buyers, goods, refused = self._heads, self._lines, self._buyers, self._goods, self._refused
        head_key, line_key, buyer_key, goods_key = heads.key, lines.key, buyers.key, goods.key
        for row, cells in self._table.rows():
            if isinstance(cells, BadRow):
                yield cells
                continue
            head, line = heads[head_key(cells)], lines[line_key(cells)]
            buyer, product = buyers[buyer_key(cells)], goods[goods_key(cells)]
            if type(head) is Head and type(line) is Line and type(product) is tuple and type(buyer) is not RowProblem:
                company = buyer or head.company
                if company or self._allows_nobody:
                    key = (head.number, company, head.day)
                    if not refused or (reason := self._missing(key, line)) is None:
                        yield row, key, head, line, product
                    else:
                        yield BadRow(row, reason, tuple(cells))
                    continue
            yield _refusal(row, cells, (head, buyer, product, line))

    def _missing(self, key: OrderKey, line: Line) -> str | None:
        """Why a row that can be read is refused all the same."""
        if key in self._refused:
            return f"an order has at most {MAX_LIST_LENGTH:,} lines"
        named = (("orders", key[0]), ("companies", key[1]), ("products", line.doc.get("product_id")))
        for target in named:
            if target in self._refused:
                return f"names {target[1]!r}, which is neither in these files nor in the store ({target[0]})"
        return None

    # The parts of a row, each different text once

    def _read_part(self, cells: list[str], part: str) -> Document:
        return finish(part, self._reader.read(cells).get(part, {}))

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

    def _read_product(self, cells: list[str]) -> Product:
        doc = self._read_part(cells, "products")
        id_, name = doc.get("id") or doc.get("sku") or "", doc.get("name") or ""
        if not id_ and name:
            found, known = self._world.resolve("products", name, self._file)
            return found or "", "" if known else name
        if fold(id_) in self._layout.services:
            return "", id_
        if id_:
            _checked("products", {"id": id_, "name": name} if name else {"id": id_})
        return id_, name

    def _read_line(self, cells: list[str]) -> Line:
        doc = self._read_part(cells, "lines")
        _checked("orders", {"id": "-", "lines": [doc]})
        price, quantity = doc.get("unit_price", ""), doc.get("quantity", "")
        if price.startswith("-"):
            raise RowProblem("", "a price below zero: a correction and no sale")
        if doc.get("product_id"):
            self._named.add(("products", doc["product_id"]))
        return Line(doc, is_return=quantity.startswith("-"), is_free=price == "0")

    def _read_head(self, cells: list[str]) -> Head:
        doc = self._read_part(cells, "orders")
        number = doc.pop("id", None) or doc.get("number")
        if not number:
            raise RowProblem("", "no number of an order")
        if self.joins:
            self._named.add(("orders", number))
            return Head(number, None, "", {})
        if self._currency:
            doc.setdefault("currency", self._currency)
        doc.setdefault("number", number)
        _checked("orders", {**doc, "id": number})
        self._named.update(targets("orders", doc))
        return Head(number, doc.get("company_id"), doc.get("ordered_at", "")[:10], doc)

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
        left, orders = self._counts, dict[OrderKey, tuple[int, Document]]()
        for found in self._rows():
            if isinstance(found, BadRow):
                yield found
                continue
            row, key, head, line, product = found
            if key not in orders:
                orders[key] = row, self._order(key, head)
            orders[key][1]["lines"].append({"product_id": product[0], **line.doc} if product[0] else line.doc)
            left[key] -= 1
            if not left[key]:
                row, doc = orders.pop(key)
                self._world.made.add(("orders", doc["id"]))
                yield Taken(row, (), (("orders", doc),))

    def _items_beside(self) -> Iterator[Item]:
        for id_, doc in sorted(self._companies.items()):
            if len(doc) > 1 or ("companies", id_) not in self._world.made:
                yield Taken(0, (), (("companies", doc),))
        self._world.made.update(("companies", id_) for id_ in self._companies)
        for id_, name in sorted(_best_names(self._products).items()):
            if ("products", id_) not in self._world.made:
                yield Taken(0, (), (("products", {"id": id_, "name": name} if name else {"id": id_}),))
                self._world.made.add(("products", id_))

    def _order(self, key: OrderKey, head: Head) -> Document:
        """The order without its lines: as its first row says, or as the table of orders does."""
        number, company, day = key
        if self.joins:
            waiting = self._world.headers.pop(number, None)
            return {**(waiting.docs[0][1] if waiting else {"id": number}), "lines": []}
        id_ = "/".join(filter(None, key)) if number in self._shared else number
        doc = {"id": id_, **head.doc}
        return {**doc, "company_id": company, "lines": []} if company else {**doc, "lines": []}


def _best_names(products: Mapping[Product, int]) -> dict[str, str]:
    """Id -> the name that most rows give; of equally frequent ones the first in the alphabet."""
    best: dict[str, tuple[int, str]] = {}
    for (id_, name), n in sorted(products.items()):
        if id_ and (n if name else 0) > best.get(id_, (-1, ""))[0]:
            best[id_] = (n if name else 0, name)
    return {id_: name for id_, (_, name) in best.items()}


def _repeated(numbers: Iterable[str]) -> set[str]:
    return {number for number, n in Counter(numbers).items() if n > 1}


def _refusal(row: int, cells: Sequence[str], parts: Sequence[Any]) -> BadRow:
    """The row with the first reason; without one, nobody is named who bought."""
    problem = next((part for part in parts if type(part) is RowProblem), None)
    if problem is None:
        return BadRow(row, NO_CUSTOMER, tuple(cells))
    return BadRow(row, f"{problem.key}: {problem.reason}" if problem.key else problem.reason, tuple(cells))


def _checked(collection: str, doc: Document) -> Document:
    try:
        return check_record(collection, doc)
    except RecordProblem as problem:
        raise RowProblem(problem.key, str(problem).removeprefix(f"{problem.key}: ")) from None
