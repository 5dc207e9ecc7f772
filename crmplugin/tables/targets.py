"""What a column can be the source of: every field of a record that one cell can fill, and what kind of cell that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from crmplugin.domain.crm import COLLECTIONS, OrderLine, Ref

LINES = "lines"
VIRTUAL: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "contacts": {"name": "text", "street": "text", "postal_code": "text", "city": "text"},
        "users": {"first_name": "text", "last_name": "text"},
        "companies": {"street": "text", "postal_code": "text"},
    }
)
"""Targets that are no field of a record and become part of one: a name in one column, an address in several."""


@cache
def fields_of(collection: str) -> Mapping[str, str]:
    """Field -> kind of what a column may fill: text, id, money, number, date, time, flag, list, words, country, …"""
    cls = OrderLine if collection == LINES else COLLECTIONS.get(collection)
    if cls is None:
        return {}
    hints = get_type_hints(cls, include_extras=True)
    named = {f.metadata.get("key", f.name): hints[f.name] for f in fields(cls)}
    kinds = {name: _kind(name, hint) for name, hint in named.items()}
    return {**{name: kind for name, kind in kinds.items() if kind}, **VIRTUAL.get(collection, {})}


_LEAVES: Mapping[Any, str] = MappingProxyType({str: "text", bool: "flag", date: "date", datetime: "time"})
_BY_NAME: Mapping[str, str] = MappingProxyType(
    {"id": "id", "sku": "id", "country": "country", "currency": "currency", "base_currency": "currency", "name": "name"}
)


def _kind(name: str, hint: Any) -> str:
    bare = _bare(hint)
    if bare is str and name in _BY_NAME:
        return _BY_NAME[name]
    if bare in _LEAVES:
        return _LEAVES[bare]
    if get_origin(bare) is Literal:
        return "words"
    if get_origin(bare) is Annotated:
        mark = get_args(bare)[1]
        return mark if isinstance(mark, str) else "id" if isinstance(mark, Ref) else "text"
    if get_origin(bare) is tuple and get_args(bare)[0] is str:
        return "list"
    return ""


def _bare(hint: Any) -> Any:
    if get_origin(hint) not in (Union, UnionType):
        return hint
    return next(arg for arg in get_args(hint) if arg is not type(None))


@cache
def words_of(collection: str, name: str) -> frozenset[str]:
    """The words that a field of closed choice may hold."""
    cls: Any = COLLECTIONS[collection]
    return frozenset(get_args(_bare(get_type_hints(cls, include_extras=True)[name])))


def refers_to(collection: str, name: str) -> str | None:
    """The collection that an id field points into; None for a record's own id."""
    cls: Any = OrderLine if collection == LINES else COLLECTIONS[collection]
    hint = _bare(get_type_hints(cls, include_extras=True).get(name, str))
    mark = get_args(hint)[1] if get_origin(hint) is Annotated else None
    return mark.collection if isinstance(mark, Ref) else None
