"""May we write to this person now? Seven rules and their codes (sales-craft §0.2, contract §5), in their fixed order.

All hits are listed, the first gives the decision its code. Internal kinds meet `legal_hold` only; service texts no rule
about promotion. `quiet_hours` moves the time of sending and forbids nothing. No instruction of a user is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crmplugin.analysis.cadence import promotional_touches
from crmplugin.analysis.stages import is_open
from crmplugin.brief.alternatives import contractual_notice, other_contacts, phone_script, postal_letter
from crmplugin.brief.calendar import both_sides, day_in
from crmplugin.brief.consent import (
    CONSENT_KEYS,
    granted,
    in_open_deal,
    is_customer,
    regime_of,
    same_address,
    withdrawn,
)
from crmplugin.brief.recipient import has_left, mail_address, phone_number
from crmplugin.brief.timing import HOURS, in_quiet_hours, send_time
from crmplugin.domain.brief import INTERNAL_KINDS, Gate, Request, Signals, is_promotional
from crmplugin.domain.crm import Contact, Context

MOVING = frozenset({"quiet_hours"})
"""Gates that move the time of sending and block nothing."""
WITHOUT_PERSON = frozenset({"social_reply", "help_answer"})
"""Customer kinds that may answer somebody who is no contact; so may any text in a chat that is open."""
CAPPED_KINDS = frozenset({"pitch", "campaign_message"})
CAPS = ((timedelta(days=7), 2), (timedelta(days=30), 4))
APART = timedelta(hours=72)
IMPORT_AGE = timedelta(days=7)
_NOTHING = frozenset({"", "-", "none", "null", "n/a", "no", "false", "0"})


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be written, to whom, how and when: what every gate looks at."""

    context: Context
    signals: Signals
    request: Request
    contact: Contact | None
    channel: str
    kind: str
    type: str | None
    now: datetime
    zone: str

    @property
    def promotional(self) -> bool:
        return is_promotional(self.kind, self.type)

    @property
    def pitches(self) -> bool:
        """Promotional, and not the public answer to somebody who spoke first."""
        return self.promotional and self.kind != "social_reply"


def check_gates(
    context: Context,
    signals: Signals,
    request: Request,
    *,
    contact: Contact | None,
    channel: str,
    kind: str,
    type_: str | None,
    now: datetime,
    zone: str,
) -> tuple[Gate, ...]:
    """Every gate that is hit, in the order of the table."""
    case = Case(context, signals, request, contact, channel, kind, type_, now, zone)
    rules = (_legal_hold,) if kind in INTERNAL_KINDS else _GATES
    return tuple(gate for rule in rules if (gate := rule(case)) is not None)


def blocking(gates: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """Those that forbid the text itself."""
    return tuple(g for g in gates if g.code not in MOVING)


def _opted_out(case: Case) -> Gate | None:
    """Withdrawn on the same normalised address, on any record: the address said no, not the record."""
    contact = case.contact
    if contact is None or not case.promotional:
        return None
    records = withdrawn(case.context, contact, case.channel)
    if not records:
        return None
    people = {c.id: c for c in (contact, *same_address(case.context, contact, case.channel))}
    ids = [_called(people[id_]) for id_ in sorted(people)]
    key = CONSENT_KEYS[case.channel]
    when = min((at for c in records if (at := c.consent[key].at)), default=None)
    since = f" on {when.date().isoformat()}" if when else ""
    reason = f"Do not promote by {case.channel}: the address of {_listed(ids)} opted out{since}."
    return Gate(f"opted_out:{case.channel}", reason, _ways_round(case, phone_script(case), *_notices(case)))


def _unreachable(case: Case) -> Gate | None:
    if case.contact is None:
        if case.kind in WITHOUT_PERSON or case.channel == "chat":
            return None
        return Gate("unreachable", "Choose a recipient: no contact can be named without guessing.", _ways_round(case))
    why = _why_unreachable(case.contact, case)
    if why is None:
        return None
    return Gate(
        "unreachable",
        f"Choose another recipient: {_called(case.contact)} {why}.",
        _ways_round(case, phone_script(case), postal_letter(case)),
    )


def _why_unreachable(contact: Contact, case: Case) -> str | None:
    if has_left(contact, case.now):
        return "has left the company"
    if contact.status == "inactive":
        return "is inactive"
    if case.channel == "email":
        return _why_no_mail(contact, case)
    if case.channel in ("phone", "sms") and phone_number(contact, case.context) is None:
        return "has no valid phone number"
    company = case.context.company.postal_address if case.context.company else None
    if case.channel == "letter" and not (contact.postal_address or company):
        return "has no postal address"
    return None


def _why_no_mail(contact: Contact, case: Case) -> str | None:
    if mail_address(contact) is None:
        return "has no valid mail address"
    same = [c for c in same_address(case.context, contact, "email") if c.status == "bounced"]
    return "has a mail address that bounces" if same or _last_mail_bounced(contact, case) else None


def _last_mail_bounced(contact: Contact, case: Case) -> bool:
    """Whether our newest mail to them came back and they have not written since."""
    mails = [
        a
        for a in case.context.activities
        if a.type == "email" and a.at and a.at <= case.now and contact.id in a.contact_ids and not a.automatic
    ]
    newest = max(mails, key=lambda a: (a.at or case.now, a.id), default=None)
    return bool(newest and newest.direction == "outbound" and newest.bounced)


def _legal_hold(case: Case) -> Gate | None:
    """A dispute, fraud, sanctions, death or a minor: on the company, the contact or a record of the same address."""
    people = (case.context.contact,) if case.contact is None else same_address(case.context, case.contact, "email")
    holders = [(f"company {c.id}", c.legal_hold) for c in (case.context.company,) if c]
    holders += [(f"contact {c.id}", c.legal_hold) for c in people if c]
    for who, why in holders:
        if why is not None and why.strip().casefold() not in _NOTHING:
            return Gate(
                "legal_hold", f"Leave it to a person: legal hold on {who} ({why}).", ({"do": "hand_to_person"},)
            )
    return None


def _sell_hold(case: Case) -> Gate | None:
    ticket = case.signals.ticket
    if not ticket.hold or not case.pitches:
        return None
    until = ticket.release_on.isoformat() if ticket.release_on else None
    wait = {"do": "wait", "earliest": until, "release_rule": ticket.release_rule}
    return Gate("sell_hold", f"Sell nothing now: {ticket.reason}. Released {ticket.release_rule}.", (wait,))


def _no_consent(case: Case) -> Gate | None:
    """No permission on record. One-to-one mail may go to open deals and customers; all else needs a recorded yes."""
    contact, channel = case.contact, case.channel
    if contact is None or not case.pitches or channel not in CONSENT_KEYS or granted(contact, channel):
        return None
    if withdrawn(case.context, contact, channel):
        return None
    one_to_one = channel == "email" and case.kind != "campaign_message"
    if one_to_one and (in_open_deal(case.context, contact, case.now) or is_customer(case.context, case.now)):
        return None
    law = regime_of(case.context, contact, channel)
    reason = f"Get permission first: none for {channel} is recorded for {_called(contact)} ({law})."
    return Gate(f"no_consent:{channel}", reason, _ways_round(case, phone_script(case), postal_letter(case)))


def _cap(case: Case) -> Gate | None:
    """Promotional messages over all channels: 2 in 7 days, 4 in 30, 72 hours apart, none during a negotiation."""
    if case.kind not in CAPPED_KINDS or case.contact is None:
        return None
    deals = [d for d in case.context.deals if is_open(d, case.now)]
    bargained = next((d.id for d in deals if d.stage_kind == "negotiation"), None)
    if bargained:
        return Gate("cap", f"Promote nothing now: deal {bargained} is in negotiation.", ())
    open_ids = frozenset(d.id for d in deals)
    sent = promotional_touches(case.context.activities, case.contact.id, open_deal_ids=open_ids, now=case.now)
    free = cap_free_at(sent, case.now)
    if free is None:
        return None
    day = day_in(case.zone, free).isoformat()
    window = CAPS[-1][0]
    recent = sum(t > case.now - window for t in sent)
    reason = f"Wait until {day}: {recent} promotional messages to {_called(case.contact)} in {window.days} days."
    return Gate("cap", reason, ({"do": "wait", "earliest": day},))


def cap_free_at(sent: tuple[datetime, ...], now: datetime) -> datetime | None:
    """When the next promotional message may follow those sent (oldest first); None when it may now."""
    waits = [sent[-1] + APART] if sent else []
    waits += [sent[-most] + window for window, most in CAPS if len(sent) >= most]
    latest = max(waits, default=now)
    return latest if latest > now else None


def _quiet_hours(case: Case) -> Gate | None:
    if not in_quiet_hours(case.now, zone=case.zone, channel=case.channel):
        return None
    countries = both_sides(case.context, case.contact)
    moment = send_time(
        case.now, zone=case.zone, channel=case.channel, countries=countries, any_day=not case.promotional
    )
    move = {"do": "send_later", "at": moment.isoformat()}
    opens, closes = HOURS[case.channel]
    why = f"it is outside the hours for {case.channel} there ({opens:%H:%M} to {closes:%H:%M})"
    return Gate("quiet_hours", f"Send it at {moment:%Y-%m-%d %H:%M} ({case.zone}): {why}.", (move,))


def _stale_data(case: Case) -> Gate | None:
    """Data imported more than seven days ago, or changed in the CRM after it was read; never for the local CRM."""
    context = case.context
    if context.crm == "local":
        return None
    old = context.imported_at is not None and case.now - context.imported_at > IMPORT_AGE
    changed = context.changed_at is not None and context.changed_at > context.read_at
    if not old and not changed:
        return None
    why = "the record changed after it was read" if changed else "the newest import is older than 7 days"
    return Gate("stale_data", f"Read the CRM again first: {why}.", ({"do": "sync"},))


_GATES: tuple[Callable[[Case], Gate | None], ...] = (
    _opted_out, _unreachable, _legal_hold, _sell_hold, _no_consent, _cap, _quiet_hours, _stale_data,
)  # fmt: skip


def _ways_round(case: Case, *ways: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...]:
    return (*(w for w in ways if w), *other_contacts(case))


def _notices(case: Case) -> tuple[Mapping[str, Any], ...]:
    notice = contractual_notice(case)
    return (notice,) if notice else ()


def _called(contact: Contact) -> str:
    """The person's name, with the id that tells two of one name apart."""
    name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    return f"{name} ({contact.id})" if name else contact.id


def _listed(ids: list[str]) -> str:
    return " and ".join((", ".join(ids[:-1]), ids[-1])) if len(ids) > 1 else ids[0]
