"""Greeting, signature, legal parts and the body: what code adds to what a writer says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crmplugin.domain.draft import Sentence, Written
from crmplugin.writing.compose import compose, count_sms, render_body, render_html
from crmplugin.writing.greeting import after_greeting, greet, sign_off
from crmplugin.writing.tone import Sound
from tests.writing.samples import make_brief, make_recipient, make_sender

SAID = Written(
    (
        Sentence("Q-118: your question", "subject", ("Q-118.number",)),
        Sentence("Wir haben Ihre Frage.", "context", ("A-31.question1",)),
        Sentence("Passt das?", "ask"),
    ),
    "template",
)


def texts(sentences, role):
    return [s.text for s in sentences if s.role == role]


@pytest.mark.parametrize(
    ("language", "formal", "changes", "line"),
    [
        ("de", True, {"salutation": "Frau"}, "Guten Tag Frau Reyes,"),
        ("de", True, {"salutation": "Frau Dr."}, "Guten Tag Frau Dr. Reyes,"),
        ("de", True, {}, "Guten Tag Dana Reyes,"),
        ("de", True, {"salutation": "Liebe Frau"}, "Guten Tag Dana Reyes,"),
        ("de", True, {"salutation": "Ms"}, "Guten Tag Dana Reyes,"),
        ("de", True, {"salutation": "Frau", "last_name": None, "display_name": None}, "Guten Tag Dana,"),
        ("de", False, {"salutation": "Frau"}, "Hallo Dana,"),
        ("en", False, {"salutation": "Ms"}, "Hello Dana,"),
        ("en", True, {"salutation": "Ms"}, "Dear Ms Reyes,"),
        ("en", False, {"first_name": None}, "Hello Reyes,"),
        ("en", False, {"first_name": None, "last_name": None, "display_name": None}, "Hello Orbis Dairy team,"),
        ("fr", True, {"salutation": "Madame"}, "Bonjour Madame Reyes,"),
    ],
)
def test_the_greeting_takes_the_first_rung_that_is_on_record(language, formal, changes, line):
    assert greet(make_recipient(**changes), language, formal=formal) == line


def test_nobody_on_record_is_greeted_plainly():
    nobody = make_recipient(first_name=" ", last_name=None, display_name=None, company_name="")

    assert greet(nobody, "en", formal=False) == "Hello,"
    assert greet(None, "de", formal=True) == "Guten Tag,"


def test_german_goes_on_with_a_small_letter_but_never_lowers_a_name():
    assert after_greeting("Wir haben Ihre Frage.", "de") == "wir haben Ihre Frage."
    assert after_greeting("Ihre Frage ist da.", "de") == "Ihre Frage ist da."
    assert after_greeting("Sie fragten.", "de") == "Sie fragten."
    assert after_greeting("We have it.", "en") == "We have it."


def test_a_warmer_tone_has_a_warmer_sign_off():
    assert sign_off("de", formal=True, sound=Sound(warmth=2)) == "Herzliche Grüße"
    assert sign_off("de", formal=True) == "Freundliche Grüße"


def test_a_mail_is_greeted_signed_and_rendered_by_code():
    brief = make_brief("answer", language="de")

    whole = compose(brief, SAID)

    assert [s.role for s in whole][:3] == ["subject", "greeting", "context"]
    assert texts(whole, "context") == ["wir haben Ihre Frage."]
    assert texts(whole, "signature") == [
        "Freundliche Grüße", "Jonas Brandt", "Sales", "Halden Controls", "Telefon: +49 30 5557 0100",
        "jonas.brandt@halden.example", "https://halden.example",
    ]  # fmt: skip
    assert {s.verdict for s in whole if s.role in ("greeting", "signature", "legal")} == {"rendered"}


def test_missing_parts_of_the_signature_go_with_their_label():
    brief = replace(make_brief("answer"), sender=make_sender(phone=None, title=None, website=None, email=None))

    assert texts(compose(brief, SAID), "signature") == ["Kind regards", "Jonas Brandt", "Halden Controls"]


def test_promotional_mail_has_an_address_and_a_way_out():
    brief = make_brief("quote_follow_up")

    assert texts(compose(brief, SAID), "legal") == [
        "Halden Controls GmbH, Torstraße 99, 10119 Berlin",
        "No more e-mails like this: https://halden.example/unsubscribe",
    ]


def test_without_an_unsubscribe_page_a_reply_is_the_way_out():
    brief = replace(make_brief("quote_follow_up", language="de"), sender=make_sender(unsubscribe_url=None))

    assert texts(compose(brief, SAID), "legal")[1].startswith("Wenn Sie keine E-Mails dieser Art")


@pytest.mark.parametrize("type_", ["answer", "service_acknowledgement", "deliver_promise", "recap"])
def test_a_service_text_has_no_opt_out(type_):
    assert texts(compose(make_brief(type_), SAID), "legal") == []


def test_a_letter_names_who_writes_and_from_where():
    legal = texts(compose(make_brief("answer", channel="letter"), SAID), "legal")

    assert legal == ["Halden Controls GmbH, Torstraße 99, 10119 Berlin"]


def test_a_text_message_has_the_sender_and_stop():
    whole = compose(make_brief("replenishment", channel="sms"), SAID)

    assert texts(whole, "subject") == texts(whole, "greeting") == []
    assert render_body(whole, "sms") == "Halden Controls: Wir haben Ihre Frage. Passt das? Reply STOP to opt out."


def test_an_internal_note_is_neither_greeted_nor_signed():
    brief = make_brief("answer")
    internal = replace(brief, plan=replace(brief.plan, kind="summary"))

    assert compose(internal, SAID) == SAID.sentences


def test_paragraphs_part_greeting_text_ask_and_signature():
    body = render_body(compose(make_brief("answer"), SAID), "email")

    assert body.split("\n\n")[:3] == ["Hello Dana,", "Wir haben Ihre Frage.", "Passt das?"]
    assert body.split("\n\n")[3].startswith("Kind regards\nJonas Brandt\n")


def test_bullets_stand_on_lines_of_their_own():
    sentences = [Sentence("Noted:", "context"), Sentence("- One.", "claim"), Sentence("- Two.", "claim")]

    assert render_body(sentences, "email") == "Noted:\n\n- One.\n- Two."
    assert render_html(sentences, "email") == "<p>Noted:</p>\n<ul><li>One.</li><li>Two.</li></ul>"


def test_html_escapes_every_character_of_the_text():
    sentences = [Sentence('<b onclick="x">&</b>', "claim"), Sentence("<script>", "signature", verdict="rendered")]

    html = render_html(sentences, "email")

    assert "<b" not in html
    assert "<script" not in html
    assert "&lt;b onclick=&quot;x&quot;&gt;&amp;" in html


def test_what_was_removed_is_not_shown():
    sentences = [Sentence("Stays.", "claim"), Sentence("Goes.", "claim", action="removed")]

    assert render_body(sentences, "email") == "Stays."


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("a" * 160, ("GSM-7", 160, 1)),
        ("a" * 161, ("GSM-7", 161, 2)),
        ("a" * 306, ("GSM-7", 306, 2)),
        ("a" * 307, ("GSM-7", 307, 3)),
        ("€" * 80, ("GSM-7", 160, 1)),
        ("ä" * 160, ("GSM-7", 160, 1)),
        ("“" + "a" * 69, ("UCS-2", 70, 1)),
        ("“" + "a" * 70, ("UCS-2", 71, 2)),
        ("😀" * 35, ("UCS-2", 70, 1)),
        ("", ("GSM-7", 0, 1)),
    ],
)
def test_a_text_message_is_counted_in_parts(text, counted):
    assert count_sms(text) == counted


def test_a_company_without_an_address_is_not_named_twice():
    brief = make_brief("renewal", channel="letter")
    bare = replace(brief, sender=replace(brief.sender, legal_name=None, postal_address=None))

    whole = compose(bare, SAID)

    assert sum(s.text == "Halden Controls" for s in whole) == 1
    assert len(texts(whole, "legal")) == 1


def test_a_letter_has_the_address_the_day_and_the_close_of_letters():
    brief = make_brief("answer", language="fr", channel="letter")
    to = make_recipient(address="12 rue des Halles, 69002 Lyon", company_name="Atelier Roussel")

    lines = render_body(compose(replace(brief, recipient=to, locale="fr_FR"), SAID), "letter").split("\n")

    address = ["Dana Reyes", "Atelier Roussel", "12 rue des Halles", "69002 Lyon"]
    assert lines[:8] == [*address, "", "Le 11 mars 2026", "", "Bonjour Dana Reyes,"]
    assert "Sincères salutations" in lines


def test_a_text_message_has_no_spaces_inside_its_quotes():
    said = Written((Sentence("Vous écriviez : « le plan ».", "context"),), "template")

    assert 'Vous écriviez : "le plan".' in render_body(compose(make_brief("answer", channel="sms"), said), "sms")
