"""Which gate forbids a campaign message to one person of an account: the same gates that a draft meets, without one."""

from __future__ import annotations

from datetime import datetime

from crmplugin.analysis.service import ticket_state
from crmplugin.brief.calendar import both_sides
from crmplugin.brief.gates import blocking, check_gates
from crmplugin.brief.recipient import zone_of
from crmplugin.domain.brief import DraftChannel, Gate, Request, Signals
from crmplugin.domain.crm import Contact, Context, Subject


def campaign_gates(context: Context, contact: Contact, *, channel: DraftChannel, now: datetime) -> tuple[Gate, ...]:
    """The gates that forbid it, the first decides; `context` is the contact's account, cleaned (`hygiene.clean`)."""
    zone = zone_of(context, contact)
    countries = both_sides(context, contact)
    signals = Signals(ticket=ticket_state(context.tickets, now=now, zone=zone, countries=countries))
    request = Request(context.connection, "campaign_message", Subject("contact", contact.id), to_contact_id=contact.id)
    found = check_gates(
        context, signals, request,
        contact=contact, channel=channel, kind="campaign_message", type_=None, now=now, zone=zone,
    )  # fmt: skip
    return blocking(found)
