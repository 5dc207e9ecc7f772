"""The pass of a panel: who opened which record, for an hour. It lives in the page, never in a cookie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from flask import request

from crmplugin.domain.crm import Subject
from crmplugin.errors import NotFound, NotGenuine
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.visibility import check_connection
from crmplugin.store.access import Principal
from crmplugin.web.auth import desk
from crmplugin.web.called import signed_by_crm

PASS_LASTS = timedelta(hours=1)
PASS_AUDIENCE = "panel"


def make_pass(here: Desk, connection: str, subject: Subject, user_id: str | None, ends: datetime) -> str:
    """A signed pass for one connection, record and user."""
    about = f"{subject.type}:{subject.id}"
    claims = {"aud": PASS_AUDIENCE, "con": connection, "sub": user_id or "", "abt": about, "exp": ends}
    return jwt.encode(claims, here.settings.signing_key, algorithm="HS256")


def check_known(here: Desk, connection: str) -> None:
    if connection not in here.settings.connections:
        raise NotFound(f"no connection {connection!r}")


def holder(connection: str) -> Principal:
    """Who holds the pass of this connection, an API token that may use it, or whom the CRM names in a call it signed.

    Raises NotGenuine or NotFound.
    """
    here = desk()
    check_known(here, connection)
    if "Authorization" not in request.headers:
        return signed_by_crm(here, connection)
    secret = _bearer()
    who = here.access.by_token(secret, now=here.clock()) or _by_pass_or_crm(here, connection, secret)
    check_connection(here, who, connection)
    return who


def record_of(connection: str) -> Subject:
    """The record that the pass was made for. Raises NotGenuine."""
    return _subject_of(_claims(desk(), connection, _bearer()))


def _subject_of(claims: dict[str, Any]) -> Subject:
    subject_type, _, id_ = str(claims.get("abt", "")).partition(":")
    if not id_:
        raise NotGenuine("the panel's pass names no record: open the panel from the CRM again")
    return Subject(subject_type, id_)  # type: ignore[arg-type]


def _bearer() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotGenuine("open the panel from the CRM: its link gives the pass that is missing here")
    return secret


def _by_pass_or_crm(here: Desk, connection: str, secret: str) -> Principal:
    """Our pass, or a token that the CRM made for its user (Pipedrive's panel has a fresh one for each call)."""
    try:
        return _by_pass(here, connection, secret)
    except NotGenuine:
        if not getattr(here.connector(connection), "signs_tokens", False):
            raise
        return signed_by_crm(here, connection)


def _by_pass(here: Desk, connection: str, secret: str) -> Principal:
    claims = _claims(here, connection, secret)
    return visitor(connection, _subject_of(claims), claims.get("sub") or None)


def visitor(connection: str, subject: Subject, user_id: str | None) -> Principal:
    """Whoever opened the panel: a rep, or without a user somebody who sees this record and what belongs to it."""
    only = None if user_id else subject
    return Principal(f"user:{user_id or 'panel'}", "rep", user_id, (connection,), only_about=only)


def _claims(here: Desk, connection: str, secret: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
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
    return claims
