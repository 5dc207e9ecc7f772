"""A draft as a mail or a text file, and as an address for the mail program."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from crmplugin.domain.brief import Decision, Recipient
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.web.take_away import as_file, mailto

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
DRAFT = Draft(
    id="d1", connection="local", kind="follow_up", subject_of=Subject("deal", "D-1"), status="proposed",
    decision=Decision("draft"), as_of=NOW, created_at=NOW, channel="email", subject="Angebot für Köln & mehr",
    body="Guten Tag,\n\n50 % + 2 Tage.\n\nGrüße", html="<p>Guten Tag,</p><p>50 % + 2 Tage.</p>",
    to=Recipient("C-1", "Björn Ånäs", "bjorn@kestrel.example"),
)  # fmt: skip


def read(draft: Draft, form: str = "eml"):
    return message_from_bytes(as_file(draft, form, "Kestrel Foods").get_data(), policy=default)


def test_a_mail_file_opens_unsent_with_its_recipient_text_and_html():
    mail = read(DRAFT)

    assert (mail["X-Unsent"], mail["Subject"]) == ("1", "Angebot für Köln & mehr")
    assert mail["To"].addresses[0].display_name == "Björn Ånäs"
    assert mail.get_body(("plain",)).get_content().splitlines() == ["Guten Tag,", "", "50 % + 2 Tage.", "", "Grüße"]
    assert "<p>50 % + 2 Tage.</p>" in mail.get_body(("html",)).get_content()


def test_a_line_end_in_a_subject_makes_no_header():
    assert read(replace(DRAFT, subject="Hello\r\nBcc: all@x.example"))["Bcc"] is None


def test_an_address_that_no_mail_can_carry_is_left_to_the_person():
    assert read(replace(DRAFT, to=Recipient("C-1", "X", "no address")))["To"] is None


def test_a_text_file_has_subject_and_text_and_a_name():
    response = as_file(DRAFT, "txt", "Kestrel “Foods” Ltd")

    assert response.get_data(as_text=True) == "Angebot für Köln & mehr\n\nGuten Tag,\n\n50 % + 2 Tage.\n\nGrüße\n"
    assert response.headers["Content-Disposition"] == 'attachment; filename="kestrel-foods-ltd.txt"'


def test_a_mailto_holds_subject_and_text_percent_encoded():
    assert mailto(DRAFT) == (
        "mailto:bjorn@kestrel.example?subject=Angebot%20f%C3%BCr%20K%C3%B6ln%20%26%20mehr"
        "&body=Guten%20Tag%2C%0A%0A50%20%25%20%2B%202%20Tage.%0A%0AGr%C3%BC%C3%9Fe"
    )


def test_an_address_adds_nothing_to_a_mailto():
    evil = replace(DRAFT, to=replace(DRAFT.to, address="x@evil.example?bcc=all@evil.example&attach=/etc/passwd"))

    assert mailto(evil).startswith("mailto:x@evil.example%3Fbcc%3Dall@evil.example%26attach%3D%2Fetc%2Fpasswd?subject=")


@pytest.mark.parametrize("change", [{"channel": "letter"}, {"audience": "internal"}, {"to": None}])
def test_what_is_no_mail_to_a_customer_has_no_mailto(change):
    assert mailto(replace(DRAFT, **change)) is None


def test_a_text_too_long_for_an_address_goes_without_its_body():
    address = mailto(replace(DRAFT, body="word " * 1000))

    assert address == "mailto:bjorn@kestrel.example?subject=Angebot%20f%C3%BCr%20K%C3%B6ln%20%26%20mehr"
