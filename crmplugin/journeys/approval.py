"""Who may approve a draft: the owner's table first, then the defaults; and what happens while nobody does.

Reminders and escalations are kept in the store, so a restart neither forgets nor repeats one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.message import EmailMessage
from typing import Any

from crmplugin.domain.approval import ApprovalCase, ApprovalRow
from crmplugin.domain.brief import INTERNAL_KINDS
from crmplugin.domain.campaign import Campaign
from crmplugin.errors import AccessDenied, CrmPluginError
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.outbox import send
from crmplugin.store.access import Principal
from crmplugin.store.audit import Entry
from crmplugin.store.drafts import DraftRow

log = logging.getLogger(__name__)

EVERYBODY = frozenset({"rep", "manager", "director", "marketing", "admin"})
SALES = frozenset({"rep", "manager", "director", "admin"})
MAY_APPROVE: Mapping[str, frozenset[str]] = {
    "internal": EVERYBODY,
    "one_to_one": SALES,
    "social_reply": frozenset({"manager", "director", "marketing", "admin"}),
    "campaign_message": frozenset({"director", "marketing", "admin"}),
}
"""Roles that may approve what, where the owner's table has no row: internal notes, messages to one customer, public
replies, campaigns."""
REMINDED, ESCALATED = "approval.reminded", "approval.escalated"
NO_PERSON = frozenset({"playbook", "model", "template", None})


def rule_of(desk: Desk, row: DraftRow) -> ApprovalRow:
    """The row of the table that decides about a draft."""
    case = case_of(desk, row)
    own = next((rule for rule in desk.settings.approvals if rule.fits(case)), None)
    return own or ApprovalRow(MAY_APPROVE[class_of(row.kind)])


def class_of(kind: str) -> str:
    if kind in INTERNAL_KINDS:
        return "internal"
    return kind if kind in MAY_APPROVE else "one_to_one"


def roles_of(desk: Desk, row: DraftRow, rule: ApprovalRow) -> frozenset[str]:
    """The roles that may approve a draft now: more of them once it was escalated."""
    wait = desk.waits.find(row.id) if rule.escalate_hours is not None else None
    return rule.roles | rule.escalate_to if wait is not None and wait.escalated_at else rule.roles


def why_not(desk: Desk, row: DraftRow, who: Principal) -> str | None:
    """Why somebody may not approve a draft, in a sentence; None when they may."""
    rule = rule_of(desk, row)
    roles = roles_of(desk, row, rule)
    if who.role not in roles:
        return f"a {who.role} may not approve this {row.kind}: ask one of {', '.join(sorted(roles))}"
    if rule.four_eyes and person_of(desk, who.name) in authors_of(desk, row):
        return f"this {row.kind} needs a second person: you asked for it or edited it, so somebody else approves it"
    return None


def check_approver(desk: Desk, row: DraftRow, who: Principal) -> None:
    """Raises AccessDenied for somebody who may not approve a draft."""
    if (why := why_not(desk, row, who)) is not None:
        raise AccessDenied(why)


def check_campaign(desk: Desk, campaign: Campaign, who: Principal, recipients: Callable[[], int]) -> None:
    """Raises AccessDenied for somebody who may not approve a campaign on one of its channels.

    `recipients` counts whom it would reach; asked only where a row of the table looks at that.
    """
    counts = any(rule.recipients_above is not None for rule in desk.settings.approvals)
    size = recipients() if counts else 1
    for channel in campaign.channels:
        fields = {"connection": campaign.connection, "kind": campaign.kind, "type": None, "audience": "customer"}
        case = ApprovalCase({**fields, "channel": channel}, recipients=size)
        rule = next((rule for rule in desk.settings.approvals if rule.fits(case)), None)
        rule = rule or ApprovalRow(MAY_APPROVE[campaign.kind])
        if who.role not in rule.roles:
            raise AccessDenied(f"a {who.role} may not approve a campaign: ask one of {', '.join(sorted(rule.roles))}")
        if rule.four_eyes and person_of(desk, who.name) == person_of(desk, campaign.created_by):
            raise AccessDenied("this campaign needs a second person: you made it, so somebody else approves it")


def authors_of(desk: Desk, row: DraftRow) -> frozenset[str]:
    """The persons who asked for a draft or changed its text."""
    names = [row.created_by, *(version.by for version in desk.drafts.versions(row.id))]
    return frozenset(person_of(desk, name) for name in names if name not in NO_PERSON)


def person_of(desk: Desk, name: str | None) -> str:
    """Who stands behind a name: the user of a token, so that one person with token and session is one."""
    kind, _, rest = (name or "").partition(":")
    token = desk.access.find_token(rest) if kind == "token" else None
    return f"user:{token.user_id}" if token is not None and token.user_id else name or ""


def case_of(desk: Desk, row: DraftRow) -> ApprovalCase:
    """What the table looks at: the draft's own fields, and amount and discount of the deal it is about."""
    document = row.document
    fields: dict[str, str | None] = {"connection": row.connection, "kind": row.kind}
    fields |= {name: document.get(name) for name in ("type", "audience", "channel")}
    facts = document.get("facts") or ()
    deal = _deal_of(desk, row)
    discounts = [*_discounts(facts), *([deal.discount_pct] if deal and deal.discount_pct is not None else [])]
    return ApprovalCase(fields, _amounts(deal, facts), max(discounts, default=None))


def _deal_of(desk: Desk, row: DraftRow) -> Any:
    read = desk.records.read_one
    if row.subject_type == "deal":
        return read(row.connection, "deals", row.subject_id)
    collection = {"ticket": "tickets", "activity": "activities"}.get(row.subject_type)
    record = read(row.connection, collection, row.subject_id) if collection else None
    deal_id = getattr(record, "deal_id", None)
    return read(row.connection, "deals", deal_id) if deal_id else None


def _amounts(deal: Any, facts: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """The deal's amount by currency: from the store, and from the draft's own facts where the CRM alone has it."""
    found = {}
    for fact in facts:
        told = any(source["object"] == "deals" and source["field"] == "amount" for source in fact.get("source") or ())
        if fact["kind"] == "money" and fact.get("unit") and told and (value := _number(fact["value"])) is not None:
            found[fact["unit"]] = value
    if deal is not None:
        for value, currency in ((deal.amount, deal.currency), (deal.amount_base, deal.base_currency)):
            if value is not None and currency:
                found[currency] = value
    return found


def _discounts(facts: Iterable[Mapping[str, Any]]) -> Iterator[Decimal]:
    for fact in facts:
        told = any("discount" in source["field"] for source in fact.get("source") or ())
        if fact["kind"] == "percent" and told and (value := _number(fact["value"])) is not None:
            yield value


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def see_to_waiting(desk: Desk) -> int:
    """Reminds of drafts that wait for an approval, and lets others approve those that wait too long."""
    limits = [h for rule in desk.settings.approvals for h in (rule.remind_hours, rule.escalate_hours) if h is not None]
    if not limits:
        return 0
    now = desk.clock()
    waiting = desk.drafts.waiting(["proposed"], before=now - timedelta(hours=min(limits)))
    return sum(_see_to(desk, row, now) for row in waiting)


def _see_to(desk: Desk, row: DraftRow, now: datetime) -> int:
    rule, wait = rule_of(desk, row), desk.waits.find(row.id)
    age = now - row.updated_at
    reminded, escalated = (wait.reminded_at, wait.escalated_at) if wait else (None, None)
    done = 0
    if _over(rule.escalate_hours, age) and not (escalated and escalated >= row.updated_at):
        done += _tell(desk, row, ESCALATED, rule.escalate_to, now)
    if _over(rule.remind_hours, age) and (reminded is None or _over(rule.remind_hours, now - reminded)):
        done += _tell(desk, row, REMINDED, rule.roles, now)
    return done


def _over(hours: int | None, age: timedelta) -> bool:
    return hours is not None and age >= timedelta(hours=hours)


def _tell(desk: Desk, row: DraftRow, kind: str, roles: frozenset[str], now: datetime) -> int:
    """Keeps that it was told, once over all processes, and mails it where a mail server is set."""
    column = "escalated_at" if kind == ESCALATED else "reminded_at"
    if not desk.waits.mark(row.id, column, since=row.updated_at, at=now):
        return 0
    body = {"kind": row.kind, "to": sorted(roles), "waiting_since": row.updated_at.isoformat()}
    desk.audit.add(Entry(kind, now, "system", row.connection, row.id, body))
    log.info("an approval waits", extra={"draft": row.id, "connection": row.connection, "told": kind})
    _mail(desk, row, _addresses(desk, row, roles))
    return 1


def _addresses(desk: Desk, row: DraftRow, roles: frozenset[str]) -> list[str]:
    """Whom to write to: the owner when their role may approve, and everybody of the other roles."""
    users = desk.records.iterate(row.connection, "users")
    return [u.email for u in users if u.email and u.role in roles and (u.role != "rep" or u.id == row.owner_id)]


def _mail(desk: Desk, row: DraftRow, addresses: Sequence[str]) -> None:
    """No customer text in it: who gets it signs in to read."""
    if not desk.settings.smtp_url or not addresses:
        return
    where = f"{desk.settings.public_url or 'the console'}/console/drafts/{row.id}"
    mails = []
    for address in addresses[:MOST_MAILS]:
        mail = EmailMessage()
        mail["To"], mail["From"] = address, address
        mail["Subject"] = f"A {row.kind.replace('_', ' ')} waits for approval"
        mail.set_content(f"It waits since {row.updated_at:%Y-%m-%d %H:%M} UTC: {where}\n")
        mails.append(mail)
    try:
        send(mails, desk.settings.smtp_url)
    except CrmPluginError as error:
        log.warning("a reminder could not be mailed", extra={"draft": row.id, "problem": type(error).__name__})


MOST_MAILS = 10
