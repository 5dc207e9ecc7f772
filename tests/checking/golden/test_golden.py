from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from .cases import CLAIMS, TYPED, passes, spoil, true_rows, wrong_rows

MOST_FLAGGED = 0.02
TYPED_CAUGHT = 0.98
CLAIMS_CAUGHT = 0.90

Counts = Mapping[tuple[str, str], int]


def table(made: Counts, hit: Counts, kinds: list[str], languages: list[str]) -> str:
    lines = [f"{'kind':14}" + "".join(f"{lang:>10}" for lang in languages) + f"{'all':>12}"]
    for kind in kinds:
        cells = [(hit[kind, lang], made[kind, lang]) for lang in languages]
        total = f"{sum(h for h, _ in cells)}/{sum(n for _, n in cells)}"
        lines.append(f"{kind:14}" + "".join(f"{f'{h}/{n}':>10}" for h, n in cells) + f"{total:>12}")
    return "\n".join(lines)


def test_true_sentences_in_eight_languages_pass(tell):
    made, flagged, texts = Counter(), Counter(), []
    for language, world, text in true_rows():
        made["flagged", language] += 1
        if not passes(language, world, text):
            flagged["flagged", language] += 1
            texts.append(text)

    tell(table(made, flagged, ["flagged"], list(CLAIMS)))
    assert made.total() >= 300
    assert flagged.total() <= MOST_FLAGGED * made.total(), texts


def test_wrong_sentences_in_eight_languages_are_refused(tell):
    made, caught, missed = Counter(), Counter(), []
    for language, world, kind, text in wrong_rows():
        made[kind, language] += 1
        if passes(language, world, text):
            missed.append(f"{language} {kind}: {text}")
        else:
            caught[kind, language] += 1

    tell(table(made, caught, sorted({k for k, _ in made}), list(CLAIMS)))
    assert caught.total() >= 0.95 * made.total(), missed


@pytest.fixture(scope="module")
def spoiled() -> tuple[Counts, Counts, list[str]]:
    """How many were made and caught by kind and language, and which got through."""
    made: Counter[tuple[str, str]] = Counter()
    caught: Counter[tuple[str, str]] = Counter()
    missed = []
    for language, world, text in true_rows():
        for kind, wrong in spoil(language, world, text):
            made[kind, language] += 1
            if passes(language, world, wrong):
                missed.append(f"{language} {kind}: {wrong}")
            else:
                caught[kind, language] += 1
    return made, caught, missed


def test_spoiled_sentences_in_eight_languages_are_refused(spoiled, tell):
    made, caught, missed = spoiled

    tell(table(made, caught, sorted({k for k, _ in made}), list(CLAIMS)))
    assert sum(made.values()) >= 2000
    assert _share(spoiled, lambda kind: kind in TYPED) >= TYPED_CAUGHT, missed
    assert _share(spoiled, lambda kind: kind not in TYPED) >= CLAIMS_CAUGHT, missed


def _share(spoiled: tuple[Counts, Counts, list[str]], wanted: Callable[[str], bool]) -> float:
    made, caught, _ = spoiled
    rows = [key for key in made if wanted(key[0])]
    return sum(caught[key] for key in rows) / sum(made[key] for key in rows)


def test_nobody_elses_name_and_no_internal_value_passes(spoiled):
    _, _, missed = spoiled

    assert not [m for m in missed if " foreign: " in m or " leak: " in m]
