"""The number format of a column is decided from all of its cells."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmplugin.tables.numbers import FORMATS, NumberEvidence, part, read_number, show, widen_single


def decide(*cells: str) -> tuple[str | None, str]:
    evidence = NumberEvidence()
    evidence.add(cells)
    return evidence.decide()


@pytest.mark.parametrize(
    ("cells", "format_"),
    [
        (("1,234.50", "12"), "1,234.50"),
        (("1.234,50", "12"), "1.234,50"),
        (("1 234,50", "12"), "1 234,50"),
        (("1\u202f234,50", "7"), "1 234,50"),
        (("1'234.50", "7"), "1'234.50"),
        (("1’234.50", "7"), "1'234.50"),
        (("1,234", "1,234,567"), "1,234.50"),
        (("1.234", "0.5"), "1,234.50"),
        (("1,234", "12,5"), "1.234,50"),
        (("12,34,567.00",), "1,234.50"),
    ],
)
def test_one_telling_cell_decides_for_the_column(cells: tuple[str, ...], format_: str):
    assert decide(*cells) == (format_, "")


def test_a_thousand_or_a_little_more_than_one_is_not_decided():
    found, why = decide("1.234", "500")

    assert found is None
    assert why == '"1.234" can be read as 1,234.50 or as 1.234,50 writes it'


def test_two_formats_in_one_column_are_not_decided():
    found, why = decide("1,234.50", "1.234,50")

    assert found is None
    assert "different formats" in why


def test_whole_numbers_are_the_same_in_every_format():
    assert decide("1", "250", "-3")[0] is not None


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("(1,234.50)", "-1234.50"),
        ("-5", "-5"),
        ("5-", "-5"),
        ("−5", "-5"),
        ("+7.5", "7.5"),
        ("$1,234.50", "1234.50"),
        ("€ 12", "12"),
        ("12 €", "12"),
        ("1,234.50 EUR", "1234.50"),
        ("USD 99", "99"),
        ("-$5.00", "-5.00"),
        ("($5.00)", "-5.00"),
        ("$(5.00)", "-5.00"),
        ("15 %", "15"),
        (".5", "0.5"),
        ("kr 100", "100"),
        ("R$ 10", "10"),
    ],
)
def test_signs_and_brackets_are_read(cell: str, value: str):
    assert read_number(cell, "1,234.50") == Decimal(value)


@pytest.mark.parametrize(
    "cell", ["", "abc", "1,2,3", "12,34", "1.2.3", "1e5", "--5", "1 2", "12-50", "0x1F", "9" * 30, "٣", "1_000", "NaN"]
)
def test_what_is_no_number_is_none(cell: str):
    assert read_number(cell, "1,234.50") is None


@pytest.mark.parametrize(
    ("cell", "sign"),
    [("$5", "$"), ("5 €", "€"), ("EUR 5", "EUR"), ("5", ""), ("15%", ""), ("C$ 5", "C$"), ("5 kr.", "kr")],
)
def test_the_sign_of_a_currency_is_told(cell: str, sign: str):
    assert part(cell).sign == sign


def test_single_precision_is_widened_to_what_was_typed():
    assert widen_single(Decimal("9.80000019")) == Decimal("9.8")
    assert widen_single(Decimal("0.150000006")) == Decimal("0.15")
    assert widen_single(Decimal("42.4000015")) == Decimal("42.4")
    assert widen_single(Decimal("14")) == Decimal("14")


@pytest.mark.parametrize(
    ("value", "text"), [("6.0", "6"), ("2.50", "2.5"), ("-0", "0"), ("100", "100"), ("0.001", "0.001")]
)
def test_a_number_is_shown_without_what_only_a_spreadsheet_wrote(value: str, text: str):
    assert show(Decimal(value)) == text


VALUES = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


def written(value: Decimal, format_: str) -> str:
    group, point = FORMATS[format_]
    return f"{value:,.2f}".replace(",", "\1").replace(".", point).replace("\1", group)


@given(st.lists(VALUES, min_size=1), st.sampled_from(list(FORMATS)))
def test_a_column_in_any_format_comes_back_the_same(values: list[Decimal], format_: str):
    cells = [written(value, format_) for value in values]

    found, why = decide(*cells)

    assert found is not None, why
    assert [read_number(cell, found) for cell in cells] == values


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_none(text: str):
    for format_ in FORMATS:
        value = read_number(text, format_)
        assert value is None or value.is_finite()
