"""Campaigns and their recipients as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterator

from crmplugin.domain.campaign import Campaign
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.present import from_json
from crmplugin.store.campaigns import CampaignRow, RecipientRow

OWN_COLUMNS = ("id", "connection", "status", "version", "run", "created_at")


def campaign_of(row: CampaignRow) -> Campaign:
    """The campaign of its row."""
    own = {name: getattr(row, name) for name in OWN_COLUMNS if name != "created_at"}
    kept: Campaign = from_json(Campaign, {**row.document, **own, "created_at": row.created_at.isoformat()})
    return kept


def rows_of(desk: Desk, campaign_id: str, state: str | None) -> Iterator[RecipientRow]:
    """All recipients in a state, page by page."""
    cursor: str | None = None
    while True:
        rows, cursor = desk.campaigns.recipients(campaign_id, limit=500, cursor=cursor, state=state)
        yield from rows
        if cursor is None:
            return
