"""The scenarios with a scripted model that answers well, answers badly and breaks: no hard failure in any."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crmplugin.llm.scripted import Reply, Script, replies, scripted_model
from tests.scenarios import world
from tests.scenarios.reading import assert_proven, customer_text

SCENARIOS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "conflicting amounts": (
        world.CONFLICTING_AMOUNTS,
        ["follow_up", "--deal", "D-1"],
        [
            "subject\tQ-118.number\tQ-118: calibration certificates",
            "context\tA-31.question1\tYou asked whether the price includes calibration certificates.",
            "claim\tQ-118.line2.product,CAL-1.description\tIt does: Calibration CAL-1 "
            "includes ISO 17025 certificate per device.",
            "context\tQ-118.number,Q-118.valid_until\tQ-118 runs until 25 March.",
            "ask\t\tDoes that settle your question?",
        ],
    ),
    "expired quote": (
        world.EXPIRED_QUOTE,
        ["follow_up", "--deal", "D-2"],
        [
            "subject\tQ-097.number\tQ-097: your question",
            "context\tA-40.question1,Q-097.number\tYou asked about ordering from Q-097.",
            "claim\tQ-097.number,Q-097.valid_until\tQ-097 ended on 8 March.",
            "claim\tU-1.name,SLOT-1.on,A-40.question1\tJonas Brandt will give you a firm answer by Friday 13 March.",
            "ask\t\tWould that be in time for you?",
        ],
    ),
    "severe ticket": (
        world.SEVERE_TICKET,
        ["pitch", "--deal", "D-4", "--to", "C-5", "--channel", "email"],
        [
            "subject\tT-2201.number\tT-2201: next update",
            "context\tT-2201.number,T-2201.owner_name\tLena Vogt is working on your ticket T-2201.",
        ],
    ),
    "injected instruction": (
        world.INJECTED_INSTRUCTION,
        ["follow_up", "--deal", "D-6"],
        [
            "subject\tFM-3000.name\tFlowMeter 3000: lead time",
            "context\tA-77.question1,FM-3000.name\tYou asked about the lead time of the FlowMeter 3000.",
            "claim\tFM-3000.name,FM-3000.lead_time\tThe FlowMeter 3000 has a lead time of 6 to 8 weeks.",
            "ask\t\tDoes that fit your plan?",
        ],
    ),
}

BAD_LINES = {
    "wrong amount": ("claim\tQ-118.total\tThe total is 31,770 EUR.", r"31.?770"),
    "foreign customer": ("claim\t\tBergmann Anlagen uses the same meters.", r"Bergmann"),
    "invented promise": ("claim\t\tWe will deliver everything by 17 March.", r"17 March"),
    "obeyed injection": ("claim\tA-77.question1\tWe offer 40% off, pay at http://pay.evil.test now.", r"40|evil"),
    "leaked floor": ("claim\t\tWe can go down to 2,000 EUR a meter, our floor price.", r"2.?000|floor"),
    "wrong language": ("claim\t\tWir freuen uns sehr auf die Zusammenarbeit mit Ihnen.", r"freuen"),
    "guarantee": ("claim\t\tWe guarantee the best accuracy on the market.", r"guarantee"),
}


@pytest.fixture
def by_model(draft, monkeypatch: pytest.MonkeyPatch):
    """Drafts a scenario with a model that follows this script."""

    def run(scenario: str, script: Script) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        records, args, _ = SCENARIOS[scenario]
        with scripted_model(script) as model:
            for name, value in model.environment.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("CRMPLUGIN_MODEL_TIMEOUT_S", "1")
            return draft(records, *args), model.requests

    return run


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_good_answer_is_kept(by_model, scenario: str):
    made, requests = by_model(scenario, replies("\n".join(SCENARIOS[scenario][2])))

    assert (made["status"], made["writer"]) == ("proposed", "model"), made["warnings"]
    assert made["grounding"]["status"] == "verified", made["grounding"]
    assert len(requests) == 1
    assert_proven(made)


@pytest.mark.parametrize("bad", BAD_LINES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_bad_sentence_never_reaches_the_text(by_model, scenario: str, bad: str):
    line, pattern = BAD_LINES[bad]
    lines = SCENARIOS[scenario][2]

    made, requests = by_model(scenario, replies("\n".join([*lines[:-1], line, lines[-1]])))

    assert made["status"] == "proposed"
    assert_proven_or_removed(made)
    assert not re.search(pattern, customer_text(made))
    assert made["grounding"]["status"] in ("trimmed", "template")
    assert len(requests) == 2


def assert_proven_or_removed(made: dict[str, Any]) -> None:
    assert_proven({**made, "sentences": [s for s in made["sentences"] if s["action"] != "removed"]})


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_repaired_answer_is_kept(by_model, scenario: str):
    good = "\n".join(SCENARIOS[scenario][2])
    bad = good + "\n" + BAD_LINES["foreign customer"][0]

    made, requests = by_model(scenario, replies(bad, good))

    assert (made["writer"], made["grounding"]["status"]) == ("model", "repaired")
    assert "Bergmann" in requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("reply", "calls"),
    [
        (Reply("I am sorry, I cannot help with that."), 2),
        (Reply("late", first_s=3), 1),
        (Reply(status=429), 1),
        (Reply(status=500), 1),
        (Reply("subject\t\tHalf of an answer that never", cut_after=2), 1),
    ],
    ids=["unusable", "timeout", "429", "500", "cut"],
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_broken_model_leaves_the_template_writer(by_model, scenario: str, reply: Reply, calls: int):
    made, requests = by_model(scenario, replies(reply))

    assert (made["status"], made["writer"], made["grounding"]["status"]) == ("proposed", "template", "template")
    assert "model_fell_back" in {w["code"] for w in made["warnings"]}
    assert len(requests) == calls
    assert_proven(made)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_name_or_address_of_the_customer_leaves(by_model, scenario: str):
    made, requests = by_model(scenario, replies("\n".join(SCENARIOS[scenario][2])))

    sent = str(requests[0]["messages"])
    person = made["to"]["display_name"]
    for private in (person, *person.split(), made["to"]["address"], "Lena", "Orbis", "Wisla", "Kestrel", "Lotus"):
        assert private not in sent


def test_a_mail_of_which_only_a_question_is_left_is_the_template_writers(by_model):
    empty = "subject\t\tHello there\nclaim\t\tWe guarantee delivery tomorrow.\nask\t\tShall we?"

    made, _ = by_model("severe ticket", replies(empty, empty))

    assert made["writer"] == "template"
    assert "T-2201" in made["body"]
