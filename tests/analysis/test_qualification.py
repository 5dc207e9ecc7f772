"""What is known of a deal: states, score, contradictions, questions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from crmplugin.analysis.qualification import WEIGHTS, Evidence, Qualification, qualify

NOW = datetime(2026, 3, 11, tzinfo=UTC)


def said(
    element: str = "budget", *, source: Any = "customer", days_ago: int = 10, value: str | None = None
) -> Evidence:
    return Evidence(element, source, NOW - timedelta(days=days_ago), "A-1", "…", value)


def look(*evidence: Evidence, stage: str | None = None, not_before: datetime | None = None) -> Qualification:
    return qualify(evidence, now=NOW, stage_kind=stage, not_before=not_before)


def state(found: Qualification, element: str) -> str:
    return next(e.state for e in found.elements if e.name == element)


def test_nothing_on_record_is_missing_never_known():
    found = look()

    assert found.counts == {"confirmed": 0, "partial": 0, "missing": 10, "contradicted": 0}
    assert found.score == 0


def test_a_fresh_word_of_the_customer_confirms():
    assert state(look(said()), "budget") == "confirmed"
    assert state(look(said(source="document")), "budget") == "confirmed"


def test_a_note_of_ours_or_an_old_word_is_partial():
    assert state(look(said(source="rep")), "budget") == "partial"
    assert state(look(said(days_ago=91)), "budget") == "partial"
    assert state(look(said(days_ago=90)), "budget") == "confirmed"


def test_what_was_known_before_a_loss_drops_to_partial():
    lost = NOW - timedelta(days=5)

    assert state(look(said(days_ago=10), not_before=lost), "budget") == "partial"
    assert state(look(said(days_ago=3), not_before=lost), "budget") == "confirmed"


def test_two_values_contradict_and_take_no_points():
    found = look(said(value="50000"), said(value="26505"), said("pain"))

    assert state(found, "budget") == "contradicted"
    assert found.score == Decimal(4) / 26


def test_the_score_is_the_weighted_share():
    everything = [said(name) for name in WEIGHTS]

    assert look(*everything).score == 1
    assert look(said("pain")).score == Decimal(4) / 26


def test_the_best_questions_come_first_and_fit_the_stage():
    assert look(stage="qualified").ask == ("pain", "economic_buyer", "budget")
    assert look(stage="negotiation").ask == ("economic_buyer", "pain", "timeline")
    assert look(*[said(name) for name in WEIGHTS]).ask == ()
