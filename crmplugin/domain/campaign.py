"""A campaign: whom it is for, what it says, how far it has come, and the table of its moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from crmplugin.domain.brief import DraftChannel, FollowUpType
from crmplugin.domain.crm import Where

Mode = Literal["merge", "personal"]
CampaignStatus = Literal["created", "approved", "running", "paused", "done"]
RecipientState = Literal["waiting", "drafted", "excluded", "blocked", "failed", "held_out", "exported"]
Goal = Literal["best_fit", "cross_sell", "replenishment", "win_back"]

CAMPAIGNERS = frozenset({"director", "marketing", "admin"})
"""Roles that may make a campaign and let it out."""
MODES: tuple[Mode, ...] = ("merge", "personal")
CHANNELS: tuple[DraftChannel, ...] = ("email", "sms", "social", "phone", "chat", "letter")
MAX_VARIANTS = 4

MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "created": frozenset({"approved"}),
        "approved": frozenset({"created", "running"}),
        "running": frozenset({"paused", "done"}),
        "paused": frozenset({"running"}),
        "done": frozenset(),
    }
)
"""From a status to those it may become. An edit of the words takes the approval back."""

GOALS: Mapping[Goal, tuple[FollowUpType | None, ...]] = MappingProxyType(
    {
        "best_fit": (None, "replenishment"),
        "cross_sell": (None,),
        "replenishment": ("replenishment",),
        "win_back": ("win_back",),
    }
)
"""Goal -> the angles that are tried for a recipient, in this order; None is the offer of a product."""

CHANGED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("none", ()),
    ("subject", ("subject",)),
    ("ask", ("ask",)),
    ("opening", ("context",)),
)
"""What each variant changes against the first, and the roles of sentences that this means: one property a test."""


@dataclass(frozen=True, slots=True)
class Master:
    """The words of one language, channel and variant: a pattern for each beat that may be said.

    `patterns` maps a key of the sentence bank to a sentence with its slots in braces. `writer` says who worded it.
    """

    language: str
    channel: DraftChannel
    variant: str
    changed: str
    patterns: Mapping[str, str]
    writer: Literal["model", "template"] = "template"
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """An earlier campaign of the same goal in which a version did better than the first; its words are used again.

    `metric`: replies, meetings or orders. `difference` of rates and its 95 % interval, as shares of 1.
    """

    campaign: str
    name: str
    variant: str
    changed: str
    metric: str
    difference: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Campaign:
    """What was asked for and decided. Shares are per cent; `seed` fixes assignment and wording."""

    id: str
    connection: str
    status: CampaignStatus
    version: int
    created_at: datetime
    name: str
    goal: Goal
    goal_text: str
    kind: Literal["campaign_message"] = "campaign_message"
    segment_id: str | None = None
    where: Where | None = None
    channels: tuple[DraftChannel, ...] = ("email",)
    languages: tuple[str, ...] = ()
    mode: Mode = "merge"
    variants: int = 1
    holdout_pct: int = 10
    masters: tuple[Master, ...] = ()
    learned: Learned | None = None
    created_by: str | None = None
    edited_by: tuple[str, ...] = ()
    approved_by: str | None = None
    approved_at: datetime | None = None
    run: int = 0
    usage: Mapping[str, Any] = field(default_factory=dict)


def variant_names(count: int) -> tuple[str, ...]:
    """A, B, C, D."""
    return tuple("ABCD"[:count])


def goal_of(text: str, where: Where | None) -> Goal:
    """The goal by its name; other words leave it to the segment: lapsed customers are won back, owners offered more."""
    plain = text.strip().casefold().replace("-", "_").replace(" ", "_")
    for goal in GOALS:
        if plain == goal:
            return goal
    if where is not None and where.lapsed_days is not None:
        return "win_back"
    if where is not None and where.lacks_complement_of is not None:
        return "cross_sell"
    return "best_fit"
