"""What the store repeats of a document beside it, to find it by: key columns, links, names, addresses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from crmplugin.store.tables_records import ADDRESS_LENGTH, NAME_LENGTH

Normalise = Callable[[str, str, str | None], str | None]
"""`normalise(kind, value, country)`: the address as duplicates are compared, or None when it is none."""

WHEN: Mapping[str, tuple[str, ...]] = {
    "contacts": ("created_at",),
    "deals": ("created_at",),
    "stage_changes": ("at",),
    "quotes": ("sent_at",),
    "orders": ("ordered_at",),
    "activities": ("at", "due_at", "done_at"),
    "tickets": ("opened_at",),
}
"""The field that says when a record happened; the next one where it is absent."""

CONTACT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "deals": ("primary_contact_id", "contact_ids"),
    "orders": ("contact_id",),
    "tickets": ("contact_id",),
    "activities": ("contact_ids",),
}

LOOSE_CONTACT = "contact:"
"""Before the id of a contact without company that is an account of its own: companies and contacts may share ids."""


def sortable(instant: datetime) -> str:
    """The instant as text in UTC that sorts by time."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant_of(text: str) -> datetime:
    """The instant of a sortable text."""
    return datetime.fromisoformat(text)


def keys_of(collection: str, doc: Mapping[str, Any]) -> dict[str, Any]:
    """The key columns of a record."""
    return {
        "company_id": doc["id"] if collection == "companies" else doc.get("company_id"),
        "deal_id": doc.get("deal_id"),
        "ticket_id": doc.get("ticket_id"),
        "product_id": doc.get("product_id") if collection == "prices" else None,
        "source": _marker(doc) if collection == "activities" else None,
        "at": _when(collection, doc),
    }


def _marker(doc: Mapping[str, Any]) -> str | None:
    source: str | None = doc.get("source")
    return source if source is not None and len(source) <= 255 else None


def _when(collection: str, doc: Mapping[str, Any]) -> str:
    for key in WHEN.get(collection, ()):
        if doc.get(key):
            return sortable(datetime.fromisoformat(doc[key]))
    return ""


def contacts_of(collection: str, doc: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the contacts a record names, the leading one first, each once."""
    found: dict[str, None] = {}
    for key in CONTACT_FIELDS.get(collection, ()):
        value = doc.get(key) or ()
        found.update(dict.fromkeys((value,) if isinstance(value, str) else value))
    return tuple(found)


def names_of(collection: str, doc: Mapping[str, Any]) -> tuple[str, str | None, tuple[str, ...]] | None:
    """Kind, owning company and the names of a company, contact or product; None for anything else."""
    if collection == "companies":
        return "company", doc["id"], _distinct(doc.get("name"), *doc.get("aliases", ()))
    if collection == "products":
        return "product", None, _distinct(doc.get("name"), *doc.get("aliases", ()), doc.get("sku"))
    if collection == "contacts":
        full = f"{doc.get('first_name') or ''} {doc.get('last_name') or ''}"
        return "contact", doc.get("company_id"), _distinct(full)
    return None


def _distinct(*names: str | None) -> tuple[str, ...]:
    # A text longer than any name would only slow down every check.
    plain = (" ".join(name.split()) for name in names if name)
    return tuple(dict.fromkeys(name for name in plain if 0 < len(name) <= NAME_LENGTH))


def addresses_of(doc: Mapping[str, Any], *, country: str | None, normalise: Normalise) -> Iterator[tuple[str, str]]:
    """Kind and normalised form of each address of a contact; `country` reads a number without its country code."""
    for kind in ("email", "phone"):
        value = doc.get(kind)
        normalised = normalise(kind, value, country) if value else None
        if normalised and len(normalised) <= ADDRESS_LENGTH:
            yield kind, normalised


def plain_address(kind: str, value: str, country: str | None) -> str | None:
    """A normaliser that knows no country: mail addresses folded, numbers as their digits, of which there are five."""
    if kind == "email":
        folded = value.strip().casefold()
        return folded if "@" in folded else None
    digits = "".join(c for c in value if c in "0123456789")
    return digits if len(digits) >= 5 else None
