"""Tables of campaigns: what was decided, who gets what, and what left."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from crmplugin.store.database import metadata
from crmplugin.store.tables_work import Instant

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("connection", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("document", JSON, nullable=False),
    Index("ix_campaigns_created_at", "created_at", "id"),
)
"""`run` counts starts and resumptions: work of an earlier one ends by itself when it sees another number."""

campaign_recipients = Table(
    "campaign_recipients",
    metadata,
    Column("campaign", String(64), primary_key=True),
    Column("contact", String(255), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("company", String(255), nullable=False),
    Column("language", String(16), nullable=False),
    Column("variant", String(8), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("document", JSON),
    Column("calls", Integer, nullable=False, default=0),
    Column("input_tokens", Integer, nullable=False, default=0),
    Column("output_tokens", Integer, nullable=False, default=0),
    Column("updated_at", Instant, nullable=False),
    Column("exported_at", Instant),
    Index("ix_campaign_recipients_state", "campaign", "state", "lane"),
)

campaign_touches = Table(
    "campaign_touches",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("campaign", String(64), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("contact", String(255), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_campaign_touches_contact", "connection", "contact"),
)
"""Promotional messages that left through a campaign. `address` is a hash: it outlives the contact's erasure."""
