"""Which activities belong to what a draft is about: the deal's, or those with the person written to."""

from __future__ import annotations

from crmplugin.domain.crm import Activity, Context, Deal


def deal_contact_ids(deal: Deal) -> tuple[str, ...]:
    """The deal's contacts, the primary one first."""
    first = (deal.primary_contact_id,) if deal.primary_contact_id else ()
    return tuple(dict.fromkeys((*first, *deal.contact_ids)))


def activities_in_view(context: Context, recipient_id: str | None = None) -> tuple[Activity, ...]:
    """The activities that say where things stand.

    Of a deal: its own, those of its threads, and those with its people that belong to no deal. Otherwise those with
    the recipient (or with nobody named), and those of the ticket; the whole account's when there is no recipient.
    """
    if context.deal is not None and context.subject.type in ("deal", "activity"):
        return _of_deal(context, context.deal, recipient_id)
    if recipient_id is None:
        return context.activities
    ticket_id = context.ticket.id if context.ticket else None
    return tuple(
        a for a in context.activities if _concerns(a, recipient_id) or (ticket_id and a.ticket_id == ticket_id)
    )


def _of_deal(context: Context, deal: Deal, recipient_id: str | None) -> tuple[Activity, ...]:
    people = {*deal_contact_ids(deal), *((recipient_id,) if recipient_id else ())}
    threads = {a.thread_id for a in context.activities if a.deal_id == deal.id and a.thread_id}
    return tuple(
        a
        for a in context.activities
        if a.deal_id == deal.id
        or (
            a.deal_id is None
            and (a.thread_id in threads or not a.contact_ids or not people or people & set(a.contact_ids))
        )
    )


def _concerns(activity: Activity, contact_id: str) -> bool:
    return not activity.contact_ids or contact_id in activity.contact_ids
