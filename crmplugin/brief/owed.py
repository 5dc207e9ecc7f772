"""Who owes which step: tasks and the deal's next step as they stand, and promises made in messages as stated.

A promise read from a message is taken as kept once the side that made it has written again in the view.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from crmplugin.analysis.cadence import is_touch
from crmplugin.analysis.notes import read_notes
from crmplugin.analysis.promises import Side, find_promises
from crmplugin.analysis.stages import is_open
from crmplugin.analysis.threads import same_conversation
from crmplugin.brief.calendar import day_in, seller_zone
from crmplugin.domain.brief import Promise
from crmplugin.domain.crm import Activity, Context

STATED_DAYS = 60


def read_promises(
    context: Context, view: Sequence[Activity], *, now: datetime, zone: str, recipient_id: str | None
) -> tuple[Promise, ...]:
    """Open promises of both sides, the earliest due first, those without a day last.

    Days of tasks and next steps are ours (the seller's zone); `days_late` are calendar days.
    """
    ours = seller_zone(context) or zone
    today = day_in(ours, now)
    found = [
        *_tasks(view, now=now, zone=ours, recipient_id=recipient_id),
        *_next_step(context, now, today),
        *_stated(view, now=now, zone=ours, recipient_id=recipient_id),
    ]
    late = [_with_delay(p, today) for p in found]
    return tuple(sorted(late, key=lambda p: (p.due or date.max, p.source_id)))


def _tasks(view: Sequence[Activity], *, now: datetime, zone: str, recipient_id: str | None) -> Iterable[Promise]:
    """Tasks (or other activities) with an owner's side and a due day that are not done."""
    for a in view:
        due = a.due_on or (day_in(zone, a.due_at) if a.due_at else None)
        done = a.done_at is not None and a.done_at <= now
        concerned = recipient_id is None or not a.contact_ids or recipient_id in a.contact_ids
        if a.owner_side and due and not done and concerned:
            field = "subject" if a.subject else "body"
            yield Promise(a.owner_side, a.subject or a.body or "", due, a.id, field)


def _next_step(context: Context, now: datetime, today: date) -> Iterable[Promise]:
    """The open deal's next step, when it has words. Its owner is the deal's owner, that is us, unless it names them."""
    deal = context.deal
    if deal and deal.next_step and is_open(deal, now):
        items = read_notes(deal.next_step, written_on=today)
        side: Side = next((item.side for item in items if item.side), "us")
        yield Promise(side, deal.next_step, deal.next_step_due, deal.id, "next_step")


def _stated(view: Sequence[Activity], *, now: datetime, zone: str, recipient_id: str | None) -> Iterable[Promise]:
    """Promises with a day in messages of the last 60 days, after which the same side has not written in the thread."""
    oldest = now - timedelta(days=STATED_DAYS)
    said = [a for a in view if is_touch(a, now) and a.at and a.at >= oldest and a.body and a.type != "call"]
    for a in said:
        side: Side = "us" if a.direction == "outbound" else "them"
        concerned = recipient_id is None or not a.contact_ids or recipient_id in a.contact_ids
        if not concerned or a.at is None or any(_follows(later, a) for later in said):
            continue
        for found in find_promises(a.body or "", written_on=day_in(zone, a.at), author_side=side):
            if due := found.due or found.latest:
                yield Promise(found.side, found.text, due, a.id, "body", stated=True)


def _follows(later: Activity, a: Activity) -> bool:
    after = bool(later.at and a.at and later.at > a.at)
    return after and later.direction == a.direction and same_conversation(later, a)


def _with_delay(promise: Promise, today: date) -> Promise:
    late = (today - promise.due).days if promise.due else 0
    return Promise(
        promise.side, promise.text, promise.due, promise.source_id, promise.source_field, promise.stated, max(0, late)
    )
