"""Masking: out and back, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmplugin.llm.masking import Mask


def test_a_longer_name_goes_before_its_parts():
    mask = Mask(["Anna", "Anna Schmitt", "Schmitt"])

    assert mask.hide("Anna Schmitt and Anna") == "PERSON_1 and PERSON_2"


def test_an_ordinary_word_is_masked_only_as_a_name():
    assert Mask(["May"]).hide("May may come in May") == "PERSON_1 may come in PERSON_1"


def test_names_are_those_of_the_call_though_the_text_was_seen_before():
    text = "Anna and Bela, write to desk@example.com"

    assert Mask(["Anna"]).hide(text, often=True) == "PERSON_1 and Bela, write to EMAIL_1"
    assert Mask(["Bela"]).hide(text, often=True) == "Anna and PERSON_1, write to EMAIL_1"


def test_a_name_inside_a_word_stays():
    assert Mask(["Ann"]).hide("Annual report") == "Annual report"


def test_order_numbers_are_no_phone_numbers():
    assert Mask().hide("Order 4711223344 of 2026-03-11, Q-118") == "Order 4711223344 of 2026-03-11, Q-118"


def test_accounts_are_masked():
    assert Mask().hide("IBAN DE89 3704 0044 0532 0130 00") == "IBAN ACCOUNT_1"
    assert Mask().hide("card 4111 1111 1111 1111") == "card ACCOUNT_1"


def test_an_unknown_placeholder_stays():
    assert Mask(["Dana"]).show("PERSON_7") == "PERSON_7"


@given(st.lists(st.sampled_from(["Dana ", "Reyes ", "x@y.example ", "PER", "P", "words ", "SON_", "1 "]), max_size=20),
       st.integers(1, 5))  # fmt: skip
def test_a_stream_comes_back_whole_however_it_is_cut(words: list[str], size: int):
    text = "".join(words)
    mask = Mask(["Dana", "Reyes"])
    hidden = mask.hide(text)
    pieces = [hidden[i : i + size] for i in range(0, len(hidden), size)]

    assert "".join(mask.show_pieces(pieces)) == mask.show(hidden)


PERSONAL = {
    "german genitive": (["Schmitt"], "Schmitts Angebot liegt vor", "Schmitt"),
    "german first name": (["Anna"], "mit Annas Freigabe", "Anna"),
    "polish genitive": (["Nowak"], "oferta dla Nowaka", "Nowak"),
    "polish dative": (["Kowalska"], "dla pani Kowalskiej", "Kowalsk"),
    "english possessive": (["Dana"], "Dana's budget", "Dana"),
    "transliterated": (["Müller"], "Herr Mueller rief an", "Mueller"),
    "without its marks": (["Łukasik"], "Lukasik wrote", "Lukasik"),
    "over two lines": (["Maria Lindqvist"], "Maria\nLindqvist", "Lindqvist"),
    "in capitals": (["Reyes"], "REYES, DANA", "REYES"),
    "german phone": ([], "Sie erreichen mich unter 0561 9000-431 bis 17 Uhr", "9000-431"),
    "french phone": ([], "rappelez-moi au 06 12 34 56 78", "12 34 56"),
    "american phone": ([], "call (555) 010-1234 today", "010-1234"),
    "spanish phone": ([], "mi teléfono: 912 345 678", "912 345"),
    "polish phone": ([], "tel. 601 234 567", "601 234"),
    "italian mobile": ([], "cell. 347 1234567", "1234567"),
    "british VAT": ([], "our VAT is GB 123 4567 89", "4567"),
    "german VAT": ([], "USt-IdNr. DE123456789", "123456789"),
    "dutch VAT": ([], "btw NL123456789B01", "123456789"),
    "german customer number": ([], "Kundennummer: 4711-88", "4711-88"),
    "english customer number": ([], "customer no. K-20931", "20931"),
    "spanish customer number": ([], "número de cliente 558 201", "558"),
    "italian tax code": ([], "codice fiscale RSSMRA85M01H501Z", "RSSMRA85M01H501Z"),
    "portuguese tax number": ([], "o NIF 123456789", "123456789"),
    "polish tax number": ([], "NIP 526-10-40-828", "526-10"),
    "dutch chamber number": ([], "KvK 12345678", "12345678"),
    "IBAN in small letters": ([], "de89370400440532013000", "3704"),
    "german street": ([], "Lieferung an Lindenstraße 12, 34121 Kassel bitte", "Lindenstraße 12"),
    "english street": ([], "our site at 14 Harbour Street, Bristol", "14 Harbour Street"),
    "french street": ([], "livrez au 12 rue de la Paix, 75002 Paris", "rue de la Paix"),
    "spanish street": ([], "entregar en Calle Mayor 5, 28013 Madrid", "Calle Mayor 5"),
    "italian street": ([], "in Via Roma 10, 00184 Roma", "Via Roma 10"),
    "dutch street": ([], "Keizersgracht 120, 1015 CW Amsterdam", "Keizersgracht 120"),
    "polish street": ([], "ul. Długa 5, 00-238 Warszawa", "Długa 5"),
    "portuguese street": ([], "Rua Augusta 100, 1100-053 Lisboa", "Rua Augusta 100"),
}
HARMLESS = [
    "Q-118 runs until 25 March 2026 and lists 10 FlowMeter 3000.",
    "Meeting on 03/04/2026 at 09:30, order 4711223344.",
    "Die Lieferzeit beträgt 6 bis 8 Wochen, 26.505,00 € netto.",
    "Le devis est de 26 505,00 € jusqu’au 25 mars.",
    "LQ-1031 comes to £2,480.00 for 3 DeckMaster 2.",
    "The line makes 3,000 pieces an hour of 30 to 250 grams.",
]


@pytest.mark.parametrize("case", PERSONAL)
def test_personal_data_of_eight_languages_goes_out_and_comes_back(case: str):
    names, text, telling = PERSONAL[case]
    mask = Mask(names)

    hidden = mask.hide(text)

    assert telling not in hidden
    assert mask.show(hidden) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_goods_days_and_amounts_stay_readable(text: str):
    assert Mask(["Dana Reyes"]).hide(text) == text


def test_what_was_masked_is_counted_by_rule_without_a_value():
    mask = Mask(["Dana Reyes"])
    mask.hide("Dana Reyes, dana@x.example, Dana Reyes, +49 30 1234567")

    assert mask.rules == {"name": 2, "email": 1, "phone": 1}
