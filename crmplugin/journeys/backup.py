"""Backing up a whole installation into one file while it serves, and bringing it back.

What a file is good for is shown before it counts: a backup is read again and compared with the database before it gets
its name, and a restored database is compared with the backup before it takes the place of another.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crmplugin import __version__
from crmplugin.errors import StateConflict, StoreError, UsageError
from crmplugin.settings import Settings
from crmplugin.store.archive import FORMAT, ArchiveReader, ArchiveWriter, Digest, digest_of, is_archive
from crmplugin.store.backup import (
    Snapshot,
    check_revision,
    is_in_use,
    make_inbox,
    open_loader,
    open_snapshot,
    pending_lines,
    sqlite_file,
)
from crmplugin.store.swap import swap_in, sync

INBOX = "inbox.sqlite"
JOBS = "jobs.sqlite"
SECRETS = ("*.key", "*.secret")
SECRET_MODE = 0o600


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds: rows by table, events that waited in the inbox, names of secret files, bytes of the file."""

    path: Path
    made_at: str
    version: str
    revision: str
    tables: Mapping[str, int]
    waiting: int
    secrets: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What came back. `aside`: the folder with the files that stood there before, if there were any."""

    backup: BackupReport
    aside: Path | None


def back_up(settings: Settings, target: Path) -> BackupReport:
    """Writes everything of an installation into `target`, readable by its owner alone. Servers go on meanwhile.

    An earlier backup of that name is replaced once the new one is verified; any other file is refused. Raises
    UsageError, or StoreError, and then `target` is as it was.
    """
    _check_source(settings)
    _check_target(target)
    with _as_sentence(target), _part_of(target) as part:
        _write(settings, part)
        report = check_backup(part)
        part.replace(target)
        sync(target.absolute().parent)
    return _report(target, report)


def check_backup(path: Path) -> dict[str, Any]:
    """The manifest of a backup whose every table was read and found to be as it was written. Raises UsageError."""
    with ArchiveReader(path) as archive:
        _check_manifest(archive.manifest, path)
        for entry in (*archive.manifest["tables"], archive.manifest["inbox"]):
            _compare(digest_of(archive.lines(entry["file"])), entry, path)
        return archive.manifest


def look_at(path: Path) -> BackupReport:
    """What a backup holds, after checking it. Raises UsageError or StoreError for one that cannot be restored."""
    return _report(path, check_backup(path))


def restore(settings: Settings, source: Path, *, now: datetime) -> RestoreReport:
    """Brings a backup back, whichever database it was made on; the caller holds the locks of a server.

    On SQLite the files that are there are moved aside; a PostgreSQL database must be empty. All of it or nothing.
    """
    manifest = check_backup(source)
    database = sqlite_file(settings.database_url)
    with ArchiveReader(source) as archive:
        if database is not None:
            aside = _restore_files(settings, archive, database.absolute(), now)
            return RestoreReport(_report(source, manifest), aside)
        _restore_server(settings, archive)
    return RestoreReport(_report(source, manifest), None)


def _check_source(settings: Settings) -> None:
    database = sqlite_file(settings.database_url)
    if database is not None and not database.exists():
        raise UsageError(f"there is nothing to back up: {database} does not exist (see CRMPLUGIN_VAR)")


def _check_target(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_file() or not os.access(target, os.R_OK) or (target.stat().st_size and not is_archive(target)):
        raise UsageError(f"{target} is there and is no backup of crmplugin: give another name")


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A name beside `target` for a file on its way; what is left of it is taken away."""
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.absolute().parent))
    try:
        yield folder / target.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _as_sentence(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror or error}): no backup was made") from error


def _write(settings: Settings, part: Path) -> None:
    # The inbox first: an event that is handed on meanwhile is then in both, and known; the other way round, in none.
    waiting = pending_lines(settings.var / INBOX)
    with open_snapshot(settings.database_url) as snapshot, ArchiveWriter(part) as archive:
        tables = [_write_table(archive, snapshot, name) for name in snapshot.tables]
        inbox = _write_lines(archive, "inbox.jsonl", iter(waiting))
        secrets = [_write_secret(archive, path) for path in _secret_files(settings.var)]
        archive.seal(
            {
                "format": FORMAT,
                "version": __version__,
                "revision": snapshot.revision,
                "made_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                "tables": tables,
                "inbox": inbox,
                "secrets": secrets,
            }
        )


def _write_table(archive: ArchiveWriter, snapshot: Snapshot, name: str) -> dict[str, Any]:
    entry = _write_lines(archive, f"tables/{name}.jsonl", snapshot.lines(name))
    if entry["rows"] != snapshot.count(name):
        raise StoreError(f"the table {name} gave {entry['rows']} rows of {snapshot.count(name)}: look at the database")
    return {"name": name, "columns": list(snapshot.tables[name]), **entry}


def _write_lines(archive: ArchiveWriter, file: str, lines: Iterator[bytes]) -> dict[str, Any]:
    digest = Digest()
    archive.add_lines(file, digest.watch(lines))
    return {"file": file, "rows": digest.rows, "sha256": digest.sha256}


def _write_secret(archive: ArchiveWriter, path: Path) -> dict[str, str]:
    data = path.read_bytes()
    archive.add(f"secrets/{path.name}", data)
    return {"name": path.name, "sha256": hashlib.sha256(data).hexdigest()}


def _secret_files(var: Path) -> list[Path]:
    return sorted(path for pattern in SECRETS for path in var.glob(pattern) if path.is_file())


def _check_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    if manifest.get("format") != FORMAT:
        raise UsageError(f"{path} has the format {manifest.get('format')!r}, this version reads {FORMAT}")
    check_revision(manifest["revision"], f"{path} was made by crmplugin {manifest['version']}: it")


def _compare(found: Digest, entry: Mapping[str, Any], what: object) -> None:
    if (found.rows, found.sha256) != (entry["rows"], entry["sha256"]):
        raise StoreError(f"{what}: {entry['file']} differs ({found.rows} rows, {entry['rows']} expected): try again")


def _report(path: Path, manifest: Mapping[str, Any]) -> BackupReport:
    return BackupReport(
        path=path,
        made_at=manifest["made_at"],
        version=manifest["version"],
        revision=manifest["revision"],
        tables={entry["name"]: entry["rows"] for entry in manifest["tables"]},
        waiting=manifest["inbox"]["rows"],
        secrets=tuple(entry["name"] for entry in manifest["secrets"]),
        size=path.stat().st_size,
    )


def _load(url: str, archive: ArchiveReader) -> None:
    """Fills an empty database and compares each table with the backup, before the schema moves on."""
    manifest = archive.manifest
    with open_loader(url, manifest["revision"]) as loader:
        for entry in manifest["tables"]:
            loader.load(entry["name"], entry["columns"], archive.lines(entry["file"]))
            _compare(loader.digest(entry["name"]), entry, "the restored database")


def _restore_server(settings: Settings, archive: ArchiveReader) -> None:
    if archive.manifest["inbox"]["rows"]:
        n = archive.manifest["inbox"]["rows"]
        sentence = f"{n} events of this backup were not handed on yet, which PostgreSQL has no inbox for: restore it on"
        raise StateConflict(f"{sentence} SQLite, start that server once, and take a new backup")
    _load(settings.database_url, archive)
    settings.var.mkdir(parents=True, exist_ok=True)
    with _work_folder(settings.var) as work:
        for name, secret in _unpack_secrets(archive, work).items():
            secret.replace(settings.var / name)
    sync(settings.var)


def _restore_files(settings: Settings, archive: ArchiveReader, database: Path, now: datetime) -> Path | None:
    if is_in_use(database):
        raise StateConflict(f"somebody is writing into {database}: wait for that command, or stop it")
    database.parent.mkdir(parents=True, exist_ok=True)
    with _work_folder(database.parent) as work:
        url = f"sqlite:///{work / database.name}"
        _load(url, archive)
        make_inbox(work / INBOX, url, archive.lines("inbox.jsonl"))
        fresh = {database: work / database.name, settings.var / INBOX: work / INBOX}
        fresh |= {settings.var / name: path for name, path in _unpack_secrets(archive, work).items()}
        aside = database.parent / f"before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        aside = swap_in(fresh, [settings.var / JOBS], database=database, aside=aside)
    if (aside / database.name).exists():
        return aside
    # Only secrets that this very command made when it read the settings.
    shutil.rmtree(aside, ignore_errors=True)
    return None


@contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".restore-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack_secrets(archive: ArchiveReader, folder: Path) -> dict[str, Path]:
    """The secret files of a backup by name, with a mode for their owner alone."""
    found = {}
    for entry in archive.manifest["secrets"]:
        path = folder / Path(entry["name"]).name
        path.touch(SECRET_MODE)
        path.write_bytes(archive.read(f"secrets/{entry['name']}"))
        sync(path)
        found[path.name] = path
    return found
