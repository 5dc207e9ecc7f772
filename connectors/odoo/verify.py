"""Is this call of Odoo genuine? A webhook carries nothing but a secret in its address; our module signs its calls.

Neither body nor time of a webhook is proven, so whatever it says is read again by id. The module's calls have
`X-Crmplugin-Timestamp` (seconds) and `X-Crmplugin-Signature`: hex of HMAC-SHA256 over "timestamp.body".
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.signatures import check_age, header, hmac_sha256_hex, matches_any, unix_seconds
from crmplugin.errors import NotGenuine

SIGNATURE, TIMESTAMP = "X-Crmplugin-Signature", "X-Crmplugin-Timestamp"
NEVER = "-" * 32
"""Compared where no secret was sent, so that every refusal takes as long."""


def verify_webhook(headers: Mapping[str, str], *, url: str, secrets: Sequence[str]) -> None:
    """Raises NotGenuine unless the address ends with the secret, or has it as `token`, and the body says it is JSON."""
    if header(headers, "Content-Type").partition(";")[0].strip().lower() != "application/json":
        raise NotGenuine("the call is not JSON: Odoo's webhooks are")
    parts = urlsplit(url)
    token = parse_qs(parts.query).get("token", [""])[0]
    given = token or parts.path.rstrip("/").rpartition("/")[2] or NEVER
    tries = [hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode()) for secret in secrets]
    if not any(tries):
        raise NotGenuine("the webhook's address has no webhook_secret: compare the action's URL in Odoo")


def sign(secret: str, timestamp: int, body: bytes) -> str:
    return hmac_sha256_hex(secret, str(timestamp).encode() + b"." + body)


def verify_module(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
) -> Mapping[str, Any]:
    """What our module says of who presses the button. Raises NotGenuine for another secret, age or form."""
    if not secrets:
        raise NotGenuine("the button needs panel_secret in the settings of this connection")
    seconds = unix_seconds(header(headers, TIMESTAMP))
    given = header(headers, SIGNATURE)
    good = [matches_any(sign(secret, seconds, body), [given]) for secret in secrets]
    if not any(good):
        raise NotGenuine("the call is not signed with panel_secret: compare it with the module's settings in Odoo")
    check_age(seconds, now)
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotGenuine("the signed body is not JSON") from error
    if not isinstance(document, Mapping):
        raise NotGenuine("the signed body is no object")
    return document
