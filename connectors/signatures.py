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
