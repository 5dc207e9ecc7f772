"""A campaign as people and programs see it: what was decided, how far it is, what it cost, what came of it."""

from __future__ import annotations

from typing import Any

from crmplugin.domain.campaign import Campaign
from crmplugin.journeys.campaign_results import campaign_results
from crmplugin.journeys.campaign_run import progress_of
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.present import show_instant, to_json
from crmplugin.store.campaigns import RecipientRow


def campaign_json(desk: Desk, campaign: Campaign) -> dict[str, Any]:
    """The campaign with its words and its progress; `results` once something left."""
    progress = progress_of(desk, campaign)
    answer = {
        "id": campaign.id,
        "connection": campaign.connection,
        "name": campaign.name,
        "status": campaign.status,
        "version": campaign.version,
        "segment_id": campaign.segment_id,
        "segment": to_json(campaign.where),
        "goal": campaign.goal_text,
        "angle": campaign.goal,
        "kind": campaign.kind,
        "channels": list(campaign.channels),
        "languages": list(campaign.languages),
        "mode": campaign.mode,
        "variants": campaign.variants,
        "holdout_pct": campaign.holdout_pct,
        "masters": to_json(campaign.masters),
        "created_at": show_instant(campaign.created_at),
        "created_by": campaign.created_by,
        "approved_at": show_instant(campaign.approved_at) if campaign.approved_at else None,
        "approved_by": campaign.approved_by,
        "learned": to_json(campaign.learned),
        "problem": campaign.usage.get("problem"),
        "progress": progress,
    }
    if progress["states"].get("exported"):
        answer["results"] = campaign_results(desk, campaign)
    return answer


def summary_json(campaign: Campaign) -> dict[str, Any]:
    """A line of a list."""
    names = ("id", "connection", "name", "status", "mode", "variants")
    created = show_instant(campaign.created_at)
    return {**{name: getattr(campaign, name) for name in names}, "goal": campaign.goal_text, "created_at": created}


def recipient_json(row: RecipientRow) -> dict[str, Any]:
    """One recipient with the message and what carries it; `reason` where there is none."""
    document = row.document or {}
    return {
        "contact_id": row.contact,
        "company_id": row.company,
        "channel": row.channel,
        "language": row.language,
        "variant": row.variant or None,
        "state": row.state,
        "reason": row.reason,
        "exported_at": show_instant(row.exported_at) if row.exported_at else None,
        "to": document.get("to"),
        "subject": document.get("subject"),
        "body": document.get("body"),
        "html": document.get("html"),
        "sentences": document.get("sentences", []),
        "facts": document.get("facts", []),
        "writer": document.get("writer"),
    }
