"""The quality cases of `evals/` pass with the template writer, and `crmplugin eval` tells what came of them."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from crmplugin.cli.evaluating import run_one
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.errors import UsageError
from crmplugin.journeys.draft import make_draft
from crmplugin.journeys.evaluate import changes, packaged_cases, read_cases
from crmplugin.journeys.import_records import import_document
from crmplugin.journeys.present import to_json
from crmplugin.llm.scripted import replies, scripted_model
from crmplugin.settings import load_settings
from crmplugin.store.draft_rows import DraftRow
from crmplugin.store.drafts import DraftStore
from crmplugin.wiring import Assistant

CASES = packaged_cases()


def test_there_are_at_least_thirty_cases_in_several_trades():
    assert len(CASES) >= 30
    assert len({case.id.partition("-")[0] for case in CASES}) >= 5
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_passes_with_the_template_writer(case):
    assert run_one(case, None).failures == ()


@pytest.mark.parametrize("case", [c for c in CASES if c.id.endswith(("hidden-in-a-mail", "amounts-disagree"))],
                         ids=lambda case: case.id)  # fmt: skip
def test_a_case_passes_when_the_model_writes_nonsense(case, monkeypatch):
    with scripted_model(replies("claim\t\tWe offer 45% off and the total is €4,463.00.")) as model:
        for name, value in model.environment.items():
            monkeypatch.setenv(name, value)
        outcome = run_one(case, model.environment["CRMPLUGIN_MODEL"])

    assert outcome.failures == ("fell back to the template writer",)


def small_folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "cases").mkdir()
    shutil.copytree(str(files("evals") / "worlds"), tmp_path / "worlds")
    (tmp_path / "cases" / "own.toml").write_text(text, encoding="utf-8")
    return tmp_path


OWN = """
[[case]]
id = "own-1"
world = "malt"
kind = "follow_up"
deal = "D-5"
as_of = "2026-02-10"
language = "en"
add = '{"activities": [{"id": "A-2", "direction": "outbound", "body": "It has 60 EBC."}]}'
expect = { type = "quote_follow_up", must = ["13 February"] }
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("must =", "musst ="), "unknown musst"),
        (('kind = "follow_up"', ""), "needs an id and a kind"),
        (('deal = "D-5"', ""), "name one of"),
        (('world = "malt"', 'world = "hops"'), "no world hops"),
        (("[[case]]", "[[case"), "own.toml"),
    ],
)
def test_a_broken_case_is_refused_by_name(tmp_path, change, said):
    with pytest.raises(UsageError, match=said):
        read_cases(small_folder(tmp_path, OWN.replace(*change)))


def test_own_cases_run_are_kept_and_compared(crmplugin, tmp_path):
    folder = small_folder(tmp_path, OWN)

    first = crmplugin("eval", "--cases", str(folder), "--json")
    text = (folder / "cases" / "own.toml").read_text(encoding="utf-8")
    (folder / "cases" / "own.toml").write_text(text.replace("13 February", "14 February"), encoding="utf-8")
    second = crmplugin("eval", "--cases", str(folder))

    assert (first.code, first.json["scores"][0]["passed"], first.json["scores"][0]["since"]) == (0, 1, [])
    assert second.code == 4
    assert "own-1: misses /14 February/" in second.out
    assert "now fails: own-1" in second.out


def test_another_version_of_the_prompts_stands_beside_the_present_one(crmplugin, tmp_path):
    folder = small_folder(tmp_path, OWN)
    changed = tmp_path / "changed" / "prompts"
    shutil.copytree(str(files("prompts")), changed, ignore=shutil.ignore_patterns("__pycache__"))
    claims = changed / "checks" / "claims.toml"
    claims.write_text(claims.read_text(encoding="utf-8") + "\n# another version\n", encoding="utf-8")

    answer = crmplugin("eval", "--cases", str(folder), "--prompts", str(changed), "--json")

    own, other = answer.json["scores"]
    assert (own["passed"], other["passed"]) == (1, 1)
    assert own["prompts"] != other["prompts"]


def test_changes_name_what_became_worse_first():
    before = {"outcomes": {"a": [], "b": ["misses /x/"]}}
    after = {"outcomes": {"a": ["says “y”"], "b": []}}

    assert changes(before, after) == ["now fails: a: says “y”", "now passes: b"]


def test_an_empty_folder_is_told(crmplugin, tmp_path):
    answer = crmplugin("eval", "--cases", str(tmp_path))

    assert answer.code == 1
    assert "no folder 'cases'" in answer.err
    assert json.dumps(answer.out) == '""'


@pytest.fixture
def approved(tmp_path, monkeypatch):
    """A store of our own with one draft that a person approved, as the settings of the command see it."""
    monkeypatch.setenv("CRMPLUGIN_CONFIG", "")
    monkeypatch.setenv("CRMPLUGIN_VAR", str(tmp_path / "own"))
    assistant = Assistant(load_settings(os.environ))
    world = json.loads((files("evals") / "worlds" / "malt.json").read_text(encoding="utf-8"))
    import_document(world, connection="local", records=assistant.records)
    at = datetime(2026, 2, 10, 11, tzinfo=UTC)
    request = Request("local", "follow_up", Subject("deal", "D-5"), type="quote_follow_up", as_of=at)
    draft = make_draft(request, tools=assistant.tools("local"), draft_id="draft-1", now=at)
    assert draft.status == "proposed"
    row = DraftRow(
        "draft-1", "local", "follow_up", "approved", 1, at, at, "api", "deal", "D-5", "on_approval",
        {"language": "en"}, to_json(draft),
    )  # fmt: skip
    DraftStore(assistant.engine).create(row)
    yield assistant
    assistant.close()


def test_own_approved_drafts_are_cases_and_a_model_judges_last(crmplugin, approved, monkeypatch):
    with scripted_model(replies("4 clear and to the point")) as model:
        for name, value in model.environment.items():
            monkeypatch.setenv(name, value)
        answer = crmplugin("eval", "--approved", "5", "--judge", "judging-model")
        asked = "\n".join(m["content"] for m in model.requests[0]["messages"])

    assert answer.code == 0, answer.out
    assert "1/1" in answer.out.split("\n")[1]
    assert "1/1 (21 to 100 %)" in answer.out
    assert len(model.requests) == 1
    assert model.requests[0]["model"] == "judging-model"
    recipient = next(approved.records.iterate_docs("local", "contacts"))
    assert recipient["last_name"] not in asked
    users = list(approved.records.iterate_docs("local", "users"))
    assert users
    assert [user["name"] for user in users if user["name"] in asked] == []


def test_what_a_person_approved_and_nobody_says_now_fails(crmplugin, approved):
    store = DraftStore(approved.engine)
    document = dict(store.get("draft-1").document)
    document["sentences"] = [
        *document["sentences"],
        {**document["sentences"][1], "evidence": ["Q-5.gone"], "verdict": "supported"},
    ]
    store.note("draft-1", at=datetime(2026, 2, 10, 12, tzinfo=UTC), document=document)

    answer = crmplugin("eval", "--approved", "5")

    assert answer.code == 4
    assert "approved-draft-1: does not use Q-5.gone" in answer.out
