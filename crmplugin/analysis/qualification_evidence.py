"""What the records say of the ten elements of qualification: quotes of the customer, our notes, documents, fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from crmplugin.analysis.amounts import amounts_in
from crmplugin.analysis.cadence import is_human
from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.passages import own_text, sentences
from crmplugin.analysis.phrases import book, tokens
from crmplugin.analysis.qualification import Evidence, Source
from crmplugin.domain.crm import Activity, Context, Deal

LOOK_BACK_DAYS = 730
MOST_TEXTS = 60
EACH = 2
"""Quotes kept of one element in one text."""


def evidence_of(context: Context, deal: Deal, now: datetime) -> tuple[Evidence, ...]:
    """Everything on record about the deal's elements, oldest first; `ref` is `collection/id/field` of the source."""
    said = [e for a in _texts(context, deal, now) for e in _said_in(a)]
    return (*said, *_from_fields(context, deal, now))


def _texts(context: Context, deal: Deal, now: datetime) -> list[Activity]:
    since = now - timedelta(days=LOOK_BACK_DAYS)
    alone = len(context.deals) <= 1
    known = [
        a
        for a in context.activities
        if a.body and a.at and since <= a.at <= now and (a.deal_id == deal.id or (alone and a.deal_id is None))
    ]
    theirs_or_notes = [a for a in known if a.direction != "outbound" and is_human(a)]
    return sorted(theirs_or_notes, key=lambda a: (a.at or now, a.id))[-MOST_TEXTS:]


def _said_in(activity: Activity) -> Iterator[Evidence]:
    """Sentences that speak of an element. Questions, and sentences that say it is not known, are no evidence."""
    source: Source = "customer" if activity.direction == "inbound" else "rep"
    text = own_text(scan_text(activity.body or "").clean)
    counts: dict[str, int] = {}
    for start, end in sentences(text):
        sentence = text[start:end]
        row = tokens(sentence)
        if sentence.rstrip().endswith(("?", "？")) or book("qualification", "open").find(row):
            continue
        for element in dict.fromkeys(hit.label for hit in book("qualification", "elements").find(row)):
            counts[element] = counts.get(element, 0) + 1
            if counts[element] <= EACH:
                ref = f"activities/{activity.id}/body"
                yield Evidence(element, source, activity.at, ref, " ".join(sentence.split()), _value(element, sentence))


def _value(element: str, sentence: str) -> str | None:
    """The figure of a budget, so that two budgets contradict each other; rounded ones carry no exact value."""
    if element != "budget":
        return None
    exact = [a for a in amounts_in(sentence) if a.topic == "budget" and not a.rounded]
    return f"{exact[0].readings[0].normalize():f}" if exact else None


def _from_fields(context: Context, deal: Deal, now: datetime) -> Iterable[Evidence]:
    """Fields of the deal and its contacts: entered by us, so partial; a signed order shows who may sign."""
    for contact in context.contacts:
        if contact.status not in (None, "active") or (deal.contact_ids and contact.id not in deal.contact_ids):
            continue
        name = " ".join(p for p in (contact.first_name, contact.last_name) if p)
        if contact.role in ("champion", "economic_buyer") and name:
            signed = [o for o in context.orders if o.contact_id == contact.id and o.ordered_at]
            if contact.role == "economic_buyer" and signed:
                last = signed[-1]
                yield Evidence("economic_buyer", "document", last.ordered_at, f"orders/{last.id}/contact_id", name)
            yield Evidence(contact.role, "rep", now, f"contacts/{contact.id}/role", name)
    if deal.competitors:
        yield Evidence("competition", "rep", now, f"deals/{deal.id}/competitors", ", ".join(deal.competitors))
    if deal.close_date:
        yield Evidence("timeline", "rep", now, f"deals/{deal.id}/close_date", deal.close_date.isoformat())
