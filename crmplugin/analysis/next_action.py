"""What to do next (sales-craft §4): duties in fixed order, then steps by what they may bring, then waiting.

What a step brings is the margin times the chance it adds, less as its deadline is further off. The chances are
assumptions of ours (`GAINS`), shown as such; while the margin is not known the order is that of the chances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from crmplugin.domain.brief import Signals

MOST_ACTIONS = 3
QUOTE_DAYS = 7
HALVED_AFTER_DAYS = 7
RECAP_DAYS = 2
GAINS: Mapping[str, Decimal] = MappingProxyType(
    {"quote_ends": Decimal("0.08"), "recap": Decimal("0.06"), "quote_ended": Decimal("0.05"),
     "replenish": Decimal("0.05"), "nudge": Decimal("0.03")}
)  # fmt: skip
"""By how much each step is assumed to raise the chance of winning."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step: its key (`answer`, `wait`), when it is due (None: today), and the record it is about.

    gain: the assumed rise of the chance, already less for a deadline that is far; value: times the margin, in the
    margin's currency, None while that is not known. Duties have neither: they are not weighed.
    """

    key: str
    due: date | None
    record: tuple[str, str] | None
    type: str | None = None
    gain: Decimal | None = None
    value: Decimal | None = None


def next_actions(signals: Signals, *, today: date, margin: Decimal | None = None) -> tuple[Action, ...]:
    """At most three steps, the most pressing first; `wait` alone when nothing is due. margin: of the deal, if known."""
    steps = sorted(_chances(signals, margin), key=lambda a: -(a.gain or Decimal(0)))
    return (*_duties(signals, today), *steps)[:MOST_ACTIONS] or (Action("wait", signals.next_gap_on, None),)


def _weighed(key: str, record: tuple[str, str] | None, type_: str, days: int, margin: Decimal | None) -> Action:
    gain = round(GAINS[key] * Decimal(str(0.5 ** (max(days, 0) / HALVED_AFTER_DAYS))), 4)
    return Action(key, None, record, type_, gain, None if margin is None else round(margin * gain, 2))


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


def _chances(s: Signals, margin: Decimal | None) -> Iterator[Action]:
    if s.meeting_id:
        yield _weighed("recap", ("activities", s.meeting_id), "recap", RECAP_DAYS, margin)
    if s.ticket.hold:
        return
    if s.quote_id and s.quote_days_left is not None and s.quote_days_left <= QUOTE_DAYS:
        key = "quote_ends" if s.quote_days_left >= 0 else "quote_ended"
        yield _weighed(key, ("quotes", s.quote_id), "quote_follow_up", s.quote_days_left, margin)
    if s.no_reply_count and s.gap_reached:
        yield _weighed("nudge", None, "new_value", 0, margin)
    if s.due_items:
        first = s.due_items[0]
        days = HALVED_AFTER_DAYS if first.state == "due" else 0
        yield _weighed("replenish", ("products", first.product_id), "replenishment", days, margin)
