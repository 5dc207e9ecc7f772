"""What happens while nobody approves a draft or a campaign: those who may are reminded, later others may too.

Reminders and escalations are kept in the store, so a restart neither forgets nor repeats one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from crmplugin.domain.approval import ApprovalRow
from crmplugin.domain.campaign import Campaign
from crmplugin.errors import CrmPluginError
from crmplugin.journeys.approval import rule_of, rules_of_campaign
from crmplugin.journeys.campaign_rows import campaign_of
from crmplugin.journeys.campaigns import size_of
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.outbox import send
from crmplugin.store.audit import Entry
from crmplugin.store.campaigns import CampaignRow
from crmplugin.store.drafts import DraftRow

log = logging.getLogger(__name__)

REMINDED, ESCALATED = "approval.reminded", "approval.escalated"
MOST_MAILS = 10
REMEMBERED_S, MOST_REMEMBERED = 600.0, 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for an approval. `owner_id`: the rep whose own it is; `page`: where the console shows it."""

    id: str
    connection: str
    kind: str
    since: datetime
    page: str
    rules: Callable[[], Sequence[ApprovalRow]]
    draft: str | None = None
    owner_id: str | None = None


def see_to_waiting(desk: Desk) -> int:
    """Reminds of what waits for an approval, and lets others approve what waits too long; gives back how often."""
    limits = [h for rule in desk.settings.approvals for h in (rule.remind_hours, rule.escalate_hours) if h is not None]
    if not limits:
        return 0
    now = desk.clock()
    return sum(_see_to(desk, one, now) for one in _waiting(desk, now - timedelta(hours=min(limits))))


def _waiting(desk: Desk, before: datetime) -> Iterator[Waiting]:
    """Drafts that are proposed and campaigns that are made, as they are since before a moment."""
    for row in desk.drafts.waiting(["proposed"], before=before):
        yield _draft(desk, row)
    for found in desk.campaigns.unapproved(before=before):
        yield _campaign(desk, found)


def _draft(desk: Desk, row: DraftRow) -> Waiting:
    page = f"/console/drafts/{row.id}"
    since, rules = row.updated_at, lambda: (rule_of(desk, row),)
    return Waiting(row.id, row.connection, row.kind, since, page, rules, draft=row.id, owner_id=row.owner_id)


def _campaign(desk: Desk, row: CampaignRow) -> Waiting:
    campaign = campaign_of(row)

    def rules() -> Sequence[ApprovalRow]:
        return rules_of_campaign(desk, campaign, lambda: _size_of(desk, campaign))

    return Waiting(row.id, row.connection, "campaign", row.updated_at, f"/console/campaigns/{row.id}", rules)


_sizes: dict[tuple[int, str, int], tuple[float, int]] = {}


def _size_of(desk: Desk, campaign: Campaign) -> int:
    """How many a campaign would reach, counted at most every ten minutes: sweeps come twice a minute."""
    key, now = (id(desk), campaign.id, campaign.version), time.monotonic()
    if key not in _sizes or _sizes[key][0] < now:
        if len(_sizes) >= MOST_REMEMBERED:
            _sizes.clear()
        _sizes[key] = now + REMEMBERED_S, size_of(desk, campaign)
    return _sizes[key][1]


def _see_to(desk: Desk, one: Waiting, now: datetime) -> int:
    wait = desk.waits.find(one.id)
    reminded, escalated = (wait.reminded_at, wait.escalated_at) if wait else (None, None)
    return sum(_see_to_rule(desk, one, rule, reminded, escalated, now) for rule in one.rules())


def _see_to_rule(
    desk: Desk, one: Waiting, rule: ApprovalRow, reminded: datetime | None, escalated: datetime | None, now: datetime
) -> int:
    age, done = now - one.since, 0
    if _over(rule.escalate_hours, age) and not (escalated and escalated >= one.since):
        done += _tell(desk, one, ESCALATED, rule.escalate_to, now)
    if _over(rule.remind_hours, age) and (reminded is None or _over(rule.remind_hours, now - reminded)):
        done += _tell(desk, one, REMINDED, rule.roles, now)
    return done


def _over(hours: int | None, age: timedelta) -> bool:
    return hours is not None and age >= timedelta(hours=hours)


def _tell(desk: Desk, one: Waiting, kind: str, roles: frozenset[str], now: datetime) -> int:
    """Keeps that it was told, once over all processes, and mails it where a mail server is set."""
    column = "escalated_at" if kind == ESCALATED else "reminded_at"
    if not desk.waits.mark(one.id, column, since=one.since, at=now):
        return 0
    body = {"kind": one.kind, "to": sorted(roles), "waiting_since": one.since.isoformat()}
    body |= {} if one.draft else {"campaign": one.id}
    desk.audit.add(Entry(kind, now, "system", one.connection, one.draft, body))
    log.info("an approval waits", extra={"waiting": one.id, "connection": one.connection, "told": kind})
    _mail(desk, one, _addresses(desk, one, roles))
    return 1


def _addresses(desk: Desk, one: Waiting, roles: frozenset[str]) -> list[str]:
    """Whom to write to: the owner when their role may approve, and everybody of the other roles."""
    users = desk.records.iterate(one.connection, "users")
    return [u.email for u in users if u.email and u.role in roles and (u.role != "rep" or u.id == one.owner_id)]


def _mail(desk: Desk, one: Waiting, addresses: Sequence[str]) -> None:
    """No customer text in it: who gets it signs in to read."""
    if not desk.settings.smtp_url or not addresses:
        return
    where = f"{desk.settings.public_url or 'the console'}{one.page}"
    mails = []
    for address in addresses[:MOST_MAILS]:
        mail = EmailMessage()
        mail["To"], mail["From"] = address, address
        mail["Subject"] = f"A {one.kind.replace('_', ' ')} waits for approval"
        mail.set_content(f"It waits since {one.since:%Y-%m-%d %H:%M} UTC: {where}\n")
        mails.append(mail)
    try:
        send(mails, desk.settings.smtp_url)
    except CrmPluginError as error:
        log.warning("a reminder could not be mailed", extra={"waiting": one.id, "problem": type(error).__name__})
