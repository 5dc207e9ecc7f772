"""Sentences that are wrong over the facts of `world`, as a hurried person or a model writes them."""

from __future__ import annotations

import pytest

from crmplugin.domain.draft import Sentence

from .world import check, make_fact, verdict_of

EN = """
Q-118 is open until the end of the month.
The discount can go up to 10%.
I can hold the price until April.
Delivery takes four weeks.
Delivery is in 6 weeks.
You have 20 meters in Q-118.
Q-118 includes 10 GK-12.
Q-118 covers ten FlowMeter 3000.
We spoke last week about it.
Your budget of €30,000 fits.
Lena Vogt will call you on 12 March.
The ticket will be fixed by 20 March.
Everyone in your industry uses it.
It pays off within a year.
It saves you 20% of energy.
The meter lasts ten years.
Our engineers are available day and night.
We ship from stock.
The CEO approved it.
You confirmed the order yesterday.
The price is €1,875.50 for GK-12.
We will send 12 sample meters by 20 March.
The FlowMeter 3000 has a 16 bar rating.
Order O-7 came to €26,505.00.
Q-118 was sent on 27 February.
Jonas Brand is your contact.
The certificates are included free of charge.
It is the same meter that Nordtek uses.
Please pay to DE89 3704 0044 0532 0130 00.
Your next delivery arrives on 20 March.
""".strip().splitlines()

DE = """
Das Angebot gilt bis Ende des Monats.
Die Lieferung dauert vier Wochen.
Der Rabatt kann auf 10 % steigen.
Wir haben letzte Woche darüber gesprochen.
Das Gerät hält zehn Jahre.
Hanna Schmitt hat zugestimmt.
Ihr Budget von 30.000 € passt.
Wir liefern ab Lager.
Der Auftrag O-7 hatte einen Wert von 26.505,00 €.
Anna Schmidt weiß Bescheid.
Das spart Ihnen 20 % Energie.
Bitte überweisen Sie auf DE89370400440532013000.
""".strip().splitlines()


@pytest.mark.parametrize("text", EN)
def test_a_wrong_english_sentence_is_refused(text):
    assert verdict_of(text) != "supported"


@pytest.mark.parametrize("text", DE)
def test_a_wrong_german_sentence_is_refused(text):
    assert verdict_of(text, language="de") != "supported"


@pytest.mark.parametrize(
    "text",
    ["The floor is €20,237.00.", "Q-118 runs until 26 March.", "Nordtek AB is on board.", "It takes 5 to 8 weeks."],
)
def test_numbers_dates_and_names_are_grounded_in_texts_for_ourselves_too(text):
    assert not check(text, audience="internal").supported


@pytest.mark.parametrize(
    "text", ["Floor price: €20,137.00", "question of 6 March: Does the price include calibration certificates?"]
)
def test_a_line_that_repeats_a_fact_stands_in_a_text_for_ourselves(text):
    assert check(text, audience="internal").supported


def test_a_cited_quantity_does_not_carry_another_product():
    cited = Sentence("Q-118 includes 12 GK-12.", "claim", ("Q-118.line1.quantity", "GK-12.name", "Q-118.number"))

    assert verdict_of(cited) == "unsupported"


def test_two_lines_of_the_same_quantity_are_both_right():
    lines = tuple(
        make_fact(f"Q-2.line{n}.{field}", kind, f"{field} in Q-2", value)
        for n, product in ((1, "FlowMeter 3000"), (2, "CAL-1"))
        for field, kind, value in (("quantity", "quantity", "1"), ("product", "product", product))
    )
    told = Sentence("Contenu : 1 FlowMeter 3000 et 1 CAL-1.", "claim", tuple(f.id for f in lines))

    assert verdict_of(told, facts=lines, language="fr") == "supported"


def test_a_small_letter_with_a_mark_begins_no_name():
    assert verdict_of("Nous avons écrit à Tidewater Utilities.", language="fr") == "supported"


SAID_TO_A_FRIEND = {
    "de": ["Du hast gesagt, dass dir das Gerät gefällt.", "Auf deine Frage nach einem Rabatt: ja.",
           "Unternehmen wie deines setzen darauf.", "Du erhältst ein zweites Gerät dazu."],
    "fr": ["Tu as dit que l’appareil te plaît.", "Comme tu as demandé, le prix baisse.",
           "Les entreprises comme la tienne l’utilisent.", "Tu recevras un deuxième appareil."],
    "es": ["Dijiste que el aparato te gusta.", "Según tu colega, el aparato ya funciona.",
           "Las empresas como la tuya lo usan.", "Recibirás un segundo aparato."],
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text"), [(lang, text) for lang, texts in SAID_TO_A_FRIEND.items() for text in texts]
)
def test_what_nobody_said_is_refused_on_first_name_terms_too(language: str, text: str):
    assert verdict_of(text, language=language, style=False) != "supported"
