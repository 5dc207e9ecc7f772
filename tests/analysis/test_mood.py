"""Mood is read from words, with negation; politeness alone is neutral."""

from __future__ import annotations

import pytest

from crmplugin.analysis.mood import read_mood
from crmplugin.analysis.objections import find_money_problem, find_objections


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("This is the third time I ask and still nobody answers!", "angry"),
        ("Das ist inakzeptabel.", "angry"),
        ("C'est la troisième fois, c'est inadmissible.", "angry"),
        ("We are not happy with the delay.", "worried"),
        ("Nous sommes inquiets, la ligne est à l'arrêt.", "worried"),
        ("Wir sind nicht zufrieden.", "worried"),
        ("Thank you, the mixer works perfectly.", "pleased"),
        ("Estamos muy contentos con el servicio.", "pleased"),
        ("I am not worried about it.", "neutral"),
        ("Please send the quote. Thanks.", "neutral"),
        ("", "neutral"),
    ],
)
def test_the_mood_of_a_text(text: str, state: str) -> None:
    assert read_mood(text).state == state


def test_anger_outweighs_thanks() -> None:
    mood = read_mood("Thanks for the great service last year. This delay is unacceptable.")

    assert (mood.state, mood.evidence) == ("angry", "This delay is unacceptable.")


def test_a_neutral_text_has_no_evidence() -> None:
    assert read_mood("What is the lead time?").evidence is None


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("This is too expensive for us.", "price"),
        ("Das sprengt unser Budget.", "price"),
        ("Not the right time, let's talk next year.", "timing"),
        ("We never heard of your company.", "trust"),
        ("We are happy with our current supplier.", "competitor"),
        ("Ich muss erst mit meinem Chef sprechen.", "authority"),
        ("Il faut d'abord l'accord de la direction.", "authority"),
        ("Das passt leider nicht zu unserer Anlage.", "fit"),
    ],
)
def test_an_objection_is_recognised_with_its_sentence(text: str, ground: str) -> None:
    assert (ground, text) in [(found.ground, found.quote) for found in find_objections(text)]


@pytest.mark.parametrize("text", ["What is the lead time?", "Please send the contract.", "Wann liefern Sie?"])
def test_a_plain_question_is_no_objection(text: str) -> None:
    assert find_objections(text) == ()


@pytest.mark.parametrize(
    "text",
    ["Cash is tight this quarter.", "Wir haben Zahlungsschwierigkeiten.", "Nous avons des problèmes de trésorerie."],
)
def test_a_money_problem_is_seen(text: str) -> None:
    assert find_money_problem(text) == text


def test_an_ordinary_payment_is_no_money_problem() -> None:
    assert find_money_problem("We will pay the invoice on Friday.") is None
