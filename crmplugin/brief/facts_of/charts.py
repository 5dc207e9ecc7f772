"""The charts of a negotiation note as data: the finding as title, points to draw, and the same as a table to read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crmplugin.analysis import charts
from crmplugin.analysis.negotiation import BandRate, Step
from crmplugin.analysis.negotiation_table import Table
from crmplugin.brief.facts_of.making import Maker
from crmplugin.domain.brief import Chart, Signals
from crmplugin.domain.crm import Context
from crmplugin.ports import Population


def negotiation_charts(context: Context, population: Population, signals: Signals, make: Maker) -> tuple[Chart, ...]:
    """At most three charts of the deal, in the language of the brief; internal, all of them."""
    if context.deal is None:
        return ()
    t = Table(context, context.deal, population, signals, make.now, make.owner_zone)
    found = (_outcomes(make, charts.outcomes(t)), _ladder(make, charts.ladder(t)), _rhythm(make, charts.rhythm(t)))
    return tuple(chart for chart in found if chart)


def _outcomes(make: Maker, found: charts.Outcomes | None) -> Chart | None:
    if found is None:
        return None
    k, n = sum(b.k for b in found.bands), sum(b.n for b in found.bands)
    points = tuple(_band_point(make, band) for band in found.bands)
    head = tuple(make.word(f"word.chart.{name}") for name in ("discount", "won", "rate", "interval"))
    rows = tuple((p["label"], p["shown"], p["rate_shown"], p["interval_shown"]) for p in points)
    title = make.word(f"word.chart.outcomes_{found.finding}", k=str(k), n=str(n))
    return Chart("discount_outcome", title, "%", points, (head, *rows))


def _band_point(make: Maker, band: BandRate) -> dict[str, Any]:
    """Below three cases there are cases and no rate."""
    is_rate = band.n >= charts.LEAST_CASES and band.rate is not None
    ends = (band.low, band.high) if is_rate else (None, None)
    label = f"{band.from_pct:f}–{band.to_pct:f} %" if band.to_pct is not None else f"> {band.from_pct:f} %"
    shown = [make.show_percent(round(100 * end, 1)) for end in ends if end is not None]
    return {
        "label": label,
        "from_pct": f"{band.from_pct:f}",
        "to_pct": None if band.to_pct is None else f"{band.to_pct:f}",
        "won": band.k,
        "n": band.n,
        "shown": f"{band.k} / {band.n}",
        "rate": _percent(band.rate) if is_rate else None,
        "low": _percent(ends[0]),
        "high": _percent(ends[1]),
        "shrunk": _percent(band.shrunk) if is_rate else None,
        "rate_shown": make.show_percent(round(100 * band.rate, 1)) if is_rate and band.rate is not None else "–",
        "interval_shown": " – ".join(shown) or "–",
    }


def _ladder(make: Maker, found: charts.Ladder | None) -> Chart | None:
    if found is None or not found.currency:
        return None
    unit = found.currency
    stages = [("now", found.start), *((f"step{n}", step) for n, step in enumerate(found.steps, start=1))]
    if found.limit:
        stages.append(("limit", found.limit))
    points = tuple(_step_point(make, key, step, unit) for key, step in stages)
    head = tuple(make.word(f"word.chart.{name}") for name in ("step", "discount", "price"))
    rows = tuple((p["label"], p["discount_shown"], p["price_shown"]) for p in points)
    ends = {"first": points[0]["price_shown"], "last": points[len(found.steps)]["price_shown"]}
    title = make.word("word.chart.ladder", n=str(len(found.steps)), **ends)
    return Chart("concession_ladder", title, unit, points, (head, *rows))


def _step_point(make: Maker, key: str, step: Step, unit: str) -> dict[str, Any]:
    price = make.to_minor_unit(step.price, unit)
    number = key.removeprefix("step")
    return {
        "key": key,
        "label": make.word("word.chart.step_n", n=number) if number != key else make.word(f"word.chart.{key}"),
        "discount_pct": f"{round(step.discount_pct, 2):f}",
        "price": f"{price:f}",
        "discount_shown": make.show_percent(round(step.discount_pct, 2)),
        "price_shown": make.show_money(price, unit),
    }


def _rhythm(make: Maker, found: charts.Rhythm | None) -> Chart | None:
    if found is None:
        return None
    units = {unit or "" for _, total, unit, _ in found.orders if total is not None}
    points: tuple[dict[str, Any], ...] = tuple(
        {"on": day.isoformat(), "label": make.show_day(day), "total": None if total is None else f"{total:f}",
         "currency": unit, "order_id": id_,
         "total_shown": make.show_money(total, unit) if total is not None and unit else "–"}
        for day, total, unit, id_ in found.orders
    )  # fmt: skip
    head = tuple(make.word(f"word.chart.{name}") for name in ("on", "amount"))
    rows = tuple((p["label"], p["total_shown"]) for p in points)
    spans = {"gap": make.show_span(Decimal(found.gap_days), None, "day"),
             "since": make.show_span(Decimal(found.days_since), None, "day")}  # fmt: skip
    title = make.word("word.chart.rhythm", **spans)
    return Chart("purchase_rhythm", title, units.pop() if len(units) == 1 else "", points, (head, *rows))


def _percent(share: Decimal | None) -> str | None:
    return None if share is None else f"{round(100 * share, 1):f}"
