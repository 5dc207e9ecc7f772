"""Messages after which the next word is theirs: they come back to us, and ask for nothing."""

from __future__ import annotations

import pytest

from crmplugin.analysis.threads import leaves_it_with_them


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for the quote. We are discussing it internally and will come back to you next week.",
        "Danke für das Angebot, wir melden uns nächste Woche.",
        "Wir prüfen das intern und kommen dann auf Sie zu.",
        "Merci, nous revenons vers vous la semaine prochaine.",
        "Gracias, le diremos algo la semana que viene.",
        "Grazie, vi faremo sapere.",
        "Bedankt, we komen volgende week bij u terug.",
        "Dziękuję, odezwę się w przyszłym tygodniu.",
        "Obrigado, voltaremos a falar na próxima semana.",
    ],
)
def test_they_come_back_to_us(text: str) -> None:
    assert leaves_it_with_them(text)


@pytest.mark.parametrize(
    "text",
    [
        "We'll come back to you, but please send the certificate.",
        "We need the certificate and will then get back to you.",
        "When will you come back to us?",
        "Merci, nous revenons vers vous lundi. Pouvez-vous envoyer le plan ?",
        "The device came back broken.",
        "",
    ],
)
def test_they_wait_for_us(text: str) -> None:
    assert not leaves_it_with_them(text)
