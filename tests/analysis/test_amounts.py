"""Figures of money in notes: which count, how they may be read, what they agree with."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crmplugin.analysis.amounts import amounts_in, readings_of

D = Decimal


@pytest.mark.parametrize(
    ("text", "reading", "currency", "rounded"),
    [
        ("budget about 50k", "50000", None, True),
        ("budget 26,505 confirmed", "26505", None, False),
        ("Budget 2026 liegt bei ca. 26.505,00 €", "26505", "EUR", True),
        ("Total comes to EUR 48 000 by 2026-04-01", "48000", "EUR", False),
        ("budget for 2026: 1.2M", "1200000", None, True),
        ("Gesamtsumme 12'480.50 CHF", "12480.50", "CHF", False),
        ("presupuesto de 30.000 euros", "30000", "EUR", False),
    ],
)
def test_figures_beside_budget_or_total_are_read(text: str, reading: str, currency: str | None, rounded: bool):
    (found,) = amounts_in(text)

    assert D(reading) in found.readings
    assert (found.currency, found.rounded) == (currency, rounded)


@pytest.mark.parametrize(
    "text",
    [
        "10% off the total",
        "Her budget is tight; order Q-118",
        "budget meeting on 12 March",
        "we met 3 people, 26505 steps",
    ],
)
def test_other_figures_are_left_alone(text: str):
    assert amounts_in(text) == ()


def test_a_figure_agrees_in_any_reading_and_near_when_rounded():
    (exact,) = amounts_in("budget 26.505 confirmed")
    (rough,) = amounts_in("budget about 50k")

    assert exact.agrees(D("26505.00"), "EUR")
    assert not exact.agrees(D("26506.00"), "EUR")
    assert rough.agrees(D(48000), "EUR")
    assert not rough.agrees(D(47000), "EUR")


def test_another_currency_never_agrees():
    (found,) = amounts_in("budget USD 50,000")

    assert not found.agrees(D(50000), "EUR")


@pytest.mark.parametrize(
    ("number", "values"),
    [("1,234", ["1234", "1.234"]), ("1.234,50", ["1234.50"]), ("1,234.50", ["1234.50"]), ("12,5", ["12.5"]),
     ("1.234.567", ["1234567"]), ("48 000", ["48000"])],
)  # fmt: skip
def test_a_number_has_all_its_readings(number: str, values: list[str]):
    assert list(readings_of(number)) == [D(v) for v in values]
