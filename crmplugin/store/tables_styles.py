"""The table of style sheets."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, String, Table

from crmplugin.store.database import metadata
from crmplugin.store.tables_work import Instant

style_sheets = Table(
    "style_sheets",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("user_id", String(255), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("edited", Boolean, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("document", JSON, nullable=False),
)
