"""Which event makes which draft: the owner's rows first, then these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crmplugin.domain.brief import INTERNAL_KINDS
from crmplugin.domain.playbook import PlaybookRow, WriteBack

DEFAULTS: tuple[PlaybookRow, ...] = (
    PlaybookRow("deal.stage_changed", {"stage_kind": ("negotiation",)}, ("negotiation_note",)),
    PlaybookRow("deal.stage_changed", draft=("follow_up",)),
    PlaybookRow("message.received", draft=("follow_up",)),
    PlaybookRow("meeting.ended", draft=("follow_up",)),
    PlaybookRow("quote.expiring", draft=("follow_up",)),
    PlaybookRow("deal.idle", draft=("follow_up",)),
    PlaybookRow("order.delivered", draft=("follow_up",)),
    PlaybookRow("ticket.resolved", draft=("follow_up",)),
    PlaybookRow("deal.created", draft=("meeting_brief", "qualification")),
    PlaybookRow("order.placed", draft=("pitch",), scheduled=True),
    PlaybookRow("deal.won", draft=("pitch",), scheduled=True),
    PlaybookRow("ticket.opened", {"priority": ("P1", "P2")}, ("handoff_note",)),
    PlaybookRow("review.received", draft=("social_reply",)),
)


ALWAYS = frozenset({"contact.erased"})
"""Events that are worked on without a row."""


def choose_row(event_type: str, fields: Mapping[str, Any], own: Iterable[PlaybookRow] = ()) -> PlaybookRow | None:
    """The first row that fits an event and the fields of its object; None when no row does."""
    return next((row for row in (*own, *DEFAULTS) if _fits(row, event_type, fields)), None)


def asks_for_fields(event_type: str, own: Iterable[PlaybookRow] = ()) -> bool:
    """Whether any row for this event looks at fields, so that the object has to be read."""
    return any(row.when == event_type and row.where for row in (*own, *DEFAULTS))


def has_row(event_type: str, own: Iterable[PlaybookRow] = ()) -> bool:
    """Whether there is something to do about an event; for most of what CRMs tell us there is not."""
    return event_type in ALWAYS or any(row.when == event_type for row in (*own, *DEFAULTS))


def write_back_of(row: PlaybookRow, kind: str) -> WriteBack:
    """How a draft of this kind gets into the CRM; a customer text never does without a person."""
    if kind in INTERNAL_KINDS:
        return row.write_back or "at_once"
    return "never" if row.write_back == "never" else "on_approval"


def _fits(row: PlaybookRow, event_type: str, fields: Mapping[str, Any]) -> bool:
    return row.when == event_type and all(fields.get(key) in allowed for key, allowed in row.where.items())
