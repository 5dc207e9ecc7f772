"""Who answers by when is no statement about the question: every wording of ours for it passes, whatever was asked."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import PASSING, Sentence
from crmplugin.journeys.draft import make_brief
from crmplugin.wiring import open_scratch

NOW = datetime(2026, 11, 28, 11, tzinfo=UTC)
QUESTIONS = {
    "en": "Where is our data hosted? And could you do 15 %?",
    "de": "Wo liegen unsere Daten? Und gehen auch 15 %?",
    "fr": "Où sont hébergées nos données ? Et pouvez-vous faire 15 % ?",
    "es": "¿Dónde están nuestros datos? ¿Y pueden hacer un 15 %?",
}
ASKED = ("open_one", "open_rest", "open_all")


def document(language: str) -> dict[str, object]:
    return {
        "format": "crmplugin-records/1",
        "seller": {"name": "Nimbus Ledger", "country": "FR", "timezone": "Europe/Paris", "currency": "EUR"},
        "users": [{"id": "U1", "name": "Solène Marchand", "email": "solene@nimbus.example", "role": "rep"}],
        "companies": [{"id": "C1", "name": "Atelier Roussel", "owner_id": "U1"}],
        "contacts": [{"id": "P1", "company_id": "C1", "first_name": "Camille", "last_name": "Roussel",
                      "email": "camille@roussel.example", "language": language}],
        "slots": [{"id": "SL1", "user_id": "U1", "kind": "answer_by", "on": "2026-12-02"}],
        "activities": [{"id": "A1", "type": "email", "direction": "inbound", "contact_ids": ["P1"], "thread_id": "t",
                        "at": "2026-11-26T08:12:00Z", "subject": "?", "body": QUESTIONS[language]}],
    }  # fmt: skip


def wordings(language: str, by: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    bank = tomllib.loads((files("prompts") / "sentences" / language / "answer.toml").read_text("utf-8"))
    for key, entry in bank.items():
        if key.startswith(ASKED) and set(entry.get("slots", ())) <= {"by", "name"}:
            for words in entry["say"]:
                text = words.format(by=by, name="Solène Marchand")
                name = ("U1.name",) if "name" in entry["slots"] else ()
                yield text[:1].upper() + text[1:], ("SL1.on", "A1.question2", *name)


@pytest.mark.parametrize("language", QUESTIONS)
def test_every_wording_for_who_answers_by_when_passes(language: str, tmp_path: Path):
    path = tmp_path / "records.json"
    path.write_text(json.dumps(document(language)), "utf-8")
    with open_scratch([str(path)]) as (assistant, _):
        tools = assistant.tools("local")
        brief = make_brief(Request("local", "follow_up", Subject("company", "C1")), tools=tools, now=NOW)
        by = next(f.display for f in brief.facts if f.id == "SL1.on")
        said = list(wordings(language, by))
        checked = [
            tools.check((Sentence(text, "claim", cited),), brief.facts, language=language, locale=brief.locale,
                        audience="customer", send_on=brief.send_on, zone=brief.zone, names=tools.names(), brief=brief)
            for text, cited in said
        ]  # fmt: skip

    failed = [r.sentences[0].sentence for r in checked if r.sentences[0].sentence.verdict not in PASSING]
    assert len(said) >= 9
    assert not [f"{s.text}: {s.reason}" for s in failed]
