from __future__ import annotations

import pytest

from crmplugin.checking.check import split_sentences

from .world import verdict_of

SAME = {
    "en": "Thank you for the time you took for us.",
    "de": "Vielen Dank für die Zeit, die Sie sich für uns genommen haben.",
    "fr": "Merci pour le temps que vous nous avez consacré.",
    "es": "Muchas gracias por el tiempo que nos ha dedicado.",
    "it": "Grazie per il tempo che ci ha dedicato.",
    "nl": "Hartelijk dank voor de tijd die u voor ons hebt genomen.",
    "pl": "Bardzo dziękuję za czas, który państwo nam poświęcili.",
    "pt": "Muito obrigado pelo tempo que nos dedicou.",
}


@pytest.mark.parametrize("written", SAME)
@pytest.mark.parametrize("wanted", SAME)
def test_a_sentence_in_another_language_is_refused(written, wanted):
    verdict = verdict_of(SAME[written], language=wanted, facts=(), style=False)

    assert verdict == ("supported" if written == wanted else "unsupported")


def test_another_script_is_refused():
    assert verdict_of("Спасибо за ваше время и терпение.", facts=()) == "unsupported"


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("en", "Hello Dana, it does. Q-118 runs until 25 March. Is that all?", 3),
        ("en", "The price is €1,875.50 for Mr. Shah, e.g. per unit. Fine.", 2),
        ("en", "It is 2.5 bar. No. 4 is open.", 2),
        ("de", "Am 20. März liefern wir. Das gilt z. B. für Q-118.", 2),
        ("de", "Das sind ca. 3 Wochen, d.h. bis 25. März 2026.", 1),
        ("en", "One line\nanother line", 2),
        ("en", "", 0),
        ("en", "Wait... what?", 1),
    ],
)
def test_sentences_end_where_a_reader_ends_them(language, text, sentences):
    assert len(split_sentences(text, language)) == sentences
