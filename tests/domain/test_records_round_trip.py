"""Whatever a document says, the record made of it says the same again."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmplugin.domain.crm import COLLECTIONS, SINGLES, Open
from crmplugin.domain.record_files import read_document, write_document
from crmplugin.domain.records import build, check_record, dump, merge

NAMED = {**COLLECTIONS, **SINGLES}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
IDS = st.from_regex(r"[A-Z]{1,3}-[0-9]{1,4}", fullmatch=True)
MONEY = st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**9, min_value=-(10**9)).map(str)
NUMBERS = st.integers(-(10**9), 10**9) | st.integers(0, 999).map(lambda n: f"{n}.25")
TIMES = (
    st.datetimes().filter(lambda t: 1000 <= t.year <= 9998).map(lambda t: t.replace(microsecond=0).isoformat() + "Z")
)
DATES = st.dates().filter(lambda d: d.year >= 1000).map(lambda d: d.isoformat())
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "bool": st.booleans(),
    "date": DATES,
    "datetime": TIMES,
    "money": MONEY,
    "number": NUMBERS,
}
BY_NAME = {
    "id": IDS,
    "timezone": st.sampled_from(["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]),
    "currency": st.sampled_from(["EUR", "USD", "JPY"]),
    "base_currency": st.just("EUR"),
}


def values(hint: Any, name: str) -> st.SearchStrategy[Any]:
    """Canonical JSON values of a type, typed here a second time so that the reader is not its own judge."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Union or type(hint).__name__ == "UnionType":
        return values(next(a for a in args if a is not type(None)), name)
    if hint is str and name in BY_NAME:
        return BY_NAME[name]
    if origin is Annotated:
        mark = args[1]
        return LEAVES[mark] if isinstance(mark, str) else TEXTS if isinstance(mark, Open) else IDS
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values(args[0], name), min_size=1, max_size=3)
    if origin is not None:
        keys = values(args[0], name).filter(lambda key: not key.startswith("x_"))
        return st.dictionaries(keys, values(args[1], name), min_size=1, max_size=2)
    return documents(hint) if is_dataclass(hint) else LEAVES[hint.__name__]


def documents(cls: type) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(cls, include_extras=True)
    required, optional = {}, {}
    for field in fields(cls):
        key = field.metadata.get("key", field.name)
        pair = field.name in ("from_", "to") and cls.__name__ == "FxRate"
        target = required if field.name == "id" and field.default is MISSING else optional
        target[key] = st.just("USD") if pair else values(hints[field.name], field.name)
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize("collection", NAMED)
@given(data=st.data())
def test_record_of_a_document_is_written_as_the_same_document(collection: str, data: st.DataObject) -> None:
    raw = data.draw(documents(NAMED[collection]))

    doc = check_record(collection, raw)

    assert doc == raw
    assert dump(build(collection, doc)) == doc
    assert build(collection, dump(build(collection, doc))) == build(collection, doc)


@given(st.lists(documents(COLLECTIONS["orders"]), max_size=3), documents(SINGLES["voice"]))
def test_written_file_reads_as_what_was_written(orders: list[dict[str, Any]], voice: dict[str, Any]) -> None:
    text = "".join(write_document([("voice", [voice]), ("orders", orders)], [("x_drafts", [{"id": "1"}])]))

    entries = [(entry.collection, entry.raw) for entry in read_document(text)]

    assert json.loads(text)["format"] == "crmplugin-records/1"
    assert entries == [("voice", voice), *(("orders", order) for order in orders)]


@given(documents(COLLECTIONS["deals"]), documents(COLLECTIONS["deals"]))
def test_merging_the_same_change_twice_is_merging_it_once(old: dict[str, Any], change: dict[str, Any]) -> None:
    once = merge(old, change)

    assert merge(once, change) == once
