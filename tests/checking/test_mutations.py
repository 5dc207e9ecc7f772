"""How much is caught and how much is flagged wrongly, over true sentences and what is made of them."""

from __future__ import annotations

from collections import Counter

import pytest

from . import true_sentences
from .mutations import CLAIMS, mutate
from .world import verdict_of

TRUE = {"en": true_sentences.EN, "de": true_sentences.DE}
MOST_FLAGGED = 0.02
TYPED_CAUGHT = 0.98
CLAIMS_CAUGHT = 0.90


@pytest.mark.parametrize("language", TRUE)
def test_true_sentences_pass(language):
    flagged = [s for s in TRUE[language] if verdict_of(s, language=language) != "supported"]

    assert len(flagged) <= MOST_FLAGGED * len(TRUE[language]), flagged


def test_there_are_enough_true_sentences():
    assert sum(map(len, TRUE.values())) >= 60


def caught_by_kind() -> tuple[Counter[str], Counter[str]]:
    made, caught = Counter(), Counter()
    for language, sentences in TRUE.items():
        for sentence in sentences:
            for kind, text in mutate(sentence, language):
                made[kind] += 1
                caught[kind] += verdict_of(text, language=language) != "supported"
    return made, caught


def test_mutations_are_caught(tell):
    made, caught = caught_by_kind()

    tell("kind               caught  made")
    for kind in made:
        tell(f"{kind:18} {caught[kind]:6} {made[kind]:5} {'claim' if kind in CLAIMS else ''}")
    typed = [k for k in made if k not in CLAIMS]
    assert sum(caught[k] for k in typed) >= TYPED_CAUGHT * sum(made[k] for k in typed)
    assert sum(caught[k] for k in CLAIMS) >= CLAIMS_CAUGHT * sum(made[k] for k in CLAIMS)
    assert caught["foreign"] == made["foreign"]
    assert caught["leak"] == made["leak"]
