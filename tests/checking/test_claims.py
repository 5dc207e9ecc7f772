from __future__ import annotations

import pytest

from crmplugin.domain.draft import Sentence

from .world import APPROVED, ASKED, EN, check_one, from_activity, make_fact, verdict_of

WORDS = {
    "en": {
        "attribution": "As you mentioned, the boiler leaks.",
        "social": "Companies like yours rely on it.",
        "guarantee": "We guarantee the result.",
        "certification": "The valve is certified.",
        "free": "Shipping is free.",
        "unlimited": "Support is unlimited.",
        "award": "It is an award-winning valve.",
        "best": "It is the best valve.",
        "scarcity": "Prices go up soon.",
        "urgency": "It expires soon.",
        "absence": "It never fails.",
        "cause": "It broke because of the heat.",
        "better": "It is faster than the old one.",
        "up": "Your orders increased.",
        "promise": "We will deliver the valve.",
        "offer": "A discount is possible.",
        "concession": "We would refund the valve.",
        "extend": "We can extend the offer.",
        "valid": "The offer is still valid.",
        "property": "The valve is waterproof.",
        "stock": "The valve is in stock.",
        "assertion": "The valve comes with a case.",
    },
    "de": {
        "attribution": "Wie Sie erwähnten, leckt der Kessel.",
        "social": "Unternehmen wie Ihres setzen darauf.",
        "guarantee": "Wir garantieren das Ergebnis.",
        "certification": "Das Ventil ist zertifiziert.",
        "free": "Der Versand ist kostenlos.",
        "unlimited": "Die Nutzung ist unbegrenzt.",
        "award": "Das Ventil ist preisgekrönt.",
        "best": "Es ist das beste Ventil.",
        "scarcity": "Die Preise steigen bald.",
        "urgency": "Es läuft bald ab.",
        "absence": "Es fällt nie aus.",
        "cause": "Es brach wegen der Kälte, weil es alt war.",
        "better": "Es ist schneller als das alte.",
        "up": "Ihre Bestellungen sind gestiegen.",
        "promise": "Wir liefern das Ventil.",
        "offer": "Ein Rabatt ist möglich.",
        "concession": "Wir erstatten das Ventil.",
        "extend": "Wir können das Angebot verlängern.",
        "valid": "Das Angebot ist noch gültig.",
        "property": "Das Ventil ist wasserdicht.",
        "stock": "Das Ventil ist auf Lager.",
        "assertion": "Das Ventil enthält einen Koffer.",
    },
    "fr": {
        "promise": "Nous livrons la vanne.",
        "best": "C'est la meilleure vanne.",
        "offer": "Une remise est possible.",
    },
    "es": {"promise": "Entregaremos la válvula.", "best": "Es la mejor válvula.", "offer": "Un descuento es posible."},
    "it": {"promise": "Consegneremo la valvola.", "best": "È la migliore valvola.", "offer": "Uno sconto è possibile."},
    "nl": {
        "promise": "Wij leveren de klep.",
        "best": "Het is de beste kwaliteit.",
        "offer": "Een korting is mogelijk.",
    },
    "pl": {"promise": "Dostarczymy zawór.", "best": "To najlepszy zawór.", "offer": "Rabat jest możliwy."},
    "pt": {"promise": "Entregaremos a válvula.", "best": "É a melhor válvula.", "offer": "Um desconto é possível."},
}
CASES = [(lang, kind, text) for lang, rows in WORDS.items() for kind, text in rows.items()]


@pytest.mark.parametrize(("language", "kind", "text"), CASES, ids=[f"{a}-{b}" for a, b, _ in CASES])
def test_a_phrase_that_no_fact_carries_is_refused(language, kind, text):
    assert verdict_of(text, language=language, facts=(), style=False) == "unsupported"


def test_an_approved_claim_carries_its_own_words():
    facts = (make_fact("CL-1.text", "claim", "claim", "The valve is certified by an outside body", basis=APPROVED),)

    assert verdict_of("The valve is certified.", facts=facts) == "supported"
    assert verdict_of("The pump is free.", facts=facts) == "unsupported"


def test_a_claim_past_its_day_carries_nothing():
    from datetime import date

    fact = make_fact(
        "CL-1.text", "claim", "claim", "The valve is certified", basis=APPROVED, valid_until=date(2026, 3, 10)
    )

    assert verdict_of("The valve is certified.", facts=(fact,)) == "unsupported"


def test_a_claim_of_another_kind_carries_nothing():
    facts = (make_fact("CL-1.text", "claim", "claim", "The valve is certified", basis=APPROVED),)

    assert verdict_of("The valve is guaranteed.", facts=facts) == "unsupported"


def test_a_claim_in_the_name_of_a_product_is_only_its_name():
    facts = (make_fact("PR-1.name", "product", "product", "SAVE THE PLANET COTTON BAG"),)

    assert verdict_of("It is about SAVE THE PLANET COTTON BAG.", facts=facts, style=False) == "supported"
    assert verdict_of("You save with SAVE THE PLANET COTTON BAG.", facts=facts, style=False) == "unsupported"
    assert verdict_of("Save the planet cotton bag by bag with us.", facts=facts, style=False) == "unsupported"


def test_what_the_customer_wrote_can_be_repeated_but_not_stated():
    asked = make_fact(
        "A-1.question1", "quote_text", "question", "Is the valve certified?", trust="untrusted", basis=ASKED
    )

    assert verdict_of("You asked whether the valve is certified.", facts=(asked,)) == "supported"
    assert verdict_of("The valve is certified.", facts=(asked,)) == "unsupported"


def test_an_attribution_needs_words_of_that_talk():
    note = make_fact("A-9.item1", "text", "note", "the boiler leaks at night", source=from_activity("A-9"))

    assert verdict_of("As you mentioned, the boiler leaks.", facts=(note,)) == "supported"
    assert verdict_of("As you mentioned, the roof is old.", facts=(note,)) == "unsupported"


def test_a_note_in_another_language_carries_what_cites_it():
    note = make_fact(
        "A-9.item1", "text", "note", "they want us to ship the samples to the plant", source=from_activity("A-9")
    )
    cited = Sentence("Wie vereinbart, senden wir die Muster.", "claim", ("A-9.item1",))

    assert verdict_of(cited, language="de", facts=(note,)) == "supported"
    assert verdict_of("Wie vereinbart, senden wir die Muster.", language="de", facts=()) == "unsupported"


def test_a_promise_stands_on_a_slot_and_not_on_another_date():
    assert verdict_of("I'll confirm it by Friday 13 March.") == "supported"
    assert verdict_of("I'll confirm it by 25 March.") == "unsupported"
    assert verdict_of("We will ship two sample meters by 20 March.") == "supported"
    assert verdict_of("We will ship two drawings by 25 March.") == "unsupported"


def test_an_expired_document_is_not_called_valid():
    facts = (
        make_fact("Q-097.number", "doc_id", "quote", "Q-097"),
        make_fact("Q-097.valid_until", "date", "quote Q-097 valid until", "2026-03-08", "8 March"),
    )

    assert verdict_of("Q-097 ended on 8 March.", facts=facts) == "supported"
    assert verdict_of("Q-097 is still valid.", facts=facts) == "unsupported"
    assert verdict_of("Q-097 runs until 8 March.", facts=facts) == "unsupported"


def test_an_open_document_is_not_called_expired():
    assert verdict_of("Q-118 expired on 25 March.") == "unsupported"
    assert verdict_of("Q-118 is no longer valid.") == "unsupported"


def test_who_decides_on_an_extension_by_when_can_be_said():
    facts = (
        make_fact("SLOT-1.on", "slot", "answer by", "2026-03-13", "Friday 13 March"),
        make_fact("U-1.name", "person", "sales rep", "Jonas Brandt"),
    )

    assert (
        verdict_of("Jonas Brandt will tell you by Friday 13 March whether the price can stay.", facts=facts)
        == "supported"
    )
    assert verdict_of("We can extend it until Friday 13 March.", facts=facts) == "unsupported"


def test_a_direction_must_be_that_of_the_number():
    rise = make_fact("H-1.change", "percent", "change of orders", "12", "12%", basis=make_basis())

    assert verdict_of("Your orders increased by 12%.", facts=(rise,)) == "supported"
    assert verdict_of("Your orders fell by 12%.", facts=(rise,)) == "unsupported"


def make_basis():
    from crmplugin.domain.fact import Basis

    return Basis("computed")


def test_not_is_heard():
    assert verdict_of("CAL-1 includes a certificate per device.") == "supported"
    assert verdict_of("CAL-1 does not include a certificate per device.") == "unsupported"


def test_a_true_half_does_not_carry_a_false_one():
    assert verdict_of("Q-118 runs until 25 March, and we will deliver the brackets.") == "unsupported"
    assert verdict_of("Q-118 runs until 25 March.") == "supported"


def test_a_claim_that_cites_something_else_is_refused():
    sentence = Sentence("Our plant in the north is quiet.", "claim", ("Q-118.number",))

    assert verdict_of(sentence) == "unsupported"


def test_a_citation_of_nothing_or_of_a_secret_is_refused():
    assert verdict_of(Sentence("Thank you.", "context", ("Q-999.total",))) == "unsupported"
    assert verdict_of(Sentence("Thank you.", "context", ("D-1.floor_price",))) == "unsupported"


def test_a_fact_for_another_contact_carries_nothing_here():
    from .world import make_brief

    fact = make_fact(
        "C-2.mark", "text", "remark", "the boiler leaks", contact_scope=("C-2",), source=from_activity("A-2")
    )

    assert verdict_of("As you mentioned, the boiler leaks.", facts=(fact,), brief=make_brief((fact,))) == "unsupported"


def test_an_uncited_fact_is_added_to_the_evidence():
    assert check_one("Q-118 runs until 25 March.", facts=EN).sentence.evidence == ("Q-118.number", "Q-118.valid_until")


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for your time.",
        "Best regards",
        "Please feel free to write.",
        "Happy to help.",
        "All the best",
        "What do you think?",
    ],
)
def test_what_claims_nothing_is_supported(text):
    assert verdict_of(text, facts=()) == "supported"
