"""Business days of both sides, and whose day it is."""

from datetime import UTC, date, datetime

import pytest

from crmplugin.brief.calendar import (
    add_business_days,
    both_sides,
    business_days_between,
    country_code,
    country_zone,
    day_in,
    is_business_day,
    known_zone,
    next_business_day,
    seller_zone,
)
from tests.builders import make_company, make_contact, make_context, make_quote, make_seller

MIDNIGHT_IN_BERLIN = datetime(2026, 3, 11, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "countries", "works"),
    [
        (date(2026, 3, 11), ("DE",), True),
        (date(2026, 3, 14), ("DE",), False),
        (date(2026, 4, 3), ("DE",), False),
        (date(2026, 4, 3), ("US",), True),
        (date(2026, 4, 3), ("US", "DE"), False),
        (date(2026, 4, 3), (), True),
        (date(2026, 4, 3), (None, "XX"), True),
        (date(2026, 3, 13), ("IL",), False),
        (date(2026, 3, 15), ("IL",), True),
        (date(2026, 12, 28), ("GB",), False),
    ],
)
def test_a_day_counts_when_every_side_works(day, countries, works):
    assert is_business_day(day, countries) is works


def test_three_business_days_over_a_weekend():
    assert add_business_days(date(2026, 3, 12), 3, ("DE",)) == date(2026, 3, 17)


def test_three_business_days_over_easter():
    assert add_business_days(date(2026, 4, 2), 3, ("DE",)) == date(2026, 4, 9)


def test_going_back_over_a_weekend():
    assert add_business_days(date(2026, 3, 16), -2, ("DE",)) == date(2026, 3, 12)


def test_adding_nothing_keeps_even_a_sunday():
    assert add_business_days(date(2026, 3, 15), 0, ("DE",)) == date(2026, 3, 15)


def test_the_next_business_day_of_a_friday_holiday_is_the_monday_after():
    assert next_business_day(date(2026, 5, 1), ("DE",)) == date(2026, 5, 4)


def test_a_business_day_is_its_own_next():
    assert next_business_day(date(2026, 3, 11), ("DE", "GB")) == date(2026, 3, 11)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2026, 3, 6), date(2026, 3, 11), 3),
        (date(2026, 3, 11), date(2026, 3, 11), 0),
        (date(2026, 3, 13), date(2026, 3, 15), 0),
        (date(2026, 3, 11), date(2026, 3, 6), -3),
        (date(2026, 4, 2), date(2026, 4, 8), 2),
    ],
)
def test_business_days_between_exclude_the_first_day(start, end, days):
    assert business_days_between(start, end, ("DE",)) == days


def test_the_calendars_of_customer_and_seller_both_count():
    assert both_sides(make_context(), make_contact()) == ("GB", "DE")


def test_the_contacts_country_goes_before_the_companys():
    assert both_sides(make_context(), make_contact(country="Sweden")) == ("SE", "DE")


def test_a_side_without_a_country_is_left_out():
    context = make_context(company=make_company(country=None), seller=make_seller(country="XX"))

    assert both_sides(context, None) == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [("DE", "DE"), ("de", "DE"), ("UK", "GB"), ("DEU", "DE"), ("Germany", "DE"), ("Österreich", "AT"), ("XX", None),
     ("Atlantis", None), ("", None), (None, None)],
)  # fmt: skip
def test_a_country_is_a_code_or_a_name(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("country", "zone"),
    [("DE", "Europe/Berlin"), ("US", "America/New_York"), ("AU", "Australia/Sydney"), ("CA", "America/Toronto"),
     ("XX", None)],
)  # fmt: skip
def test_a_country_has_the_zone_of_most_of_its_business(country, zone):
    assert country_zone(country) == zone


@pytest.mark.parametrize("name", [None, "", "Mars/Base", "../etc/passwd", "CET+nonsense"])
def test_what_is_no_zone_is_none(name):
    assert known_zone(name) is None


def test_midnight_falls_on_two_days():
    assert day_in("Europe/Berlin", MIDNIGHT_IN_BERLIN) == date(2026, 3, 12)
    assert day_in("America/New_York", MIDNIGHT_IN_BERLIN) == date(2026, 3, 11)


def test_the_day_keeps_its_hours_over_the_change_of_clocks():
    before, after = datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 22, 30, tzinfo=UTC)

    assert day_in("Europe/Berlin", before) == date(2026, 3, 29)
    assert day_in("Europe/Berlin", after) == date(2026, 3, 30)


def test_a_quotes_own_zone_goes_before_the_sellers():
    assert seller_zone(make_context(), make_quote(timezone="America/New_York")) == "America/New_York"
    assert seller_zone(make_context(), make_quote()) == "Europe/Berlin"
    assert seller_zone(make_context(seller=make_seller(timezone=None))) == "Europe/Berlin"
