"""The drafts of the API: ask, read, follow, edit, decide."""

# mypy: disable-error-code="untyped-decorator"
# flask-smorest has no types.
from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify, request

from crmplugin.journeys import approve as decisions
from crmplugin.journeys.visibility import is_visible, owners_seen
from crmplugin.store.drafts import DraftRow
from crmplugin.web import schemas
from crmplugin.web.asking import create_draft as ask
from crmplugin.web.asking import own_draft, wait_for
from crmplugin.web.auth import desk, who
from crmplugin.web.openapi import ApiBlueprint
from crmplugin.web.shapes import draft_answer, move_answer, version_answer
from crmplugin.web.streams import EVENT_STREAM, UNFINISHED, StreamCap, follow, read_last_id

blueprint = ApiBlueprint(
    "drafts", __name__, url_prefix="/api/v1/drafts", description="Drafts: asked for, followed, edited, decided"
)
KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key again gives the same draft; with another body it is refused (422).",
}


STREAM = {
    200: {
        "description": "Server-sent events, where Accept asks for them: brief, text, sentence, check, done, error",
        "content": {EVENT_STREAM: {}},
    }
}


@blueprint.post("")
@blueprint.doc(operationId="createDraft", parameters=[KEY_HEADER], responses=STREAM)
@blueprint.arguments(schemas.DraftRequest)
@blueprint.arguments(schemas.Wait, location="query")
@blueprint.response(201, schemas.DraftAnswer, description="Finished: proposed, blocked or no_message")
@blueprint.alt_response(202, schema=schemas.DraftAnswer, description="Being written; Location says where to look")
def create_draft(body: dict[str, Any], query: dict[str, Any]) -> Response:
    """Ask for a draft; wait for it, look later, or follow its stream."""
    desk().pressure()
    row = ask(desk(), body, who(), route="POST /api/v1/drafts", key=request.headers.get("Idempotency-Key"))
    if wants_stream():
        return stream_of(row)
    return created(wait_for(desk(), row.id, query["wait"]))


@blueprint.get("")
@blueprint.doc(operationId="listDrafts")
@blueprint.arguments(schemas.DraftQuery, location="query")
@blueprint.response(200, schemas.DraftPage)
def list_drafts(query: dict[str, Any]) -> Response:
    """Drafts, newest first."""
    caller = who()
    filters = {name: query.get(name) for name in ("connection", "status", "kind", "event")}
    subject = [(name, query[name]) for name in schemas.SUBJECTS if name in query][:1]
    if subject:
        filters |= {"subject_type": subject[0][0], "subject_id": subject[0][1]}
    page = desk().drafts.list(
        limit=query["limit"],
        cursor=query.get("cursor"),
        connections=caller.connections,
        owners=owners_seen(desk(), caller),
        **filters,
    )
    items = [draft_answer(row) for row in page.items if is_visible(desk(), caller, row)]
    return jsonify({"items": items, "next": page.next})


@blueprint.get("/<string:draft_id>")
@blueprint.doc(operationId="getDraft")
@blueprint.response(200, schemas.DraftAnswer)
def get_draft(draft_id: str) -> Response:
    """One draft."""
    return jsonify(draft_answer(own_draft(desk(), draft_id, who())))


@blueprint.get("/<string:draft_id>/stream")
@blueprint.doc(operationId="streamDraft", responses=STREAM)
@blueprint.response(200)
def stream_draft(draft_id: str) -> Response:
    """A draft's pieces as they come; go on with Last-Event-ID."""
    return stream_of(own_draft(desk(), draft_id, who()))


@blueprint.get("/<string:draft_id>/versions")
@blueprint.doc(operationId="listDraftVersions")
@blueprint.response(200, schemas.VersionPage)
def list_versions(draft_id: str) -> Response:
    """The texts a draft has had, oldest first, and its changes of status."""
    own_draft(desk(), draft_id, who())
    versions = [version_answer(row) for row in desk().drafts.versions(draft_id)]
    moves = [move_answer(row) for row in desk().drafts.moves(draft_id)]
    return jsonify({"items": versions, "next": None, "moves": moves})


@blueprint.patch("/<string:draft_id>")
@blueprint.doc(operationId="editDraft")
@blueprint.arguments(schemas.Edit)
@blueprint.response(200, schemas.DraftAnswer)
def edit_draft(body: dict[str, Any], draft_id: str) -> Response:
    """Save a person's text; it is checked again."""
    row = own_draft(desk(), draft_id, who())
    subject = body["subject"] if "subject" in body else row.document.get("subject")
    edited = decisions.edit(desk(), draft_id, who(), version=body["version"], subject=subject, body=body["body"])
    return jsonify(draft_answer(edited))


@blueprint.post("/<string:draft_id>/approve")
@blueprint.doc(operationId="approveDraft")
@blueprint.arguments(schemas.Approval, required=False)
@blueprint.response(200, schemas.DraftAnswer)
def approve_draft(body: dict[str, Any] | None, draft_id: str) -> Response:
    """Say yes; it is written back. 409 until every sentence is supported, or somebody overrides with a reason."""
    own_draft(desk(), draft_id, who())
    body = body or {}
    reason = (body.get("override") or {}).get("reason")
    row = decisions.approve(desk(), draft_id, who(), version=body.get("version"), override_reason=reason)
    return jsonify(draft_answer(row))


@blueprint.post("/<string:draft_id>/reject")
@blueprint.doc(operationId="rejectDraft")
@blueprint.arguments(schemas.Decision, required=False)
@blueprint.response(200, schemas.DraftAnswer)
def reject_draft(body: dict[str, Any] | None, draft_id: str) -> Response:
    """Say no."""
    own_draft(desk(), draft_id, who())
    body = body or {}
    row = decisions.reject(desk(), draft_id, who(), version=body.get("version"), reason=body.get("reason"))
    return jsonify(draft_answer(row))


@blueprint.post("/<string:draft_id>/withdraw")
@blueprint.doc(operationId="withdrawDraft")
@blueprint.arguments(schemas.Decision, required=False)
@blueprint.response(200, schemas.DraftAnswer)
def withdraw_draft(body: dict[str, Any] | None, draft_id: str) -> Response:
    """Take an approval back before writing began."""
    own_draft(desk(), draft_id, who())
    row = decisions.withdraw(desk(), draft_id, who(), version=(body or {}).get("version"))
    return jsonify(draft_answer(row))


@blueprint.post("/<string:draft_id>/stop")
@blueprint.doc(operationId="stopDraft")
@blueprint.arguments(schemas.Empty, required=False)
@blueprint.response(200, schemas.DraftAnswer)
def stop_draft(body: dict[str, Any] | None, draft_id: str) -> Response:
    """Stop the writing of a draft, or cancel a scheduled one."""
    own_draft(desk(), draft_id, who())
    return jsonify(draft_answer(decisions.stop(desk(), draft_id, who())))


@blueprint.post("/<string:draft_id>/regenerate")
@blueprint.doc(operationId="regenerateDraft", responses=STREAM)
@blueprint.arguments(schemas.Variant, required=False)
@blueprint.arguments(schemas.Wait, location="query")
@blueprint.response(201, schemas.DraftAnswer)
@blueprint.alt_response(202, schema=schemas.DraftAnswer, description="Being written; Location says where to look")
def regenerate_draft(body: dict[str, Any] | None, query: dict[str, Any], draft_id: str) -> Response:
    """Another variant, as a new draft; the old one gives way to it."""
    own_draft(desk(), draft_id, who())
    changes = dict(body or {})
    keep_edits = changes.pop("keep_edits", True)
    row = decisions.regenerate(desk(), draft_id, who(), changes, keep_edits=keep_edits)
    if wants_stream():
        return stream_of(row)
    return created(wait_for(desk(), row.id, query["wait"]))


def wants_stream() -> bool:
    """Whether the caller would rather have server-sent events than JSON."""
    best = request.accept_mimetypes.best_match(["application/json", EVENT_STREAM], default="application/json")
    return best == EVENT_STREAM


def stream_of(row: DraftRow) -> Response:
    cap: StreamCap = current_app.extensions["stream_cap"]
    return cap.answer(follow(desk(), row.id, read_last_id(request.headers.get("Last-Event-ID"))))


def created(row: DraftRow) -> Response:
    """201 with a finished draft, 202 with one that is still being written."""
    response = jsonify(draft_answer(row))
    response.status_code = 202 if row.status in UNFINISHED else 201
    response.headers["Location"] = f"/api/v1/drafts/{row.id}"
    return response
