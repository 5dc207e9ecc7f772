"""Every wording of the bank that the sample company gives an occasion for passes the checker, formal and informal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time
from importlib.resources import files

import pytest

from crmplugin.demo import load
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import PASSING, Sentence
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.import_records import import_document
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from crmplugin.writing.bank import fill, load_bank

DAY = date(2026, 3, 11)
NOW = datetime.combine(DAY, time(9), UTC)
FEW = ("D-103", "D-112", "D-120")


def refused(
    assistant: Assistant, subject: Subject, kind: str, language: str, *, formal: bool, now: datetime = NOW
) -> list[str]:
    """The wordings of one brief that do not pass, with the reason."""
    tools = assistant.tools("local")
    brief = make_brief(Request("local", kind, subject, language=language, as_of=now), tools=tools, now=now)
    if brief.plan is None:
        return []
    brief = replace(brief, plan=replace(brief.plan, formal=formal))
    bank, facts = load_bank(language), {fact.id: fact for fact in brief.writable_facts()}
    found = []
    for beat in brief.plan.beats:
        entry = bank.get(beat.key)
        shown = {slot: facts[id_] for slot, id_ in beat.facts.items() if id_ in facts}
        for variant in entry.variants("email", formal=formal) if entry and len(shown) == len(beat.facts) else ():
            sentence = Sentence(fill(variant, shown), beat.role, tuple(beat.facts.values()))
            checked = tools.check(
                (sentence,), brief.facts, language=brief.language, locale=brief.locale, audience="customer",
                send_on=brief.send_on, zone=brief.zone, names=tools.names(), brief=brief,
            ).sentences[0].sentence  # fmt: skip
            if checked.verdict not in PASSING:
                found.append(f"{beat.key}: {checked.text} ({checked.reason})")
    return found


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("wordings")
    assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(folder)}))
    import_document(load(DAY), connection="local", records=assistant.records)
    yield assistant
    assistant.close()


@pytest.mark.parametrize("formal", [True, False], ids=["formal", "informal"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_the_wordings_of_a_few_deals_pass(sample: Assistant, language: str, formal: bool):
    found = [
        row
        for id_ in FEW
        for kind in ("follow_up", "pitch")
        for row in refused(sample, Subject("deal", id_), kind, language, formal=formal)
    ]

    assert found == []


@pytest.mark.parametrize("formal", [True, False], ids=["formal", "informal"])
@pytest.mark.parametrize(("world", "language"), [("fournil", "fr"), ("obrador", "es")])
def test_the_wordings_for_those_who_write_and_are_written_to_in_it_pass(tmp_path, world, language, formal):
    document = json.loads((files("evals") / "worlds" / f"{world}.json").read_text(encoding="utf-8"))
    assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path)}))
    import_document(document, connection="local", records=assistant.records)
    subjects = [Subject("deal", row["id"]) for row in document["deals"]]
    now = datetime(2026, 11, 30, 9, tzinfo=UTC)

    found = [row for s in subjects for row in refused(assistant, s, "follow_up", language, formal=formal, now=now)]

    assistant.close()
    assert found == []


@pytest.mark.long
@pytest.mark.parametrize("formal", [True, False], ids=["formal", "informal"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_the_wordings_of_the_whole_company_pass(sample: Assistant, language: str, formal: bool):
    document = load(DAY)
    subjects = [Subject("deal", row["id"]) for row in document["deals"]]
    subjects += [Subject("company", row["id"]) for row in document["companies"]]
    kinds = ("follow_up", "pitch", "service_reply", "help_answer")

    found = {row for s in subjects for kind in kinds for row in refused(sample, s, kind, language, formal=formal)}

    assert found == set()
