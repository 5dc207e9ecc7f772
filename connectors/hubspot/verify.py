"""Is this call of HubSpot genuine? Signatures v3, and v2 or v1 where the settings allow them.

v3 (`X-HubSpot-Signature-v3`, `X-HubSpot-Request-Timestamp` in ms): base64 of HMAC-SHA256 over METHOD + URI + body +
timestamp. v2: SHA-256 hex of secret + METHOD + URI + body. v1: SHA-256 hex of secret + body. The URI is the public
address that HubSpot called, with its query. Window 300 s back and 60 s ahead; only v3 carries a time.
Vendor page "Validating requests", read November 2026.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from connectors.signatures import header, matches_any
from crmplugin.errors import NotGenuine

SIGNATURE_V3 = "X-HubSpot-Signature-v3"
TIMESTAMP = "X-HubSpot-Request-Timestamp"
SIGNATURE = "X-HubSpot-Signature"
VERSION = "X-HubSpot-Signature-Version"
OLDEST_MS = 300_000
AHEAD_MS = 60_000
DECODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
"""The escapes that HubSpot undoes before it signs, once, and no other."""


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    method: str,
    url: str,
    secrets: Sequence[str],
    versions: Collection[str],
    now: datetime,
) -> None:
    """Raises NotGenuine unless one of the secrets signed this call in one of the versions taken.

    A call with a v3 signature is judged by that alone: there is no falling back to a weaker one.
    """
    names = {name.lower() for name in headers}
    if SIGNATURE_V3.lower() in names:
        _verify_v3(headers, body, method, url, secrets, now)
        return
    version = header(headers, VERSION) if VERSION.lower() in names else "none"
    if version not in versions or version == "v3":
        raise NotGenuine(f"no {SIGNATURE_V3}, and signature version {version!r} is not among signature_versions")
    given = [header(headers, SIGNATURE)]
    signed = [_signed_v1(s, body) if version == "v1" else _signed_v2(s, method, url, body) for s in secrets]
    if not any(matches_any(expected, given) for expected in signed):
        raise NotGenuine(f"the {version} signature does not fit body and client secret")


def _verify_v3(
    headers: Mapping[str, str], body: bytes, method: str, url: str, secrets: Sequence[str], now: datetime
) -> None:
    timestamp = header(headers, TIMESTAMP)
    if not re.fullmatch(r"[0-9]{1,15}", timestamp, re.ASCII):
        raise NotGenuine(f"{TIMESTAMP} is no time in milliseconds")
    given = [header(headers, SIGNATURE_V3)]
    # Vendor's clients sign the address as it is, its pages say decoded: both need the secret, so both are genuine.
    addresses = dict.fromkeys((decoded(url), url))
    signed = [sign_v3(secret, method, address, body, timestamp) for secret in secrets for address in addresses]
    if not any(matches_any(expected, given) for expected in signed):
        raise NotGenuine(f"the v3 signature does not fit: compare client_secret, and public_url with {_place(url)}")
    age_ms = int(now.timestamp() * 1000) - int(timestamp)
    if not -AHEAD_MS <= age_ms <= OLDEST_MS:
        side = f"{age_ms} ms old" if age_ms > 0 else f"{-age_ms} ms in the future"
        raise NotGenuine(f"signed {side}: check both clocks")


def decoded(url: str) -> str:
    """The address as HubSpot signs it."""
    return DECODED.sub(lambda found: chr(int(found[1], 16)), url)


def sign_v3(secret: str, method: str, url: str, body: bytes, timestamp: str) -> str:
    """The v3 signature of a call whose address is already in the form to be signed."""
    message = method.encode() + url.encode("utf-8", "surrogatepass") + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def _signed_v1(secret: str, body: bytes) -> str:
    return hashlib.sha256(secret.encode() + body).hexdigest()


def _signed_v2(secret: str, method: str, url: str, body: bytes) -> str:
    return hashlib.sha256(secret.encode() + method.encode() + url.encode("utf-8", "surrogatepass") + body).hexdigest()


def _place(url: str) -> str:
    """The address without its query, which may name people."""
    return url.partition("?")[0]
