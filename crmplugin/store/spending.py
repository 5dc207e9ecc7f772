"""What models cost, by day of UTC, connection, person and kind of draft: promised before a call, counted after it.

A promise and its check are one transaction that holds the day's lock, so that no two processes can pass a limit
together. A call that a crash cut off stays promised for that day: it may have been paid for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from crmplugin.domain.spending import Payer, Spender, SpendingLimit
from crmplugin.errors import SpendingLimitReached, SpendingRefused, StoreError
from crmplugin.store.database import insert_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.tables_access import spending

log = logging.getLogger(__name__)
MICRO = Decimal(1_000_000)
LOCK = {"connection": "", "person": "", "kind": ""}
"""The row that whoever promises something that day holds until the promise is kept or refused."""


@dataclass(frozen=True, slots=True)
class SpentRow:
    """What somebody's texts of one kind cost in a day; `promised` is at work."""

    day: date
    connection: str
    person: str
    kind: str
    cost: Decimal
    promised: Decimal
    calls: int


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a limit is used today, and by whom."""

    limit: SpendingLimit
    whose: str
    cost: Decimal
    calls: int


class SpendingBook:
    """Implements `ports.Purse`. `prices` are per million tokens; None: a call costs nothing that is known."""

    def __init__(
        self,
        engine: Engine,
        *,
        limits: Sequence[SpendingLimit] = (),
        prices: tuple[Decimal | None, Decimal | None] = (None, None),
        who: Callable[[Payer], Spender] = lambda payer: Spender(payer.connection, payer.kind, payer.asked_by or ""),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine, self.limits, self._prices, self._who, self._clock = engine, limits, prices, who, clock

    def reserve(self, payer: Payer, input_tokens: int, output_tokens: int) -> Callable[[int, int], None]:
        """Promises what a call may cost at most, and gives back what to call with the tokens that it took.

        Raises SpendingLimitReached or SpendingRefused, and then nothing is promised.
        """
        if not self.limits and None in self._prices:
            return lambda used_in, used_out: None
        spender, day = self._who(payer), self._clock().astimezone(UTC).date().isoformat()
        key = {"day": day, "connection": spender.connection, "person": spender.person, "kind": spender.kind}
        promised = self._micro(input_tokens, output_tokens)
        with writing(self._engine) as db:
            _lock_day(db, day)
            for limit in self.limits:
                self._check(db, limit, spender, day, promised)
            _add(db, key, reserved=promised, calls=1)
        return lambda used_in, used_out: self._settle(key, promised, self._micro(used_in, used_out))

    def _settle(self, key: dict[str, str], promised: int, spent: int) -> None:
        try:
            with writing(self._engine) as db:
                _add(db, key, reserved=-promised, spent=spent)
        except StoreError:  # the answer is paid for: the text goes on, and the promise stands for what it cost
            log.warning("what a model call cost could not be counted", extra={"connection": key["connection"]})

    def _micro(self, input_tokens: int, output_tokens: int) -> int:
        price_in, price_out = self._prices
        if price_in is None or price_out is None:
            return 0
        return int((input_tokens * price_in + output_tokens * price_out).to_integral_value(ROUND_CEILING))

    def _check(self, db: Connection, limit: SpendingLimit, spender: Spender, day: str, promised: int) -> None:
        if not limit.fits(spender):
            return
        total = func.coalesce(func.sum(spending.c.spent + spending.c.reserved), 0)
        query = select(total, func.coalesce(func.sum(spending.c.calls), 0)).where(*_counted(limit, spender, day))
        used, calls = db.execute(query).one()
        if limit.cost is not None and used + promised > limit.cost * MICRO:
            left = f"{_money(used)} of {_plain(limit.cost)} are used or promised"
            amounts = f"{left}, and this may cost {_money(promised)}"
        elif limit.calls is not None and calls >= limit.calls:
            amounts = f"{calls} of {limit.calls} calls are made"
        else:
            return
        sentence = f"today's limit on model calls for {limit.whose(spender)} would be passed: {amounts}"
        if limit.over == "refuse":
            raise SpendingRefused(f"{sentence}; ask again tomorrow (UTC), or for the template writer")
        raise SpendingLimitReached(sentence)

    def rows(self, since: date, connections: Collection[str] | None = None) -> list[SpentRow]:
        """What was spent since a day, oldest first; `connections` None: on all."""
        query = select(spending).where(spending.c.day >= since.isoformat(), spending.c.connection != "")
        if connections is not None:
            query = query.where(spending.c.connection.in_(connections))
        with reading(self._engine) as db:
            return [_row(row) for row in db.execute(query.order_by(*spending.primary_key.columns))]

    def used(self, connections: Collection[str] | None = None) -> list[Used]:
        """How much of each limit is used today, by whom it is counted for, the most first."""
        today = self.rows(self._clock().astimezone(UTC).date(), connections)
        found: dict[tuple[int, str], Used] = {}
        for n, limit in enumerate(self.limits):
            for row in today:
                payer = Payer(row.connection, row.kind, row.person or None)
                spender = self._who(payer)
                if not limit.fits(spender):
                    continue
                whose = limit.whose(spender)
                old = found.get((n, whose)) or Used(limit, whose, Decimal(0), 0)
                cost = old.cost + row.cost + row.promised
                found[n, whose] = Used(limit, whose, cost, old.calls + row.calls)
        return sorted(found.values(), key=lambda used: -used.cost)


def _lock_day(db: Connection, day: str) -> None:
    """Nobody else promises anything for this day until the transaction is over. (SQLite has one writer anyway.)"""
    _add(db, {"day": day, **LOCK})


def _add(db: Connection, key: dict[str, str], *, reserved: int = 0, spent: int = 0, calls: int = 0) -> None:
    values = {"reserved": reserved, "spent": spent, "calls": calls}
    statement = insert_into(db, spending).values(**key, **values)
    more = {name: getattr(spending.c, name) + value for name, value in values.items()}
    db.execute(statement.on_conflict_do_update(index_elements=list(spending.primary_key.columns), set_=more))


def _counted(limit: SpendingLimit, spender: Spender, day: str) -> list[Any]:
    """The conditions for the rows that a limit counts for somebody."""
    found: list[Any] = [spending.c.day == day, spending.c.connection != ""]
    found += [spending.c[key].in_(allowed) for key, allowed in limit.where.items()]
    by = {name: getattr(spender, name) for name in limit.per if name != "team"}
    if {"person", "team"} & set(limit.per):
        by["connection"] = spender.connection
    found += [spending.c[name] == value for name, value in by.items()]
    return [*found, spending.c.person.in_(spender.team)] if "team" in limit.per else found


def _row(row: Row[Any]) -> SpentRow:
    what = (date.fromisoformat(row.day), row.connection, row.person, row.kind)
    return SpentRow(*what, row.spent / MICRO, row.reserved / MICRO, row.calls)


def _money(micro: int) -> str:
    return _plain((Decimal(micro) / MICRO).quantize(Decimal("0.0001")))


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
