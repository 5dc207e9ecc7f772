"""What a reader of the sample company's drafts would trip over: repeated names, strange news, points that vanish."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from crmplugin.demo import load
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.journeys.draft import make_draft
from crmplugin.journeys.import_records import import_document
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant

DAY = date(2026, 3, 11)
NOW = datetime.combine(DAY, time(9), UTC)
KINDS = {"D": "deal", "C": "company"}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("letters")
    assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(folder)}))
    document = load(DAY)
    (caller,) = (c for c in document["contacts"] if c["id"] == "C-031")
    caller["email"] = None
    import_document(document, connection="local", records=assistant.records)
    yield assistant
    assistant.close()


@pytest.fixture
def draft(sample: Assistant) -> Callable[..., Draft]:
    def make(subject_id: str, kind: Any = "follow_up", *, language: str = "en", channel: Any = None) -> Draft:
        subject = Subject(KINDS[subject_id[0]], subject_id)  # type: ignore[arg-type]
        request = Request("local", kind, subject, language=language, channel=channel, writer="template", as_of=NOW)
        return make_draft(request, tools=sample.tools("local"), draft_id="1", now=NOW)

    return make


def test_a_product_that_was_just_named_is_not_named_again(draft):
    made = draft("D-107", "pitch")

    assert made.body.count("DeckMaster 2") == 1
    assert "lead time of 8 to 10 weeks" in made.body


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_a_question_that_is_put_off_with_a_day_counts_as_answered(draft, language):
    made = draft("D-104", language=language)

    assert made.decision.outcome == "draft"
    assert [c.verdict for c in made.checks if c.code == "answered"] == ["pass", "pass"]


def test_a_yes_names_what_was_asked_for_or_is_put_off(draft):
    """Asked in English for the certificates of the inspections; the description that says so is in English."""
    assert "hygiene certificate" in draft("D-103").body
    german = draft("D-103", language="de")
    assert "Ja" not in german.body
    assert "13. März" in german.body


def test_news_for_a_lapsed_customer_is_about_what_they_bought(draft):
    assert "Baking Liner Bio" in draft("CO-26").body
    assert "Spira" not in draft("D-224").body


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_points_of_notes_in_another_language_are_named_to_the_rep(draft, language):
    made = draft("D-107", language=language)

    (told,) = [w.text for w in made.warnings if w.code == "notes_left_out"]
    assert "another language" in told
    assert "Noor measures the back door" in told
    assert "measures" not in made.body


def test_a_recap_that_tells_every_point_has_nothing_left_out(draft):
    assert not [w for w in draft("D-107").warnings if w.code == "notes_left_out"]


def test_a_call_with_nothing_to_say_is_not_a_script_of_questions(draft):
    made = draft("D-105", language="de", channel="phone")

    assert (made.decision.outcome, made.decision.code) == ("no_message", "missing_facts")


def test_a_voicemail_points_to_a_mail_only_where_mail_is_read(draft):
    assert "e-mail" in draft("D-107", channel="phone").body
    by_phone = draft("D-103", channel="phone").body
    assert "e-mail" not in by_phone
    assert "+44 161 496 0432" in by_phone.split("Voicemail")[1]


def test_a_chat_that_we_open_greets_and_an_answer_does_not(draft):
    assert draft("D-109", channel="chat").body.startswith("Hello Eilidh. You can")
    assert draft("D-104", channel="chat").body.startswith("DeckMaster 4")


def test_a_running_line_has_no_list_marks(draft):
    assert "- " not in draft("D-107", language="de", channel="sms").body


def test_a_long_answer_fits_a_text_message_in_its_shorter_form(draft):
    made = draft("D-103", channel="sms")

    assert made.decision.outcome == "draft"
    assert "hygiene certificate" not in made.body


def test_a_note_asks_its_questions_without_a_label_and_heads_long_names(draft):
    made = draft("D-103", "meeting_brief", language="de")

    assert "Fragen\n\nWas läuft heute" in made.body
    assert "Harrow & Fenn Bakers Ltd" in (made.subject or "")
    assert "decid\n" not in made.body


def test_what_was_refused_is_told_when_nothing_stands(draft):
    made = draft("D-107", channel="social")

    assert made.decision.code == "missing_facts"
    assert any("characters; at most 280" in line for line in made.missing_info)
