"""The order of a column's dates is decided from all of its cells."""

from __future__ import annotations

from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmplugin.tables.dates import ORDERS, DateEvidence, read_day, read_moment, read_serial

BERLIN = ZoneInfo("Europe/Berlin")


def decide(*cells: str) -> tuple[str | None, str]:
    evidence = DateEvidence()
    evidence.add(cells)
    return evidence.decide()


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (("03/04/2026", "25/04/2026"), "dmy"),
        (("03/04/2026", "04/25/2026"), "mdy"),
        (("2026-03-04",), "ymd"),
        (("26/03/04", "31/12/32"), "dmy"),
        (("3.4.2026", "13.4.2026"), "dmy"),
        (("12/1/2010 8:26", "12/13/2010 9:02"), "mdy"),
        (("20260304", "20261231"), "ymd"),
    ],
)
def test_one_telling_cell_decides_for_the_column(cells: tuple[str, ...], order: str):
    assert decide(*cells) == (order, "")


def test_a_day_that_can_be_two_is_not_decided():
    found, why = decide("03/04/2026", "05/06/2026")

    assert found is None
    assert why == '"03/04/2026" can be dmy or mdy'


def test_days_that_are_the_same_in_both_orders_leave_no_doubt():
    assert decide("03/03/2026", "05/05/2026")[0] is not None


def test_years_of_two_figures_can_stand_first_or_last():
    assert decide("26/03/04", "31/12/25") == (None, '"26/03/04" can be ymd or dmy')


def test_two_orders_in_one_column_are_not_decided():
    assert decide("25/04/2026", "04/25/2026")[0] is None


@pytest.mark.parametrize(
    ("cell", "order", "day"),
    [
        ("2026-03-04T10:00:00Z", "ymd", date(2026, 3, 4)),
        ("4 March 2026", "mdy", date(2026, 3, 4)),
        ("4. März 2026", "ymd", date(2026, 3, 4)),
        ("Mar 4, 2026", "dmy", date(2026, 3, 4)),
        ("4 avril 2026", "dmy", date(2026, 4, 4)),
        ("31/12/68", "dmy", date(2068, 12, 31)),
        ("31/12/69", "dmy", date(1969, 12, 31)),
    ],
)
def test_days_are_read(cell: str, order: str, day: date):
    assert read_day(cell, order) == day


@pytest.mark.parametrize(
    "cell",
    ["", "soon", "30/02/2026", "2026-13-01", "0000-01-01", "2026", "1/2", "٣/٤/2026", "99/99/9999", "2026-1-1-1"],
)
def test_what_is_no_day_is_none(cell: str):
    assert [read_day(cell, order) for order in ORDERS] == [None, None, None]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("2026-03-10 14:05", "2026-03-10T14:05:00+01:00"),
        ("2026-07-10 14:05:30", "2026-07-10T14:05:30+02:00"),
        ("2026-03-10T14:05:00Z", "2026-03-10T14:05:00+00:00"),
        ("2026-03-10 14:05:00+0530", "2026-03-10T14:05:00+05:30"),
        ("2026-03-10 02:05 PM", "2026-03-10T14:05:00+01:00"),
        ("2026-03-10 12:05 a.m.", "2026-03-10T00:05:00+01:00"),
        ("2026-03-10, 14:05 UTC", "2026-03-10T14:05:00+00:00"),
        ("2026-03-10", "2026-03-10T12:00:00+01:00"),
    ],
)
def test_times_without_a_zone_are_of_the_zone_given(cell: str, text: str):
    moment = read_moment(cell, "ymd", BERLIN)

    assert moment is not None
    assert moment.isoformat() == text


@pytest.mark.parametrize("cell", ["2026-03-10 25:00", "2026-03-10 13:05 PM", "2026-03-10 noon", "14:05"])
def test_what_is_no_time_is_none(cell: str):
    assert read_moment(cell, "ymd", UTC) is None


def test_serial_days_of_spreadsheets_are_read():
    assert str(read_serial("45631.0")) == "2024-12-05 00:00:00"
    assert str(read_serial("45631.5")) == "2024-12-05 12:00:00"
    assert read_serial("12") is None
    assert read_serial("9999999") is None


FORMS = {"ymd": "%Y-%m-%d", "dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}


@given(st.lists(st.dates(date(1000, 1, 1), date(9998, 12, 31)), min_size=1), st.sampled_from(ORDERS))
def test_a_column_in_any_order_comes_back_the_same_or_is_in_doubt(days: list[date], order: str):
    form = FORMS[order].replace("%Y", "{0:04d}").replace("%m", "{1:02d}").replace("%d", "{2:02d}")
    cells = [form.format(day.year, day.month, day.day) for day in days]

    found, why = decide(*cells)

    if found is None:
        assert all(day.day <= 12 for day in days)
        assert "dmy or mdy" in why
    else:
        assert [read_day(cell, found) for cell in cells] == days


@given(st.text(max_size=30))
def test_any_text_is_a_day_or_none(text: str):
    for order in ORDERS:
        read_day(text, order)
        read_moment(text, order, UTC)
    read_serial(text)
