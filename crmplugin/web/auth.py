"""Who asks, and may they? One table of rights; what is not in it is closed.

People sign in by a one-time link and have a session cookie; programs send a bearer token. A request that changes
something by cookie must carry the session's CSRF token (`X-CSRF-Token` or the form field `csrf_token`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, Flask, Response, current_app, g, redirect, request

from crmplugin.errors import AccessDenied, NotGenuine
from crmplugin.journeys.desk import Desk
from crmplugin.store.access import Principal
from crmplugin.web.problems import problem

COOKIE = "crmplugin_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
EVERYBODY = frozenset({"rep", "manager", "director", "marketing", "admin"})
SALES = frozenset({"rep", "manager", "director", "admin"})
LEADERS = frozenset({"manager", "director", "admin"})
ADMIN = frozenset({"admin"})
OPEN: frozenset[str] = frozenset()
"""No sign-in asked for: the route is public, or checks a signature of its own."""

RIGHTS: Mapping[str, frozenset[str]] = {
    "static": OPEN,
    "health.healthz": OPEN,
    "health.readyz": OPEN,
    "health.metrics": LEADERS,
    "webhooks.receive": OPEN,
    "sign_in.use_link": OPEN,
    "sign_in.sign_out": EVERYBODY,
    "api-docs.openapi_json": OPEN,
    "drafts.create_draft": EVERYBODY,
    "drafts.list_drafts": EVERYBODY,
    "drafts.get_draft": EVERYBODY,
    "drafts.stream_draft": EVERYBODY,
    "drafts.list_versions": EVERYBODY,
    "drafts.edit_draft": EVERYBODY,
    "drafts.approve_draft": EVERYBODY,
    "drafts.reject_draft": EVERYBODY,
    "drafts.regenerate_draft": EVERYBODY,
    "drafts.stop_draft": EVERYBODY,
    "drafts.withdraw_draft": EVERYBODY,
    "briefs.get_brief": SALES,
    "events.list_events": LEADERS,
    "events.get_event": LEADERS,
    "events.replay_event_again": ADMIN,
    "jobs.list_jobs": LEADERS,
    "jobs.get_job": LEADERS,
    "panel.launch": OPEN,
    "panel.create_panel_draft": OPEN,
    "panel.get_panel_draft": OPEN,
    "panel.draft_action": OPEN,
}
"""Endpoint -> roles that may use it. Which drafts a role may approve is a table of its own in `journeys.approve`."""
MORE_RIGHTS: dict[str, frozenset[str]] = {}
"""Endpoints of other blueprints, which add themselves with `allow`."""

blueprint = Blueprint("sign_in", __name__)


def allow(rights: Mapping[str, frozenset[str]]) -> None:
    """Adds rows to the table, for a blueprint that stands elsewhere (the console)."""
    MORE_RIGHTS.update(rights)


def rights_of(endpoint: str) -> frozenset[str] | None:
    """Who may use an endpoint; None when nobody thought of it."""
    return RIGHTS.get(endpoint, MORE_RIGHTS.get(endpoint))


def desk() -> Desk:
    """The desk of this server."""
    found: Desk = current_app.extensions["desk"]
    return found


def who() -> Principal:
    """Who asks; only where the table asks for a role."""
    found: Principal = g.principal
    return found


def register(app: Flask) -> None:
    app.before_request(check_rights)
    app.register_blueprint(blueprint)


def check_rights() -> Response | None:
    """Lets a request in or answers 401 or 403. An endpoint that is in no table is closed to all."""
    if request.endpoint is None:
        return None  # 404 and 405 come next
    allowed = rights_of(request.endpoint)
    if allowed is None:
        return problem(403, f"{request.endpoint} has no row in the table of rights", code="closed")
    if not allowed:
        return None
    principal = _principal()
    if principal is None:
        return problem(401, "send Authorization: Bearer <token>, or sign in with a link")
    if principal.role not in allowed:
        roles = ", ".join(sorted(allowed))
        return problem(403, f"a {principal.role} may not do this: it takes one of {roles}")
    g.principal = principal
    return None


def _principal() -> Principal | None:
    """The holder of the bearer token, else of the session. Raises AccessDenied for a change without CSRF token."""
    header = request.headers.get("Authorization", "")
    scheme, _, secret = header.partition(" ")
    now = desk().clock()
    if header:
        return desk().access.by_token(secret.strip(), now=now) if scheme.lower() == "bearer" else None
    session = request.cookies.get(COOKIE)
    if not session:
        return None
    principal = desk().access.by_session(session, now=now)
    if principal is not None and request.method not in SAFE:
        _check_csrf(session)
    return principal


def _check_csrf(session: str) -> None:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token") or ""
    if not hmac.compare_digest(given.encode(), csrf_token(session).encode()):
        raise AccessDenied("the CSRF token is missing or not of this session: load the page again")


def csrf_token(session: str | None = None) -> str:
    """The token that forms and scripts of the signed-in page send back."""
    session = session or request.cookies.get(COOKIE, "")
    key = desk().settings.signing_key.encode()
    return hmac.new(key, b"csrf:" + session.encode(), hashlib.sha256).hexdigest()


@blueprint.get("/sign-in/<secret>")
def use_link(secret: str) -> Response:
    """Turns a one-time link into a session and goes on to the console."""
    if request.method == "HEAD":  # link previews must not use the link up
        return Response(status=204)
    settings, now = desk().settings, desk().clock()
    lasts = timedelta(hours=settings.session_hours)
    session = desk().access.use_link(secret, now=now, expires_at=now + lasts)
    if session is None:
        raise NotGenuine("this sign-in link was used before or is too old: make one with `crmplugin token link`")
    response = redirect("/console", 303)
    secure = request.is_secure or (settings.public_url or "").startswith("https:")
    response.set_cookie(
        COOKIE, session, max_age=int(lasts.total_seconds()), httponly=True, secure=secure, samesite="Lax"
    )
    return response  # type: ignore[return-value]


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """Ends the session."""
    desk().access.end_session(request.cookies.get(COOKIE, ""))
    response = redirect("/", 303)
    response.delete_cookie(COOKIE)
    return response  # type: ignore[return-value]
