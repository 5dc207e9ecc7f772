"""The panel inside a CRM: a signed launch, and the JSON that native cards and workflow actions use.

A launch link names connection, record, user and an end, signed with this installation's key. It is answered with a
pass (a JWT of an hour) that the panel sends as `Authorization: Bearer …`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from flask import Blueprint, Response, jsonify, request
from marshmallow import ValidationError

from crmplugin.errors import NotFound, NotGenuine
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.launch import read_launch
from crmplugin.store.access import Principal
from crmplugin.web.asking import check_connection, create_draft, own_draft, wait_for
from crmplugin.web.auth import desk
from crmplugin.web.problems import problem
from crmplugin.web.schemas import PanelDraftRequest, Wait
from crmplugin.web.shapes import draft_answer

PASS_LASTS = timedelta(hours=1)
PASS_AUDIENCE = "panel"

blueprint = Blueprint("panel", __name__, url_prefix="/panel/<connection>")


@blueprint.get("")
def launch(connection: str) -> Response:
    """Turns a signed link into a pass for its record and user."""
    here = desk()
    _check_known(here, connection)
    now = here.clock()
    query = dict(request.args.items(multi=True))
    subject, user_id = read_launch(here.settings.signing_key, connection, query, now=now)
    ends = now + PASS_LASTS
    claims = {"aud": PASS_AUDIENCE, "con": connection, "sub": user_id or "", "exp": ends}
    token = jwt.encode(claims, here.settings.signing_key, algorithm="HS256")
    about = {"type": subject.type, "id": subject.id}
    answer = {"pass": token, "expires_at": ends.astimezone(UTC).isoformat(), "connection": connection}
    return jsonify({**answer, "about": about, "user": user_id})


@blueprint.post("/drafts")
def create_panel_draft(connection: str) -> Response:
    """Asks for a draft: its id and status, at once; `?wait=` seconds for more."""
    who = _holder(connection)
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
    row = own_draft(desk(), draft_id, _holder(connection))
    return jsonify(draft_answer(row))


@blueprint.post("/actions/draft")
def draft_action(connection: str) -> Response:
    """A workflow action of the CRM: asks for a draft and gives back its id."""
    return create_panel_draft(connection)


def _check_known(here: Desk, connection: str) -> None:
    if connection not in here.settings.connections:
        raise NotFound(f"no connection {connection!r}")


def _holder(connection: str) -> Principal:
    """Who holds the pass of this connection, or an API token that may use it. Raises NotGenuine or NotFound."""
    here = desk()
    _check_known(here, connection)
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotGenuine("open the panel from the CRM: its link gives the pass that is missing here")
    who = here.access.by_token(secret, now=here.clock()) or _by_pass(here, connection, secret)
    check_connection(here, who, connection)
    return who


def _by_pass(here: Desk, connection: str, secret: str) -> Principal:
    try:
        claims = jwt.decode(
            secret,
            here.settings.signing_key,
            algorithms=["HS256"],
            audience=PASS_AUDIENCE,
            options={"require": ["exp", "aud"], "verify_exp": False},
        )
    except jwt.InvalidTokenError as error:
        raise NotGenuine("the panel's pass is not genuine: open the panel from the CRM again") from error
    if datetime.fromtimestamp(claims["exp"], UTC) < here.clock() or claims.get("con") != connection:
        raise NotGenuine("the panel's pass is over or of another connection: open the panel from the CRM again")
    user_id = claims.get("sub") or None
    return Principal(f"user:{user_id or 'panel'}", "rep", user_id, (connection,))


def _checked(schema: PanelDraftRequest, document: Any, connection: str) -> dict[str, Any]:
    body: dict[str, Any] = schema.load(document)
    if body.get("connection", connection) != connection:
        raise ValidationError({"connection": ["this address is of another connection"]})
    return {**body, "connection": connection}


@blueprint.errorhandler(ValidationError)
def _invalid(error: ValidationError) -> Response:
    fields = [{"field": name, "reason": str(reasons)} for name, reasons in error.messages_dict.items()]
    return problem(422, "; ".join(f"{f['field']}: {f['reason']}" for f in fields), errors=fields)
