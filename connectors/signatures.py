"""Checks of genuineness that several CRMs share: constant-time HMAC comparison and the age of a timestamp.

Whatever is wrong, a stranger hears one thing: NotGenuine. The message says what, for the admin's log.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from crmplugin.errors import NotGenuine

WINDOW_S = 300
"""How old, and how far ahead of our clock, a signed timestamp may be, in seconds."""


def hmac_sha256_hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode("utf-8"), message, hashlib.sha256).hexdigest()


def matches_any(expected: str, given: Iterable[str]) -> bool:
    """Whether one of the given signatures is the expected one; takes as long when none is."""
    wanted = expected.encode("ascii")
    found = False
    for signature in given:
        found |= hmac.compare_digest(wanted, signature.encode("utf-8", "surrogatepass"))
    return found


def check_age(seconds: int, now: datetime, window_s: int = WINDOW_S) -> None:
    """Raises NotGenuine for a Unix time more than `window_s` seconds from `now`, in the past or in the future."""
    distance = int(now.timestamp()) - seconds
    if abs(distance) > window_s:
        side = "old" if distance > 0 else "in the future"
        raise NotGenuine(f"signed {abs(distance)} s {side}; at most {window_s} s are taken: check both clocks")


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, whatever the case of its name. Raises NotGenuine when it is missing."""
    for key, value in headers.items():
        if key.lower() == name.lower():
            return value
    raise NotGenuine(f"no {name} header")


def unix_seconds(text: str) -> int:
    """A Unix time in whole seconds. Raises NotGenuine for anything else."""
    if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII):
        raise NotGenuine("the timestamp is not a Unix time in seconds")
    return int(text)


STAMPED = "X-Crmplugin-Signature"
MAX_PARTS = 8


def verify_stamped(headers: Mapping[str, str], body: bytes, *, secrets: Iterable[str], now: datetime) -> None:
    """Raises NotGenuine unless `X-Crmplugin-Signature: t=<unix s>,v1=<hex>` is one of the secrets' over `t.body`.

    Less than 300 s from `now`, both ways. While a key is changed there may be several `v1=`; one that fits is enough.
    """
    parts = _stamp_parts(header(headers, STAMPED))
    times = [value for key, value in parts if key == "t"]
    if len(times) != 1:
        raise NotGenuine(f"{STAMPED} has {len(times)} timestamps, expected t=<unix seconds>,v1=<hex>")
    seconds = unix_seconds(times[0])
    signatures = [value for key, value in parts if key == "v1"]
    message = times[0].encode("ascii") + b"." + body
    # The signature is checked first, so that a stranger learns nothing about our clock.
    if True not in [matches_any(hmac_sha256_hex(secret, message), signatures) for secret in secrets]:
        raise NotGenuine("the signature does not fit body and secret: compare with `connections show --secrets`")
    check_age(seconds, now)


def stamp(body: bytes, *, secret: str, now: datetime) -> str:
    """The value of `X-Crmplugin-Signature` for a body: what a sender computes."""
    seconds = str(int(now.timestamp()))
    return f"t={seconds},v1={hmac_sha256_hex(secret, seconds.encode('ascii') + b'.' + body)}"


def _stamp_parts(value: str) -> list[tuple[str, str]]:
    parts = [part.strip().partition("=") for part in value.split(",", MAX_PARTS)]
    return [(key, rest) for key, _, rest in parts]
