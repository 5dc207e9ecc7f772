"""Lead times as people type them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crmplugin.analysis.durations import read_duration


@pytest.mark.parametrize(
    ("text", "value", "unit", "hedge"),
    [
        ("6-8 weeks", "6..8", "week", None),
        ("6–8 Wochen", "6..8", "week", None),
        ("6 to 8 weeks", "6..8", "week", None),
        ("ca. 10 Werktage", "10", "business_day", "about"),
        ("3 working days", "3", "business_day", None),
        ("up to 5 days", "5", "day", "up_to"),
        ("ab 2 Wochen", "2", "week", "from"),
        ("4 semaines", "4", "week", None),
        ("1,5 Monate", "1.5", "month", None),
        ("24h", "24", "hour", None),
    ],
)
def test_durations_are_read_with_their_hedge(text: str, value: str, unit: str, hedge: str | None):
    found = read_duration(text)

    assert found is not None
    assert (found.value, found.unit, found.hedge) == (value, unit, hedge)
    assert isinstance(found.low, Decimal)


@pytest.mark.parametrize("text", ["in stock", "on request", "8-6 weeks", "6-8 weeks after approval", "soon", "12"])
def test_anything_else_is_not_a_duration(text: str):
    assert read_duration(text) is None
