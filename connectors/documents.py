"""From a CRM's loosely typed values to documents of `crmplugin-records/1`: decimals, instants, days, plain text.

A value that our format does not take is not lost and does not lose its record: it stays in the record's `x_` key,
where everything else that a CRM says and we have no word for lies too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from html.parser import HTMLParser
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from crmplugin.domain.crm import COLLECTIONS
from crmplugin.domain.records import Document, check_record
from crmplugin.errors import RecordProblem, SettingsError

PLURALS: Mapping[str, str] = {
    "deal": "deals", "contact": "contacts", "company": "companies", "product": "products", "line_item": "line_items",
    "quote": "quotes", "order": "orders", "ticket": "tickets", "activity": "activities", "user": "users",
    "contract": "contracts",
}  # fmt: skip
"""Our word for one record -> its collection."""
MAX_DIGITS = 24
MAX_ASIDE = 100_000
"""Characters of one text that has no word of ours."""
LINE_TAGS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "ul", "ol", "table"})
SILENT_TAGS = frozenset({"script", "style", "head", "title"})


def checked(collection: str, document: Mapping[str, Any], *, rest: Mapping[str, Any], vendor: str) -> Document:
    """The document with only what our format takes; the rest, and what it refuses, lies in `x_<vendor>`."""
    kept = {key: value for key, value in document.items() if value is not None}
    aside = {key: _fitting(value) for key, value in rest.items() if value is not None}
    while True:
        try:
            return check_record(collection, {**kept, **({f"x_{vendor}": aside} if aside else {})})
        except RecordProblem as problem:
            key = re.split(r"[.\[]", problem.key, maxsplit=1)[0]
            if key in ("id", "", f"x_{vendor}") or key not in kept:
                raise
            aside[key] = _fitting(kept.pop(key))


def _fitting(value: Any) -> Any:
    """A value that can be kept as it is: a text that cannot be written as UTF-8 or is huge loses what does not fit."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_ASIDE]


def coerced(collection: str, key: str, value: Any) -> Any:
    """A CRM's value in the form that this key of our format has; None for what cannot be read so."""
    if value is None or value == "":
        return None
    return _READERS[_kind_of(collection, key)](value)


def field_table(fields: Mapping[str, str], *, connection: str) -> dict[str, dict[str, str]]:
    """The settings' `fields` ("deal.competitors" = "vendor_property") by collection: our key -> vendor's property.

    Raises SettingsError for a key that the records format does not have.
    """
    table: dict[str, dict[str, str]] = {}
    for name, vendor_field in fields.items():
        kind, _, key = name.partition(".")
        collection = PLURALS.get(kind)
        if collection is None or key not in _kinds(collection) or key == "id":
            known = ", ".join(sorted(_kinds(collection) if collection else PLURALS))
            raise SettingsError(f'connections.{connection}.fields."{name}" is no field of ours; known there: {known}')
        table.setdefault(collection, {})[key] = vendor_field
    return table


def decimal_text(value: Any) -> str | None:
    """A decimal as our format writes it ("26505.00"); None for what is no number."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        return None
    return format(number, "f")


def instant_text(value: Any) -> str | None:
    """An instant as RFC 3339 in UTC, from ISO 8601 (with zone, or a day) or milliseconds since 1970; None otherwise."""
    moment = _instant(value)
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day_text(value: Any) -> str | None:
    """A day as YYYY-MM-DD; of an instant its day in UTC."""
    text = str(value).strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            return None
    moment = _instant(value)
    return None if moment is None else moment.astimezone(UTC).date().isoformat()


def truth(value: Any) -> bool | None:
    """Yes or no, from JSON or a text; None when it says neither."""
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).strip().lower())


def texts(value: Any) -> list[str]:
    """A list of texts, from a list or a text with semicolons."""
    parts = value if isinstance(value, list | tuple) else str(value).split(";")
    return [str(part).strip() for part in parts if str(part).strip()]


def plain_text(html: Any) -> str | None:
    """What a reader of this HTML sees, line by line. Text without tags stays as it is."""
    if html is None:
        return None
    text = str(html)
    if "<" not in text and "&" not in text:
        return text.strip() or None
    reader = _TextReader()
    reader.feed(text)
    reader.close()
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() or None


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._silent += tag in SILENT_TAGS
        if tag in LINE_TAGS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in SILENT_TAGS))
        if tag in LINE_TAGS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _instant(value: Any) -> datetime | None:
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    try:
        if re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC) if moment.year >= 1000 else None
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float | Decimal) else None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "decimal": decimal_text,
    "instant": instant_text,
    "day": day_text,
    "truth": truth,
    "texts": texts,
    "other": lambda value: value,
}


def _kind_of(collection: str, key: str) -> str:
    return _kinds(collection).get(key, "other")


@cache
def _kinds(collection: str) -> dict[str, str]:
    """Key of the format -> how its values are read, from the types of the record."""
    hints = get_type_hints(COLLECTIONS[collection], include_extras=True)
    return {name.rstrip("_"): _kind(hint) for name, hint in hints.items()}


def _kind(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return _kind(next(part for part in get_args(hint) if part is not type(None)))
    if get_origin(hint) is Annotated:
        return _kind(get_args(hint)[0])
    if get_origin(hint) is tuple:
        return "texts" if _kind(get_args(hint)[0]) == "text" else "other"
    simple = {str: "text", Decimal: "decimal", datetime: "instant", date: "day", bool: "truth"}
    return simple.get(hint, "text" if isinstance(get_args(hint)[:1] and get_args(hint)[0], str) else "other")
