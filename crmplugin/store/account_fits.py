"""What the fit over all purchase histories says of each account: kept as JSON, one row an account, read by its key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, select

from crmplugin.domain.crm import Order
from crmplugin.ports import Learned, Ranking
from crmplugin.store.database import replace_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.purchases import dealing_of
from crmplugin.store.record_keys import instant_of, sortable
from crmplugin.store.record_writes import chunks
from crmplugin.store.records import PAGE, orders_by_account
from crmplugin.store.tables_records import account_fits, fits, record_revisions, records

MODEL = "recommender"
DOC = select(account_fits.c.doc).where(
    account_fits.c.connection == bindparam("connection"), account_fits.c.account == bindparam("account")
)
ROWS_AT_ONCE = 500
OVERLAP = timedelta(minutes=1)
"""Orders written this long before the last reading are looked at again: their transaction may have ended later."""

Days = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Fit:
    """The kept fit of a connection. revision: of the orders when they were read; at: when that was; the same of the
    time when all was learned: learned_revision and fitted_at; model: as JSON."""

    at: datetime
    fitted_at: datetime
    revision: int
    learned_revision: int
    model: Mapping[str, Any]
    churn: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class AccountFit:
    """What is kept of one account."""

    days: Days
    learned: Learned


class FitStore:
    """Reads and writes fits; every method takes the connection first and sees nothing of another one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def orders_revision(self, connection: str) -> int:
        """A number that grows with every change of an order."""
        column = record_revisions.c
        statement = select(column.revision).where(column.connection == connection, column.collection == "orders")
        with reading(self._engine) as db:
            return db.execute(statement).scalar() or 0

    def read(self, connection: str) -> Fit | None:
        """The kept fit, without its accounts."""
        statement = select(fits.c.computed_at, fits.c.doc).where(fits.c.connection == connection, fits.c.name == MODEL)
        with reading(self._engine) as db:
            row = db.execute(statement).first()
        if row is None:
            return None
        doc = json.loads(row.doc)
        churn, revisions = doc["churn"], (doc["revision"], doc["learned_revision"])
        fitted = datetime.fromisoformat(doc["fitted_at"])
        return Fit(instant_of(row.computed_at), fitted, *revisions, doc["model"], tuple(churn) if churn else None)

    def read_account(self, connection: str, account: str) -> Learned:
        """What the fit says of an account; nothing when it does not know it."""
        with reading(self._engine) as db:
            doc = db.execute(DOC, {"connection": connection, "account": account}).scalar()
        return Learned() if doc is None else _read_learned(json.loads(doc))

    def histories(self, connection: str) -> dict[str, Days]:
        """Account -> what it bought on which day (as an ordinal), of every account in the fit."""
        statement = select(account_fits.c.account, account_fits.c.days).where(account_fits.c.connection == connection)
        with reading(self._engine) as db:
            rows = db.execute(statement.execution_options(yield_per=PAGE))
            return {row.account: {int(d): tuple(ids) for d, ids in json.loads(row.days).items()} for row in rows}

    def changed_orders(self, connection: str, *, since: datetime) -> Iterator[tuple[str, list[Order]]]:
        """All orders of each account of which one was written since."""
        edge = sortable(since - OVERLAP)
        with reading(self._engine) as db:
            changed = orders_by_account(connection).where(records.c.changed_at >= edge)
            names = sorted({row.account for row in db.execute(changed)})
        for chunk in chunks(names):
            with reading(self._engine) as db:
                rows = db.execute(orders_by_account(connection, chunk))
                for account, group in groupby(rows, key=lambda row: row.account):
                    yield account, [dealing_of(json.loads(row.doc)) for row in group]

    def save_all(self, connection: str, fit: Fit, accounts: Iterable[tuple[str, AccountFit]]) -> int:
        """Replaces the fit and all its accounts, in one transaction; gives back how many there are."""
        with writing(self._engine) as db:
            db.execute(delete(account_fits).where(account_fits.c.connection == connection))
            return self._save(db, connection, fit, accounts)

    def save_some(self, connection: str, fit: Fit, accounts: Iterable[tuple[str, AccountFit]]) -> int:
        """Replaces these accounts and notes up to when the fit is now."""
        with writing(self._engine) as db:
            return self._save(db, connection, fit, accounts)

    def forget(self, connection: str, account: str) -> int:
        """Removes what is kept of an account; gives back how many rows that were."""
        of_account = (account_fits.c.connection == connection, account_fits.c.account == account)
        with writing(self._engine) as db:
            return db.execute(delete(account_fits).where(*of_account)).rowcount

    def _save(self, db: Connection, connection: str, fit: Fit, accounts: Iterable[tuple[str, AccountFit]]) -> int:
        at, n = sortable(fit.at), 0
        rows: list[dict[str, str]] = []
        for account, found in accounts:
            rows.append({"connection": connection, "account": account, "computed_at": at, **_account_columns(found)})
            n += 1
            if len(rows) == ROWS_AT_ONCE:
                db.execute(replace_into(db, account_fits), rows)
                rows = []
        if rows:
            db.execute(replace_into(db, account_fits), rows)
        doc = {
            "fitted_at": fit.fitted_at.isoformat(),
            "revision": fit.revision,
            "learned_revision": fit.learned_revision,
            "model": fit.model,
            "churn": fit.churn,
        }
        model = {"connection": connection, "name": MODEL, "computed_at": at, "doc": _json(doc)}
        db.execute(replace_into(db, fits), model)
        return n


def _account_columns(found: AccountFit) -> dict[str, str]:
    ranking = found.learned.ranking
    doc = {
        "rfm_class": found.learned.rfm_class,
        "churn": found.learned.churn,
        "ranking": ranking
        and {
            "computed_at": ranking.computed_at.isoformat(),
            "methods": [ranking.repeat_method, ranking.new_method],
            "n": ranking.n,
            "repeat": [[id_, round(score, 6)] for id_, score in ranking.repeat.items()],
            "new": [[id_, round(score, 6)] for id_, score in ranking.new.items()],
        },
    }
    return {"days": _json({str(day): list(ids) for day, ids in found.days.items()}), "doc": _json(doc)}


def _read_learned(doc: Mapping[str, Any]) -> Learned:
    churn = doc["churn"]
    return Learned(_read_ranking(doc["ranking"]), doc["rfm_class"], tuple(churn) if churn else None)


def _read_ranking(doc: Mapping[str, Any] | None) -> Ranking | None:
    if doc is None:
        return None
    repeat_method, new_method = doc["methods"]
    return Ranking(
        computed_at=datetime.fromisoformat(doc["computed_at"]),
        repeat_method=repeat_method,
        new_method=new_method,
        n=doc["n"],
        repeat=dict(doc["repeat"]),
        new=dict(doc["new"]),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
