"""The words of a campaign from a model: one call a master, and only what keeps its slots."""

from __future__ import annotations

from typing import Any

import pytest

from crmplugin.journeys import campaign_run, campaigns
from crmplugin.llm.scripted import Reply, scripted_model
from tests.campaigns.conftest import MARKETER, make_wish, make_world, rows

WORDED = {
    "win_back.contact": "A line from you is all it takes.",  # no slot, none needed
    "win_back.ask": "Shall we put {product} aside for you?",
    "win_back.subject_plain": "Your last order, once more",
}


def asked_lines(body: dict[str, Any]) -> list[list[str]]:
    user = body["messages"][-1]["content"]
    return [line.split("\t") for line in user.splitlines() if line.count("\t") == 2]


def good(body: dict[str, Any]) -> Reply:
    return Reply("\n".join(f"{key}\t{WORDED.get(key, text)}" for key, _, text in asked_lines(body)))


def hostile(body: dict[str, Any]) -> Reply:
    return Reply("\n".join(f"{key}\tBuy now for 5 EUR at www.evil.example!" for key, _, _ in asked_lines(body)))


@pytest.fixture
def with_model(open_desk):
    """A desk whose model follows a script, and that model."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def _open(script):
            model = stack.enter_context(scripted_model(script))
            return open_desk(make_world(6), **model.environment), model

        yield _open


def run(desk, campaign):
    campaigns.approve_campaign(desk, campaign.id, MARKETER)
    started = campaign_run.start_campaign(desk, campaign.id, MARKETER)
    for lane in range(campaign_run.LANES[started.mode]):
        campaign_run.run_lane(desk, campaign.id, run=started.run, lane=lane)


def test_six_messages_cost_one_call_and_say_the_models_words(with_model):
    desk, model = with_model(good)

    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    run(desk, made)

    bodies = [row.document["body"] for row in rows(desk, made, "drafted")]
    assert len(model.requests) == 1
    assert len(bodies) == 6
    assert all("A line from you is all it takes." in body for body in bodies)
    assert all("Shall we put" in body for body in bodies)
    assert campaign_run.progress_of(desk, campaigns.get_campaign(desk, made.id))["usage"]["calls"] == 1


def test_no_customer_is_named_to_the_model(with_model):
    desk, model = with_model(good)

    campaigns.create_campaign(desk, make_wish(), MARKETER)

    sent = str(model.requests)
    assert "Works" not in sent
    assert "Kim" not in sent


def test_words_that_bring_numbers_or_links_are_not_taken(with_model):
    desk, _ = with_model(hostile)

    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    run(desk, made)

    assert {m.writer for m in made.masters} == {"template"}
    assert not any("evil" in row.document["body"] for row in rows(desk, made, "drafted"))


def test_a_model_that_is_down_leaves_the_words_of_the_bank_and_says_so(with_model):
    desk, _ = with_model(lambda body: Reply(status=500))

    made = campaigns.create_campaign(desk, make_wish(), MARKETER)

    assert {m.writer for m in made.masters} == {"template"}
    assert made.usage["problem"].startswith("The words are the sentence bank's")


def test_the_estimate_names_the_calls_of_both_ways(with_model):
    desk, _ = with_model(good)
    made = campaigns.create_campaign(desk, make_wish(variants=2), MARKETER)

    estimate = campaigns.preview_campaign(desk, made.id)["estimate"]

    assert estimate["merge"]["calls"] == 2
    assert estimate["personal"]["calls"] == 6
