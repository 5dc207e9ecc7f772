"""The file of a backup: a zip that any tool can open, sealed with a hash over all of its bytes.

The seal is the zip's comment, its last 71 bytes: `sha256:` and the hash of everything before. One altered byte or a
missing end is seen before anything is read. It is no signature: whoever can write the file can seal it again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from crmplugin.errors import UsageError

FORMAT = "crmplugin-backup/1"
MANIFEST = "manifest.json"
SEAL = b"sha256:"
SEAL_LENGTH = len(SEAL) + 64
MODE = 0o600
BLOCK = 1 << 20
FAST = 1
"""zlib's level: twice as fast as the default for a tenth more bytes."""


class Digest:
    """How many lines there were, and a hash of them in whatever order they came: the sum of their SHA-256."""

    def __init__(self) -> None:
        self.rows, self._sum = 0, 0

    def watch(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines, counted and hashed as they pass."""
        for line in lines:
            self.rows += 1
            self._sum += int.from_bytes(hashlib.sha256(line).digest(), "big")
            yield line

    @property
    def sha256(self) -> str:
        return f"{self._sum % (1 << 256):064x}"


def digest_of(lines: Iterable[bytes]) -> Digest:
    """The digest of lines that nobody else needs."""
    digest = Digest()
    for _ in digest.watch(lines):
        pass
    return digest


class ArchiveWriter:
    """A new archive, readable by its owner alone. `seal` ends it."""

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, MODE)
        self._file: BinaryIO = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST)

    def add(self, name: str, data: bytes) -> None:
        self._zip.writestr(name, data)

    def add_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """Adds a member line by line; lines have no newline of their own."""
        # A member takes each write through zlib by itself, which is slow for short lines.
        with (
            self._zip.open(name, "w", force_zip64=True) as member,
            io.BufferedWriter(member, BLOCK) as buffered,
        ):
            for line in lines:
                buffered.write(line + b"\n")

    def seal(self, manifest: Mapping[str, Any]) -> None:
        """Adds the manifest and the seal, and puts all of it on the disk."""
        self.add(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        self._zip.comment = b"-" * SEAL_LENGTH
        self._zip.close()
        seal = _seal_of(self._file)
        self._file.seek(-SEAL_LENGTH, os.SEEK_END)
        self._file.write(seal)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._file.closed:
            # Sealing failed or never came: what the zip would still write does not matter, and may fail again.
            self._zip.fp = None
            self._file.close()


class ArchiveReader:
    """A sealed archive. Raises UsageError with a sentence for whatever is none, or is not as it was written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}): give the path of a backup") from error
        try:
            _check_seal(self._file, path)
            self._zip = zipfile.ZipFile(self._file)
            self.manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            self._file.close()
            raise UsageError(f"{path} is no backup of crmplugin ({error})") from error
        except BaseException:
            self._file.close()
            raise

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member, without their newlines."""
        with self._zip.open(name) as member:
            for line in io.BufferedReader(member, BLOCK):  # type: ignore[type-var]
                yield line.rstrip(b"\n")

    def read(self, name: str) -> bytes:
        return self._zip.read(name)

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()


def is_archive(path: Path) -> bool:
    """Whether a file ends like a backup; what is in it is not looked at."""
    with path.open("rb") as file:
        return _read_seal(file).startswith(SEAL)


def _check_seal(file: BinaryIO, path: Path) -> None:
    seal = _read_seal(file)
    if not seal.startswith(SEAL):
        raise UsageError(f"{path} is no backup of crmplugin, or its end is missing: take another copy")
    if seal != _seal_of(file):
        raise UsageError(f"{path} is not as it was written (its hash differs): take another copy")


def _read_seal(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - SEAL_LENGTH))
    return file.read()


def _seal_of(file: BinaryIO) -> bytes:
    left = file.seek(0, os.SEEK_END) - SEAL_LENGTH
    file.seek(0)
    whole = hashlib.sha256()
    while left > 0 and (block := file.read(min(BLOCK, left))):
        whole.update(block)
        left -= len(block)
    return SEAL + whole.hexdigest().encode()
