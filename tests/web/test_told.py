"""What our code keeps in English is shown in the reader's language: every reason, and nothing but what is known."""

from __future__ import annotations

from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from crmplugin.brief.rows import ROWS, UNCONFIRMED
from crmplugin.web.console_show import Reader, plain_field
from crmplugin.web.console_told import in_words, told_texts
from crmplugin.web.console_words import load_words

READER = Reader(Locale("de", "DE"), ZoneInfo("Europe/Berlin"), datetime(2026, 3, 10, 12, tzinfo=UTC))
OTHERS = ("de", "fr", "es")


def german(text):
    return in_words(text, load_words("de"), READER)


def values_in(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("row", [*ROWS, UNCONFIRMED], ids=lambda row: row.number)
def test_why_a_message_is_due_is_said_in_german(row):
    kept = f"{row.why[:1].upper()}{row.why[1:]}."

    assert german(kept) not in ("", kept)


def test_every_text_is_there_in_each_language_with_no_value_of_its_own():
    for key, texts in told_texts().items():
        assert set(OTHERS) <= texts.keys(), key
        assert all(values_in(text) <= values_in(texts["said"]) for text in texts.values()), key


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (
            "Do not promote by email: the address of Ida Moss (C-S1) opted out on 2026-01-01.",
            "Keine Werbung (E-Mail): Die Adresse von Ida Moss (C-S1) hat am 1. Jan. widersprochen.",
        ),
        (
            "No recap can be written: no meeting with notes waits for a recap.",
            "„Treffen zusammenfassen“ lässt sich nicht schreiben: kein Treffen mit Notizen wartet auf eine "
            "Zusammenfassung.",
        ),
        (
            "Mend this first, then ask again: “Alle warten.”: “Alle”: no fact says so without exception.",
            "Bringen Sie erst das in Ordnung, dann fragen Sie noch einmal: “Alle warten.”: “Alle”: Kein Fakt sagt das "
            "ohne Ausnahme.",
        ),
        (
            "Do not promote by phone: the address of Ann (C-1) and Bo (C-2) opted out.",
            "Keine Werbung (Anruf): Die Adresse von Ann (C-1) und Bo (C-2) hat widersprochen.",
        ),
        (
            '"35 % off." is unsupported (No fact says this.): change it, or override with a reason',
            "„35 % off.“: Kein Datensatz sagt das (Kein Fakt sagt das.) Ändern Sie es, oder geben Sie es mit einem "
            "Grund trotzdem frei.",
        ),
        (
            "a rep may not do this: it takes one of admin, manager",
            "Ihre Rolle (Vertrieb) darf das nicht. Diese dürfen es: Administration, Vertriebsleitung.",
        ),
        ("The sentence is not in de: en.", "Dieser Satz sollte auf Deutsch sein, nicht auf Englisch."),
        ("“35 %”: no fact grants it.", "“35 %”: Das gewährt kein Fakt."),
        ("unknown_deal: the CRM has no deal D-9", "Das CRM kennt deal D-9 nicht."),
        ("unknown_event: deal.sneezed", "Für diese Art Ereignis ist nichts zu tun: deal.sneezed"),
        ("Asked for.", ""),
        ("the CRM answered 502: try again", "the CRM answered 502: try again"),
        ("No fact states {curly} <b>.", "Kein Fakt nennt {curly} <b>."),
        ("No fact states " + "x" * 100_000 + ".", "No fact states " + "x" * 100_000 + "."),
        (
            "Read A-1 yourself before you answer it: it holds text that tries to give the assistant orders (override). "
            "It was not followed, and nothing in it supports a statement.",
            "Lesen Sie A-1 selbst, bevor Sie antworten: Es enthält Text, der dem Assistenten Befehle geben will "
            "(override). Er wurde nicht befolgt und belegt nichts.",
        ),
        (None, ""),
    ],
    ids=lambda text: (text or "none")[:40],
)
def test_a_kept_text_is_shown_in_german(kept, shown):
    assert german(kept) == shown


def test_a_field_is_named_in_the_readers_language():
    assert plain_field("lines[1].unit_price") == "lines 2, unit price"
    assert plain_field("lines[1].unit_price", "de") == "Position 2, Einzelpreis"
    assert plain_field("x_own_field", "de") == "x own field"
