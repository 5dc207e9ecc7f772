"""What to do next (sales-craft §4): duties in fixed order, then what comes due, then waiting, which costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from crmplugin.domain.brief import Signals

MOST_ACTIONS = 3
QUOTE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Action:
    """One step: its key (`answer`, `wait`), when it is due (None: today), and the record it is about."""

    key: str
    due: date | None
    record: tuple[str, str] | None
    type: str | None = None


def next_actions(signals: Signals, *, today: date) -> tuple[Action, ...]:
    """At most three steps, the most pressing first; `wait` alone when nothing is due."""
    found = list(_duties(signals, today)) + list(_chances(signals))
    return tuple(found[:MOST_ACTIONS]) or (Action("wait", signals.next_gap_on, None),)


def _duties(s: Signals, today: date) -> Iterator[Action]:
    if s.ticket.hold and s.ticket.severe_ticket_id:
        yield Action("complaint", None, ("tickets", s.ticket.severe_ticket_id), "service_acknowledgement")
    if s.open_questions:
        yield Action("answer", None, ("activities", s.open_questions[0].activity_id), "answer")
    late = [p for p in s.promises_us if p.due and p.due <= today]
    if late:
        collection = "deals" if late[0].source_field == "next_step" else "activities"
        yield Action("keep_promise", late[0].due, (collection, late[0].source_id), "deliver_promise")
    if s.renewal_contract_id and not s.ticket.hold:
        yield Action("renew", None, ("contracts", s.renewal_contract_id), "renewal")


def _chances(s: Signals) -> Iterator[Action]:
    if s.meeting_id:
        yield Action("recap", None, ("activities", s.meeting_id), "recap")
    if s.quote_id and s.quote_days_left is not None and s.quote_days_left <= QUOTE_DAYS and not s.ticket.hold:
        key = "quote_ends" if s.quote_days_left >= 0 else "quote_ended"
        yield Action(key, None, ("quotes", s.quote_id), "quote_follow_up")
    if s.no_reply_count and s.gap_reached and not s.ticket.hold:
        yield Action("nudge", None, None, "new_value")
    if s.due_items and not s.ticket.hold:
        yield Action("replenish", None, ("products", s.due_items[0].product_id), "replenishment")
