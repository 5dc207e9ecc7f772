"""Who asks, and may they? The table of rights stands in `rights`; what is not in it is closed.

People sign in by a one-time link and have a session cookie; programs send a bearer token. A request that changes
something by cookie must carry the session's CSRF token (`X-CSRF-Token` or the form field `csrf_token`).
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, redirect, request

from crmplugin.errors import AccessDenied, NotFound, NotGenuine, TooManyTries
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.visibility import check_connection, is_visible
from crmplugin.store.access import Principal
from crmplugin.web.callers import CallRate, caller_of
from crmplugin.web.problems import problem
from crmplugin.web.rights import RIGHTS, Right

COOKIE = "crmplugin_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
blueprint = Blueprint("sign_in", __name__)


def right_of(endpoint: str) -> Right | None:
    """The row of an endpoint; None when nobody thought of it."""
    return RIGHTS.get(endpoint)


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
    """Lets a request in or answers 401, 403 or 429. An endpoint that is in no table is closed to all."""
    if request.endpoint is None:
        return None  # 404 and 405 come next
    right = right_of(request.endpoint)
    if right is None:
        return problem(403, f"{request.endpoint} has no row in the table of rights", code="closed")
    if not right.roles:
        return None
    principal = _principal()
    if principal is None:
        return problem(401, "send Authorization: Bearer <token>, or sign in with a link")
    if principal.role not in right.roles:
        roles = ", ".join(sorted(right.roles))
        return problem(403, f"a {principal.role} may not do this: it takes one of {roles}")
    _check_rate(principal)
    g.principal = principal
    _check_scope(right, principal)
    return None


def _check_scope(right: Right, principal: Principal) -> None:
    """Raises NotFound for a connection or draft in the address that is not this caller's.

    It stands here, before the route, so that no route can forget it; those that read more look again for themselves.
    """
    named = request.view_args or {}
    if right.about == "connection":
        check_connection(desk(), principal, named["connection"])
    elif right.about == "draft":
        row = desk().drafts.find(named["draft_id"])
        if row is None or not is_visible(desk(), principal, row):
            raise NotFound(f"there is no draft {named['draft_id']} of yours")
    elif right.about == "campaign" and not principal.sees(desk().campaigns.get(named["campaign_id"]).connection):
        raise NotFound(f"there is no campaign {named['campaign_id']} of yours")


def _principal() -> Principal | None:
    """The holder of the bearer token, else of the session. Raises AccessDenied for a change without CSRF token."""
    header = request.headers.get("Authorization", "")
    scheme, _, secret = header.partition(" ")
    now = desk().clock()
    if header:
        found = desk().access.by_token(secret.strip(), now=now) if scheme.lower() == "bearer" else None
        if found is None:
            _refuse_token()
        return found
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


def set_cookie(response: Any, name: str, value: str, lasts: timedelta, *, path: str = "/") -> None:
    """A cookie that scripts cannot read and other sites' forms do not send."""
    secure = request.is_secure or (desk().settings.public_url or "").startswith("https:")
    age = int(lasts.total_seconds())
    response.set_cookie(name, value, max_age=age, httponly=True, secure=secure, samesite="Lax", path=path)


def caller() -> str:
    """Where this request comes from, behind the proxies that the settings name."""
    forwarded = request.headers.getlist("X-Forwarded-For")
    return caller_of(request.remote_addr, forwarded, desk().settings.trusted_proxies)


def check_not_locked(source: str | None = None, what: str = "sign-ins") -> None:
    """Raises TooManyTries while too many sign-ins have failed from where this one comes."""
    ends = desk().access.locked_until(source or caller(), now=desk().clock())
    if ends is not None:
        wait = (ends - desk().clock()).total_seconds()
        raise TooManyTries(f"too many {what} failed from here: try again in {int(wait // 60) + 1} minutes", wait)


def note_failure(how: str) -> None:
    """Counts a sign-in that failed, by `link` or `provider`."""
    desk().access.note_failure(caller(), now=desk().clock(), how=how)


def _refuse_token() -> None:
    """Counts a wrong token. Raises TooManyTries after many: a right one is never kept out by wrong ones beside it."""
    source = f"token {caller()}"
    check_not_locked(source, "tokens")
    desk().access.note_failure(source, now=desk().clock(), how="token")


def _check_rate(principal: Principal) -> None:
    """Raises TooManyTries for a program that calls more often than it may."""
    rate: CallRate = current_app.extensions["call_rate"]
    if principal.name.startswith("token:") and (wait := rate.wait_s(principal.name)):
        limit = desk().settings.token_calls_per_second
        raise TooManyTries(f"this token may call {limit} times a second (token_calls_per_second): wait", wait)


@blueprint.get("/sign-in/<secret>")
def use_link(secret: str) -> Response:
    """Turns a one-time link into a session and goes on to the console."""
    if request.method == "HEAD":  # link previews must not use the link up
        return Response(status=204)
    settings, now = desk().settings, desk().clock()
    check_not_locked()
    lasts = timedelta(hours=settings.session_hours)
    session = desk().access.use_link(secret, now=now, expires_at=now + lasts, source=caller())
    if session is None:
        note_failure("link")
        raise NotGenuine("this sign-in link was used before or is too old: make one with `crmplugin token link`")
    response = redirect("/console", 303)
    set_cookie(response, COOKIE, session, lasts)
    return response  # type: ignore[return-value]


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """Ends the session."""
    desk().access.end_session(request.cookies.get(COOKIE, ""))
    response = redirect("/", 303)
    response.delete_cookie(COOKIE)
    return response  # type: ignore[return-value]
