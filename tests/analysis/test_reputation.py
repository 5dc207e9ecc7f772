"""Public comments: who should look first, and why."""

import pytest

from crmplugin.analysis.reputation import rating_in, read_comment

COMMENTS = [
    ("The oven caught fire and a colleague was injured.", None, "urgent"),
    ("Unacceptable. You will hear from my lawyer.", None, "urgent"),
    ("Ein Kollege hat sich am Blech verbrannt, die Tür schließt nicht.", None, "urgent"),
    ("Ich gehe damit zur Verbraucherzentrale und zur Presse.", None, "urgent"),
    ("Le four a pris feu hier soir.", None, "urgent"),
    ("Voy a poner una denuncia por estafa.", None, "urgent"),
    ("Terrible service, nobody answers the phone.", None, "soon"),
    ("It arrived.", "1/5", "soon"),
    ("Does it fit under a low ceiling?", None, "soon"),
    ("Great machine, runs perfectly since May.", "5/5", "calm"),
    ("Alles gut, danke.", None, "calm"),
    ("The fire-resistant coating looks nice.", None, "calm"),
]


@pytest.mark.parametrize(("text", "headline", "urgency"), COMMENTS)
def test_urgency_of_a_comment(text: str, headline: str | None, urgency: str) -> None:
    assert read_comment(text, headline=headline).urgency == urgency


def test_reasons_show_the_words() -> None:
    found = read_comment("My lawyer has the pictures of the burned hand.")

    assert found.reasons == (("legal", "lawyer"), ("safety", "burned"))


@pytest.mark.parametrize(("headline", "rating"), [("2/5", 2), ("Rating 4 / 5", 4), ("12/50", None), (None, None)])
def test_rating_of_a_headline(headline: str | None, rating: int | None) -> None:
    assert rating_in(headline) == rating
