"""What to do next (sales-craft §4): duties in fixed order, then steps by what they may bring, then waiting.

What a step brings is the margin times the chance it adds, less as its deadline is further off, minus what it costs.
Waiting costs and brings nothing, so a step that brings no more is left out. The chances are assumptions, of ours
(`GAINS`) or of the owner's policy, shown as such; while the margin is not known the order is that of the chances.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from crmplugin.domain.brief import Promise, Signals
from crmplugin.domain.crm import Policy

MOST_ACTIONS = 3
QUOTE_DAYS = 7
HALVED_AFTER_DAYS = 7
RECAP_DAYS = 2
GAINS: Mapping[str, Decimal] = MappingProxyType(
    {"quote_ends": Decimal("0.08"), "recap": Decimal("0.06"), "quote_ended": Decimal("0.05"),
     "replenish": Decimal("0.05"), "their_step": Decimal("0.04"), "nudge": Decimal("0.03")}
)  # fmt: skip
"""By how much each step is assumed to raise the chance of winning, where the policy says nothing."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """What steps are weighed by. margin: of the deal, None while unknown; gains: 0 to 1 by step; costs: in the
    margin's currency by step."""

    margin: Decimal | None = None
    gains: Mapping[str, Decimal] = field(default_factory=lambda: GAINS)
    costs: Mapping[str, Decimal] = field(default_factory=dict)


def stakes_of(policy: Policy | None, margin: Decimal | None, *, same_currency: bool) -> Stakes:
    """The owner's own assumptions over ours. Costs count only where they are in the currency of the margin."""
    rules = [rule for rule in (policy.actions if policy else ()) if rule.key]
    gains: dict[str, Decimal] = {r.key: r.gain_pct / 100 for r in rules if r.key and r.gain_pct is not None}
    costs: dict[str, Decimal] = {r.key: r.cost for r in rules if r.key and r.cost is not None and same_currency}
    return Stakes(margin, {**GAINS, **gains}, costs)


NO_STAKES = Stakes()


@dataclass(frozen=True, slots=True)
class Action:
    """One step: its key (`answer`, `wait`), when it is due (None: today), and the record it is about.

    gain: the assumed rise of the chance, already less for a deadline that is far; value: times the margin minus the
    cost, in the margin's currency, None while that is not known. Duties have neither: they are not weighed.
    """

    key: str
    due: date | None
    record: tuple[str, str] | None
    type: str | None = None
    gain: Decimal | None = None
    value: Decimal | None = None


def next_actions(signals: Signals, *, today: date, stakes: Stakes = NO_STAKES) -> tuple[Action, ...]:
    """At most three steps, the most pressing first; `wait` alone when nothing is due or worth its cost."""
    worth = [a for a in _chances(signals, today, stakes) if a.value is None or a.value > 0]
    steps = sorted(worth, key=lambda a: -(a.gain or Decimal(0)) if a.value is None else -a.value)
    return (*_duties(signals, today), *steps)[:MOST_ACTIONS] or (Action("wait", signals.next_gap_on, None),)


def _weighed(key: str, record: tuple[str, str] | None, type_: str, days: int, stakes: Stakes) -> Action:
    gain = round(stakes.gains[key] * Decimal(str(0.5 ** (max(days, 0) / HALVED_AFTER_DAYS))), 4)
    cost = stakes.costs.get(key, Decimal(0))
    return Action(
        key, None, record, type_, gain, None if stakes.margin is None else round(stakes.margin * gain - cost, 2)
    )


def _duties(s: Signals, today: date) -> Iterator[Action]:
    if s.ticket.hold and s.ticket.severe_ticket_id:
        yield Action("complaint", None, ("tickets", s.ticket.severe_ticket_id), "service_acknowledgement")
    if s.open_questions:
        yield Action("answer", None, ("activities", s.open_questions[0].activity_id), "answer")
    late = _late(s.promises_us, today)
    if late:
        yield Action("keep_promise", late[0].due, _source(late[0]), "deliver_promise")
    if s.renewal_contract_id and not s.ticket.hold:
        yield Action("renew", None, ("contracts", s.renewal_contract_id), "renewal")


def _late(promises: Iterable[Promise], today: date) -> list[Promise]:
    return [p for p in promises if p.due and p.due <= today]


def _source(promise: Promise) -> tuple[str, str]:
    return "deals" if promise.source_field == "next_step" else "activities", promise.source_id


def _chances(s: Signals, today: date, stakes: Stakes) -> Iterator[Action]:
    if s.meeting_id:
        yield _weighed("recap", ("activities", s.meeting_id), "recap", RECAP_DAYS, stakes)
    if s.ticket.hold:
        return
    if s.quote_id and s.quote_days_left is not None and s.quote_days_left <= QUOTE_DAYS:
        key = "quote_ends" if s.quote_days_left >= 0 else "quote_ended"
        yield _weighed(key, ("quotes", s.quote_id), "quote_follow_up", s.quote_days_left, stakes)
    owed = _late(s.promises_them, today)
    if owed:
        yield replace(_weighed("their_step", _source(owed[0]), "nudge_their_step", 0, stakes), due=owed[0].due)
    elif s.no_reply_count and s.gap_reached and not _late(s.promises_us, today):
        yield _weighed("nudge", None, "new_value", 0, stakes)
    if s.due_items:
        first = s.due_items[0]
        days = HALVED_AFTER_DAYS if first.state == "due" else 0
        yield _weighed("replenish", ("products", first.product_id), "replenishment", days, stakes)
