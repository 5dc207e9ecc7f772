"""Masking: out and back, exactly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crmplugin.llm.masking import Mask


def test_a_longer_name_goes_before_its_parts():
    mask = Mask(["Anna", "Anna Schmitt", "Schmitt"])

    assert mask.hide("Anna Schmitt and Anna") == "PERSON_1 and PERSON_2"


def test_an_ordinary_word_is_masked_only_as_a_name():
    assert Mask(["May"]).hide("May may come in May") == "PERSON_1 may come in PERSON_1"


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
