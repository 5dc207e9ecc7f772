"""How values are written, per locale."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from crmplugin.brief.display import (
    needs_iso,
    show_count,
    show_date,
    show_datetime,
    show_duration,
    show_money,
    show_number,
    show_percent,
    show_range,
)
from tests.builders import TODAY, at

D = Decimal


@pytest.mark.parametrize(
    ("value", "currency", "locale", "shown"),
    [
        ("26505", "EUR", "de_DE", "26.505,00 €"),
        ("26505", "EUR", "en_GB", "€26,505.00"),
        ("26505", "EUR", "en", "€26,505.00"),
        ("1234.5", "CHF", "de_CH", "CHF 1’234.50"),
        ("1234.5", "EUR", "fr_FR", "1 234,50 €"),
        ("1234567", "INR", "en_IN", "₹12,34,567.00"),
        ("1200", "JPY", "en_US", "¥1,200"),
        ("0.0125", "EUR", "en_GB", "€0.0125"),
        ("-12", "USD", "en_US", "-$12.00"),
        ("26505", "EUR", "es_MX", "EUR 26,505.00"),
    ],
)
def test_money_is_exact_and_written_as_the_locale_does(value: str, currency: str, locale: str, shown: str):
    assert show_money(D(value), currency, locale) == shown


def test_two_dollars_in_one_brief_are_written_by_code():
    assert needs_iso({"USD", "CAD", "EUR"}, "en_US") == {"USD", "CAD"}
    assert needs_iso({"USD", "EUR"}, "en_US") == frozenset()
    assert show_money(D("1200"), "USD", "en_US", iso=True) == "1,200.00 USD"


@pytest.mark.parametrize(
    ("locale", "plain", "with_weekday"),
    [
        ("en_GB", "25 March", "Wednesday 25 March"),
        ("en", "25 March", "Wednesday 25 March"),
        ("en_US", "March 25", "Wednesday, March 25"),
        ("de_DE", "25. März", "Mittwoch, 25. März"),
        ("fr_FR", "25 mars", "mercredi 25 mars"),
        ("es_ES", "25 de marzo", "miércoles 25 de marzo"),
        ("nl_NL", "25 maart", "woensdag 25 maart"),
        ("ja_JP", "3月25日", "3月25日水曜日"),
    ],
)
def test_days_have_their_month_in_words(locale: str, plain: str, with_weekday: str):
    day = date(2026, 3, 25)

    assert show_date(day, locale, today=TODAY) == plain
    assert show_date(day, locale, today=TODAY, weekday=True) == with_weekday


def test_the_year_is_dropped_within_six_months_only():
    assert show_date(date(2026, 9, 9), "de_DE", today=TODAY) == "9. September"
    assert show_date(date(2026, 9, 10), "de_DE", today=TODAY) == "10. September 2026"
    assert show_date(date(2025, 9, 5), "en_GB", today=TODAY) == "5 September 2025"
    assert show_date(date(2026, 3, 20), "de_DE", today=TODAY, weekday=True, year=True) == "Freitag, 20. März 2026"


def test_the_first_of_a_month_is_an_ordinal_in_french():
    assert show_date(date(2026, 3, 1), "fr_FR", today=TODAY) == "1er mars"
    assert show_date(date(2027, 1, 1), "fr_FR", today=TODAY, weekday=True) == "vendredi 1er janvier 2027"
    assert show_date(date(2026, 3, 11), "fr_FR", today=TODAY) == "11 mars"


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en_GB", "Wednesday 11 March, 16:00 (London time)"),
        ("en_US", "Wednesday, March 11, 4:00 PM (London time)"),
        ("de_DE", "Mittwoch, 11. März, 16:00 Uhr (London)"),
        ("fr_FR", "mercredi 11 mars à 16:00 (heure de Londres)"),
        ("es_ES", "miércoles 11 de marzo a las 16:00 (hora de Londres)"),
        ("pl_PL", "środa, 11 marca, 16:00 (Londyn)"),
    ],
)
def test_a_time_names_its_place_when_our_clock_differs(locale: str, shown: str):
    moment = at("2026-03-11", "16:00")

    assert show_datetime(moment, "Europe/London", locale, today=TODAY, other_zone="Europe/Berlin") == shown


def test_a_time_in_our_own_zone_needs_no_place():
    moment = at("2026-03-10", "13:00")

    shown = show_datetime(moment, "Europe/Berlin", "de_DE", today=TODAY, other_zone="Europe/Vienna")
    assert shown == "Dienstag, 10. März, 14:00 Uhr"


def test_summer_time_moves_the_clock():
    before, after = at("2026-03-25", "14:00"), at("2026-04-01", "13:00")

    assert show_datetime(before, "Europe/Berlin", "en_GB", today=TODAY) == "Wednesday 25 March, 15:00"
    assert show_datetime(after, "Europe/Berlin", "en_GB", today=TODAY) == "Wednesday 1 April, 15:00"


def test_clocks_differ_for_three_weeks_between_new_york_and_berlin():
    moment = datetime.fromisoformat("2026-03-20T13:00:00+00:00")

    shown = show_datetime(moment, "America/New_York", "en_US", today=TODAY, other_zone="Europe/Berlin")
    assert shown == "Friday, March 20, 9:00 AM (New York time)"


@pytest.mark.parametrize(
    ("count", "locale", "shown"),
    [(10, "en_GB", "ten"), (12, "en_GB", "twelve"), (13, "en_GB", "13"), (2, "de_DE", "zwei"), (1, "de_DE", "1"),
     (4, "fr_FR", "quatre"), (1200, "de_DE", "1.200"), (3, "pl_PL", "3"), (0, "en_GB", "0")],
)  # fmt: skip
def test_small_counts_are_spelled_where_the_word_never_bends(count: int, locale: str, shown: str):
    assert show_count(count, locale) == shown


@pytest.mark.parametrize(
    ("locale", "shown"),
    [("en_GB", "6 to 8 weeks"), ("de_DE", "6 bis 8 Wochen"), ("fr_FR", "6 à 8 semaines"), ("es_ES", "6 a 8 semanas"),
     ("pl_PL", "6-8 tygodni")],
)  # fmt: skip
def test_ranges_are_written_out(locale: str, shown: str):
    assert show_range(D(6), D(8), "week", locale) == shown


def test_units_follow_their_number():
    assert show_duration(D(97), "day", "en_GB") == "97 days"
    assert show_duration(D(1), "day", "de_DE") == "1 Tag"
    assert show_duration(D(10), "business_day", "de_DE") == "10 Werktage"
    assert show_duration(D(2), "day", "it_IT") == "2 giorni"


def test_numbers_and_percentages():
    assert show_number(D("1234.50"), "de_DE") == "1.234,5"
    assert show_percent(D("16.67"), "en_GB") == "16.67%"
    assert show_percent(D("5.00"), "de_DE") == "5 %"


def test_an_unknown_locale_is_written_in_british_english():
    assert show_date(date(2026, 3, 25), "xx_YY", today=TODAY) == "25 March"
