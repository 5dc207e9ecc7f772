"""Idempotency keys: the same key again gives the same resource, the same key with another body is refused."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select

from crmplugin.errors import UsageError
from crmplugin.store.database import insert_into
from crmplugin.store.guard import writing
from crmplugin.store.tables_work import idempotency


class KeyReused(UsageError):
    """The key was used before with another body."""

    code = "key_reused"


class IdempotencyKeys:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, scope: str, key: str, fingerprint: str, resource: str, *, at: datetime) -> str:
        """The id of the resource that this key stands for: `resource` now, or what it was the first time.

        Raises KeyReused when the fingerprint of the body differs from the first one.
        """
        values = {"scope": scope, "key": key, "fingerprint": fingerprint, "resource": resource, "created_at": at}
        query = select(idempotency).where(idempotency.c.scope == scope, idempotency.c.key == key)
        with writing(self._engine) as connection:
            connection.execute(insert_into(connection, idempotency).values(**values).on_conflict_do_nothing())
            row = connection.execute(query).one()
        if row.fingerprint != fingerprint:
            raise KeyReused("Idempotency-Key: used before with another body; take a new key for a new request")
        return str(row.resource)
