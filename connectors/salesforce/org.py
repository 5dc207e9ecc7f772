"""What one org has: its fields, child lists and currencies, read beside other calls and kept for an hour.

A query that names a field which is hidden or missing fails whole, so only known ones are asked for. Until the org has
described itself, a standard org of one currency without quotes is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.mapping import COLLECTIONS, Org, selected
from connectors.transport import Refused

KEPT_FOR = timedelta(hours=1)
CONSENTS = ("Individual", "ContactPointTypeConsent", "ContactPointEmail", "ContactPointConsent",
            "CommSubscriptionConsent")  # fmt: skip
DESCRIBED = (*COLLECTIONS, "OrderItem", "QuoteLineItem", "OpportunityContactRole", *CONSENTS)
"""All in one composite, which takes 25."""
UNUSUAL_FIELDS = frozenset({"CurrencyIsoCode", "IndividualId"})
UNUSUAL_OBJECTS = frozenset({"Quote", "QuoteLineItem", *CONSENTS})
"""Objects that a new org does not have until an admin switches them on."""

Described = tuple[frozenset[str], frozenset[str]]


class OrgBook:
    """The org as it was read last; `calls` are what must be asked when that is too long ago."""

    def __init__(self, client: SalesforceClient, settings: Org, clock: Callable[[], datetime]) -> None:
        self._client, self._settings, self._clock = client, settings, clock
        self._read_at: datetime | None = None
        self._described: dict[str, Described | None] = {}
        self.org = settings
        self.id: str | None = None

    def calls(self) -> list[Callable[[], Any]]:
        """Calls to make beside others, whose answers go to `take`; none while the last ones are fresh."""
        if self._read_at is not None and self._clock() - self._read_at < KEPT_FOR:
            return []
        return [self._describe, self._organization]

    def take(self, answers: Sequence[Any]) -> None:
        """Keeps the answers of `calls`, in their order."""
        if not answers:
            return
        described, organization = answers
        self._described = described
        features = organization.get("features") or {}
        currency = self._settings.currency or features.get("defaultCurrencyIsoCode")
        self.org = replace(self._settings, currency=str(currency) if currency else None)
        self.id = str(organization["orgId"]) if organization.get("orgId") else None
        self._read_at = self._clock()

    def read(self) -> Org:
        """The org, asked for now if it is not known."""
        self.take(self._client.transport.together(*self.calls()))
        return self.org

    def read_again(self) -> Org:
        """The org as it is now, after it turned out to be other than it was."""
        self._read_at = None
        return self.read()

    def fields(self, kind: str) -> list[str]:
        """The fields of an object to ask for: those that are there and may be seen."""
        return [path for path in selected(kind, self.org) if self.has(kind, path)]

    def has(self, kind: str, path: str) -> bool:
        """Whether an object has a field, or a relation with it (`Owner.Name`)."""
        if not self._described:
            return path not in UNUSUAL_FIELDS
        known = self._described.get(kind)
        return known is not None and path.partition(".")[0] in known[0]

    def has_children(self, kind: str, children: str, child: str) -> bool:
        """Whether an object has a child list, of records that may be read."""
        if not self._described:
            return child not in UNUSUAL_OBJECTS
        known = self._described.get(kind)
        return known is not None and children in known[1] and self._described.get(child) is not None

    def is_there(self, kind: str) -> bool:
        """Whether the org has an object that the integration user may read."""
        return self._described.get(kind) is not None if self._described else kind not in UNUSUAL_OBJECTS

    def _describe(self) -> dict[str, Described | None]:
        parts = [self._client.object_part(kind, "GET", f"{kind}/describe") for kind in DESCRIBED]
        outcomes = self._client.composite(parts)
        return {name: _described(outcome.body) if outcome.status < 300 else None for name, outcome in outcomes.items()}

    def _organization(self) -> Mapping[str, Any]:
        try:
            return self._client.organization()
        except Refused:
            return {}  # Without it an amount has the currency of the settings, or none.


def _described(document: Any) -> Described:
    """Names of fields and of relations, and names of child lists."""
    fields = [one for one in document.get("fields") or () if isinstance(one, Mapping)]
    names = {str(one.get("name")) for one in fields}
    relations = {str(one["relationshipName"]) for one in fields if one.get("relationshipName")}
    children = document.get("childRelationships") or ()
    return frozenset(names | relations), frozenset(
        str(c["relationshipName"]) for c in children if c.get("relationshipName")
    )
