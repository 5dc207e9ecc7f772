"""Which processes are at work: each renews a row of its own, and one that does not is taken for dead.

Only PostgreSQL needs this; embedded, the lock on `var/` says the same. Times are the database's own.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Engine, Float, bindparam, delete, func, select

from crmplugin.store.database import insert_for
from crmplugin.store.guard import reading, writing
from crmplugin.store.tables_live import leases

_NOW: Any = func.extract("epoch", func.clock_timestamp()).cast(Float)


class LeaseStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        new = insert_for("postgresql", leases).values(
            executor=bindparam("me"),
            version=bindparam("of_version"),
            started_at=_NOW,
            expires_at=_NOW + bindparam("ttl_s", type_=Float),
        )
        later = {"expires_at": new.excluded.expires_at}
        self._renew = new.on_conflict_do_update(index_elements=["executor"], set_=later)

    def renew(self, executor: str, *, version: str, ttl_s: float) -> None:
        """Says that this process is at work for so long. Raises StoreError."""
        with writing(self._engine) as connection:
            connection.execute(self._renew, {"me": executor, "of_version": version, "ttl_s": ttl_s})

    def release(self, executors: Collection[str]) -> None:
        """These are at work no more. Ends no lease that was renewed meanwhile, but one's own."""
        with writing(self._engine) as connection:
            connection.execute(delete(leases).where(leases.c.executor.in_(executors)))

    def bury(self, executors: Collection[str]) -> None:
        """Forgets the leases of these that have run out."""
        with writing(self._engine) as connection:
            ran_out = (leases.c.executor.in_(executors), leases.c.expires_at < _NOW)
            connection.execute(delete(leases).where(*ran_out))

    def alive(self) -> dict[str, str]:
        """Processes whose lease runs, with their versions."""
        query = select(leases.c.executor, leases.c.version).where(leases.c.expires_at >= _NOW)
        with reading(self._engine) as connection:
            return {row.executor: row.version for row in connection.execute(query)}

    def count(self) -> tuple[int, int]:
        """How many leases run, and how many have run out and are not reaped yet."""
        query = select(func.count(), func.count().filter(leases.c.expires_at < _NOW)).select_from(leases)
        with reading(self._engine) as connection:
            every, late = connection.execute(query).one()
        return every - late, late
