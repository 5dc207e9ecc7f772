"""Which gate forbids a campaign message to one person of an account: the same gates that a draft meets, without one."""

from __future__ import annotations

from datetime import datetime

from crmplugin.analysis.service import ticket_state
from crmplugin.brief.calendar import both_sides
from crmplugin.brief.gates import blocking, check_gates
from crmplugin.brief.recipient import zone_of
from crmplugin.domain.brief import DraftChannel, Gate, Kind, Request, Signals
from crmplugin.domain.crm import Contact, Context, Subject


def campaign_gates(
    context: Context, contact: Contact, *, channel: DraftChannel, now: datetime, notice: bool = False
) -> tuple[Gate, ...]:
    """The gates that forbid it, the first decides; `context` is the contact's account, cleaned (`hygiene.clean`).

    `notice`: a helpful word about a product they own, which sells nothing and meets the gates of a service text.
    """
    zone = zone_of(context, contact)
    countries = both_sides(context, contact)
    signals = Signals(ticket=ticket_state(context.tickets, now=now, zone=zone, countries=countries))
    kind: Kind = "service_reply" if notice else "campaign_message"
    request = Request(context.connection, kind, Subject("contact", contact.id), to_contact_id=contact.id)
    found = check_gates(
        context, signals, request,
        contact=contact, channel=channel, kind=kind, type_=None, now=now, zone=zone,
    )  # fmt: skip
    return blocking(found)
