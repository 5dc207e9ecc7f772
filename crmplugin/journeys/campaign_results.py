"""What came of a campaign: replies, meetings and orders of the accounts it wrote to, against those it left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crmplugin.analysis.cadence import is_human
from crmplugin.analysis.experiments import lift
from crmplugin.domain.campaign import Campaign, variant_names
from crmplugin.domain.crm import Activity
from crmplugin.journeys.campaign_plan import HELD_OUT
from crmplugin.journeys.campaign_rows import rows_of
from crmplugin.journeys.desk import Desk

HORIZON = timedelta(days=30)
"""How long after it left a message may still be what an order or reply followed."""
METRICS = ("replies", "meetings", "orders")


@dataclass
class _Arms:
    """Accounts by arm, and the moment from which each is watched."""

    since: dict[str, dict[str, datetime]] = field(default_factory=dict)

    def add(self, arm: str, account: str, moment: datetime) -> None:
        known = self.since.setdefault(arm, {})
        known[account] = min(moment, known.get(account, moment))


def campaign_results(desk: Desk, campaign: Campaign) -> dict[str, Any]:
    """Accounts, replies, meetings and orders by arm; lift of each variant against the holdout, with its interval."""
    arms = _arms(desk, campaign)
    hits = _hits(desk, campaign, arms)
    names = [name for name in (*variant_names(campaign.variants), HELD_OUT) if name in arms.since]
    answer: dict[str, Any] = {
        "horizon_days": HORIZON.days,
        "arms": {name: {"accounts": len(arms.since[name]), **_counted(hits, name)} for name in names},
    }
    if HELD_OUT in arms.since:
        answer["lift"] = {n: _lifts(arms, hits, n, HELD_OUT) for n in names if n != HELD_OUT}
    if {"A", "B"} <= set(names):
        answer["against_a"] = {n: _lifts(arms, hits, n, "A") for n in names if n not in ("A", HELD_OUT)}
    return answer


def _arms(desk: Desk, campaign: Campaign) -> _Arms:
    arms, held, first = _Arms(), [], None
    for row in rows_of(desk, campaign.id, None):
        if row.state == "exported" and row.exported_at:
            arms.add(row.variant, row.company, row.exported_at)
            first = min(first or row.exported_at, row.exported_at)
        elif row.state == "held_out":
            held.append(row.company)
    for account in held if first else ():
        assert first is not None
        arms.add(HELD_OUT, account, first)
    return arms


def _hits(desk: Desk, campaign: Campaign, arms: _Arms) -> Mapping[tuple[str, str], set[str]]:
    """(metric, arm) -> accounts with at least one, within the horizon."""
    found: dict[tuple[str, str], set[str]] = {}
    of = {account: (arm, since) for arm, accounts in arms.since.items() for account, since in accounts.items()}

    def hit(metric: str, account: str | None, at: datetime | None) -> None:
        if account in of and at is not None:
            arm, since = of[account]
            if since < at <= since + HORIZON:
                found.setdefault((metric, arm), set()).add(account)

    for account, orders in desk.records.iterate_dealings(campaign.connection):
        for order in orders:
            hit("orders", account, order.ordered_at)
    for activity in desk.records.iterate(campaign.connection, "activities"):
        if metric := _metric(activity):
            hit(metric, activity.company_id, activity.at)
    return found


def _metric(activity: Activity) -> str | None:
    """What an activity counts as; automatic answers are none."""
    if activity.type in ("meeting", "visit"):
        return "meetings"
    return "replies" if activity.direction == "inbound" and is_human(activity) else None


def _counted(hits: Mapping[tuple[str, str], set[str]], arm: str) -> dict[str, int]:
    return {metric: len(hits.get((metric, arm), ())) for metric in METRICS}


def _lifts(arms: _Arms, hits: Mapping[tuple[str, str], set[str]], one: str, other: str) -> dict[str, Any]:
    sizes = len(arms.since[one]), len(arms.since[other])
    answer = {}
    for metric in METRICS:
        n, m = len(hits.get((metric, one), ())), len(hits.get((metric, other), ()))
        found = lift(n, sizes[0], m, sizes[1])
        answer[metric] = {
            "rate": found.rate,
            "other_rate": found.other_rate,
            "difference": found.difference,
            "interval": list(found.interval) if found.interval else None,
            "verdict": found.verdict,
        }
    return answer
