"""Is this call of Pipedrive genuine? Webhooks carry HTTP Basic credentials and nothing else; the panel carries a JWT.

Neither body nor time of a webhook is proven, so whatever it says is read again by id. The panel's token is HS256, lives
five minutes, and names user and company, never the record. Vendor guides for webhooks v2 and custom panels, read
November 2026.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jwt

from connectors.signatures import header
from crmplugin.errors import NotGenuine

LEEWAY_S = 60
OPTIONS: Any = {"require": ["exp"], "verify_exp": False, "verify_iat": False}
"""Times are compared below, with the clock that the caller hands in."""


def verify_webhook(
    headers: Mapping[str, str], *, url: str, user: str, passwords: Sequence[str], path: str | None = None
) -> None:
    """Raises NotGenuine unless name and password are the subscription's, and the address has its secret part."""
    scheme, _, given = header(headers, "Authorization").partition(" ")
    if scheme.lower() != "basic":
        raise NotGenuine("the call has no Basic credentials: give the webhook http_auth_user and http_auth_password")
    try:
        name, _, password = base64.b64decode(given.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError) as error:
        raise NotGenuine("the Basic credentials are not base64") from error
    # Both are compared, whatever the first says: nobody learns which one was wrong.
    good_name = hmac.compare_digest(name, user.encode())
    good_password = any(hmac.compare_digest(password, one.encode()) for one in passwords)
    if not (good_name and good_password):
        raise NotGenuine("name or password of the webhook are not those of webhook_user and webhook_password")
    if path and urlsplit(url).path.rstrip("/").rpartition("/")[2] != path:
        raise NotGenuine("the address of the webhook does not end with webhook_path")


def read_token(token: str, *, secrets: Sequence[str], company_id: str, now: datetime) -> Mapping[str, Any]:
    """The claims of a panel's token. Raises NotGenuine for another algorithm, company, secret or time."""
    for secret in secrets:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                options={"require": ["exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            continue
        return _checked(claims, company_id, now)
    raise NotGenuine("the panel's token is not signed with panel_secret: compare it with the app's JWT secret")


def _checked(claims: dict[str, Any], company_id: str, now: datetime) -> Mapping[str, Any]:
    ends, begins = claims.get("exp"), claims.get("iat", 0)
    if not isinstance(ends, int) or not isinstance(begins, int) or ends + LEEWAY_S < now.timestamp():
        raise NotGenuine("the panel's token is over: reload the record in Pipedrive, or check both clocks")
    if begins - LEEWAY_S > now.timestamp():
        raise NotGenuine("the panel's token is from the future: check both clocks")
    if str(claims.get("companyId")) != company_id:
        raise NotGenuine(f"the panel's token is of company {claims.get('companyId')}, not of company_id {company_id}")
    if not claims.get("userId"):
        raise NotGenuine("the panel's token names no user")
    return claims
