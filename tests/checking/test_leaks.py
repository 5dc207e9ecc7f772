from __future__ import annotations

import pytest

from .world import EN, check, make_fact, verdict_of


@pytest.mark.parametrize(
    "text",
    [
        "€20,137.00",
        "€20.137,00",
        "20 137 €",
        "20'137",
        "EUR 20137",
        "about €20k",
        "€20.1k",
        "€20,100",
        "20,137",
        "twenty thousand euros",
        "$20,137",
        "€48,000.00",
        "48k",
        "about 48 thousand",
        "€1,212.00",
        "16.67%",
        "16,67 %",
        "17%",
    ],
)
def test_an_internal_value_is_found_in_every_rendering(text):
    assert verdict_of(f"We can talk about {text}.") == "leak"


def test_a_value_that_the_customer_may_know_is_no_leak():
    both = (*EN, make_fact("Q-9.total", "money", "total", "48000.00", "€48,000.00", unit="EUR"))

    assert verdict_of("The total is €48,000.00.", facts=both) == "supported"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This is close to our floor price."),
        ("en", "Our margin does not allow more."),
        ("en", "This needs approval from my manager."),
        ("de", "Das ist unsere Schmerzgrenze."),
        ("de", "Unsere Marge gibt nicht mehr her."),
        ("fr", "C'est notre prix plancher."),
        ("es", "Es nuestro precio mínimo."),
        ("it", "È il nostro prezzo minimo."),
        ("nl", "Dat is onze bodemprijs."),
        ("pl", "To nasza cena minimalna."),
        ("pt", "É o nosso preço de custo."),
    ],
)
def test_words_of_our_side_of_the_table_leak(language, text):
    assert verdict_of(text, language=language) == "leak"


def test_a_run_of_words_of_an_internal_note_leaks():
    note = make_fact("A-5.note", "text", "note", "the buyer seems nervous about his own board", visibility="internal")

    assert verdict_of("So the buyer seems nervous about his own board.", facts=(note,)) == "leak"


def test_an_amount_in_an_internal_note_leaks():
    note = make_fact("A-5.note", "text", "note", "budget about 50k", visibility="internal")

    assert verdict_of("With 50k you are fine.", facts=(note,)) == "leak"


def test_nothing_leaks_in_a_text_for_ourselves():
    assert check("The floor price is €20,137.00, our margin is thin.", audience="internal").supported


def test_a_leak_weighs_more_than_anything_else():
    assert verdict_of("We guarantee Kestrel Foods €20,137.00 {now}.") == "leak"


def test_small_internal_counts_are_no_canaries():
    facts = (*EN, make_fact("D-1.contacts", "count", "contacts", "3", visibility="internal"))

    assert verdict_of("It takes 3 pumps.", facts=facts) == "unsupported"
