"""What every page shares: its frame, its reader and words, and problems shown as pages instead of JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from crmplugin.store.access import Principal
from crmplugin.web.auth import csrf_token, desk
from crmplugin.web.charts import draw, far_above
from crmplugin.web.console_about import name_of
from crmplugin.web.console_show import Reader, choose_locale, cut, plain_field
from crmplugin.web.console_told import in_words
from crmplugin.web.console_words import Words, choose_words, load_words
from crmplugin.web.problems import PROBLEM_TYPE
from crmplugin.web.texts import whole_number

blueprint = Blueprint("console", __name__)

MACHINE_PATHS = ("/api/", "/webhooks/", "/static/", "/healthz", "/readyz", "/metrics")
"""Addresses whose problems stay JSON, whoever asks."""
SCRIPT_WORDS = (
    "draft.state_reading", "draft.state_waiting", "draft.state_writing", "draft.state_checking", "draft.state_mending",
    "draft.offline",
    "draft.copied", "draft.live_checking", "problem.network", "draft.proof_of", "draft.proof_rule", "draft.proof_plain",
    "draft.sentence_needs", "draft.seconds", "draft.copy_by_hand",
    "bar.away", "bar.back_again", "bar.working", "bar.still",
)  # fmt: skip
"""Words that scripts say."""


BEHIND: Mapping[str, str] = {
    "events": "/console/events",
    "jobs": "/console/jobs",
    "connections": "/console/connections",
    "rules": "/console/rules",
    "prompts": "/console/prompts",
    "audit": "/console/audit",
    "people": "/console/people",
}
ADMINS_ONLY = frozenset({"people"})
"""Pages of those who keep the server going, by their word in the navigation."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where people came in: the console, or the panel of a connection. `pages` is the address of its drafts."""

    pages: str
    panel: bool = False

    def draft(self, draft_id: str, action: str = "") -> str:
        """The address of a draft's page, or of something done to it."""
        return f"{self.pages}/{draft_id}{'/' if action else ''}{action}"


CONSOLE = Door("/console/drafts")


def principal() -> Principal | None:
    """Who looks at the page, if somebody is signed in."""
    found: Principal | None = g.get("principal")
    return found


def words() -> Words:
    """The words for this reader."""
    return choose_words(request.accept_languages)


def reader(connection: str = "local") -> Reader:
    """This reader's locale, zone and time; the same for a whole page."""
    known: dict[str, Reader] = g.setdefault("readers", {})
    if connection not in known:
        chosen = words()
        locale = choose_locale(list(request.accept_languages.values()), chosen.language, chosen.locale)
        known[connection] = Reader(locale, _zone(connection), desk().clock())
    return known[connection]


def _zone(connection: str) -> ZoneInfo:
    """The zone of the user who looks, else of the seller, else UTC."""
    who, records = principal(), desk().records
    user = records.read_one(connection, "users", who.user_id) if who and who.user_id else None
    named = (
        getattr(user, "timezone", None),
        getattr(records.read_one(connection, "seller", "seller"), "timezone", None),
    )
    for name in named:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def plain_who(name: str | None, connection: str = "local") -> str:
    """Who did something, as people call them: a colleague's name, else a role or what it was."""
    kind, _, rest = (name or "system").partition(":")
    if kind == "user":
        return name_of(desk().records.read_one(connection, "users", rest)) or rest
    if kind == "console":
        return words().plain("role", rest)
    return words().plain("who", kind)


def page(template: str, *, status: int = 200, connection: str = "local", **values: Any) -> Response:
    """A page, with what all of them use. An unchanged one is 304 for a script that looks again."""
    door = g.get("door", CONSOLE)
    html = render_template(
        f"console/{template}",
        t=words(),
        reader=reader(connection),
        who=principal(),
        who_name=plain_who,
        csrf=csrf_token() if principal() and not door.panel else "",
        door=door,
        crm=_crm_of,
        draw=draw,
        far_above=far_above,
        behind=_behind(),
        script_words=_script_words(words().language),
        **values,
    )
    response = make_response(html, status)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept-Language, Cookie"
    if status == 200:
        response.set_etag(hashlib.sha256(html.encode()).hexdigest()[:20])
        response.make_conditional(request)
    return response


def _behind() -> Mapping[str, str]:
    """The pages behind that this reader may open."""
    found = principal()
    if found is None or found.role == "admin":
        return BEHIND
    return {key: path for key, path in BEHIND.items() if key not in ADMINS_ONLY}


def _crm_of(connection: str) -> str:
    """The name of a connection's CRM, as people call it."""
    found = desk().settings.connections.get(connection)
    return words().plain("crm", found.crm if found else "local")


@cache
def _script_words(language: str) -> str:
    chosen = load_words(language)
    return json.dumps({key.partition(".")[2]: chosen(key) for key in SCRIPT_WORDS}, ensure_ascii=False)


def back_to(path: str) -> Response:
    """Goes on to a page after something was done."""
    return redirect(path, 303)  # type: ignore[return-value]


def wants_page() -> bool:
    """Whether a person's browser asks, rather than a program."""
    if request.path.startswith(MACHINE_PATHS):
        return False
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"] and "text/html" in accepted.values()


@blueprint.after_app_request
def show_problem(response: Response) -> Response:
    """A problem as a page that says what happened and what to do; who is signed out is sent to sign in."""
    if response.mimetype != PROBLEM_TYPE or not wants_page():
        return response
    problem = json.loads(response.get_data())
    if problem["status"] == 401 and problem["code"] == "not_signed_in" and not request.path.startswith("/panel"):
        return back_to("/sign-in")
    shown = page("problem.html", status=problem["status"], problem=problem, heading=_heading(problem))
    response.set_data(shown.get_data())  # its other headers (policy, Retry-After) stay
    for name in ("Content-Type", "Cache-Control", "Vary"):
        response.headers[name] = shown.headers[name]
    return response


def _heading(problem: dict[str, Any]) -> str:
    chosen = words()
    known = chosen.tables["problem"]
    return known.get(problem["code"]) or known["error"]


@blueprint.app_template_filter("cut")
def _cut(text: str | None, limit: int = 160) -> str:
    return cut(text, limit)


@blueprint.app_template_filter("field")
def _field(name: str) -> str:
    return plain_field(name, words().language)


@blueprint.app_template_filter("told")
def _told(text: str | None) -> str:
    return in_words(text, words(), reader())


@blueprint.app_template_filter("first_up")
def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def form_text(name: str) -> str | None:
    """A field of the form that was sent, None when it is absent or empty."""
    return request.form.get(name, "").strip() or None


def form_version() -> int | None:
    """The version that the person saw, which a change must still find."""
    return whole_number(request.form.get("version"))
