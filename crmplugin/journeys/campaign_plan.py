"""What a campaign can honestly test, and what it may cost, before it starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from crmplugin.analysis.experiments import (
    accounts_per_arm,
    holdout_share,
    is_held_out,
    smallest_detectable,
    variant_of,
)
from crmplugin.domain.campaign import CHANGED, Campaign, variant_names
from crmplugin.journeys.desk import Desk

BASE_RATE, TARGET_RATE = 0.05, 0.07
"""The difference a test is planned for unless own results say otherwise: 5 % against 7 % (sales-craft §6.2)."""
PROMPT_TOKENS = 6_000
"""The most a prompt holds (sales-craft §0.5)."""
HELD_OUT = "holdout"


def arm_of(campaign: Campaign, account_id: str, share: float) -> str:
    """The variant of an account, or `holdout`: by account, never by contact, and the same on every run."""
    if is_held_out(campaign.id, account_id, share):
        return HELD_OUT
    return variant_of(campaign.id, account_id, variant_names(campaign.variants))


def share_held_out(campaign: Campaign, accounts: int) -> float:
    """The share that gets nothing, so that the rest can be measured against it; 0 where that cannot work."""
    return holdout_share(accounts, wanted=campaign.holdout_pct / 100)


def test_plan(campaign: Campaign, account_ids: Sequence[str]) -> dict[str, Any]:
    """Sizes of the arms, the difference they can show, and what to do when that is too little."""
    accounts = sorted(set(account_ids))
    share = share_held_out(campaign, len(accounts))
    arms = Counter(arm_of(campaign, account, share) for account in accounts)
    names = variant_names(campaign.variants)
    smallest = min((arms.get(name, 0) for name in names), default=0)
    needed = accounts_per_arm(BASE_RATE, TARGET_RATE)
    valid = campaign.variants > 1 and smallest >= needed
    found = smallest_detectable(BASE_RATE, smallest)
    return {
        "metric": "replies or orders",
        "base_rate": BASE_RATE,
        "target_rate": TARGET_RATE,
        "needed_per_arm": needed,
        "arms": {name: arms.get(name, 0) for name in (*names, HELD_OUT)},
        "changed": {name: CHANGED[n][0] for n, name in enumerate(names)},
        "smallest_detectable": None if found is None else round(found, 4),
        "valid_test": valid,
        "advice": _advice(campaign, valid, share),
    }


def _advice(campaign: Campaign, valid: bool, share: float) -> str:
    held = "A holdout measures what the campaign does." if share else "Too few accounts for a holdout: lift is unknown."
    if campaign.variants == 1:
        return held
    if valid:
        return f"Keep the horizon fixed and decide once. {held}"
    return f"No valid A/B test with so few accounts: send the better-reasoned variant. {held}"


def cost_estimate(desk: Desk, campaign: Campaign, recipients: int) -> dict[str, Any]:
    """The most that both ways may cost: one call for each master, or one for each recipient; in tokens and money."""
    calls = {"merge": len(campaign.masters), "personal": recipients}
    return {mode: _most(desk, n if desk.settings.model.name else 0) for mode, n in calls.items()} | {
        "mode": campaign.mode,
        "model": desk.settings.model.name,
    }


def _most(desk: Desk, calls: int) -> Mapping[str, Any]:
    model = desk.settings.model
    tokens_in, tokens_out = calls * PROMPT_TOKENS, calls * model.max_tokens
    cost = None
    if model.input_price is not None and model.output_price is not None:
        cost = format((tokens_in * model.input_price + tokens_out * model.output_price) / Decimal(1_000_000), "f")
    return {"calls": calls, "input_tokens": tokens_in, "output_tokens": tokens_out, "cost": cost}
