"""The decision list of sales-craft §1.3: each row asks one question of the situation and gives its angle, or None.

`ROWS` is the list; `why_not` says which fact is missing for a type that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType

from crmplugin.analysis.cadence import OURS, is_held
from crmplugin.analysis.churn import LAPSED_DAYS, LAPSED_RHO, LOW_ALIVE
from crmplugin.analysis.replenishment import rhythms
from crmplugin.analysis.rhythm import order_days
from crmplugin.analysis.service import is_open as ticket_is_open
from crmplugin.analysis.stages import entered_stage, is_open
from crmplugin.analysis.threads import leaves_it_with_them, only_praises, unanswered
from crmplugin.brief.calendar import both_sides, business_days_between, day_in, seller_zone
from crmplugin.brief.signals import delivered_orders, running_contracts
from crmplugin.brief.view import activities_in_view
from crmplugin.domain.brief import DraftChannel, DueItem, FollowUpType, Promise, Request, Signals
from crmplugin.domain.crm import Activity, Contact, Context, Deal, Quote, Ticket
from crmplugin.ports import Population

QUOTE_DAYS = (-30, 7)
CHECK_IN_DAYS = (7, 14)
STAGE_CHANGE_BD = 2
REQUEST_DAYS = 30
"""A message without a question waits for an answer this long; a question longer."""
SERIES_DAYS = 30
"""Without an open deal a series of unanswered messages goes on for this long after the last."""
MOST_LIVE, MOST_COLD = 4, 2
LONG_SILENCE = (3, 21)
"""Unanswered touches and days since the last one that end a series early."""
ENTERPRISE_EMPLOYEES = 1000

OFFERS = frozenset({"pitch", "campaign_message", "replenishment", "win_back"})
"""Kinds and types that offer something to buy: they wait for the right moment."""


@dataclass(frozen=True)
class Situation:
    """What a decision looks at. Days are the recipient's, business days those of both sides."""

    context: Context
    signals: Signals
    request: Request
    contact: Contact | None
    channel: DraftChannel
    now: datetime
    zone: str

    @cached_property
    def today(self) -> date:
        return day_in(self.zone, self.now)

    @cached_property
    def our_today(self) -> date:
        return day_in(seller_zone(self.context) or self.zone, self.now)

    @cached_property
    def countries(self) -> tuple[str, ...]:
        return both_sides(self.context, self.contact)

    @cached_property
    def view(self) -> tuple[Activity, ...]:
        return activities_in_view(self.context, self.contact.id if self.contact else None)

    @cached_property
    def quote(self) -> Quote | None:
        return next((q for q in self.context.quotes if q.id == self.signals.quote_id), None)

    @cached_property
    def quote_waits(self) -> bool:
        """Whether the quote was sent, is undecided, and its deal is open."""
        quote = self.quote
        deals = {d.id: d for d in (*self.context.deals, *((self.context.deal,) if self.context.deal else ()))}
        deal = deals.get(quote.deal_id or "") if quote else None
        undecided = quote is not None and quote.status not in ("accepted", "declined")
        return undecided and (deal is None or is_open(deal, self.now))

    @cached_property
    def open_deals(self) -> tuple[Deal, ...]:
        """Open deals in view: the subject's, or without one the account's."""
        deals = (self.context.deal,) if self.context.deal else self.context.deals
        return tuple(d for d in deals if is_open(d, self.now))

    @cached_property
    def ticket_in_view(self) -> Ticket | None:
        """The severe ticket, else the subject's own, else the first open one."""
        state = self.signals.ticket
        own = self.context.ticket.id if self.context.ticket else None
        wanted = state.severe_ticket_id or own or next(iter(state.open_ticket_ids), None)
        return next((t for t in self.context.tickets if t.id == wanted), None)

    @property
    def rested(self) -> bool:
        """Whether the gap after our last unanswered touch has passed."""
        return self.signals.no_reply_count == 0 or self.signals.gap_reached

    @property
    def wrote_today(self) -> bool:
        last = self.signals.last_out
        return last is not None and day_in(self.zone, last) == self.today

    @cached_property
    def cold(self) -> bool:
        """Whether this person never wrote to us or met us, and nobody of the account ever bought or got a quote."""
        spoke = self.signals.last_in is not None or any(is_held(a, self.now) for a in self.view)
        return not (spoke or self.context.orders or self.context.contracts or self.quote)

    @cached_property
    def most_unanswered(self) -> int:
        """Unanswered touches after which a series ends: 4 in a live deal, 2 cold, one fewer in a large company."""
        company = self.context.company
        large = company is not None and (company.employees or 0) >= ENTERPRISE_EMPLOYEES
        return (MOST_COLD if self.cold else MOST_LIVE) - large

    @property
    def may_go_on(self) -> bool:
        """Whether another message of a series may follow."""
        return self.signals.awaiting == "them" and 0 < self.signals.no_reply_count < self.most_unanswered

    @cached_property
    def in_series(self) -> bool:
        """Whether our unanswered messages are still a series: in an open deal, or without one of the last weeks."""
        last = self.signals.last_out
        recent = last is not None and self.now - last <= timedelta(days=SERIES_DAYS)
        goes_on = bool(self.open_deals) or (self.context.deal is None and recent)
        return self.signals.no_reply_count > 0 and goes_on

    @property
    def days_of_silence(self) -> int:
        """Calendar days since our last touch."""
        last = self.signals.last_out
        return (self.today - day_in(self.zone, last)).days if last else 0

    @cached_property
    def rhythms(self) -> tuple[DueItem, ...]:
        """Every repeat item of the account, also those that are not due yet."""
        context = self.context
        return rhythms(context.orders, context.products, Population(), now=self.now, zone=self.zone)

    @cached_property
    def check_in_from(self) -> date | None:
        """The first day to ask how a delivery went."""
        delivered = delivered_orders(self.context, self.now)
        at = delivered[-1].delivered_at if delivered else None
        return day_in(self.zone, at) + timedelta(days=CHECK_IN_DAYS[0]) if at else None


Rule = Callable[[Situation], str | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the list, the type it leads to, the rule that gives its angle, and the reason in words."""

    number: str
    type: FollowUpType | None
    when: Rule
    why: str | None = None


def _severe_ticket(s: Situation) -> str | None:
    """A severe ticket that is open; one that is resolved only keeps the hold."""
    ticket = s.ticket_in_view if s.signals.ticket.hold else None
    return "severe" if ticket and ticket_is_open(ticket, s.now) else None


def _ticket_subject(s: Situation) -> str | None:
    """Asked about a ticket that we have not written about since it was opened, or since it was resolved."""
    ticket = s.context.ticket if s.context.subject.type == "ticket" else None
    if ticket is None:
        return None
    waits = ticket_is_open(ticket, s.now)
    since = ticket.opened_at if waits else ticket.resolved_at
    told = since is not None and s.signals.last_out is not None and s.signals.last_out > since
    return None if told else ("open" if waits else "resolved")


def _unconfirmed_ticket(s: Situation) -> str | None:
    """The severe ticket of a hold was resolved, nobody confirmed it, and we have not written about it since."""
    ticket = s.ticket_in_view if s.signals.ticket.hold else None
    if ticket is None or ticket_is_open(ticket, s.now) or ticket.confirmed_at is not None:
        return None
    since, last = ticket.resolved_at, s.signals.last_out
    return None if since is None or (last is not None and last > since) else "resolved"


def _open_ticket(s: Situation) -> str | None:
    return "open" if s.signals.ticket.open_ticket_ids else None


def _open_question(s: Situation) -> str | None:
    return "question" if s.signals.open_questions else None


def _request_waits(s: Situation) -> str | None:
    """The newest word is theirs, to us, of the last 30 days, unanswered, and no order followed it; it is no mere
    thanks and does not say that they come back to us."""
    last = next((a for a in s.view if a.id == s.signals.last_in_id), None)
    if s.signals.awaiting != "us" or last is None or last.at is None or not _is_by(last, s.contact):
        return None
    ordered = any(o.ordered_at and last.at < o.ordered_at <= s.now for o in s.context.orders)
    old = s.now - last.at > timedelta(days=REQUEST_DAYS)
    waits = any(a.id == last.id for a in unanswered(s.view, s.now))
    if ordered or old or leaves_it_with_them(last.body) or only_praises(last.body):
        return None
    return "request" if waits else None


def _our_promise(s: Situation) -> str | None:
    due = [p.due for p in s.signals.promises_us if p.due and p.due <= s.our_today]
    if not due:
        return None
    return "late" if min(due) < s.our_today else "due"


def _meeting(s: Situation) -> str | None:
    return "recap" if s.signals.meeting_id else None


def _quote_ends(s: Situation) -> str | None:
    left, (first, last) = s.signals.quote_days_left, QUOTE_DAYS
    if left is None or not first <= left <= last or not s.quote_waits or s.wrote_today:
        return None
    return "expiring" if left >= 0 else "expired"


def _their_promise(s: Situation) -> str | None:
    late = any(_late_bd(p, s) >= 1 for p in s.signals.promises_them)
    return "late" if late and not s.wrote_today else None


def _stakeholders(s: Situation) -> str | None:
    """Somebody came, left or bounced and we have not written to the recipient since."""
    news = [c for c in s.signals.stakeholder_changes if not c.get("told")]
    if not news or s.contact is None or not s.rested:
        return None
    own = [c for c in news if c["contact_id"] == s.contact.id]
    if any(c["change"] == "added" for c in own):
        return "new_contact"
    others = [c for c in news if c not in own]
    return str(others[-1]["change"]) if others else None


def _renewal(s: Situation) -> str | None:
    return "renewal" if s.signals.renewal_contract_id and s.rested else None


def _new_value(s: Situation) -> str | None:
    return "new_value" if s.may_go_on and s.in_series and s.signals.gap_reached and not _series_ends(s) else None


def _break_up(s: Situation) -> str | None:
    return "break_up" if s.in_series and s.signals.gap_reached and _series_ends(s) and not _has_ended(s) else None


def _series_ends(s: Situation) -> bool:
    """Four unanswered, or three and 21 days since the last; one fewer in a large company; never for cold contacts."""
    if s.cold:
        return False
    fewer = MOST_LIVE - s.most_unanswered
    count, (some, days) = s.signals.no_reply_count, LONG_SILENCE
    return count >= s.most_unanswered or (count >= some - fewer and s.days_of_silence >= days)


def _has_ended(s: Situation) -> bool:
    """Whether our last message, written by us here, was the break-up: one more than a series has."""
    last = next((a for a in s.view if a.id == s.signals.last_out_id), None)
    ours = last is not None and (last.source or "").startswith(OURS)
    return ours and s.signals.no_reply_count > s.most_unanswered


def _check_in(s: Situation) -> str | None:
    days, (first, last) = s.signals.delivered_days, CHECK_IN_DAYS
    return "check_in" if s.signals.delivered_order_id and days is not None and first <= days <= last else None


def _replenishment(s: Situation) -> str | None:
    state = next((i.state for i in s.signals.due_items if i.state in ("due", "overdue")), None)
    return state if s.rested else None


def _win_back(s: Situation) -> str | None:
    """An account that has lapsed, by the model of all buyers where there is one, else by its own rhythm.

    Never with a running contract or an open deal.
    """
    if s.open_deals or not s.rested or running_contracts(s.context, s.our_today):
        return None
    signals, days = s.signals, order_days(s.context.orders, now=s.now, zone=s.zone)
    no_model = signals.p_alive is None
    by_rho = no_model and signals.account_rho is not None and signals.account_rho > LAPSED_RHO
    by_model = signals.p_alive is not None and signals.p_alive < LOW_ALIVE
    by_item = bool(signals.due_items) and all(i.state == "lapsed" for i in signals.due_items)
    no_rhythm = signals.account_rho is None and bool(days) and (s.today - days[-1]).days > LAPSED_DAYS
    return "lapsed" if by_rho or by_model or by_item or no_rhythm else None


def _event(s: Situation) -> str | None:
    return str(s.signals.event["name"]) if s.signals.event and s.rested else None


def _stage_step(s: Situation) -> str | None:
    """The stage changed (or the deal was closed or made) at most two business days ago."""
    deal = s.context.deal
    if deal is None or deal.stage_kind is None or s.wrote_today:
        return None
    entered = entered_stage(deal, s.context.stage_changes, now=s.now)
    closed = deal.closed_at if deal.closed_at and deal.closed_at <= s.now and not is_open(deal, s.now) else None
    since = max((t for t in (entered, closed) if t), default=None)
    if since is None or business_days_between(day_in(s.zone, since), s.today, s.countries) > STAGE_CHANGE_BD:
        return None
    return deal.stage_kind


def _relationship(s: Situation) -> str | None:
    return str(s.signals.relationship["name"]) if s.signals.relationship and s.rested else None


OPEN_TICKET = Row("1b", "service_acknowledgement", _open_ticket, "a ticket is open")
ROWS: tuple[Row, ...] = (
    Row("1", "service_acknowledgement", _severe_ticket, "a severe ticket is open"),
    Row("2", "answer", _open_question, "a question of theirs waits for its answer"),
    Row("2b", "answer", _request_waits, "they wrote last and wait for us"),
    Row("1b", "service_acknowledgement", _ticket_subject, "the ticket was not written about since"),
    Row("3", "deliver_promise", _our_promise, "what we promised is due"),
    Row("4", "recap", _meeting, "a meeting waits for its recap"),
    Row("5", "quote_follow_up", _quote_ends, "the quote ends within 7 days or ended in the last 30"),
    Row("6", "nudge_their_step", _their_promise, "a step of theirs is late"),
    Row("7", "reintroduction", _stakeholders, "people of the account changed"),
    Row("8", "renewal", _renewal, "a contract is in its renewal window"),
    Row("9a", "new_value", _new_value, "no reply, and the gap has passed"),
    Row("9b", "break_up", _break_up, "no reply to the whole series"),
    Row("10", "check_in", _check_in, "delivered 7 to 14 days ago, nothing said since"),
    Row("11", "replenishment", _replenishment, "an item they bought is due again"),
    Row("12", "win_back", _win_back, "the account has lapsed"),
    Row("13", "event", _event, "something that concerns them has a date"),
    Row("13b", "stage_step", _stage_step, "the stage changed in the last two business days"),
    Row("13c", "relationship", _relationship, "a date worth a word, without an offer"),
)
UNCONFIRMED = Row(
    "1c", "service_acknowledgement", _unconfirmed_ticket, "a severe ticket was resolved and not confirmed"
)
SERVICE_ROWS: tuple[Row, ...] = (ROWS[0], ROWS[1], UNCONFIRMED)
"""What takes the place of a text that a gate forbids."""


def asked_angle(s: Situation) -> str | None:
    """The angle of a type asked for although its row does not call for it: the stage, the state of the quote."""
    left = s.signals.quote_days_left
    if s.request.type == "quote_follow_up" and left is not None:
        return "expired" if left < 0 else "open"
    deal = s.context.deal
    return deal.stage_kind if s.request.type == "stage_step" and deal else None


def why_not(s: Situation, type_: FollowUpType) -> str | None:
    """The fact that is missing for a type that was asked for, as a clause; None when it can be written."""
    ready, missing = _NEEDS[type_]
    return None if ready(s) else missing


def _has_inbound(s: Situation) -> bool:
    return bool(s.signals.open_questions) or (s.signals.awaiting == "us" and s.signals.last_in_id is not None)


_NEEDS: Mapping[FollowUpType, tuple[Callable[[Situation], bool], str]] = MappingProxyType(
    {
        "service_acknowledgement": (lambda s: s.ticket_in_view is not None, "no ticket is open"),
        "answer": (_has_inbound, "nothing of theirs waits for an answer"),
        "deliver_promise": (lambda s: bool(s.signals.promises_us), "no open promise of ours is on record"),
        "recap": (lambda s: s.signals.meeting_id is not None, "no meeting with notes waits for a recap"),
        "quote_follow_up": (lambda s: s.quote is not None and s.quote_waits, "no sent quote waits for a decision"),
        "nudge_their_step": (lambda s: bool(s.signals.promises_them), "no open step of theirs is on record"),
        "reintroduction": (lambda s: s.contact is not None, "no contact is named"),
        "renewal": (lambda s: bool(running_contracts(s.context, s.our_today)), "no contract is running"),
        "new_value": (lambda s: s.signals.awaiting != "us", "they wrote last: answer first"),
        "break_up": (lambda s: s.signals.no_reply_count > 0, "they owe no reply"),
        "check_in": (lambda s: s.signals.delivered_order_id is not None, "no delivery is without a word since"),
        "replenishment": (lambda s: bool(s.signals.due_items), "no repeat item is due"),
        "win_back": (lambda s: bool(s.context.orders), "they never ordered"),
        "event": (lambda s: s.signals.event is not None, "no event with a date is on record"),
        "stage_step": (lambda s: s.context.deal is not None and s.context.deal.stage_kind is not None, "no deal stage"),
        "relationship": (lambda s: s.signals.relationship is not None, "no such date is near"),
    }
)


def _is_by(activity: Activity, contact: Contact | None) -> bool:
    return contact is None or not activity.contact_ids or contact.id in activity.contact_ids


def _late_bd(promise: Promise, s: Situation) -> int:
    return business_days_between(promise.due, s.our_today, s.countries) if promise.due else 0
