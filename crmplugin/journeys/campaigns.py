"""A campaign from the wish to the approved words: create, preview, edit, approve.

The master words are approved once; every message is then made of them and of one recipient's facts, and passes the same
checks as any draft. Who is written to is asked of the segment and the gates, again at each step.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crmplugin.analysis.segments import Member, Preview
from crmplugin.brief.assemble import is_formal
from crmplugin.domain.campaign import (
    CHANGED,
    CHANNELS,
    GOALS,
    MAX_VARIANTS,
    MODES,
    Campaign,
    Master,
    goal_of,
    variant_names,
)
from crmplugin.domain.crm import Segment, Voice, Where
from crmplugin.domain.records import build, check_record
from crmplugin.domain.spending import Payer
from crmplugin.errors import ModelError, RecordProblem, StateConflict, UsageError
from crmplugin.journeys.approval import check_campaign
from crmplugin.journeys.campaign_learning import Lesson, find_lesson
from crmplugin.journeys.campaign_message import Recipient, make_message
from crmplugin.journeys.campaign_plan import cost_estimate, test_plan
from crmplugin.journeys.campaign_rows import OWN_COLUMNS, campaign_of
from crmplugin.journeys.crm_lists import CrmList, find_list
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.present import to_json
from crmplugin.journeys.segments import find_segment, preview_document, preview_segment
from crmplugin.ports import ChatModel
from crmplugin.store.access import Principal
from crmplugin.store.audit import Entry
from crmplugin.store.campaigns import CampaignRow
from crmplugin.writing.bank import languages as bank_languages
from crmplugin.writing.bank import load_bank
from crmplugin.writing.master import bank_patterns, is_changed, keys_of, problem_of, word_master

KEYS = ("connection", "segment_id", "segment", "goal", "kind", "channels", "languages", "mode", "variants",
        "holdout_pct", "name")  # fmt: skip
SAMPLES = 3
TRIED = 40
"""Recipients that are tried until so many samples are found."""


def create_campaign(desk: Desk, wish: Mapping[str, Any], who: Principal, *, campaign_id: str | None = None) -> Campaign:
    """Keeps what is wanted, with the words of the bank. Raises UsageError naming every field that is wrong."""
    campaign = _read_wish(desk, wish, who, campaign_id or uuid.uuid4().hex[:12])
    lesson = find_lesson(desk, campaign.connection, campaign.goal)
    campaign = replace(campaign, learned=lesson.learned if lesson else None)
    campaign = replace(campaign, masters=_bank_masters(desk, campaign, lesson))
    desk.campaigns.create(_row(campaign, desk.clock()))
    return _in_a_models_words(desk, campaign.id)


def _in_a_models_words(desk: Desk, campaign_id: str) -> Campaign:
    """The campaign worded by the model, when one is set and words are fixed once; the bank's words when it fails."""
    campaign = get_campaign(desk, campaign_id)
    payer = Payer(campaign.connection, campaign.kind, campaign.created_by)
    chat = getattr(desk.tools(campaign.connection).paid_by(payer).model, "chat", None)
    if chat is None or campaign.mode != "merge" or any(m.writer == "model" for m in campaign.masters):
        return campaign
    try:
        return reword_campaign(desk, campaign_id, chat)
    except ModelError as error:
        usage = {**campaign.usage, "problem": f"The words are the sentence bank's: {error}"}
        document = document_of(replace(campaign, usage=usage))
        return campaign_of(desk.campaigns.edit(campaign_id, document, version=campaign.version, at=desk.clock()))


def get_campaign(desk: Desk, campaign_id: str) -> Campaign:
    """One campaign. Raises NotFound."""
    return campaign_of(desk.campaigns.get(campaign_id))


def document_of(campaign: Campaign) -> dict[str, Any]:
    """What a row keeps of a campaign beside its columns."""
    document: dict[str, Any] = to_json(campaign)
    return {name: value for name, value in document.items() if name not in OWN_COLUMNS}


def members_of(desk: Desk, campaign: Campaign, channels: Sequence[Any]) -> dict[str, Preview]:
    """By channel, who the segment means now, who is left out and why; a list is read from the CRM. Raises NotFound."""
    tools, listed = desk.tools(campaign.connection), list_of(desk, campaign)
    segment = listed.segment if listed else _segment_of(desk, campaign)
    return {
        channel: preview_segment(
            campaign.connection, segment,
            records=desk.records, population=tools.population(), read_context=tools.read_context,
            now=desk.clock(), channel=channel, listed=listed,
        )
        for channel in channels
    }  # fmt: skip


def list_of(desk: Desk, campaign: Campaign) -> CrmList | None:
    """The CRM's list that the campaign names, read just now; None when it has a segment of ours. Raises NotFound."""
    if campaign.segment_id is None:
        return None
    connector = desk.connector(campaign.connection)
    return find_list(campaign.connection, campaign.segment_id, connector=connector, records=desk.records)


def _segment_of(desk: Desk, campaign: Campaign) -> Segment:
    if campaign.segment_id is None:
        return Segment(id=campaign.id, where=campaign.where)
    return find_segment(campaign.connection, campaign.segment_id, records=desk.records)


def preview_campaign(desk: Desk, campaign_id: str) -> dict[str, Any]:
    """Counts by reason of removal, what can honestly be tested, what it would cost, the words, and three messages."""
    campaign = get_campaign(desk, campaign_id)
    channels = members_of(desk, campaign, campaign.channels)
    first = channels[campaign.channels[0]]
    reached = _reached(campaign, first.left)
    return {
        "campaign": campaign.id,
        "channels": {name: _counts(campaign, found) for name, found in channels.items()},
        "plan": test_plan(campaign, [m.account_id for m in reached]),
        "estimate": cost_estimate(desk, campaign, sum(len(_reached(campaign, f.left)) for f in channels.values())),
        "samples": _samples(desk, campaign, reached),
    }


def edit_campaign(
    desk: Desk, campaign_id: str, who: Principal, *, version: int, masters: Sequence[Mapping[str, Any]]
) -> Campaign:
    """Other words for some masters; an approved campaign must be approved again. Raises UsageError, StateConflict."""
    campaign = get_campaign(desk, campaign_id)
    changed = {_key(m): m for m in masters}
    known = {(m.language, m.channel, m.variant): m for m in campaign.masters}
    if unknown := [key for key in changed if key not in known]:
        raise UsageError(f"masters: there is none for {unknown[0]}; known are {sorted(known)}")
    words = tuple(_edited(m, changed.get(key)) for key, m in known.items())
    editors, now = tuple(dict.fromkeys((*campaign.edited_by, who.name))), desk.clock()
    campaign = replace(campaign, masters=words, approved_by=None, approved_at=None, edited_by=editors)
    edited = campaign_of(desk.campaigns.edit(campaign_id, document_of(campaign), version=version, at=now))
    body = {"campaign": campaign_id, "version": edited.version, "masters": [list(key) for key in changed]}
    desk.audit.add(Entry("campaign.edited", now, who.name, campaign.connection, body=body))
    return edited


def reword_campaign(desk: Desk, campaign_id: str, chat: ChatModel) -> Campaign:
    """The masters in a model's words: one call for each. Where the model fails the bank's words stand.

    Raises ModelError when no call gave anything.
    """
    campaign = get_campaign(desk, campaign_id)
    usage = dict(campaign.usage)
    words, errors = [], []
    for master in campaign.masters:
        try:
            worded, used = word_master(master, campaign, chat, formal=_formal(desk, campaign, master.language))
        except ModelError as error:
            errors.append(error)
            words.append(master)
            continue
        words.append(worded)
        _count(usage, 1, used.input_tokens, used.output_tokens)
    if len(errors) == len(campaign.masters):
        raise errors[0]
    campaign = replace(campaign, masters=tuple(words), usage=usage)
    document = document_of(campaign)
    return campaign_of(desk.campaigns.edit(campaign_id, document, version=campaign.version, at=desk.clock()))


def approve_campaign(desk: Desk, campaign_id: str, who: Principal, *, version: int | None = None) -> Campaign:
    """Approves the words, once samples of them pass the checks. Raises AccessDenied or StateConflict."""
    campaign = get_campaign(desk, campaign_id)
    check_campaign(desk, campaign, who, lambda: size_of(desk, campaign))
    if version is not None and version != campaign.version:
        raise StateConflict(f"campaign {campaign_id} is at version {campaign.version}, not {version}: read it again")
    first = campaign.channels[0]
    left = members_of(desk, campaign, (first,))[first].left
    samples = _samples(desk, campaign, _reached(campaign, left))
    if samples and all(s["problem"] for s in samples):
        raise StateConflict(f"no sample of campaign {campaign_id} passes the checks: {samples[0]['problem']}")
    now = desk.clock()
    document = document_of(replace(campaign, approved_by=who.name, approved_at=now))
    approved = campaign_of(
        desk.campaigns.move(campaign_id, "approved", at=now, document=document, version=campaign.version)
    )
    body = {"campaign": campaign_id, "version": approved.version, "channels": list(campaign.channels)}
    desk.audit.add(Entry("campaign.approved", now, who.name, campaign.connection, body=body))
    return approved


def size_of(desk: Desk, campaign: Campaign) -> int:
    """How many messages a campaign would be, over all its channels."""
    found = members_of(desk, campaign, campaign.channels)
    return sum(len(_reached(campaign, seen.left)) for seen in found.values())


def _read_wish(desk: Desk, wish: Mapping[str, Any], who: Principal, campaign_id: str) -> Campaign:
    problems = [f"{key}: unknown; known are {', '.join(KEYS)}" for key in wish if key not in KEYS]
    connection = str(wish.get("connection") or "local")
    if connection not in desk.settings.connections or not who.sees(connection):
        problems.append(f"connection: no connection {connection!r}; see `crmplugin connections list`")
    where = _where(wish, problems)
    channels = _words(wish, "channels", ("email",), CHANNELS, problems)
    languages = _words(wish, "languages", (), bank_languages(), problems)
    mode: Any = wish.get("mode") or "merge"
    if mode not in MODES:
        problems.append(f"mode: expected merge or personal, got {mode!r}")
    if wish.get("kind") not in (None, "campaign_message"):
        problems.append(f"kind: expected campaign_message, got {wish['kind']!r}")
    variants = _number(wish, "variants", 1, 1, MAX_VARIANTS, problems)
    holdout = _number(wish, "holdout_pct", 10, 0, 50, problems)
    goal = wish.get("goal")
    if not isinstance(goal, str) or not goal.strip() or len(goal) > 500:
        problems.append(f"goal: expected one of {', '.join(GOALS)}, or what it is for in your words")
    if problems:
        raise UsageError("; ".join(problems))
    segment_id = wish.get("segment_id")
    if segment_id is not None:
        listed = find_list(connection, segment_id, connector=desk.connector(connection), records=desk.records)
        where = None if listed else find_segment(connection, segment_id, records=desk.records).where
    return Campaign(
        id=campaign_id,
        connection=connection,
        status="created",
        version=1,
        created_at=desk.clock(),
        name=str(wish.get("name") or goal)[:120],
        goal=goal_of(str(goal), where),
        goal_text=str(goal),
        segment_id=segment_id,
        where=None if segment_id is not None else where,
        channels=channels,
        languages=languages,
        mode=mode,
        variants=variants,
        holdout_pct=holdout,
        created_by=who.name,
    )


def _where(wish: Mapping[str, Any], problems: list[str]) -> Where | None:
    """The predicate that came with the wish; exactly one of it and a segment or list must be given."""
    given = [key for key in ("segment_id", "segment") if wish.get(key) is not None]
    if len(given) != 1:
        problems.append("segment_id: name a saved segment, or give a predicate as segment")
        return None
    if given == ["segment_id"]:
        if not isinstance(wish["segment_id"], str):
            problems.append("segment_id: expected the id of a saved segment, or of a list of the CRM")
        return None
    try:
        checked = check_record("segments", {"id": "wish", "where": wish["segment"]})
    except RecordProblem as problem:
        problems.append(f"segment.{problem}")
        return None
    where: Where | None = build("segments", checked).where
    return where


def _words(
    wish: Mapping[str, Any], key: str, default: tuple[Any, ...], known: Sequence[str], problems: list[str]
) -> tuple[Any, ...]:
    value = wish.get(key)
    if value is None:
        return default
    if not isinstance(value, (list, tuple)) or any(v not in known for v in value) or (default and not value):
        problems.append(f"{key}: expected a list of {', '.join(known)}, got {value!r}")
        return default
    return tuple(dict.fromkeys(value))


def _number(wish: Mapping[str, Any], key: str, default: int, low: int, high: int, problems: list[str]) -> int:
    value = wish.get(key, default)
    value = len(value) if key == "variants" and isinstance(value, list) else value
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        problems.append(f"{key}: expected a whole number from {low} to {high}, got {value!r}")
        return default
    return value


def _bank_masters(desk: Desk, campaign: Campaign, lesson: Lesson | None) -> tuple[Master, ...]:
    """The bank's words; where an earlier version won, its words, changed by each further version in its property."""
    masters = []
    for language in campaign.languages or bank_languages():
        keys = keys_of(GOALS[campaign.goal], language)
        for channel in campaign.channels:
            for n, name in enumerate(variant_names(campaign.variants)):
                patterns = bank_patterns(
                    campaign.id, keys,
                    language=language, channel=channel, formal=_formal(desk, campaign, language), variant=n,
                )  # fmt: skip
                kept = lesson.words(language, channel) if lesson else {}
                patterns |= {key: text for key, text in kept.items() if key in patterns and not is_changed(key, n)}
                masters.append(Master(language, channel, name, CHANGED[n][0], patterns))
    return tuple(masters)


def _formal(desk: Desk, campaign: Campaign, language: str) -> bool:
    return is_formal(desk.records.read_one(campaign.connection, "voice", "voice") or Voice(), language)


def _key(master: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return master.get("language"), master.get("channel"), master.get("variant")


def _edited(master: Master, change: Mapping[str, Any] | None) -> Master:
    if change is None:
        return master
    bank, wanted = load_bank(master.language), dict(change.get("patterns") or {})
    if unknown := [key for key in wanted if key not in master.patterns]:
        raise UsageError(f"patterns: {unknown[0]} is no sentence of this campaign")
    problems = [p for key, text in wanted.items() if (p := problem_of(str(text), bank[key]))]
    if problems:
        raise UsageError("; ".join(problems))
    return replace(master, patterns={**master.patterns, **wanted})


def _count(usage: dict[str, Any], calls: int, tokens_in: int, tokens_out: int) -> None:
    for key, n in (("calls", calls), ("input_tokens", tokens_in), ("output_tokens", tokens_out)):
        usage[key] = usage.get(key, 0) + n


def _reached(campaign: Campaign, left: Sequence[Member]) -> list[Member]:
    """Those whose language the campaign speaks."""
    spoken = campaign.languages or bank_languages()
    return [m for m in left if (m.language or "en") in spoken]


def _counts(campaign: Campaign, found: Preview) -> dict[str, Any]:
    document = dict(preview_document(found))
    reached = _reached(campaign, found.left)
    silent = len(found.left) - len(reached)
    removed = {**document["removed"], **({"language": silent} if silent else {})}
    return {**document, "removed": removed, "left": len(reached), "members": document["members"][:SAMPLES]}


def _samples(desk: Desk, campaign: Campaign, reached: Sequence[Member]) -> list[dict[str, Any]]:
    """Three messages as they would be; where the first recipients have none, those of later ones come first."""
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for member in reached[:TRIED]:
        sample = _sample(desk, campaign, member)
        (bad if sample["problem"] else good).append(sample)
        if len(good) == SAMPLES:
            break
    return [*good, *bad][:SAMPLES]


def _sample(desk: Desk, campaign: Campaign, member: Member) -> dict[str, Any]:
    """One message as it would be, made without a model."""
    recipient = Recipient(member.contact_id, campaign.channels[0], member.language or "en", "A")
    made = make_message(desk, replace(campaign, mode="merge"), recipient)
    return {"contact_id": member.contact_id, "company_id": member.account_id, "problem": made.reason, **made.document}


def _row(campaign: Campaign, at: datetime) -> CampaignRow:
    return CampaignRow(
        campaign.id, campaign.connection, campaign.status, campaign.version, campaign.run, at, at, document_of(campaign)
    )
