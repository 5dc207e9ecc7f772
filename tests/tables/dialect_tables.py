"""Tables of every dialect, made from values, in any form that a system may write them in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from crmplugin.tables.columns import NULLS
from crmplugin.tables.numbers import FORMATS
from crmplugin.tables.reading import Source
from crmplugin.tables.take import Known, take, understand
from crmplugin.tables.world import Taken, World

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
DATES: dict[str, Callable[[date], str]] = {
    "ymd": lambda d: f"{d.year:04d}-{d.month:02d}-{d.day:02d}",
    "dmy": lambda d: f"{d.day:02d}/{d.month:02d}/{d.year:04d}",
    "mdy": lambda d: f"{d.month:02d}/{d.day:02d}/{d.year:04d}",
}
NAME = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzÄÖÜéñ '\"&;,.\n"), min_size=1, max_size=20).filter(
    lambda name: " ".join(name.split()).casefold() not in NULLS
)
"""A name as people write it: with quotes, commas and line breaks, all of which Windows-1252 has."""
ID = st.from_regex(r"[A-Z]{2}-[0-9]{1,6}", fullmatch=True)
AMOUNT = st.decimals(Decimal("0.01"), Decimal("99999999"), places=2)
DAY = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@dataclass(frozen=True)
class Form:
    """How a system writes a table."""

    delimiter: str = ","
    encoding: str = "utf-8"
    number: str = "1,234.50"
    order: str = "ymd"
    quoting: int = csv.QUOTE_MINIMAL
    end: str = "\r\n"

    def amount(self, value: Decimal) -> str:
        group, point = FORMATS[self.number]
        return f"{value:,.2f}".replace(",", "\1").replace(".", point).replace("\1", group)

    def day(self, value: date) -> str:
        return DATES[self.order](value)

    def write(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter, quoting=self.quoting, lineterminator=self.end)
        writer.writerow(headings)
        writer.writerows(rows)
        return text.getvalue().encode(self.encoding)


FORMS = st.builds(
    Form,
    delimiter=st.sampled_from([",", ";", "\t"]),
    encoding=st.sampled_from(ENCODINGS),
    number=st.sampled_from(list(FORMATS)),
    order=st.sampled_from(list(DATES)),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\r\n", "\n"]),
)


def understand_bytes(data: bytes) -> Known:
    """A table that must be understood without a mapping file."""
    found = understand(Source("some.csv", lambda: io.BytesIO(data)), [])
    assert isinstance(found, Known), found
    return found


def empty_world() -> World:
    return World(named=lambda collection: [], exist=lambda targets: set())


def records(data: bytes, world: World | None = None) -> dict[str, dict[str, dict[str, object]]]:
    """Collection -> id -> record of a table all of whose rows must be taken."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for _, item in take([understand_bytes(data)], world or empty_world()):
        assert isinstance(item, Taken), item
        for collection, doc in item.docs:
            found.setdefault(collection, {})[doc["id"]] = doc
    return found
