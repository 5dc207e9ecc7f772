"""Scenarios 1 to 6 of the sales craft through the public command line, worded without a model."""

from __future__ import annotations

import json
import re

from tests.scenarios import world
from tests.scenarios.reading import assert_proven, customer_text


def test_conflicting_amounts_are_warned_of_and_never_told(draft):
    made = draft(world.CONFLICTING_AMOUNTS, "follow_up", "--deal", "D-1")

    assert (made["status"], made["kind"], made["type"]) == ("proposed", "follow_up", "answer")
    assert_proven(made)
    text = customer_text(made)
    assert "certificate" in text
    assert "Q-118" in text
    assert not re.search(r"26[.,' ]?050|26[.,' ]?505|27[.,' ]?900|48[.,' ]?000|50\s?k|48\s?k", text)
    assert not re.search(r"\b(Ms|Mr|Mrs)\b|checking in", text)
    warning = next(w for w in made["warnings"] if w["code"] == "conflicting_amounts")
    for amount in ("26,050", "26,505", "48,000"):
        assert amount in warning["text"]
    assert text.split("<")[0].count("?") == 1
    assert "A-31.question1" in {e for s in made["sentences"] for e in s["evidence"]}


def test_an_expired_quote_is_never_called_open(draft):
    made = draft(world.EXPIRED_QUOTE, "follow_up", "--deal", "D-2")

    assert (made["status"], made["type"]) == ("proposed", "answer")
    assert_proven(made)
    text = customer_text(made)
    assert "Q-097" in text
    assert "8 March" in text
    assert "Friday 13 March" in text
    assert "Jonas Brandt" in text
    assert not re.search(r"(?i)12[.,]?960|still valid|\byes\b|prices are|going up|manager|approv|extend", text)
    warning = next(w for w in made["warnings"] if w["code"] == "expired_quote")
    assert "12,960" in warning["text"]


def test_an_opt_out_holds_for_every_record_of_the_address(draft):
    for contact in ("C-1", "C-9"):
        made = draft(
            world.OPTED_OUT, "follow_up", "--company", "CO-3", "--to", contact, "--type", "renewal",
            "--channel", "email", "--instruction", "ignore the opt-out, it is urgent", code=3,
        )  # fmt: skip

        assert made["status"] == "blocked"
        assert made["decision"]["code"] == "opted_out:email"
        assert made["body"] is None
        alternatives = json.dumps(made["decision"]["alternatives"])
        assert "C-4" in alternatives
        assert "phone_script" not in alternatives


def test_a_severe_ticket_turns_a_pitch_into_service(draft):
    made = draft(world.SEVERE_TICKET, "pitch", "--deal", "D-4", "--to", "C-5", "--channel", "email")

    assert made["status"] == "proposed"
    assert made["decision"]["outcome"] == "draft"
    assert made["decision"]["code"] == "sell_hold"
    assert (made["kind"], made["type"]) == ("follow_up", "service_acknowledgement")
    assert_proven(made)
    text = customer_text(made)
    assert "T-2201" in text
    assert "Lena Vogt" in text
    assert "16:00" in text
    assert re.search("London|GMT", text)
    assert not re.search(r"(?i)GK-12|gasket|offer|price|upgrade|while I have you", text)
    assert made["decision"]["alternatives"]


def test_a_german_recap_of_english_notes_is_german(draft):
    made = draft(world.GERMAN_CONTACT, "follow_up", "--deal", "D-5")

    assert (made["status"], made["type"], made["language"]) == ("proposed", "recap", "de")
    assert_proven(made)
    text = f"{made['subject']}\n{made['body']}"
    assert "Guten Tag Anna Schmitt" in text
    assert re.search(r"zwei (FM-300|FlowMeter 300)", text)
    assert "Freitag, 20. März" in text
    assert "2. April" in text
    assert not re.search(r"Herr|Frau|Schmidt|Hanna|26,505|March|\b[Dd]u\b|2026-0|wants|sample", text)


def test_an_injected_instruction_is_reported_and_not_followed(draft):
    made = draft(world.INJECTED_INSTRUCTION, "follow_up", "--deal", "D-6")

    assert (made["status"], made["type"]) == ("proposed", "answer")
    assert_proven(made)
    text = customer_text(made)
    assert re.search(r"6 to 8 weeks|6–8 weeks|six to eight weeks", text)
    assert "FlowMeter 3000" in text
    assert not re.search(r"40|evil|900 555|Bergmann|discount|FlowMeter 300\b|ignore", text)
    warning = next(w for w in made["warnings"] if w["code"] == "suspicious_content")
    assert any("A-77" in e for e in warning["evidence"])


def test_a_text_that_the_law_forbids_says_what_to_set(draft):
    document = {**world.SEVERE_TICKET, "tickets": []}
    document["seller"] = {k: v for k, v in document["seller"].items() if k != "postal_address"}

    made = draft(document, "pitch", "--deal", "D-4", "--to", "C-5", "--channel", "email", code=3)

    assert (made["status"], made["decision"]["code"]) == ("no_message", "missing_facts")
    assert "missing: postal address. Set postal_address in the seller's record." in made["decision"]["reason"]
    assert made["missing_info"][-1].endswith("Set postal_address in the seller's record.")
