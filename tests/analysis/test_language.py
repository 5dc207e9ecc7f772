"""Which language a text is in."""

import pytest

from crmplugin.analysis.language import guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Danke!", "de"),
        ("Merci beaucoup", "fr"),
        ("Wat kost de levering?", "nl"),
        ("Inspection of one machine by a technician", "en"),
        ("Können Sie den Preis senden", "de"),
    ],
)
def test_small_words_tell_the_language(text: str, language: str) -> None:
    assert guess_language(text) == language


def test_one_small_word_in_a_line_of_nouns_proves_nothing() -> None:
    assert guess_language("includes ISO 17025 certificate per device") is None
