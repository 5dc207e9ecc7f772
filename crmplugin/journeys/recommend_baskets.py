"""Recommendations in bulk, from a file of purchase histories to a file of lists; no CRM record is read or written.

The recommender learns from the histories of the file itself (`analysis.fit.recommender`), so that the parameters are
the owner's own. Neither the order of the lines nor a line given twice changes anything.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from crmplugin.analysis.baskets import Baskets, make_baskets
from crmplugin.analysis.fit.recommender import fit, rank
from crmplugin.errors import UsageError

Id = str | int
"""Ids come back as they were given: text or a whole number."""


@dataclass(slots=True)
class _Customer:
    id: Id
    days: dict[int, set[Id]] = field(default_factory=dict)
    as_of: int | None = None


@dataclass(frozen=True, slots=True)
class BulkReport:
    """Customers and items read, and how each list was made."""

    customers: int
    items: int
    repeat_method: str
    new_method: str


def recommend_baskets(source: Path, target: Path, *, top: int) -> BulkReport:
    """Writes `top` items for each customer of `source`, one JSON line each, in the order in which they first appear.

    Raises UsageError naming file and line of what cannot be read; then nothing is written.
    """
    customers = read_histories(source)
    names, baskets = number(customers)
    recommender = fit(baskets)
    by_row = {found.customer: found for found in rank(recommender, baskets, top=top)}
    place = {id_: row for row, id_ in enumerate(_sorted(customers))}

    def lines() -> Iterator[str]:
        for customer in customers.values():
            found = by_row[place[customer.id]]
            answer = {"customer_id": customer.id, "items": [names[i] for i in found.items],
                      "scores": [round(score, 6) for score in found.scores]}  # fmt: skip
            yield json.dumps(answer, ensure_ascii=False) + "\n"

    write_whole(target, lines())
    return BulkReport(len(customers), len(names), recommender.repeat.method, recommender.new.method)


def read_histories(source: Path) -> dict[Id, _Customer]:
    """The customers of a file in order of appearance; lines about the same customer are laid together."""
    customers: dict[Id, _Customer] = {}
    try:
        with source.open(encoding="utf-8-sig") as file:
            for n, line in enumerate(file, start=1):
                if line.strip():
                    _read_line(line, customers, where=f"{source}, line {n}")
    except OSError as error:
        raise UsageError(f"{source} cannot be read ({error.strerror}); give a file of JSON Lines") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{source} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    return customers


def number(customers: Mapping[Id, _Customer]) -> tuple[list[Id], Baskets]:
    """Names of the items by their number, and the baskets; customers and items are numbered in the order of their ids.

    What was bought after a customer's `as_of` does not exist yet.
    """
    ordered = [customers[id_] for id_ in _sorted(customers)]
    histories = [{day: items for day, items in c.days.items() if c.as_of is None or day <= c.as_of} for c in ordered]
    names = _sorted({item for history in histories for items in history.values() for item in items})
    numbers = {name: n for n, name in enumerate(names)}
    rows = [{day: [numbers[i] for i in items] for day, items in history.items()} for history in histories]
    as_of = None
    if any(c.as_of is not None for c in ordered):
        as_of = [max(row, default=0) if c.as_of is None else c.as_of for c, row in zip(ordered, rows, strict=True)]
    return names, make_baskets(rows, items=len(names), as_of=as_of)


def write_whole(target: Path, lines: Iterable[str]) -> None:
    """A file that appears whole or not at all."""
    try:
        handle, part = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}-")
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror})") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
        os.chmod(part, 0o644)
        os.replace(part, target)
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror})") from error
    finally:
        Path(part).unlink(missing_ok=True)


def _read_line(line: str, customers: dict[Id, _Customer], *, where: str) -> None:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{where}: expected one JSON object, which this is not ({error})") from error
    if not isinstance(row, dict):
        raise UsageError(f"{where}: expected an object with customer_id and history, got {_short(row)}")
    id_ = _id_in(row.get("customer_id"), "customer_id", where)
    customer = customers.setdefault(id_, _Customer(id_))
    if (as_of := row.get("as_of")) is not None:
        customer.as_of = max(_day_in(as_of, "as_of", where), customer.as_of or 0)
    for n, basket in enumerate(_list_in(row.get("history"), "history", where)):
        key = f"history[{n}]"
        if not isinstance(basket, dict):
            raise UsageError(f"{where}: {key}: expected an object with date and items, got {_short(basket)}")
        day = _day_in(basket.get("date"), f"{key}.date", where)
        items = _list_in(basket.get("items"), f"{key}.items", where)
        bought = customer.days.setdefault(day, set())
        bought.update(_id_in(item, f"{key}.items", where) for item in items)


def _id_in(value: Any, key: str, where: str) -> Id:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise UsageError(f"{where}: {key}: expected an id (text or a whole number), got {_short(value)}")
    return value


def _list_in(value: Any, key: str, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError(f"{where}: {key}: expected a list, got {_short(value)}")
    return value


def _day_in(value: Any, key: str, where: str) -> int:
    """The ordinal of a date, or of the day that an instant names."""
    try:
        return date.fromisoformat(value[:10]).toordinal() if isinstance(value, str) else _refuse(value, key, where)
    except ValueError:
        return _refuse(value, key, where)


def _refuse(value: Any, key: str, where: str) -> int:
    raise UsageError(f"{where}: {key}: expected a date such as 2026-03-11, got {_short(value)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _sorted(ids: Iterable[Id]) -> list[Id]:
    return sorted(ids, key=lambda id_: (isinstance(id_, str), id_))
