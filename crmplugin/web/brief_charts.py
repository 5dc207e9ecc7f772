"""The charts of a brief as pictures: the same finding, figures and table that a negotiation note carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from crmplugin.domain.brief import Chart as Told
from crmplugin.web.charts import Chart, Kind, Point
from crmplugin.web.console_show import Reader


def pictures(told: Iterable[Told], shown: Reader, link: Callable[[str, str], str | None]) -> list[Chart]:
    """A picture of each chart we can draw. `link(collection, id)` leads to a record."""
    return [_picture(chart, shown, link) for chart in told if chart.key in _DRAWN]


def _picture(chart: Told, shown: Reader, link: Callable[[str, str], str | None]) -> Chart:
    kind, value, point = _DRAWN[chart.key]
    points = tuple(point(p, shown, link) for p in chart.points if p.get(value) is not None)
    axis = (lambda n: f"{n:g} %") if chart.unit == "%" else _money_axis(shown, chart.unit)
    head, *rows = chart.table or ((),)
    columns = (head[0], head[1]) if len(head) > 1 else ("", "")
    return Chart(chart.key, chart.title, kind, points, columns, show=axis, table=(head, *rows))


def _money_axis(shown: Reader, unit: str) -> Callable[[float], str]:
    return lambda n: shown.money(Decimal(str(round(n))), unit) if unit else f"{n:g}"


def _band(p: Mapping[str, Any], _shown: Reader, _link: Callable[[str, str], str | None]) -> Point:
    return Point(p["label"], float(p["rate"]), f"{p['shown']}, {p['rate_shown']} ({p['interval_shown']})")


def _step(p: Mapping[str, Any], _shown: Reader, _link: Callable[[str, str], str | None]) -> Point:
    tone: Any = "bad" if p["key"] == "limit" else "plain"
    return Point(p["label"], float(p["price"]), f"{p['price_shown']}, {p['discount_shown']}", tone=tone)


def _order(p: Mapping[str, Any], shown: Reader, link: Callable[[str, str], str | None]) -> Point:
    day = date.fromisoformat(p["on"])
    return Point(shown.day(day), float(p["total"]), p["total_shown"], day, link("orders", p["order_id"]), p["order_id"])


_DRAWN: Mapping[str, tuple[Kind, str, Callable[..., Point]]] = {
    "discount_outcome": ("bars", "rate", _band),
    "concession_ladder": ("steps", "price", _step),
    "purchase_rhythm": ("dots", "total", _order),
}
"""Key of a chart -> how it is drawn, the value without which a point is left out, and how a point is read."""
