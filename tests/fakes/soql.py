"""Reads the part of SOQL that a connector may use, over rows held in memory: enough to be wrong about a wrong query.

Fields, child lists and relations must exist, as in Salesforce, where one unknown name refuses the whole query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]


class Refusal(Exception):
    """A query that Salesforce would refuse, with its code."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


def split(text: str, separator: str) -> list[str]:
    """Parts between separators that are not within brackets or quotes."""
    parts, depth, quoted, begin, n = [], 0, False, 0, 0
    while n < len(text):
        char = text[n]
        quoted ^= char == "'"
        depth += 0 if quoted else (char == "(") - (char == ")")
        if depth == 0 and not quoted and text[n : n + len(separator)].upper() == separator:
            parts.append(text[begin:n].strip())
            n += len(separator)
            begin = n
            continue
        n += 1
    return [*parts, text[begin:].strip()]


def clauses(soql: str) -> dict[str, str]:
    """The parts of a query by their keyword."""
    rest, found = soql, {}
    for word in ("LIMIT", "ORDER BY", "WHERE", "FROM"):
        parts = split(rest, f" {word} ")
        if len(parts) > 2:
            raise Refusal("MALFORMED_QUERY", f"{word} twice")
        if len(parts) == 2:
            rest, found[word] = parts
    if not rest.upper().startswith("SELECT ") or "FROM" not in found:
        raise Refusal("MALFORMED_QUERY", f"unexpected token: {soql[:40]}")
    return found | {"SELECT": rest[7:].strip()}


class Soql:
    """Queries over a store: `rows(object)`, `known(object)` fields, `children(object)`, `related(object, field)`."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def run(self, soql: str, *, deleted_too: bool = False) -> list[Row]:
        parts = clauses(soql)
        kind = parts["FROM"]
        return self._rows(kind, parts, self.store.rows(kind, deleted_too), [])

    def _rows(self, kind: str, parts: Mapping[str, str], rows: list[Row], above: list[str]) -> list[Row]:
        if parts.get("WHERE"):
            keep = self._condition(kind, parts["WHERE"])
            rows = [row for row in rows if keep(row)]
        for part in reversed(split(parts.get("ORDER BY", ""), ",")):
            if part:
                name, _, way = part.partition(" ")
                self._check(kind, name)
                rows = sorted(rows, key=lambda row: str(row.get(name) or ""), reverse=way.strip().upper() == "DESC")
        rows = rows[: int(parts["LIMIT"])] if "LIMIT" in parts else rows
        wanted = split(parts["SELECT"], ",")
        if len(set(wanted)) != len(wanted):
            raise Refusal("INVALID_FIELD", "duplicate field selected")
        return [self._shown(kind, wanted, row) for row in rows]

    def _shown(self, kind: str, wanted: list[str], row: Row) -> Row:
        shown: Row = {"attributes": {"type": kind, "url": f"/services/data/v68.0/sobjects/{kind}/{row['Id']}"}}
        for path in wanted:
            if path.startswith("("):
                name, records = self._child_list(kind, path[1:-1], row)
                shown[name] = self.store.page_of(records) if records else None
                continue
            self._check(kind, path)
            relation, dot, name = path.partition(".")
            if not dot:
                shown[path] = row.get(path)
                continue
            other = self.store.related(kind, relation, row)
            if other is None:
                shown.setdefault(relation, None)
            else:
                shown.setdefault(relation, {"attributes": {"type": "Related"}})[name] = other.get(name)
        return shown

    def _child_list(self, kind: str, soql: str, row: Row) -> tuple[str, list[Row]]:
        parts = clauses(soql)
        name = parts["FROM"]
        known = self.store.children(kind)
        if name not in known or name in self.store.unasked:
            raise Refusal("INVALID_TYPE", f"Didn't understand relationship '{name}' in FROM part of query call")
        child, field = known[name]
        rows = [one for one in self.store.rows(child, False) if one.get(field) == row["Id"]]
        return name, self._rows(child, parts, rows, [kind])

    def _check(self, kind: str, path: str) -> None:
        name, dot, _ = path.partition(".")
        known = self.store.known(kind)
        if name not in known and not (dot and f"{name}Id" in known):
            raise Refusal("INVALID_FIELD", f"No such column '{path}' on entity '{kind}'")

    def _condition(self, kind: str, text: str) -> Callable[[Row], bool]:
        if len(parts := split(text, " AND ")) > 1:
            every = [self._condition(kind, part) for part in parts]
            return lambda row: all(one(row) for one in every)
        if text.startswith("("):
            options = [self._condition(kind, part) for part in split(text[1:-1], " OR ")]
            return lambda row: any(option(row) for option in options)
        found = re.fullmatch(r"([\w.]+)\s*(>=|=|>| IN )\s*(.+)", text, re.DOTALL)
        if not found:
            raise Refusal("MALFORMED_QUERY", f"unexpected token: {text}")
        name, sign, value = found[1], found[2].strip(), found[3].strip()
        self._check(kind, name)
        if sign == "IN":
            allowed = self._values(kind, value[1:-1])
            return lambda row: row.get(name) in allowed
        wanted, given = _literal(value), self._reader(kind, name)
        if sign == "=":
            return lambda row: _same(given(row), wanted)
        return lambda row: str(given(row) or "") >= wanted if sign == ">=" else str(given(row) or "") > wanted

    def _reader(self, kind: str, path: str) -> Callable[[Row], Any]:
        """Reads a field of a row, or of the record that a relation leads to."""
        relation, dot, name = path.partition(".")
        if not dot:
            return lambda row: row.get(path)
        return lambda row: (self.store.related(kind, relation, row) or {}).get(name)

    def _values(self, kind: str, text: str) -> set[Any]:
        if not text.upper().startswith("SELECT "):
            return {_literal(part) for part in split(text, ",")}
        parts = clauses(text)
        if parts["FROM"] == kind:
            raise Refusal("MALFORMED_QUERY", "The inner and outer selects should not be on the same object type")
        return {row[parts["SELECT"]] for row in self.run(text) if row.get(parts["SELECT"])}


def _literal(text: str) -> Any:
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    return text[1:-1] if text.startswith("'") else _instant(text)


def _instant(text: str) -> str:
    """A time as rows hold it: with milliseconds and +0000."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", text):
        raise Refusal("MALFORMED_QUERY", f"unexpected token: {text}")
    whole, _, part = text[:-1].partition(".")
    return f"{whole}.{(part + '000')[:3]}+0000"


def _same(value: Any, wanted: Any) -> bool:
    """Ids of 15 and of 18 characters name one record."""
    if isinstance(value, str) and isinstance(wanted, str) and len(wanted) == 15 and len(value) == 18:
        return value[:15] == wanted
    return bool(value == wanted)
