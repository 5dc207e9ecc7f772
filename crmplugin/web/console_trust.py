"""Who may do what, and what was done: people and roles, keys of programs, the audit and whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Response, request

from crmplugin.errors import NotFound, UsageError
from crmplugin.journeys import approve as decisions
from crmplugin.store.access import TokenRow
from crmplugin.web.auth import desk, who
from crmplugin.web.console_about import name_of
from crmplugin.web.console_frame import blueprint, page, reader, words
from crmplugin.web.console_told import in_words
from crmplugin.web.rights import RIGHTS, ROLES

NEWEST = 100
MOST_PEOPLE = 200
DOORS = {
    "drafts": "console.waiting",
    "deals": "console.deals",
    "campaigns": "campaigns.run_campaign",
    "figures": "console.figures",
    "events": "console.events",
    "rules": "console.change_rules",
    "audit": "console.audit",
    "people": "console.people",
}
"""What a role's line of the table says: a word, and the row of the table of rights that decides it."""


@blueprint.get("/console/audit")
def audit() -> Response:
    """The newest rows of the audit; with `?look=1` also whether every row is as it was written.

    What is of no connection (sign-ins, keys, settings) is the installation's: for who is bound to none.
    """
    draft = request.args.get("draft", "").strip() or None
    rows = desk().audit.rows(draft=draft, newest=NEWEST)
    mine = who().connections
    seen = [row for row in rows if mine is None or row.connection in mine]
    shown = [{"row": row, "told": _told(row.body)} for row in reversed(seen)]
    verdict = desk().audit.verify() if request.args.get("look") == "1" else None
    return page("audit.html", rows=shown, draft=draft, verdict=verdict)


def _told(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The body of a row as names and values in plain words; what has no name of its own is for programs."""
    named = words().tables["audit_field"]
    return [(named[key], _plain(key, str(body[key]))) for key in named if isinstance(body.get(key), (str, int))]


def _plain(key: str, value: str) -> str:
    known = words().tables["audit_value"].get(f"{key}.{value}")
    table = _VALUE_WORDS.get(key)
    return known or (words().plain(table, value) if table else in_words(value, words(), reader()))


_VALUE_WORDS = {"kind": "kind", "type": "type", "channel": "channel", "language": "tongue", "from": "status",
                "writer": "who", "role": "role"}  # fmt: skip
"""Field of a row -> the table of words that has its values."""


@blueprint.get("/console/people")
def people() -> Response:
    """Colleagues of each CRM with their roles, what each role may do, and the keys of programs."""
    return _people()


@blueprint.post("/console/people/link")
def make_link() -> Response:
    """A sign-in link for somebody, shown this once."""
    role = request.form.get("role", "")
    user_id, _, connection = request.form.get("user", "").partition("@")
    if role not in ROLES:
        raise UsageError(f"role: expected one of {', '.join(ROLES)}")
    ends = desk().clock() + timedelta(minutes=desk().settings.sign_in_minutes)
    scope = (connection,) if user_id and connection else who().connections
    if scope is not None and not all(who().sees(name) for name in scope):
        raise NotFound(f"no connection {connection!r} of yours")
    secret = desk().access.create_link(role, expires_at=ends, user_id=user_id or None, connections=scope, by=who().name)
    base = desk().settings.public_url or request.host_url.rstrip("/")
    return _people(link=f"{base}/sign-in/{secret}", ends=ends)


@blueprint.post("/console/people/revoke")
def revoke_token() -> Response:
    """Ends a program's key at once."""
    token_id = request.form.get("token", "")
    if token_id in {token.id for token in _tokens()}:
        desk().access.revoke_token(token_id, at=desk().clock(), by=who().name)
    return _people()


def _tokens() -> list[TokenRow]:
    """The tokens in force that reach no further than the caller does."""
    now, mine = desk().clock(), who().connections
    valid = [t for t in desk().access.tokens() if t.revoked_at is None and (t.expires_at is None or t.expires_at > now)]
    return [t for t in valid if mine is None or (t.connections is not None and set(t.connections) <= set(mine))]


def _people(**more: Any) -> Response:
    names = [name for name in desk().settings.connections if who().sees(name)]
    users = [
        {"connection": name, "id": user.id, "name": name_of(user) or user.id, "role": user.role, "email": user.email}
        for name in names for user in desk().records.iterate(name, "users")
    ][:MOST_PEOPLE]  # fmt: skip
    shown = {"link": None, "ends": None, **more}
    return page("people.html", users=users, tokens=_tokens(), roles=ROLES, table=_table(), **shown)


def _table() -> list[dict[str, Any]]:
    """What each role may do: its doors, what it may approve, and whether it may override a check."""
    rows: list[dict[str, Any]] = [{"word": f"may.{key}", "roles": RIGHTS[right].roles} for key, right in DOORS.items()]
    rows += [{"word": f"may.approve_{kind}", "roles": roles} for kind, roles in decisions.MAY_APPROVE.items()]
    return [*rows, {"word": "may.override", "roles": decisions.MAY_OVERRIDE}]
