"""A campaign's messages, one recipient after another: durable, paused and continued, each recipient exactly once.

A run has a few lanes; each is a job that settles its waiting recipients in small batches and looks before each
whether it is still wanted. A killed lane is done again by the engine and goes on with those that still wait. In the
personal way a batch is one recipient, so that a paid answer is kept before the next is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crmplugin.analysis.segments import Member
from crmplugin.brief.touches import address_of
from crmplugin.domain.campaign import CAMPAIGNERS, Campaign
from crmplugin.errors import AccessDenied, StateConflict
from crmplugin.journeys.campaign_message import Recipient, make_message
from crmplugin.journeys.campaign_plan import HELD_OUT, arm_of, share_held_out
from crmplugin.journeys.campaign_rows import campaign_of
from crmplugin.journeys.campaigns import document_of, get_campaign, members_of
from crmplugin.journeys.desk import PRIORITIES, Desk
from crmplugin.store.access import Principal
from crmplugin.store.campaigns import RecipientRow
from crmplugin.writing.bank import languages as bank_languages

LANES: Mapping[str, int] = {"merge": 2, "personal": 12}
"""Jobs at once: words by code need a core each, words by a model wait for it."""
BATCH: Mapping[str, int] = {"merge": 20, "personal": 1}


def start_campaign(desk: Desk, campaign_id: str, who: Principal) -> Campaign:
    """Chooses the recipients of an approved campaign and starts its lanes. Raises AccessDenied or StateConflict."""
    _check_role(who, "run")
    campaign = get_campaign(desk, campaign_id)
    if campaign.status != "approved":
        raise StateConflict(f"campaign {campaign_id} is {campaign.status}: only an approved one can be run")
    members = choose_recipients(desk, campaign)
    if not any(row.state == "waiting" for row in members):
        raise StateConflict(
            f"nobody is left to write to: look at the preview of campaign {campaign_id}, then its segment"
        )
    return _begin(desk, campaign, members)


def resume_campaign(desk: Desk, campaign_id: str, who: Principal) -> Campaign:
    """Goes on with a paused campaign. Raises StateConflict for another: without recipients it would be done at once."""
    _check_role(who, "resume")
    campaign = get_campaign(desk, campaign_id)
    if campaign.status != "paused":
        raise StateConflict(f"campaign {campaign_id} is {campaign.status}: only a paused one can be resumed")
    return _begin(desk, campaign, ())


def pause_campaign(desk: Desk, campaign_id: str, who: Principal) -> Campaign:
    """Stops after the messages in work; what is made stays."""
    _check_role(who, "pause")
    return campaign_of(desk.campaigns.move(campaign_id, "paused", at=desk.clock()))


def hold_campaign(desk: Desk, campaign_id: str, *, run: int, reason: str) -> None:
    """Pauses a run that cannot go on, with the reason; a later run is left alone."""
    campaign = get_campaign(desk, campaign_id)
    if campaign.status == "running" and campaign.run == run:
        document = document_of(replace(campaign, usage={**campaign.usage, "problem": reason}))
        try:
            desk.campaigns.move(campaign_id, "paused", at=desk.clock(), document=document)
        except StateConflict:
            return


def _check_role(who: Principal, verb: str) -> None:
    if who.role not in CAMPAIGNERS:
        raise AccessDenied(f"a {who.role} may not {verb} a campaign: ask one of {', '.join(sorted(CAMPAIGNERS))}")


def _begin(desk: Desk, campaign: Campaign, members: Sequence[RecipientRow]) -> Campaign:
    now = desk.clock()
    counts = desk.campaigns.counts(campaign.id)
    usage = {**campaign.usage, "problem": None, "started_at": now.isoformat(), "settled_before": _settled(counts)}
    document = document_of(replace(campaign, usage=usage))
    row = desk.campaigns.move(campaign.id, "running", at=now, document=document, again=True, members=members)
    start_lanes(desk, campaign_of(row))
    return campaign_of(row)


def start_lanes(desk: Desk, campaign: Campaign) -> None:
    """Adds the jobs of the present run; adding them again changes nothing."""
    for lane in range(LANES[campaign.mode]):
        payload = {"campaign": campaign.id, "connection": campaign.connection, "run": campaign.run, "lane": lane}
        job_id = f"campaign/{campaign.id}/{campaign.run}/{lane}"
        desk.jobs.enqueue("campaign", payload, job_id=job_id, priority=PRIORITIES["campaign"])


def choose_recipients(desk: Desk, campaign: Campaign) -> list[RecipientRow]:
    """A row for each person and channel: who is to get a message, who is held out, who shares an address.

    People whom a gate removes now get no row; the preview counts them.
    """
    spoken = campaign.languages or bank_languages()
    found = {channel: seen.left for channel, seen in members_of(desk, campaign, campaign.channels).items()}
    accounts = sorted({m.account_id for left in found.values() for m in left if (m.language or "en") in spoken})
    share = share_held_out(campaign, len(accounts))
    rows: list[RecipientRow] = []
    for channel, left in found.items():
        seen: set[str] = set()
        for n, member in enumerate(m for m in left if (m.language or "en") in spoken):
            rows.append(_member_row(desk, campaign, member, channel, share, seen, n))
    return rows


def _member_row(
    desk: Desk, campaign: Campaign, member: Member, channel: str, share: float, seen: set[str], n: int
) -> RecipientRow:
    arm = arm_of(campaign, member.account_id, share)
    row = RecipientRow(
        campaign=campaign.id, contact=member.contact_id, channel=channel, company=member.account_id,
        language=member.language or "en", variant="" if arm == HELD_OUT else arm, lane=n % LANES[campaign.mode],
        state="held_out" if arm == HELD_OUT else "waiting", updated_at=desk.clock(),
    )  # fmt: skip
    contact = desk.records.read_one(campaign.connection, "contacts", member.contact_id)
    address = address_of(contact, channel) if contact else None
    if address is not None and address in seen and row.state == "waiting":
        return replace(row, state="excluded", reason="same_address")
    if address is not None:
        seen.add(address)
    return row


def run_lane(desk: Desk, campaign_id: str, *, run: int, lane: int, tell: Callable[[int], None] = lambda n: None) -> str:
    """Settles a lane's waiting recipients as long as the run is wanted; gives back the campaign's status.

    `tell` hears how many were settled, batch by batch.
    """
    while True:
        campaign = get_campaign(desk, campaign_id)
        if campaign.status != "running" or campaign.run != run:
            return campaign.status
        batch = desk.campaigns.waiting(campaign_id, lane=lane, limit=BATCH[campaign.mode])
        if not batch:
            return _finish(desk, campaign)
        tell(desk.campaigns.settle([_settle(desk, campaign, row) for row in batch]))


def _settle(desk: Desk, campaign: Campaign, row: RecipientRow) -> RecipientRow:
    made = make_message(desk, campaign, Recipient(row.contact, row.channel, row.language, row.variant))  # type: ignore[arg-type]
    return replace(
        row,
        state=made.state,
        reason=made.reason,
        document=dict(made.document) or None,
        calls=made.calls,
        input_tokens=made.input_tokens,
        output_tokens=made.output_tokens,
        updated_at=desk.clock(),
    )


def _finish(desk: Desk, campaign: Campaign) -> str:
    if desk.campaigns.counts(campaign.id).get("waiting"):
        return campaign.status  # another lane still works
    try:
        return desk.campaigns.move(campaign.id, "done", at=desk.clock()).status
    except StateConflict:
        return get_campaign(desk, campaign.id).status


def progress_of(desk: Desk, campaign: Campaign) -> dict[str, Any]:
    """Recipients by state and reason, calls and tokens spent, and while it runs the rate and the time left."""
    counts, used = desk.campaigns.counts(campaign.id), desk.campaigns.used(campaign.id)
    total, settled = sum(counts.values()), _settled(counts)
    rate, left_s = _rate(campaign, settled, counts.get("waiting", 0), desk.clock())
    return {
        "total": total,
        "settled": settled,
        "states": counts,
        "reasons": desk.campaigns.reasons(campaign.id),
        "per_second": rate,
        "seconds_left": left_s,
        "usage": {key: used[key] + int(campaign.usage.get(key, 0)) for key in used},
    }


def _settled(counts: Mapping[str, int]) -> int:
    return sum(n for state, n in counts.items() if state != "waiting")


def _rate(campaign: Campaign, settled: int, waiting: int, now: datetime) -> tuple[float | None, int | None]:
    started = campaign.usage.get("started_at")
    if campaign.status != "running" or not started:
        return None, None
    seconds = (now - datetime.fromisoformat(started)).total_seconds()
    done = settled - int(campaign.usage.get("settled_before", 0))
    if seconds <= 0 or done <= 0:
        return None, None
    rate = done / seconds
    return round(rate, 2), round(waiting / rate)
