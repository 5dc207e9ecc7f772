"""What is sent to a model: within its budget, the same at its start, without anybody's personal data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any, get_args

import pytest

from crmplugin.demo import load
from crmplugin.domain.brief import Brief, Kind, Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_brief, make_draft
from crmplugin.journeys.import_records import import_document
from crmplugin.journeys.styles import change_sheet
from crmplugin.llm.scripted import Reply, scripted_model
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from crmplugin.writing.bank import load_bank
from crmplugin.writing.model import fill_prompt, prompt_of
from crmplugin.writing.tokens import PROMPT_TOKENS, estimate_tokens, shared_prefix, tokens_of

DAY = date(2026, 3, 11)
NOW = datetime.combine(DAY, time(9), UTC)
KINDS = [kind for kind in get_args(Kind) if kind != "campaign_message"]
SUBJECTS = [Subject("deal", f"D-{n}") for n in (101, 103, 107, 109, 112, 116, 118, 136)] + [Subject("company", "CO-28")]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("sample")
    assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(folder)}))
    import_document(load(DAY), connection="local", records=assistant.records)
    yield assistant
    assistant.close()


@pytest.fixture(scope="module")
def briefs(sample: Assistant) -> list[Brief]:
    """One brief for each kind and subject that something can be written about."""
    tools = sample.tools("local")
    requests = [Request("local", kind, subject, as_of=NOW) for kind in KINDS for subject in SUBJECTS]
    made = [make_brief(request, tools=tools, now=NOW) for request in requests]
    return [brief for brief in made if brief.plan]


def test_every_kind_has_a_prompt_within_the_budget(briefs: list[Brief]):
    sizes = {brief.plan.kind: tokens_of(fill_prompt(prompt_of(brief), brief)) for brief in briefs if brief.plan}

    assert set(sizes) >= set(KINDS) - {"help_answer"}
    assert max(sizes.values()) <= PROMPT_TOKENS


def test_a_small_budget_cuts_between_facts_and_keeps_what_the_plan_needs(briefs: list[Brief]):
    brief = next(b for b in briefs if b.plan and b.plan.kind == "follow_up")

    small = fill_prompt(prompt_of(brief), brief, room=1_100)
    lines = [line for line in small[-1].content.splitlines() if line.startswith('{"id"')]

    assert tokens_of(small) <= 1_100
    assert 0 < len(lines) < len(brief.customer_facts())
    assert all(line.endswith("}") for line in lines)
    first = next(iter(next(b for b in brief.plan.beats if b.must).facts.values()))
    assert f'"id": "{first}"' in lines[0]


def test_internal_facts_are_in_no_customer_prompt(briefs: list[Brief]):
    for brief in briefs:
        if brief.audience == "customer":
            hidden = {f'"id": "{f.id}"' for f in brief.facts if f.visibility == "internal"}
            text = fill_prompt(prompt_of(brief), brief)[-1].content
            assert not [id_ for id_ in hidden if id_ in text]


def test_prompts_of_one_kind_begin_alike(briefs: list[Brief]):
    """What a server may keep: rules, example and house style stand before everything that changes."""
    by_kind: dict[str, list[Any]] = {}
    for brief in briefs:
        by_kind.setdefault(f"{brief.plan.kind} {brief.locale}", []).append(fill_prompt(prompt_of(brief), brief))
    alike = [(shared_prefix(a, b), len(a[0].content)) for row in by_kind.values() for a, b in pairwise(row)]

    assert len(alike) >= 20
    assert min(share for share, _ in alike) > 0.1
    assert sum(share for share, _ in alike) / len(alike) > 0.25


def test_the_estimate_is_on_the_safe_side():
    assert estimate_tokens("Die Lieferzeit beträgt 6 bis 8 Wochen.") >= 13
    assert estimate_tokens("") == 0


def private_words(document: dict[str, Any], brief: Brief) -> set[str]:
    """Names, numbers and addresses of this account and its people that are more than an ordinary word."""
    company = next((c for c in document["companies"] if c["id"] == brief.company_id), {})
    people = [c for c in document["contacts"] if c["company_id"] == company.get("id")]
    words = {w for p in people for w in (*p["first_name"].split(), *p["last_name"].split()) if len(w) > 3}
    words |= {v for p in people for v in (p.get("email"), p.get("phone"), p.get("postal_address")) if v}
    words |= {w for u in document["users"] for w in (*u["name"].split(), u["email"]) if len(w) > 3}
    return words | {v for v in (company.get("name"), company.get("postal_address")) if v}


def test_no_request_of_any_kind_shows_personal_data(sample: Assistant, briefs: list[Brief], monkeypatch, tmp_path):
    """Every request that leaves is caught on a server; what the model says comes back with the names in place."""
    document = load(DAY)
    with scripted_model(lambda body: Reply("subject\t\tAbout your order\nask\t\tDoes PERSON_1 agree?")) as model:
        for name, value in model.environment.items():
            monkeypatch.setenv(name, value)
        chat = Assistant(load_settings({**model.environment, "CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path)}))
        hidden = 0
        try:
            writer = chat.model_writer
            for brief in briefs:
                at = len(model.requests)
                written = writer.write(brief)
                sent = " ".join(m["content"] for m in model.requests[at]["messages"])
                shown = [w for w in private_words(document, brief) if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", sent)]
                assert shown == [], (brief.plan.kind, brief.subject)
                hidden += written.masked.get("name", 0)
                assert ("PERSON_" in written.sentences[-1].text) == (not written.masked.get("name"))
        finally:
            chat.close()
    assert len(model.requests) == len(briefs)
    assert hidden > len(briefs)


def test_an_unusable_answer_is_asked_for_again_and_both_calls_are_counted(sample: Assistant, tmp_path):
    answers = iter(["nonsense", "subject\t\tAbout your order\nask\t\tDoes that help?"])
    with scripted_model(lambda body: Reply(next(answers))) as model:
        settings = load_settings({**model.environment, "CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path)})
        brief = make_brief(Request("local", "follow_up", SUBJECTS[1], as_of=NOW), tools=sample.tools("local"), now=NOW)
        written = Assistant(settings).model_writer.write(brief)

    assert len(model.requests) == 2
    one = sum(len(m["content"]) for m in model.requests[0]["messages"]) // 4
    assert written.usage.input_tokens > 1.9 * one


def test_every_beat_of_the_bank_can_be_told_to_a_model():
    assert all(entry.wordings["say"] for entry in load_bank("en").values())


def test_the_template_writer_needs_none_of_this(sample: Assistant):
    made = make_draft(
        Request("local", "pitch", SUBJECTS[6], as_of=NOW), tools=sample.tools("local"), draft_id="d", now=NOW
    )

    assert made.masked == {}


def test_a_reps_style_reaches_the_model_masked_changes_no_fact_and_is_gone_when_erased(sample: Assistant, tmp_path):
    """What leaves with a style sheet beside what leaves without: the habits, and nothing else."""
    tools = sample.tools("local")
    request = Request("local", "follow_up", Subject("deal", "D-103"), as_of=NOW)
    plain = make_brief(request, tools=tools, now=NOW)
    assert plain.sender.user_id
    assert plain.recipient is not None
    assert plain.recipient.last_name
    key = (plain.sender.user_id, "follow_up", plain.language)
    phrase = f"Speak soon, and greet {plain.recipient.last_name} ({plain.recipient.address})."
    change_sheet(sample.styles, "local", key, {"words": 45, "phrases_used": [phrase]}, at=NOW)
    styled = make_brief(request, tools=tools, now=NOW)
    assert sample.styles.erase("local", key[0]) == 1

    with scripted_model(lambda body: Reply("subject\t\tAbout your order\nask\t\tDoes that help?")) as model:
        chat = Assistant(load_settings({**model.environment, "CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path)}))
        for brief in (plain, styled, make_brief(request, tools=tools, now=NOW)):
            chat.model_writer.write(brief)
        chat.close()
    without, with_style, erased = ("\n".join(m["content"] for m in r["messages"]) for r in model.requests)

    assert (styled.language, styled.plan) == (plain.language, plain.plan)
    assert [(f.id, f.display) for f in styled.facts] == [(f.id, f.display) for f in plain.facts]
    assert erased == without
    told = {line for line in set(with_style.split("\n")) - set(without.split("\n")) if line.startswith("- ")}
    assert told == {
        "- this representative writes about 45 words",
        "- they like: Speak soon, and greet PERSON_1 (EMAIL_1).",
    }
    assert plain.recipient.last_name not in with_style
    assert str(plain.recipient.address) not in with_style
