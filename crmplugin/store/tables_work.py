"""Tables of what we do: events, drafts, the write-back ledger, pieces of streams, and who may ask.

Instants are stored as UTC texts of one width, so that they sort, on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text, TypeDecorator

from crmplugin.store.database import metadata


def stored_instant(moment: datetime) -> str:
    """A moment as it is kept: UTC, all of one width."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Instant(TypeDecorator[datetime]):
    """A datetime with zone, kept as `2026-03-10T14:05:00.000000Z`."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        return None if value is None else stored_instant(value)

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


events = Table(
    "events",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("id", String(255), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("document", JSON, nullable=False),
    Index("ix_events_received_at", "received_at", "id"),
    Index("ix_events_state", "state"),
    Index("ix_events_at", "connection", "at"),
)
"""Every event ever taken. The row is never deleted: it is what makes a second delivery a duplicate, for ever."""

drafts = Table(
    "drafts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("connection", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("due", String(10)),
    Column("origin", String(16), nullable=False),
    Column("event", String(255)),
    Column("subject_type", String(16), nullable=False),
    Column("subject_id", String(255), nullable=False),
    Column("owner_id", String(255)),
    Column("created_by", String(255)),
    Column("write_back", String(16), nullable=False),
    Column("request", JSON, nullable=False),
    Column("document", JSON, nullable=False),
    Column("attempt", Integer, nullable=False, default=1),
    Column("replaces", String(64)),
    Column("written_id", String(255)),
    Column("problem", Text),
    Index("ix_drafts_created_at", "created_at", "id"),
    Index("ix_drafts_status", "status", "created_at"),
    Index("ix_drafts_event", "connection", "event"),
    Index("ix_drafts_subject", "connection", "subject_type", "subject_id"),
)
"""`document` is the whole draft; the columns beside it are what is looked for. `due`: the day of a scheduled one."""

draft_versions = Table(
    "draft_versions",
    metadata,
    Column("draft", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", String(255)),
    Column("subject", Text),
    Column("body", Text),
    Column("document", JSON, nullable=False),
)

draft_moves = Table(
    "draft_moves",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("draft", String(64), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("old", String(16)),
    Column("new", String(16), nullable=False),
    Column("by", String(255)),
    Column("reason", Text),
    Column("at", Instant, nullable=False),
)
"""Each change of status: who, when, why. Approvals, overrides and rejections are read from here."""

pieces = Table(
    "pieces",
    metadata,
    Column("draft", String(64), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("event", String(16), nullable=False),
    Column("data", JSON, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("draft", String(64), primary_key=True),
    Column("action", String(32), primary_key=True),
    Column("claimed_at", Instant, nullable=False),
    Column("claims", Integer, nullable=False),
    Column("result", String(255)),
    Column("finished_at", Instant),
)
"""What was written into a CRM. A row without a result: look in the CRM for our marker before writing."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(128), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("resource", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", String(255)),
    Column("role", String(16), nullable=False),
    Column("user_id", String(255)),
    Column("connections", JSON),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)
"""API tokens; only the SHA-256 of each is kept. `connections` null: all."""

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("user_id", String(255)),
    Column("connections", JSON),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("user_id", String(255)),
    Column("connections", JSON),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("id", String(32)),
    Column("person", String(255)),
    Column("users", JSON),
)
"""`person`: who signed in, when a provider says so; `users`: who that is on each connection."""

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", Instant, nullable=False),
)
"""Sign-ins that failed, by a hash of where they came from."""
