"""The panel inside a CRM: a signed launch, and the JSON that native cards and workflow actions use.

A launch link names connection, record, user and an end, signed with this installation's key. It is answered with a
pass (a JWT of an hour) that the panel sends as `Authorization: Bearer …`.
"""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import Any

from flask import Blueprint, Response, jsonify, request
from marshmallow import ValidationError

from crmplugin.errors import NotGenuine
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.launch import read_launch
from crmplugin.web.asking import create_draft, own_draft, wait_for
from crmplugin.web.auth import desk
from crmplugin.web.console_frame import wants_page
from crmplugin.web.panel_pages import opened
from crmplugin.web.panel_pass import PASS_LASTS, check_known, holder, make_pass
from crmplugin.web.problems import problem
from crmplugin.web.schemas import PanelDraftRequest, Wait
from crmplugin.web.shapes import draft_answer

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
    wait = Wait().load(request.args.to_dict())["wait"]
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
    """One draft, whole."""
    row = own_draft(desk(), draft_id, holder(connection))
    return jsonify(draft_answer(row))


@blueprint.post("/actions/draft")
def draft_action(connection: str) -> Response:
    """A workflow action of the CRM: asks for a draft and gives back its id."""
    return create_panel_draft(connection)


def _checked(schema: PanelDraftRequest, document: Any, connection: str) -> dict[str, Any]:
    body: dict[str, Any] = schema.load(document)
    if body.get("connection", connection) != connection:
        raise ValidationError({"connection": ["this address is of another connection"]})
    return {**body, "connection": connection}


@blueprint.errorhandler(ValidationError)
def _invalid(error: ValidationError) -> Response:
    fields = [{"field": name, "reason": str(reasons)} for name, reasons in error.messages_dict.items()]
    return problem(422, "; ".join(f"{f['field']}: {f['reason']}" for f in fields), errors=fields)
