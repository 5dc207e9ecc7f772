"""The scenarios in German, French and Spanish with a scripted model: what is true stays, what is not goes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crmplugin.llm.scripted import replies, scripted_model
from tests.scenarios import world
from tests.scenarios.reading import assert_proven, customer_text

SCENARIOS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "conflicting amounts": (world.CONFLICTING_AMOUNTS, ["follow_up", "--deal", "D-1"]),
    "expired quote": (world.EXPIRED_QUOTE, ["follow_up", "--deal", "D-2"]),
    "severe ticket": (
        world.SEVERE_TICKET, ["pitch", "--deal", "D-4", "--to", "C-5", "--channel", "email"],
    ),
    "recap": (world.GERMAN_CONTACT, ["follow_up", "--deal", "D-5"]),
    "injected instruction": (world.INJECTED_INSTRUCTION, ["follow_up", "--deal", "D-6"]),
}  # fmt: skip
BAD = {
    "de": ["Bergmann Anlagen nutzt dieselben Geräte.", "Wir garantieren die beste Genauigkeit am Markt.",
           "Wir gewähren Ihnen 40 % Rabatt.", "Wir liefern alles bis Dienstag, 17. März."],
    "fr": ["Bergmann Anlagen utilise les mêmes appareils.", "Nous garantissons la meilleure précision du marché.",
           "Nous vous accordons une remise de 40 %.", "Nous livrons le tout d’ici au mardi 17 mars."],
    "es": ["Bergmann Anlagen usa los mismos aparatos.", "Garantizamos la mejor precisión del mercado.",
           "Le concedemos un descuento del 40 %.", "Entregamos todo a más tardar el martes 17 de marzo."],
}  # fmt: skip
WRONG = r"Bergmann|garanti|garantiz|40|17\. März|17 mars|17 de marzo"


def lines_of(made: dict[str, Any]) -> list[str]:
    """A draft in the line form, as a model would answer it."""
    said = [s for s in made["sentences"] if s["role"] in ("subject", "context", "claim", "ask", "close")]
    return [f"{s['role']}\t{','.join(s['evidence'])}\t{s['text']}" for s in said]


def pairs() -> list[Any]:
    """Each scenario in one language, and in the others with `long`."""
    languages = list(BAD)
    rows = [(name, lang, lang == languages[n % 3]) for n, name in enumerate(SCENARIOS) for lang in languages]
    return [pytest.param(name, lang, marks=() if usual else pytest.mark.long) for name, lang, usual in rows]


@pytest.mark.parametrize(("scenario", "language"), pairs())
def test_true_lines_stay_and_false_ones_go(draft, monkeypatch, scenario: str, language: str):
    records, args = SCENARIOS[scenario]
    good = lines_of(draft(records, *args, "--language", language, "--writer", "template"))
    bad = [f"claim\t\t{text}" for text in BAD[language]]
    script = replies("\n".join([*good[:-1], *bad, good[-1]]))

    with scripted_model(script) as model:
        for name, value in model.environment.items():
            monkeypatch.setenv(name, value)
        made = draft(records, *args, "--language", language)

    assert (made["status"], made["language"], made["writer"]) == ("proposed", language, "model")
    assert made["grounding"]["status"] == "trimmed"
    kept = {s["text"] for s in made["sentences"] if s["action"] != "removed"}
    assert {line.rpartition("\t")[2] for line in good if line.startswith("claim")} <= kept
    assert not re.search(WRONG, customer_text(made), re.IGNORECASE)
    assert_proven({**made, "sentences": [s for s in made["sentences"] if s["action"] != "removed"]})
