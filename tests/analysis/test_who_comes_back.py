"""Messages after which the next word is theirs: they come back to us, and ask for nothing."""

from __future__ import annotations

import pytest

from crmplugin.analysis.threads import leaves_it_with_them, only_praises


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


@pytest.mark.parametrize(
    ("text", "praises"),
    [
        ("Great service, thanks to the whole team!", True),
        ("Toller Service, danke ans ganze Team!", True),
        ("Super service, merci à toute l’équipe !", True),
        ("¡Un servicio estupendo, gracias a todo el equipo!", True),
        ("Great service! Please send five more gaskets.", False),
        ("Toller Service! Wir hätten gern noch zwei davon.", False),
        ("Great machine, thank you. We would like another one.", False),
        ("Great service. When do you come?", False),
        ("Great, we take 5.", False),
        ("", False),
    ],
)
def test_praise_waits_for_no_answer(text: str, praises: bool) -> None:
    assert only_praises(text) is praises
