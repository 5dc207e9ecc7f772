"""Tables about trust: sealed credentials, the audit chain, and the keys of persons."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

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

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("seq", Integer, unique=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("connection", String(64)),
    Column("draft", String(64)),
    Column("by", String(255)),
    Column("body", Text, nullable=False),
    Column("sealed", Text),
    Column("sealed_hash", String(64)),
    Column("key_ids", Text, nullable=False),
    Column("mac", String(64), nullable=False),
    Column("hash", String(64)),
    Index("ix_audit_draft", "draft"),
    Index("ix_audit_kind", "kind", "at"),
)
"""What happened, in order. A row is added with what it tells of, and chained within a second: `seq` and `hash`.

`mac` says that this installation wrote it. `body` is JSON without personal data; `sealed` the personal part, which
opens only with all the keys of persons that `key_ids` names. The hash covers `sealed_hash`, so that a personal part can
be taken out and the chain still holds.
"""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", String(64), nullable=False),
)
"""Where the chain ends, signed with this installation's key: rows that are missing at its end are missed."""

person_keys = Table(
    "person_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("connection", String(64), nullable=False),
    Column("person", String(64), nullable=False),
    Column("sealed", Text, nullable=False),
    UniqueConstraint("connection", "person"),
)
"""One key a person (`person`: a hash of the contact's id), itself sealed. Erasing a person deletes the row."""

suppressions = Table(
    "suppressions",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("at", Instant, nullable=False),
)
"""Addresses that nobody may promote to, as keyed hashes of their normalised form: they outlive an erasure."""

approval_waits = Table(
    "approval_waits",
    metadata,
    Column("draft", String(64), primary_key=True),
    Column("reminded_at", Instant),
    Column("escalated_at", Instant),
)
"""What was said about drafts and campaigns that wait for an approval; `draft` is the id of either."""

spending = Table(
    "spending",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("connection", String(64), primary_key=True),
    Column("person", String(255), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("reserved", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("calls", Integer, nullable=False),
)
"""What models cost by day of UTC, in millionths of the owner's currency; `reserved`: estimates of what is at work."""
