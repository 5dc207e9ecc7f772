"""Sealing texts with the keys of this installation: Fernet, the newest key first, older ones still open.

A sealed text says what it is for, so that a row that somebody moves to another place does not open there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from crmplugin.errors import SettingsError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

LEAST_KEY_CHARS = 32
"""Keys are random texts; 32 hex digits are 128 bits."""


class Seal:
    """Seals and opens. `read_keys` gives the secrets, newest first; it is asked again when a text does not open, so
    that a process that was running when the key was changed finds the new one."""

    def __init__(self, read_keys: Callable[[], Sequence[str]]) -> None:
        self._read_keys = read_keys
        self._fernet: MultiFernet | None = None

    def seal(self, place: Sequence[str], text: str) -> str:
        """The text sealed for a place (connection and name, or what else it belongs to)."""
        plain = json.dumps([*place, text], ensure_ascii=False).encode()
        return self._keys().encrypt(plain).decode("ascii")

    def open(self, place: Sequence[str], sealed: str) -> str:
        """The text again. Raises SettingsError when no key of ours opens it, or it was sealed for another place."""
        *found, text = json.loads(self._decrypt(sealed))
        if found != list(place):
            raise SettingsError(
                f"what is stored for {'/'.join(place)} was sealed for {'/'.join(found)}: connect it anew"
            )
        return str(text)

    def renewed(self, sealed: str) -> str:
        """The same content under the newest key."""
        self._fernet = None
        return self._keys().rotate(sealed.encode()).decode("ascii")

    def _decrypt(self, sealed: str) -> bytes:
        from cryptography.fernet import InvalidToken

        for _ in range(2):
            try:
                return self._keys().decrypt(sealed.encode())
            except InvalidToken:
                self._fernet = None  # perhaps the key was changed meanwhile
        raise SettingsError(
            "a stored credential does not open with this machine's vault key: set vault_key, or copy var/vault.key, "
            "from the machine that stored it; or connect the CRM anew"
        )

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            self._fernet = _ring(self._read_keys())
        return self._fernet


def split_keys(text: str) -> tuple[str, ...]:
    """The keys of a setting or a file, newest first: separated by spaces, commas or lines. Raises SettingsError."""
    keys = tuple(text.replace(",", " ").split())
    if not keys or any(len(key) < LEAST_KEY_CHARS for key in keys):
        raise SettingsError(f"vault_key: expected keys of at least {LEAST_KEY_CHARS} characters, the newest first")
    return keys


def _ring(secrets: Sequence[str]) -> MultiFernet:
    # Imported late: most commands open no credential, and the library is slow to load.
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def key_of(secret: str) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"crmplugin vault 1")
        return base64.urlsafe_b64encode(kdf.derive(secret.encode()))

    return MultiFernet([Fernet(key_of(secret)) for secret in secrets])
