"""Promises stated in text: whose, by when."""

from __future__ import annotations

from datetime import date

import pytest

from crmplugin.analysis.promises import find_promises

TUESDAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("I'll send the drawing by Friday.", date(2026, 3, 13)),
        ("We will get back to you on Monday", date(2026, 3, 16)),
        ("Let me check and come back to you tomorrow.", date(2026, 3, 11)),
        ("ich schicke Ihnen bis Freitag das Angebot.", date(2026, 3, 13)),
        ("Ich werde Ihnen die Zeichnung bis zum 20.3. zukommen lassen.", date(2026, 3, 20)),
        ("Nous vous enverrons le devis avant le 20 mars.", date(2026, 3, 20)),
        ("Le enviaremos la oferta antes del 20 de marzo.", date(2026, 3, 20)),
        ("Vi invieremo l'offerta entro il 20 marzo.", date(2026, 3, 20)),
        ("Ik stuur u de offerte uiterlijk 20 maart.", date(2026, 3, 20)),
    ],
)
def test_a_promise_has_its_side_and_day(text: str, due: date) -> None:
    (found,) = find_promises(text, written_on=TUESDAY, author_side="us")

    assert (found.side, found.due, found.verbatim) == ("us", due, text)


def test_what_you_will_send_is_the_other_sides() -> None:
    (found,) = find_promises("You will send us the signed plan by Friday.", written_on=TUESDAY, author_side="us")

    assert found.side == "them"


def test_a_range_gives_no_day_but_its_end() -> None:
    (found,) = find_promises("I will call you next week.", written_on=TUESDAY, author_side="them")

    assert (found.side, found.due, found.latest) == ("them", None, date(2026, 3, 20))


@pytest.mark.parametrize(
    "text",
    [
        "I will not be able to send it.",
        "I'd be happy to help.",
        "I will be out of office until Friday.",
        "Will you send the drawing by Friday?",
        "If you want, we could send it.",
        "We sent it on Friday.",
        "> I'll send it by Friday.",
    ],
)
def test_what_binds_nobody_is_no_promise(text: str) -> None:
    assert find_promises(text, written_on=TUESDAY, author_side="us") == ()
