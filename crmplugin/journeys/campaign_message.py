"""One recipient's message of a campaign: the approved words and the facts of that account, through the usual checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from crmplugin.brief.recipient import owner_of
from crmplugin.domain.brief import DraftChannel, Request
from crmplugin.domain.campaign import GOALS, Campaign, Master, RecipientState
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft
from crmplugin.errors import NotFound
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.draft import Tools, make_draft
from crmplugin.journeys.present import to_json
from crmplugin.writing.template import TemplateWriter

NOT_BLOCKED = frozenset({"missing_facts", "nothing_due"})
"""Codes of a decision that are no gate: there was nothing true to say."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is for, and in which words."""

    contact_id: str
    channel: DraftChannel
    language: str
    variant: str


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a recipient: the message as it is kept, or the reason why there is none."""

    state: RecipientState
    reason: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


def make_message(desk: Desk, campaign: Campaign, recipient: Recipient) -> Made:
    """The message for one recipient; the angles of the goal are tried in turn until one has its facts.

    Raises what the connector raises when the CRM cannot be read.
    """
    tools = desk.tools(campaign.connection)
    read = _reader(tools)
    tools = replace(tools, read_context=read, template=_writer(campaign, recipient))
    if campaign.mode == "merge":
        tools = replace(tools, model=None)
    draft = None
    for angle in GOALS[campaign.goal]:
        try:
            draft = make_draft(
                _request(campaign, recipient, angle), tools=tools, draft_id=f"{campaign.id}/{recipient.contact_id}",
                now=desk.clock(), origin="campaign", created_by=campaign.created_by,
            )  # fmt: skip
        except NotFound:
            return Made("excluded", "not_found")
        if draft.status == "proposed" or draft.decision.code not in NOT_BLOCKED:
            break
    assert draft is not None
    return _made(draft, read(Subject("contact", recipient.contact_id)))


def _reader(tools: Tools) -> Callable[[Subject], Context]:
    """Reads each record once for all angles."""
    return cache(tools.read_context)


def _writer(campaign: Campaign, recipient: Recipient) -> TemplateWriter:
    wanted = (recipient.language, recipient.channel, recipient.variant)
    masters = (m for m in campaign.masters if (m.language, m.channel, m.variant) == wanted)
    master: Master | None = next(masters, None)
    return TemplateWriter(master.patterns if master else None)


def _request(campaign: Campaign, recipient: Recipient, angle: Any) -> Request:
    return Request(
        connection=campaign.connection,
        kind="campaign_message",
        subject=Subject("contact", recipient.contact_id),
        type=angle,
        to_contact_id=recipient.contact_id,
        channel=recipient.channel,
        language=recipient.language,
        instruction=campaign.goal_text if campaign.mode == "personal" else None,
        writer="template" if campaign.mode == "merge" else "auto",
    )


def _made(draft: Draft, context: Context) -> Made:
    usage = draft.usage
    spent = (1, usage.input_tokens, usage.output_tokens) if usage and draft.writer == "model" else (0, 0, 0)
    if draft.status != "proposed":
        code = draft.decision.code or draft.status
        return Made("excluded" if code in NOT_BLOCKED else "blocked", code, {}, *spent)
    told = [s for s in draft.sentences if s.role in ("context", "claim") and s.evidence]
    if draft.writer == "template" and not told:
        return Made("excluded", "missing_facts", {}, *spent)  # a script of questions alone says nothing true of them
    return Made("drafted", None, _document(draft, context), *spent)


def _document(draft: Draft, context: Context) -> dict[str, Any]:
    """What is kept of a message: its text, what carries each sentence, and the facts that do."""
    cited = {id_ for sentence in draft.sentences for id_ in sentence.evidence}
    owner = owner_of(context)
    return {
        "to": {"address": draft.to.address, "display_name": draft.to.display_name} if draft.to else None,
        "from": {"name": owner.name, "email": owner.email} if owner else None,
        "subject": draft.subject,
        "body": draft.body,
        "html": draft.html,
        "sentences": to_json(draft.sentences),
        "facts": to_json([fact for fact in draft.facts if fact.id in cited]),
        "type": draft.type,
        "writer": draft.writer,
        "model": draft.model,
        "regime": draft.compliance.regime,
        "compliance": list(draft.compliance.elements),
    }
