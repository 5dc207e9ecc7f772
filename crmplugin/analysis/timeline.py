"""One timeline of a customer over all channels and systems: mail, chat, phone, visits, social, tickets, orders, quotes.

The same talk that two systems recorded is one entry, with both ids. Nothing of another account is in a context, so
nothing of one is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmplugin.analysis.phrases import fold
from crmplugin.domain.crm import Activity, Context, Order, Quote, Ticket

SAME_WITHIN = timedelta(minutes=10)
"""Two systems seldom agree on the second: a copy is looked for this close."""
LONGEST_TEXT = 300
SELF_SERVICE = frozenset({"form", "self_service", "portal", "web"})
_SPACES = re.compile(r"\s+")
_REPLY = re.compile(r"^(?:(?:re|aw|wg|fwd?|sv|antw|rif|tr|rv)\s*:\s*)+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. collection and ids: the records it stands in, the first one leading.

    kind: a type of activity, or ticket_opened, ticket_resolved, order, delivery, quote. direction: inbound, outbound,
    internal or None. who: contact ids. channel: as people know it; a form of self-service is `self_service`.
    """

    at: datetime
    kind: str
    channel: str
    collection: str
    ids: tuple[str, ...]
    title: str | None = None
    text: str | None = None
    direction: str | None = None
    who: tuple[str, ...] = ()
    ticket_id: str | None = None
    deal_id: str | None = None


def timeline(context: Context, *, now: datetime) -> tuple[Entry, ...]:
    """Everything up to `now`, oldest first; what has no time is left out, and so are tasks that are not done."""
    entries = [*_talks(context.activities, now), *_tickets(context.tickets), *_orders(context.orders),
               *_quotes(context.quotes)]  # fmt: skip
    known = (e for e in entries if e.at <= now)
    return tuple(sorted(known, key=lambda e: (e.at, e.collection, e.ids)))


def _talks(activities: Iterable[Activity], now: datetime) -> list[Entry]:
    dated = sorted((a for a in activities if _when(a, now)), key=lambda a: (_when(a, now) or now, a.id))
    kept: list[tuple[Activity, list[str]]] = []
    for activity in dated:
        twin = next((ids for other, ids in reversed(kept[-20:]) if _is_copy(activity, other, now)), None)
        if twin is None:
            kept.append((activity, [activity.id]))
        else:
            twin.append(activity.id)
    return [_talk(activity, ids, now) for activity, ids in kept]


def _when(activity: Activity, now: datetime) -> datetime | None:
    """When it happened: of a task, when it was done."""
    return activity.done_at if activity.type == "task" else activity.at


def _is_copy(one: Activity, other: Activity, now: datetime) -> bool:
    """Whether two records tell of one talk: kind, direction, people, words, and about the time are the same."""
    first, second = _when(one, now), _when(other, now)
    if first is None or second is None or abs(first - second) > SAME_WITHIN:
        return False
    if one.type != other.type or (one.direction or other.direction) != (other.direction or one.direction):
        return False
    people, others = set(one.contact_ids), set(other.contact_ids)
    if people and others and not people & others:
        return False
    return bool(_words(one)) and _words(one) == _words(other)


def _words(activity: Activity) -> str:
    """What was said, without what systems add: spaces, case, reply marks; the subject where there is no body."""
    text = _SPACES.sub(" ", fold(activity.body or "")).strip()
    return text or _REPLY.sub("", _SPACES.sub(" ", fold(activity.subject or "")).strip())


def _talk(a: Activity, ids: list[str], now: datetime) -> Entry:
    kind = a.type or "note"
    return Entry(
        at=_when(a, now) or now,
        kind=kind,
        channel="self_service" if kind in SELF_SERVICE else "phone" if kind == "call" else kind,
        collection="activities",
        ids=tuple(ids),
        title=a.subject,
        text=_short(a.body),
        direction=a.direction,
        who=a.contact_ids,
        ticket_id=a.ticket_id,
        deal_id=a.deal_id,
    )


def _tickets(tickets: Iterable[Ticket]) -> Iterator[Entry]:
    for t in tickets:
        who = (t.contact_id,) if t.contact_id else ()
        channel = "self_service" if (t.channel or "").casefold() in SELF_SERVICE else t.channel or "ticket"
        about = {"collection": "tickets", "ids": (t.id,), "title": t.subject, "who": who, "ticket_id": t.id}
        if t.opened_at:
            yield Entry(t.opened_at, "ticket_opened", channel, text=_short(t.body), direction="inbound", **about)  # type: ignore[arg-type]
        if t.resolved_at:
            yield Entry(t.resolved_at, "ticket_resolved", channel, **about)  # type: ignore[arg-type]


def _orders(orders: Iterable[Order]) -> Iterator[Entry]:
    for o in orders:
        who = (o.contact_id,) if o.contact_id else ()
        about = {"collection": "orders", "ids": (o.id,), "title": o.number or o.id, "who": who, "deal_id": o.deal_id}
        if o.ordered_at:
            yield Entry(o.ordered_at, "order", "order", **about)  # type: ignore[arg-type]
        if o.delivered_at:
            yield Entry(o.delivered_at, "delivery", "order", **about)  # type: ignore[arg-type]


def _quotes(quotes: Iterable[Quote]) -> Iterator[Entry]:
    for q in quotes:
        if q.sent_at and q.status != "draft":
            yield Entry(q.sent_at, "quote", "quote", "quotes", (q.id,), q.number or q.id, direction="outbound",
                        deal_id=q.deal_id)  # fmt: skip


def _short(text: str | None) -> str | None:
    plain = _SPACES.sub(" ", text or "").strip()
    return plain[:LONGEST_TEXT] or None
