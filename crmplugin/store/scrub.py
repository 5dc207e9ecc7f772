"""Takes what names a person out of every text of a connection, in every table that there is.

The tables are found by the schema, not by a list, so that a new one is covered. Those that are left alone are named,
with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Column, Connection, String, Table, Text, cast, or_, select, update

from crmplugin.store.database import metadata
from crmplugin.store.record_writes import chunks

ERASED = "[erased]"
LEFT_ALONE: Mapping[str, str] = {
    "audit": "its personal parts are sealed with the person's key; the rest holds none",
    "audit_head": "numbers and hashes",
    "person_keys": "sealed; the person's row is deleted",
    "suppressions": "hashes, which are there to outlive an erasure",
    "vault": "sealed credentials",
    "tokens": "hashes and names that an admin gave",
    "sign_in_links": "hashes",
    "sessions": "hashes, and names of colleagues",
    "sign_in_failures": "hashes and counts",
    "idempotency": "keys of the caller, hashes and ids",
    "leases": "processes",
    "limits": "counts",
    "spending": "counts, and names of colleagues",
    "imports": "counts",
    "record_revisions": "counts",
    "contact_links": "deleted with the contact's record",
    "addresses": "deleted with the contact's record",
}
LONG = 255
"""Columns of fewer characters hold codes, ids of ours and times."""
VIA: Mapping[str, str] = {"draft": "drafts", "campaign": "campaigns"}
"""Column -> the table that knows the connection of a row that has none itself."""


class Marks:
    """Texts that name a person (mail address, number, name, postal address), and how to find them."""

    def __init__(self, texts: Collection[str]) -> None:
        plain = sorted({text.strip() for text in texts if len(text.strip()) > 2}, key=len, reverse=True)
        # JSON of the database may hold letters beyond ASCII as escapes.
        self.texts = list(dict.fromkeys([*plain, *(json.dumps(text)[1:-1] for text in plain)]))
        words = "|".join(re.escape(text) for text in self.texts)
        self._pattern = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE) if words else None

    def __bool__(self) -> bool:
        return bool(self.texts)

    def stand_in(self, text: str) -> bool:
        """Whether one of them stands in a text as a word of its own."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def out_of(self, text: str) -> str:
        """The text without them."""
        return text if self._pattern is None else self._pattern.sub(ERASED, text)

    def found_in(self, column: Any) -> Any:
        """The condition that one of them may stand in a column."""
        return or_(*(cast(column, Text).icontains(text, autoescape=True) for text in self.texts))


def scrub(db: Connection, connection: str, marks: Marks) -> dict[str, int]:
    """Takes the marks out of every text of a connection; gives back the number of changed values by table."""
    if not marks:
        return {}
    done = {table.name: _scrub_table(db, table, connection, marks) for table in scrubbed_tables()}
    return {name: n for name, n in done.items() if n}


def scrubbed_tables() -> Iterator[Table]:
    """The tables that are looked through."""
    return (table for name, table in sorted(metadata.tables.items()) if name not in LEFT_ALONE)


def of_connection(table: Table, connection: str) -> Any:
    """The condition for the rows of a table that belong to a connection."""
    if "connection" in table.c:
        return table.c.connection == connection
    column, parent = next((table.c[name], metadata.tables[of]) for name, of in VIA.items() if name in table.c)
    return column.in_(select(parent.c.id).where(parent.c.connection == connection))


def _scrub_table(db: Connection, table: Table, connection: str, marks: Marks) -> int:
    mine, changed = of_connection(table, connection), 0
    for column in _texts(table):
        key = list(table.primary_key)
        found = db.execute(select(*key, cast(column, Text).label("_text")).where(mine, marks.found_in(column))).all()
        for row in found:
            clean = marks.out_of(row._mapping["_text"])
            if clean != row._mapping["_text"]:
                where = [one == value for one, value in zip(key, row, strict=False)]
                value = json.loads(clean) if isinstance(column.type, JSON) else clean
                db.execute(update(table).where(*where).values({column: value}))
                changed += 1
    return changed


def _texts(table: Table) -> list[Column[Any]]:
    """Columns that may hold a text of somebody: neither keys nor short codes."""
    return [column for column in table.columns if not column.primary_key and _is_free(column)]


def _is_free(column: Column[Any]) -> bool:
    if isinstance(column.type, JSON):
        return True
    return isinstance(column.type, String) and (column.type.length or LONG) >= LONG


def delete_where(db: Connection, table: Table, column: str, ids: Iterable[str]) -> int:
    """Deletes the rows that name one of these ids."""
    return sum(db.execute(table.delete().where(table.c[column].in_(some))).rowcount for some in chunks(ids))


def rewrite(db: Connection, table: Table, where: Sequence[Any], change: Callable[[Any], Mapping[str, Any]]) -> int:
    """Changes rows one by one; gives back how many."""
    rows = db.execute(select(table).where(*where)).all()
    for row in rows:
        key = [column == row._mapping[column] for column in table.primary_key]
        db.execute(update(table).where(*key).values(**change(row)))
    return len(rows)
