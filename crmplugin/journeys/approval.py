"""Who may approve a draft or a campaign: the owner's table first, then the defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from crmplugin.domain.approval import ApprovalCase, ApprovalRow
from crmplugin.domain.brief import INTERNAL_KINDS
from crmplugin.domain.campaign import Campaign
from crmplugin.errors import AccessDenied
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.persons import NAMELESS, user_behind
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow

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
NO_PERSON = frozenset({"playbook", "model", "template"})


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
    return _why_not_second(desk, who, row.connection, row.kind, authors_of(desk, row)) if rule.four_eyes else None


def _why_not_second(desk: Desk, who: Principal, connection: str, what: str, authors: frozenset[str]) -> str | None:
    """Why somebody is not the second person that is needed."""
    name = person_of(desk, who.name, connection)
    if name.startswith(NAMELESS):
        return f"this {what} needs a second person, and nobody knows who you are: take a link made for your user"
    if name in authors:
        return f"this {what} needs a second person: you asked for it or edited it, so somebody else approves it"
    return None


def check_approver(desk: Desk, row: DraftRow, who: Principal) -> None:
    """Raises AccessDenied for somebody who may not approve a draft."""
    if (why := why_not(desk, row, who)) is not None:
        raise AccessDenied(why)


def check_campaign(desk: Desk, campaign: Campaign, who: Principal, recipients: Callable[[], int]) -> None:
    """Raises AccessDenied for somebody who may not approve a campaign on one of its channels.

    `recipients` counts whom it would reach; asked only where a row of the table looks at that.
    """
    escalated = (wait := desk.waits.find(campaign.id)) is not None and wait.escalated_at is not None
    for rule in rules_of_campaign(desk, campaign, recipients):
        roles = rule.roles | rule.escalate_to if escalated else rule.roles
        if who.role not in roles:
            raise AccessDenied(f"a {who.role} may not approve a campaign: ask one of {', '.join(sorted(roles))}")
        authors = authors_of_campaign(desk, campaign)
        if rule.four_eyes and (why := _why_not_second(desk, who, campaign.connection, "campaign", authors)):
            raise AccessDenied(why)


def rules_of_campaign(desk: Desk, campaign: Campaign, recipients: Callable[[], int]) -> tuple[ApprovalRow, ...]:
    """The rows of the table that decide about a campaign, one for each channel."""
    counts = any(rule.recipients_above is not None for rule in desk.settings.approvals)
    size = recipients() if counts else 1
    fields = {"connection": campaign.connection, "kind": campaign.kind, "type": None, "audience": "customer"}
    cases = [ApprovalCase({**fields, "channel": channel}, recipients=size) for channel in campaign.channels]
    default = ApprovalRow(MAY_APPROVE[campaign.kind])
    return tuple(next((rule for rule in desk.settings.approvals if rule.fits(case)), default) for case in cases)


def authors_of_campaign(desk: Desk, campaign: Campaign) -> frozenset[str]:
    """The persons who made a campaign or changed its words."""
    names = (campaign.created_by, *campaign.edited_by)
    return frozenset(person_of(desk, name, campaign.connection) for name in names if name)


def authors_of(desk: Desk, row: DraftRow) -> frozenset[str]:
    """The persons who asked for a draft or changed its text, or that of a draft which it is another variant of."""
    found: set[str] = set()
    at: DraftRow | None = row
    while at is not None:
        names = [at.created_by, *(version.by for version in desk.drafts.versions(at.id))]
        found |= {person_of(desk, name, at.connection) for name in names if name and name not in NO_PERSON}
        at = desk.drafts.find(at.replaces) if at.replaces else None
    return frozenset(found)


def person_of(desk: Desk, name: str, connection: str) -> str:
    """Who stands behind a name on a connection."""
    return user_behind(name, connection, access=desk.access, records=desk.records)


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
