"""Reads and writes files of records: one JSON document of `crmplugin-records/1`, or JSON Lines.

Says where each record stands and what stands there; what a record may hold is decided by `records.py`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO

from crmplugin.domain.crm import COLLECTIONS, SINGLES
from crmplugin.domain.records import FORMAT, Document, did_you_mean
from crmplugin.errors import RecordProblem

COLLECTION_KEY = "record"
"""The key of a JSON line that names its collection."""

Parts = Iterable[tuple[str, Iterable[Document]]]
"""Documents by the name of their collection."""

_KNOWN: Mapping[str, type] = {**SINGLES, **COLLECTIONS}
_TOP: Mapping[str, Any] = {"format": FORMAT, **_KNOWN}
_SPACE = re.compile(r"[ \t\r\n]*")
_BOM = b"\xef\xbb\xbf"
_LINES_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it stands in a file, unchecked, or the problem that stands in its place.

    line: from 1, where the record begins; None when the document came as an object.
    """

    line: int | None
    collection: str
    raw: Any = None
    problem: RecordProblem | None = None


class NotRecords(RecordProblem):
    """The file as a whole cannot be read; `line` is where that shows."""

    def __init__(self, line: int, expected: str, got: object, *, key: str = "") -> None:
        self.line = line
        super().__init__(key, expected, got)


def read_document(source: str | bytes | BinaryIO) -> Iterator[Entry]:
    """The entries of a file, in order; JSON Lines are read line by line, whatever their number.

    Raises NotRecords, at the latest at the end, when the file is no JSON, has another `format` or is not UTF-8; then
    nothing of it should be taken. A bad line of JSON Lines, an unknown key of a document: an entry with a problem.
    """
    stream = _open(source)
    blank, first = _skip_blank(stream)
    if not first:
        raise NotRecords(1, "records", "an empty file")
    if _begins_lines(first):
        yield from _read_lines(chain([first], stream), start=blank + 1)
        return
    data = b"\n" * blank + first + stream.read()
    if _holds_lines(data):
        yield from _read_lines(iter(data.split(b"\n")), start=1)
        return
    yield from _read_whole(_decode(data))


def walk_document(document: Any) -> Iterator[Entry]:
    """The entries of a document that is parsed already. Raises NotRecords when it has another format."""
    if not isinstance(document, Mapping):
        raise NotRecords(1, "an object with collections of records", document)
    for key, value in document.items():
        yield from _walk_part(str(key), value)


def write_document(parts: Parts, private: Parts) -> Iterator[str]:
    """The pieces of one JSON document, a record a line; `private` parts are lists under their `x_` keys."""
    yield f'{{"format": "{FORMAT}"'
    for collection, docs in chain(parts, private):
        write = _write_single if collection in SINGLES else _write_list
        yield from write(collection, docs)
    yield "}\n"


def write_lines(parts: Parts, private: Parts) -> Iterator[str]:
    """The same as JSON Lines, which are read again line by line, whatever their number."""
    yield f'{{"format": "{FORMAT}"}}\n'
    for collection, docs in chain(parts, private):
        for doc in docs:
            yield json.dumps({COLLECTION_KEY: collection, **doc}, ensure_ascii=False) + "\n"


def _open(source: str | bytes | BinaryIO) -> BinaryIO:
    # A lone surrogate passes here, so that it is refused as bytes that are no UTF-8.
    data = source.encode(errors="surrogatepass") if isinstance(source, str) else source
    return io.BytesIO(data) if isinstance(data, bytes) else data


def _skip_blank(stream: BinaryIO) -> tuple[int, bytes]:
    """How many blank lines come first, and the first that is not; no bytes at the end of the file."""
    blank = 0
    for line in stream:
        text = line.removeprefix(_BOM) if not blank else line
        if text.strip():
            return blank, text
        blank += 1
    return blank, b""


def _object_in(line: bytes) -> Mapping[str, Any]:
    """The JSON object that is this line; empty when it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _begins_lines(first: bytes) -> bool:
    head = _object_in(first)
    return COLLECTION_KEY in head or head.keys() == {"format"}


def _holds_lines(data: bytes) -> bool:
    """Whether a file whose first line is no record of its own is JSON Lines all the same: its head, or a bad line."""
    lines = [line for line in data.split(b"\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT] if line.strip()]
    return any(COLLECTION_KEY in _object_in(line) for line in lines[1:])


def _read_lines(lines: Iterator[bytes], *, start: int) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=start):
        if line.strip():
            yield from _read_line(number, line)


def _read_line(number: int, line: bytes) -> Iterator[Entry]:
    try:
        raw = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:
        yield Entry(number, "", problem=_not_json(number, error))
        return
    if not isinstance(raw, dict):
        yield Entry(number, "", problem=RecordProblem("", "an object", raw))
    elif COLLECTION_KEY in raw:
        if not str(raw[COLLECTION_KEY]).startswith("x_"):
            yield _line_entry(number, raw)
    elif "format" in raw:
        yield from (Entry(number, e.collection, e.raw, e.problem) for e in walk_document(raw))
    else:
        yield Entry(number, "", problem=RecordProblem(COLLECTION_KEY, "the name of a collection", None))


def _line_entry(number: int, raw: Document) -> Entry:
    name = raw.pop(COLLECTION_KEY)
    if isinstance(name, str) and name in _KNOWN:
        return Entry(number, name, raw)
    expected = f"the name of a collection{did_you_mean(name, _KNOWN)}"
    return Entry(number, "", problem=RecordProblem(COLLECTION_KEY, expected, name))


def _read_whole(text: str) -> Iterator[Entry]:
    """The entries of one JSON document, each parsed as it is asked for, so that its line is known."""
    scanner = _Scanner(text)
    try:
        for key in scanner.members():
            name = str(key)
            if name in COLLECTIONS and scanner.peek() == "[":
                yield from (Entry(line, name, raw) for line, raw in scanner.items())
            else:
                line, value = scanner.line, scanner.value()
                yield from (Entry(line, e.collection, e.raw, e.problem) for e in _walk_part(name, value, line))
        scanner.end()
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else scanner.line
        raise _not_json(line, error) from None


def _walk_part(key: str, value: Any, line: int = 1) -> Iterator[Entry]:
    if key == "format" and value != FORMAT:
        raise NotRecords(line, f'the format "{FORMAT}"', value, key="format")
    if key == "format" or key.startswith("x_") or (key in _KNOWN and value is None):
        return
    if key in SINGLES:
        yield Entry(None, key, value)
    elif key not in COLLECTIONS:
        yield Entry(None, key, problem=RecordProblem(key, f"a key of {FORMAT}{did_you_mean(key, _TOP)}", key))
    elif not isinstance(value, list):
        yield Entry(None, key, problem=RecordProblem(key, "a list", value))
    else:
        yield from (Entry(None, key, raw) for raw in value)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_json(data.count(b"\n", 0, error.start) + 1, error) from None


def _not_json(line: int, error: Exception) -> NotRecords:
    if isinstance(error, UnicodeDecodeError):
        return NotRecords(line, "text in UTF-8", f"the byte {error.object[error.start]:#04x}")
    found = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return NotRecords(line, f"JSON ({FORMAT}) or JSON Lines", found)


class _Scanner:
    """Walks the top of a JSON document; whatever lies below is left to the JSON decoder of Python."""

    def __init__(self, text: str) -> None:
        self._text, self._decoder = text, json.JSONDecoder()
        self._at = self._counted = 0
        self._line = 1

    @property
    def line(self) -> int:
        """The line of the next piece that is no space."""
        self.peek()
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def value(self) -> Any:
        self.peek()
        value, self._at = self._decoder.raw_decode(self._text, self._at)
        return value

    def members(self) -> Iterator[Any]:
        """The keys of the object that begins here; after each, its value must be taken."""
        for _ in self._members("{", "}"):
            key = self.value()
            self._take(":")
            yield key

    def items(self) -> Iterator[tuple[int, Any]]:
        """The items of the list that begins here, each with the line it begins in."""
        for _ in self._members("[", "]"):
            yield self.line, self.value()

    def end(self) -> None:
        if self.peek():
            raise json.JSONDecodeError("Extra data", self._text, self._at)

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self.peek() == closing:
            self._at += 1
            return
        while True:
            yield
            if self.peek() == closing:
                self._at += 1
                return
            self._take(",")

    def _take(self, expected: str) -> None:
        if self.peek() != expected:
            raise json.JSONDecodeError(f"Expecting {expected!r}", self._text, self._at)
        self._at += 1


def _write_single(collection: str, docs: Iterable[Document]) -> Iterator[str]:
    for doc in docs:
        yield f",\n{json.dumps(collection)}: {json.dumps(doc, ensure_ascii=False)}"


def _write_list(collection: str, docs: Iterable[Document]) -> Iterator[str]:
    comma = f",\n{json.dumps(collection)}: [\n"
    for doc in docs:
        yield f"{comma}{json.dumps(doc, ensure_ascii=False)}"
        comma = ",\n"
    if comma == ",\n":
        yield "\n]"
