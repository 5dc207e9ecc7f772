"""Keys of persons: what the audit says about somebody opens only with their key, and erasing deletes the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from crmplugin.store.database import insert_into
from crmplugin.store.sealing import Seal
from crmplugin.store.tables_access import person_keys

_ID = select(person_keys.c.id).where(
    person_keys.c.connection == bindparam("connection"), person_keys.c.person == bindparam("person")
)
NOBODY = ""
"""Stands for what names no person: a key of the connection that is never deleted."""
COMPRESSION = 1


class PersonSeals:
    """Seals texts about persons. A text about several opens only while the keys of all of them are there."""

    def __init__(self, seal: Seal, pepper: str) -> None:
        self._seal, self._pepper = seal, pepper.encode()
        self._kept: dict[tuple[str, str], tuple[int, bytes]] = {}

    def reference(self, connection: str, contact_id: str) -> str:
        """What stands for a person in our own tables instead of their id."""
        return hmac.new(self._pepper, f"person\0{connection}\0{contact_id}".encode(), hashlib.sha256).hexdigest()

    def seal(
        self, db: Connection, connection: str, contact_ids: Collection[str], content: Mapping[str, Any]
    ) -> tuple[str, list[int]]:
        """The content sealed, and the ids of the keys that open it."""
        keys = sorted(self._key(db, connection, id_) for id_ in sorted(set(contact_ids) or {NOBODY}))
        plain = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), COMPRESSION)
        return _fernet(keys).encrypt(plain).decode("ascii"), [id_ for id_, _ in keys]

    def open(self, db: Connection, sealed: str, key_ids: Sequence[int]) -> dict[str, Any] | None:
        """The content again; None when a person in it was erased."""
        rows = db.execute(select(person_keys).where(person_keys.c.id.in_(key_ids))).all()
        if len(rows) < len(key_ids):
            return None
        keys = sorted((r.id, bytes.fromhex(self._seal.open((r.connection, r.person), r.sealed))) for r in rows)
        content: dict[str, Any] = json.loads(zlib.decompress(_fernet(keys).decrypt(sealed.encode())))
        return content

    def keys_of(self, db: Connection, connection: str, contact_id: str) -> list[int]:
        """The id of a person's key; empty when nothing is sealed with it."""
        mine = (person_keys.c.connection == connection, person_keys.c.person == self.reference(connection, contact_id))
        return list(db.execute(select(person_keys.c.id).where(*mine)).scalars())

    def forget(self, db: Connection, connection: str, contact_id: str) -> list[int]:
        """Deletes a person's key; gives back its id. A later text about them gets a new one."""
        person = self.reference(connection, contact_id)
        self._kept.pop((connection, person), None)
        mine = (person_keys.c.connection == connection, person_keys.c.person == person)
        ids = self.keys_of(db, connection, contact_id)
        db.execute(person_keys.delete().where(*mine))
        return ids

    def _key(self, db: Connection, connection: str, contact_id: str) -> tuple[int, bytes]:
        person = self.reference(connection, contact_id)
        mine = (person_keys.c.connection == connection, person_keys.c.person == person)
        # Only the id is asked for each time: another process may have erased the person meanwhile.
        id_ = db.execute(_ID, {"connection": connection, "person": person}).scalar()
        kept = self._kept.get((connection, person))
        if kept is not None and kept[0] == id_:
            return kept
        if id_ is None:
            fresh = self._seal.seal((connection, person), secrets.token_bytes(32).hex())
            row = {"connection": connection, "person": person, "sealed": fresh}
            db.execute(insert_into(db, person_keys).values(**row).on_conflict_do_nothing())
        found = db.execute(select(person_keys).where(*mine)).one()
        key = found.id, bytes.fromhex(self._seal.open((connection, person), found.sealed))
        self._kept[connection, person] = key
        return key


def _fernet(keys: Sequence[tuple[int, bytes]]) -> Any:
    from cryptography.fernet import Fernet

    joined = hashlib.sha256(b"audit\0" + b"".join(key for _, key in keys)).digest()
    return Fernet(base64.urlsafe_b64encode(joined))
