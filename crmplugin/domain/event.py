"""Events: what happened in a CRM, in our words, whatever the CRM calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

EVENT_TYPES = frozenset(
    {
        "deal.created", "deal.stage_changed", "deal.updated", "deal.won", "deal.lost", "deal.reopened", "deal.idle",
        "quote.sent", "quote.expiring", "message.received", "meeting.ended", "order.placed", "order.delivered",
        "ticket.opened", "ticket.updated", "ticket.resolved", "contact.changed", "contact.opted_out",
        "contact.erased", "review.received", "record.deleted", "record.merged",
    }
)  # fmt: skip

EventState = Literal["stored", "working", "done", "ignored", "dead"]


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """The record an event is about: type in the singular (`deal`, `activity`, `ticket`), and its id."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` is unique within its connection for ever; `at` is when it happened, by the CRM's clock.

    `records` are records of our format that came with it (local CRM only), upserted before anything else.
    `raw` is the CRM's own payload, kept whole.
    """

    id: str
    connection: str
    type: str
    at: datetime
    object: ObjectRef | None = None
    records: Mapping[str, Any] = field(default_factory=dict)
    raw: Any = None
    received_at: datetime | None = None
    echo: bool = False
    """Made by our own write-back: kept, never worked."""
