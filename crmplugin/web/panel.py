"""The panel inside a CRM: a signed launch, and the JSON that native cards and workflow actions use.

A launch link names connection, record, user and an end, signed with this installation's key. It is answered with a
pass (a JWT of an hour) that the panel sends as `Authorization: Bearer …`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from flask import Blueprint, Response, jsonify, request
from marshmallow import Schema, ValidationError

from crmplugin.errors import NotFound, NotGenuine
from crmplugin.journeys import approve as decisions
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.launch import read_launch
from crmplugin.journeys.visibility import check_subject, is_visible
from crmplugin.ports import Action
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow
from crmplugin.web.arriving import arriving
from crmplugin.web.asking import create_draft, own_draft, wait_for
from crmplugin.web.auth import desk
from crmplugin.web.called import own_query, panel_call, wrapped
from crmplugin.web.console_frame import wants_page
from crmplugin.web.panel_pages import opened
from crmplugin.web.panel_pass import PASS_LASTS, check_known, holder, make_pass, record_of, visitor
from crmplugin.web.problems import problem
from crmplugin.web.schemas import Approval, Decision, Edit, Empty, PanelDraftRequest, Variant, Wait
from crmplugin.web.shapes import draft_answer

LISTED = 10
ACTION_WAIT_S = 15.0
"""A workflow waits some 30 s for its action; what is not written by then comes later by itself."""
SHORT = ("id", "kind", "type", "status", "subject", "to", "channel", "created_at", "version")
BODIES: Mapping[str, Schema] = {
    "edit": Edit(), "approve": Approval(), "reject": Decision(), "withdraw": Decision(), "stop": Empty(),
    "regenerate": Variant(),
}  # fmt: skip
"""The body of each thing that can be done about a draft."""

blueprint = Blueprint("panel", __name__, url_prefix="/panel/<connection>")


@blueprint.get("")
def launch(connection: str) -> Response:
    """Turns a signed link, once, into a pass for its record and user; a browser gets the page with the pass in it."""
    if request.method == "HEAD":  # link previews must not use the link up
        return Response(status=204)
    here = desk()
    check_known(here, connection)
    now = here.clock()
    query = dict(request.args.items(multi=True))
    subject, user_id = read_launch(here.settings.signing_key, connection, query, now=now)
    _use_up(here, query["sig"])
    ends = now + PASS_LASTS
    token = make_pass(here, connection, subject, user_id, ends)
    if wants_page():
        return opened(connection, subject, user_id, token)
    about = {"type": subject.type, "id": subject.id}
    answer = {"pass": token, "expires_at": ends.astimezone(UTC).isoformat(), "connection": connection}
    return jsonify({**answer, "about": about, "user": user_id})


@blueprint.post("")
def launch_by_crm(connection: str) -> Response:
    """A launch that the CRM signed itself, with its user and record (Salesforce's Canvas): the page, once."""
    here = desk()
    check_known(here, connection)
    now, call = here.clock(), panel_call(here)
    seen = here.connector(connection).verify_panel(call, now=now) if connection != "local" else None
    if seen is None or seen.subject is None or seen.user_id is None:
        raise NotGenuine("the CRM has signed no user and record: open the panel on a record of the CRM")
    # What was signed, not the body around it: else a field more would be another launch.
    _use_up(here, hashlib.sha256(seen.signed.encode() if seen.signed else call.body).hexdigest())
    token = make_pass(here, connection, seen.subject, seen.user_id, now + PASS_LASTS)
    return opened(connection, seen.subject, seen.user_id, token)


def _use_up(here: Desk, signature: str) -> None:
    """Raises NotGenuine when this link was opened before."""
    mine = uuid.uuid4().hex
    if here.keys.claim("panel launch", signature, signature, mine, at=here.clock()) != mine:
        raise NotGenuine("this panel link was opened before: open the panel from the CRM again")


@blueprint.post("/drafts")
def create_panel_draft(connection: str) -> Response:
    """Asks for a draft: its id and status, at once; `?wait=` seconds for more."""
    who = holder(connection)
    body = _checked(PanelDraftRequest(), request.get_json(force=True), connection)
    wait = Wait().load(own_query())["wait"]
    here = desk()
    key = body.pop("key", None) or request.headers.get("Idempotency-Key")
    row = create_draft(here, body, who, route=f"POST /panel/{connection}/drafts", key=key, origin="click")
    row = wait_for(here, row.id, wait)
    response = jsonify(draft_answer(row))
    response.status_code = 202 if row.status == "writing" else 201
    response.headers["Location"] = f"/panel/{connection}/drafts/{row.id}"
    return response


@blueprint.get("/drafts/<draft_id>")
def get_panel_draft(connection: str, draft_id: str) -> Response:
    """One draft, whole; while it is being written, with the text that has come so far."""
    row = own_draft(desk(), draft_id, holder(connection))
    so_far = {"arriving": arriving(desk(), draft_id)} if row.status == "writing" else {}
    return jsonify(draft_answer(row) | so_far)


@blueprint.get("/drafts")
def list_panel_drafts(connection: str) -> Response:
    """The newest drafts about the record that the pass was made for, short: what a native card lists."""
    who, subject = holder(connection), record_of(connection)
    check_subject(desk(), who, connection, subject)
    found = desk().drafts.list(limit=LISTED, connection=connection, subject_type=subject.type, subject_id=subject.id)
    seen = [row for row in found.items if is_visible(desk(), who, row)]
    return jsonify({"items": [{name: draft_answer(row)[name] for name in SHORT} for row in seen], "next": None})


@blueprint.post("/drafts/<draft_id>/<any(edit, approve, reject, regenerate, stop, withdraw):action>")
def decide_panel_draft(connection: str, draft_id: str, action: str) -> Response:
    """What a person does about a draft in a native card: the same bodies as at `/api/v1/drafts/{id}/…`."""
    who = holder(connection)
    row = own_draft(desk(), draft_id, who)
    if row.connection != connection:
        raise NotFound(f"there is no draft {draft_id} of yours")
    body: dict[str, Any] = BODIES[action].load(request.get_json(silent=True) or {})
    return jsonify(draft_answer(_decide(action, row, who, body)))


def _decide(action: str, row: DraftRow, who: Principal, body: dict[str, Any]) -> DraftRow:
    here, version = desk(), body.get("version")
    if action == "edit":
        subject = body["subject"] if "subject" in body else row.document.get("subject")
        return decisions.edit(here, row.id, who, version=body["version"], subject=subject, body=body["body"])
    if action == "approve":
        reason = (body.get("override") or {}).get("reason")
        return decisions.approve(here, row.id, who, version=version, override_reason=reason)
    if action == "reject":
        return decisions.reject(here, row.id, who, version=version, reason=body.get("reason"))
    if action == "withdraw":
        return decisions.withdraw(here, row.id, who, version=version)
    if action == "stop":
        return decisions.stop(here, row.id, who)
    keep_edits = body.pop("keep_edits", True)
    return decisions.regenerate(here, row.id, who, body, keep_edits=keep_edits)


@blueprint.post("/actions/draft")
def draft_action(connection: str) -> Response:
    """A workflow action of the CRM: asks for a draft and answers in the form that the CRM reads."""
    here = desk()
    check_known(here, connection)
    read_action = getattr(here.connector(connection), "read_action", None)
    if read_action is None or "Authorization" in request.headers:
        return create_panel_draft(connection)
    action: Action = read_action(panel_call(here), now=here.clock())
    who = visitor(connection, action.subject, None)
    body = _checked(PanelDraftRequest(), dict(action.body), connection)
    route = f"POST /panel/{connection}/actions/draft"
    row = create_draft(here, body, who, route=route, key=action.key, origin="event")
    row = wait_for(here, row.id, ACTION_WAIT_S)
    return jsonify(action.answer(draft_answer(row)))


def _checked(schema: PanelDraftRequest, document: Any, connection: str) -> dict[str, Any]:
    body: dict[str, Any] = schema.load(document)
    if body.get("connection", connection) != connection:
        raise ValidationError({"connection": ["this address is of another connection"]})
    return {**body, "connection": connection}


blueprint.after_request(wrapped)


@blueprint.errorhandler(ValidationError)
def _invalid(error: ValidationError) -> Response:
    fields = [{"field": name, "reason": str(reasons)} for name, reasons in error.messages_dict.items()]
    return problem(422, "; ".join(f"{f['field']}: {f['reason']}" for f in fields), errors=fields)
