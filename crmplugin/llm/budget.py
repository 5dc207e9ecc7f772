"""What model calls may cost in a day of UTC, counted in this process from the tokens the server reports."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

from crmplugin.errors import ModelError

PER_MILLION = Decimal(1_000_000)


def _today() -> date:
    return datetime.now(UTC).date()


class DayBudget:
    """Refuses calls once a day's limit is spent; None: no limit. Prices are per million tokens."""

    def __init__(
        self,
        limit: Decimal | None,
        input_price: Decimal | None,
        output_price: Decimal | None,
        *,
        today: Callable[[], date] = _today,
    ) -> None:
        self._limit, self._prices, self._today = limit, (input_price, output_price), today
        self._lock = threading.Lock()
        self._day, self._spent = today(), Decimal(0)

    def check(self) -> None:
        """Raises ModelError when today's limit is spent."""
        with self._lock:
            self._turn_page()
            if self._limit is not None and self._spent >= self._limit:
                raise ModelError(f"today's model budget of {self._limit} is spent; model_budget_per_day sets it")

    def count(self, input_tokens: int, output_tokens: int) -> None:
        """Adds the cost of one call."""
        if self._prices[0] is None or self._prices[1] is None:
            return
        cost = (input_tokens * self._prices[0] + output_tokens * self._prices[1]) / PER_MILLION
        with self._lock:
            self._turn_page()
            self._spent += cost

    def _turn_page(self) -> None:
        if self._today() != self._day:
            self._day, self._spent = self._today(), Decimal(0)
