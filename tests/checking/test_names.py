from __future__ import annotations

import pytest

from crmplugin.checking.names import build_index
from crmplugin.ports import Name

from .world import EN, INDEX, check_one, make_brief, make_fact, make_index, verdict_of


def found(text: str, *names: Name) -> list[str]:
    return [name.text for _, _, name in build_index(names).find(text)]


FM = Name("product", "FM-300", None, "FlowMeter 300")


@pytest.mark.parametrize(
    "text", ["FlowMeter 300", "Flow Meter 300", "FlowMeter300", "flowmeter-300", "the FlowMeter 300."]
)
def test_a_product_may_lose_its_spaces_and_hyphens(text):
    assert found(text, FM) == ["FlowMeter 300"]


@pytest.mark.parametrize(
    "text", ["FlowMeter 3000", "FlowMeter 30", "FlowMeter 30 0", "FlowMeter 301", "XFlowMeter 300"]
)
def test_a_product_is_never_matched_by_likeness(text):
    assert found(text, FM) == []


def test_the_longest_name_wins():
    long = Name("product", "FM-300X", None, "FlowMeter 300 Extra")

    assert found("one FlowMeter 300 Extra", FM, long) == ["FlowMeter 300 Extra"]


def test_places_are_those_of_the_given_text():
    text = "für Zoë\u0308 und\u00a0FlowMeter 300"

    ((start, end, _),) = build_index([FM]).find(text)

    assert text[start:end] == "FlowMeter 300"


def test_a_person_is_not_matched_by_likeness():
    maria = Name("contact", "C-1", "CO-1", "Maria Lindqvist")

    assert found("Mario Lindqvist", maria) == []
    assert found("Maria Lindqvist", maria) == ["Maria Lindqvist"]
    assert found("maria lindqvist's mail", maria) == ["Maria Lindqvist"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Jürgen Groß", "supported"),
        ("Juergen Gross", "misformatted"),
        ("Jurgen Gross", "misformatted"),
        ("Jurgen Gros", "unsupported"),
    ],
)
def test_a_transliterated_person_is_the_same_but_rewritten(text, verdict):
    facts = (make_fact("C-7.name", "person", "contact", "Jürgen Groß"),)

    checked = check_one(f"Please ask {text} about it.", facts=facts)

    assert checked.sentence.verdict == verdict
    if verdict == "misformatted":
        assert checked.mend == "Please ask Jürgen Groß about it."


def test_a_stored_transliteration_is_found_under_its_umlaut():
    facts = (make_fact("C-7.name", "person", "contact", "Juergen Mueller"),)

    assert verdict_of("Please ask Jürgen Müller about it.", facts=facts) == "misformatted"


def test_a_first_name_alone_must_be_unique():
    twins = (*EN, make_fact("C-3.name", "person", "contact", "Dana Wolf"))

    assert check_one("Dana will see it.", facts=EN).spans[0].facts == ("C-1.name",)
    assert not any(s.kind == "name" for s in check_one("So Dana can see it.", facts=twins).spans)


@pytest.mark.parametrize(
    "name", ["Kestrel Foods", "Amir Shah", "Maria Lindqvist", "PressureGuard 9", "FM-300", "KESTREL FOODS"]
)
def test_a_name_of_somebody_else_is_foreign(name):
    assert verdict_of(f"It also helps {name}.") == "foreign"


def test_another_person_of_the_same_account_is_foreign_too():
    assert verdict_of("We agreed that with Hanna Schmidt.", brief=make_brief()) == "foreign"


@pytest.mark.parametrize(
    "text", ["Our target is clear.", "What is the target?", "Target dates are open.", "Das Target ist klar."]
)
def test_an_everyday_word_is_no_company(text):
    assert verdict_of(text, facts=(), style=False) != "foreign"


@pytest.mark.parametrize("text", ["It helps Target Inc too.", "It works at Target too.", "So is Target's plant."])
def test_an_everyday_word_with_the_right_neighbours_is_a_company(text):
    assert verdict_of(text) == "foreign"


def test_common_given_names_need_their_surname():
    index = make_index(Name("contact", "C-50", "CO-9", "May"), Name("contact", "C-51", "CO-9", "Mark Hill"))

    assert verdict_of("You may mark it.", names=index) == "supported"
    assert verdict_of("So says Mark Hill.", names=index) == "foreign"
    assert verdict_of("May I ask you one thing?", names=index) == "supported"


def test_german_nouns_are_no_names_but_companies_are():
    assert verdict_of("Das Gute Ende Kommt.", language="de", facts=()) == "supported"
    assert verdict_of("Das liefert die Nordlicht Technik GmbH.", language="de", facts=()) == "unsupported"


def test_two_capitalised_words_look_like_a_name():
    assert verdict_of("So says Peter Quill.") == "unsupported"
    assert verdict_of("Many thanks from all of us.") == "supported"


def test_a_code_that_no_fact_holds_is_refused():
    assert verdict_of("It also fits the XR-77.") == "unsupported"
    assert verdict_of("It comes with an ISO 17025 certificate.") == "supported"
    assert verdict_of("It comes with an ISO 9001 certificate.") == "unsupported"


def test_a_look_alike_letter_is_refused():
    assert verdict_of("It helps Кestrel Foods.") == "unsupported"


def test_a_hidden_character_hides_no_name():
    assert verdict_of("It helps Kes\u200btrel Foods.") == "foreign"
    assert verdict_of("It helps \u202eKestrel\u202c Foods.") == "foreign"


def test_an_internal_person_is_a_leak():
    assert verdict_of("Greta Olsen has to say yes.") == "leak"


def test_the_name_of_another_deal_is_foreign():
    assert verdict_of("It is like the Kestrel line three.") == "foreign"


def test_an_index_over_nothing_finds_nothing():
    assert build_index([]).find("Dana Reyes") == []
    assert INDEX.find("") == []
