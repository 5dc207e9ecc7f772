"""Tables about trust: sealed credentials."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from crmplugin.store.database import metadata
from crmplugin.store.tables_work import Instant

vault = Table(
    "vault",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("expires_at", Instant),
    Column("changed_at", Instant, nullable=False),
)
"""Credentials that change by themselves. `sealed` opens only with a key that is not in the database."""
