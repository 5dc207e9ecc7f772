"""Sign-in with an OpenID Connect provider: authorization code with PKCE, state and nonce; the ID token is verified.

Who somebody is in each CRM is found by their mail address among the connection's users; the role comes from a claim.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from flask import Blueprint, Response, redirect, request, url_for

from crmplugin.errors import AccessDenied, NotFound, NotGenuine
from crmplugin.settings import LOOPBACK, OidcSettings
from crmplugin.store.access import REFUSED, Principal
from crmplugin.store.audit import Entry
from crmplugin.web import auth

blueprint = Blueprint("oidc", __name__, url_prefix="/sign-in/oidc")

COOKIE = "crmplugin_oidc"
LASTS = timedelta(minutes=10)
TIMEOUT_S = 10
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
"""Asymmetric ones alone: with `HS256` the provider's public key would be a secret that everybody has."""
LEEWAY_S = 60
GENERIC = "the sign-in did not come to an end as it should: start it again"


@blueprint.get("")
def start() -> Response:
    """Goes to the provider; what must come back is kept in a signed cookie."""
    oidc = _settings()
    kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    with _client(oidc) as client:
        url, _ = client.create_authorization_url(
            _discover(oidc)["authorization_endpoint"],
            state=kept["state"],
            nonce=kept["nonce"],
            code_verifier=kept["verifier"],
        )
    answer = redirect(url, 303)
    desk = auth.desk()
    claims = {**kept, "aud": "oidc", "exp": desk.clock() + LASTS}
    token = jwt.encode(claims, desk.settings.signing_key, algorithm="HS256")
    auth.set_cookie(answer, COOKIE, token, LASTS, path="/sign-in/oidc")
    return answer  # type: ignore[return-value]


@blueprint.get("/callback")
def callback() -> Response:
    """Comes back from the provider: a session, for somebody who has a role here."""
    oidc, desk = _settings(), auth.desk()
    auth.check_not_locked()
    try:
        claims = _claims_of_answer(oidc)
    except NotGenuine:
        auth.note_failure("provider")
        raise
    who = _welcomed(oidc, claims)
    lasts = timedelta(hours=desk.settings.session_hours)
    now = desk.clock()
    session = desk.access.open_session(who, now=now, expires_at=now + lasts, source=auth.caller())
    answer = redirect("/console", 303)
    auth.set_cookie(answer, auth.COOKIE, session, lasts)
    answer.delete_cookie(COOKIE, path="/sign-in/oidc")
    return answer  # type: ignore[return-value]


def _welcomed(oidc: OidcSettings, claims: Mapping[str, Any]) -> Principal:
    """Who somebody is here; that somebody has nothing here is told to the audit. Raises AccessDenied."""
    try:
        return _principal(oidc, claims)
    except AccessDenied:
        desk = auth.desk()
        personal = {"from": auth.caller(), "mail": str(claims.get("email") or "")}
        desk.audit.add(Entry(REFUSED, desk.clock(), body={"how": "provider", "why": "no_role"}, personal=personal))
        raise


def _settings() -> OidcSettings:
    found = auth.desk().settings.oidc
    if found is None:
        raise NotFound("no OpenID Connect provider is set: see [oidc] in the guide")
    return found


def _client(oidc: OidcSettings) -> OAuth2Session:
    return OAuth2Session(
        oidc.client_id,
        oidc.client_secret,
        scope="openid email profile",
        redirect_uri=_redirect_uri(),
        code_challenge_method="S256",
    )


def _redirect_uri() -> str:
    public = auth.desk().settings.public_url
    return public + url_for("oidc.callback") if public else url_for("oidc.callback", _external=True)


def _discover(oidc: OidcSettings) -> Mapping[str, Any]:
    """The provider's own description. Raises NotGenuine when it is another's, or leads elsewhere than to https."""
    found: dict[str, Any] = _get(f"{oidc.issuer}/.well-known/openid-configuration")
    if str(found.get("issuer", "")).rstrip("/") != oidc.issuer:
        raise NotGenuine("the OpenID Connect provider calls itself by another name than oidc.issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        where = urlsplit(str(found.get(name, "")))
        if where.scheme != "https" and where.hostname not in LOOPBACK:
            raise NotGenuine(f"the OpenID Connect provider's {name} is not an https address")
    return found


def _get(url: str) -> Any:
    try:
        answer = requests.get(url, timeout=TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        return answer.json()
    except (requests.RequestException, ValueError) as error:
        raise NotGenuine("the OpenID Connect provider does not answer as it should: try again later") from error


def _claims_of_answer(oidc: OidcSettings) -> Mapping[str, Any]:
    """The verified claims behind what the provider sent back. Raises NotGenuine whatever is wrong."""
    kept, provider = _kept(), _discover(oidc)
    if not hmac.compare_digest(request.args.get("state", "").encode(), kept["state"].encode()):
        raise NotGenuine(GENERIC)
    if "code" not in request.args:
        raise NotGenuine("the provider did not sign you in: start again, or ask whoever runs it")
    try:
        with _client(oidc) as client:
            token = client.fetch_token(
                provider["token_endpoint"],
                code=request.args["code"],
                code_verifier=kept["verifier"],
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
    except (OAuthError, requests.RequestException, ValueError) as error:
        raise NotGenuine(GENERIC) from error
    return verify_id_token(str(token.get("id_token", "")), oidc, _get(provider["jwks_uri"]), nonce=kept["nonce"])


def _kept() -> Mapping[str, str]:
    try:
        found: dict[str, str] = jwt.decode(
            request.cookies.get(COOKIE, ""), auth.desk().settings.signing_key, algorithms=["HS256"], audience="oidc"
        )
    except jwt.InvalidTokenError as error:
        raise NotGenuine(GENERIC) from error
    return found


def verify_id_token(token: str, oidc: OidcSettings, keys: Mapping[str, Any], *, nonce: str) -> Mapping[str, Any]:
    """The claims of a genuine ID token for us. Raises NotGenuine."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise NotGenuine(GENERIC)
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(keys, header),
            algorithms=[header["alg"]],
            audience=oidc.client_id,
            issuer=oidc.issuer,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except (jwt.InvalidTokenError, jwt.PyJWKError, ValueError) as error:
        raise NotGenuine(GENERIC) from error
    for_us = claims.get("azp", oidc.client_id) == oidc.client_id
    if not for_us or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise NotGenuine(GENERIC)
    return claims


def _key(keys: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
    """The provider's key that the token names; the only one there is when it names none."""
    usable = [key for key in keys.get("keys", ()) if key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"]
    named = [key for key in usable if key.get("kid") == header.get("kid")] if header.get("kid") else usable
    if len(named) != 1:
        raise NotGenuine(GENERIC)
    return jwt.PyJWK(named[0], algorithm=header["alg"]).key


def _principal(oidc: OidcSettings, claims: Mapping[str, Any]) -> Principal:
    """Who somebody is here. Raises AccessDenied for one without a role, or a rep whom no CRM knows."""
    values = claims.get(oidc.role_claim) or ()
    held = {values} if isinstance(values, str) else {str(value) for value in values}
    role = next((role for role, names in oidc.roles.items() if held & set(names)), oidc.default_role)
    if role is None:
        raise AccessDenied(
            f"you have no role here: ask your admin for one of the values in oidc.roles ({oidc.role_claim})"
        )
    # An address that the provider does not vouch for is anybody's: such a person has the provider's own name.
    vouched = claims.get("email_verified", True) is True
    email = str(claims.get("email") or "").strip().casefold() if vouched else ""
    users = _users_of(email) if email else {}
    if role == "rep" and not users:
        raise AccessDenied("no CRM has a user with your mail address: ask your admin to add it there")
    connections = tuple(sorted(users)) if role == "rep" else None
    return Principal(f"person:{email or claims['sub']}", role, None, connections, users=users or None)


def _users_of(email: str) -> dict[str, str]:
    """The user with a mail address on each connection; an address that two users share is nobody's."""
    desk, found = auth.desk(), {}
    for name in desk.settings.connections:
        ids = [u.id for u in desk.records.iterate(name, "users") if (u.email or "").strip().casefold() == email]
        if len(ids) == 1:
            found[name] = ids[0]
    return found
