"""The WSGI application: every blueprint, the errors, the rights, and the headers of every answer."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from apispec import APISpec
from flask import Flask, Response, request

from crmplugin.journeys.desk import Desk
from crmplugin.web import (
    api,
    api_campaigns,
    api_styles,
    api_work,
    auth,
    health,
    installs,
    openapi,
    panel,
    problems,
    texts,
    webhooks,
)
from crmplugin.web.callers import CallRate
from crmplugin.web.compress import compress, static_path
from crmplugin.web.rights import RIGHTS
from crmplugin.web.streams import StreamCap

MAX_BODY_BYTES = 5 * 1024 * 1024
"""The largest request body that is taken, webhooks included; more is 413."""
STATIC = Path(__file__).parent / "static"
PAGES = ("crmplugin.web.oidc", "crmplugin.web.console", "crmplugin.web.panel_pages")
"""Modules with a `blueprint` of HTML pages."""

FROM_ANY_FRAME = frozenset(endpoint for endpoint, right in RIGHTS.items() if right.about == "pass")
"""What a panel asks for with its pass. A frame without `allow-same-origin` has no origin, so these answer every origin:
no cookie counts here, and without the pass there is nothing to be had."""
FRAME_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, Last-Event-ID",
    "Access-Control-Expose-Headers": "Content-Disposition, ETag, Location",
    "Access-Control-Max-Age": "600",
}


def create_app(desk: Desk | None = None) -> Flask:
    """The application around a desk; without one, around a whole server of this process's settings."""
    if desk is None:
        # The entry of WSGI servers. Only wiring knows who is who, and nothing in this room may import it.
        desk = import_module("crmplugin.wiring").open_office().desk
    app = Flask(
        "crmplugin.web", static_folder="static", static_url_path=static_path(STATIC), template_folder="templates"
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions["desk"] = desk
    app.extensions["call_rate"] = CallRate(desk.settings.token_calls_per_second)
    app.extensions["stream_cap"] = StreamCap(desk.settings.streams)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.after_request(compress)  # Flask runs the first one last, so it sees the finished answer
    _register_api(app)
    texts.register(app)
    auth.register(app)
    for module in (webhooks, health, installs, panel, *_pages()):
        app.register_blueprint(module.blueprint)
    app.jinja_env.globals["csrf_token"] = auth.csrf_token
    problems.register(app)
    app.after_request(add_headers)
    return app


def _register_api(app: Flask) -> APISpec:
    documented = openapi.open_api(app)
    for blueprint in (
        api.blueprint,
        api_campaigns.blueprint,
        api_work.briefs,
        api_work.events,
        api_work.jobs,
        api_styles.styles,
    ):
        documented.register_blueprint(blueprint)
    spec: APISpec = documented.spec
    return spec


def api_document() -> dict[str, Any]:
    """The OpenAPI document, without a server behind it."""
    app = Flask("crmplugin.web", static_folder=None)
    with app.app_context():
        document: dict[str, Any] = _register_api(app).to_dict()
    return document


def _pages() -> list[Any]:
    """The modules of HTML pages that are installed."""
    return [import_module(name) for name in PAGES if find_spec(name)]


def add_headers(response: Response) -> Response:
    """What every answer says about frames, scripts, types and referrers."""
    headers = {
        "Content-Security-Policy": content_policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    if request.endpoint == "static" or request.endpoint in FROM_ANY_FRAME:
        headers |= FRAME_HEADERS
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/api/") and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def content_policy() -> str:
    """Own scripts and styles only; framed by nobody, but the panel by the hosts of its connection."""
    ancestors = "'none'"
    if request.blueprint in ("panel", "panel_pages"):
        connection = auth.desk().settings.connections.get((request.view_args or {}).get("connection", ""))
        ancestors = " ".join(connection.frame_ancestors) or "'none'" if connection else "'none'"
    return f"default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors {ancestors}"
