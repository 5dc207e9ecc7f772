"""How an approved draft looks in the local CRM: an activity whose `source` is the write-back's marker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from crmplugin.domain.crm import Context
from crmplugin.domain.draft import Draft

ACTIVITY_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "email": "email",
        "phone": "call",
        "chat": "chat",
        "sms": "sms",
        "social": "social",
        "letter": "letter",
        "note": "note",
    }
)
"""Channel of a draft -> type of its activity."""


def activity_id(marker: str) -> str:
    """The id of what a marker's write-back makes: always the same, so that a second one finds the first."""
    return f"A-{sha256(marker.encode()).hexdigest()[:20]}"


def to_activity(draft: Draft, context: Context, *, marker: str, at: datetime) -> dict[str, Any]:
    """The activity as a document of `crmplugin-records/1`, tied to the draft's subject and its account."""
    internal = draft.audience == "internal"
    activity = {
        "id": activity_id(marker),
        "type": "note" if internal else ACTIVITY_TYPES.get(draft.channel or "", "note"),
        "direction": "internal" if internal else "outbound",
        "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "deal_id": context.deal.id if context.deal else None,
        "company_id": context.company.id if context.company else None,
        "ticket_id": context.ticket.id if context.ticket else None,
        "contact_ids": _contact_ids(draft, context),
        "user_id": _owner_id(context),
        "subject": draft.subject,
        "body": draft.body,
        "thread_id": _thread_id(draft, context),
        "source": marker,
    }
    return {key: value for key, value in activity.items() if value is not None}


def _contact_ids(draft: Draft, context: Context) -> list[str]:
    """The person written to; of an internal note the contact it is about."""
    if draft.to is not None and draft.to.contact_id is not None:
        return [draft.to.contact_id]
    return [context.contact.id] if context.contact else []


def _owner_id(context: Context) -> str | None:
    """The rep responsible for the deal, else for the company."""
    if context.deal is not None and context.deal.owner_id is not None:
        return context.deal.owner_id
    return context.company.owner_id if context.company else None


def _thread_id(draft: Draft, context: Context) -> str | None:
    """The thread of the newest message that the text cites, so that the answer stands below its question."""
    cited = {fact_id for sentence in draft.sentences for fact_id in sentence.evidence}
    sources = {source.id for fact in draft.facts if fact.id in cited for source in fact.source}
    threads = [a.thread_id for a in context.activities if a.thread_id is not None and a.id in sources]
    if threads:
        return threads[-1]
    return context.activity.thread_id if context.activity else None
