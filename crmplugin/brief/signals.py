"""What the history says today (sales-craft §1.2). Each signal is one function; what it counts stands in its docstring.

Nothing after `now` is seen, so that an older `as_of` gives that day's signals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from crmplugin.analysis.cadence import is_held, is_touch, newest, read_cadence
from crmplugin.analysis.churn import BgNbd, buyer_of, p_alive
from crmplugin.analysis.mood import read_mood
from crmplugin.analysis.questions import find_questions
from crmplugin.analysis.replenishment import due_items
from crmplugin.analysis.rhythm import account_rho, is_purchase, order_days
from crmplugin.analysis.service import ticket_state
from crmplugin.analysis.stages import is_open, stage_age
from crmplugin.analysis.threads import meeting_to_recap, unanswered
from crmplugin.brief.calendar import both_sides, day_in, seller_zone
from crmplugin.brief.hygiene import standing
from crmplugin.brief.occasions import read_event, read_relationship
from crmplugin.brief.owed import read_promises
from crmplugin.brief.recipient import has_left
from crmplugin.brief.view import activities_in_view, deal_contact_ids
from crmplugin.domain.brief import Question, Signals
from crmplugin.domain.crm import Activity, Contact, Context, Contract, Order, Quote
from crmplugin.ports import Population

STAKEHOLDER_DAYS = 30
MOOD_DAYS = 30
MULTI_THREAD_DAYS = 60
RENEWAL_WINDOW_DAYS = 60
SUCCESSOR_DAYS = 31
"""A contract of the same account that starts at most this long after the end of another has renewed it."""


@dataclass(frozen=True)
class Moment:
    """One context at one moment: what every signal is read from. Days are the recipient's unless said otherwise."""

    context: Context
    population: Population
    now: datetime
    zone: str
    recipient_id: str | None

    @cached_property
    def view(self) -> tuple[Activity, ...]:
        return activities_in_view(self.context, self.recipient_id)

    @cached_property
    def today(self) -> date:
        return day_in(self.zone, self.now)

    @cached_property
    def contact(self) -> Contact | None:
        return next((c for c in self.context.contacts if c.id == self.recipient_id), None)

    @cached_property
    def countries(self) -> tuple[str, ...]:
        return both_sides(self.context, self.contact)

    def day(self, instant: datetime) -> date:
        return day_in(self.zone, instant)


def read_signals(
    context: Context, population: Population, *, now: datetime, zone: str, recipient_id: str | None
) -> Signals:
    """All signals of the subject at `now`; days in `zone`, the recipient's, but a quote's and a contract's are ours."""
    m = Moment(context, population, now, zone, recipient_id)
    parts: dict[str, Any] = {}
    for read in _PARTS:
        parts |= read(m)
    return Signals(**parts)


def quote_in_view(context: Context, now: datetime) -> Quote | None:
    """The newest sent version of the deal's quotes; without a deal, of the account's open deals."""
    deals = {context.deal.id} if context.deal else {d.id for d in context.deals if is_open(d, now)}
    sent = (q for q in context.quotes if q.deal_id in deals and _was_sent(q, now))
    return max(standing(sent), key=_quote_order, default=None)


def quote_days_left(quote: Quote, context: Context, now: datetime) -> int | None:
    """Days to the quote's last valid day, in the zone of the document: 0 is valid through today, below 0 expired."""
    if quote.valid_until is None:
        return None
    return (quote.valid_until - day_in(seller_zone(context, quote), now)).days


def notice_day(contract: Contract) -> date | None:
    """The last day to give notice: the end less the notice period."""
    if contract.ends_on is None:
        return None
    return contract.ends_on - timedelta(days=int(contract.notice_days or 0))


def renewal_opens(contract: Contract) -> date | None:
    """The first day of the renewal window: 60 days before the last day to give notice."""
    notice = notice_day(contract)
    return notice - timedelta(days=RENEWAL_WINDOW_DAYS) if notice else None


def running_contracts(context: Context, today: date) -> tuple[Contract, ...]:
    """Contracts that have begun, have not ended and are not yet followed by another; the next to end first."""
    known = [c for c in context.contracts if c.ends_on and c.ends_on >= today and (c.starts_on or today) <= today]
    running = [c for c in known if not any(_succeeds(other, c) for other in context.contracts)]
    return tuple(sorted(running, key=lambda c: (c.ends_on or today, c.id)))


def delivered_orders(context: Context, now: datetime) -> tuple[Order, ...]:
    """Orders delivered at `now`, oldest delivery first."""
    found = [o for o in context.orders if o.delivered_at and o.delivered_at <= now and is_purchase(o)]
    return tuple(sorted(found, key=lambda o: (o.delivered_at or now, o.id)))


def _touches(m: Moment) -> dict[str, Any]:
    """last_in, last_out: newest human touch per direction; awaiting: who owes the next word."""
    last_in, last_out = newest(m.view, "inbound", m.now), newest(m.view, "outbound", m.now)
    in_at, out_at = (a.at if a else None for a in (last_in, last_out))
    awaiting = "nobody"
    if in_at and (out_at is None or in_at > out_at):
        awaiting = "us"
    elif out_at:
        awaiting = "them"
    return {
        "last_in": in_at,
        "last_in_id": last_in.id if last_in else None,
        "last_out": out_at,
        "last_out_id": last_out.id if last_out else None,
        "awaiting": awaiting,
    }


def _questions(m: Moment) -> dict[str, Any]:
    """Every question of the recipient's messages that wait for an answer, oldest message first."""
    found = []
    for a in unanswered(m.view, m.now):
        if a.at is None or not _may_be_told(a, m.recipient_id):
            continue
        asked_by = m.recipient_id if m.recipient_id in a.contact_ids else next(iter(a.contact_ids), None)
        found += [
            Question(a.id, n, text, asked_by, a.at) for n, text in enumerate(find_questions(a.body or ""), start=1)
        ]
    return {"open_questions": tuple(found)}


def _mood(m: Moment) -> dict[str, Any]:
    """How their messages of the last 30 days sound that no word of ours has followed; else their newest: a reading,
    never told. Anger goes before worry, and both before what a later message leaves out."""
    since = m.now - timedelta(days=MOOD_DAYS)
    heard = sorted((a for a in m.view if a.direction == "inbound" and is_touch(a, m.now) and a.at and a.at >= since),
                   key=lambda a: (a.at or m.now, a.id), reverse=True)  # fmt: skip
    answered = newest(m.view, "outbound", m.now)
    waiting = [a for a in heard if answered is None or (a.at or m.now) > (answered.at or m.now)] or heard[:1]
    read = [(read_mood(a.body).state, a.id) for a in waiting if a.body]
    found = next((r for mood in ("angry", "worried") for r in read if r[0] == mood), next(iter(read), None))
    return {"mood": found[0], "mood_id": found[1]} if found else {}


def _promises(m: Moment) -> dict[str, Any]:
    promises = read_promises(m.context, m.view, now=m.now, zone=m.zone, recipient_id=m.recipient_id)
    return {
        "promises_us": tuple(p for p in promises if p.side == "us"),
        "promises_them": tuple(p for p in promises if p.side == "them"),
    }


def _cadence(m: Moment) -> dict[str, Any]:
    """no_reply_count: days with an unanswered touch of ours; gap_days_bd: business days since the last one."""
    reopened = m.context.deal.reopened_at if m.context.deal else None
    found = read_cadence(m.view, now=m.now, zone=m.zone, countries=m.countries, reopened_at=reopened)
    return {
        "no_reply_count": found.count,
        "gap_days_bd": found.elapsed_bd,
        "gap_reached": found.reached,
        "next_gap_on": found.next_on,
    }


def _stage(m: Moment) -> dict[str, Any]:
    deal = m.context.deal
    age = stage_age(deal, m.context.stage_changes, m.population, now=m.now, zone=m.zone) if deal else None
    if age is None:
        return {}
    return {
        "stage_since": age.since,
        "stage_age_days": age.days,
        "stage_age_ratio": age.ratio,
        "stage_age_n": age.n,
        "stage_state": age.state,
    }


def _quote(m: Moment) -> dict[str, Any]:
    quote = quote_in_view(m.context, m.now)
    if quote is None:
        return {}
    return {"quote_id": quote.id, "quote_days_left": quote_days_left(quote, m.context, m.now)}


def _meeting(m: Moment) -> dict[str, Any]:
    """A meeting of the recipient that waits for its recap."""
    own = [a for a in m.view if not is_held(a, m.now) or _may_be_told(a, m.recipient_id)]
    meeting = meeting_to_recap(own, now=m.now, zone=m.zone, countries=m.countries)
    return {"meeting_id": meeting.id if meeting else None}


def _people(m: Moment) -> dict[str, Any]:
    since = m.now - timedelta(days=MULTI_THREAD_DAYS)
    recent = [a for a in m.view if a.at and a.at >= since]
    inbound = _people_of(a for a in recent if a.direction == "inbound" and is_touch(a, m.now))
    outbound = _people_of(a for a in recent if a.direction == "outbound" and is_touch(a, m.now))
    met = _people_of(a for a in recent if is_held(a, m.now))
    return {"multi_thread": len((inbound & outbound) | met), "stakeholder_changes": tuple(_stakeholder_changes(m))}


def _stakeholder_changes(m: Moment) -> Iterable[Mapping[str, Any]]:
    """People of the deal (else the account) who came, left or bounced in the last 30 days.

    Each: change (added, left, bounced), contact_id, on, and `told`: whether we have written to the recipient since.
    """
    ids = set(deal_contact_ids(m.context.deal)) if m.context.deal else set()
    for contact in m.context.contacts:
        if ids and contact.id not in ids and contact.id != m.recipient_id:
            continue
        for change, when in _changes_of(contact, m):
            if when <= m.now and (m.today - m.day(when)).days <= STAKEHOLDER_DAYS:
                told = any(_wrote_since(a, when, m) for a in m.view)
                yield {"change": change, "contact_id": contact.id, "on": m.day(when).isoformat(), "told": told}


def _changes_of(contact: Contact, m: Moment) -> Iterable[tuple[str, datetime]]:
    known = [c.created_at for c in m.context.contacts if c.id != contact.id and c.created_at]
    spoke = [a.at for a in m.view if a.at and set(a.contact_ids) - {contact.id}]
    began = min([*known, *spoke], default=None)
    if contact.created_at and began and contact.created_at - began > timedelta(days=1):
        yield "added", contact.created_at
    if contact.left_at and has_left(contact, m.now):
        yield "left", contact.left_at
    mails = [a for a in m.view if a.direction == "outbound" and a.at and contact.id in a.contact_ids]
    last = max(mails, key=lambda a: a.at or m.now, default=None)
    if last and last.bounced and last.at:
        yield "bounced", last.at


def _wrote_since(activity: Activity, when: datetime, m: Moment) -> bool:
    ours = activity.direction == "outbound" and is_touch(activity, m.now) and bool(activity.at and activity.at > when)
    return ours and _may_be_told(activity, m.recipient_id)


def _tickets(m: Moment) -> dict[str, Any]:
    return {"ticket": ticket_state(m.context.tickets, now=m.now, zone=m.zone, countries=m.countries)}


def _renewal(m: Moment) -> dict[str, Any]:
    """The contract whose renewal window is open (notice day − 60 to its end), and the days to its end, in our zone."""
    today = day_in(seller_zone(m.context), m.now)
    for contract in running_contracts(m.context, today):
        opens = renewal_opens(contract)
        if contract.ends_on and opens and opens <= today:
            return {"renewal_contract_id": contract.id, "renewal_days": (contract.ends_on - today).days}
    return {}


def _delivery(m: Moment) -> dict[str, Any]:
    """The newest delivered order, and days since, when we have not written to the account since its delivery."""
    delivered = delivered_orders(m.context, m.now)
    if not delivered or delivered[-1].delivered_at is None:
        return {}
    at = delivered[-1].delivered_at
    written = any(a.direction == "outbound" and is_touch(a, m.now) and a.at and a.at > at for a in m.context.activities)
    if written:
        return {}
    return {"delivered_order_id": delivered[-1].id, "delivered_days": (m.today - m.day(at)).days}


def _purchases(m: Moment) -> dict[str, Any]:
    orders = [o for o in m.context.orders if o.ordered_at and o.ordered_at <= m.now]
    return {
        "due_items": due_items(orders, m.context.products, m.population, now=m.now, zone=m.zone),
        "account_rho": account_rho(orders, now=m.now, zone=m.zone),
        "p_alive": _p_alive(m),
    }


def _p_alive(m: Moment) -> Decimal | None:
    """The chance that the account still buys, by BG/NBD; never of contract customers, nor of one purchase day."""
    model, days = m.population.churn, order_days(m.context.orders, now=m.now, zone=m.zone)
    if model is None or len(days) < 2 or running_contracts(m.context, m.today):
        return None
    return Decimal(str(round(p_alive(BgNbd(*model), buyer_of(days, today=m.today)), 4)))


def _occasions(m: Moment) -> dict[str, Any]:
    return {
        "event": read_event(m.context, now=m.now),
        "relationship": read_relationship(m.context, now=m.now, zone=m.zone),
    }


_PARTS = (
    _touches, _questions, _mood, _promises, _cadence, _stage, _quote, _meeting, _people, _tickets, _renewal, _delivery,
    _purchases, _occasions,
)  # fmt: skip


def _may_be_told(activity: Activity, recipient_id: str | None) -> bool:
    """Whether the recipient took part (or nobody is named): what others wrote is not theirs to read."""
    return recipient_id is None or not activity.contact_ids or recipient_id in activity.contact_ids


def _people_of(activities: Iterable[Activity]) -> set[str]:
    return {contact for a in activities for contact in a.contact_ids}


def _was_sent(quote: Quote, now: datetime) -> bool:
    if quote.sent_at is not None:
        return quote.sent_at <= now and quote.status != "draft"
    return quote.status in ("sent", "accepted", "declined")


def _quote_order(quote: Quote) -> tuple[float, Decimal, str]:
    sent = quote.sent_at.timestamp() if quote.sent_at else 0.0
    return sent, quote.version or Decimal(0), quote.id


def _succeeds(other: Contract, contract: Contract) -> bool:
    if other is contract or contract.ends_on is None or other.starts_on is None or other.ends_on is None:
        return False
    follows = other.starts_on <= contract.ends_on + timedelta(days=SUCCESSOR_DAYS) and other.ends_on > contract.ends_on
    later = other.starts_on > (contract.starts_on or date.min)
    return follows and later and (other.name or "") == (contract.name or "")
