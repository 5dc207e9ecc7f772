"""Addresses as identities: when two spellings reach the same person, and when a mailbox is no person at all.

Mail: compatibility forms and case do not count, and `dana+orders@x` is `dana@x`. Phone: E.164, read in the country of
the record. What cannot be an address gives None, so that "invalid" and "absent" are one case.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise

import phonenumbers

from crmplugin.analysis.countries import country_code
from crmplugin.analysis.phrases import gather

SHORTEST_NUMBER = 5
"""Digits without the country's prefix: what is shorter is an extension, not a number."""
_IN_ANGLES = re.compile(r"<([^<>]*)>\s*$")
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SEPARATOR = re.compile(r"[._\-+\d]+")


def normalise_email(text: str | None) -> str | None:
    """The address that decides identity: without display name, tag and case, the domain in ASCII. None if invalid."""
    plain = unicodedata.normalize("NFKC", text or "").strip()
    in_angles = _IN_ANGLES.search(plain)
    plain = (in_angles.group(1) if in_angles else plain).strip().casefold().removeprefix("mailto:")
    local, at, domain = plain.rpartition("@")
    ascii_domain = _ascii_domain(domain)
    if not at or ascii_domain is None or not _is_local(local):
        return None
    return f"{_without_tag(local)}@{ascii_domain}"


def normalise_phone(text: str | None, country: str | None) -> str | None:
    """E.164 of a number, read as dialled in the country when it has no prefix. None if it cannot be a number.

    Numbers are held against the possible length of their country, not against assigned ranges, which change: a
    do-not-call entry must match whatever stands in the CRM.
    """
    plain = unicodedata.normalize("NFKC", text or "").strip().removeprefix("tel:")
    region = country_code(country)
    if region is None and plain.startswith("00"):
        plain = f"+{plain[2:]}"
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or len(str(number.national_number)) < SHORTEST_NUMBER:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_role_mailbox(email: str | None) -> bool:
    """Whether the address belongs to a desk (info@, einkauf@, sales-emea@): reachable, but not a person."""
    parts = _parts(email)
    return bool(parts) and ("".join(parts) in _desks() or all(part in _desks() for part in parts))


def is_silent_mailbox(email: str | None) -> bool:
    """Whether nobody reads the address (noreply@, mailer-daemon@): a mail to it reaches no one."""
    parts = _parts(email)
    joined = {"".join(parts), *parts, *(a + b for a, b in pairwise(parts))}
    return bool(parts) and bool(joined & _silent())


def _parts(email: str | None) -> tuple[str, ...]:
    address = normalise_email(email)
    local = address.rpartition("@")[0] if address else ""
    return tuple(part for part in _SEPARATOR.split(local) if part)


def _is_local(local: str) -> bool:
    return bool(_LOCAL.fullmatch(local)) and not (local.startswith(".") or local.endswith(".") or ".." in local)


def _without_tag(local: str) -> str:
    return local.partition("+")[0] or local


def _ascii_domain(domain: str) -> str | None:
    try:
        ascii_domain = domain.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = ascii_domain.split(".")
    good = len(labels) >= 2 and len(ascii_domain) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    return ascii_domain if good and not labels[-1].isdigit() else None


@cache
def _desks() -> frozenset[str]:
    return frozenset(word for words in gather("mailboxes", "desks").values() for word in words)


@cache
def _silent() -> frozenset[str]:
    return frozenset(word for words in gather("mailboxes", "silent").values() for word in words)
