"""Tables of what is so at this moment: which processes are at work, and how often others may be called.

What stands here is true for seconds. Losing it does no harm that those seconds do not mend.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, String, Table

from crmplugin.store.database import metadata

leases = Table(
    "leases",
    metadata,
    Column("executor", String(255), primary_key=True),
    Column("started_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("version", String(32), nullable=False),
)
"""Processes that do jobs, and which version of the workflows each knows.

Times are seconds of the database's own clock: those of two machines differ.
"""

limits = Table(
    "limits",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("full_at", Float, nullable=False),
    Column("held_until", Float, nullable=False),
    Column("turn_at", Float, nullable=False),
)
"""Token buckets. `full_at`: when the bucket is full again if nobody calls; `turn_at`: when the last caller may call."""
