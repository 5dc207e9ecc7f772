"""Links, mail addresses and phone numbers in a text, and when two of them are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TLDS = (
    "com|net|org|info|biz|io|co|ai|app|dev|eu|de|at|ch|li|fr|be|nl|lu|es|pt|it|pl|cz|sk|hu|ro|se|no|dk|fi|is|ie|uk|us|ca|"
    "au|nz|jp|cn|in|br|mx|ru|ua|tr|test|example|invalid|local|shop|online|site|xyz|link|click|cloud|tech|store|me|tv|ly|gl|to"
)
_URL = re.compile(
    rf"(?:(?:https?|ftp)://|(?<![\w@.-])www\.)[^\s\0<>\"]{{1,2000}}"
    rf"|(?<![\w@.-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,6}}(?:{_TLDS})(?![\w-])(?:/[^\s\0<>\"]{{0,2000}})?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}(?![\w-])", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,/+-])(?:\+|00|\(0|0)[0-9](?:[ ()/.-]{0,2}[0-9]){5,16}(?![\w])")
_TRAILING = ".,;:!?)]}'\">"


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from (m.span() for m in _EMAIL.finditer(text))


def find_links(text: str) -> Iterator[tuple[int, int]]:
    """Addresses with or without a scheme; closing punctuation is not part of them."""
    for m in _URL.finditer(text):
        yield m.start(), m.start() + len(m[0].rstrip(_TRAILING))


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers that begin like a phone number (+, 00, 0) and have 7 to 18 digits."""
    for m in _PHONE.finditer(text):
        if sum(c.isdigit() for c in m[0]) >= 7 and not re.fullmatch(
            r"[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{2,4})?\.?", m[0]
        ):
            yield m.span()


def same_link(written: str, stored: str) -> bool:
    """Equal after normalising: scheme and host in lower case, no closing slash; path and query as they stand."""
    return _link_key(written) == _link_key(stored)


def _link_key(link: str) -> str:
    link = link.strip().rstrip(_TRAILING)
    scheme, found, rest = link.partition("://")
    rest = rest if found else link
    host, slash, path = rest.partition("/")
    insecure = "http:" if found and scheme.lower() not in ("http", "https") else ""
    return f"{insecure}{host.lower().removeprefix('www.')}{(slash + path).rstrip('/')}"


def same_phone(written: str, stored: str) -> bool:
    """Equal digits; a national form (leading 0) equals the international one it ends."""
    a, b = _digits(written), _digits(stored)
    if not a or not b or a == b:
        return bool(a) and a == b
    national, full = sorted((a, b), key=len)
    return (
        national.startswith("0")
        and len(national) >= 7
        and full.endswith(national[1:])
        and len(full) - len(national) < 3
    )


def _digits(number: str) -> str:
    digits = "".join(
        c for c in number.replace("(0)", "" if number.lstrip().startswith(("+", "00")) else "0") if c.isdigit()
    )
    return digits.removeprefix("00")
