from __future__ import annotations

from datetime import date

import pytest

from .world import check_one, make_fact, verdict_of

UNTIL = (make_fact("Q-1.valid_until", "date", "quote valid until", "2026-03-25", "25 March"),)


@pytest.mark.parametrize(
    "text",
    [
        "25 March",
        "March 25",
        "25th March",
        "March 25th, 2026",
        "the 25th of March",
        "25 Mar 2026",
        "Wednesday 25 March",
        "Wednesday, 25 March 2026",
        "25 March (Wednesday)",
        "Wed, 25 Mar",
    ],
)
def test_a_date_is_the_same_in_every_dress(text):
    assert verdict_of(f"It runs until {text}.", facts=UNTIL) == "supported"


@pytest.mark.parametrize(
    "text",
    [
        "24 March",
        "25 April",
        "25 March 2025",
        "25 March 2027",
        "Thursday 25 March",
        "31 February",
        "13:00 on 25 March",
        "24–25 March",
    ],
)
def test_another_day_year_or_weekday_is_refused(text):
    assert verdict_of(f"It runs until {text}.", facts=UNTIL) == "unsupported"


@pytest.mark.parametrize("text", ["2026-03-25", "25/03/2026", "25/03", "03/25/2026"])
def test_numeric_dates_are_mended_in_customer_text(text):
    assert check_one(f"It runs until {text}.", facts=UNTIL).mend == "It runs until 25 March."


def test_a_numeric_date_of_two_facts_is_not_mended():
    facts = (
        *UNTIL[:0],
        make_fact("Q-1.valid_until", "date", "valid", "2026-04-03", "3 April"),
        make_fact("Q-1.sent_on", "date", "sent", "2026-03-04", "4 March"),
    )

    checked = check_one("It runs until 03/04.", facts=facts)

    assert checked.sentence.verdict == "misformatted"
    assert checked.mend in (None, "It runs until 3 April.")


@pytest.mark.parametrize(
    ("language", "display", "text"),
    [
        ("de", "25. März", "25. März 2026"),
        ("de", "25. März", "Mittwoch, den 25. März"),
        ("de", "25. März", "25.03.2026"),
        ("fr", "25 mars", "mercredi 25 mars 2026"),
        ("es", "25 de marzo", "miércoles, 25 de marzo de 2026"),
        ("it", "25 marzo", "mercoledì 25 marzo 2026"),
        ("nl", "25 maart", "woensdag 25 maart 2026"),
        ("pl", "25 marca", "środa, 25 marca 2026"),
        ("pt", "25 de março", "quarta-feira, 25 de março de 2026"),
    ],
)
def test_every_language_reads_its_own_dates(language, display, text):
    facts = (make_fact("Q-1.valid_until", "date", "x", "2026-03-25", display),)

    spans = check_one(text, facts=facts, language=language).spans

    assert [(s.kind, s.verdict) for s in spans] == [("date", "supported")]


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "nl", "pl", "pt"])
def test_a_shifted_day_is_seen_in_every_language(language):
    facts = (make_fact("Q-1.valid_until", "date", "x", "2026-03-25", "x"),)
    text = {
        "de": "26. März",
        "fr": "26 mars",
        "es": "26 de marzo",
        "it": "26 marzo",
        "nl": "26 maart",
        "pl": "26 marca",
        "pt": "26 de março",
    }[language]

    assert verdict_of(text, facts=facts, language=language) == "unsupported"


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("The answer comes tomorrow.", "The answer comes on 12 March."),
        ("The answer comes by tomorrow.", "The answer comes by 12 March."),
    ],
)
def test_relative_words_become_dates(text, mended):
    facts = (make_fact("SLOT-1.on", "slot", "answer by", "2026-03-12", "12 March"),)

    assert check_one(text, facts=facts).mend == mended


def test_a_relative_word_without_a_fact_is_refused():
    assert verdict_of("Could we talk tomorrow?") == "unsupported"
    assert verdict_of("The pump arrives next week.", facts=()) == "unsupported"
    assert verdict_of("Heute ist alles geliefert.", language="de", facts=()) == "unsupported"


def test_morgen_in_a_greeting_is_no_date():
    assert verdict_of("Guten Morgen, Frau Schmitt", language="de", role="greeting", facts=()) == "unsupported"
    assert check_one("Guten Morgen zusammen", language="de", facts=()).spans == ()


def test_the_year_is_dropped_only_within_six_months():
    facts = (make_fact("O-1.ordered_on", "date", "ordered on", "2024-11-04", "4 November 2024"),)

    checked = check_one("You ordered it on 4 November.", facts=facts)

    assert checked.sentence.verdict == "misformatted"
    assert checked.mend == "You ordered it on 4 November 2024."


def test_a_date_over_new_year_needs_no_year():
    facts = (make_fact("O-1.ordered_on", "date", "ordered on", "2025-12-20", "20 December"),)

    assert verdict_of("You ordered it on 20 December.", facts=facts, send_on=date(2026, 1, 10)) == "supported"


def test_a_proposed_time_must_be_a_slot():
    assert verdict_of("Would Tuesday 17 March at 10:00 suit you?") == "supported"
    assert verdict_of("Would Wednesday 25 March suit you for a call?") == "unsupported"
    assert verdict_of("Would Tuesday 17 March at 11:00 suit you?") == "unsupported"
    assert verdict_of("Passt Ihnen Mittwoch, 25. März, für ein Gespräch?", language="de") == "unsupported"


@pytest.mark.parametrize(
    ("instant", "day", "clock"),
    [
        ("2026-03-25T14:00:00+00:00", "25 March", "15:00"),
        ("2026-04-01T13:00:00+00:00", "1 April", "15:00"),
        ("2026-03-25T23:30:00+00:00", "26 March", "00:30"),
    ],
)
def test_times_are_read_in_the_readers_zone_over_the_change_of_clocks(instant, day, clock):
    facts = (make_fact("SLOT-1.starts_at", "slot", "call", instant, f"{day}, {clock}"),)

    assert verdict_of(f"The call is on {day} at {clock}.", facts=facts) == "supported"
    assert verdict_of(f"The call is on {day} at 14:00.", facts=facts) == "unsupported"


def test_a_time_keeps_its_zone_when_the_fact_shows_one():
    checked = check_one("The next update on T-2201 is due on 11 March at 16:00.")

    assert checked.sentence.verdict == "misformatted"
    assert checked.mend == "The next update on T-2201 is due on 11 March at 16:00 GMT."


def test_a_stated_zone_is_converted():
    assert verdict_of("The next update on T-2201 is due on 11 March at 17:00 CET.") == "supported"
    assert verdict_of("The next update on T-2201 is due on 11 March at 16:00 Europe/London.") == "supported"
    assert verdict_of("The next update on T-2201 is due on 11 March at 16:00 CET.") == "unsupported"


def test_may_and_march_are_verbs_too():
    for text in ("You may call me.", "We march on.", "Sun and wind did no harm.", "May I call you?"):
        assert [s for s in check_one(text).spans if s.kind != "claim"] == []
