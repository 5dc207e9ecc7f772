"""Puts a whole set of files in the place of another, so that nobody ever works with half of each.

A marker beside the database stands from the first move to the last. While it stands the database is refused to
everybody; the same swap, done again, begins where the first one ended.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from crmplugin.errors import StoreError

MARKER = ".restoring"
SIDE_FILES = ("-wal", "-shm")
"""What SQLite keeps beside a database; `-wal` holds committed changes."""


def marker_of(database: Path) -> Path:
    return database.with_name(database.name + MARKER)


def refuse_unfinished_restore(database: Path) -> None:
    """Raises StoreError when a restore of this SQLite file was cut off."""
    if marker_of(database).exists():
        raise StoreError(f"a restore of {database} was cut off: run the same `crmplugin restore FILE` again")


def swap_in(fresh: Mapping[Path, Path], gone: Iterable[Path], *, database: Path, aside: Path) -> Path:
    """Moves each `fresh` file to its place, and what stood there, and all of `gone`, into the folder `aside`.

    Gives back where the old files are: `aside`, or the folder of the swap that was cut off before.
    """
    marker = marker_of(database)
    aside = _begin(marker, aside)
    aside.mkdir(parents=True, exist_ok=True)
    for place in {*fresh, *gone}:
        for old in (place, *(place.with_name(place.name + end) for end in SIDE_FILES)):
            _put_aside(old, aside)
    for place, new in fresh.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(new, place)
        sync(place)
    sync(database.parent)
    marker.unlink()
    sync(database.parent)
    return aside


def _begin(marker: Path, aside: Path) -> Path:
    """Writes the marker; gives back the folder that an earlier one names."""
    if marker.exists():
        return Path(json.loads(marker.read_text("utf-8"))["aside"])
    marker.parent.mkdir(parents=True, exist_ok=True)
    part = marker.with_name(marker.name + ".part")
    part.write_text(json.dumps({"aside": str(aside.absolute())}), "utf-8")
    sync(part)
    part.replace(marker)
    sync(marker.parent)
    return aside


def _put_aside(old: Path, aside: Path) -> None:
    if not old.exists():
        return
    kept = aside / old.name
    if kept.exists():
        # The swap before this one came so far; what stands here now is a new file of its own.
        old.unlink()
    else:
        shutil.move(old, kept)


def sync(path: Path) -> None:
    """Makes sure that a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
