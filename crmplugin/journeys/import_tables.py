"""Takes tables (CSV) into the store, several together: recognised by their headings or by a mapping file.

A table is never held in memory. A row that cannot be taken goes to a file of refused rows with its reason; a table that
cannot be understood gets a mapping file for its user to fill, and nothing of the import goes in.
"""

from __future__ import annotations

import csv
import gc
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

from crmplugin.domain.records import Document, Target
from crmplugin.errors import RecordProblem, UsageError
from crmplugin.journeys.fit import LEARNED_FROM, refresh_fit
from crmplugin.journeys.import_records import (
    BATCH_RECORDS,
    LOCAL,
    ImportReport,
    Progress,
    check_owner_knowledge,
    import_records,
    silent_progress,
)
from crmplugin.store.record_writes import Counts
from crmplugin.store.records import RecordStore
from crmplugin.tables.layout import Layout
from crmplugin.tables.mapping import read_mapping, write_mapping
from crmplugin.tables.reading import BadRow, Source, Table
from crmplugin.tables.take import Known, Unknown, take, understand
from crmplugin.tables.world import Taken, World

REFUSED_SHOWN = 1_000
"""Refused rows in the report; all of them are in the file of refused rows."""
READINGS = 4
"""How often a table is read: its encoding, its columns, what rows tell together, its rows."""
COLLECTED_AFTER = 100_000
"""Objects that may come to be before the interpreter looks for cycles among them; usually 700."""
NAME_KINDS: Mapping[str, str] = {"companies": "company", "contacts": "contact", "products": "product"}
RECORD_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
_FORMULA = frozenset("=+-@\t\r")


def import_files(
    paths: Iterable[str | Path],
    *,
    connection: str,
    records: RecordStore,
    folder: Path,
    mappings: Sequence[str | Path] = (),
    on_progress: Progress | None = None,
) -> ImportReport:
    """Imports files of records and tables, each as what it is. Refused rows of tables go to files in `folder`.

    Raises UsageError, with nothing of the tables taken, for a table that is none or that needs a mapping file, which is
    then written: to a path among `mappings` where no file is, else beside the table.
    """
    files = [Path(path) for path in paths]
    tables = [path for path in files if not is_records(path)]
    documents = [path for path in files if path not in tables]
    importing = _Importing(connection, records, folder, on_progress or silent_progress)
    with _rarely_collecting():
        understood = importing.understand(tables, [Path(path) for path in mappings])
        report = ImportReport()
        if documents:
            report = import_records(documents, connection=connection, records=records, on_progress=on_progress)
        return _together(report, importing.take(understood)) if tables else report


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Makes the search for cycles rare: rows have none, and looking among them took a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(COLLECTED_AFTER, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def is_records(path: Path) -> bool:
    """Whether a file holds records as JSON, by its name or by how it begins."""
    if path.suffix.lower() in RECORD_SUFFIXES:
        return True
    with path.open("rb") as stream:
        return stream.read(1_000).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _together(one: ImportReport, other: ImportReport) -> ImportReport:
    return ImportReport(
        one.taken + other.taken,
        one.updated + other.updated,
        one.unchanged + other.unchanged,
        one.refused + other.refused,
        one.notes + other.notes,
        one.refused_rows + other.refused_rows,
        one.refused_files + other.refused_files,
    )


@dataclass(slots=True)
class _Refused:
    """The files of refused rows, made when the first row is refused."""

    folder: Path
    files: dict[str, tuple[Path, Any]] = field(default_factory=dict)
    shown: list[Mapping[str, Any]] = field(default_factory=list)
    rows: int = 0

    def add(self, table: Table, row: BadRow, stack: ExitStack) -> None:
        if table.name not in self.files:
            self.files[table.name] = self._open(table, stack)
        self.files[table.name][1].writerow([row.line, row.reason, *map(harmless, row.cells)])
        self.rows += 1
        if len(self.shown) < REFUSED_SHOWN:
            self.shown.append({"file": table.name, "line": row.line, "key": "", "reason": row.reason})

    def _open(self, table: Table, stack: ExitStack) -> tuple[Path, Any]:
        self.folder.mkdir(parents=True, exist_ok=True)
        stem, taken = Path(table.name).stem, {path for path, _ in self.files.values()}
        names = (f"{stem}{n and f'-{n}' or ''}.refused.csv" for n in range(len(taken) + 1))
        path = next(self.folder / name for name in names if self.folder / name not in taken)
        stream = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(stream)
        writer.writerow(["line", "reason", *map(harmless, table.headings)])
        return path, writer


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; a negative number is none."""
    if cell[:1] in _FORMULA and not cell.replace(".", "").replace(",", "").lstrip("-").isdigit():
        return f"'{cell}"
    return cell


class _Importing:
    """One import of tables on its way."""

    def __init__(self, connection: str, records: RecordStore, folder: Path, progress: Progress) -> None:
        self._connection, self._records, self._progress = connection, records, progress
        self._refused = _Refused(folder)
        self._total = self._done = 0
        self._collections: set[str] = set()

    # Understanding

    def understand(self, paths: Sequence[Path], mappings: Sequence[Path]) -> list[Known]:
        """What each table is. Raises UsageError, after writing mapping files, unless all are understood."""
        layouts = [read_mapping(_read_text(path), str(path)) for path in mappings if path.exists()]
        self._total = READINGS * sum(path.stat().st_size for path in paths)
        found = [understand(Source(str(path), _opener(path, self._read)), layouts) for path in paths]
        self._require_use(layouts, found)
        wanted = [path for path in mappings if not path.exists()]
        if problems := [_ask(each, wanted, layouts) for each in found if isinstance(each, Unknown)]:
            raise UsageError("; ".join(problems))
        return [each for each in found if isinstance(each, Known)]

    def _require_use(self, layouts: Sequence[Layout], found: Sequence[Known | Unknown]) -> None:
        for layout in layouts:
            if not any(each.layout is layout for each in found):
                present = {heading for each in found for heading in each.table.headings}
                missing = ", ".join(f'"{heading}"' for heading in layout.requires if heading not in present)
                raise UsageError(
                    f"{layout.name}: no file has all columns of this mapping; missing: {missing or 'none'}"
                )

    def _read(self, size: int) -> None:
        self._done += size
        self._progress("read", min(self._done, self._total), self._total)

    # Taking

    def take(self, tables: Sequence[Known]) -> ImportReport:
        """Stores what the tables hold, and learns from it."""
        world = self._world()
        counts = Counts()
        with ExitStack() as stack:
            for batch in _batches(self._documents(tables, world, stack)):
                counts += self._records.upsert_many(self._connection, batch)
        self._records.note_import(self._connection, counts, refused=self._refused.rows)
        if (counts.taken or counts.updated) and self._collections & LEARNED_FROM:
            self._progress("learn", 0, 1)
            refresh_fit(self._connection, records=self._records)
            self._progress("learn", 1, 1)
        files = tuple(str(path) for path, _ in self._refused.files.values())
        return ImportReport(
            counts.taken, counts.updated, counts.unchanged, tuple(self._refused.shown), world.notes.sentences(),
            self._refused.rows, files,
        )  # fmt: skip

    def _world(self) -> World:
        seller = self._records.seller(self._connection)
        zone = seller.timezone or "UTC"
        return World(
            named=self._named, exist=self._exist, zone=ZoneInfo(zone), zone_name=zone, currency=seller.currency or ""
        )

    def _named(self, collection: str) -> Iterator[tuple[str, str, str | None]]:
        """Who is called what in the store."""
        if collection == "users":
            yield from ((u.name, u.id, None) for u in self._records.iterate(self._connection, "users") if u.name)
            return
        for name in self._records.names(self._connection):
            if name.kind == NAME_KINDS.get(collection):
                yield name.text, name.record_id, name.owner_id

    def _exist(self, wanted: Iterable[Target]) -> set[Target]:
        """Which records are stored; those of a CRM that is elsewhere need not be."""
        asked = set(wanted)
        return self._records.existing_keys(self._connection, asked) if self._connection == LOCAL else asked

    def _documents(self, tables: Sequence[Known], world: World, stack: ExitStack) -> Iterator[tuple[str, Document]]:
        for table, item in take(tables, world):
            allowed = self._allowed(item) if isinstance(item, Taken) else item
            if isinstance(allowed, BadRow):
                self._refused.add(table, allowed, stack)
                continue
            for collection, doc in allowed.docs:
                self._collections.add(collection)
                yield collection, doc

    def _allowed(self, item: Taken) -> Taken | BadRow:
        """The row, or its refusal where a connection whose CRM is elsewhere may not take it."""
        try:
            for collection, doc in item.docs if self._connection != LOCAL else ():
                check_owner_knowledge(collection, doc, self._connection)
        except RecordProblem as problem:
            return BadRow(item.line, str(problem), item.cells)
        return item


def _batches(items: Iterable[tuple[str, Document]]) -> Iterator[list[tuple[str, Document]]]:
    batch: list[tuple[str, Document]] = []
    for item in items:
        batch.append(item)
        if len(batch) >= BATCH_RECORDS:
            yield batch
            batch = []
    if batch:
        yield batch


def _ask(unknown: Unknown, wanted: list[Path], layouts: Sequence[Layout]) -> str:
    """One sentence that says what to do; writes a mapping file unless the table came with one."""
    name, doubts = unknown.table.name, unknown.doubts
    why = "; ".join(f'{d.key} of the column "{d.heading}": {d.why}' for d in doubts)
    if unknown.layout in layouts and unknown.layout is not None:
        return f"{unknown.layout.name}: fill in the {why}"
    path = wanted.pop(0) if wanted else Path(name).with_suffix(".mapping.toml")
    if path.exists():
        return f"{name}: its mapping file {path} is there: fill it in and give it with --mapping {path}"
    _write_text(path, write_mapping(unknown.table, str(path), layout=unknown.layout, doubts=doubts))
    if doubts:
        return f"{name}: {why}; say which it is in {path}, and import again with --mapping {path}"
    return f"{name}: no known table has these headings; look over {path}, and import again with --mapping {path}"


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the mapping file cannot be read: {error}") from None


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{path}: the mapping file cannot be written: {error}; name another by --mapping") from None


class _Watched(io.FileIO):
    """A file that tells how much of it is read."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._tell = tell

    def readinto(self, buffer: Any) -> int | None:
        n = super().readinto(buffer)
        self._tell(n or 0)
        return n


def _opener(path: Path, tell: Callable[[int], None]) -> Callable[[], BinaryIO]:
    return lambda: cast(BinaryIO, io.BufferedReader(_Watched(path, tell), 1 << 18))
