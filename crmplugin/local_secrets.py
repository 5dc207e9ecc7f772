"""Secrets of this installation that the first start makes: files of mode 0600 under `var/`, never printed in a log."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from crmplugin.errors import SettingsError

VAULT_KEY_FILE = "vault.key"
"""Keys of sealed credentials, one a line, the newest first. A backup takes it along, as every `*.key`."""


def read_or_make_secret(path: Path) -> str:
    """The secret in `path`; made (32 random bytes as hex, mode 0600) when the file is not there yet.

    Two processes starting together end with the same secret: the file appears whole or not at all.
    """
    if not path.exists():
        _make(path)
    secret = _read(path)
    if not secret:
        raise SettingsError(f"{path} is empty: delete it, then the next start makes a new secret")
    return secret


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({error}): give this user the right to read it") from error


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)  # mkstemp gives mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # unlike rename, refuses to replace what another process just made
        except FileExistsError:
            pass
        finally:
            os.unlink(temporary)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be made ({error}): make the folder writable or set CRMPLUGIN_VAR"
        ) from error


def add_key(path: Path) -> None:
    """Puts a new key on top of a file of keys; the ones that are there stay below it."""
    _replace(path, secrets.token_hex(32) + "\n" + read_or_make_secret(path) + "\n")


def keep_newest_key(path: Path) -> None:
    """Takes all keys but the newest out of a file of keys."""
    _replace(path, read_or_make_secret(path).split()[0] + "\n")


def _replace(path: Path, text: str) -> None:
    """The file with another content, whole or not at all, mode 0600."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error}): make the folder writable") from error
