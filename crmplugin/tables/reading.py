"""Reads the bytes of a table: which encoding, which delimiter, which headings, and row by row with its line.

A table is read several times (first to decide its columns, then to take its rows), so it is given as a way to open it.
What is wrong with the file as a whole is a UsageError; what is wrong with one row is a BadRow in its place.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, islice, repeat
from operator import itemgetter
from typing import BinaryIO

from crmplugin.domain.records import MAX_FIELD_BYTES
from crmplugin.errors import UsageError
from crmplugin.tables.headings import fold, repeated

DELIMITERS = ("\t", ";", ",")
"""The rarest in texts and numbers first, for the case that two part a file equally well."""
HEAD_CHARACTERS = 65_536
ROWS_LOOKED_AT = 50
BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 500

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LINE_END = re.compile(r"\r\n|\r|\n")
_FIRST = itemgetter(0)
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?\r?\n', re.IGNORECASE)
"""Spreadsheets write this line first to name the delimiter."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table as bytes, which can be opened again and again."""

    name: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, with what was expected; its cells stand as far as they could be parted."""

    line: int
    reason: str
    cells: tuple[str, ...] = ()


Row = tuple[int, list[str] | BadRow]
"""The line, from 1, where a row begins, and its cells, as many as there are headings."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that follow each other, and the lines where they begin; or else rows that cannot be read."""

    lines: Sequence[int] = ()
    rows: Sequence[list[str]] = ()
    bad: tuple[BadRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose form is known. Headings stand as in the file, without the spaces around them."""

    source: Source
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    skip: int
    """Lines before the headings."""

    @property
    def name(self) -> str:
        return self.source.name

    def rows(self) -> Iterator[Row]:
        """Every row below the headings, empty ones left out."""
        for block in self.blocks():
            yield from ((bad.line, bad) for bad in block.bad)
            yield from zip(block.lines, block.rows, strict=True)

    def blocks(self) -> Iterator[Block]:
        """The same, some thousands of rows at a time: half a million are gone through at the speed of the parser."""
        headings = 1
        with _opened(self.source, self.encoding) as text:
            for block in _blocks(text, self.delimiter, self.name, skip=self.skip):
                below = Block(block.lines[headings:], block.rows[headings:], block.bad)
                headings -= min(headings, len(block.rows))
                yield from _of_width(below, len(self.headings))


def read_table(source: Source) -> Table:
    """Decides how to read a table. Raises UsageError for what is no table, has headings twice, or has no rows."""
    encoding = _encoding_of(source)
    with _opened(source, encoding) as text:
        head = text.read(HEAD_CHARACTERS)
    skip, delimiter = _delimiter_of(head)
    with _opened(source, encoding) as text:
        records = _records(text, delimiter, source.name, skip=skip)
        headings = _headings(records, source.name)
        if next(records, None) is None:
            raise UsageError(f"{source.name}: there is a row of headings and nothing below it, so nothing to import")
    return Table(source, encoding, delimiter, headings, skip)


def _headings(records: Iterator[Row], name: str) -> tuple[str, ...]:
    line, found = next(records, (0, None))
    if found is None:
        raise UsageError(f"{name}: the file is empty; export it again with its headings")
    if isinstance(found, BadRow):
        raise UsageError(f"{name}: the headings in line {line} cannot be read: {found.reason}")
    headings = tuple(" ".join(cell.split()) for cell in found)
    if twice := repeated(headings):
        names = ", ".join(f'"{heading}"' for heading in twice)
        raise UsageError(f"{name}: {names} stands twice among the headings; name each column differently")
    if not any(fold(heading) for heading in headings):
        raise UsageError(f"{name}: the first row names no column; the first row must hold the headings")
    return headings


# Bytes to text


def _encoding_of(source: Source) -> str:
    """The encoding by its mark, else UTF-8 where all of the file is that, else Windows-1252."""
    with source.open() as stream:
        begin = stream.read(4)
    named = next((encoding for mark, encoding in _BOMS if begin.startswith(mark)), None)
    for encoding in (named,) if named else ("utf-8", "cp1252"):
        if _decodes(source, encoding):
            return encoding
    tried = named or "UTF-8, UTF-16 with its mark, or Windows-1252"
    raise UsageError(f"{source.name}: the bytes are no text in {tried}; save the file as CSV in UTF-8")


def _decodes(source: Source, encoding: str) -> bool:
    """Whether all of the file is text of this encoding. Raises UsageError for NUL characters, which no table has."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with source.open() as stream:
        try:
            while block := stream.read(BLOCK_BYTES):
                if "\0" in decoder.decode(block):
                    raise UsageError(f"{source.name}: there are NUL bytes in it; save the file as CSV in UTF-8")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _opened(source: Source, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(source.open(), encoding=encoding, newline="")


# Text to rows


def _delimiter_of(head: str) -> tuple[int, str]:
    """How many lines to skip, and the delimiter that parts most rows into as many cells as the first has."""
    named = _SEPARATOR_LINE.match(head)
    if named:
        return 1, named[1]
    return 0, max(DELIMITERS, key=lambda delimiter: _fitness(head, delimiter))


def _fitness(head: str, delimiter: str) -> tuple[float, int, int]:
    """Share of rows with as many cells as the first, that number, and how few cells begin with a space.

    Nothing for a single column. A comma inside a sentence has a space behind it, one between cells has not.
    """
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        rows = [row for row in islice(reader, ROWS_LOOKED_AT) if row]
    except csv.Error:
        return 0.0, 0, 0
    # The head may end inside a row.
    whole = rows[:-1] if len(rows) > 2 and len(head) == HEAD_CHARACTERS else rows
    width = len(whole[0]) if whole else 0
    if width < 2:
        return 0.0, 0, 0
    spaced = sum(cell[:1] == " " for row in whole for cell in row)
    return sum(len(row) == width for row in whole) / len(whole), width, -spaced


def _records(text: io.TextIOWrapper, delimiter: str, name: str, *, skip: int) -> Iterator[Row]:
    """Each record that is not empty, of any width."""
    for block in _blocks(text, delimiter, name, skip=skip):
        yield from ((bad.line, bad) for bad in block.bad)
        yield from zip(block.lines, block.rows, strict=True)


def _blocks(text: io.TextIOWrapper, delimiter: str, name: str, *, skip: int) -> Iterator[Block]:
    """Records of any width, empty ones left out. The first `skip` lines are passed over.

    Raises UsageError where the rest of the file is unclear, after the block before it.
    """
    csv.field_size_limit(MAX_FIELD_BYTES)
    source = iter(text)
    deque(islice(source, skip), maxlen=0)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    end, at_end = skip, False
    while not at_end:
        rows: list[list[str]] = []
        broken = None
        try:
            # The rows before a broken one stay in the list.
            deque(map(rows.append, islice(reader, BLOCK_ROWS)), maxlen=0)
            at_end = len(rows) < BLOCK_ROWS
        except csv.Error as error:
            broken = error
        begin, end = end + 1, skip + reader.line_num
        lines = _begins(rows, begin, end)
        yield _without_empty(lines[:-1], rows)
        if broken is not None:
            yield Block(bad=(_unreadable(lines[-1], broken, name),))


def _begins(rows: Sequence[Sequence[str]], begin: int, end: int) -> Sequence[int]:
    """The line where each row begins, and the one after them; a cell may hold lines of its own."""
    if end - begin + 1 == len(rows):
        return range(begin, end + 2)
    heights = (1 + sum(len(_LINE_END.findall(cell)) for cell in row) for row in rows)
    return list(accumulate(heights, initial=begin))


def _without_empty(lines: Sequence[int], rows: Sequence[list[str]]) -> Block:
    # Where the first cell of each says something, none is empty: this is asked half a million times.
    if all(rows) and all(map(str.strip, map(_FIRST, rows))):
        return Block(lines, rows)
    kept = [n for n, row in enumerate(rows) if "".join(row).strip()]
    return Block([lines[n] for n in kept], [rows[n] for n in kept])


def _unreadable(line: int, error: csv.Error, name: str) -> BadRow:
    if "unexpected end of data" in str(error):
        raise UsageError(
            f"{name}: the quote that opens in the row of line {line} is never closed, so the rest is unclear"
        )
    if "field larger than" in str(error):
        raise UsageError(
            f"{name}: a cell of line {line} has more than {MAX_FIELD_BYTES:,} characters; is a quote never closed?"
        )
    return BadRow(line, "a quote stands in the middle of a cell; double it or quote the whole cell")


def _of_width(block: Block, width: int) -> Iterator[Block]:
    """The block, parted where rows have another width, which makes them bad."""
    if {len(row) for row in block.rows} <= {width}:
        yield block
        return
    for fits, run in groupby(zip(block.lines, block.rows, strict=True), key=lambda row: len(row[1]) == width):
        lines, rows = zip(*run, strict=True)
        bad = () if fits else tuple(map(_ragged, rows, repeat(width), lines))
        yield Block(lines, rows) if fits else Block(bad=bad)


def _ragged(cells: Sequence[str], expected: int, line: int) -> BadRow:
    return BadRow(line, f"expected {expected} cells as in the headings, got {len(cells)}", tuple(cells))
