from __future__ import annotations

from decimal import Decimal as D

import pytest

from crmplugin.checking.fold import fold_text
from crmplugin.checking.numbers import find_numbers, read_digits

from .world import EN, check_one, make_fact, verdict_of


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("1,234.50", "en_GB", "1234.50"),
        ("1.234,50", "de_DE", "1234.50"),
        ("1 234,50", "fr_FR", "1234.50"),
        ("1 234,50", "pl_PL", "1234.50"),
        ("1'234.50", "de_CH", "1234.50"),
        ("1.234", "de_DE", "1234"),
        ("1.234", "en_GB", "1.234"),
        ("1,234", "en_GB", "1234"),
        ("12,34,567", "en_IN", "1234567"),
        ("-5", "en_GB", "-5"),
    ],
)
def test_digits_are_read_the_way_the_locale_writes_them(text, locale, value):
    assert read_digits(text, locale)[0] == D(value)


@pytest.mark.parametrize(
    ("text", "locale", "other"),
    [("1.234", "de_DE", "1.234"), ("1.234", "en_GB", "1234"), ("1,234", "en_GB", "1.234"), ("1 234", "en_GB", "1234")],
)
def test_other_well_formed_readings_are_kept(text, locale, other):
    assert D(other) in read_digits(text, locale)[1]


def test_indian_groups_mean_nothing_elsewhere():
    assert read_digits("12,34,567", "en_GB") == (None, ())


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1.2M", "en", "1200000"),
        ("1.2bn", "en", "1200000000"),
        ("1,2 Mio.", "de", "1200000"),
        ("12k", "en", "12000"),
        ("12 Tsd.", "de", "12000"),
        ("a dozen", "en", "12"),
        ("four", "en", "4"),
        ("vier", "de", "4"),
        ("quatre", "fr", "4"),
        ("twenty-one", "en", "21"),
        ("einundzwanzig", "de", "21"),
        ("two hundred and five", "en", "205"),
        ("forty thousand", "en", "40000"),
        ("vierzigtausend", "de", "40000"),
        ("treinta y cinco", "es", "35"),
        ("ventotto", "it", "28"),
        ("vijfentwintig", "nl", "25"),
        ("dwadzieścia pięć", "pl", "25"),
        ("vinte e cinco", "pt", "25"),
        ("１２", "en", "12"),
        ("١٢", "en", "12"),
        ("4\u200b8", "en", "48"),
        ("1\u202f234,50", "fr", "1234.50"),
        ("1\u00a0234,50", "fr", "1234.50"),
        ("1\u2009234,50", "fr", "1234.50"),
    ],
)  # fmt: skip
def test_scales_words_and_disguises_have_their_value(text, language, value):
    folded = fold_text(text)

    found = find_numbers(folded.text, folded.lower, language=language, locale=language)

    assert [n.value for n in found] == [D(value)]


@pytest.mark.parametrize("text", ["6–8 weeks", "6 to 8 weeks", "6-8 weeks", "between 6 and 8 weeks"])
def test_a_range_is_its_two_ends(text):
    assert verdict_of(f"The lead time is {text}.") == "supported"


@pytest.mark.parametrize(
    "text", ["6–9 weeks", "5 to 8 weeks", "6 weeks", "8 weeks", "6–8 days", "6–8 months", "68 weeks"]
)
def test_a_range_must_match_at_both_ends(text):
    assert verdict_of(f"The lead time is {text}.") == "unsupported"


def test_one_end_of_a_range_needs_its_word():
    assert verdict_of("The lead time is up to 8 weeks.") == "supported"
    assert verdict_of("The lead time is at least 6 weeks.") == "supported"
    assert verdict_of("The lead time is up to 6 weeks.") == "unsupported"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("It takes 14 days.", "supported"),
        ("It takes 2 weeks.", "supported"),
        ("It takes two weeks.", "supported"),
        ("It takes 3 weeks.", "unsupported"),
        ("It takes 14 business days.", "unsupported"),
        ("It takes 336 hours.", "supported"),
    ],
)
def test_durations_are_equal_across_units(text, verdict):
    facts = (make_fact("S-1.lead_time", "duration", "time it takes", "14", "14 days", unit="day"),)

    assert verdict_of(text, facts=facts) == verdict


def test_days_in_months_need_a_hedge():
    facts = (make_fact("S-1.days_since", "duration", "days since", "97", "97 days", unit="day"),)

    assert verdict_of("It was 3 months ago.", facts=facts) == "unsupported"
    assert verdict_of("It was about 3 months ago.", facts=facts) == "supported"
    assert verdict_of("It was about 5 months ago.", facts=facts) == "unsupported"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("It runs 100 times.", "supported"),
        ("It runs about 103 times.", "supported"),
        ("It runs about 106 times.", "unsupported"),
        ("It runs over 90 times.", "supported"),
        ("It runs over 86 times.", "unsupported"),
        ("It runs over 100 times.", "unsupported"),
        ("It runs nearly 104 times.", "supported"),
        ("It runs nearly 100 times.", "unsupported"),
        ("It runs 99 times.", "unsupported"),
    ],
)
def test_hedges_allow_what_they_say_and_no_more(text, verdict):
    assert verdict_of(text, facts=(make_fact("S-1.count", "count", "runs", "100"),)) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("The share is 61.9 %.", "supported"),
        ("The share is 62 %.", "supported"),
        ("The share is 62 percent.", "supported"),
        ("The share is 61 %.", "unsupported"),
        ("The share is 63 %.", "unsupported"),
        ("That is about 6 in 10.", "supported"),
        ("That is about 7 in 10.", "unsupported"),
        ("That is 6 in 10.", "unsupported"),
    ],
)
def test_percentages_may_be_rounded_half_up(text, verdict):
    facts = (make_fact("S-1.share", "percent", "share of the accounts", "61.9", "61.9 %"),)

    assert verdict_of(text, facts=facts) == verdict


def test_k_of_n_needs_both_counts():
    facts = (make_fact("S-1.k", "count", "accounts that did", "31"), make_fact("S-1.n", "count", "accounts", "50"))

    assert verdict_of("It was 31 of 50 accounts.", facts=facts) == "supported"
    assert verdict_of("It was 31 of 60 accounts.", facts=facts) == "unsupported"


def test_a_number_of_another_country_is_mended_with_the_display():
    checked = check_one("The total of Q-118 is 26.505,00 €.")

    assert checked.sentence.verdict == "misformatted"
    assert checked.mend == "The total of Q-118 is €26,505.00."


def test_list_marks_and_set_phrases_are_no_numbers():
    for text in ("1. The quote", "2) The quote", "Our desk answers 24/7 questions of B2B buyers?"):
        assert all(s.kind not in ("number", "doc_id") for s in check_one(text, facts=EN).spans)


def test_things_of_the_text_itself_may_be_counted():
    assert verdict_of("Two questions remain.") == "supported"
    assert verdict_of("Nine questions remain.") == "unsupported"
    assert verdict_of("Seven pumps remain.") == "unsupported"
