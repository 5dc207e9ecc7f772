"""Is this call of Salesforce genuine? Four ways in, each with its own proof.

- An outbound message proves nothing itself: its address ends with a long secret (`webhook_token`), and the org must be
  ours (the first 15 characters of its id). Vendor pages "Outbound Messaging" and Help article 005232763, November 2026.
- A flow's callout sends our token as `Authorization: Bearer`, or Apex signs body and time (`X-Crmplugin-Signature`).
- Apex behind the panel sends `panel_secret`, which only the named credential knows, and says who its user is.
- Canvas posts a `signed_request`: base64 of HMAC-SHA256 over the base64 text of its context, a dot, and that text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.salesforce.soap import SoapError, organization_of
from connectors.signatures import STAMPED, check_age, header, matches_any, verify_stamped
from crmplugin.errors import NotGenuine

USER, ORGANIZATION = "X-Salesforce-User", "X-Salesforce-Organization"


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    url: str,
    tokens: Sequence[str],
    secrets: Sequence[str],
    organization_id: str,
    now: datetime,
) -> None:
    """Raises NotGenuine unless the call has our token, or a signature, and an outbound message is of our org."""
    names = {name.lower() for name in headers}
    if STAMPED.lower() in names:
        verify_stamped(headers, body, secrets=secrets, now=now)
    elif not has_token(headers, url, tokens):
        raise NotGenuine(f"neither webhook_token (as Bearer or last part of the address) nor {STAMPED} is there")
    if is_xml(body):
        _check_sender(body, organization_id)


def has_token(headers: Mapping[str, str], url: str, tokens: Sequence[str]) -> bool:
    """Whether one of our tokens is the bearer, the last part of the path or `?token=`; all are compared."""
    parts = urlsplit(url)
    scheme, _, bearer = next((v for k, v in headers.items() if k.lower() == "authorization"), "").partition(" ")
    given = [parts.path.rstrip("/").rpartition("/")[2], *parse_qs(parts.query).get("token", ())]
    if scheme.lower() == "bearer":
        given.append(bearer.strip())
    return True in [_same(token, one) for token in tokens for one in given]


def is_xml(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def same_org(one: str, other: str) -> bool:
    """Whether two ids name one org: the last three characters only say how it is spelt."""
    return len(one) >= 15 and one[:15] == other[:15]


def _check_sender(body: bytes, organization_id: str) -> None:
    try:
        given = organization_of(body)
    except SoapError:
        return  # Whoever knows the token may be unreadable: that is kept and told.
    if not same_org(organization_id, given):
        raise NotGenuine(f"the message is of org {given[:15]!r}, not of organization_id")


def read_caller(headers: Mapping[str, str], *, secrets: Sequence[str], organization_id: str) -> str:
    """The user for whom Apex calls. Raises NotGenuine for another secret or org."""
    scheme, _, given = header(headers, "Authorization").partition(" ")
    if scheme.lower() != "bearer" or True not in [_same(secret, given.strip()) for secret in secrets]:
        raise NotGenuine("the call has not panel_secret: compare it with the named credential's principal")
    if not same_org(organization_id, header(headers, ORGANIZATION)):
        raise NotGenuine("the call is of another org than organization_id")
    user = header(headers, USER)
    if not user.startswith("005"):
        raise NotGenuine(f"{USER} names no user of Salesforce")
    return user


def read_signed_request(
    value: str, *, secrets: Sequence[str], organization_id: str, now: datetime
) -> Mapping[str, Any]:
    """The context that Canvas signed. Raises NotGenuine for anything else, whatever is wrong with it."""
    signature, dot, text = value.partition(".")
    expected = [sign_context(secret, text) for secret in secrets]
    if not dot or True not in [matches_any(one, [signature]) for one in expected]:
        raise NotGenuine("the signed_request is not signed with canvas_secret: compare it with the app's secret")
    try:
        context: Any = json.loads(base64.b64decode(text, validate=True).decode("utf-8"))
        issued, algorithm = context["issuedAt"], context["algorithm"]
        org = str(context["context"]["organization"]["organizationId"])
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotGenuine("the signed_request is signed, but holds no context of Canvas") from error
    if algorithm != "HMACSHA256" or isinstance(issued, bool) or not isinstance(issued, int):
        raise NotGenuine("the signed_request names another algorithm, or no time")
    if not same_org(organization_id, org):
        raise NotGenuine("the signed_request is of another org than organization_id")
    check_age(issued // 1000, now)
    found: Mapping[str, Any] = context
    return found


def sign_context(secret: str, text: str) -> str:
    """What Canvas puts before the dot: over the base64 text, not over what it means."""
    message = text.encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))
