"""The limits on model calls of the settings file: `[[spending]]` rows, checked whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from crmplugin.domain.spending import OVERS, PERS, SpendingLimit
from crmplugin.settings_file import Source

WHERES = ("connection", "kind", "person")


def read_spending(source: Source, values: Mapping[str, Any]) -> tuple[SpendingLimit, ...]:
    """The rows in their order, `model_budget_per_day` as the last. Raises SettingsError naming line and key."""
    rows = [_row(source, ("spending", str(n)), values) for n, _ in enumerate(source.tables(("spending",)))]
    budget = values["model_budget_per_day"]
    if budget is not None:
        _check_prices(source, ("model_budget_per_day",), values)
        rows.append(SpendingLimit(cost=budget))
    return tuple(rows)


def _row(source: Source, path: tuple[str, ...], values: Mapping[str, Any]) -> SpendingLimit:
    source.refuse_unknown(path, {"per", "cost", "calls", "over", *WHERES})
    cost, calls = source.value((*path, "cost"), Decimal), source.value((*path, "calls"), int)
    if cost is None and calls is None:
        raise source.problem(path, 'limits nothing: add cost = "5.00" or calls = 200, both for a day')
    if cost is not None:
        _check_prices(source, (*path, "cost"), values)
    per: Any = tuple(source.one_of((*path, "per"), by, PERS) for by in source.strings((*path, "per")))
    where = {key: source.strings((*path, key)) for key in WHERES if source.at((*path, key)) is not None}
    over: Any = source.one_of((*path, "over"), source.value((*path, "over"), str) or "template", OVERS)
    return SpendingLimit(per, cost, calls, MappingProxyType(where), over)


def _check_prices(source: Source, path: tuple[str, ...], values: Mapping[str, Any]) -> None:
    if values["model_input_price"] is None or values["model_output_price"] is None:
        raise source.problem(path, "needs model_input_price and model_output_price (per million tokens) too")
