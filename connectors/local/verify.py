"""Is this webhook of the local CRM genuine? `X-Crmplugin-Signature: t=<unix s>,v1=<hex>`.

The hex is HMAC-SHA256, with the connection's `webhook_secret`, over the timestamp, a dot and the raw body.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.signatures import STAMPED, stamp, verify_stamped

HEADER = STAMPED


def verify(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> None:
    """Raises NotGenuine unless the body was signed with `secret` less than 300 s from `now`, both ways."""
    verify_stamped(headers, body, secrets=(secret,), now=now)


def sign(body: bytes, *, secret: str, now: datetime) -> str:
    """The header's value for a body: what a sender computes."""
    return stamp(body, secret=secret, now=now)
