"""Is this webhook of the local CRM genuine? `X-Crmplugin-Signature: t=<unix s>,v1=<hex>`.

The hex is HMAC-SHA256, with the connection's `webhook_secret`, over the timestamp, a dot and the raw body. Several
`v1=` may stand there while a key is changed; one that fits is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.signatures import check_age, header, hmac_sha256_hex, matches_any, unix_seconds
from crmplugin.errors import NotGenuine

HEADER = "X-Crmplugin-Signature"
MAX_PARTS = 8


def verify(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> None:
    """Raises NotGenuine unless the body was signed with `secret` less than 300 s from `now`, both ways."""
    parts = _parts(header(headers, HEADER))
    times = [value for key, value in parts if key == "t"]
    if len(times) != 1:
        raise NotGenuine(f"{HEADER} has {len(times)} timestamps, expected t=<unix seconds>,v1=<hex>")
    seconds = unix_seconds(times[0])
    signatures = [value for key, value in parts if key == "v1"]
    # The signature is checked first, so that a stranger learns nothing about our clock.
    if not matches_any(hmac_sha256_hex(secret, times[0].encode("ascii") + b"." + body), signatures):
        raise NotGenuine("the signature does not fit body and secret: compare with `connections show --secrets`")
    check_age(seconds, now)


def sign(body: bytes, *, secret: str, now: datetime) -> str:
    """The header's value for a body: what a sender computes."""
    seconds = str(int(now.timestamp()))
    return f"t={seconds},v1={hmac_sha256_hex(secret, seconds.encode('ascii') + b'.' + body)}"


def _parts(value: str) -> list[tuple[str, str]]:
    parts = [part.strip().partition("=") for part in value.split(",", MAX_PARTS)]
    return [(key, rest) for key, _, rest in parts]
