"""Campaigns of the API: kept, previewed, approved, run, exported."""

# mypy: disable-error-code="untyped-decorator"
# flask-smorest has no types.
from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from crmplugin.domain.campaign import Campaign
from crmplugin.journeys import campaign_run, campaigns
from crmplugin.journeys.campaign_export import export_campaign, push_to_crm
from crmplugin.journeys.campaign_rows import campaign_of
from crmplugin.journeys.campaign_view import campaign_json, recipient_json, summary_json
from crmplugin.journeys.visibility import check_connection
from crmplugin.web import campaign_schemas as schemas
from crmplugin.web.api import KEY_HEADER
from crmplugin.web.asking import claim_id
from crmplugin.web.auth import desk, who
from crmplugin.web.openapi import ApiBlueprint

blueprint = ApiBlueprint(
    "campaigns",
    __name__,
    url_prefix="/api/v1/campaigns",
    description="Campaigns: one idea, true messages",
)


BYTES = {"schema": {"type": "string", "format": "binary"}}
FILES = {"text/csv": BYTES, "application/zip": BYTES, "application/json": {"schema": {"type": "object"}}}
"""What an export comes as, by its form."""


@blueprint.post("")
@blueprint.doc(operationId="createCampaign", parameters=[KEY_HEADER])
@blueprint.arguments(schemas.CampaignRequest)
@blueprint.response(201, schemas.CampaignAnswer)
def create_campaign(body: dict[str, Any]) -> Response:
    """Keep a campaign with the words of the bank; nothing is sent."""
    check_connection(desk(), who(), body["connection"])
    key = request.headers.get("Idempotency-Key")
    campaign_id = claim_id(desk(), body, who(), "POST /api/v1/campaigns", key)
    response = _answer(campaigns.create_campaign(desk(), body, who(), campaign_id=campaign_id))
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/campaigns/{response.get_json()['id']}"
    return response


@blueprint.get("")
@blueprint.doc(operationId="listCampaigns")
@blueprint.arguments(schemas.Listed, location="query")
@blueprint.response(200, schemas.CampaignPage)
def list_campaigns(query: dict[str, Any]) -> Response:
    """Campaigns, newest first."""
    page = desk().campaigns.list(limit=query["limit"], cursor=query.get("cursor"), connections=who().connections)
    items = [summary_json(campaign_of(row)) for row in page.items]
    return jsonify({"items": items, "next": page.next})


@blueprint.get("/<string:campaign_id>")
@blueprint.doc(operationId="getCampaign")
@blueprint.response(200, schemas.CampaignAnswer)
def get_campaign(campaign_id: str) -> Response:
    """One campaign with its words, its progress and, once something left, its results."""
    return _answer(campaigns.get_campaign(desk(), campaign_id))


@blueprint.patch("/<string:campaign_id>")
@blueprint.doc(operationId="editCampaign")
@blueprint.arguments(schemas.CampaignEdit)
@blueprint.response(200, schemas.CampaignAnswer)
def edit_campaign(body: dict[str, Any], campaign_id: str) -> Response:
    """Other words for some sentences; an approval is taken back by it."""
    edited = campaigns.edit_campaign(desk(), campaign_id, who(), version=body["version"], masters=body["masters"])
    return _answer(edited)


@blueprint.post("/<string:campaign_id>/preview")
@blueprint.doc(operationId="previewCampaign")
@blueprint.arguments(schemas.Empty, required=False)
@blueprint.response(200, schemas.PreviewAnswer)
def preview_campaign(body: dict[str, Any] | None, campaign_id: str) -> Response:
    """Who gets it and who does not, what can be tested, what it costs, three messages."""
    return jsonify(campaigns.preview_campaign(desk(), campaign_id))


@blueprint.post("/<string:campaign_id>/approve")
@blueprint.doc(operationId="approveCampaign")
@blueprint.arguments(schemas.Versioned, required=False)
@blueprint.response(200, schemas.CampaignAnswer)
def approve_campaign(body: dict[str, Any] | None, campaign_id: str) -> Response:
    """Approve the words."""
    return _answer(campaigns.approve_campaign(desk(), campaign_id, who(), version=(body or {}).get("version")))


@blueprint.post("/<string:campaign_id>/run")
@blueprint.doc(operationId="runCampaign")
@blueprint.arguments(schemas.Empty, required=False)
@blueprint.response(202, schemas.CampaignAnswer)
def run_campaign(body: dict[str, Any] | None, campaign_id: str) -> Response:
    """Choose the recipients and make their messages."""
    return _answer(campaign_run.start_campaign(desk(), campaign_id, who()), 202)


@blueprint.post("/<string:campaign_id>/pause")
@blueprint.doc(operationId="pauseCampaign")
@blueprint.arguments(schemas.Empty, required=False)
@blueprint.response(200, schemas.CampaignAnswer)
def pause_campaign(body: dict[str, Any] | None, campaign_id: str) -> Response:
    """Stop after the messages in work."""
    return _answer(campaign_run.pause_campaign(desk(), campaign_id, who()))


@blueprint.post("/<string:campaign_id>/resume")
@blueprint.doc(operationId="resumeCampaign")
@blueprint.arguments(schemas.Empty, required=False)
@blueprint.response(202, schemas.CampaignAnswer)
def resume_campaign(body: dict[str, Any] | None, campaign_id: str) -> Response:
    """Go on with a paused campaign."""
    return _answer(campaign_run.resume_campaign(desk(), campaign_id, who()), 202)


@blueprint.get("/<string:campaign_id>/recipients")
@blueprint.doc(operationId="listCampaignRecipients")
@blueprint.arguments(schemas.RecipientQuery, location="query")
@blueprint.response(200, schemas.RecipientPage)
def list_recipients(query: dict[str, Any], campaign_id: str) -> Response:
    """Recipients with their messages, or the reason why there is none."""
    rows, cursor = desk().campaigns.recipients(
        campaign_id, limit=query["limit"], cursor=query.get("cursor"), state=query.get("state")
    )
    return jsonify({"items": [recipient_json(row) for row in rows], "next": cursor})


@blueprint.get("/<string:campaign_id>/export")
@blueprint.doc(operationId="exportCampaign", responses={200: {"content": FILES}})
@blueprint.arguments(schemas.ExportQuery, location="query")
@blueprint.response(200, description="The file; of `crm` the ids of what was put there")
def export(query: dict[str, Any], campaign_id: str) -> Response:
    """Let out what may leave now; the file holds every message of the campaign that has left."""
    if query["format"] == "crm":
        return jsonify({"written": push_to_crm(desk(), campaign_id, who())})
    file = export_campaign(desk(), campaign_id, who(), form=query["format"])
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.data, content_type=file.type, headers=headers)


def _answer(campaign: Campaign, status: int = 200) -> Response:
    response = jsonify(campaign_json(desk(), campaign))
    response.status_code = status
    return response
