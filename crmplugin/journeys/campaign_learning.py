"""What earlier campaigns taught: the words of a version that did better begin the next campaign of the same goal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crmplugin.domain.campaign import CHANGED, Campaign, Goal, Learned, Master, variant_names
from crmplugin.journeys.campaign_results import METRICS, campaign_results
from crmplugin.journeys.campaign_rows import campaign_of
from crmplugin.journeys.desk import Desk

LOOKED_AT = 20
"""Newest campaigns of the connection that are looked at; results of at most TESTS of them are counted."""
TESTS = 5


@dataclass(frozen=True, slots=True)
class Lesson:
    """The version that won, and its words."""

    learned: Learned
    masters: tuple[Master, ...]

    def words(self, language: str, channel: str) -> dict[str, str]:
        """The patterns of the winner in a language and channel; empty where it had none."""
        fitting = (m for m in self.masters if (m.language, m.channel) == (language, channel))
        return dict(next((m.patterns for m in fitting), {}))


def find_lesson(desk: Desk, connection: str, goal: Goal) -> Lesson | None:
    """The clearest win of a version over the first in the newest tests of a goal: the largest lower bound counts."""
    wins = [win for campaign in _tests(desk, connection, goal) for win in _wins(desk, campaign)]
    if not wins:
        return None
    campaign, learned = max(wins, key=lambda win: (win[1].interval[0], win[0].created_at))
    return Lesson(learned, tuple(m for m in campaign.masters if m.variant == learned.variant))


def _tests(desk: Desk, connection: str, goal: Goal) -> Iterator[Campaign]:
    rows = desk.campaigns.list(limit=LOOKED_AT, connections=(connection,)).items
    campaigns = map(campaign_of, rows)
    left = (c for c in campaigns if c.goal == goal and c.variants > 1 and desk.campaigns.counts(c.id).get("exported"))
    for _, campaign in zip(range(TESTS), left, strict=False):
        yield campaign


def _wins(desk: Desk, campaign: Campaign) -> Iterator[tuple[Campaign, Learned]]:
    compared: dict[str, Any] = campaign_results(desk, campaign).get("against_a", {})
    names = variant_names(campaign.variants)
    for name, metrics in compared.items():
        for metric in METRICS:
            if metrics[metric]["verdict"] == "better":
                by, (low, high) = metrics[metric]["difference"], metrics[metric]["interval"]
                changed = CHANGED[names.index(name)][0]
                yield campaign, Learned(campaign.id, campaign.name, name, changed, metric, by, (low, high))
