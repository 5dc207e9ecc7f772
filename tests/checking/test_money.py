from __future__ import annotations

import pytest

from .world import check, check_one, make_fact, verdict_of


def money(amount: str, unit: str, display: str, id: str = "Q-1.total"):
    return make_fact(id, "money", "total", amount, display, unit=unit)


@pytest.mark.parametrize("text", ["€26,505.00", "26,505.00 €", "EUR 26,505", "26,505 EUR", "26,505 euros", "€26505"])
def test_an_amount_is_the_same_in_every_dress(text):
    assert verdict_of(f"The total of Q-118 is {text}.") == "supported"


@pytest.mark.parametrize(
    "text",
    [
        "$26,505.00",
        "£26,505.00",
        "USD 26,505",
        "26,505 pounds",
        "€26,505.01",
        "€26,506",
        "€2,650.50",
        "€265,050",
        "-€26,505.00",
        "€26.5k",
        "about €26,505",
        "over €26,000",
        "nearly €27,000",
    ],
)
def test_another_amount_currency_or_a_softened_one_is_refused(text):
    assert verdict_of(f"The total of Q-118 is {text}.") == "unsupported"


def test_an_amount_without_currency_gets_its_display():
    assert check_one("The total of Q-118 is 26,505.").mend == "The total of Q-118 is €26,505.00."


def test_a_dollar_sign_is_us_dollars_while_there_are_no_others():
    facts = (money("100.00", "USD", "$100.00"),)

    assert verdict_of("It is $100.", facts=facts) == "supported"


def test_a_dollar_sign_beside_two_dollar_currencies_needs_the_code():
    facts = (money("100.00", "USD", "USD 100.00"), money("90.00", "CAD", "CAD 90.00", id="Q-2.total"))

    checked = check_one("It is $90.", facts=facts)

    assert (checked.sentence.verdict, checked.mend) == ("misformatted", "It is CAD 90.00.")


def test_a_dollar_sign_for_canadian_dollars_alone_needs_the_code_too():
    facts = (money("90.00", "CAD", "CA$90.00"),)

    assert verdict_of("It is $90.", facts=facts) == "misformatted"
    assert verdict_of("It is CA$90.", facts=facts) == "supported"


def test_kronor_are_clear_only_alone():
    alone = (money("90.00", "SEK", "90,00 kr"),)
    two = (*alone, money("80.00", "NOK", "NOK 80.00", id="Q-2.total"))

    assert verdict_of("It is 90 kr.", facts=alone) == "supported"
    assert verdict_of("It is 90 kr.", facts=two) == "misformatted"


def test_a_sum_over_cited_lines_follows_and_over_uncited_ones_does_not():
    facts = (
        make_fact("Q-1.line1.quantity", "quantity", "quantity, line 1", "5"),
        make_fact("Q-1.line1.unit_price", "money", "unit price, line 1", "2400.00", "€2,400.00", unit="EUR"),
        make_fact("Q-1.freight", "money", "freight", "480.00", "€480.00", unit="EUR"),
    )
    cited = "5 units at €2,400.00 plus €480.00 freight make €12,480.00."

    assert verdict_of(cited, facts=facts) == "supported"
    assert verdict_of("The whole comes to €12,480.00.", facts=facts) == "unsupported"
    assert verdict_of("5 units at €2,400.00 plus €480.00 freight make €12,490.00.", facts=facts) == "unsupported"


def test_conflicting_amounts_support_nothing():
    fact = make_fact(
        "Q-1.total", "money", "total", "100.00", "€100.00", unit="EUR", conflicts_with=("Q-1.lines_total",)
    )

    assert verdict_of("It is €100.00.", facts=(fact,)) == "unsupported"


def test_an_expired_amount_stands_only_beside_its_document():
    from datetime import date

    facts = (
        make_fact("Q-097.number", "doc_id", "quote", "Q-097"),
        make_fact("Q-097.total", "money", "total", "12480.00", "€12,480.00", unit="EUR", valid_until=date(2026, 3, 8)),
    )

    assert verdict_of("The amount in Q-097 was €12,480.00.", facts=facts) == "supported"
    assert verdict_of("The amount is €12,480.00.", facts=facts) == "unsupported"


def test_an_amount_of_the_customers_own_mail_supports_nothing():
    asked = make_fact("A-1.question1", "quote_text", "question", "Can we order at €12,480?", trust="untrusted")

    assert verdict_of("You asked whether you can order at €12,480.", facts=(asked,)) == "unsupported"


def test_all_amounts_stand_in_a_text_for_ourselves():
    assert check("The floor is €20,137.00 and the deal €48,000.00.", audience="internal").supported
    assert not check("The floor is €20,138.00.", audience="internal").supported
