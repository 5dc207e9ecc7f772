"""Campaigns for people: from a segment and a goal to approved words, messages on their way, and files."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from crmplugin.domain.campaign import CAMPAIGNERS, CHANNELS, GOALS, MAX_VARIANTS, MODES, Campaign
from crmplugin.errors import UsageError
from crmplugin.journeys import campaign_run, campaigns
from crmplugin.journeys.campaign_export import FORMS, export_campaign
from crmplugin.journeys.campaign_rows import campaign_of
from crmplugin.journeys.campaign_view import campaign_json, recipient_json
from crmplugin.journeys.visibility import check_connection
from crmplugin.web.auth import desk, who
from crmplugin.web.console_frame import back_to, blueprint, page
from crmplugin.web.texts import whole_number
from crmplugin.writing.bank import languages

PER_PAGE = 20
SHOWN = 8
STATES = ("drafted", "exported", "waiting", "blocked", "excluded", "held_out", "failed")


@blueprint.get("/console/campaigns")
def all_campaigns() -> Response:
    """Campaigns, newest first, and the form for another one."""
    found = desk().campaigns.list(
        limit=PER_PAGE, cursor=request.args.get("cursor") or None, connections=who().connections
    )
    connections = [name for name in desk().settings.connections if who().sees(name)]
    rows = [campaign_of(row) for row in found.items]
    return page(
        "campaigns.html",
        rows=[{"campaign": c, "counts": desk().campaigns.counts(c.id)} for c in rows],
        next=f"/console/campaigns?cursor={found.next}" if found.next else None,
        paged=bool(request.args.get("cursor")),
        may=who().role in CAMPAIGNERS,
        segments=[(name, s) for name in connections for s in desk().records.iterate(name, "segments")],
        crms=[name for name in connections if desk().settings.connections[name].crm != "local"],
        goals=tuple(GOALS),
        channels=CHANNELS,
        languages=languages(),
        modes=MODES,
        variants=range(1, MAX_VARIANTS + 1),
    )


@blueprint.post("/console/campaigns")
def keep_campaign() -> Response:
    """Keeps a campaign from the form and shows it."""
    form = request.form
    connection, _, segment_id = form.get("segment", "").partition(":")
    segment_id = segment_id or form.get("list_id", "").strip()
    check_connection(desk(), who(), connection)
    variants, holdout = whole_number(form.get("variants", "1")), whole_number(form.get("holdout_pct", "10"))
    if variants is None or holdout is None:
        raise UsageError("variants, holdout_pct: expected whole numbers")
    wish = {
        "connection": connection,
        "segment_id": segment_id,
        "goal": form.get("goal_text", "").strip() or form.get("goal", ""),
        "channels": form.getlist("channel") or ["email"],
        "languages": form.getlist("language"),
        "mode": form.get("mode", "merge"),
        "variants": variants,
        "holdout_pct": holdout,
    }
    if name := form.get("name", "").strip():
        wish["name"] = name
    return back_to(f"/console/campaigns/{campaigns.create_campaign(desk(), wish, who()).id}")


@blueprint.get("/console/campaigns/<campaign_id>")
def one_campaign(campaign_id: str) -> Response:
    """One campaign: how far it is, its words, and before it runs a preview of whom it reaches."""
    campaign = campaigns.get_campaign(desk(), campaign_id)
    state = request.args.get("state")
    state = state if state in STATES else None
    rows, cursor = desk().campaigns.recipients(
        campaign_id, limit=SHOWN, cursor=request.args.get("cursor") or None, state=state
    )
    return page(
        "campaign.html",
        connection=campaign.connection,
        c=campaign,
        shown=campaign_json(desk(), campaign),
        preview=campaigns.preview_campaign(desk(), campaign_id) if _is_early(campaign) else None,
        may=who().role in CAMPAIGNERS,
        people=[recipient_json(row) for row in rows],
        state=state,
        states=STATES,
        cursor=cursor,
        paged=bool(request.args.get("cursor")),
        forms=tuple(FORMS),
    )


def _is_early(campaign: Campaign) -> bool:
    return campaign.status in ("created", "approved")


@blueprint.post("/console/campaigns/<campaign_id>/<action>")
def act_on_campaign(campaign_id: str, action: str) -> Response:
    """Approve, run, pause or resume; then the page again."""
    if action not in ACTIONS:
        raise UsageError(f"action: expected one of {', '.join(ACTIONS)}, got {action!r}")
    ACTIONS[action](desk(), campaign_id, who())
    return back_to(f"/console/campaigns/{campaign_id}")


ACTIONS: dict[str, Any] = {
    "approve": campaigns.approve_campaign,
    "run": campaign_run.start_campaign,
    "pause": campaign_run.pause_campaign,
    "resume": campaign_run.resume_campaign,
}


@blueprint.get("/console/campaigns/<campaign_id>/file/<form>")
def campaign_file(campaign_id: str, form: str) -> Response:
    """Lets out what may leave now, as a file."""
    file = export_campaign(desk(), campaign_id, who(), form=form)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.data, content_type=file.type, headers=headers)
