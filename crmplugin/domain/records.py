"""Strict reading and writing of one record of `crmplugin-records/1`, derived from the types in `domain/crm.py`.

A document is the record as JSON sees it (dicts, lists, strings, numbers); a record is the frozen dataclass.
`check_record` lets a stranger's document in or refuses it by key; behind it `build`, `dump`, `merge` and `references`
trust what they get. Files of records are read in `record_files.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from crmplugin.domain.crm import COLLECTIONS, SINGLES, FxRate, Open, Ref
from crmplugin.errors import RecordProblem

FORMAT = "crmplugin-records/1"
Document = dict[str, Any]
Reference = tuple[str, str, str]
"""Where it stands (`lines[2].product_id`), the collection it points into, the id it names."""
Target = tuple[str, str]
"""The collection and the id that a reference points at."""

MAX_FIELD_BYTES = 1_000_000
MAX_ID_LENGTH = 255
MAX_LIST_LENGTH = 20_000

_DECIMAL = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,12})?")
_DATE = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
_TOO_LONG = f"at most {MAX_FIELD_BYTES:,} bytes in one field"


class Codec(NamedTuple):
    """How one type is checked, built and written; None for `build` or `dump` means "as it is".

    check raises RecordProblem with a key relative to the value. find_refs adds the references inside a value, of which
    find_targets gives only what they point at.
    """

    check: Callable[[Any], Any]
    build: Callable[[Any], Any] | None = None
    dump: Callable[[Any], Any] | None = None
    find_refs: Callable[[Any, str, list[Reference]], None] | None = None
    find_targets: Callable[[Any, set[Target]], None] | None = None


class Shape(NamedTuple):
    """The compiled form of one dataclass, by key of the document. `builders` and `dumpers` have the field's name too.

    Plain dicts, looked up once a field: an import of half a million lines spends its time here.
    """

    name: str
    cls: type
    has_id: bool
    checks: dict[str, Callable[[Any], Any]]
    builders: dict[str, tuple[str, Callable[[Any], Any] | None]]
    dumpers: dict[str, tuple[str, Callable[[Any], Any] | None]]
    refs: dict[str, Callable[[Any, str, list[Reference]], None]]
    targets: dict[str, Callable[[Any, set[Target]], None]]


# What follows are the leaves: each takes a stranger's value and gives it back fit for JSON, or says what is wrong.


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise RecordProblem("", "text", value)
    if "\0" in value:
        raise RecordProblem("", "text without NUL characters", value)
    if not value.isascii() or len(value) > MAX_FIELD_BYTES:
        _check_encodable(value)
    return value


def _check_encodable(value: str) -> None:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise RecordProblem("", "text that can be written as UTF-8 (no lone surrogates)", value) from None
    if size > MAX_FIELD_BYTES:
        raise RecordProblem("", _TOO_LONG, value)


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RecordProblem("", "an id (text that is not empty)", value)
    # NUL and lone surrogates are not printable either.
    if len(value) > MAX_ID_LENGTH or not value.isprintable():
        raise RecordProblem("", f"an id of at most {MAX_ID_LENGTH} printable characters", value)
    return value


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = _text(value)
        if not pattern.fullmatch(text):
            raise RecordProblem("", expected, value)
        return text

    return check


def _money(value: Any) -> str:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise RecordProblem("", 'money as a decimal string such as "26505.00"', value)
    return value


def _number(value: Any) -> int | float | str:
    """A number stays as it was given, so that an export shows what was imported; only 12.0 becomes 12."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return value
    # Written so that NaN, which is smaller than nothing, is refused with the infinities.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e24:
        raise RecordProblem("", "a number or a decimal string", value)
    return int(value) if value == int(value) else value


def _date(value: Any) -> str:
    expected = "a date as YYYY-MM-DD"
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise RecordProblem("", expected, value)
    try:
        date.fromisoformat(value)
    except ValueError:
        raise RecordProblem("", f"{expected} that exists in the calendar", value) from None
    return value


def _time(value: Any) -> str:
    expected = "a time as RFC 3339 with its zone, such as 2026-03-10T14:05:00Z"
    text = value.upper() if isinstance(value, str) else ""
    if not _TIME.fullmatch(text):
        raise RecordProblem("", expected, value)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RecordProblem("", f"{expected} and that exists", value) from None
    # A later instant could not be shown in every zone: datetime ends with the year 9999.
    if instant.year > 9998:
        raise RecordProblem("", f"{expected}, before the year 9999", value)
    return text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise RecordProblem("", "true or false", value)
    return value


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    allowed = frozenset(words)

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise RecordProblem("", "one of " + ", ".join(words), value)
        return value

    return check


def _private(value: Any) -> Any:
    """The value of an `x_` key: any JSON that can be stored; it is kept and never looked at."""
    try:
        size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (ValueError, TypeError, RecursionError):
        raise RecordProblem("", "JSON that can be stored as UTF-8", value) from None
    if size > MAX_FIELD_BYTES:
        raise RecordProblem("", _TOO_LONG, value)
    return value


def _to_decimal(value: Any) -> Decimal:
    # A float by way of its shortest text, so that 7.1 is 7.1.
    return Decimal(value if isinstance(value, int) else str(value))


def _from_number(value: Decimal) -> int | str:
    return int(value) if value.as_tuple().exponent == 0 else format(value, "f")


def _from_money(value: Decimal) -> str:
    return format(value, "f")


def _from_time(value: datetime) -> str:
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if value.utcoffset() == UTC.utcoffset(None) else text


TEXT = Codec(_text)
IDENTIFIER = Codec(_identifier)
CURRENCY = Codec(_matching(_CURRENCY, "a currency by its three capital letters (ISO 4217), such as EUR"))
ZONE = Codec(_matching(_ZONE, "a time zone by its IANA name, such as Europe/Berlin"))
PRIVATE = Codec(_private)

_LEAVES: Mapping[Any, Codec] = MappingProxyType(
    {
        str: TEXT,
        bool: Codec(_flag),
        date: Codec(_date, date.fromisoformat, date.isoformat),
        datetime: Codec(_time, datetime.fromisoformat, _from_time),
        "money": Codec(_money, Decimal, _from_money),
        "number": Codec(_number, _to_decimal, _from_number),
    }
)
_BY_NAME: Mapping[str, Codec] = MappingProxyType(
    {"id": IDENTIFIER, "timezone": ZONE, "currency": CURRENCY, "base_currency": CURRENCY}
)
"""Text fields whose name says what they hold, in whatever record they stand."""
_CURRENCY_PAIR = frozenset({"from_", "to"})


# What follows compiles the types of `domain/crm.py` into codecs, once per class.


def _compile(cls: type, name: str) -> Shape:
    hints = get_type_hints(cls, include_extras=True)
    named = {field.metadata.get("key", field.name): field for field in fields(cls)}
    codecs = {key: _codec_of(cls, field.name, hints[field.name]) for key, field in named.items()}
    return Shape(
        name=name,
        cls=cls,
        has_id="id" in named and named["id"].default is MISSING,
        checks={key: codec.check for key, codec in codecs.items()},
        builders={key: (named[key].name, codec.build) for key, codec in codecs.items()},
        dumpers={key: (named[key].name, codec.dump) for key, codec in codecs.items()},
        refs={key: codec.find_refs for key, codec in codecs.items() if codec.find_refs},
        targets={key: codec.find_targets for key, codec in codecs.items() if codec.find_targets},
    )


def _codec_of(cls: type, name: str, hint: Any) -> Codec:
    if cls is FxRate and name in _CURRENCY_PAIR:
        return CURRENCY
    bare = _without_none(hint)
    return _BY_NAME[name] if bare is str and name in _BY_NAME else _codec(bare, name)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in (Union, UnionType):
        return hint
    (bare,) = [a for a in get_args(hint) if a is not type(None)]
    return bare


def _codec(hint: Any, name: str) -> Codec:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _LEAVES:
        return _LEAVES[hint]
    if is_dataclass(hint):
        return _nested(_compile(hint, name))  # type: ignore[arg-type]
    if origin is Annotated:
        return _annotated(args[1])
    if origin is Literal:
        return Codec(_one_of(args))
    if origin is tuple:
        return _list_of(_codec(args[0], name))
    return _mapping_of(_codec(args[0], name), _codec(args[1], name))


def _annotated(mark: Any) -> Codec:
    if isinstance(mark, Open):
        return TEXT
    if isinstance(mark, Ref):
        return _reference(mark.collection)
    return _LEAVES[mark]


def _reference(target: str) -> Codec:
    return Codec(
        _identifier,
        find_refs=lambda value, key, found: found.append((key, target, value)),
        find_targets=lambda value, found: found.add((target, value)),
    )


def _nested(shape: Shape) -> Codec:
    return Codec(
        lambda value: _check_nested(shape, value),
        lambda value: _build(shape, value),
        lambda value: _dump(shape, value),
        (lambda value, key, found: _find_refs(shape, value, f"{key}.", found)) if shape.refs else None,
        (lambda value, found: _find_targets(shape, value, found)) if shape.targets else None,
    )


def _list_of(item: Codec) -> Codec:
    build, dump, find_refs, find_targets = item.build, item.dump, item.find_refs, item.find_targets
    return Codec(
        lambda value: _check_list(item, value),
        (lambda values: tuple([build(v) for v in values])) if build else tuple,
        (lambda values: [dump(v) for v in values]) if dump else list,
        (lambda values, key, found: _each_ref(find_refs, values, key, found)) if find_refs else None,
        (lambda values, found: _each_target(find_targets, values, found)) if find_targets else None,
    )


def _each_ref(find: Callable[[Any, str, list[Reference]], None], values: Any, key: str, found: list[Reference]) -> None:
    for n, value in enumerate(values):
        find(value, f"{key}[{n}]", found)


def _each_target(find: Callable[[Any, set[Target]], None], values: Any, found: set[Target]) -> None:
    for value in values:
        find(value, found)


def _check_list(item: Codec, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise RecordProblem("", "a list", value)
    if len(value) > MAX_LIST_LENGTH:
        raise RecordProblem("", f"at most {MAX_LIST_LENGTH:,} entries", f"{len(value)} entries")
    check = item.check
    checked: list[Any] = []
    try:
        for entry in value:
            checked.append(check(entry))
    except RecordProblem as problem:
        raise _inside(f"[{len(checked)}]", problem) from None
    return checked


def _mapping_of(key_codec: Codec, item: Codec) -> Codec:
    build, dump = item.build or _same, item.dump or _same

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise RecordProblem("", "an object", value)
        return {k: _check_entry(key_codec, item, k, v) for k, v in value.items() if v is not None}

    return Codec(
        check,
        lambda value: {k: build(v) for k, v in value.items() if not k.startswith("x_")},
        lambda value: {k: dump(v) for k, v in value.items()},
    )


def _check_entry(key_codec: Codec, item: Codec, key: Any, value: Any) -> Any:
    if isinstance(key, str) and key.startswith("x_"):
        return _private(value)
    try:
        key_codec.check(key)
        return item.check(value)
    except RecordProblem as problem:
        raise _inside(str(key), problem) from None


def _same(value: Any) -> Any:
    return value


def _inside(key: str, problem: RecordProblem) -> RecordProblem:
    """The same problem seen from one level further out."""
    dot = "." if problem.key and not problem.key.startswith("[") else ""
    return RecordProblem(f"{key}{dot}{problem.key}", problem.expected, problem.got)


def _check(shape: Shape, raw: Any) -> Document:
    if not isinstance(raw, dict):
        raise RecordProblem("", "an object", raw)
    checks, doc, key = shape.checks, {}, None
    try:
        for key, value in raw.items():
            check = checks.get(key) or _check_of_other(shape, key)
            doc[key] = None if value is None else check(value)
    except RecordProblem as problem:
        raise _inside(str(key), problem) from None
    return doc


def _check_of_other(shape: Shape, key: Any) -> Callable[[Any], Any]:
    if isinstance(key, str) and key.startswith("x_"):
        return _private
    raise RecordProblem("", f"a key of {shape.name}{did_you_mean(key, shape.checks)}", key)


def _check_nested(shape: Shape, raw: Any) -> Document:
    """A nested object replaces whole, so a null in it says no more than an absent key."""
    doc = _check(shape, raw)
    return {k: v for k, v in doc.items() if v is not None} if None in doc.values() else doc


def _build(shape: Shape, doc: Mapping[str, Any]) -> Any:
    builders, values = shape.builders, {}
    for key, value in doc.items():
        if value is not None and key in builders:
            name, build = builders[key]
            values[name] = value if build is None else build(value)
    return shape.cls(**values)


def _dump(shape: Shape, record: Any) -> Document:
    doc: Document = {}
    for key, (name, dump) in shape.dumpers.items():
        value = getattr(record, name)
        if value is not None and not (isinstance(value, tuple | Mapping) and not value):
            doc[key] = value if dump is None else dump(value)
    return doc


def _find_refs(shape: Shape, doc: Mapping[str, Any], prefix: str, found: list[Reference]) -> None:
    for key, find in shape.refs.items():
        if doc.get(key) is not None:
            find(doc[key], prefix + key, found)


def _find_targets(shape: Shape, doc: Mapping[str, Any], found: set[Target]) -> None:
    for key, find in shape.targets.items():
        if doc.get(key) is not None:
            find(doc[key], found)


_SHAPES: Mapping[str, Shape] = MappingProxyType(
    {name: _compile(cls, name) for name, cls in {**COLLECTIONS, **SINGLES}.items()}
)
_BY_CLASS: Mapping[type, Shape] = MappingProxyType({shape.cls: shape for shape in _SHAPES.values()})


def did_you_mean(key: object, known: Mapping[str, Any]) -> str:
    """` (did you mean "email"?)` when a known word is near, else nothing."""
    near = get_close_matches(str(key)[:100], list(known), n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def check_record(collection: str, raw: Any) -> Document:
    """The record as a document that can be stored, with only the keys that were given; a null stays as "empty this".

    Raises RecordProblem naming the first bad key. Unknown keys are refused, `x_` keys kept. `collection` is one of
    COLLECTIONS (an `id` is required) or of SINGLES (no id).
    """
    shape = _SHAPES.get(collection)
    if shape is None:
        raise RecordProblem(str(collection), f"a collection{did_you_mean(collection, _SHAPES)}", collection)
    doc = _check(shape, raw)
    if shape.has_id and doc.get("id") is None:
        raise RecordProblem("id", "an id (text that is not empty)", None)
    return doc


def merge(old: Mapping[str, Any], change: Mapping[str, Any]) -> Document:
    """`change` over `old`: a key that is present replaces, null empties, absent stays; lists replace whole.

    Emptied keys, empty lists and empty objects are left out, so that equal records are equal documents.
    """
    return {k: v for k, v in {**old, **change}.items() if v is not None and v != [] and v != {}}


def build(collection: str, doc: Mapping[str, Any]) -> Any:
    """The frozen record of a checked document; what is absent or null takes the default, `x_` keys are left out."""
    return _build(_SHAPES[collection], doc)


def dump(record: Any) -> Document:
    """The document of a record; what is absent or empty is left out."""
    return _dump(_BY_CLASS[type(record)], record)


def references(collection: str, doc: Mapping[str, Any]) -> list[Reference]:
    """Every reference of a checked document to another record, in the order of its keys."""
    found: list[Reference] = []
    _find_refs(_SHAPES[collection], doc, "", found)
    return found


def targets(collection: str, doc: Mapping[str, Any]) -> set[Target]:
    """What the references of a checked document point at: `references` without the places, and faster."""
    found: set[Target] = set()
    _find_targets(_SHAPES[collection], doc, found)
    return found
