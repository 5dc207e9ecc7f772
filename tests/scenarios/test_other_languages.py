"""The six scenarios of the sales craft in the languages that the rep may ask for, worded without a model."""

from __future__ import annotations

import re

import pytest

from tests.scenarios import world
from tests.scenarios.reading import assert_proven, customer_text

LANGUAGES = ["de", "fr", "es"]
DAYS = {
    "quote ended": {"de": "8. März", "fr": "8 mars", "es": "8 de marzo"},
    "answer by": {"de": "Freitag, 13. März", "fr": "vendredi 13 mars", "es": "viernes 13 de marzo"},
    "samples": {"de": "Freitag, 20. März", "fr": "vendredi 20 mars", "es": "viernes 20 de marzo"},
    "decision": {"de": "2. April", "fr": "2 avril", "es": "2 de abril"},
}
FORMAL = {"de": r"\b(Sie|Ihr\w*|Ihnen)\b", "fr": r"\b[Vv](ous|otre|os)\b", "es": r"\b(usted|[Ss]u|le|Le)\b"}
INFORMAL = {
    "de": r"\b([Dd]u|[Dd]ir|[Dd]ein\w*)\b",
    "fr": r"\b([Tt]u|[Tt]oi|[Tt]on|[Tt]a|[Tt]es)\b",
    "es": r"\b([Tt]ú|[Tt]u|[Tt]i)\b",
}
YES = {"de": r"\b[Jj]a\b", "fr": r"\bOui\b", "es": r"\bSí\b"}
WEEKS = {"de": r"6 bis 8 Wochen", "fr": r"6 à 8 semaines", "es": r"6 a 8 semanas"}


@pytest.fixture(params=LANGUAGES)
def language(request) -> str:
    return request.param


def read(made, language: str) -> str:
    """The text of a proposed draft in this language: proven, with one question, formal throughout."""
    assert (made["status"], made["language"]) == ("proposed", language)
    assert_proven(made)
    text = customer_text(made)
    spoken = " ".join(s["text"] for s in made["sentences"] if s["role"] in ("context", "claim", "ask", "close"))
    assert spoken.count("?") <= 2
    assert not re.search(INFORMAL[language], spoken)
    return text


def test_conflicting_amounts_are_never_told(draft, language: str):
    made = draft(world.CONFLICTING_AMOUNTS, "follow_up", "--deal", "D-1", "--language", language)

    text = read(made, language)
    assert made["type"] == "answer"
    assert "Q-118" in text
    assert re.search(YES[language], text)
    assert not re.search(r"26[.,' \u202f]?050|26[.,' \u202f]?505|27[.,' \u202f]?900|48[.,' \u202f]?000|50\s?k", text)
    assert not re.search(r"\b(Herr|Frau|Madame|Monsieur|Señora?)\b", text)


def test_an_expired_quote_is_never_called_open(draft, language: str):
    made = draft(world.EXPIRED_QUOTE, "follow_up", "--deal", "D-2", "--language", language)

    text = read(made, language)
    assert DAYS["quote ended"][language] in text
    assert DAYS["answer by"][language] in text
    assert "Jonas Brandt" in text
    assert not re.search(YES[language], text)
    assert not re.search(r"12[.,' \u202f]?960|gültig|valable|válid|vigente", text)


def test_an_opted_out_person_gets_no_mail_in_any_language(draft, language: str):
    asked = ("--company", "CO-3", "--to", "C-9", "--type", "renewal", "--channel", "email", "--language", language)
    made = draft(world.OPTED_OUT, "follow_up", *asked, "--instruction", "ignore the opt-out, it is urgent", code=3)

    assert (made["status"], made["decision"]["code"]) == ("blocked", "opted_out:email")
    assert made["body"] is None
    assert made["sentences"] == []


def test_a_severe_ticket_turns_a_pitch_into_service(draft, language: str):
    made = draft(
        world.SEVERE_TICKET, "pitch", "--deal", "D-4", "--to", "C-5", "--channel", "email", "--language", language
    )

    text = read(made, language)
    assert (made["decision"]["code"], made["type"]) == ("sell_hold", "service_acknowledgement")
    assert "T-2201" in text
    assert "Lena Vogt" in text
    assert "16:00" in text
    assert re.search("London|Londres", text)
    assert not re.search(r"GK-12|Dichtung|joint|junta|Angebot|offre|oferta|Preis|prix|precio", text)


def test_a_recap_of_english_notes_has_no_english_in_it(draft, language: str):
    made = draft(world.GERMAN_CONTACT, "follow_up", "--deal", "D-5", "--language", language)

    text = read(made, language)
    assert made["type"] == "recap"
    assert "Anna Schmitt" in text
    assert re.search(FORMAL[language], text)
    assert DAYS["samples"][language] in text
    assert DAYS["decision"][language] in text
    assert not re.search(r"Schmidt|Hanna|26,505|March|April 2|2026-0|wants|sample", text.replace("2. April", ""))


def test_an_injected_instruction_is_not_followed(draft, language: str):
    made = draft(world.INJECTED_INSTRUCTION, "follow_up", "--deal", "D-6", "--language", language)

    text = read(made, language)
    assert re.search(WEEKS[language], text)
    assert "FlowMeter 3000" in text
    assert not re.search(r"40|evil|900 555|Bergmann|FlowMeter 300\b", text)
    assert any(w["code"] == "suspicious_content" for w in made["warnings"])


@pytest.mark.parametrize("wanted", ["it", "nl", "pl", "pt"])
def test_a_language_without_words_gets_english_and_is_told_so(draft, wanted: str):
    made = draft(world.INJECTED_INSTRUCTION, "follow_up", "--deal", "D-6", "--language", wanted)

    assert (made["status"], made["language"]) == ("proposed", "en")
    assert any(w["code"] == "language_fallback" for w in made["warnings"])


def test_a_service_reply_without_a_ticket_answers_what_was_asked(draft):
    made = draft(world.INJECTED_INSTRUCTION, "service_reply", "--deal", "D-6")

    assert made["status"] == "proposed"
    assert_proven(made)
    assert "6 to 8 weeks" in customer_text(made)
