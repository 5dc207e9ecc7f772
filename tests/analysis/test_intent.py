"""Intent: points that fade."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crmplugin.analysis.intent import intent_level, intent_score


def test_points_halve_every_fourteen_days():
    assert round(intent_score([("price_question", 3)]), 2) == Decimal("8.62")
    assert round(intent_score([("quote_viewed", 10)]), 2) == Decimal("3.66")
    assert round(intent_score([("demo", 28)]), 2) == Decimal("2.00")


def test_acts_add_up_to_warm():
    score = intent_score([("price_question", 3), ("quote_viewed", 10), ("demo", 28)])

    assert round(score, 2) == Decimal("14.28")
    assert intent_level(score) == "warm"


@pytest.mark.parametrize(("score", "level"), [("15", "hot"), ("14.99", "warm"), ("7", "warm"), ("6.99", "cool")])
def test_levels_change_at_their_borders(score: str, level: str):
    assert intent_level(Decimal(score)) == level


def test_opened_mails_and_unknown_acts_count_nothing():
    assert intent_score([("mail_opened", 0), ("astrology", 0)]) == 0
