"""Takes files of records into the store: strictly, each record on its own, the same file twice changing nothing.

First all files are read and checked, and what passed is put aside; then references are followed, for they may point
forward and into other files; then the rest is written, a transaction a batch. Imports raise no events.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from crmplugin.domain.crm import OWNER_KNOWLEDGE
from crmplugin.domain.record_files import Entry, NotRecords, read_document, walk_document
from crmplugin.domain.records import Document, check_record, references, targets
from crmplugin.errors import RecordProblem
from crmplugin.journeys.fit import LEARNED_FROM, refresh_fit
from crmplugin.store.record_writes import Counts, Key, id_of
from crmplugin.store.records import RecordStore

LOCAL = "local"
BATCH_RECORDS = 1_000
SPOOL_IN_MEMORY_BYTES = 32_000_000
COST_KEYS = frozenset({"id", "cost", "currency"})
"""What a file may say of a product whose CRM is elsewhere."""

Item = tuple[str, Document]
Spool = SpooledTemporaryFile[str]
Progress = Callable[[str, int, int], None]
"""`progress(step, done, total)`: `read` counts bytes, `write` records, `learn` goes from 0 to 1."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the records of an import; `refused` rows have file, line (None if unknown), key and reason.

    Of very many refused rows of tables the first are in `refused`, all in `refused_files`; `refused_rows` counts them.
    """

    taken: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    refused_rows: int = 0
    refused_files: tuple[str, ...] = ()


def import_records(
    files: Iterable[str | Path],
    *,
    connection: str,
    records: RecordStore,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Imports files of `crmplugin-records/1` (JSON or JSON Lines) into a connection and learns from them.

    A connection whose CRM is elsewhere takes only what its owner lays down (and product costs). Raises nothing for
    what stands in a file: all of that is in the report.
    """
    progress = on_progress or silent_progress
    with _open_spool() as spool:
        intake = _Intake(connection, progress, spool)
        intake.read_files([Path(file) for file in files])
        intake.drop_dangling(records)
        report = intake.write(records)
        collections = intake.collections()
    if (report.taken or report.updated) and collections & LEARNED_FROM:
        progress("learn", 0, 1)
        refresh_fit(connection, records=records)
        progress("learn", 1, 1)
    return report


def import_document(document: Any, *, connection: str, records: RecordStore, name: str = "records") -> ImportReport:
    """Imports records that came as a parsed document (a webhook's, a form's); nothing is learned from so few."""
    with _open_spool() as spool:
        intake = _Intake(connection, silent_progress, spool)
        intake.read(name, walk_document(document))
        intake.drop_dangling(records)
        return intake.write(records)


def _open_spool() -> Spool:
    return SpooledTemporaryFile(SPOOL_IN_MEMORY_BYTES, mode="w+", encoding="utf-8", newline="\n")


def silent_progress(step: str, done: int, total: int) -> None:
    """A progress for nobody."""


@dataclass(slots=True)
class _Row:
    """Where a record that passed stood, and which it is. `number` is its place in the spool."""

    number: int
    file: int
    line: int | None
    key: Key


class _Intake:
    """One import on its way. Documents wait in a spool file, so that memory holds little more than their ids."""

    def __init__(self, connection: str, progress: Progress, spool: Spool) -> None:
        self._connection, self._progress, self._spool = connection, progress, spool
        self._local = connection == LOCAL
        self._files: list[str] = []
        self._rows: list[_Row] = []
        self._named: set[Key] = set()
        self._dropped: set[int] = set()
        self._refused: list[tuple[int, int, dict[str, Any]]] = []

    def read_files(self, paths: Sequence[Path]) -> None:
        total, before = sum(path.stat().st_size for path in paths), 0
        for path in paths:
            with path.open("rb") as stream:
                self.read(str(path), self._watched(read_document(stream), stream, before, total))
                before += stream.tell()

    def _watched(self, entries: Iterator[Entry], stream: BinaryIO, before: int, total: int) -> Iterator[Entry]:
        for n, entry in enumerate(entries):
            yield entry
            if n % BATCH_RECORDS == 0:
                self._progress("read", before + stream.tell(), total)

    def read(self, name: str, entries: Iterator[Entry]) -> None:
        """Checks the entries of one file. A file that breaks off as a whole gives nothing but its refusal."""
        self._files.append(name)
        rows, refused = len(self._rows), len(self._refused)
        try:
            for entry in entries:
                self._take(entry)
        except NotRecords as problem:
            self._dropped.update(range(rows, len(self._rows)))
            del self._refused[refused:]
            self._refuse(len(self._files) - 1, problem.line, problem)

    def _take(self, entry: Entry) -> None:
        file = len(self._files) - 1
        try:
            doc = _checked(entry, self._connection)
        except RecordProblem as problem:
            self._refuse(file, entry.line, problem)
            return
        key = (entry.collection, id_of(entry.collection, doc))
        self._rows.append(_Row(len(self._rows), file, entry.line, key))
        self._named.update(filter(self._must_exist, targets(entry.collection, doc)))
        self._spool.write(json.dumps(doc, ensure_ascii=False) + "\n")

    def _refuse(self, file: int, line: int | None, problem: RecordProblem) -> None:
        reason = str(problem).removeprefix(f"{problem.key}: ")
        row = {"file": self._files[file], "line": line, "key": problem.key, "reason": reason}
        self._refused.append((file, line or 0, row))

    def _must_exist(self, target: Key) -> bool:
        """Whether what a record names must be here: records of a CRM that is elsewhere need not be mirrored."""
        return self._local or target[0] in OWNER_KNOWLEDGE

    def _documents(self) -> Iterator[tuple[_Row, Document]]:
        """What is still to be taken, in the order it came."""
        self._spool.seek(0)
        for row, line in zip(self._rows, self._spool, strict=True):
            if row.number not in self._dropped:
                yield row, json.loads(line)

    def drop_dangling(self, records: RecordStore) -> None:
        """Refuses what names a record that is nowhere; then what named only that; and so on."""
        absent = self._named - records.existing_keys(self._connection, self._named)
        alive = self._alive()
        waiting = deque(sorted(absent - alive.keys()))
        pointing = self._pointing() if waiting else {}
        while waiting:
            target = waiting.popleft()
            for row, key in pointing.get(target, ()):
                if row.number not in self._dropped:
                    self._dropped.add(row.number)
                    self._refuse(row.file, row.line, _dangling(key, target))
                    alive[row.key] -= 1
                    if not alive[row.key] and row.key in absent:
                        waiting.append(row.key)

    def _alive(self) -> Counter[Key]:
        """How many rows of each record are still to be taken."""
        return Counter(row.key for row in self._rows if row.number not in self._dropped)

    def _pointing(self) -> dict[Key, list[tuple[_Row, str]]]:
        """For each record that is named: the rows that name it, and where."""
        found: dict[Key, list[tuple[_Row, str]]] = {}
        for row, doc in self._documents():
            for key, collection, id_ in references(row.key[0], doc):
                found.setdefault((collection, id_), []).append((row, key))
        return found

    def write(self, records: RecordStore) -> ImportReport:
        """Writes what is left, and remembers that an import was made."""
        counts, total, done = Counts(), len(self._rows) - len(self._dropped), 0
        for batch in _batches(_together(self._documents(), self._alive())):
            counts += records.upsert_many(self._connection, batch)
            done += len(batch)
            self._progress("write", done, total)
        records.note_import(self._connection, counts, refused=len(self._refused))
        rows = tuple(row for _, _, row in sorted(self._refused, key=lambda found: found[:2]))
        return ImportReport(counts.taken, counts.updated, counts.unchanged, rows, refused_rows=len(rows))

    def collections(self) -> set[str]:
        return {row.key[0] for row in self._rows if row.number not in self._dropped}


def _dangling(key: str, target: Key) -> RecordProblem:
    return RecordProblem(key, f"an id among the {target[0]} of the import or the store", target[1])


def _checked(entry: Entry, connection: str) -> Document:
    if entry.problem is not None:
        raise entry.problem
    doc = check_record(entry.collection, entry.raw)
    if connection != LOCAL:
        check_owner_knowledge(entry.collection, doc, connection)
    return doc


def check_owner_knowledge(collection: str, doc: Document, connection: str) -> None:
    """Raises RecordProblem for a record that only the CRM of this connection may tell."""
    if collection in OWNER_KNOWLEDGE:
        return
    if collection != "products":
        expected = f"{', '.join(sorted(OWNER_KNOWLEDGE))} or product costs (all else {connection} reads from its CRM)"
        raise RecordProblem("", expected, collection)
    for key in doc:
        if key not in COST_KEYS and not key.startswith("x_"):
            raise RecordProblem(key, f"only id and cost of a product (all else {connection} reads from its CRM)", key)


def _together(documents: Iterable[tuple[_Row, Document]], alive: Mapping[Key, int]) -> Iterator[list[Item]]:
    """Documents one by one, but all rows of one record together, where its last one stood.

    Written apart, two rows that undo each other would be two changes each time their file is imported.
    """
    held: dict[Key, list[Item]] = {}
    for row, doc in documents:
        rows = held.setdefault(row.key, [])
        rows.append((row.key[0], doc))
        if len(rows) == alive[row.key]:
            yield held.pop(row.key)


def _batches(groups: Iterable[list[Item]]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for group in groups:
        batch.extend(group)
        if len(batch) >= BATCH_RECORDS:
            yield batch
            batch = []
    if batch:
        yield batch
